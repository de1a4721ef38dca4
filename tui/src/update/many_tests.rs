//! Many records at once: rows are chosen, what would happen is said before it is done, and files go out and come in.

use common::{
    CallError, Problem,
    many::Many,
    problem::{FieldError, FieldErrors},
    query::{Query as _, encode},
};
use serde_json::json;

use crate::{
    effect::Effect,
    fixture::{
        ada, checked, id, import, import_operation as operation, page, press, signed_in, snack, snacks, table, user,
    },
    key::Context,
    load::Ticket,
    many::{Checked, ExportTo, FileFault, Incoming, ManyAct},
    message::{Failure, Message},
    model::{LastLocation, Model, Screen},
    screen::{ImportScreen, Stage},
    update,
};

fn toast(model: &Model) -> &str {
    model.toast.as_ref().map_or("", |toast| &toast.text)
}

/// An admin's table of five snacks, of so many.
fn five(count: u64) -> Model {
    let names = ["Popcorn", "Chips", "Nuts", "Corn", "Bars"];
    let rows = names.into_iter().zip(1..).map(|(name, number)| snack(number, name)).collect();
    let mut model = table(snacks(), rows, count, (80, 24));
    model.user = Some(user(1, "ada", true));
    model
}

fn many(own: u64, action: &str) -> Many {
    let counts = json!([{"subject": "record", "collection": "snacks", "action": action, "count": own}]);
    serde_json::from_value(json!({"count": own, "counts": counts, "dry_run": true})).unwrap()
}

fn act(effects: &[Effect]) -> (Ticket, ManyAct) {
    match effects {
        [Effect::Many(ticket, act)] => (*ticket, (**act).clone()),
        _ => panic!("many records are asked about"),
    }
}

fn query(act: &ManyAct) -> String {
    encode(&act.query.to_pairs())
}

#[test]
fn rows_are_chosen_one_by_one_in_ranges_and_all_and_forgotten_under_another_filter() {
    let mut model = five(1234);
    press(&mut model, "xjjX");
    assert_eq!(model.context(), Context::Chosen);
    let chosen = |model: &Model| match model.screens.last() {
        Some(Screen::Records(table)) => (table.selection.count(), table.selection.is_all()),
        _ => panic!("a table is open"),
    };
    assert_eq!(chosen(&model), (3, false));
    press(&mut model, "x");
    assert_eq!(chosen(&model), (2, false));
    press(&mut model, "a");
    assert_eq!(chosen(&model), (1234, true));
    press(&mut model, "a");
    assert_eq!((chosen(&model), model.context()), ((0, false), Context::Records));
    press(&mut model, "x<");
    assert_eq!(model.context(), Context::Records);
    press(&mut model, "x/corn\n");
    assert_eq!(chosen(&model), (0, false));
    // Nobody chooses where one is to be found for a form.
    if let Screen::Records(table) = model.top() {
        table.is_look_up = true;
    }
    press(&mut model, "xa");
    assert_eq!(chosen(&model), (0, false));
}

#[test]
fn chosen_rows_are_deleted_after_it_was_said_what_would_go_and_come_back_as_one() {
    let mut model = five(5);
    let (ticket, asked) =
        act(&press(&mut model, "xjX").iter().cloned().chain(press(&mut model, "d")).collect::<Vec<_>>());
    assert_eq!(query(&asked), format!("id__in={}%2C{}&max=2&dry_run=true", id(1), id(2)));
    assert!(asked.change.is_none());
    // What was typed before the answer is no answer to it.
    press(&mut model, "d");
    update(&mut model, Message::Many(ticket, Box::new(asked.clone()), Ok(many(2, "delete")), None));
    let told =
        "2 records in Snacks would be deleted. It is one operation, and can be undone as one. Press d again to delete.";
    assert_eq!(toast(&model), told);
    // Any other key lets it be; then it is asked anew.
    press(&mut model, "j");
    let (ticket, again) = act(&press(&mut model, "d"));
    assert!(again.query.dry_run);
    update(&mut model, Message::Many(ticket, Box::new(again), Ok(many(2, "delete")), None));
    let (ticket, meant) = act(&press(&mut model, "d"));
    assert!(!meant.query.dry_run);
    let operation = id(70).parse().unwrap();
    let effects = update(&mut model, Message::Many(ticket, Box::new(meant), Ok(many(2, "delete")), Some(operation)));
    assert!(matches!(effects.as_slice(), [Effect::Records(..)]));
    assert_eq!((toast(&model), model.context()), ("Deleted 2 records. Press u to undo.", Context::Records));
    let effects = press(&mut model, "u");
    assert!(matches!(effects.as_slice(), [Effect::Revert(_, undo)] if undo.operation == operation));
}

