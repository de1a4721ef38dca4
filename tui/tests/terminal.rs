//! The real client in a pseudo-terminal against the real server: the first run, two people over one record, a session
//! that ends under a form, and the terminal given back however the client ends.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

#[path = "terminal/faults.rs"]
mod faults;
#[path = "terminal/harness.rs"]
mod harness;
#[path = "terminal/live.rs"]
mod live;
#[path = "terminal/many.rs"]
mod many;
#[path = "terminal/people.rs"]
mod people;
#[path = "terminal/proxy.rs"]
mod proxy;
#[path = "terminal/settings.rs"]
mod settings;

use std::{
    env, fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use common::{
    Call,
    endpoints::{records, sessions, tokens},
    query::ListQuery,
    record::{OneOrMany, Record},
};
use harness::{ADMIN, PASSWORD, Server, Terminal, define, files};
use portable_pty::CommandBuilder;
use serde_json::{Value, json};

const ENTER: &str = "\r";
const ESC: &str = "\x1b";
const SAVE: &str = "\x13";
const ADD_FIELD: &str = "\x0e";
const TAKE_THEIRS: &str = "\x14";

fn snacks() -> Value {
    json!({
        "name": "snacks", "description": "What we eat between meals",
        "fields": [
            {"name": "title", "type": "text", "required": true, "unique": true, "max_length": 40},
            {"name": "price", "type": "decimal", "min": "0", "places": 2, "indexed": true},
            {"name": "notes", "type": "text", "multiline": true}
        ]
    })
}

fn record(members: &Value) -> Record {
    Record::from_object(members.as_object().cloned().unwrap())
}

/// Signs the admin in, and goes on from the dashboard to the collections.
fn sign_in(terminal: &mut Terminal) {
    sign_in_over(terminal);
    terminal.wait("Coffer › dashboard");
    terminal.press("D");
    terminal.wait_gone("Coffer › dashboard");
}

/// Signs the admin in through the form that is on the screen.
fn sign_in_over(terminal: &mut Terminal) {
    terminal.wait("Sign in");
    terminal.press(&format!("{ADMIN}\t{PASSWORD}{ENTER}"));
    terminal.wait("Signed in as ada.");
}

/// The session's file.
fn session_file(state: &Path) -> Option<std::path::PathBuf> {
    files(state).into_iter().find(|file| file.extension().is_some_and(|extension| extension == "json"))
}

#[tokio::test]
async fn the_first_run_from_set_up_to_signing_out() {
    let server = Server::start();
    let state = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::client(&server, state.path());

    terminal.wait("Make the first admin");
    terminal.press(&format!("{}\t{ADMIN}\tshort{ENTER}", server.code));
    terminal.wait("This password is too short");
    terminal.press(&format!("\x15{PASSWORD}{ENTER}"));
    terminal.wait("There are no collections yet.");
    assert!(!terminal.wait("Signed in as ada.").contains(PASSWORD));

    terminal.press("nsnacks\tWhat we eat between meals\ttitle");
    terminal.press(&format!("{ADD_FIELD}price\td\t\t\t2{ADD_FIELD}notes{SAVE}"));
    terminal.wait("Created the collection snacks.");
    terminal.wait("ada created the collection snacks");
    terminal.press("D");
    terminal.wait("What we eat between meals");
    terminal.press(ENTER);
    terminal.wait("There are no records here yet.");

    // Typed in one go: what comes while the first save is under way waits for it.
    terminal.press(&format!("nPopcorn\t3.50\tsalted{SAVE}nChips\t2x{SAVE}"));
    terminal.wait("! A valid number is required.");
    terminal.press(&format!("\x7f{SAVE}"));
    terminal.wait("Created \"Chips\".");
    let screen = terminal.wait("1–2 of 2");
    assert!(screen.contains("Popcorn   3.50  salted"), "{screen}");

    terminal.press("e\x15Crisps");
    terminal.press(SAVE);
    terminal.wait("Saved \"Crisps\".");
    terminal.wait_gone("Chips");

    terminal.press("d");
    terminal.wait("Deleted \"Crisps\". Press u to undo.");
    terminal.wait("1–1 of 1");
    terminal.press("u");
    terminal.wait("\"Crisps\" is back.");
    terminal.wait("1–2 of 2");

    terminal.press(&format!("/cost>1{ENTER}"));
    terminal.wait("There is no field \"cost\"");
    terminal.press(&format!("\x15price>3{ENTER}"));
    terminal.wait("1–1 of 1");
    terminal.wait_gone("Crisps  ");
    terminal.press("\x7f");
    terminal.wait("1–2 of 2");
    terminal.press("ss");
    terminal.wait("Title ▼");
    terminal.wait_until("Popcorn before Crisps", |screen| {
        let text = screen.contents();
        text.find("Popcorn").is_some_and(|popcorn| text.find("Crisps").is_some_and(|crisps| popcorn < crisps))
    });

    terminal.press(ENTER);
    terminal.wait("Created at: 20");
    terminal.press("?");
    terminal.wait("Keys over a record");
    terminal.press("?");
    terminal.wait_gone("Keys over a record");

    let file = session_file(state.path()).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700));
    assert!(!fs::read_to_string(&file).unwrap().contains(PASSWORD));

    terminal.press("q");
    assert_eq!(terminal.wait_for_end(), 0);
    let mut terminal = Terminal::client(&server, state.path());
    // It opens where one was.
    terminal.wait("Created at: 20");
    terminal.press(ESC);
    terminal.wait("Title ▼");
    terminal.press(ESC);
    terminal.wait("What we eat between meals");

    let kept: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    let refresh = kept["refresh"].as_str().unwrap().to_owned();
    terminal.press("o");
    terminal.wait("You are signed out.");
    assert_eq!(session_file(state.path()), None);
    let client = server.admin().await;
    let again = client.send(&Call::<tokens::Refresh>::new((), tokens::RefreshToken { refresh })).await;
    assert!(again.is_err(), "the refresh token must be dead after signing out");
    terminal.press("\x03");
    assert_eq!(terminal.wait_for_end(), 0);
}

