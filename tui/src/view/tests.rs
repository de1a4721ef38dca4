//! Tests of the drawing, at several sizes and with awkward data.

use common::{CallError, collection::Collection, record::Record};
use ratatui::{Terminal, backend::TestBackend};
use serde_json::{Value, json};

use crate::{
    effect,
    fixture::{ada, collection, id, page, press, record, snack, snacks, table, user},
    key,
    message::{Failure, Message},
    model::{Model, Screen},
    update, view, width, words,
};

pub(super) const SIZES: [(u16, u16); 8] = [(80, 24), (40, 12), (120, 40), (20, 6), (20, 5), (10, 3), (300, 7), (1, 1)];

/// The screen as text, a line for each row.
pub(super) fn draw(model: &mut Model, size: (u16, u16)) -> String {
    update(model, Message::Resize(size.0, size.1));
    let mut terminal = Terminal::new(TestBackend::new(size.0, size.1)).unwrap();
    terminal.draw(|frame| view(frame, model)).unwrap();
    let buffer = terminal.backend().buffer();
    let mut text = String::new();
    for y in 0..size.1 {
        let mut skip = 0;
        for x in 0..size.0 {
            let symbol = buffer[(x, y)].symbol();
            if skip == 0 {
                text.push_str(symbol);
                skip = width::width(symbol).max(1);
            }
            skip -= 1;
        }
        text.truncate(text.trim_end_matches(' ').len());
        text.push('\n');
    }
    text
}

/// Text that somebody else wrote, in every awkward form.
pub(super) const TRICKY: [&str; 12] = [
    "日本語のとても長い題名がここにあります、まだ続きます",
    "שלום עולם, זה ארוך",
    "مرحبا بالعالم",
    "👩‍👩‍👧‍👦👩🏽‍🚀🏳️‍🌈",
    "../../etc/passwd",
    "C:\\CON\\nul.txt",
    "\u{1b}[2J\u{1b}]52;c;aGk=\u{7}",
    "\u{202e}gnp.exe",
    "a\tb\r\nc",
    "Z̸̡̢̛̗̘͇͔̟̰̦̱̱̤̹̙͎̔̌̄͌a̴lgo",
    "",
    "ﾊﾟﾋﾟﾌﾟ\u{200b}\u{200d}",
];

/// A collection with a hundred columns, and rows that fill them.
fn wide() -> (Collection, Vec<Record>) {
    let fields: Vec<Value> = (0..100).map(|n| json!({"name": format!("column_{n}"), "type": "text"})).collect();
    let rows = (0..12).map(|row| {
        let mut members =
            json!({"id": id(row), "revision": row, "owner": id(77), "updated_at": "2026-11-02T09:30:00Z"});
        for n in 0..100 {
            members[format!("column_{n}")] = json!(TRICKY[(row as usize + n) % TRICKY.len()]);
        }
        record(&members)
    });
    (collection("wide", &json!(fields)), rows.collect())
}

#[test]
fn no_size_and_no_text_breaks_any_screen() {
    let (collection, rows) = wide();
    let mut model = table(collection, rows, 12_345, (80, 24));
    for keys in ["", "llllllllllllllll", "G", "?", "q", "/x\n", "<", "\n", "G", "e", "\t\t\t", "?", "<", "<<"] {
        press(&mut model, keys);
        // Rows that were asked for anew never come; the screens without rows are drawn too.
        for size in SIZES {
            let screen = draw(&mut model, size);
            assert!(!screen.contains('\u{1b}') && !screen.contains('\u{202e}'), "{screen}");
        }
    }
}

#[test]
fn no_size_breaks_a_form_with_every_kind_of_input() {
    let mut record = snack(1, "x");
    record.set("notes", TRICKY.join("\n"));
    record.set("data", json!({"deep": [[1, 2], {"a": TRICKY}]}));
    let mut model = table(snacks(), vec![record], 1, (80, 24));
    press(&mut model, "e");
    for _ in 0..10 {
        for size in SIZES {
            draw(&mut model, size);
        }
        press(&mut model, "\t");
    }
}

#[test]
fn no_size_breaks_the_collection_editor() {
    let mut model = table(snacks(), Vec::new(), 0, (80, 24));
    model.user = Some(user(1, "root", true));
    press(&mut model, "<e");
    let screen = draw(&mut model, (80, 24));
    assert!(screen.contains(" Field 1 *"), "{screen}");
    assert!(screen.contains("   Type *") && screen.contains("snacks › edit"), "{screen}");
    for _ in 0..30 {
        for size in SIZES {
            draw(&mut model, size);
        }
        press(&mut model, "\t");
    }
}

