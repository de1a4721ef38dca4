//! Terminals and shells as they are: much at once, jobs that are stopped, lines that take nothing, and bytes that cost something.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use coffer_client::Client;
use common::{
    Call,
    endpoints::records,
    query::ListQuery,
    record::{OneOrMany, Record},
};
use serde_json::{Value, json};

use super::{
    ENTER, SAVE,
    harness::{Server, Terminal, define},
    record, sign_in, snacks,
};

/// How the process is: `S` sleeps, `T` is stopped.
fn state(process: u32) -> char {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    stat.rsplit(')').next().unwrap().trim().chars().next().unwrap()
}

fn signal(name: &str, process: u32) {
    assert!(Command::new("kill").args([name, &process.to_string()]).status().unwrap().success());
}

async fn fill(client: &Client, rows: usize) {
    define(client, snacks()).await;
    for part in (0..rows).step_by(500) {
        let many: Vec<Record> = (part..rows.min(part + 500))
            .map(|row| record(&json!({"title": format!("snack {row:05}"), "price": "1.50"})))
            .collect();
        let call = Call::<records::Create>::new(("snacks".parse().unwrap(),), OneOrMany::Many(many));
        client.send(&call).await.unwrap();
    }
}

/// The row under the cursor: the one that is shown the other way round.
fn cursor(screen: &vt100::Screen) -> String {
    let (rows, columns) = screen.size();
    let is_reversed =
        |row: u16| (0..columns.get()).any(|column| screen.cell(row, column).is_some_and(vt100::Cell::inverse));
    let row = (1..rows.get()).find(|row| is_reversed(*row));
    row.map(|row| screen.contents_between(row, 0, row, columns.get())).unwrap_or_default()
}

fn open(server: &Server, state: &std::path::Path) -> Terminal {
    let mut terminal = Terminal::client(server, state);
    sign_in(&mut terminal);
    terminal.wait("What we eat");
    terminal.press(ENTER);
    terminal.wait("snack 00000");
    terminal
}

#[tokio::test]
async fn five_thousand_keys_at_once_all_arrive() {
    let server = Server::start();
    let client = server.admin().await;
    define(&client, snacks()).await;
    let state = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::client(&server, state.path());
    sign_in(&mut terminal);
    terminal.wait("What we eat");
    terminal.press(ENTER);
    terminal.wait("There are no records here yet.");
    let text: String = (0..5_000).map(|at| char::from(b'a' + u8::try_from(at % 26).unwrap())).collect();
    terminal.press(&format!("nCorn\t1\t{text}{SAVE}"));
    terminal.wait("Created \"Corn\".");
    let call = Call::<records::List>::new(("snacks".parse().unwrap(),), ()).query(ListQuery::default());
    let page = client.send(&call).await.unwrap();
    assert_eq!(page.results[0].get("notes"), Some(&Value::from(text)));
}

#[tokio::test]
async fn it_stops_and_goes_on_as_a_shell_asks() {
    let server = Server::start();
    fill(&server.admin().await, 3).await;
    let folder = tempfile::tempdir().unwrap();
    let mut terminal = open(&server, folder.path());
    let process = terminal.process();
    for round in ["the key", "the signal"] {
        if round == "the key" {
            terminal.press("\x1a");
        } else {
            signal("-TSTP", process);
        }
        terminal.wait_until(round, |screen| !screen.alternate_screen() && !screen.bracketed_paste());
        let deadline = Instant::now() + Duration::from_secs(10);
        while state(process) != 'T' {
            assert!(Instant::now() < deadline, "{round}: it is not stopped");
            std::thread::yield_now();
        }
        signal("-CONT", process);
        terminal.wait_until("all of it again", |screen| {
            screen.alternate_screen() && screen.bracketed_paste() && screen.contents().contains("snack 00002")
        });
        terminal.press("j");
        terminal.wait_until("the next row", |screen| cursor(screen).contains("snack 0000"));
    }
    terminal.press("q");
    assert_eq!(terminal.wait_for_end(), 0);
}