#[test]
fn a_field_of_all_that_match_is_changed_after_it_was_said_what_would_happen() {
    let mut model = five(1234);
    press(&mut model, "/stock>3\n");
    let Some(Screen::Records(table)) = model.screens.last_mut() else { panic!() };
    let (rows, ticket) = (
        vec![snack(1, "Popcorn")],
        match table.load(&model.tickets) {
            Effect::Records(ticket, ..) => ticket,
            _ => panic!(),
        },
    );
    update(&mut model, Message::Records(ticket, Ok(page(rows, 700))));
    press(&mut model, "ae");
    assert_eq!(model.context(), Context::Choice);
    // The third field, by the key for the next choice.
    update(&mut model, key(crossterm::event::KeyCode::Right));
    update(&mut model, key(crossterm::event::KeyCode::Right));
    press(&mut model, "\t12");
    let (ticket, asked) = act(&press(&mut model, "^s"));
    assert_eq!(query(&asked), "stock__gt=3&max=700&dry_run=true");
    assert_eq!(json!(asked.change), json!({"stock": 12}));
    update(&mut model, Message::Many(ticket, Box::new(asked), Ok(many(650, "update")), None));
    let Some(Screen::Change(form)) = model.screens.last() else { panic!("the form stays open") };
    assert!(
        form.notice().starts_with("650 records in Snacks would be changed. It is one operation"),
        "{}",
        form.notice()
    );
    // Another value is asked about anew.
    let (ticket, asked) = act(&press(&mut model, "3^s"));
    assert!(asked.query.dry_run && json!(asked.change) == json!({"stock": 123}));
    update(&mut model, Message::Many(ticket, Box::new(asked), Ok(many(650, "update")), None));
    let (ticket, meant) = act(&press(&mut model, "^s"));
    assert!(!meant.query.dry_run);
    update(&mut model, Message::Many(ticket, Box::new(meant), Ok(many(650, "update")), None));
    assert!(matches!(model.screens.last(), Some(Screen::Records(table)) if table.selection.is_empty()));
    assert_eq!(toast(&model), "Changed 650 records.");
}

#[test]
fn what_is_refused_is_said_in_the_form_and_nothing_typed_is_lost() {
    let mut model = five(5);
    press(&mut model, "xe\tPop");
    let (ticket, asked) = act(&press(&mut model, "^s"));
    let errors = FieldErrors::of("title", FieldError::new("unique", "This field must be unique."));
    let failure = Failure::Call(CallError::Problem(Box::new(Problem::taken(errors))));
    update(&mut model, Message::Many(ticket, Box::new(asked), Err(failure), None));
    let Some(Screen::Change(form)) = model.screens.last() else { panic!("the form stays open") };
    assert_eq!(form.state.form.errors, ["Title: This field must be unique."]);
    assert_eq!(form.state.form.inputs[1].text, "Pop");
    // Nothing is no value; to empty the field is said.
    let mut model = five(5);
    press(&mut model, "xe\t");
    assert!(press(&mut model, "^s").is_empty());
    press(&mut model, "\t y");
    let (_, asked) = act(&press(&mut model, "^s"));
    assert_eq!(json!(asked.change), json!({"title": ""}));
}

#[test]
fn more_than_can_be_done_at_once_and_what_one_may_not_do_is_said_at_once() {
    let mut model = five(10_001);
    for keys in ["ae", "d"] {
        assert!(press(&mut model, keys).is_empty());
        assert!(toast(&model).starts_with("At most 10\u{202f}000 records"), "{}", toast(&model));
    }
    let mut readers = snacks();
    readers.access.update = serde_json::from_value(json!(["admin"])).unwrap_or_default();
    readers.access.create = readers.access.update.clone();
    let mut model = table(readers, vec![snack(1, "Popcorn")], 1, (80, 24));
    press(&mut model, "xe");
    assert_eq!(toast(&model), "You may not change records here. Ask an admin if you should.");
    press(&mut model, "<m");
    assert!(toast(&model).starts_with("You may not create records here."), "{}", toast(&model));
    let mut model = five(5);
    model.is_read_only = true;
    assert!(press(&mut model, "xd").is_empty() && press(&mut model, "m").is_empty());
}