#[test]
fn a_table_shows_rows_columns_and_where_one_is() {
    let rows = vec![snack(1, "Popcorn"), snack(2, "Chips")];
    let mut model = table(snacks(), rows, 10_412, (80, 24));
    let screen = draw(&mut model, (80, 24));
    let lines: Vec<&str> = screen.lines().collect();
    assert!(lines[0].starts_with(" Coffer › snacks"), "{screen}");
    assert!(lines[0].ends_with("ada · http://127.0.0.1:8000"), "{screen}");
    assert!(lines[1].starts_with(" Title    Price  Stock  Size   Tags   Vegan  Baked on"), "{screen}");
    assert!(lines[2].starts_with(" Popcorn   2.50     12  small  sweet  yes    2026-11-01  one two"), "{screen}");
    assert!(lines[22].starts_with(" 1–50 of 10\u{202f}412 · page 1 of 209 · column 1 of 10"), "{screen}");
    assert!(lines[23].ends_with("? help"), "{screen}");
}

#[test]
fn what_a_search_found_is_marked_also_where_it_stands_far_behind() {
    let mut far = snack(2, "Chips");
    far.set("notes", format!("{}corn", "many words ".repeat(9)));
    let mut model = table(snacks(), vec![snack(1, "Popcorn")], 1, (160, 24));
    let effects = press(&mut model, "/corn\n");
    let [effect::Effect::Records(ticket, _, query)] = effects.as_slice() else { panic!("it is searched for") };
    assert!(query.highlight);
    let highlights = json!([{"title": [[3, 7]]}, {"notes": [[99, 103]]}]);
    let found = common::page::Page { highlights, ..page(vec![snack(1, "Popcorn"), far], 2) };
    update(&mut model, Message::Records(*ticket, Ok(found)));
    assert!(draw(&mut model, (160, 24)).contains("…ords many words corn"));
    let mut terminal = Terminal::new(TestBackend::new(160, 24)).unwrap();
    terminal.draw(|frame| view(frame, &model)).unwrap();
    let buffer = terminal.backend().buffer();
    let marked = |cell: &&ratatui::buffer::Cell| {
        cell.modifier.contains(ratatui::style::Modifier::UNDERLINED | ratatui::style::Modifier::BOLD)
    };
    let row = |y: u16| {
        (0..160).map(|x| &buffer[(x, y)]).filter(marked).map(ratatui::buffer::Cell::symbol).collect::<String>()
    };
    assert_eq!((row(3), row(4)), ("corn".to_owned(), "corn".to_owned()), "{buffer:?}");
}

#[test]
fn forty_columns_are_enough() {
    let mut model = table(snacks(), vec![snack(1, "Popcorn")], 1, (40, 12));
    let screen = draw(&mut model, (40, 12));
    assert!(screen.contains("Popcorn") && screen.contains("? help"), "{screen}");
    press(&mut model, "e");
    let screen = draw(&mut model, (40, 12));
    assert!(screen.contains("›Title *\n  Popcorn"), "{screen}");
    assert!(screen.contains("Ctrl-S save") && screen.contains("F1 help"), "{screen}");
}

#[test]
fn the_column_under_the_cursor_is_always_seen() {
    let (collection, rows) = wide();
    let mut model = table(collection, rows, 50, (80, 24));
    for column in 0..=100 {
        for size in [(80, 24), (40, 12), (20, 6)] {
            let screen = draw(&mut model, size);
            let heading = screen.lines().nth(1).unwrap();
            let wanted = if column == 100 { "Updated".to_owned() } else { format!("Column {column}") };
            assert!(heading.contains(&wanted), "{column} at {size:?}:\n{screen}");
        }
        press(&mut model, "l");
    }
}

#[test]
fn wide_text_does_not_shift_its_neighbours() {
    let fields = json!([{"name": "a", "type": "text"}, {"name": "b", "type": "text"}]);
    let rows = TRICKY
        .iter()
        .enumerate()
        .map(|(n, text)| record(&json!({"id": id(u32::try_from(n).unwrap()), "a": text, "b": "|", "updated_at": ""})));
    let mut model = table(collection("odd", &fields), rows.collect(), 12, (40, 20));
    update(&mut model, Message::Resize(40, 20));
    let mut terminal = Terminal::new(TestBackend::new(40, 20)).unwrap();
    terminal.draw(|frame| view(frame, &model)).unwrap();
    let buffer = terminal.backend().buffer();
    let bars: Vec<u16> = (2..14).filter_map(|y| (0..40).find(|x| buffer[(*x, y)].symbol() == "|")).collect();
    assert_eq!(bars.len(), 12);
    assert!(bars.windows(2).all(|pair| pair[0] == pair[1]), "{bars:?}");
}

#[test]
fn a_record_is_shown_whole_and_scrolls_to_its_end() {
    let mut long = snack(1, "Popcorn");
    long.set("notes", (0..200).map(|n| format!("line {n}")).collect::<Vec<_>>().join("\n"));
    long.set("data", json!({"kcal": 380}));
    let mut model = table(snacks(), vec![long], 1, (40, 12));
    press(&mut model, "\n");
    let screen = draw(&mut model, (40, 12));
    let lines: Vec<&str> = screen.lines().map(|line| line.trim_end_matches(['▐', ' '])).collect();
    assert!(lines.windows(2).any(|two| two == [" Title", "   Popcorn"]), "{screen}");
    assert!(screen.lines().nth(1).is_some_and(|line| line.ends_with('▐')), "where it is: {screen}");
    press(&mut model, "G");
    let screen = draw(&mut model, (40, 12));
    assert!(screen.contains("Revision: 1001") && screen.contains("\"kcal\": 380"), "{screen}");
    press(&mut model, "k");
    assert_ne!(draw(&mut model, (40, 12)), screen);
}