#[tokio::test]
async fn somebody_elses_change_is_shown_and_nothing_is_overwritten_unseen() {
    let server = Server::start();
    let state = tempfile::tempdir().unwrap();
    let other = server.admin().await;
    define(&other, snacks()).await;
    let create = OneOrMany::One(record(&json!({"title": "Popcorn", "price": "1", "notes": ""})));
    let created = other.send(&Call::<records::Create>::new(("snacks".parse().unwrap(),), create)).await.unwrap();
    let OneOrMany::One(created) = created else { panic!("one record was created") };
    let id = created.id().unwrap();
    let there = || ("snacks".parse().unwrap(), id);
    let change = async |members: Value| {
        other.send(&Call::<records::Update>::new(there(), record(&members))).await.unwrap();
    };

    let mut terminal = Terminal::client(&server, state.path());
    sign_in(&mut terminal);
    terminal.press(ENTER);
    terminal.wait("Popcorn");
    terminal.press("e!");
    terminal.wait("Popcorn!");
    change(json!({"title": "Puffs", "price": "9"})).await;
    terminal.press(SAVE);
    let screen = terminal.wait("Somebody else changed this record meanwhile.");
    assert!(screen.contains("Theirs: Puffs") && screen.contains("Popcorn!") && screen.contains("9.00"), "{screen}");
    terminal.press(TAKE_THEIRS);
    terminal.wait_gone("Theirs:");
    terminal.press(&format!(" XL{SAVE}"));
    terminal.wait("Saved \"Puffs XL\".");

    // A row that somebody else has changed since it was shown is not deleted, but shown.
    terminal.wait("Puffs XL   9.00");
    change(json!({"notes": "do not delete"})).await;
    terminal.press("d");
    terminal.wait("Not deleted: somebody else changed this record meanwhile.");
    terminal.wait("do not delete");

    // A record deleted under its form becomes a new one.
    terminal.press("e2");
    terminal.wait("Puffs XL2");
    other.send(&Call::<records::Delete>::new(there(), ())).await.unwrap();
    terminal.press(SAVE);
    terminal.wait("Somebody else deleted this record meanwhile.");
    terminal.press(SAVE);
    terminal.wait("Created \"Puffs XL2\".");
    let list = Call::<records::List>::new(("snacks".parse().unwrap(),), ()).query(ListQuery::default());
    let stored = other.send(&list).await.unwrap().results;
    assert_eq!(stored.len(), 1);
    assert_ne!(stored[0].id(), Some(id));
    assert_eq!(stored[0].get("title"), Some(&json!("Puffs XL2")));
}

#[tokio::test]
async fn a_session_that_ends_under_a_form_loses_no_text() {
    let server = Server::start();
    let state = tempfile::tempdir().unwrap();
    let other = server.admin().await;
    define(&other, snacks()).await;
    let mut terminal = Terminal::client(&server, state.path());
    sign_in(&mut terminal);
    terminal.press(ENTER);
    terminal.wait("There are no records here yet.");
    terminal.press("nשלום 日本\t4");
    terminal.wait("日本");
    other.send(&Call::<sessions::EndOthers>::new((), ())).await.unwrap();
    terminal.press(SAVE);
    terminal.wait("You were signed out elsewhere");
    sign_in_over(&mut terminal);
    let screen = terminal.wait("What you typed is still here");
    assert!(screen.contains("שלום 日本"), "{screen}");
    terminal.press(SAVE);
    terminal.wait("Created \"שלום 日本\".");
}

