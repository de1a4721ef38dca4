//! Two branches that changed the same collection.

use super::{migrated, people, refused, write};

const BASE: &str = "after = [\"people/0001_initial\"]\n[[steps]]\nchange = \"people\"\n";

#[tokio::test]
async fn branches_that_touch_different_things_are_merged() {
    let (coffer, admin) = people(5).await;
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    migrated(&coffer.base, dir, &["make"]);
    write(
        dir,
        "people/0002_town.toml",
        &format!(
            "{BASE}add = [{{name = \"town\", type = \"text\"}}]\nalter = {{kind = {{add_choices = [\"c\"]}}}}\naccess = {{list = [\"anyone\"]}}\n"
        ),
    );
    write(
        dir,
        "people/0002_job.toml",
        &format!(
            "{BASE}add = [{{name = \"job\", type = \"text\"}}]\nalter = {{kind = {{add_choices = [\"d\"]}}}}\naccess = {{view = [\"anyone\"]}}\n"
        ),
    );
    for command in [["apply"].as_slice(), &["plan"], &["make", "people", "--empty"]] {
        assert!(refused(&coffer.base, dir, command).contains("--merge"), "{command:?}");
    }
    assert!(refused(&coffer.base, dir, &["check"]).contains("branches"));
    let merged = migrated(&coffer.base, dir, &["make", "people", "--merge"]);
    assert!(merged.contains("0003_merge.toml"), "{merged}");
    migrated(&coffer.base, dir, &["apply"]);
    migrated(&coffer.base, dir, &["check"]);
    let people = admin.get("/api/collections/people/").await.is(200);
    assert_eq!(people["fields"][2]["choices"], serde_json::json!(["a", "b", "d", "c"]));
    assert_eq!(
        (&people["access"]["list"], &people["access"]["view"]),
        (&serde_json::json!(["anyone"]), &serde_json::json!(["anyone"]))
    );
    assert!(migrated(&coffer.base, dir, &["make"]).contains("Nothing is to be made"));
    migrated(&coffer.base, dir, &["revert", "people", "0001"]);
    assert!(migrated(&coffer.base, dir, &["show"]).contains(" [ ] 0003_merge"));
}

#[tokio::test]
async fn branches_that_touch_the_same_are_shown_and_left_to_people() {
    let (coffer, _admin) = people(5).await;
    for (one, other, told) in [
        ("rename = {age = \"years\"}", "alter = {age = {required = true}}", "people.age"),
        ("add = [{name = \"x\", type = \"text\"}]", "add = [{name = \"x\", type = \"integer\"}]", "people.x"),
        ("drop = [\"age\"]", "drop = [\"age\"]", "people.age"),
        ("access = {list = [\"anyone\"]}", "access = {list = [\"nobody\"]}", "people.access to list"),
        ("alter = {kind = {add_choices = [\"c\"]}}", "alter = {kind = {add_choices = [\"c\"]}}", "the choice c"),
        (
            "alter = {kind = {drop_choices = [\"b\"]}}",
            "alter = {kind = {rename_choices = {b = \"c\"}}}",
            "the choice b",
        ),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        write(
            dir,
            "people/0001_initial.toml",
            "[[steps]]\ncreate = \"people\"\nfields = [{name = \"age\", type = \"text\"}, {name = \"kind\", type = \"choice\", choices = [\"a\", \"b\"]}]\n",
        );
        write(dir, "people/0002_one.toml", &format!("{BASE}{one}\n"));
        write(dir, "people/0002_other.toml", &format!("{BASE}{other}\n"));
        let said = refused(&coffer.base, dir, &["make", "people", "--merge"]);
        assert!(said.contains(told) && said.contains("people/0002_one"), "{one} {other}: {said}");
        assert!(!dir.join("people/0003_merge.toml").exists());
    }
}
