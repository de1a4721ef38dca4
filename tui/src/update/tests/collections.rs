//! Definitions, columns and look-ups.

use common::{
    collection::{DefinitionAnswer, DryRun},
    operation::Operation,
};

use super::*;

/// The collections, with an admin signed in.
fn admin() -> Model {
    fixture::signed_in(user(1, "root", true), vec![snacks()], (80, 24))
}

fn definition(model: &Model) -> &screen::DefinitionForm {
    match model.screens.last() {
        Some(Screen::Definition(form)) => form,
        _ => panic!("no definition is open"),
    }
}

#[test]
fn an_admin_defines_a_collection_field_by_field() {
    let mut model = admin();
    press(&mut model, "nShelves");
    let name = &definition(&model).state.form.inputs[0];
    assert_eq!(name.errors.len(), 1, "a name is judged as it is typed");
    press(&mut model, "^ushelves\tWhere snacks lie\ttitle");
    press(&mut model, "^nsnack\tr");
    assert_eq!(definition(&model).state.current().unwrap().text, "reference");
    press(&mut model, "\ts");
    let effects = press(&mut model, "^s");
    let [Effect::Define(ticket, None, sent, _)] = effects.as_slice() else { panic!("{}", toast(&model)) };
    let sent = sent.to_json();
    assert_eq!(sent["name"], "shelves");
    assert_eq!((&sent["fields"][1]["type"], &sent["fields"][1]["collection"]), (&json!("reference"), &json!("snacks")));
    let errors = FieldErrors::of("fields.1.name", FieldError::new("invalid", "Not this one."));
    update(&mut model, Message::Defined(*ticket, Err(refused(Problem::validation(errors))), None));
    let current = definition(&model).state.current().unwrap();
    assert_eq!((current.text.as_str(), current.errors.as_slice()), ("snack", ["Not this one.".to_owned()].as_slice()));
    let effects = press(&mut model, "^s");
    let [Effect::Define(ticket, ..)] = effects.as_slice() else { panic!() };
    let effects = update(
        &mut model,
        Message::Defined(*ticket, Ok(Box::new(DefinitionAnswer::Changed(Box::new(snacks())))), None),
    );
    assert!(matches!(effects.as_slice(), [Effect::Collections(_)]));
    assert_eq!(toast(&model), "Created the collection snacks.");
}

#[test]
fn a_definition_opens_as_it_is_stored_and_fields_move_and_go() {
    let mut model = admin();
    press(&mut model, "e");
    assert!(!model.has_unsaved_text());
    press(&mut model, "\t^x");
    let fields = |model: &mut Model| match press(model, "^s").as_slice() {
        [Effect::Define(_, Some(name), definition, _)] => {
            assert_eq!(name.as_str(), "snacks");
            model.writing = None;
            definition.fields.iter().map(|field| field.name.to_string()).take(2).collect::<Vec<_>>()
        }
        _ => panic!("nothing is written"),
    };
    assert_eq!(fields(&mut model), ["price", "stock"]);
    let down = crossterm::event::KeyEvent::new(KeyCode::Down, KeyModifiers::CONTROL);
    update(&mut model, Message::Key(down));
    assert_eq!(fields(&mut model), ["stock", "price"]);
    press(&mut model, "<");
    assert_eq!(toast(&model), words::UNSAVED_LEAVE);
}

