//! Chosen rows, and files out and in: in a usual window, in small ones, and with awkward data.

use ratatui::{Terminal, backend::TestBackend, style::Modifier};
use serde_json::{Value, json};

use super::tests::{SIZES, TRICKY, draw};
use crate::{
    effect::Effect,
    fixture::{checked, id, import, import_operation, press, snack, snacks, table, user},
    many::Checked,
    message::Message,
    model::{Model, Screen},
    screen::{Ended, ImportScreen, Stage},
    update, view,
};

const USUAL: (u16, u16) = (80, 24);

fn three() -> Model {
    let rows = ["Popcorn", "Chips", "Nuts"].into_iter().zip(1..).map(|(name, number)| snack(number, name)).collect();
    let mut model = table(snacks(), rows, 3, USUAL);
    model.user = Some(user(1, "ada", true));
    model
}

fn with(stage: Stage) -> Model {
    let mut model = three();
    let mut screen = ImportScreen::new(snacks());
    screen.stage = stage;
    model.screens.push(Screen::Import(Box::new(screen)));
    model
}

fn looked(checked: Checked) -> Model {
    let mut model = three();
    let effects = press(&mut model, "mgoods.csv^s");
    let [Effect::Check(ticket, _)] = effects.as_slice() else { panic!("a file is checked") };
    update(&mut model, Message::Checked(*ticket, Box::new(checked)));
    model
}

#[test]
fn chosen_rows_are_marked_counted_and_have_keys_of_their_own() {
    let mut model = three();
    press(&mut model, "xjjX");
    let screen = draw(&mut model, USUAL);
    assert_eq!(screen.matches('✓').count(), 3, "{screen}");
    assert!(screen.contains("3 rows chosen · 1–3 of 3"), "{screen}");
    for hint in ["x choose", "X up to", "a all", "e change", "d delete", "w write", "Esc none"] {
        assert!(screen.contains(hint), "{hint}: {screen}");
    }
    // Not by colour alone, and in ASCII too.
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
    model.theme.colour = false;
    terminal.draw(|frame| view(frame, &model)).unwrap();
    let buffer = terminal.backend().buffer();
    assert!((2..5).all(|row| buffer[(2, row)].modifier.contains(Modifier::BOLD)));
    model.theme.ascii = true;
    assert!(draw(&mut model, USUAL).is_ascii());
    assert_eq!(draw(&mut model, USUAL).matches('*').count(), 3);
}

#[test]
fn what_is_in_a_file_is_shown_with_its_faults_and_where_its_columns_go() {
    let faults = json!([{"row": 1234, "field": "price", "code": "invalid", "message": "A valid number is required."},
        {"row": 1235, "field": "non_field_errors", "code": "invalid", "message": "There are more cells than headings. Is the delimiter right, and does every text with one in it stand in quotation marks?"}]);
    let mut model = looked(checked(&json!({"rejected": 7, "created": 2, "faults": faults}), &[]));
    let screen = draw(&mut model, USUAL);
    for part in [
        "goods.csv · 64 B · CSV, UTF-8, “;” between cells",
        "3 rows: 2 would be made, 7 do not fit.",
        "! As it is, nothing would be written.",
        "1\u{202f}234  Price    A valid number is required.",
        "the row  There are more cells",
        "These are the first of them.",
        "Title → Title (text)  Mais",
        "Wort  → left out",
        "Esc back",
    ] {
        assert!(screen.contains(part), "{part}: {screen}");
    }
    assert!(!screen.contains("Enter go on"), "{screen}");
    let screen = draw(&mut looked(checked(&json!({}), &[])), USUAL);
    assert!(screen.contains("Enter imports 3 rows.") && screen.contains("Enter go on"), "{screen}");
}

#[test]
fn how_far_an_import_is_is_seen_on_its_screen_and_below_other_ones() {
    let mut model = with(Stage::UnderWay(id(70).parse().unwrap(), Some(import_operation(&json!({})))));
    let screen = draw(&mut model, USUAL);
    assert!(screen.contains("4\u{202f}000 of 20\u{202f}000 rows") && screen.contains("██████████"), "{screen}");
    assert!(screen.contains("d stop") && screen.contains("Esc leaves it going on"), "{screen}");
    let mut model = three();
    model.imports.push(crate::model::Import {
        collection: "snacks".parse().unwrap(),
        operation: id(70).parse().unwrap(),
        ticket: model.tickets.next(),
        last: Some(import_operation(&json!({}))),
    });
    let screen = draw(&mut model, USUAL);
    assert!(screen.contains("importing into snacks: 4\u{202f}000 of 20\u{202f}000 rows"), "{screen}");
    let ended = Ended {
        title: "The import failed, and was taken back.",
        error: Some("Something was changed meanwhile.".into()),
        import: Some(import(&json!({"created": 0}))),
        operation: None,
    };
    let screen = draw(&mut with(Stage::Over(Box::new(ended))), USUAL);
    assert!(screen.contains("taken back.") && screen.contains("Something was changed meanwhile."), "{screen}");
}

#[test]
fn no_size_and_no_text_breaks_what_is_shown_of_files() {
    let columns: Vec<Value> = TRICKY
        .iter()
        .map(|text| json!({"heading": text, "member": if text.is_empty() { Value::Null } else { json!("title") }}))
        .collect();
    let faults: Vec<Value> = TRICKY
        .iter()
        .map(|text| json!({"row": 3, "field": text, "code": "invalid", "message": text.repeat(9)}))
        .collect();
    let read = json!({"format": "csv", "encoding": "UTF-16LE", "delimiter": "\t", "columns": columns});
    let mut told = checked(&json!({"rejected": 12, "faults": faults, "read": read}), &[]);
    told.preview.rows = vec![TRICKY.map(str::to_owned).to_vec(); 8];
    for keys in ["", "<", "?", "^s"] {
        let mut model = looked(told.clone());
        press(&mut model, keys);
        for size in SIZES {
            let screen = draw(&mut model, size);
            assert!(!screen.contains('\u{1b}') && !screen.contains('\u{202e}'), "{screen}");
        }
    }
    for keys in ["xe", "xjXw", "ad", "m"] {
        let mut model = three();
        press(&mut model, keys);
        for size in SIZES {
            draw(&mut model, size);
        }
    }
}
