//! What the update promises about accounts: what ends a session or a user is confirmed, and refusals stand where they belong.

use common::{
    CallError, Problem,
    endpoints::root::Root,
    page::Page,
    people::SessionsQuery,
    problem::{FieldError, FieldErrors},
    reader::Body,
    user::User,
};
use serde_json::json;

use super::*;
use crate::{
    fixture::{self, id, people, press, session, users},
    message::Failure,
    screen::AccountForm,
    words,
};

fn refused(problem: Problem) -> Result<(), Failure> {
    Err(Failure::Call(CallError::Problem(Box::new(problem))))
}

fn form(model: &Model) -> &AccountForm {
    match model.screens.last() {
        Some(Screen::Account(form)) => form,
        _ => panic!("no form about an account is open"),
    }
}

fn toast(model: &Model) -> &str {
    model.toast.as_ref().map_or("", |toast| &toast.text)
}

/// The own sessions, opened over the collections: this one and another.
fn own_sessions() -> Model {
    let mut model = users((80, 24));
    press(&mut model, "<");
    let effects = press(&mut model, "i");
    let [Effect::Sessions(ticket, SessionsQuery { user: None, .. })] = effects.as_slice() else {
        panic!("i loads the own sessions")
    };
    let rows = vec![session(1, "coffer-tui/1", true), session(2, "curl/8", false)];
    update(&mut model, Message::Records(*ticket, Ok(people(rows))));
    model
}

#[test]
fn a_changed_password_is_sent_as_typed_and_the_end_of_the_others_is_said() {
    let mut model = users((80, 24));
    press(&mut model, "<");
    let effects = press(&mut model, "pold words\ta few new words^s");
    let [Effect::ChangePassword(ticket, change)] = effects.as_slice() else { panic!("it is sent") };
    assert_eq!((change.current_password.as_str(), change.new_password.as_str()), ("old words", "a few new words"));
    update(&mut model, Message::Account(*ticket, Ok(())));
    assert_eq!(toast(&model), words::PASSWORD_CHANGED);
    assert!(matches!(model.screens.as_slice(), [Screen::Collections(_)]));
}

#[test]
fn a_wrong_password_is_said_at_its_field_and_nothing_typed_is_lost() {
    let mut model = users((80, 24));
    press(&mut model, "<");
    let effects = press(&mut model, "pwrong\ta few new words^s");
    let [Effect::ChangePassword(ticket, _)] = effects.as_slice() else { panic!("it is sent") };
    let error = FieldError::new("password_incorrect", "This is not your current password.");
    let problem = Problem::validation(FieldErrors::of("current_password", error));
    update(&mut model, Message::Account(*ticket, refused(problem)));
    let form = form(&model);
    assert_eq!(form.state.current().unwrap().errors, ["This is not your current password."]);
    assert_eq!(form.state.form.text("new_password"), "a few new words");
    press(&mut model, "<");
    assert_eq!(toast(&model), words::UNSAVED_LEAVE);
}

#[test]
fn a_session_is_ended_only_when_asked_twice_for_the_same_one() {
    let mut model = own_sessions();
    assert!(press(&mut model, "jd").is_empty());
    assert_eq!(toast(&model), "Press d again to end this session, any other key to keep it.");
    assert!(press(&mut model, "kjd").is_empty(), "another key disarms it");
    assert!(press(&mut model, "a").is_empty(), "another question is another question");
    assert!(press(&mut model, "d").is_empty());
    let effects = press(&mut model, "d");
    let [Effect::EndSession(ticket, ended)] = effects.as_slice() else { panic!("it is ended") };
    assert_eq!(ended.to_string(), id(2));
    let effects = update(&mut model, Message::SessionsEnded(*ticket, Ok(())));
    assert_eq!(toast(&model), words::SESSIONS_ENDED);
    assert!(matches!(effects.as_slice(), [Effect::Sessions(_, SessionsQuery { user: None, .. })]));
}

#[test]
fn all_other_sessions_end_together_and_the_own_one_by_signing_out() {
    let mut model = own_sessions();
    assert!(press(&mut model, "d").is_empty());
    assert!(toast(&model).starts_with("This is the session that you are in."), "{}", toast(&model));
    assert!(matches!(press(&mut model, "d").as_slice(), [Effect::SignOut(_)]));
    let mut model = own_sessions();
    assert!(matches!(press(&mut model, "aa").as_slice(), [Effect::EndOthers(_, None)]));
}

