//! What the update promises: nothing typed is lost, nothing stale is shown, and every refusal has a way out.

use common::{
    CallError, Problem,
    id::OperationId,
    problem::{FieldError, FieldErrors},
    reader::Body,
    undo::Deletion,
};
use crossterm::event::{KeyCode, KeyModifiers};
use serde_json::{Value, json};

use super::*;
use crate::{
    fixture::{self, ada, id, page, press, record, snack, snacks, table, user},
    load::Ticket,
    message::{Deleted, Failure},
    screen::{self, RecordForm, Records},
    words,
};

mod collections;
mod forms;
mod live;

fn two_snacks() -> Model {
    table(snacks(), vec![snack(1, "Popcorn"), snack(2, "Chips")], 2, (80, 24))
}

fn refused(problem: Problem) -> Failure {
    Failure::Call(CallError::Problem(Box::new(problem)))
}

fn form(model: &Model) -> &RecordForm {
    match model.screens.last() {
        Some(Screen::Form(form)) => form,
        _ => panic!("no form is open"),
    }
}

fn records(model: &Model) -> &Records {
    match &model.screens[1] {
        Screen::Records(records) => records,
        _ => panic!("no table is open"),
    }
}

fn toast(model: &Model) -> &str {
    model.toast.as_ref().map_or("", |toast| &toast.text)
}

fn operation() -> OperationId {
    id(70).parse().unwrap()
}

/// A deletion that was asked for takes nothing along: gives the ticket of the deletion itself.
fn asked(model: &mut Model, effects: &[Effect]) -> (Ticket, Deleted) {
    let [Effect::WouldDelete(ticket, deleted)] = effects else { panic!("it is asked what goes") };
    let alone =
        json!({"count": 1, "counts": [{"subject": "record", "collection": "snacks", "action": "delete", "count": 1}]});
    let alone = serde_json::from_value(alone).unwrap();
    match update(model, Message::WouldDelete(*ticket, deleted.clone(), Ok(alone))).as_slice() {
        [Effect::Delete(ticket, deleted)] => (*ticket, deleted.clone()),
        _ => panic!("one record is deleted"),
    }
}

#[test]
fn what_goes_with_a_record_is_told_before_it_is_deleted() {
    let mut model = two_snacks();
    let counts = json!([{"subject": "record", "collection": "snacks", "action": "delete", "count": 1},
        {"subject": "record", "collection": "bites", "action": "delete", "count": 500}]);
    let deletion: Deletion = serde_json::from_value(json!({"count": 501, "counts": counts})).unwrap();
    for (keys, is_meant) in [("d", true), ("jd", false)] {
        let effects = press(&mut model, "d");
        let [Effect::WouldDelete(ticket, deleted)] = effects.as_slice() else { panic!("it is asked what goes") };
        // What was typed before the question came is no answer to it.
        press(&mut model, "d");
        let answer = Message::WouldDelete(*ticket, deleted.clone(), Ok(deletion.clone()));
        assert!(update(&mut model, answer).is_empty());
        let told = "Deleting \"Popcorn\" deletes 500 records of bites too. Press d again to delete.";
        assert_eq!(toast(&model), told);
        let effects = press(&mut model, keys);
        assert_eq!(matches!(effects.as_slice(), [Effect::Delete(..)]), is_meant);
        model.writing = None;
    }
}

#[test]
fn what_was_saved_can_be_undone() {
    let mut model = two_snacks();
    let effects = press(&mut model, "\n");
    let [Effect::Record(ticket, ..)] = effects.as_slice() else { panic!("it is read anew") };
    update(&mut model, Message::Record(*ticket, Ok(snack(1, "Popcorn"))));
    press(&mut model, "e!");
    let (ticket, _) = save(&mut model);
    update(&mut model, Message::Saved(ticket, Ok(snack(1, "Popcorn!")), Some(operation())));
    assert_eq!(toast(&model), "Saved \"Popcorn!\". Press u to undo.");
    let effects = press(&mut model, "u");
    let [Effect::Revert(ticket, undo)] = effects.as_slice() else { panic!() };
    assert_eq!(undo.operation, operation());
    let counts = json!([{"subject": "record", "collection": "snacks", "action": "update", "count": 1}]);
    let reverted = json!({"operation": id(71), "reverts": id(70), "state": "done", "count": 1, "counts": counts,
        "skipped": 0, "not_restored": []});
    let reverted = serde_json::from_value(reverted).unwrap();
    let effects = update(&mut model, Message::Undone(*ticket, undo.clone(), Ok(reverted)));
    assert_eq!(toast(&model), "\"Popcorn!\" is as before.");
    assert!(matches!(effects.as_slice(), [Effect::Record(..), Effect::Records(..)]));
}

