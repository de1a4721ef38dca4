//! Tests of lists of changes: how they are opened, go on, are drawn, and put back what is under the cursor.

use std::time::Duration;

use common::{
    activity::Ask,
    change::{Changes, Verb},
    id::Revision,
};
use serde_json::{Value, json};

use super::tests::{SIZES, draw};
use crate::{
    effect::{Effect, SheetAsk},
    fixture::{ada, id, press, signed_in, snack, snacks, table, user},
    load::Ticket,
    message::{Message, SheetTold},
    model::Model,
    update,
};

fn asked(effects: &[Effect]) -> (Ticket, &Ask, bool) {
    match effects {
        [Effect::Sheet(ticket, SheetAsk::Changes(ask, names))] => (*ticket, ask, *names),
        _ => panic!("it asks"),
    }
}

fn changes(next: Option<&str>, rows: &[(u64, &str, Value, Value)]) -> Changes {
    let rows: Vec<Value> = rows
        .iter()
        .map(|(revision, action, before, after)| {
            json!({"revision": revision, "at": "2026-11-28T08:00:07.5Z", "by": id(77), "subject": "record", "id": id(4),
                "collection": "snacks", "action": action, "before": before, "after": after})
        })
        .collect();
    serde_json::from_value(json!({"next": next, "results": rows})).unwrap()
}

fn answer(model: &mut Model, ticket: Ticket, told: Changes) {
    let answer = Ok(SheetTold::Changes(Box::new(told), Vec::new()));
    update(model, Message::Sheet { ticket, answer, took: Duration::ZERO, by_itself: false });
}

#[test]
fn a_records_versions_are_shown_word_by_word_and_one_is_put_back() {
    let mut model = table(snacks(), vec![snack(4, "Popcorn")], 1, (120, 40));
    let effects = press(&mut model, "H");
    let (ticket, Ask::History(name, record, _), false) = asked(&effects) else { panic!() };
    assert_eq!((name.as_str(), record.to_string()), ("snacks", id(4)));
    let rows = [
        (9, "update", json!({"title": "Sweet popcorn"}), json!({"title": "Salty popcorn"})),
        (7, "create", Value::Null, json!({"title": "Sweet popcorn"})),
    ];
    answer(&mut model, ticket, changes(None, &rows));
    for size in [(80, 24), (120, 40), (200, 60)] {
        let screen = draw(&mut model, size);
        for part in ["› history", "2026-11-28 08:00:07", "changed", "version 9", "[-Sweet-]{+Salty+} popcorn", "1 of 2"]
        {
            assert!(screen.contains(part), "{part} at {size:?}:\n{screen}");
        }
    }
    assert!(press(&mut model, "\n").is_empty(), "what is there need not be put back");
    assert!(model.toast.as_ref().unwrap().is_error);
    press(&mut model, "j");
    let effects = press(&mut model, "\n");
    let [Effect::Restore(ticket, _, _, Revision(7))] = effects.as_slice() else { panic!("it is put back") };
    let operation = Some(id(50).parse().unwrap());
    let again = update(
        &mut model,
        Message::Restored(*ticket, Ok(snack(4, "Sweet popcorn")), operation, "snacks".parse().unwrap()),
    );
    asked(&again);
    assert_eq!((model.undo.len(), model.undo[0].title.as_str()), (1, "Sweet popcorn"));
    assert!(matches!(press(&mut model, "u").as_slice(), [Effect::Revert(..)]), "and that can be undone");
}

#[test]
fn the_trash_goes_on_at_its_end_and_who_only_reads_puts_nothing_back() {
    let mut model = table(snacks(), vec![snack(4, "Popcorn")], 1, (80, 24));
    let effects = press(&mut model, "Z");
    let (ticket, Ask::Trash(name, query), _) = asked(&effects) else { panic!() };
    assert_eq!((name.as_str(), query.before), ("snacks", None));
    let gone = |n: u64| (n, "delete", json!({"title": format!("Bag {n}")}), Value::Null);
    answer(&mut model, ticket, changes(Some("http://x/api/records/snacks/trash/?before=8"), &[gone(9), gone(8)]));
    let screen = draw(&mut model, (80, 24));
    assert!(screen.contains("snacks › trash") && screen.contains("\"Bag 9\" in snacks"), "{screen}");
    let effects = press(&mut model, "j");
    let (ticket, Ask::Trash(_, query), _) = asked(&effects) else { panic!("there is more") };
    assert_eq!(query.before, Some(Revision(8)));
    answer(&mut model, ticket, changes(None, &[gone(3)]));
    assert!(draw(&mut model, (80, 24)).contains("2 of 3"));
    model.is_read_only = true;
    assert!(press(&mut model, "\n").is_empty());
    assert_eq!(press(&mut model, "<").len(), 1, "the table is read again");

    let mut model = table(snacks(), vec![snack(4, "Popcorn")], 1, (80, 24));
    let effects = press(&mut model, "Z");
    let (ticket, ..) = asked(&effects);
    answer(&mut model, ticket, changes(None, &[]));
    assert!(draw(&mut model, (80, 24)).contains("The trash is empty"));
}

#[test]
fn the_journal_is_narrowed_by_kind_and_names_are_asked_for_by_admins() {
    let mut model = signed_in(user(1, "ada", true), vec![snacks()], (80, 24));
    let effects = press(&mut model, "A");
    let (ticket, Ask::Activity(query), true) = asked(&effects) else { panic!() };
    assert!(query.is_backward && query.action.is_none());
    answer(&mut model, ticket, changes(None, &[(3, "create", Value::Null, json!({"title": "Bag"}))]));
    let effects = press(&mut model, "lll");
    let last = &effects[effects.len() - 1..];
    let (ticket, Ask::Activity(query), _) = asked(last) else { panic!() };
    assert_eq!(query.action, Some(Verb::Delete));
    answer(&mut model, ticket, changes(None, &[]));
    let screen = draw(&mut model, (80, 24));
    assert!(screen.contains("There are no such changes") && screen.contains("only what was deleted"), "{screen}");
    let mut model = signed_in(ada(), vec![snacks()], (80, 24));
    let effects = press(&mut model, "A");
    assert!(!asked(&effects).2, "others may not ask for users");
    for size in SIZES.into_iter().chain([(200, 60), (21, 8), (36, 9)]) {
        draw(&mut model, size);
    }
}
