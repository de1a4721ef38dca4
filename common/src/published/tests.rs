use super::*;

fn read(value: Value) -> Result<PathDefinition, FieldErrors> {
    PathDefinition::from_json(value)
}

#[test]
fn a_definition_reads_back_as_it_was_written() {
    let value = json!({
        "path": "/api/v1/posts/{post}/comments/", "collection": "comments", "where": {"post": "{post}"},
        "list": "array",
        "members": ["id", "text", {"pub_date": "created_at"}, {"author": "owner.username"},
            {"category": {"title": "category.title"}}],
        "writable": ["text"], "actions": ["list", "create"], "errors": "drf", "unknown": "ignore", "limit": 10,
    });
    let read = read(value.clone()).unwrap();
    assert_eq!(json!(read), value);
    assert_eq!(serde_json::from_value::<PathDefinition>(value).unwrap(), read);
    assert_eq!(read.allowed(), [Action::List, Action::Create]);
    assert!(!read.is_of_a_record());
    let patched = read.patched(&object(json!({"limit": 20, "writable": null})).unwrap()).unwrap();
    assert_eq!((patched.limit, patched.writable), (20, None));
}

#[test]
fn a_parameter_that_no_condition_takes_names_the_record() {
    let path = read(json!({"path": "/notes/delete/{pk}", "collection": "notes", "actions": ["delete"]})).unwrap();
    assert_eq!((path.path.as_str(), path.is_of_a_record()), ("/notes/delete/{pk}/", true));
    assert_eq!(path.allowed(), [Action::Delete]);
}

#[test]
fn every_fault_is_told_under_its_member() {
    for (member, wrong) in [
        ("path", json!("api")),
        ("path", json!("/a//b/")),
        ("path", json!("/{a}/{a}/")),
        ("path", json!("/../x/")),
        ("path", json!("/a b/")),
        ("collection", json!("A")),
        ("alias", json!("/api/session/")),
        ("where", json!({"a.b.c": "x"})),
        ("where", json!({"a": []})),
        ("lookup", json!("A")),
        ("list", json!("pages")),
        ("page_size", json!(0)),
        ("members", json!("id")),
        ("members", json!([3])),
        ("members", json!(["id", "id"])),
        ("members", json!([{"a__b": "a"}])),
        ("members", json!([{"a": {"b": {"c": {"d": "e"}}}}])),
        ("members", json!([{"a": "owner.username.x.y.z"}])),
        ("writable", json!([3])),
        ("actions", json!(["read"])),
        ("method", json!("TRACE")),
        ("errors", json!("xml")),
        ("unknown", json!("maybe")),
        ("limit", json!(1_000_000)),
        ("zzz", json!(1)),
    ] {
        let mut body = json!({"path": "/a/", "collection": "a"});
        body[member] = wrong.clone();
        let errors = read(body).unwrap_err();
        assert_eq!(errors.0.keys().collect::<Vec<_>>(), [member], "{wrong}");
    }
}
