//! Tests of joining: what is asked for, how joined rows are shown, and how a join is taken off again and kept.

use common::{collection::Collection, query::ListQuery, record::Record};
use serde_json::{Value, json};

use super::tests::{SIZES, TRICKY, draw};
use crate::{
    effect::Effect,
    fixture::{ada, collection, id, page, press, record, signed_in, snacks},
    load::Ticket,
    message::Message,
    model::{Model, Screen},
    update,
};

fn words(name: &str, other: &str) -> Collection {
    let text = |name| json!({"name": name, "type": "text"});
    collection(name, &json!([text("word"), text(other)]))
}

fn fond(antonyms: &Value) -> Record {
    record(&json!({"id": id(4), "word": "fond", "synonym": "enamored", "owner": id(77), "antonyms": antonyms,
        "updated_at": "2026-11-02T09:30:00Z", "revision": 4}))
}

fn loads(effects: &[Effect]) -> (Ticket, ListQuery) {
    match effects {
        [Effect::Records(ticket, name, query)] if name.as_str() == "synonyms" => (*ticket, query.clone()),
        _ => panic!("the table loads"),
    }
}

/// The table of synonyms, beside antonyms and snacks.
fn synonyms(size: (u16, u16)) -> Model {
    let all = vec![words("synonyms", "synonym"), words("antonyms", "antonym"), snacks()];
    let mut model = signed_in(ada(), all, size);
    let (ticket, _) = loads(&press(&mut model, "\n"));
    update(&mut model, Message::Records(ticket, Ok(page(vec![fond(&Value::Null)], 1))));
    model
}

/// The same, joined with the antonyms.
fn joined(size: (u16, u16), antonyms: &Value) -> Model {
    let mut model = synonyms(size);
    press(&mut model, "J");
    let (ticket, query) = loads(&press(&mut model, "^s"));
    assert_eq!(query.left_join, ["antonyms:word=word".parse().unwrap()]);
    assert!(!query.fields.contains(&"antonyms".to_owned()), "{:?}", query.fields);
    update(&mut model, Message::Records(ticket, Ok(page(vec![fond(antonyms)], 1))));
    model
}

#[test]
fn matching_records_stand_beside_each_row() {
    let mut model = synonyms((80, 24));
    press(&mut model, "J");
    let screen = draw(&mut model, (80, 24));
    for part in
        ["› synonyms › join", "Every row stays", "With", "antonyms", "Where here", "Equals there", "Ctrl-S join"]
    {
        assert!(screen.contains(part), "{part}: {screen}");
    }
    press(&mut model, "<");
    let rows = json!([{"id": id(9), "word": "fond", "antonym": "averse", "revision": 3}, {"id": id(8), "word": "fond", "antonym": "cold"}]);
    let mut model = joined((80, 24), &rows);
    let screen = draw(&mut model, (80, 24));
    assert!(screen.contains("Antonyms") && screen.contains("averse; cold"), "{screen}");
    assert!(!screen.contains("2026-11-02T"), "{screen}");
}

#[test]
fn a_join_is_taken_off_where_it_was_made() {
    let mut model = joined((80, 24), &json!([{"word": "fond", "antonym": "averse"}]));
    // The snacks come first now, since they are not joined yet.
    press(&mut model, "Ja");
    let screen = draw(&mut model, (80, 24));
    assert!(screen.contains("Take it off"), "{screen}");
    let (ticket, query) = loads(&press(&mut model, "\t\t\t ^s"));
    assert!(query.left_join.is_empty());
    update(&mut model, Message::Records(ticket, Ok(page(vec![fond(&Value::Null)], 1))));
    assert!(!draw(&mut model, (80, 24)).contains("Antonyms"));
}

#[test]
fn a_join_stays_when_the_table_is_left_and_goes_into_no_view_and_no_file() {
    let mut model = joined((80, 24), &Value::Null);
    let Some(Screen::Records(table)) = model.screens.last() else { panic!("the table") };
    assert_eq!((table.view_columns().len(), table.exported().len()), (0, 0));
    press(&mut model, "<");
    let (_, query) = loads(&press(&mut model, "\n"));
    assert_eq!(query.left_join.len(), 1);
    let Some(Screen::Records(table)) = model.screens.last() else { panic!("the table") };
    assert!(table.columns.iter().any(|column| column.name == "antonyms"));
}

#[test]
fn going_to_a_joined_column_asks_for_nothing_and_it_sorts_nothing() {
    let mut model = joined((40, 12), &json!([]));
    assert!(press(&mut model, "hl").iter().all(
        |effect| matches!(effect, Effect::Records(_, _, query) if !query.fields.contains(&"antonyms".to_owned()))
    ));
    let Some(Screen::Records(table)) = model.screens.last() else { panic!("the table") };
    assert_eq!(table.columns[table.column].name, "antonyms");
    assert!(press(&mut model, "s").is_empty());
}

#[test]
fn no_joined_text_breaks_the_table() {
    let rows: Vec<Value> = TRICKY.iter().map(|text| json!({"word": "fond", "antonym": text})).collect();
    for rows in [json!(rows), json!([]), json!(null), json!("x"), json!([3])] {
        let mut model = joined((80, 24), &rows);
        for size in SIZES {
            let screen = draw(&mut model, size);
            assert!(!screen.contains(['\u{1b}', '\u{202e}', '\u{7}']), "{size:?}: {screen}");
        }
    }
}
