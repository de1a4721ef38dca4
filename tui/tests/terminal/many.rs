//! Many records at once: rows are chosen, changed and taken back, written to a file and deleted; a large file comes in, is left, and seen again after the
//! app was closed.

use std::{fmt::Write as _, fs};

use common::{
    Call,
    endpoints::records,
    record::{OneOrMany, Record},
};
use serde_json::json;

use super::{
    ENTER, ESC, SAVE,
    harness::{Server, Terminal, define},
    record, sign_in, snacks,
};

const RIGHT: &str = "\x1b[C";
const EMPTY_LINE: &str = "\x15";

#[tokio::test]
async fn rows_are_changed_and_deleted_as_one_and_files_go_out_and_come_in() {
    let server = Server::start();
    let (state, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let admin = server.admin().await;
    define(&admin, snacks()).await;
    let rows: Vec<Record> = (0..5).map(|n| record(&json!({"title": format!("=snack {n}"), "price": n}))).collect();
    let create = Call::<records::Create>::new(("snacks".parse().unwrap(),), OneOrMany::Many(rows));
    admin.send(&create).await.unwrap();
    let mut terminal = Terminal::client(&server, state.path());
    sign_in(&mut terminal);
    terminal.press(ENTER);
    terminal.wait("=snack 4");

    terminal.press("xjjX");
    terminal.wait("3 rows chosen");
    terminal.press("e");
    terminal.wait("Change a field");
    terminal.press(&format!("{RIGHT}\t7.5{SAVE}"));
    terminal.wait("3 records in Snacks would be changed.");
    terminal.press(SAVE);
    terminal.wait("Changed 3 records. Press u to undo.");
    terminal.press("u");
    terminal.wait("3 records of snacks are as before.");

    let out = files.path().join("out.csv");
    terminal.press("a");
    terminal.wait("5 rows chosen");
    terminal.press("w");
    terminal.wait("The chosen rows.");
    terminal.press(&format!("{RIGHT}\t{EMPTY_LINE}{}{SAVE}", out.display()));
    terminal.wait("Wrote ");
    assert!(fs::read_to_string(&out).unwrap().contains("'=snack 0"));
    terminal.press("d");
    terminal.wait("5 records in Snacks would be deleted.");
    terminal.press("d");
    terminal.wait("Deleted 5 records.");
    terminal.wait("There are no records here yet.");

    // A row that does not fit keeps the others out.
    let large = files.path().join("large.csv");
    let mut text = "title;price\n".to_owned();
    for n in 0..12_000 {
        writeln!(text, "row {n};{}", n % 90).unwrap();
    }
    fs::write(&large, format!("{text}another;x\n")).unwrap();
    terminal.press("m");
    terminal.wait("Ctrl-S checks the file");
    terminal.press(&format!("{}{SAVE}", large.display()));
    terminal.wait("A valid number is required.");
    terminal.wait("As it is, nothing would be written.");
    fs::write(&large, text).unwrap();
    terminal.press(ESC);
    terminal.wait("Ctrl-S checks the file");
    terminal.press(SAVE);
    // A very slow machine looks at a part of them.
    terminal.wait("12\u{202f}000 rows");
    terminal.press(ENTER);
    let has = |screen: &vt100::Screen, text: &str| screen.contents().contains(text);
    let screen = terminal.wait_until("an import", |screen| has(screen, "Importing") || has(screen, "The file is in."));
    // A very fast machine has it in at once.
    if screen.contains("Importing") {
        terminal.press(ESC);
        terminal.wait_gone("Importing");
        terminal.press("q");
        assert_eq!(terminal.wait_for_exit(), 0);
        terminal = Terminal::client(&server, state.path());
        terminal.wait("The file is in.");
    }
    terminal.press(ENTER);
    terminal.wait("1–50 of 12\u{202f}000");
}