#[test]
fn another_users_sessions_are_theirs_and_end_all_at_once() {
    let mut model = users((80, 24));
    let effects = press(&mut model, "ji");
    let [Effect::Sessions(_, SessionsQuery { user: Some(bob), .. })] = effects.as_slice() else {
        panic!("bob's are loaded")
    };
    assert_eq!(bob.to_string(), id(2));
    let effects = press(&mut model, "aa");
    assert!(matches!(effects.as_slice(), [Effect::EndOthers(_, Some(user))] if user == bob));
}

#[test]
fn a_user_is_made_with_roles_and_edited_by_what_changed() {
    let mut model = users((80, 24));
    let effects = press(&mut model, "neve\ta long enough password\teditor cook\t ^s");
    let [Effect::CreateUser(ticket, eve)] = effects.as_slice() else { panic!("eve is made") };
    let body = eve.to_json();
    assert_eq!((&body["roles"], &body["is_admin"]), (&json!(["editor", "cook"]), &json!(true)));
    let effects = update(&mut model, Message::Account(*ticket, Ok(())));
    assert_eq!(toast(&model), "Made the user eve.");
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Users(..))));

    let effects = press(&mut model, "je\t\t\t\t ^s");
    let [Effect::UpdateUser(ticket, bob, patch)] = effects.as_slice() else { panic!("bob is changed") };
    assert_eq!((bob.to_string(), patch.to_json()), (id(2), json!({"is_active": false})));
    update(&mut model, Message::Account(*ticket, Ok(())));
    assert_eq!(toast(&model), "Saved the user bob. Their sessions have ended.");
}

#[test]
fn a_user_is_deleted_only_by_name_and_the_last_admin_not_at_all() {
    let mut model = users((80, 24));
    assert!(press(&mut model, "dbob^s").is_empty());
    assert_eq!(form(&model).state.form.inputs[0].errors, ["This is not ada."]);
    let effects = press(&mut model, "^uada^s");
    let [Effect::DeleteUser(ticket, ada)] = effects.as_slice() else { panic!("the name was typed") };
    assert_eq!(ada.to_string(), id(1));
    let problem = Problem::conflict("This is the last admin. Make another one first.");
    update(&mut model, Message::Account(*ticket, refused(problem)));
    assert_eq!(form(&model).state.form.errors, ["This is the last admin. Make another one first."]);
    assert_eq!(toast(&model), words::NOT_DELETED);
    press(&mut model, "<");
    assert!(matches!(model.screens.last(), Some(Screen::Users(_))), "a confirmation is no text to lose");
}

#[test]
fn who_was_signed_out_elsewhere_reads_so_and_keeps_what_was_typed() {
    let mut model = users((80, 24));
    let effects = press(&mut model, "neve\ta long enough password^s");
    let [Effect::CreateUser(ticket, _)] = effects.as_slice() else { panic!("eve is made") };
    update(&mut model, Message::Account(*ticket, Err(Failure::SignedOut)));
    let reason = model.sign_in.as_ref().unwrap().reason.as_deref();
    assert_eq!(reason, Some(words::ENDED_TEXT_KEPT));
    assert!(words::ENDED_TEXT_KEPT.contains("signed out elsewhere") && words::ENDED.contains("signed out elsewhere"));
    assert_eq!(form(&model).state.form.text("username"), "eve");
}

#[test]
fn only_admins_get_to_the_users_and_a_late_list_is_dropped() {
    let mut model = users((80, 24));
    let never_sent = model.tickets.next();
    update(&mut model, Message::Records(never_sent, Ok(people(Vec::<User>::new()))));
    let Some(Screen::Users(list)) = model.screens.last() else { panic!("the users are open") };
    assert_eq!(list.rows.as_ref().unwrap().len(), 2);
    press(&mut model, "<");
    model.user = Some(fixture::ada());
    assert!(press(&mut model, "U").is_empty());
    assert_eq!(toast(&model), words::NOT_ADMIN_USERS);
}