/// Saves, and gives the ticket and body of the write.
fn save(model: &mut Model) -> (Ticket, Value) {
    match press(model, "^s").as_slice() {
        [Effect::Create(ticket, _, body) | Effect::Update(ticket, _, _, body)] => (*ticket, json!(body)),
        _ => panic!("nothing is written: {}", toast(model)),
    }
}

#[test]
fn a_client_without_a_session_asks_what_the_server_is_and_offers_set_up() {
    let (mut model, effects) = Model::new("http://x".into(), false, false, (80, 24));
    let [Effect::Look(ticket)] = effects.as_slice() else { panic!() };
    let root =
        json!({"name": "Coffer", "version": "1", "setup_required": true, "min_password_length": 15, "links": {}});
    update(&mut model, Message::Root(*ticket, Ok(serde_json::from_value(root).unwrap())));
    press(&mut model, "code\tada\ta long enough password");
    let effects = press(&mut model, "\n");
    let [Effect::SetUp(ticket, body)] = effects.as_slice() else { panic!("set-up is sent") };
    assert_eq!(body["code"], "code");
    update(&mut model, Message::SignedIn(*ticket, Ok(ada())));
    assert!(model.sign_in.is_none());
    assert_eq!(toast(&model), "Signed in as ada.");
}

#[test]
fn letters_are_text_where_text_is_typed_and_commands_elsewhere() {
    let mut model = two_snacks();
    press(&mut model, "nqd?s/");
    assert_eq!(form(&model).state.form.text("title"), "qd?s/");
    assert!(!model.quit);
    press(&mut model, "<<q");
    assert!(model.quit);
}

#[test]
fn a_wrong_password_is_said_and_can_be_typed_again() {
    let (mut model, _) = Model::new("http://x".into(), false, false, (80, 24));
    let effects = press(&mut model, "ada\twrong\n");
    let [Effect::SignIn(ticket, _)] = effects.as_slice() else { panic!() };
    update(&mut model, Message::SignedIn(*ticket, Err(refused(Problem::unauthorized("No active account found.")))));
    let state = &model.sign_in.as_ref().unwrap().state;
    assert_eq!(state.form.errors, ["No active account found."]);
    assert_eq!(state.current().unwrap().name(), "password");
}

#[test]
fn a_deletion_is_undone_by_its_operation_even_when_u_comes_before_the_answer() {
    let mut model = two_snacks();
    let effects = press(&mut model, "jdu");
    let (ticket, deleted) = asked(&mut model, &effects);
    assert_eq!((deleted.id.to_string(), deleted.revision.0), (id(2), 1002));
    let effects = update(&mut model, Message::Deleted(ticket, deleted, Ok(Some(operation()))));
    let undone = effects.iter().find_map(|effect| match effect {
        Effect::Revert(_, undo) => Some(undo),
        _ => None,
    });
    assert_eq!(undone.unwrap().operation, operation());
}

#[test]
fn a_record_changed_by_somebody_else_is_not_deleted() {
    let mut model = two_snacks();
    let effects = press(&mut model, "d");
    let (ticket, deleted) = asked(&mut model, &effects);
    let effects = update(&mut model, Message::Deleted(ticket, deleted, Err(refused(Problem::stale("x")))));
    assert_eq!(toast(&model), words::CHANGED_NOT_DELETED);
    assert!(matches!(effects.as_slice(), [Effect::Records(..)]));
    assert!(model.undo.is_empty());
}

