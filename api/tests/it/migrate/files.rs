//! The command, over files: recorded and planned, applied elsewhere, taken back, and told where files and server differ.

use std::fs;

use serde_json::json;

use super::{bytes, migrate, migrated, people, refused, write};
use crate::support::{
    Coffer, PASSWORD,
    server::{Server, coffer, said, serve_with_cheap_passwords},
};

#[tokio::test]
async fn what_was_made_by_hand_is_recorded_and_applied_elsewhere() {
    let (laptop, admin) = Coffer::with_admin().await;
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("migrations");
    admin.collection("makers", json!([{"name": "name", "type": "text", "unique": true}])).await;
    let fields =
        json!([{"name": "title", "type": "text"}, {"name": "maker", "type": "reference", "collection": "makers"}]);
    admin.collection("snacks", fields).await;
    migrated(&laptop.base, &dir, &["make"]);
    assert_eq!(
        migrated(&laptop.base, &dir, &["show"]),
        "makers\n [x] 0001_initial  (noted, not done)\nsnacks\n [x] 0001_initial  (noted, not done)\n"
    );
    let text = fs::read_to_string(dir.join("snacks/0001_initial.toml")).unwrap();
    assert!(
        text.starts_with("after = [\n    \"makers/0001_initial\",\n]\n\n[[steps]]\ncreate = \"snacks\"\n"),
        "{text}"
    );
    migrated(&laptop.base, &dir, &["check"]);
    // By hand: a new name, a new field, another choice of rules, an index, a path.
    admin.patch("/api/collections/snacks/fields/title/", &json!({"name": "label", "indexed": true})).await.is(200);
    admin
        .post(
            "/api/collections/snacks/fields/",
            &json!({"name": "price", "type": "decimal", "places": 2, "required": true, "value": "0"}),
        )
        .await
        .is(200);
    admin
        .patch(
            "/api/collections/snacks/",
            &json!({"access": {"list": ["anyone"]}, "indexes": [{"fields": ["maker", "price"]}]}),
        )
        .await
        .is(200);
    admin.post("/api/paths/", &json!({"path": "/v1/snacks/", "collection": "snacks"})).await.is(201);
    let drift = refused(&laptop.base, &dir, &["check"]);
    assert!(drift.contains("the server has what no file says: change snacks"), "{drift}");
    let made = migrated(&laptop.base, &dir, &["make", "snacks", "--name", "prices"]);
    assert!(made.contains("rename title to label"), "{made}");
    migrated(&laptop.base, &dir, &["check"]);
    assert!(migrated(&laptop.base, &dir, &["make"]).contains("Nothing is to be made"));

    // Elsewhere.
    let (staging, other) = Coffer::with_admin().await;
    let plan = migrated(&staging.base, &dir, &["plan"]);
    assert!(plan.contains("snacks/0002_prices"), "{plan}");
    assert!(refused(&staging.base, &dir, &["check"]).contains("snacks/0002_prices is not applied"));
    migrated(&staging.base, &dir, &["apply"]);
    migrated(&staging.base, &dir, &["check"]);
    let there = other.get("/api/collections/snacks/").await.is(200);
    let here = admin.get("/api/collections/snacks/").await.is(200);
    for member in ["access", "indexes", "history", "description"] {
        assert_eq!(there[member], here[member], "{member}");
    }
    assert_eq!(other.get("/api/paths/").await.is(200)["count"], 1);
    // Back, on the server where it was done, and on that where it was noted.
    for (coffer, client) in [(&staging, &other), (&laptop, &admin)] {
        migrated(&coffer.base, &dir, &["revert", "snacks", "0001"]);
        let back = client.get("/api/collections/snacks/").await.is(200);
        assert_eq!(back["fields"][0]["name"], "title");
        assert_eq!(back.get("indexes"), None);
        assert_eq!(client.get("/api/paths/").await.is(200)["count"], 0);
        migrated(&coffer.base, &dir, &["apply"]);
        migrated(&coffer.base, &dir, &["check"]);
    }
    migrated(&staging.base, &dir, &["revert", "makers", "zero"]);
    assert_eq!(migrated(&staging.base, &dir, &["show", "snacks"]), "snacks\n [ ] 0001_initial\n [ ] 0002_prices\n");
}

