//! Every answer goes to the screen that asked for it, whatever the order in which answers come.

use serde_json::{Value, json};

use super::*;
use crate::{
    fixture::{self, ada, collection, id, page, people, press, record, session, signed_in, snacks, user},
    load::Ticket,
    message::Failure,
    screen::Records,
    words,
};

/// A collection whose records have a name and refer to another.
fn referring(name: &str, to: &str) -> common::collection::Collection {
    let fields = json!([
        {"name": "name", "type": "text"},
        {"name": "of", "type": "reference", "collection": to, "nullable": true}
    ]);
    collection(name, &fields)
}

fn row(number: u32, name: &str) -> common::record::Record {
    record(&json!({"id": id(number), "name": name, "of": null, "owner": id(77), "revision": number}))
}

/// The names in the table that lies so many screens above the list of collections.
fn names(model: &Model, at: usize) -> Vec<String> {
    let rows = table(model, at).rows.iter().flatten();
    rows.map(|row| row.get("name").and_then(Value::as_str).unwrap_or_default().to_owned()).collect()
}

fn table(model: &Model, at: usize) -> &Records {
    match &model.screens[at] {
        Screen::Records(table) => table,
        _ => panic!("screen {at} is no table"),
    }
}

/// The request for the rows of a collection among these.
fn request(effects: &[Effect], collection: &str) -> Ticket {
    let found = effects.iter().find_map(|effect| match effect {
        Effect::Records(ticket, name, _) if name.as_str() == collection => Some(*ticket),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("the rows of {collection} are not asked for"))
}

fn answer(model: &mut Model, ticket: Ticket, rows: Vec<common::record::Record>) {
    let count = rows.len() as u64;
    update(model, Message::Records(ticket, Ok(page(rows, count))));
}

/// Opens the table of `boxes`, begins a record, looks up a `shelf` for it, begins one, looks up a `room` for that, and begins
/// one: three tables lie over each other with a form on each. Saves the room and gives what is then asked for.
fn three_tables() -> (Model, Vec<Effect>) {
    let collections = vec![
        referring("boxes", "shelves"),
        referring("shelves", "rooms"),
        collection("rooms", &json!([{"name": "name", "type": "text"}])),
    ];
    let mut model = signed_in(ada(), collections, (80, 24));
    let effects = press(&mut model, "\n");
    let ticket = request(&effects, "boxes");
    answer(&mut model, ticket, vec![row(11, "box 1"), row(12, "box 2")]);
    press(&mut model, "jn\t");
    let effects = press(&mut model, "^o");
    let ticket = request(&effects, "shelves");
    answer(&mut model, ticket, vec![row(21, "shelf 1")]);
    press(&mut model, "n\t");
    let effects = press(&mut model, "^o");
    let ticket = request(&effects, "rooms");
    answer(&mut model, ticket, vec![row(31, "room 1")]);
    press(&mut model, "nattic");
    let effects = press(&mut model, "^s");
    let [Effect::Create(ticket, ..)] = effects.as_slice() else { panic!("the room is written") };
    let effects = update(&mut model, Message::Saved(*ticket, Ok(row(32, "attic")), None));
    (model, effects)
}

#[test]
fn rows_come_into_the_table_of_their_own_collection_in_whatever_order() {
    let (mut model, effects) = three_tables();
    for name in ["rooms", "shelves", "boxes"] {
        answer(&mut model, request(&effects, name), vec![row(1, &format!("new {name}"))]);
    }
    assert_eq!(names(&model, 1), ["new boxes"]);
    assert_eq!(names(&model, 3), ["new shelves"]);
    assert_eq!(names(&model, 5), ["new rooms"]);
}

#[test]
fn a_table_that_could_not_be_loaded_anew_is_the_one_that_says_so() {
    let (mut model, effects) = three_tables();
    let error = Failure::Call(common::CallError::Unreachable("it took too long".into()));
    update(&mut model, Message::Records(request(&effects, "shelves"), Err(error)));
    assert!(table(&model, 1).load.error.is_none() && table(&model, 5).load.error.is_none());
    assert!(table(&model, 3).load.error.is_some());
}

#[test]
fn a_saved_record_moves_the_cursor_in_its_own_collection_only() {
    let (mut model, effects) = three_tables();
    answer(&mut model, request(&effects, "boxes"), vec![row(10, "box 0"), row(11, "box 1"), row(12, "box 2")]);
    assert_eq!(table(&model, 1).selected, 2, "the cursor stays on box 2");
    answer(&mut model, request(&effects, "rooms"), vec![row(31, "room 1"), row(32, "attic")]);
    assert_eq!(table(&model, 5).selected, 1, "the cursor goes to what was saved");
}

#[test]
fn a_late_answer_about_who_is_signed_in_does_not_make_one_user_another() {
    let (mut model, effects) = Model::new("http://x".into(), false, true, (80, 24));
    let [Effect::Me(late), Effect::Collections(ticket)] = effects.as_slice() else { panic!() };
    update(&mut model, Message::Collections(*ticket, Err(Failure::SignedOut)));
    let effects = press(&mut model, "eve\tsecret\n");
    let [Effect::SignIn(ticket, _)] = effects.as_slice() else { panic!() };
    update(&mut model, Message::SignedIn(*ticket, Ok(user(78, "eve", false))));
    update(&mut model, Message::Me(*late, Ok(user(1, "root", true))));
    assert_eq!(model.user.as_ref().unwrap().username.as_str(), "eve");
    update(&mut model, Message::Me(*late, Err(Failure::SignedOut)));
    assert!(model.sign_in.is_none(), "eve is not asked to sign in again");
}

#[test]
fn a_session_that_is_found_ended_while_signing_out_is_signed_out_all_the_same() {
    let mut model = signed_in(ada(), vec![snacks()], (80, 24));
    let effects = press(&mut model, "ro");
    let [Effect::Collections(list), Effect::SignOut(ticket)] = effects.as_slice() else { panic!() };
    update(&mut model, Message::Collections(*list, Err(Failure::SignedOut)));
    update(&mut model, Message::SignedOut(*ticket, Ok(())));
    assert_eq!(model.sign_in.as_ref().unwrap().reason.as_deref(), Some(words::SIGNED_OUT));
    let effects = press(&mut model, "ada\tsecret\n");
    let [Effect::SignIn(sign_in, _)] = effects.as_slice() else { panic!() };
    update(&mut model, Message::SignedIn(*sign_in, Ok(ada())));
    update(&mut model, Message::SignedOut(*ticket, Ok(())));
    assert!(model.user.is_some() && model.sign_in.is_none(), "the answer came once already");
}

#[test]
fn the_sessions_of_one_user_do_not_come_into_the_table_of_another() {
    let mut model = fixture::users((80, 24));
    let effects = press(&mut model, "ji");
    let [Effect::Sessions(bobs, _)] = effects.as_slice() else { panic!("the sessions of bob are asked for") };
    let effects = press(&mut model, "<ki");
    let Some(Effect::Sessions(adas, _)) = effects.last() else { panic!("the own sessions are asked for") };
    update(&mut model, Message::Records(*bobs, Ok(people(vec![session(9, "bob's", false)]))));
    let Some(Screen::Sessions(sessions)) = model.screens.last() else { panic!() };
    assert!(sessions.list.rows.is_none());
    update(&mut model, Message::Records(*adas, Ok(people(vec![session(1, "ada's", true)]))));
    let Some(Screen::Sessions(sessions)) = model.screens.last() else { panic!() };
    assert_eq!(sessions.list.rows.as_ref().unwrap().len(), 1);
}

#[test]
fn a_record_that_comes_late_is_not_shown_as_another() {
    let rows = vec![row(1, "one"), row(2, "two")];
    let mut model = fixture::table(collection("boxes", &json!([{"name": "name", "type": "text"}])), rows, 2, (80, 24));
    let effects = press(&mut model, "\n");
    let [Effect::Record(first, ..)] = effects.as_slice() else { panic!("the first is read") };
    let effects = press(&mut model, "<j\n");
    let Some(Effect::Record(second, ..)) = effects.last() else { panic!("the second is read") };
    update(&mut model, Message::Record(*second, Ok(row(2, "two, as it is now"))));
    update(&mut model, Message::Record(*first, Ok(row(1, "one, as it is now"))));
    let Some(Screen::Record(detail)) = model.screens.last() else { panic!() };
    assert_eq!(detail.record.get("name"), Some(&json!("two, as it is now")));
}