#[test]
fn an_undo_that_nothing_answers_can_be_tried_again() {
    let mut model = two_snacks();
    let effects = press(&mut model, "d");
    let (ticket, deleted) = asked(&mut model, &effects);
    update(&mut model, Message::Deleted(ticket, deleted, Ok(Some(operation()))));
    assert_eq!(toast(&model), "Deleted \"Popcorn\". Press u to undo.");
    press(&mut model, "n");
    assert_eq!(toast(&model), "", "in a form u is a letter");
    press(&mut model, "<");
    let effects = press(&mut model, "u");
    let [Effect::Revert(ticket, undo)] = effects.as_slice() else { panic!() };
    let unreachable = Failure::Call(CallError::Unreachable("it took too long".into()));
    update(&mut model, Message::Undone(*ticket, undo.clone(), Err(unreachable)));
    assert!(matches!(press(&mut model, "u").as_slice(), [Effect::Revert(..)]));
}

#[test]
fn others_records_are_read_only_by_the_collections_rules() {
    let mut foreign = snack(1, "Popcorn");
    foreign.set("owner", id(5));
    let mut model = table(snacks(), vec![foreign], 1, (80, 24));
    assert!(press(&mut model, "d").is_empty());
    assert_eq!(toast(&model), "You may not delete this record. Ask an admin if you should.");
    press(&mut model, "e");
    assert_eq!(model.screens.len(), 2);
}

#[test]
fn a_late_answer_does_not_overwrite_a_newer_one() {
    let mut model = two_snacks();
    let first = press(&mut model, "s");
    let second = press(&mut model, "s");
    let ([Effect::Records(old, ..)], [Effect::Records(new, _, query)]) = (first.as_slice(), second.as_slice()) else {
        panic!("each sort loads")
    };
    assert!(query.ordering[0].descending);
    update(&mut model, Message::Records(*new, Ok(page(vec![snack(2, "new")], 1))));
    update(&mut model, Message::Records(*old, Ok(page(vec![snack(1, "old"), snack(2, "old")], 2))));
    assert_eq!(records(&model).rows.as_ref().unwrap().len(), 1);
}

#[test]
fn nobody_deletes_a_row_that_they_have_not_seen() {
    let mut model = two_snacks();
    let effects = press(&mut model, "s");
    let [Effect::Records(ticket, ..)] = effects.as_slice() else { panic!() };
    assert!(press(&mut model, "d").is_empty());
    let effects = update(&mut model, Message::Records(*ticket, Ok(page(vec![snack(2, "Chips")], 1))));
    assert!(matches!(effects.as_slice(), [Effect::WouldDelete(_, deleted)] if deleted.title == "Chips"));
}

#[test]
fn a_filter_is_used_only_if_it_can_be_read() {
    let mut model = two_snacks();
    assert!(press(&mut model, "/cost>3\n").is_empty());
    let error = records(&model).filter.as_ref().unwrap().error.clone().unwrap();
    assert!(error.contains("There is no field \"cost\"."), "{error}");
    let effects = press(&mut model, "^uprice>3 pop\n");
    assert!(
        matches!(effects.as_slice(), [Effect::Records(_, _, query)] if query.search == "pop" && query.filters.len() == 1)
    );
    // What was left is as it was, and Backspace shows all rows again.
    press(&mut model, "<");
    assert_eq!(model.screens.len(), 1);
    let effects = press(&mut model, "\n");
    assert!(matches!(effects.as_slice(), [Effect::Records(_, _, query)] if query.search == "pop"));
    let effects = press(&mut model, "\u{8}");
    assert!(matches!(effects.as_slice(), [Effect::Records(_, _, query)] if query.search.is_empty()));
}

