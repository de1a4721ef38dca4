//! The story of accounts: a password is changed, another session ended, a user made and shut out.

use coffer_client::Client;
use common::{
    Call,
    endpoints::{tokens::Credentials, users},
};

use super::{
    ESC, SAVE,
    harness::{ADMIN, PASSWORD, Server, Terminal},
    sign_in,
};

const NEW_PASSWORD: &str = "nine badgers paint the fence";
const EMPTY_LINE: &str = "\x15";

/// Somebody signed in from elsewhere.
async fn elsewhere(server: &Server, name: &str, password: &str) -> Option<Client> {
    let client = Client::new(server.url.parse().unwrap(), None, None).unwrap();
    let credentials = Credentials { username: name.to_owned(), password: password.to_owned() };
    client.sign_in(credentials).await.ok().map(|()| client)
}

async fn is_signed_in(client: &Client) -> bool {
    client.send(&Call::<users::Me>::new((), ())).await.is_ok()
}

#[tokio::test]
async fn a_password_is_changed_a_session_ended_and_a_user_made_and_shut_out() {
    let server = Server::start();
    let state = tempfile::tempdir().unwrap();
    let other = server.admin().await;
    let mut terminal = Terminal::client(&server, state.path());
    sign_in(&mut terminal);

    terminal.press(&format!("pwrong\t{NEW_PASSWORD}{SAVE}"));
    terminal.wait("! This is not your current password.");
    assert!(is_signed_in(&other).await);
    terminal.press(&format!("{EMPTY_LINE}{PASSWORD}{SAVE}"));
    let screen = terminal.wait("Your password is changed, and your other sessions have ended.");
    assert!(!screen.contains(PASSWORD) && !screen.contains(NEW_PASSWORD), "{screen}");
    assert!(!is_signed_in(&other).await);

    let other = elsewhere(&server, ADMIN, NEW_PASSWORD).await.unwrap();
    terminal.press("i");
    let screen = terminal.wait_until("two sessions", |screen| screen.contents().matches("127.0.0.1 ").count() == 2);
    let rows: Vec<&str> = screen.lines().filter(|line| line.contains("127.0.0.1 ")).collect();
    terminal.press(if rows[0].contains("this one") { "jd" } else { "d" });
    terminal.wait("Press d again to end this session");
    assert!(is_signed_in(&other).await);
    terminal.press("d");
    terminal.wait("Ended. Whoever was signed in there has to sign in again.");
    assert!(!is_signed_in(&other).await);

    terminal.press(ESC);
    terminal.wait_gone("this one");
    terminal.press("U");
    terminal.wait("Last sign-in");
    terminal.press(&format!("nbob\tshort\teditor{SAVE}"));
    terminal.wait("This password is too short");
    terminal.press(&format!("{EMPTY_LINE}{PASSWORD}{SAVE}"));
    terminal.wait("Made the user bob.");
    terminal.wait("editor");
    let bob = elsewhere(&server, "bob", PASSWORD).await.unwrap();
    terminal.press(&format!("Ge\t\t\t\t {SAVE}"));
    terminal.wait("Saved the user bob. Their sessions have ended.");
    assert!(!is_signed_in(&bob).await);
    assert!(elsewhere(&server, "bob", PASSWORD).await.is_none());

    // The server keeps the last admin, and says so.
    terminal.press(&format!("gd{ADMIN}{SAVE}"));
    terminal.wait("This is the last active admin.");
    terminal.press(ESC);
    terminal.wait_gone("cannot be undone");
    terminal.press(&format!("Gdbob{SAVE}"));
    terminal.wait("Deleted the user bob.");
    terminal.wait_gone("editor");
    terminal.press("q");
    assert_eq!(terminal.wait_for_end(), 0);
}

#[tokio::test]
async fn many_users_are_searched_sorted_and_paged() {
    let server = Server::start();
    let state = tempfile::tempdir().unwrap();
    let admin = server.admin().await;
    for number in 1..=52 {
        let new = users::NewUser {
            roles: if number % 10 == 0 { vec!["cook".parse().unwrap()] } else { Vec::new() },
            is_active: number != 30,
            ..users::NewUser::new(format!("user-{number:02}").parse().unwrap(), PASSWORD.to_owned())
        };
        admin.send(&Call::<users::Create>::new((), new)).await.unwrap();
    }
    let mut terminal = Terminal::client(&server, state.path());
    sign_in(&mut terminal);
    terminal.press("U");
    terminal.wait("1–50 of 53 · page 1 of 2");
    terminal.press("]");
    terminal.wait("51–53 of 53 · page 2 of 2");
    terminal.wait("user-52");
    terminal.press("s");
    terminal.wait("Name ▲");
    terminal.press("s");
    terminal.wait("sorted by Name, largest first");
    terminal.wait("user-52");

    terminal.press("/cook is_active=false\r");
    let screen = terminal.wait("1–1 of 1 · page 1 of 1");
    assert!(screen.contains("user-30") && screen.contains("/ is_active = false cook"), "{screen}");
    terminal.press("/nobody-of-this-name\r");
    terminal.wait("Nothing matches the filter.");
    // Backspace shows everyone again.
    terminal.press("\x7f");
    terminal.wait("1–50 of 53");
    terminal.press(ESC);
    terminal.wait_gone("Last sign-in");
    terminal.press("i");
    terminal.wait("this one");
    terminal.press("/192.0.2.9\r");
    terminal.wait("Nothing matches the filter.");
    terminal.press("q");
    assert_eq!(terminal.wait_for_end(), 0);
}