#[test]
fn the_help_page_lists_every_key_of_the_place() {
    let mut model = table(snacks(), vec![snack(1, "Popcorn")], 1, (120, 40));
    press(&mut model, "?");
    let screen = draw(&mut model, (120, 60));
    for binding in key::bindings(key::Context::Records) {
        let (_, what) = words::action(binding.action, key::Context::Records);
        assert!(screen.contains(what), "{what} is missing:\n{screen}");
    }
}

#[test]
fn the_input_in_focus_is_seen_with_its_label_in_every_window() {
    let (mut model, effects) = Model::new("http://x".into(), false, false, (80, 24));
    let [effect::Effect::Look(ticket)] = effects.as_slice() else { panic!() };
    let root =
        json!({"name": "Coffer", "version": "1", "setup_required": true, "min_password_length": 15, "links": {}});
    update(&mut model, Message::Root(*ticket, Ok(serde_json::from_value(root).unwrap())));
    for label in ["Code", "Username", "Password"] {
        for size in [(80, 24), (40, 12), (20, 6), (25, 8)] {
            let screen = draw(&mut model, size);
            assert!(screen.contains(&format!("›{label} *")), "{label} at {size:?}:\n{screen}");
        }
        press(&mut model, "\t");
    }
    let mut model = table(snacks(), vec![snack(1, "Popcorn")], 1, (80, 24));
    press(&mut model, "e");
    for field in snacks().fields {
        for size in [(80, 24), (40, 12), (20, 6), (61, 7)] {
            let screen = draw(&mut model, size);
            let label = common::text::label(field.name.as_str());
            assert!(screen.contains(&format!("›{label}")), "{label} at {size:?}:\n{screen}");
        }
        press(&mut model, "\t");
    }
}

#[test]
fn a_password_is_never_shown() {
    let (mut model, _) = Model::new("http://x".into(), true, false, (80, 24));
    press(&mut model, "ada\thunter2 hunter2");
    for size in SIZES {
        assert!(!draw(&mut model, size).contains("hunter2"));
    }
    let screen = draw(&mut model, (80, 24));
    assert!(screen.contains("•••••••••••••••") && screen.contains("not encrypted"), "{screen}");
}

#[test]
fn loading_empty_and_failing_say_what_to_do() {
    let (mut model, effects) = Model::new("http://x".into(), false, true, (80, 24));
    assert!(draw(&mut model, (80, 24)).contains(words::LOADING));
    model.user = Some(ada());
    let Some(effect::Effect::Collections(ticket)) = effects.last() else { panic!() };
    let unreachable = Failure::Call(CallError::Unreachable("nothing answers at this address".into()));
    update(&mut model, Message::Collections(*ticket, Err(unreachable)));
    let screen = draw(&mut model, (80, 24));
    assert!(screen.contains("could not be reached") && screen.contains(words::PRESS_R), "{screen}");

    let mut model = table(snacks(), Vec::new(), 0, (80, 24));
    let screen = draw(&mut model, (80, 24));
    assert!(screen.contains(words::NO_RECORDS) && screen.contains(words::NO_RECORDS_NEXT), "{screen}");
    press(&mut model, "/zzz\n");
    let Some(Screen::Records(records)) = model.screens.last_mut() else { panic!() };
    records.show(page(Vec::new(), 0), &model.tickets.clone());
    let screen = draw(&mut model, (80, 24));
    assert!(screen.contains(words::NO_MATCHES) && screen.contains("/ zzz"), "{screen}");
}

#[test]
fn too_small_a_window_says_so() {
    let mut model = table(snacks(), vec![snack(1, "Popcorn")], 1, (80, 24));
    assert_eq!(draw(&mut model, (16, 3)).lines().next(), Some(words::TOO_SMALL));
    assert!(draw(&mut model, (80, 24)).contains("Popcorn"));
}

#[test]
fn without_colour_nothing_is_coloured_and_nothing_is_missing() {
    use ratatui::style::Color;
    let mut model = table(snacks(), vec![snack(1, "Popcorn")], 1, (80, 24));
    press(&mut model, "n\tx");
    let coloured = draw(&mut model, (80, 24));
    model.theme.colour = false;
    assert_eq!(draw(&mut model, (80, 24)), coloured);
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
    terminal.draw(|frame| view(frame, &model)).unwrap();
    assert!(
        terminal.backend().buffer().content().iter().all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset)
    );
    assert!(coloured.contains("! A valid number is required."), "{coloured}");
}
