//! The command palette, the mouse, settings, and texts in another program.

use std::{fs, os::unix::fs::PermissionsExt as _};

use common::{Call, endpoints::records, query::ListQuery, record::OneOrMany};
use serde_json::{Value, json};

use super::{
    ENTER, SAVE,
    harness::{Server, Terminal, define},
    record, sign_in, snacks,
};

const ESC: &str = "\x1b";

/// A click of the left button, at a column and row from 1.
fn click(terminal: &mut Terminal, column: usize, row: usize) {
    terminal.press(&format!("\x1b[<0;{column};{row}M\x1b[<0;{column};{row}m"));
}

/// The column and row, from 1, where a text is.
fn place(screen: &str, text: &str) -> (usize, usize) {
    let row = screen.lines().position(|line| line.contains(text)).unwrap();
    let before = screen.lines().nth(row).unwrap().split(text).next().unwrap();
    (before.chars().count() + 1, row + 1)
}

async fn some_snacks(server: &Server) {
    let client = server.admin().await;
    define(&client, snacks()).await;
    let titles = ["Popcorn", "Crisps", "Nuts"];
    let many = titles.map(|title| record(&json!({"title": title, "price": "1", "notes": "salted"})));
    let call = Call::<records::Create>::new(("snacks".parse().unwrap(),), OneOrMany::Many(many.to_vec()));
    client.send(&call).await.unwrap();
}

#[tokio::test]
async fn the_palette_finds_actions_collections_and_records() {
    let server = Server::start();
    some_snacks(&server).await;
    let state = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::client(&server, state.path());
    sign_in(&mut terminal);
    terminal.press(":snacks");
    terminal.wait("Open snacks");
    terminal.press(ENTER);
    terminal.wait("1–3 of 3");
    terminal.press("\x0bcrisps");
    terminal.wait("Search snacks for \"crisps\"");
    terminal.press(ENTER);
    terminal.wait("1–1 of 1");
    terminal.press(":without filter");
    terminal.wait("Show all rows again");
    terminal.press(ENTER);
    terminal.wait("1–3 of 3");
    terminal.press(":nothing of the kind\x15zz");
    terminal.wait("Search snacks for \"zz\"");
    terminal.press(ESC);
    terminal.wait_gone("Search snacks");
    terminal.press("q");
    assert_eq!(terminal.wait_for_end(), 0);
}

#[tokio::test]
async fn the_mouse_chooses_opens_sorts_and_moves_columns() {
    let server = Server::start();
    some_snacks(&server).await;
    let state = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::client(&server, state.path());
    sign_in(&mut terminal);
    let (column, row) = place(&terminal.wait("snacks "), "snacks ");
    click(&mut terminal, column, row);
    let screen = terminal.wait("1–3 of 3");
    let (column, row) = place(&screen, "Price");
    click(&mut terminal, column, row);
    terminal.wait("Price ▲");
    let (price, title) = (place(&terminal.wait("Price ▲"), "Price"), place(&screen, "Title"));
    terminal.press(&format!("\x1b[<0;{};{}M\x1b[<0;{};{}m", price.0, price.1, title.0, title.1));
    terminal.wait_until("the price first", |screen| {
        let text = screen.contents();
        text.find("Price").is_some_and(|price| text.find("Title").is_some_and(|title| price < title))
    });
    let (column, row) = place(&terminal.wait("Nuts"), "Nuts");
    click(&mut terminal, column, row);
    terminal.press("\r");
    terminal.wait("Created at: 20");
    terminal.press("q");
    assert_eq!(terminal.wait_for_end(), 0);
}

#[tokio::test]
async fn settings_are_read_and_nothing_is_written_where_nobody_wants_that() {
    let server = Server::start();
    some_snacks(&server).await;
    let state = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::client(&server, state.path());
    sign_in(&mut terminal);
    terminal.press("q");
    assert_eq!(terminal.wait_for_end(), 0);
    let config = state.path().join("config.toml");
    fs::write(&config, "mouse = false\nascii = true\n[keys]\nreload = [\"R\"]\nquit = [\"Q\"]\n").unwrap();
    let mut terminal = Terminal::client_with(&server, state.path(), &["--readonly", "--theme", "plain"]);
    terminal.wait("Coffer > dashboard");
    terminal.press("D");
    terminal.wait("What we eat");
    let screen = terminal.wait_until("no colours, no mouse", |screen| {
        screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None
            && (0..24).all(|row| {
                (0..80)
                    .all(|column| screen.cell(row, column).is_none_or(|cell| cell.fgcolor() == vt100::Color::Default))
            })
    });
    assert!(screen.is_ascii(), "{screen}");
    terminal.press(ENTER);
    terminal.wait("Popcorn");
    for key in ["n", "e", "d"] {
        terminal.press(key);
        terminal.wait("Nothing is written");
        terminal.press("j");
        terminal.wait_gone("Nothing is written");
    }
    terminal.press("Q");
    assert_eq!(terminal.wait_for_end(), 0);

    fs::write(&config, "theme = \"pink\"\n").unwrap();
    let mut terminal = Terminal::client(&server, state.path());
    terminal.wait("config.toml: line 1");
    assert_eq!(terminal.wait_for_exit(), 1);
}

#[tokio::test]
async fn a_long_text_is_edited_in_another_program() {
    let server = Server::start();
    some_snacks(&server).await;
    let state = tempfile::tempdir().unwrap();
    let editor = state.path().join("editor");
    fs::write(&editor, "#!/bin/sh\ngrep -q salted \"$1\" && printf 'sweet\\nand sour\\n' > \"$1\"\n").unwrap();
    fs::set_permissions(&editor, fs::Permissions::from_mode(0o755)).unwrap();
    let mut terminal = Terminal::client(&server, state.path());
    sign_in(&mut terminal);
    terminal.wait("What we eat");
    terminal.press(ENTER);
    terminal.wait("Popcorn");
    terminal.press("e\t\t\x07");
    terminal.wait("and sour");
    terminal.press(SAVE);
    terminal.wait("Saved \"Popcorn\".");
    let client = server.admin().await;
    let call = Call::<records::List>::new(("snacks".parse().unwrap(),), ()).query(ListQuery::default());
    let page = client.send(&call).await.unwrap();
    assert_eq!(page.results[0].get("notes"), Some(&Value::from("sweet\nand sour")));
    terminal.press("q");
    assert_eq!(terminal.wait_for_end(), 0);
}
