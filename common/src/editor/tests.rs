use super::*;
use crate::problem::{FieldError, Problem};

#[test]
fn what_is_stored_edits_back_to_itself() {
    let fields = json!([
        {"name": "title", "type": "text", "max_length": 9, "required": true, "nullable": false, "unique": true, "indexed": false, "default": "true", "help": "h"},
        {"name": "size", "type": "choice", "choices": ["s", "m"], "many": true, "required": false, "nullable": false, "unique": false, "indexed": false, "default": ["s"]},
        {"name": "price", "type": "decimal", "min": "0.5", "places": 2, "required": false, "nullable": true, "unique": false, "indexed": true, "default": "1.50"},
        {"name": "of", "type": "reference", "collection": "snacks", "on_delete": "set_null", "required": false, "nullable": true, "unique": false, "indexed": false},
        {"name": "tags", "type": "reference", "collection": "tags", "many": true, "on_delete": "set_null", "required": false, "nullable": false, "unique": false, "indexed": false},
        {"name": "n", "type": "integer", "min": -1, "required": false, "nullable": false, "unique": false, "indexed": false, "default": 3}
    ]);
    let collection: Collection = serde_json::from_value(json!({
        "id": "01920000-0000-7000-8000-000000000001", "name": "snacks", "ids": "integer", "description": "d", "created_at": "", "updated_at": "", "revision": 4,
        "fields": fields, "access": {"list": ["anyone"], "view": ["role:editor", "owner"], "create": [], "update": [], "delete": ["nobody"]}
    }))
    .unwrap();
    let mut editor = Editor::edit(&collection);
    assert_eq!(editor.submit(), Some(Definition::from(collection)), "{:?}", editor.errors);
}

#[test]
fn errors_stand_at_their_part() {
    let mut editor = Editor::default();
    let max_length = FieldPart::all("text").into_iter().find(|part| part.member() == "max_length").unwrap();
    editor.write(Part::Access(0), "everyone".to_owned());
    editor.write(Part::Field(0, max_length), "many".to_owned());
    assert_eq!(editor.submit(), None);
    assert_eq!((editor.errors_of(Part::Name).len(), editor.errors_of(Part::Field(0, FieldPart::Name)).len()), (1, 1));
    assert_eq!(editor.errors_of(Part::Field(0, max_length)), ["A valid integer is required."]);
    assert_eq!(editor.errors_of(Part::Access(0)).len(), 1);
}

#[test]
fn fields_move_and_stay_inside() {
    let mut editor = Editor::default();
    editor.add_field();
    editor.write(Part::Field(1, FieldPart::Name), "b".to_owned());
    assert_eq!(editor.move_field(1, false), 0);
    assert_eq!(editor.move_field(0, false), 0);
    assert_eq!(editor.draft.fields[0].name, "b");
}

#[test]
fn what_is_still_empty_is_not_wrong_before_it_was_to_be_sent() {
    let mut editor = Editor::default();
    editor.write(Part::Description, "d".to_owned());
    assert!(editor.errors_of(Part::Name).is_empty() && !editor.has_errors(0) && !editor.shows_errors());
    editor.write(Part::Name, "Snacks".to_owned());
    assert_eq!(editor.errors_of(Part::Name).len(), 1);
    assert_eq!(editor.submit(), None);
    assert!(editor.has_errors(0) && editor.shows_errors());
    assert!(editor.messages().is_empty(), "all of it stands at its part");
}

#[test]
fn what_the_server_refuses_stands_at_its_part_until_something_is_changed() {
    let mut editor = Editor::default();
    let unique = Part::Field(0, FieldPart::Unique);
    let mut errors = FieldErrors::of("fields.0.unique", FieldError::new("unique", "Two records have the same."));
    errors.push("zzz", FieldError::new("unknown", "There is no field of this name."));
    editor.refuse(&CallError::Problem(Box::new(Problem::taken(errors))));
    assert_eq!(editor.errors_of(unique), ["Two records have the same."]);
    assert_eq!(editor.messages()[1], "Zzz: There is no field of this name.");
    editor.write(Part::Description, "d".to_owned());
    assert!(editor.errors_of(unique).is_empty() && editor.messages().is_empty());
    editor.refuse(&CallError::Problem(Box::new(Problem::unauthorized("over"))));
    assert!(editor.messages().is_empty(), "once somebody has signed in, nothing is wrong with it");
}