#[test]
fn what_a_changed_definition_would_do_is_told_before_it_is_saved_and_its_progress_after() {
    let mut model = admin();
    press(&mut model, "e");
    press(&mut model, "\t^x");
    let effects = press(&mut model, "^s");
    let [Effect::Define(ticket, _, _, query)] = effects.as_slice() else { panic!("nothing is asked") };
    assert!(query.dry_run);
    let told: DryRun = serde_json::from_value(
        serde_json::json!({"records": 3, "checked": 3, "changed": 3, "misfits": {"count": 0, "examples": []},
        "dropped": {"title": 3}, "seconds": 0, "gone": []}),
    )
    .unwrap();
    update(&mut model, Message::Defined(*ticket, Ok(Box::new(DefinitionAnswer::WouldBe(Box::new(told)))), None));
    assert_eq!(toast(&model), words::WOULD_SAVE);
    let Screen::Definition(form) = model.screens.last().unwrap() else { panic!() };
    assert!(form.state.form.errors.iter().any(|line| line.contains("3 records")), "{:?}", form.state.form.errors);
    // Not without the tick, where the cursor stands.
    assert!(press(&mut model, "^s").is_empty());
    press(&mut model, " ");
    let effects = press(&mut model, "^s");
    let [Effect::Define(ticket, _, _, query)] = effects.as_slice() else { panic!("nothing is saved") };
    assert!(!query.dry_run && query.drop.len() == 1);
    let operation = |state: &str, done: u64| -> Operation {
        serde_json::from_value(serde_json::json!({"id": "01920000-0000-7000-8000-000000000009", "kind": "redefine", "state": state, "done": done, "of": 3000,
            "started_at": "", "ended_at": null, "by": null, "error": null})).unwrap()
    };
    let begun = DefinitionAnswer::Begun(Box::new(operation("running", 40)));
    let effects = update(&mut model, Message::Defined(*ticket, Ok(Box::new(begun)), None));
    let [Effect::Progress(ticket, id)] = effects.as_slice() else { panic!("it is not followed") };
    assert!(toast(&model).contains("Records are looked at: 40 of 3"), "{}", toast(&model));
    let effects = update(&mut model, Message::Progress(*ticket, Ok(Box::new(operation("running", 80)))));
    assert!(matches!(effects.as_slice(), [Effect::Progress(..)]));
    let effects = press(&mut model, "<");
    let [Effect::Stop(ticket, stopped)] = effects.as_slice() else { panic!("it cannot be stopped") };
    assert_eq!(stopped, id);
    update(&mut model, Message::Progress(*ticket, Ok(Box::new(operation("stopped", 80)))));
    assert!(toast(&model).starts_with("Stopped"), "{}", toast(&model));
    assert!(matches!(model.screens.last(), Some(Screen::Definition(_))), "what was typed is still there");
}

#[test]
fn records_that_do_not_fit_another_type_are_told_with_the_ways_to_convert_them() {
    let mut model = admin();
    press(&mut model, "e");
    // From the first field's name to its type, which becomes integer.
    press(&mut model, "\t\ti");
    let labels = |model: &Model| -> Vec<String> {
        definition(model).state.form.inputs.iter().map(|input| input.label.trim().to_owned()).collect()
    };
    assert!(labels(&model).contains(&"Read as numbers".to_owned()), "{:?}", labels(&model));
    let effects = press(&mut model, "^s");
    let [Effect::Define(ticket, _, _, query)] = effects.as_slice() else {
        panic!("nothing is asked: {}", toast(&model))
    };
    assert!(query.dry_run);
    let told: DryRun = serde_json::from_value(serde_json::json!({"records": 3, "checked": 3, "changed": 1, "dropped": {}, "seconds": 0, "gone": [],
        "misfits": {"count": 2, "examples": [{"id": id(1), "field": "title", "code": "invalid", "message": "No number."}]}}))
    .unwrap();
    update(&mut model, Message::Defined(*ticket, Ok(Box::new(DefinitionAnswer::WouldBe(Box::new(told)))), None));
    let current = definition(&model).state.current().unwrap();
    assert_eq!(
        (current.label.trim(), current.errors.as_slice()),
        ("Trim spaces at the ends", ["No number.".to_owned()].as_slice())
    );
    assert!(definition(&model).state.form.errors[1].starts_with("2 records do not fit"));
    let at = labels(&model).iter().position(|label| label == "Read as numbers").unwrap();
    while definition(&model).state.focus != at {
        press(&mut model, "\t");
    }
    press(&mut model, "n");
    let effects = press(&mut model, "^s");
    let [Effect::Define(_, _, sent, query)] = effects.as_slice() else { panic!("nothing is asked: {}", toast(&model)) };
    assert!(query.dry_run);
    assert_eq!(sent.to_json()["fields"][0]["convert"], json!(["number"]));
}