#[test]
fn users_are_searched_sorted_and_paged_as_records_are() {
    let mut model = users((80, 24));
    let effects = press(&mut model, "/cook is_admin=false\n");
    let [Effect::Users(ticket, query)] = effects.as_slice() else { panic!("the filter is used") };
    assert_eq!((query.search.as_str(), query.filters.len(), query.page), ("cook", 1, 1));
    let bob = people(vec![fixture::user(2, "bob", false)]);
    update(&mut model, Message::Records(*ticket, Ok(Page { count: 10_000, ..bob })));
    let effects = press(&mut model, "lll");
    assert!(effects.is_empty());
    let effects = press(&mut model, "s");
    let [Effect::Users(ticket, query)] = effects.as_slice() else { panic!("s sorts") };
    assert_eq!(query.ordering[0].to_string(), "last_login");
    let some = people(vec![fixture::user(2, "bob", false)]);
    update(&mut model, Message::Records(*ticket, Ok(Page { count: 10_000, ..some })));
    let effects = press(&mut model, "]");
    assert!(matches!(effects.as_slice(), [Effect::Users(_, query)] if query.page == 2 && query.search == "cook"));
    // A key on a row that is not there yet waits for it.
    assert!(press(&mut model, "e").is_empty() && !model.ahead.is_empty());

    let mut model = users((80, 24));
    assert!(press(&mut model, "/last_login>soon\n").is_empty());
    let table = model.screens.last().and_then(Screen::table).unwrap();
    assert!(table.filter.as_ref().unwrap().error.is_some(), "what cannot be compared is said in the line");
}

#[test]
fn backspace_shows_all_users_again_and_esc_leaves() {
    let mut model = users((80, 24));
    let effects = press(&mut model, "/bob\n");
    let [Effect::Users(ticket, _)] = effects.as_slice() else { panic!("the filter is used") };
    update(&mut model, Message::Records(*ticket, Ok(people(vec![fixture::user(2, "bob", false)]))));
    let effects = press(&mut model, "\u{8}");
    assert!(matches!(effects.as_slice(), [Effect::Users(_, query)] if query.search.is_empty()));
    press(&mut model, "<");
    assert!(matches!(model.screens.as_slice(), [Screen::Collections(_)]));
}

#[test]
fn what_was_asked_once_is_forgotten_when_the_sessions_are_searched() {
    let mut model = own_sessions();
    press(&mut model, "ja");
    let effects = press(&mut model, "/curl\n");
    let [Effect::Sessions(ticket, query)] = effects.as_slice() else { panic!("the filter is used") };
    assert_eq!((query.user, query.list.search.as_str()), (None, "curl"));
    update(&mut model, Message::Records(*ticket, Ok(people(vec![session(2, "curl/8", false)]))));
    assert!(press(&mut model, "a").is_empty(), "it is asked again");
    let effects = press(&mut model, "dd");
    assert!(matches!(effects.as_slice(), [Effect::EndSession(_, one)] if one.to_string() == id(2)));
}

#[test]
fn the_server_says_how_long_a_new_password_must_be() {
    let mut model = users((80, 24));
    model.min_password_length = None;
    press(&mut model, "<");
    let effects = press(&mut model, "p");
    let [Effect::Look(ticket)] = effects.as_slice() else { panic!("the server is asked") };
    let hint = |model: &Model| form(model).state.form.input("new_password").unwrap().hint();
    assert!(!hint(&model).contains("At least"));
    let root = |min: u64| -> Root {
        let links = json!({});
        let root = json!({"name": "Coffer", "version": "1", "setup_required": false, "min_password_length": min, "links": links});
        serde_json::from_value(root).unwrap()
    };
    let never_sent = model.tickets.next();
    update(&mut model, Message::Root(never_sent, Ok(root(3))));
    assert!(!hint(&model).contains("At least"));
    update(&mut model, Message::Root(*ticket, Ok(root(22))));
    assert!(hint(&model).starts_with("At least 22 characters."), "{}", hint(&model));
    press(&mut model, "<");
    assert!(press(&mut model, "p").is_empty(), "it is asked once");
    assert!(hint(&model).starts_with("At least 22 characters."));
}
