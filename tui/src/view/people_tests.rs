//! Users, sessions and the forms about them, in a usual window and in a small one.

use common::{people::SessionsQuery, user::Session};

use super::tests::{SIZES, TRICKY, draw};
use crate::{
    effect::Effect,
    fixture::{people, press, session, users},
    message::Message,
    update,
};

const USUAL: (u16, u16) = (80, 24);
const SMALL: (u16, u16) = (40, 12);

#[test]
fn users_are_a_table_with_what_counts_first() {
    let mut model = users(USUAL);
    let screen = draw(&mut model, USUAL);
    assert!(
        screen.contains("Coffer › users") && screen.contains("Name  Admin  Active  Last sign-in  Roles"),
        "{screen}"
    );
    assert!(screen.contains("bob   no     yes     never         editor"), "{screen}");
    assert!(screen.contains("i sessions") && screen.contains("d delete"), "{screen}");
    let screen = draw(&mut model, SMALL);
    assert!(screen.contains("ada   yes    yes"), "{screen}");
    press(&mut model, "llll");
    assert!(draw(&mut model, SMALL).contains("editor"));
}

#[test]
fn a_session_whose_token_was_used_from_two_addresses_says_so() {
    let mut model = users(USUAL);
    press(&mut model, "<");
    let effects = press(&mut model, "i");
    let [Effect::Sessions(ticket, _)] = effects.as_slice() else { panic!("i loads the own sessions") };
    let copied = Session { shared_by: vec!["192.0.2.7".into(), "198.51.100.66".into()], ..session(1, "curl/8", false) };
    update(&mut model, Message::Records(*ticket, Ok(people(vec![copied, session(2, "coffer-tui/1", true)]))));
    let screen = draw(&mut model, USUAL);
    assert!(screen.contains("shared") && screen.contains("192.0.2.7 + 198.51.100.66"), "{screen}");
}

#[test]
fn sessions_say_which_one_asks_and_what_a_second_press_would_do() {
    let mut model = users(USUAL);
    press(&mut model, "<");
    let effects = press(&mut model, "i");
    let [Effect::Sessions(ticket, SessionsQuery { user: None, .. })] = effects.as_slice() else {
        panic!("i loads the own sessions")
    };
    let rows = vec![session(1, "coffer-tui/1", true), session(2, "evil\u{1b}[2J\u{202e}", false)];
    update(&mut model, Message::Records(*ticket, Ok(people(rows))));
    let screen = draw(&mut model, USUAL);
    assert!(screen.contains("this one") && screen.contains("192.0.2.7") && screen.contains("coffer-tui/1"), "{screen}");
    assert!(screen.contains("evil") && !screen.contains(['\u{1b}', '\u{202e}']), "{screen}");
    press(&mut model, "ja");
    for size in [USUAL, SMALL] {
        let screen = draw(&mut model, size);
        assert!(screen.contains("! Press a again to end all"), "{screen}");
        assert!(screen.contains("2026-11-02 09:30"), "{screen}");
    }
}

#[test]
fn the_forms_say_what_they_do_and_show_no_password() {
    let mut model = users(USUAL);
    press(&mut model, "d");
    for size in [USUAL, SMALL] {
        let screen = draw(&mut model, size);
        assert!(screen.contains("Deleting ada cannot be undone") && screen.contains("›Username *"), "{screen}");
    }
    press(&mut model, "<jenot shown");
    press(&mut model, "\tsecret words");
    for size in [USUAL, SMALL] {
        let screen = draw(&mut model, size);
        assert!(screen.contains("bob › edit") && screen.contains("••••"), "{screen}");
        assert!(!screen.contains("secret"), "{screen}");
        assert!(screen.contains("Empty to leave it."), "{screen}");
    }
}

#[test]
fn the_help_page_lists_the_keys_for_accounts() {
    let mut model = users((80, 40));
    press(&mut model, "?");
    let screen = draw(&mut model, (80, 40));
    assert!(
        screen.contains("Keys in the list of users") && screen.contains("Show where the user is signed in"),
        "{screen}"
    );
    press(&mut model, "?<?");
    let screen = draw(&mut model, (80, 40));
    for line in ["Change your password", "Show where you are signed in", "Show the users (admins)"] {
        assert!(screen.contains(line), "{line}: {screen}");
    }
}

#[test]
fn no_size_and_no_program_breaks_the_lists_or_the_forms() {
    let mut model = users(USUAL);
    let effects = press(&mut model, "ji");
    let [Effect::Sessions(ticket, SessionsQuery { user: Some(_), .. })] = effects.as_slice() else {
        panic!("bob's are loaded")
    };
    let rows = (0..).zip(TRICKY).map(|(number, program)| session(number, program, false));
    update(&mut model, Message::Records(*ticket, Ok(people(rows.collect::<Vec<_>>()))));
    for keys in ["", "Gllll", "dG", "<", "e", "\t\t\t", "<", "d", "x^s", "<n^s", "<"] {
        press(&mut model, keys);
        for size in SIZES {
            let screen = draw(&mut model, size);
            assert!(!screen.contains(['\u{1b}', '\u{202e}', '\u{7}']), "{keys:?} {size:?}: {screen}");
        }
    }
    assert!(draw(&mut model, USUAL).contains("Coffer › users"));
}
