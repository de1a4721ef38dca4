//! The picture of the client in the README is what the client draws today. Where it is not, this test says how to draw it
//! anew.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

#[path = "picture/svg.rs"]
mod svg;

use std::{env, fs, path::Path};

use coffer_tui::{Message, Model, effect::Effect, message::Deleted, update, view};
use common::{collection::Collection, page::Page, record::Record};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::{Terminal, backend::TestBackend};
use serde_json::{Value, json};

/// Asks for the picture to be written instead of compared.
const WRITE: &str = "COFFER_WRITE_PICTURES";
const SIZE: (u16, u16) = (84, 22);

/// The demo's vegan snacks, the dearest first.
const SNACKS: [(&str, &str, &str, u32, &str); 16] = [
    ("Halva", "sweet", "3.90", 469, "Sesame."),
    ("Olives", "savoury", "3.80", 145, "Green, with the stones in."),
    ("Almonds", "salty", "3.70", 579, ""),
    ("Dark chocolate", "sweet", "3.40", 598, "70 % cocoa."),
    ("Turkish delight", "sweet", "3.30", 372, "Rose."),
    ("Dried mango", "sweet", "3.20", 319, ""),
    ("Nachos", "salty", "3.10", 497, ""),
    ("Wasabi peas", "savoury", "2.90", 432, "One at a time."),
    ("Mochi", "sweet", "2.80", 240, "Red bean."),
    ("Seaweed", "savoury", "2.60", 306, "Roasted sheets."),
    ("Popcorn", "salty", "2.50", 387, "Best while it is warm."),
    ("Pickled plum", "sour", "2.40", 97, "Umeboshi."),
    ("Rice cracker", "salty", "2.10", 387, ""),
    ("Crisps", "salty", "1.90", 536, "Salt and vinegar."),
    ("Peanuts", "salty", "1.50", 567, "Roasted, in the shell."),
    ("Pretzel", "salty", "1.20", 380, "The knot is older than the recipe."),
];

fn id(number: usize) -> String {
    format!("01920000-0000-7000-8000-{number:012}")
}

fn snacks() -> Collection {
    serde_json::from_value(json!({
        "id": id(0), "name": "snacks", "description": "Something to eat between meals.", "count": 24,
        "fields": [
            {"name": "title", "type": "text", "required": true}, {"name": "kind", "type": "choice", "choices": []},
            {"name": "price", "type": "decimal", "places": 2}, {"name": "kilocalories", "type": "integer"},
            {"name": "vegan", "type": "boolean"}, {"name": "note", "type": "text", "multiline": true}
        ],
        "access": {"list": [], "view": [], "create": [], "update": [], "delete": []},
        "created_at": "", "updated_at": "", "revision": 1
    }))
    .unwrap()
}

fn rows() -> Vec<Record> {
    let row = |(number, (title, kind, price, kilocalories, note)): (usize, &(&str, &str, &str, u32, &str))| {
        let row: Value = json!({
            "id": id(number), "title": title, "kind": kind, "price": price, "kilocalories": kilocalories, "vegan": true,
            "note": note, "updated_at": "2026-11-22T16:04:00Z", "revision": number
        });
        Record::from_object(row.as_object().cloned().unwrap())
    };
    SNACKS.iter().enumerate().map(row).collect()
}

fn press(model: &mut Model, keys: &str) -> Vec<Effect> {
    let keys = keys.chars().map(|c| if c == '\n' { KeyCode::Enter } else { KeyCode::Char(c) });
    keys.flat_map(|code| update(model, Message::Key(KeyEvent::new(code, KeyModifiers::NONE)))).collect()
}

/// A table that is filtered and sorted, just after a deletion.
fn model() -> Model {
    let (mut model, effects) = Model::new("https://coffer.example.org".into(), false, true, SIZE);
    let user = json!({
        "id": id(7), "username": "ada", "roles": [], "is_admin": true, "is_active": true, "created_at": "", "last_login": null
    });
    let [Effect::Me(me), Effect::Collections(ticket)] = effects.as_slice() else { panic!("collections are loaded") };
    update(&mut model, Message::Me(*me, Ok(serde_json::from_value(user).unwrap())));
    update(&mut model, Message::Collections(*ticket, Ok(vec![snacks()])));
    model.screens.truncate(1);
    let show = |model: &mut Model, effects: &[Effect]| {
        let Some(Effect::Records(ticket, ..)) = effects.last() else { panic!("records are loaded") };
        let page = Page { count: 16, ..Page::single(rows()) };
        update(model, Message::Records(*ticket, Ok(page)));
    };
    for keys in ["\n", "/vegan=true\n", "lls", "s"] {
        let effects = press(&mut model, keys);
        show(&mut model, &effects);
    }
    press(&mut model, "jjjjj");
    let ticket = model.begin_write();
    let deleted = Deleted {
        collection: "snacks".parse().unwrap(),
        id: id(99).parse().unwrap(),
        revision: common::id::Revision(1),
        title: "Lemon drops".into(),
    };
    let effects = update(&mut model, Message::Deleted(ticket, deleted, Ok(Some(id(98).parse().unwrap()))));
    show(&mut model, &effects);
    model
}

#[test]
fn the_picture_in_the_readme_is_what_is_drawn_today() {
    let mut terminal = Terminal::new(TestBackend::new(SIZE.0, SIZE.1)).unwrap();
    let model = model();
    terminal.draw(|frame| view(frame, &model)).unwrap();
    let drawn = svg::picture(terminal.backend().buffer(), "A table of snacks in the terminal client");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/images/tui.svg");
    if env::var_os(WRITE).is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &drawn).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == drawn,
        "the client looks different now: run {WRITE}=1 cargo test -p coffer-tui --test picture, and look at docs/images/tui.svg"
    );
}
