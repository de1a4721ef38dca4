//! Tests of saved views: how they are drawn, kept, chosen, shared and deleted.

use common::view::View;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use serde_json::{Value, json};

use super::tests::{SIZES, draw};
use crate::{
    effect::{Effect, ViewAsk},
    fixture::{id, press, snack, snacks, table},
    load::Ticket,
    message::Message,
    model::{Model, Screen},
    update,
};

fn view(number: u32, owner: u32, more: Value) -> View {
    let mut view = json!({
        "id": id(number), "name": "Dear", "collection": "snacks", "filter": "price >= 3", "search": "", "ordering": "-price",
        "columns": [{"name": "price", "width": 30}, {"name": "title"}], "plot": null, "shared": false, "owner": id(owner),
        "created_at": "2026-11-28T08:00:00Z", "updated_at": "2026-11-28T08:00:00Z", "revision": 9, "notes": []
    });
    let Value::Object(more) = more else { panic!("members") };
    view.as_object_mut().unwrap().extend(more);
    serde_json::from_value(view).unwrap()
}

fn asked(effects: &[Effect]) -> (Ticket, ViewAsk) {
    match effects {
        [Effect::Views(ticket, name, ask)] if name.as_str() == "snacks" => (*ticket, ask.clone()),
        _ => panic!("it asks about views"),
    }
}

/// The views of the snacks, opened over a table.
fn opened(views: Vec<View>) -> Model {
    let mut model = table(snacks(), vec![snack(4, "Popcorn")], 1, (120, 40));
    let (ticket, ask) = asked(&press(&mut model, "V"));
    assert_eq!(ask, ViewAsk::List);
    update(&mut model, Message::Views(ticket, Ok(views), None));
    model
}

#[test]
fn views_say_what_they_show_and_whose_they_are() {
    let views = vec![
        view(4, 77, json!({})),
        view(5, 77, json!({"name": "Cheap", "shared": true, "notes": ["The field \"cost\" is not there any more."]})),
        view(6, 78, json!({"name": "Otto's", "shared": true})),
    ];
    let mut model = opened(views);
    for size in SIZES {
        draw(&mut model, size);
    }
    let screen = draw(&mut model, (120, 24));
    for part in [
        "› views",
        "Dear",
        "yours",
        "price >= 3 · by -price · 2 columns",
        "you share it",
        "The field \"cost\"",
        "shared",
    ] {
        assert!(screen.contains(part), "{part}:\n{screen}");
    }
    assert!(draw(&mut opened(Vec::new()), (80, 24)).contains("No saved views yet"));
}

#[test]
fn a_view_is_chosen_and_the_table_is_kept_as_another() {
    let mut model = opened(vec![view(4, 77, json!({}))]);
    let effects = press(&mut model, "\n");
    let [Effect::Records(_, _, query)] = effects.as_slice() else { panic!("the table loads") };
    assert_eq!((query.filters.len(), query.ordering[0].to_string().as_str()), (1, "-price"));
    let Some(Screen::Records(shown)) = model.screens.last() else { panic!("the table is seen") };
    let names: Vec<&str> = shown.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!((names, shown.widths.get("price")), (vec!["price", "title"], Some(&30)));
    let screen = draw(&mut model, (80, 24));
    assert!(screen.contains("This is \"Dear\" now."), "{screen}");

    press(&mut model, "V");
    press(&mut model, "n");
    assert_eq!(press(&mut model, "\n").len(), 0, "it has no name yet");
    press(&mut model, "Mine");
    let screen = draw(&mut model, (80, 24));
    assert!(screen.contains("Name  Mine"), "{screen}");
    let (ticket, ViewAsk::Keep(kept)) = asked(&press(&mut model, "\n")) else { panic!("it is kept") };
    assert_eq!((kept.name.as_str(), kept.filter.as_str(), kept.ordering.as_str()), ("Mine", "price >= 3", "-price"));
    assert_eq!((kept.columns.len(), kept.columns[0].width), (2, Some(30)));
    let made = view(9, 77, json!({"name": "Mine"}));
    update(&mut model, Message::Views(ticket, Ok(vec![view(4, 77, json!({})), made.clone()]), Some(made.id)));
    let Some(Screen::Views(views)) = model.screens.last() else { panic!("they are seen") };
    assert_eq!(views.current(), Some(&made));
}

#[test]
fn ones_own_views_are_renamed_shared_and_deleted_when_asked_twice() {
    let mut model = opened(vec![view(4, 77, json!({})), view(6, 78, json!({"shared": true}))]);
    press(&mut model, "e");
    press(&mut model, "er");
    let (ticket, ViewAsk::Change(_, members)) = asked(&press(&mut model, "\n")) else { panic!("it is renamed") };
    assert_eq!(Value::Object(members), json!({"name": "Dearer"}));
    update(
        &mut model,
        Message::Views(ticket, Ok(vec![view(4, 77, json!({})), view(6, 78, json!({"shared": true}))]), None),
    );
    let (_, ViewAsk::Change(_, members)) = asked(&press(&mut model, "s")) else { panic!("it is shared") };
    assert_eq!(Value::Object(members), json!({"shared": true}));
    let (_, ViewAsk::Change(_, members)) = asked(&press(&mut model, "w")) else { panic!("it shows what is shown") };
    assert_eq!(Value::Object(members), json!({"filter": "", "search": "", "ordering": "", "columns": []}));
    assert!(press(&mut model, "d").is_empty(), "it asks first");
    assert!(draw(&mut model, (80, 24)).contains("Press d again"));
    let (_, ViewAsk::Delete(_)) = asked(&press(&mut model, "d")) else { panic!("it goes") };
    press(&mut model, "j");
    assert!(press(&mut model, "d").is_empty() && press(&mut model, "d").is_empty(), "it is not ada's");
    assert!(draw(&mut model, (80, 24)).contains("Only who keeps this view"));
}

#[test]
fn columns_become_narrower_and_wider_and_stay_so() {
    let mut model = table(snacks(), vec![snack(4, "Popcorn")], 1, (120, 40));
    draw(&mut model, (120, 24));
    press(&mut model, ">>");
    update(&mut model, Message::Key(KeyEvent::new(KeyCode::Char('<'), KeyModifiers::NONE)));
    let Some(Screen::Records(shown)) = model.screens.last() else { panic!("a table") };
    assert_eq!(shown.widths.get("title"), Some(&11));
    let kept = shown.keep();
    press(&mut model, "C");
    let Some(Screen::Records(shown)) = model.screens.last_mut() else { panic!("a table") };
    assert!(shown.widths.is_empty());
    shown.restore(&kept);
    assert_eq!(shown.widths.get("title"), Some(&11));
}