#[tokio::test]
async fn definitions_that_are_ahead_are_planned() {
    let (coffer, admin) = people(10).await;
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("migrations");
    migrated(&coffer.base, &dir, &["make"]);
    write(
        home.path(),
        "definitions/people.toml",
        "description = \"Who is who\"\n\
         [[fields]]\nname = \"name\"\ntype = \"text\"\nrequired = true\n\
         [[fields]]\nname = \"age\"\ntype = \"text\"\n\
         [[fields]]\nname = \"kind\"\ntype = \"choice\"\nchoices = [\"a\", \"b\", \"c\"]\n\
         [[fields]]\nname = \"first\"\ntype = \"text\"\n\
         [[fields]]\nname = \"last\"\ntype = \"text\"\n\
         [[paths]]\npath = \"/v1/people/\"\n",
    );
    let asked = refused(&coffer.base, &dir, &["make"]);
    assert!(asked.contains("--rename people.full_name=name"), "{asked}");
    let made = migrated(&coffer.base, &dir, &["make", "--rename", "full_name=name"]);
    assert!(made.contains("rename full_name to name") && made.contains("alter kind"), "{made}");
    assert!(refused(&coffer.base, &dir, &["check"]).contains("is not applied"));
    migrated(&coffer.base, &dir, &["apply", "people"]);
    migrated(&coffer.base, &dir, &["check"]);
    assert!(migrated(&coffer.base, &dir, &["make"]).contains("Nothing is to be made"));
    let people = admin.get("/api/records/people/?ordering=id").await.is(200);
    assert_eq!(people["results"][0]["name"], "Ada0 van Lovelace");
    assert_eq!(admin.get("/v1/people/").await.is(200)["count"], 10);
}

#[tokio::test]
async fn a_file_that_was_changed_after_it_was_applied_is_told() {
    let (coffer, _admin) = people(3).await;
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    migrated(&coffer.base, dir, &["make", "people"]);
    let made = migrated(&coffer.base, dir, &["make", "people", "--empty", "--name", "kinds"]);
    assert!(made.contains("0002_kinds.toml"), "{made}");
    let text = "after = [\"people/0001_initial\"]\n\n[[steps]]\nupdate = \"people\"\nwhere = \"kind = 'a'\"\nset = {kind = \"b\"}\n";
    write(dir, "people/0002_kinds.toml", text);
    migrated(&coffer.base, dir, &["apply"]);
    write(dir, "people/0002_kinds.toml", &format!("# A comment changes nothing.\n{text}"));
    migrated(&coffer.base, dir, &["check"]);
    write(dir, "people/0002_kinds.toml", &text.replace("'a'", "'b'"));
    assert!(
        refused(&coffer.base, dir, &["check"])
            .contains("the file of people/0002_kinds was changed after it was applied")
    );
    assert!(refused(&coffer.base, dir, &["apply"]).contains("was changed after it was applied"));
    assert!(migrated(&coffer.base, dir, &["show"]).contains("[x] 0002_kinds  (the file was changed since)"));
    write(dir, "people/0002_kinds.toml", text);
    assert!(refused(&coffer.base, dir, &["remove", "people", "0002"]).contains("is applied, so its file stays"));
    assert!(refused(&coffer.base, dir, &["remove", "people", "0001"]).contains("is applied"));
    migrated(&coffer.base, dir, &["revert", "people", "0001"]);
    migrated(&coffer.base, dir, &["remove", "people", "0002"]);
    migrated(&coffer.base, dir, &["check"]);
}

#[tokio::test]
async fn files_that_make_no_sense_are_refused_with_their_place() {
    let (coffer, _admin) = people(1).await;
    for (file, text, told) in [
        ("people/0001_a.toml", "after = [", "people/0001_a.toml"),
        ("people/first.toml", "", "four digits"),
        ("people/0001_a.toml", "after = [\"people/0009_z\"]", "stands on people/0009_z, which is not in"),
        ("people/0001_a.toml", "after = [\"people/0001_a\"]", "stands on itself"),
        ("people/0001_a.toml", "[[steps]]\nchange = \"people\"\nad = []", "ad"),
        ("People/0001_a.toml", "", "named after no collection"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), file, text);
        let said = refused(&coffer.base, dir.path(), &["plan"]);
        assert!(said.contains(told), "{file} {text}: {said}");
    }
    let said = said(&migrate(&coffer.base, std::path::Path::new("."), &["revert", "people"]));
    assert!(said.starts_with("2: "), "{said}");
}

