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

fn of_fields(fields: &Value) -> Collection {
    serde_json::from_value(json!({
        "id": "01920000-0000-7000-8000-000000000001", "name": "snacks", "description": "", "fields": fields, "created_at": "", "updated_at": "", "revision": 3,
        "access": {"list": [], "view": [], "create": [], "update": [], "delete": []}}))
    .unwrap()
}

/// The part of a field whose member is this.
fn part(editor: &Editor, index: usize, member: &str) -> Part {
    let parts = editor.parts().into_iter().filter(|part| matches!(part, Part::Field(at, _) if *at == index));
    let named = |part: &Part| matches!(part, Part::Field(_, of) if of.member() == member);
    parts.into_iter().find(named).unwrap_or_else(|| panic!("no part {member}"))
}

fn words(editor: &Editor, index: usize) -> Vec<&'static str> {
    editor.of_values(index).into_iter().map(|part| part.member().trim_start_matches("convert_")).collect()
}

#[test]
fn a_field_of_another_type_offers_what_there_is_between_the_two_and_sends_what_is_said() {
    let id = "01920000-0000-7000-8000-000000000002";
    let collection = of_fields(&json!([{"id": id, "name": "amount", "type": "text"}]));
    let mut editor = Editor::edit(&collection);
    let at = |editor: &Editor, member: &str| part(editor, 0, member);
    assert!(words(&editor, 0).is_empty(), "nothing has to be said of what stays");
    editor.write(at(&editor, "type"), "decimal".into());
    assert_eq!(words(&editor, 0), ["trim", "lower", "map", "number", "round", "null", "default"]);
    editor.write(at(&editor, "type"), "date".into());
    assert_eq!(words(&editor, 0), ["trim", "lower", "map", "date", "pattern", "null", "default"]);
    editor.write(at(&editor, "convert_pattern"), "DD.MM.YYYY".into());
    editor.write(at(&editor, "convert_map"), "soon = 2030-01-01\n= 1970-01-01".into());
    let convert = |editor: &mut Editor| editor.submit().map(|definition| json!(definition.fields[0].change.convert));
    let map = json!({"map": {"soon": "2030-01-01", "": "1970-01-01"}});
    assert_eq!(convert(&mut editor), Some(json!([map, {"date": "DD.MM.YYYY"}])));
    // What is typed for another type stays there, and is not sent.
    editor.write(at(&editor, "type"), "integer".into());
    for (number, sent) in [("number", json!("number")), ("comma", json!({"number": "comma"}))] {
        editor.write(at(&editor, "convert_number"), number.into());
        editor.write(at(&editor, "convert_map"), "none = 0".into());
        editor.write(at(&editor, "convert_default"), "7".into());
        assert_eq!(convert(&mut editor), Some(json!([{"map": {"none": 0}}, sent, {"default": 7}])));
    }
    // What cannot be read is told, at the first of them.
    editor.write(at(&editor, "convert_map"), "none".into());
    assert_eq!(convert(&mut editor), None);
    assert_eq!(editor.errors_of(at(&editor, "convert_trim")), ["Write one on a line: old = new."]);
    assert!(editor.has_errors(0) && editor.errors_of(at(&editor, "convert_map")).is_empty());
    // A field that may be null no more, one that is to be filled in, and several that are to be one.
    let mut editor = Editor::edit(&of_fields(&json!([{"id": id, "name": "n", "type": "integer", "nullable": true},
        {"id": "01920000-0000-7000-8000-000000000003", "name": "t", "type": "text"},
        {"id": "01920000-0000-7000-8000-000000000004", "name": "c", "type": "choice", "choices": ["a"], "many": true}])));
    editor.write(at(&editor, "nullable"), "false".into());
    assert_eq!(words(&editor, 0), ["map", "default"], "it has to be filled in then");
    assert_eq!(editor.read(part(&editor, 0, "required")), "true");
    editor.write(part(&editor, 0, "required"), "false".into());
    assert_eq!(editor.read(at(&editor, "nullable")), "true", "nothing else is left for nothing");
    editor.write(part(&editor, 1, "required"), "true".into());
    assert_eq!(words(&editor, 1), ["trim", "lower", "map", "default"]);
    editor.write(part(&editor, 2, "many"), "false".into());
    assert!(words(&editor, 2).contains(&"first"), "{:?}", words(&editor, 2));
}