fn key(code: crossterm::event::KeyCode) -> Message {
    Message::Key(crossterm::event::KeyEvent::new(code, crossterm::event::KeyModifiers::NONE))
}

fn export(effects: &[Effect]) -> (Ticket, ExportTo) {
    match effects {
        [Effect::Export(ticket, to)] => (*ticket, (**to).clone()),
        _ => panic!("a file is written"),
    }
}

#[test]
fn chosen_rows_and_tables_go_into_a_file_of_the_format_that_was_chosen() {
    let mut model = five(5);
    let effects = press(&mut model, "s");
    let [Effect::Records(ticket, ..)] = effects.as_slice() else { panic!("it is sorted") };
    update(&mut model, Message::Records(*ticket, Ok(page(vec![snack(1, "Popcorn")], 1))));
    press(&mut model, "w");
    let (ticket, to) = export(&press(&mut model, "^s"));
    assert_eq!(
        (encode(&to.query.to_pairs()).as_str(), to.file.to_str()),
        ("ordering=title&format=csv", Some("snacks.csv"))
    );
    // One of this name is not replaced before that was said.
    update(&mut model, Message::Exported(ticket, to.file, Err(FileFault::IsThere)));
    let Some(Screen::Export(form)) = model.screens.last() else { panic!("the form stays open") };
    assert!(form.state.form.inputs[1].errors[0].starts_with("There is a file of this name."));
    let (ticket, to) = export(&press(&mut model, "^s"));
    assert!(to.replaces);
    // It is written while other things are done.
    press(&mut model, "<");
    assert!(matches!(model.screens.last(), Some(Screen::Records(_))));
    update(&mut model, Message::Exported(ticket, to.file, Ok(1234)));
    assert_eq!(toast(&model), "Wrote snacks.csv (1.2 kB).");

    press(&mut model, "xw");
    update(&mut model, key(crossterm::event::KeyCode::Right));
    let Some(Screen::Export(form)) = model.screens.last() else { panic!() };
    assert_eq!(
        (form.notice(), form.state.form.inputs[1].text.as_str()),
        ("The chosen rows.", "snacks.spreadsheet.csv")
    );
    let (ticket, to) = export(&press(&mut model, "\t2^s"));
    assert_eq!(encode(&to.query.to_pairs()), format!("id__in={}&ordering=title&format=csv&for=spreadsheet", id(1)));
    assert_eq!(to.file.to_str(), Some("snacks.spreadsheet.csv2"));
    update(&mut model, Message::Exported(ticket, to.file, Ok(10)));
    assert!(matches!(model.screens.last(), Some(Screen::Records(_))));
}

fn screen(model: &Model) -> &ImportScreen {
    match model.screens.last() {
        Some(Screen::Import(screen)) => screen,
        _ => panic!("no import is open"),
    }
}

fn incoming(effects: &[Effect]) -> (Ticket, Incoming) {
    match effects {
        [Effect::Check(ticket, incoming) | Effect::Import(ticket, incoming)] => (*ticket, (**incoming).clone()),
        _ => panic!("a file is sent"),
    }
}

/// Opens the import and has a file checked, which came to this.
fn check(model: &mut Model, keys: &str, told: Checked) -> Incoming {
    let (ticket, sent) = incoming(&press(model, keys));
    update(model, Message::Checked(ticket, Box::new(told)));
    sent
}

#[test]
fn a_file_is_checked_shown_and_sent_and_undone_as_one() {
    let mut model = five(5);
    let sent = check(&mut model, "mgoods.csv^s", checked(&json!({}), &["Wort"]));
    assert_eq!(sent.file.to_str(), Some("goods.csv"));
    assert_eq!((model.context(), screen(&model).ready()), (Context::Import, Some(3)));
    // A column goes into another field: it is checked anew.
    press(&mut model, "<");
    let at = screen(&model).state.form.inputs.iter().position(|input| input.label == "Wort").unwrap();
    if let Screen::Import(screen) = model.top() {
        screen.state.go_to(at);
    }
    update(&mut model, key(crossterm::event::KeyCode::Right));
    let (ticket, sent) = incoming(&press(&mut model, "^s"));
    assert_eq!(encode(&sent.query.to_pairs()), "map=Wort%3Dtitle");
    update(&mut model, Message::Checked(ticket, Box::new(checked(&json!({}), &[]))));
    let (ticket, sent) = incoming(&press(&mut model, "\n"));
    assert_eq!(sent.after, None);
    let done = import(&json!({"operation": id(70), "dry_run": false}));
    let effects = update(&mut model, Message::Imported(ticket, "snacks".parse().unwrap(), Box::new(Ok((done, false)))));
    assert!(matches!(effects.as_slice(), [Effect::Records(..)]));
    assert!(matches!(screen(&model).stage, Stage::Over(_)));
    assert_eq!(toast(&model), "The file is in. Press u to undo.");
    let effects = press(&mut model, "u");
    assert!(matches!(effects.as_slice(), [Effect::Revert(_, undo)] if undo.operation.to_string() == id(70)));
}