#[test]
fn the_cursor_walks_over_the_edge_of_a_page() {
    let rows = |from: u32| (from..from + 50).map(|n| snack(n, "x")).collect::<Vec<_>>();
    let mut model = table(snacks(), rows(0), 120, (80, 24));
    press(&mut model, "50G");
    let effects = press(&mut model, "j");
    let [Effect::Records(ticket, _, query)] = effects.as_slice() else { panic!("the next page is loaded") };
    assert_eq!(query.page, 2);
    update(&mut model, Message::Records(*ticket, Ok(page(rows(50), 120))));
    assert_eq!(records(&model).selected, 0);
    let effects = press(&mut model, "k");
    let [Effect::Records(ticket, _, query)] = effects.as_slice() else { panic!("the page before is loaded") };
    assert_eq!(query.page, 1);
    update(&mut model, Message::Records(*ticket, Ok(page(rows(0), 120))));
    assert_eq!(records(&model).selected, 49);
}

#[test]
fn a_last_page_that_has_become_empty_gives_way_to_the_one_before() {
    let mut model = table(snacks(), vec![snack(1, "x")], 51, (80, 24));
    press(&mut model, "]");
    let effects = press(&mut model, "r");
    let [Effect::Records(ticket, ..)] = effects.as_slice() else { panic!() };
    let effects = update(&mut model, Message::Records(*ticket, Ok(page(Vec::new(), 50))));
    assert!(matches!(effects.as_slice(), [Effect::Records(_, _, query)] if query.page == 1));
}

#[test]
fn an_unreachable_server_is_a_sentence_and_a_reload_heals_it() {
    let mut model = two_snacks();
    let effects = press(&mut model, "]s");
    let [Effect::Records(ticket, ..)] = effects.as_slice() else { panic!() };
    let unreachable = Failure::Call(CallError::Unreachable("nothing answers at this address".into()));
    update(&mut model, Message::Records(*ticket, Err(unreachable)));
    assert!(records(&model).load.error.as_ref().unwrap().starts_with("The server could not be reached"));
    let effects = press(&mut model, "r");
    let [Effect::Records(ticket, ..)] = effects.as_slice() else { panic!() };
    update(&mut model, Message::Records(*ticket, Ok(page(vec![snack(1, "x")], 1))));
    assert!(records(&model).load.error.is_none());
}

#[test]
fn signing_out_leaves_nothing_behind() {
    let mut model = two_snacks();
    let effects = press(&mut model, "<o");
    let Some(Effect::SignOut(ticket)) = effects.last() else { panic!("the session is ended") };
    update(&mut model, Message::SignedOut(*ticket, Ok(())));
    assert_eq!(model.sign_in.as_ref().unwrap().reason.as_deref(), Some(words::SIGNED_OUT));
    assert!(model.user.is_none() && model.screens.len() == 1 && model.undo.is_empty());
}

#[test]
fn an_open_record_shows_what_is_stored_now_and_its_table_follows_an_edit() {
    let mut model = two_snacks();
    let effects = press(&mut model, "\n");
    let [Effect::Record(ticket, ..)] = effects.as_slice() else { panic!("it is read anew") };
    let mut newer = snack(1, "Popcorn, salted");
    newer.set("revision", 2000);
    update(&mut model, Message::Record(*ticket, Ok(newer)));
    press(&mut model, "e!");
    let (ticket, body) = save(&mut model);
    assert_eq!(body, json!({"title": "Popcorn, salted!", "revision": 2000}));
    let saved = record(&json!({"id": id(1), "title": "Popcorn, salted!", "revision": 2001}));
    let effects = update(&mut model, Message::Saved(ticket, Ok(saved), None));
    assert!(matches!(effects.as_slice(), [Effect::Record(..), Effect::Records(..)]));
}

#[test]
fn enter_on_a_list_that_is_still_loading_opens_it_when_it_comes() {
    let (mut model, effects) = Model::new("http://x".into(), false, true, (80, 24));
    let [Effect::Me(_), Effect::Collections(ticket)] = effects.as_slice() else { panic!() };
    assert!(press(&mut model, "\n").is_empty());
    let effects = update(&mut model, Message::Collections(*ticket, Ok(vec![snacks()])));
    assert!(matches!(effects.as_slice(), [Effect::Records(..)]));
}