#[test]
fn unique_can_leave_case_out_of_account_where_there_is_one() {
    let mut editor = Editor::default();
    let at = |part| Part::Field(0, part);
    assert!(FieldPart::all("email").contains(&FieldPart::IgnoreCase));
    assert!(!FieldPart::all("integer").contains(&FieldPart::IgnoreCase));
    editor.write(at(FieldPart::IgnoreCase), "true".to_owned());
    assert_eq!(editor.read(at(FieldPart::Unique)), "true", "unique in any case is unique");
    editor.write(at(FieldPart::IgnoreCase), "false".to_owned());
    assert_eq!(editor.read(at(FieldPart::Unique)), "true");
    editor.write(at(FieldPart::IgnoreCase), "true".to_owned());
    editor.write(Part::Name, "a".to_owned());
    editor.write(at(FieldPart::Name), "b".to_owned());
    let field = |editor: &mut Editor| editor.submit().map(|definition| definition.fields[0].unique);
    assert_eq!(field(&mut editor), Some(crate::field::Unique::IgnoreCase));
    editor.write(at(FieldPart::Type), "integer".to_owned());
    assert_eq!(field(&mut editor), Some(crate::field::Unique::Exact));
    editor.write(at(FieldPart::Unique), "false".to_owned());
    assert_eq!(editor.read(at(FieldPart::IgnoreCase)), "false");
}

#[test]
fn what_is_typed_and_taken_back_is_no_change() {
    let mut editor = Editor::default();
    editor.write(Part::Name, "a".to_owned());
    assert!(editor.is_changed());
    editor.write(Part::Name, String::new());
    assert!(!editor.is_changed());
}

#[test]
fn a_field_under_another_name_is_the_same_field_and_who_saves_twice_drops() {
    let field = |name: &str, id: u8| json!({"id": format!("01920000-0000-7000-8000-0000000000{id:02}"), "name": name, "type": "text"});
    let collection: Collection = serde_json::from_value(json!({
        "id": "01920000-0000-7000-8000-000000000001", "name": "snacks", "description": "", "created_at": "", "updated_at": "", "revision": 4,
        "fields": [field("title", 1), field("price", 2)], "access": {"list": [], "view": [], "create": [], "update": [], "delete": []}
    }))
    .unwrap();
    let mut editor = Editor::edit(&collection);
    editor.write(Part::Field(0, FieldPart::Name), "name".to_owned());
    assert_eq!(editor.submit().unwrap().fields[0].id, collection.fields[0].id);
    assert_eq!(editor.dropped().count(), 0);
    editor.remove_field(1);
    assert_eq!(editor.dropped().collect::<Vec<_>>(), ["price"]);
    assert!(editor.query().drop.is_empty());
    let refused =
        Problem::conflict("This would drop values.").with_code("would_drop").with("records", json!({"price": 3}));
    editor.refuse(&CallError::Problem(Box::new(refused)));
    assert!(editor.messages()[0].contains("“Price” in 3 records"), "{:?}", editor.messages());
    editor.submit().unwrap();
    assert_eq!(editor.query().drop.iter().map(ToString::to_string).collect::<Vec<_>>(), ["price"]);
    editor.write(Part::Description, "d".to_owned());
    assert!(editor.query().drop.is_empty(), "what was agreed to was another change");
}

#[test]
fn what_saving_would_do_is_told_and_asked_before_it_is_done() {
    let collection: Collection = serde_json::from_value(json!({
        "id": "01920000-0000-7000-8000-000000000001", "name": "snacks", "description": "", "access": {"list": [], "view": [], "create": [], "update": [], "delete": []},
        "fields": [{"id": "01920000-0000-7000-8000-000000000002", "name": "title", "type": "text"}],
        "created_at": "", "updated_at": "", "revision": 3}))
    .unwrap();
    let mut editor = Editor::edit(&collection);
    editor.remove_field(0);
    assert!(editor.submit().is_some());
    assert!(editor.query().dry_run, "it is asked first");
    let mut told = DryRun { checked: 5, changed: 5, dropped: [("title".to_owned(), 4)].into(), ..DryRun::of(5) };
    assert!(!editor.preview(&told));
    assert_eq!(editor.messages()[..2], ["5 records look otherwise afterwards.", "What 4 records had in “Title” goes."]);
    // Not without the tick.
    assert_eq!(editor.submit(), None);
    assert_eq!(editor.errors_of(Part::Drop), ["Tick this, or put the fields back."]);
    editor.write(Part::Drop, "true".into());
    assert!(editor.submit().is_some());
    let query = editor.query();
    assert_eq!((query.dry_run, query.drop.len()), (false, 1));
    // What is changed then is asked about anew.
    editor.write(Part::Description, "d".into());
    assert!(editor.query().dry_run && !editor.parts().contains(&Part::Drop));
    // What is plain is done at once.
    (told.changed, told.dropped) = (0, std::collections::BTreeMap::new());
    assert!(editor.preview(&told));
    assert!(!editor.query().dry_run);
    // What does not fit cannot be saved, and is asked again.
    editor.write(Part::Description, "e".into());
    told.misfits.count = 2;
    assert!(!editor.preview(&told));
    assert!(editor.messages()[0].starts_with("2 records do not fit"));
    assert!(editor.submit().is_some() && editor.query().dry_run);
}