#[test]
fn columns_are_hidden_and_come_back_under_the_cursor() {
    let mut model = two_snacks();
    press(&mut model, "lcc");
    let names =
        |model: &Model| records(model).columns.iter().map(|column| column.name.clone()).take(2).collect::<Vec<_>>();
    assert_eq!(names(&model), ["title", "size"]);
    press(&mut model, "C");
    assert_eq!(names(&model), ["title", "price"]);
    assert_eq!(records(&model).columns[records(&model).column].name, "size");
    press(&mut model, &"c".repeat(50));
    assert_eq!(records(&model).columns.len(), 1);
}

#[test]
fn a_reference_is_looked_up_in_its_own_table() {
    let fields = json!([{"name": "snack", "type": "reference", "collection": "snacks", "nullable": true}]);
    let shelves = fixture::collection("shelves", &fields);
    let mut model = table(shelves.clone(), Vec::new(), 0, (80, 24));
    let effects = press(&mut model, "<");
    let [Effect::Collections(ticket)] = effects.as_slice() else { panic!() };
    update(&mut model, Message::Collections(*ticket, Ok(vec![shelves, snacks()])));
    press(&mut model, "\nn");
    let effects = press(&mut model, "^o");
    let [Effect::Records(ticket, name, _)] = effects.as_slice() else { panic!("its table is loaded") };
    assert_eq!(name.as_str(), "snacks");
    update(&mut model, Message::Records(*ticket, Ok(page(vec![snack(1, "a"), snack(2, "b")], 2))));
    press(&mut model, "j\n");
    assert_eq!(form(&model).state.form.text("snack"), id(2));
}

#[test]
fn only_admins_define_collections() {
    let mut model = two_snacks();
    press(&mut model, "<ne");
    assert_eq!(model.screens.len(), 1);
    assert_eq!(toast(&model), words::NOT_ADMIN);
}

#[test]
fn a_collection_is_deleted_by_its_name() {
    let mut model = admin();
    press(&mut model, "dother^s");
    assert!(
        matches!(model.screens.last(), Some(Screen::Account(form)) if !form.state.form.inputs[0].errors.is_empty())
    );
    let name = snacks().name;
    let effects = press(&mut model, &format!("^u{name}^s"));
    let [Effect::DeleteCollection(ticket, gone, _)] = effects.as_slice() else { panic!("{}", toast(&model)) };
    assert_eq!(*gone, name);
    update(&mut model, Message::CollectionDeleted(*ticket, Ok(Some(operation()))));
    assert_eq!(toast(&model), format!("Deleted the collection {name}. Press u to undo."));
    let effects = press(&mut model, "u");
    let [Effect::Revert(ticket, undo)] = effects.as_slice() else { panic!("{}", toast(&model)) };
    assert_eq!((undo.operation, &undo.record), (operation(), &None));
    // Its records are still being removed: it can be asked again.
    let problem = Problem::conflict("What this deleted is still being removed.").with_code("removal_under_way");
    update(&mut model, Message::Undone(*ticket, undo.clone(), Err(refused(problem))));
    let effects = press(&mut model, "u");
    let [Effect::Revert(ticket, undo)] = effects.as_slice() else { panic!("{}", toast(&model)) };
    let counts = json!([{"subject": "collection", "action": "restore", "count": 1}]);
    let reverted = json!({"operation": id(71), "reverts": id(70), "state": "done", "count": 1, "counts": counts, "skipped": 0, "not_restored": []});
    let effects =
        update(&mut model, Message::Undone(*ticket, undo.clone(), Ok(serde_json::from_value(reverted).unwrap())));
    assert_eq!(toast(&model), format!("\"{name}\" is back."));
    assert!(!effects.is_empty(), "the collections are loaded again");
}