#[test]
fn a_file_that_does_not_fit_is_not_sent_unless_its_rows_are_left_out() {
    let faults = json!([{"row": 3, "field": "price", "code": "invalid", "message": "A valid number is required."}]);
    let misfit = json!({"rejected": 1, "created": 2, "faults": faults});
    let mut model = five(5);
    check(&mut model, "mgoods.csv^s", checked(&misfit, &[]));
    assert!(press(&mut model, "\n").is_empty());
    assert!(toast(&model).starts_with("As it is, nothing would be written."));
    press(&mut model, "<");
    let at = screen(&model).state.form.inputs.iter().position(|input| input.label.starts_with("Leave out")).unwrap();
    if let Screen::Import(screen) = model.top() {
        screen.state.go_to(at);
    }
    press(&mut model, " ");
    let (ticket, _) = incoming(&press(&mut model, "^s"));
    update(&mut model, Message::Checked(ticket, Box::new(checked(&misfit, &[]))));
    let (ticket, sent) = incoming(&press(&mut model, "\n"));
    assert_eq!(encode(&sent.query.to_pairs()), "on_error=skip");
    let mut done = misfit.clone();
    (done["operation"], done["dry_run"]) = (json!(id(70)), json!(false));
    update(&mut model, Message::Imported(ticket, "snacks".parse().unwrap(), Box::new(Ok((import(&done), false)))));
    let effects = press(&mut model, "w");
    assert!(
        matches!(effects.as_slice(), [Effect::Rejected(_, _, file)] if file.to_str() == Some("snacks.rejected.csv"))
    );
    press(&mut model, "\n");
    assert!(matches!(model.screens.last(), Some(Screen::Records(_))));
}

#[test]
fn the_same_file_is_sent_again_only_where_that_is_said() {
    let mut model = five(5);
    check(&mut model, "mgoods.csv^s", checked(&json!({}), &[]));
    let (ticket, _) = incoming(&press(&mut model, "\n"));
    let before = import(&json!({"operation": id(70), "dry_run": false}));
    update(&mut model, Message::Imported(ticket, "snacks".parse().unwrap(), Box::new(Ok((before, true)))));
    assert!(screen(&model).state.form.errors[0].starts_with("This file was imported at 2026-11-02 09:30"));
    assert!(model.undo.is_empty());
    check(&mut model, "^s", checked(&json!({}), &[]));
    let (ticket, sent) = incoming(&press(&mut model, "\n"));
    assert_eq!(sent.after.as_deref(), Some("2026-11-02T09:30:00Z"));
    // No answer came, so it is sent again, as the same.
    let lost = Err(FileFault::Local("no answer".into()));
    update(&mut model, Message::Imported(ticket, "snacks".parse().unwrap(), Box::new(lost)));
    check(&mut model, "^s", checked(&json!({}), &[]));
    assert_eq!(incoming(&press(&mut model, "\n")).1.after, sent.after);
}

fn read(place: &[u8]) -> LastLocation {
    serde_json::from_slice(place).unwrap()
}

/// A large file is in the background.
fn under_way() -> (Model, Ticket) {
    let mut model = five(5);
    check(&mut model, "mgoods.csv^s", checked(&json!({"rows": 20_000, "created": 20_000}), &[]));
    let (ticket, _) = incoming(&press(&mut model, "\n"));
    let begun = import(&json!({"operation": id(70), "dry_run": false, "state": "running", "created": 0}));
    let effects =
        update(&mut model, Message::Imported(ticket, "snacks".parse().unwrap(), Box::new(Ok((begun, false)))));
    let [Effect::ImportProgress(ticket, _), Effect::KeepPlace(place)] = effects.as_slice() else {
        panic!("it is followed, and kept for the next start")
    };
    assert_eq!(read(place).imports.len(), 1);
    (model, *ticket)
}