#[tokio::test]
async fn a_stopped_store_is_migrated_without_a_server() {
    let home = tempfile::tempdir().unwrap();
    let (data, dir) = (home.path().join("data"), home.path().join("migrations"));
    let mut server = Server::spawn(&data, &mut serve_with_cheap_passwords(&data, &[]));
    let admin = server.set_up().await;
    super::fill(&admin, 2500).await;
    let before = bytes(&admin, "people").await;
    server.stop();
    let dir_text = dir.to_str().unwrap();
    let run = |arguments: &[&str]| {
        let arguments: Vec<&str> = ["migrate"].iter().chain(arguments).copied().chain(["--dir", dir_text]).collect();
        let said = said(&coffer(&arguments, &data));
        assert!(said.starts_with("0: "), "{arguments:?}: {said}");
        said
    };
    run(&["make"]);
    write(
        &dir,
        "people/0002_split.toml",
        "after = [\"people/0001_initial\"]\n[[steps]]\nchange = \"people\"\n[steps.alter.age]\ntype = \"integer\"\nconvert = \"number\"\n\
         [[steps]]\nupdate = \"people\"\n[[steps.split]]\nfield = \"full_name\"\ninto = [\"first\", \"last\"]\n",
    );
    assert!(run(&["plan"]).contains("2\u{202f}500 records would change"));
    run(&["apply"]);
    run(&["check"]);
    let server = Server::spawn(&data, &mut serve_with_cheap_passwords(&data, &[]));
    let admin = server.sign_in(crate::support::ADMIN).await;
    assert!(
        bytes(&admin, "people").await.contains("\"age\":7,\"kind\":\"b\",\"first\":\"Ada7\",\"last\":\"van Lovelace\"")
    );
    server.stop();
    run(&["revert", "people", "0001"]);
    let server = Server::spawn(&data, &mut serve_with_cheap_passwords(&data, &[]));
    let admin = server.sign_in(crate::support::ADMIN).await;
    assert_eq!(bytes(&admin, "people").await, before);
    server.stop();
    assert!(said(&coffer(&["check"], &data)).starts_with("0: "));
    assert!(!PASSWORD.is_empty());
}

#[tokio::test]
async fn what_no_definition_says_of_a_change_by_hand_is_in_the_file() {
    let (laptop, admin) = people(6).await;
    let (staging, other) = people(6).await;
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    migrated(&laptop.base, dir, &["make"]);
    migrated(&staging.base, dir, &["apply", "people", "0001", "--record"]);
    let field = |name: &str| format!("/api/collections/people/fields/{name}/");
    admin.patch(&field("age"), &json!({"type": "integer", "convert": "number"})).await.is(200);
    admin.patch(&field("kind"), &json!({"rename": {"a": "alpha"}})).await.is(200);
    let stock = json!({"name": "stock", "type": "integer", "required": true, "value": 0});
    admin.post("/api/collections/people/fields/", &stock).await.is(200);
    migrated(&laptop.base, dir, &["make"]);
    migrated(&staging.base, dir, &["apply"]);
    migrated(&staging.base, dir, &["check"]);
    let values = |text: String| -> Vec<String> {
        let values = |line: &str| line.split_once(',').unwrap().1.split_once(",\"created_at\"").unwrap().0.to_owned();
        text.lines().map(values).collect()
    };
    assert_eq!(values(bytes(&other, "people").await), values(bytes(&admin, "people").await));
    // A later change does not say again what an earlier one did.
    admin.patch(&field("age"), &json!({"max": 200})).await.is(200);
    migrated(&laptop.base, dir, &["make", "--name", "limit"]);
    let text = fs::read_to_string(dir.join("people/0003_limit.toml")).unwrap();
    assert!(text.ends_with("[steps.alter.age]\nmax = 200\n"), "{text}");
}