#[tokio::test]
async fn paging_leaves_no_row_out_and_reaches_the_end() {
    let server = Server::start();
    fill(&server.admin().await, 10_000).await;
    let folder = tempfile::tempdir().unwrap();
    let mut terminal = open(&server, folder.path());
    let mut seen = std::collections::BTreeSet::new();
    let mut note = |screen: &str| {
        let rows = screen.lines().filter_map(|line| line.split("snack ").nth(1)?.get(..5)?.parse::<u32>().ok());
        seen.extend(rows);
    };
    note(&terminal.wait("snack 00000"));
    for _ in 0..8 {
        let before = std::cell::RefCell::new(String::new());
        terminal.wait_until("a cursor", |screen| {
            before.replace(cursor(screen));
            cursor(screen).contains("snack ")
        });
        terminal.press("\x1b[6~");
        // What was shown stays until the next page is there.
        note(&terminal.wait_until("the next rows", |screen| {
            cursor(screen).contains("snack ") && cursor(screen) != *before.borrow()
        }));
    }
    let last = *seen.last().unwrap();
    assert!(last >= 100 && (0..=last).all(|row| seen.contains(&row)), "{seen:?}");

    terminal.press("G");
    terminal.wait_until("the last row of all", |screen| cursor(screen).contains("snack 09999"));
    terminal.press("g");
    terminal.wait_until("the first row of all", |screen| cursor(screen).contains("snack 00000"));
    terminal.press("200]");
    terminal.wait_until("page 200", |screen| cursor(screen).contains("snack 09950"));
    terminal.press("1234G");
    terminal.wait_until("row 1234", |screen| cursor(screen).contains("snack 01233"));
}

#[tokio::test]
async fn a_terminal_that_takes_nothing_does_not_hold_up_the_end() {
    let server = Server::start();
    fill(&server.admin().await, 200).await;
    let folder = tempfile::tempdir().unwrap();
    let mut terminal = open(&server, folder.path());
    terminal.stall();
    // Far more than a pseudo-terminal keeps.
    for _ in 0..200 {
        terminal.press("\x1b[6~");
        terminal.press("?");
        terminal.press("q");
    }
    let begun = Instant::now();
    signal("-TERM", terminal.process());
    assert_eq!(terminal.wait_for_exit(), 128 + 15);
    println!("from SIGTERM to exit: {:?}", begun.elapsed());
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_step_of_the_cursor_costs_two_rows() {
    let server = Server::start();
    fill(&server.admin().await, 300).await;
    for (columns, rows, most) in [(40, 12, 300), (80, 24, 300), (120, 40, 400), (200, 60, 600)] {
        let folder = tempfile::tempdir().unwrap();
        let mut terminal = open(&server, folder.path());
        terminal.resize(columns, rows);
        terminal.press("g");
        terminal.wait_until("the new size", |screen| {
            screen.contents().lines().count() + 1 >= usize::from(rows) && cursor(screen).contains("snack 00000")
        });
        let one = terminal.bytes_of("j", |screen| cursor(screen).contains("snack 00001"));
        assert!(one <= most, "{columns} × {rows}: {one} bytes");
        let mut all = 0;
        for row in 2..102 {
            let name = format!("snack {row:05}");
            all += terminal.bytes_of("j", |screen| cursor(screen).contains(&name));
        }
        println!("{columns} × {rows}: {one} bytes for one j, {} on average of 100", all / 100);
        assert!(all / 100 <= 600, "{columns} × {rows}: {} bytes on average", all / 100);
    }
}

#[tokio::test]
async fn a_table_is_as_it_was_left_and_opens_again() {
    let server = Server::start();
    fill(&server.admin().await, 120).await;
    let folder = tempfile::tempdir().unwrap();
    let mut terminal = open(&server, folder.path());
    terminal.press(&format!("s/title >= \"snack 00040\"{ENTER}"));
    terminal.wait("1–50 of 80");
    terminal.press("]");
    terminal.wait("51–80 of 80");
    terminal.press("\x1b");
    terminal.wait("What we eat");
    terminal.press(ENTER);
    terminal.wait("51–80 of 80");
    terminal.wait("Title ▲");
    terminal.press("q");
    assert_eq!(terminal.wait_for_end(), 0);

    let mut terminal = Terminal::client(&server, folder.path());
    terminal.wait("51–80 of 80");
    terminal.wait("Title ▲");
    terminal.press("\x7f");
    terminal.wait("1–50 of 120");
}
