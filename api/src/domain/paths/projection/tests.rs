use serde_json::{Value, json};

use super::*;

fn projected(members: Value, record: &Value) -> Value {
    let projection = Projection::new(&Members::read(members).unwrap());
    let mut out = BytesMut::new();
    projection.put(record.to_string().as_bytes(), &|_| true, &mut out).unwrap();
    serde_json::from_slice(&out).unwrap()
}

#[test]
fn members_are_renamed_nested_and_flattened() {
    let record = json!({
        "id": "1", "title": "a,\"}b", "category": {"id": "7", "title": "C", "maker": {"name": "M"}}, "none": null,
        "owner": {"id": "u", "username": "ada"}, "comments_via_post": [{"text": "x"}, {"text": "y"}], "tags": ["p", "q"],
    });
    for (members, due) in [
        (json!(["id", {"name": "title"}]), json!({"id": "1", "name": "a,\"}b"})),
        (json!([{"author": "owner.username"}, {"by": "owner.id"}]), json!({"author": "ada", "by": "u"})),
        (
            json!([{"category": {"name": "category.title", "maker": {"n": "category.maker.name"}}}]),
            json!({"category": {"name": "C", "maker": {"n": "M"}}}),
        ),
        (json!([{"none": {"title": "none.title"}}, {"flat": "none.title"}]), json!({"none": null, "flat": null})),
        (json!([{"meta": {"key": "id", "by": "owner.username"}}]), json!({"meta": {"key": "1", "by": "ada"}})),
        (
            json!([{"comments": {"body": "comments_via_post.text"}}, {"texts": "comments_via_post.text"}]),
            json!({"comments": [{"body": "x"}, {"body": "y"}], "texts": ["x", "y"]}),
        ),
        (json!(["tags", "missing"]), json!({"tags": ["p", "q"], "missing": null})),
    ] {
        assert_eq!(projected(members.clone(), &record), due, "{members}");
    }
}

#[test]
fn what_has_to_be_expanded_is_found_once() {
    let members =
        Members::read(json!(["id", {"a": "owner.username"}, {"b": {"c": "post.author.name", "d": "post.title"}},
        {"e": "x_via_y"}]));
    assert_eq!(expansions(&members.unwrap()), ["owner", "post.author", "x_via_y"]);
}