#[tokio::test]
async fn files_write_themselves_and_those_that_are_missing_are_made_good() {
    let home = tempfile::tempdir().unwrap();
    let (data, dir) = (home.path().join("data"), home.path().join("migrations"));
    let auto = ["--auto", dir.to_str().unwrap()];
    let start = || Server::spawn(&data, &mut serve_with_cheap_passwords(&data, &auto));
    let appears = async |file: &str| {
        for _ in 0..400 {
            if dir.join(file).exists() {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        panic!("{file} was not written");
    };
    let mut server = start();
    let admin = server.set_up().await;
    admin.collection("snacks", json!([{"name": "title", "type": "text"}])).await;
    appears("snacks/0001_initial.toml").await;
    admin.patch("/api/collections/snacks/fields/title/", &json!({"name": "label"})).await.is(200);
    appears("snacks/0002_rename_title_label.toml").await;
    migrated(&server.base, &dir, &["check"]);
    // Killed between the store's note and the file, and once before either.
    drop(server);
    fs::remove_file(dir.join("snacks/0002_rename_title_label.toml")).unwrap();
    let server = Server::spawn(&data, &mut serve_with_cheap_passwords(&data, &[]));
    let admin = server.sign_in(crate::support::ADMIN).await;
    admin.post("/api/collections/snacks/fields/", &json!({"name": "price", "type": "integer"})).await.is(200);
    drop(server);
    let server = start();
    appears("snacks/0002_rename_title_label.toml").await;
    appears("snacks/0003_add_price.toml").await;
    migrated(&server.base, &dir, &["check"]);
    // Files that are ahead: a change by hand is told, and nothing is written.
    write(
        &dir,
        "snacks/0004_ahead.toml",
        "after = [\"snacks/0003_add_price\"]\n[[steps]]\nchange = \"snacks\"\ndrop = [\"price\"]\n",
    );
    let admin = server.sign_in(crate::support::ADMIN).await;
    admin.post("/api/collections/snacks/fields/", &json!({"name": "kind", "type": "text"})).await.is(200);
    let is_told = || server.log().contains("snacks/0004_ahead is not applied, and a collection was changed by hand");
    for _ in 0..400 {
        if is_told() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    assert!(is_told());
    assert_eq!(fs::read_dir(dir.join("snacks")).unwrap().count(), 4);
}

#[tokio::test]
async fn ids_that_are_numbers_are_recorded_planned_and_applied() {
    let (laptop, admin) = Coffer::with_admin().await;
    let dir = tempfile::tempdir().unwrap();
    let (dir, definitions) = (dir.path().join("migrations"), dir.path().join("definitions"));
    let field = json!([{"name": "title", "type": "text"}]);
    admin.post("/api/collections/", &json!({"name": "posts", "ids": "integer", "fields": field})).await.is(201);
    migrated(&laptop.base, &dir, &["make"]);
    let (staging, other) = Coffer::with_admin().await;
    migrated(&staging.base, &dir, &["apply"]);
    assert_eq!(other.get("/api/collections/posts/").await.is(200)["ids"], "integer");
    assert_eq!(other.record("posts", json!({})).await["id"], 1);
    migrated(&staging.base, &dir, &["check"]);

    // By hand while it is empty, and by a folder of definitions, in which what is not said stays.
    admin.patch("/api/collections/posts/", &json!({"ids": "uuid"})).await.is(200);
    let made = migrated(&laptop.base, &dir, &["make"]);
    assert!(made.contains("posts: ids"), "{made}");
    admin.patch("/api/collections/posts/", &json!({"ids": "integer"})).await.is(200);
    migrated(&laptop.base, &dir, &["make"]);
    write(&definitions, "posts.toml", "[[fields]]\nname = \"title\"\ntype = \"text\"\n");
    assert!(migrated(&laptop.base, &dir, &["make"]).contains("Nothing is to be made"));
    // Where there are records, the ids stay as they are.
    assert!(refused(&staging.base, &dir, &["apply"]).contains("ids"));
}