#[tokio::test]
async fn tokens_are_renewed_without_a_word() {
    let server = Server::start_with(&["--access-lifetime", "1s", "--rotation", "strict"]);
    let state = tempfile::tempdir().unwrap();
    let other = server.admin().await;
    define(&other, snacks()).await;
    let mut terminal = Terminal::client(&server, state.path());
    sign_in(&mut terminal);
    terminal.wait("What we eat between meals");
    let refresh = || {
        let kept: Value = serde_json::from_slice(&fs::read(session_file(state.path()).unwrap()).unwrap()).unwrap();
        kept["refresh"].as_str().unwrap().to_owned()
    };
    let before = refresh();
    terminal.press(ENTER);
    terminal.wait("There are no records here yet.");
    // The first request after four fifths of the second renews, so there is one after another until then.
    let began = Instant::now();
    for number in 1.. {
        terminal.press(&format!("nPopcorn {number}{SAVE}"));
        terminal.wait(&format!("Created \"Popcorn {number}\"."));
        if refresh() != before {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "the token is not renewed");
    }
    let spent = other.send(&Call::<tokens::Refresh>::new((), tokens::RefreshToken { refresh: before })).await;
    assert!(spent.is_err(), "each refresh token counts once");
}

#[tokio::test]
async fn many_rows_are_paged_and_any_window_will_do() {
    let server = Server::start();
    let state = tempfile::tempdir().unwrap();
    let other = server.admin().await;
    define(&other, snacks()).await;
    let rows =
        (0..1000).map(|n| record(&json!({"title": format!("row {n:04}"), "price": "1", "notes": "👩‍👩‍👧‍👦\u{1b}[2J"})));
    let rows = OneOrMany::Many(rows.collect());
    other.send(&Call::<records::Create>::new(("snacks".parse().unwrap(),), rows)).await.unwrap();
    let mut terminal = Terminal::client(&server, state.path());
    sign_in(&mut terminal);
    terminal.press(ENTER);
    terminal.wait("1–50 of 1\u{202f}000 · page 1 of 20");
    terminal.press("]]");
    terminal.wait("101–150 of 1\u{202f}000 · page 3 of 20");
    terminal.wait("row 0100");
    terminal.resize(40, 12);
    terminal.wait_until("a narrow footer", |screen| {
        screen.contents().lines().last().is_some_and(|line| line.ends_with("? help"))
    });
    terminal.press("G");
    terminal.wait("row 0999");
    terminal.resize(10, 3);
    terminal.wait("Window too");
    terminal.resize(1, 1);
    terminal.wait("W");
    terminal.resize(120, 40);
    terminal.wait("row 0999");
    terminal.press("q");
    assert_eq!(terminal.wait_for_end(), 0);
}

#[tokio::test]
async fn a_server_that_is_away_is_said_and_comes_back() {
    let state = tempfile::tempdir().unwrap();
    let server = Server::start();
    let url = server.url.clone();
    drop(server);
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_coffer-tui"));
    command.env("COFFER_STATE_DIR", state.path());
    command.env("COFFER_SERVER", url);
    let mut terminal = Terminal::run(command);
    terminal.wait("nothing answers at this address");
    terminal.wait("Ctrl-R try again");
    terminal.press("\x03");
    assert_eq!(terminal.wait_for_end(), 0);
}

#[tokio::test]
async fn signals_end_the_client_and_give_the_terminal_back() {
    let server = Server::start();
    let state = tempfile::tempdir().unwrap();
    for (signal, code) in [("TERM", 143), ("HUP", 129), ("INT", 130)] {
        let mut terminal = Terminal::client(&server, state.path());
        terminal.wait("Make the first admin");
        let sent = Command::new("kill").args([format!("-{signal}"), terminal.process().to_string()]).status().unwrap();
        assert!(sent.success());
        assert_eq!(terminal.wait_for_end(), code, "{signal}");
    }
}

/// This test runs itself once more in a terminal, and there it panics as the client would.
#[test]
fn a_panic_gives_the_terminal_back_and_can_be_read() {
    const INSIDE: &str = "COFFER_TEST_PANIC";
    const SAID: &str = "a panic on purpose";
    if env::var_os(INSIDE).is_some() {
        let mut output = coffer_tui::output::Output::new();
        coffer_tui::terminal::open(&mut output, true).unwrap();
        output.send(b"drawn".to_vec());
        output.settle();
        panic!("{SAID}");
    }
    let mut command = CommandBuilder::new(env::current_exe().unwrap());
    command.args(["--exact", "a_panic_gives_the_terminal_back_and_can_be_read", "--nocapture"]);
    command.env(INSIDE, "1");
    let mut terminal = Terminal::run(command);
    terminal.wait_until("the panic on the ordinary screen", |screen| {
        !screen.alternate_screen() && screen.contents().contains(SAID)
    });
    assert_ne!(terminal.wait_for_end(), 0);
}