#[test]
fn a_dry_run_asks_for_a_conversion_where_records_do_not_fit() {
    let collection =
        of_fields(&json!([{"id": "01920000-0000-7000-8000-000000000002", "name": "title", "type": "text"}]));
    let mut editor = Editor::edit(&collection);
    let longest = part(&editor, 0, "max_length");
    editor.write(longest, "3".into());
    assert!(words(&editor, 0).is_empty(), "it may be that all fit");
    let misfit = json!({"id": "01920000-0000-7000-8000-000000000009", "field": "title", "code": "max_length", "message": "Too long."});
    let told = json!({"records": 2, "checked": 2, "changed": 0, "misfits": {"count": 1, "examples": [misfit]}, "dropped": {}, "seconds": 1, "gone": []});
    editor.submit().unwrap();
    assert!(!editor.preview(&serde_json::from_value(told).unwrap()));
    assert_eq!(words(&editor, 0), ["trim", "lower", "map", "default"]);
    assert_eq!(editor.errors_of(part(&editor, 0, "convert_trim")), ["Too long."]);
    assert!(editor.has_errors(0) && editor.messages()[0].starts_with("1 record does not fit"));
    // While it is filled in it stays, and says no more what was wrong with something else.
    editor.write(part(&editor, 0, "convert_default"), "?".into());
    assert!(!editor.has_errors(0) && !words(&editor, 0).is_empty());
    let definition = editor.submit().unwrap();
    assert!(editor.query().dry_run, "what it does is asked again");
    assert_eq!(json!(definition.fields[0].change.convert), json!([{"default": "?"}]));
    // The server's own word: records were written meanwhile.
    let errors = FieldErrors::of("title", FieldError::new("max_length", "Too long too."));
    let refused = Problem::conflict("1 record does not fit.").with_code("records_do_not_fit").with_errors(errors);
    editor.refuse(&CallError::Problem(Box::new(refused)));
    assert_eq!(editor.errors_of(part(&editor, 0, "convert_trim")), ["Too long too."]);
}

#[test]
fn a_new_field_that_is_to_be_filled_in_asks_for_a_value_for_the_records_that_exist() {
    let mut editor = Editor::edit(&of_fields(&json!([])));
    editor.add_field();
    editor.write(part(&editor, 0, "name"), "stock".into());
    editor.write(part(&editor, 0, "type"), "integer".into());
    assert!(words(&editor, 0).is_empty());
    editor.write(part(&editor, 0, "required"), "true".into());
    assert_eq!(words(&editor, 0), ["value"]);
    editor.write(part(&editor, 0, "value"), "0".into());
    assert_eq!(editor.submit().unwrap().fields[0].change.value, Some(json!(0)));
    // A collection that is yet to be has none.
    let mut editor = Editor::default();
    editor.write(part(&editor, 0, "required"), "true".into());
    assert!(words(&editor, 0).is_empty());
}

/// What the server says can be done about a value that does not fit is offered.
#[test]
fn whatever_way_is_told_is_one_of_those_that_are_offered() {
    let kinds = [
        json!({"type": "text"}),
        json!({"type": "integer"}),
        json!({"type": "decimal", "places": 1}),
        json!({"type": "boolean"}),
        json!({"type": "date"}),
        json!({"type": "datetime"}),
        json!({"type": "email"}),
        json!({"type": "url"}),
        json!({"type": "choice", "choices": ["a", "1,5", "x y"]}),
        json!({"type": "choice", "choices": ["a", "b"], "many": true}),
        json!({"type": "reference", "collection": "c"}),
        json!({"type": "reference", "collection": "c", "many": true}),
        json!({"type": "json"}),
    ];
    let ids = ["01920000-0000-7000-8000-000000000001", "01920000-0000-7000-8000-000000000002"];
    let values = [
        json!("x y"),
        json!("1,5"),
        json!(7),
        json!("1.5"),
        json!(true),
        json!(["a", "b"]),
        json!({"a": 1}),
        json!("2024-01-02T03:04:05Z"),
        json!("a@example.org"),
        json!("https://example.org/"),
        json!(ids[0]),
        json!(ids),
    ];
    let ways = ["number", "round", "date", "boolean", "first", "text", "map", "default"];
    let mut told = 0;
    for (was, now) in kinds.iter().flat_map(|was| kinds.iter().map(move |now| (was, now))) {
        let with_name = |kind: &Value| {
            let mut field = kind.clone();
            field["name"] = json!("f");
            field["id"] = json!("01920000-0000-7000-8000-000000000002");
            field
        };
        let mut editor = Editor::edit(&of_fields(&json!([with_name(was)])));
        editor.draft.fields[0].become_kind(now);
        let offered = words(&editor, 0);
        let (from, to): (crate::field::Field, crate::field::Field) =
            (serde_json::from_value(with_name(was)).unwrap(), serde_json::from_value(with_name(now)).unwrap());
        for value in values.iter().filter(|value| crate::validate::check(&from, *value).as_ref() == Ok(*value)) {
            let carried =
                crate::conversion::carry_over(&from.kind, &to, &crate::conversion::Conversion::default(), value.into());
            for error in carried.err().into_iter().flatten() {
                for way in ways.iter().filter(|way| error.message.contains(&format!("\"{way}\""))) {
                    told += 1;
                    assert!(offered.contains(way), "{was} to {now}: {} {offered:?}", error.message);
                }
            }
        }
    }
    assert!(told > 30, "{told}");
}