#[test]
fn a_large_file_is_followed_while_other_things_are_done_and_seen_again() {
    let (mut model, ticket) = under_way();
    // It goes on when it is left, and is opened again by the same key.
    press(&mut model, "<");
    let effects = update(&mut model, Message::ImportProgress(ticket, Ok(operation(&json!({})))));
    let [Effect::ImportProgress(ticket, _)] = effects.as_slice() else { panic!("it is asked for again") };
    press(&mut model, "m");
    assert!(matches!(&screen(&model).stage, Stage::UnderWay(_, Some(last)) if last.done == 4000));
    assert!(matches!(press(&mut model, "d").as_slice(), [Effect::StopImport(..)]));
    press(&mut model, "<");
    let stopped = operation(&json!({"state": "stopped", "error": "What was written was taken back.",
        "import": import(&json!({"created": 0, "dry_run": false}))}));
    let effects = update(&mut model, Message::ImportProgress(*ticket, Ok(stopped)));
    assert_eq!(toast(&model), "Import into Snacks: The import was stopped, and taken back.");
    assert!(model.imports.is_empty() && model.undo.is_empty());
    assert!(effects.iter().any(|effect| matches!(effect, Effect::KeepPlace(place) if read(place).imports.is_empty())));
    press(&mut model, "m");
    assert!(screen(&model).is_form());
}

#[test]
fn an_import_that_went_on_while_the_app_was_closed_is_shown_at_its_next_start() {
    let place = under_way().0.place().unwrap();
    let kept: LastLocation = serde_json::from_slice(&serde_json::to_vec(&place).unwrap()).unwrap();
    let (mut model, effects) = Model::new("http://x".into(), false, true, (80, 24));
    model.reopen = Some(kept);
    let [Effect::Me(me), Effect::Collections(ticket)] = effects.as_slice() else { panic!() };
    update(&mut model, Message::Me(*me, Ok(user(1, "ada", true))));
    let effects = update(&mut model, Message::Collections(*ticket, Ok(vec![snacks()])));
    let asked = effects.iter().find_map(|effect| match effect {
        Effect::ImportProgress(ticket, _) => Some(*ticket),
        _ => None,
    });
    assert!(matches!(screen(&model).stage, Stage::UnderWay(_, None)));
    let done = operation(&json!({"state": "done", "done": 20_000}));
    update(&mut model, Message::ImportProgress(asked.unwrap(), Ok(done)));
    assert!(matches!(&screen(&model).stage, Stage::Over(ended) if ended.title == "The file is in"));
    assert_eq!(model.undo.len(), 1);
    // Somebody else does not see it.
    let mut other = signed_in(ada(), vec![snacks()], (80, 24));
    press(&mut other, "\n");
    assert!(other.imports.is_empty());
}

#[test]
fn an_upload_is_given_up_and_the_form_is_as_it_was() {
    let mut model = five(5);
    let (ticket, sent) = incoming(&press(&mut model, "mgoods.csv^s"));
    press(&mut model, "<");
    assert!(sent.sent.is_given_up.load(std::sync::atomic::Ordering::Relaxed));
    assert!(screen(&model).is_form());
    update(&mut model, Message::Checked(ticket, Box::new(checked(&json!({}), &[]))));
    assert!(screen(&model).is_form(), "a late answer shows nothing");
    let told = Checked { outcome: Err(FileFault::Local("no such file".into())), ..checked(&json!({}), &[]) };
    check(&mut model, "^s", told);
    assert_eq!(screen(&model).state.form.inputs[0].errors, ["This machine says: no such file."]);
}

#[test]
fn an_import_that_was_left_while_it_was_sent_is_followed_all_the_same() {
    let mut model = five(5);
    check(&mut model, "mgoods.csv^s", checked(&json!({}), &[]));
    let (ticket, sent) = incoming(&press(&mut model, "\n"));
    press(&mut model, "<");
    assert!(toast(&model).starts_with("The file was sent already"), "{}", toast(&model));
    let begun = import(&json!({"operation": id(70), "dry_run": false, "state": "running", "created": 0}));
    let answer = Message::Imported(ticket, sent.collection.name, Box::new(Ok((begun, false))));
    assert!(matches!(update(&mut model, answer).as_slice(), [Effect::ImportProgress(..), Effect::KeepPlace(_)]));
    assert_eq!(model.imports.len(), 1);
    press(&mut model, "<m");
    assert!(matches!(screen(&model).stage, Stage::UnderWay(..)));
}
