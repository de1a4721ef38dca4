//! Erasing: what is erased is in no answer, no backup and, after a compaction, nowhere on the disk.

use std::{fs, path::Path, time::Duration};

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    ADMIN, Answer, Client, Coffer, PASSWORD, path,
    server::{Server, coffer, said},
    text,
};

async fn erase(admin: &Client, what: Value) {
    let begun = admin.post("/api/changes/erase/", &what).await.is(202);
    let address = format!("/api/operations/{}/", text(&begun, "id"));
    for _ in 0..400 {
        let operation = admin.get(&address).await.is(200);
        assert!(!operation.to_string().contains("SECRET"), "{operation}");
        match operation["state"].as_str().unwrap() {
            "done" => return,
            "failed" => panic!("{operation}"),
            _ => tokio::time::sleep(Duration::from_millis(25)).await,
        }
    }
    panic!("erasing does not end");
}

/// Everything that the journal says.
async fn journal(admin: &Client) -> String {
    let (mut all, mut next) = (String::new(), "/api/changes/".to_owned());
    loop {
        let page = admin.get(&next).await.is(200);
        all.push_str(&page["results"].to_string());
        match page["next"].as_str() {
            Some(address) => next = address.strip_prefix(&admin.base).unwrap().to_owned(),
            None => return all,
        }
    }
}

/// Whether a text stands in any file below a directory, as it is.
fn is_on_disk(dir: &Path, text: &str) -> bool {
    fs::read_dir(dir).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return is_on_disk(&path, text);
        }
        let bytes = fs::read(&path).unwrap_or_default();
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    })
}

#[tokio::test]
async fn what_is_erased_is_nowhere() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut server = Server::start(&data, &[]);
    let admin = server.set_up().await;
    let fields = json!([{"name": "title", "type": "text"}, {"name": "phone", "type": "text"}]);
    admin.collection("people", fields).await;
    let body = json!({"username": "SECRETname", "password": PASSWORD, "email": "SECRETmail@example.org"});
    let user = admin.post("/api/users/", &body).await.is(201);
    let ulla = server.sign_in("SECRETname").await;

    let record = ulla.record("people", json!({"title": "SECRETfirst", "phone": "1"})).await;
    ulla.patch(&path("people", &record), &json!({"title": "SECRETsecond"})).await.is(200);
    let gone = ulla.record("people", json!({"title": "SECRETgone", "phone": "2"})).await;
    let deleted = ulla.delete(&path("people", &gone)).await;
    let deletion = deleted.header("operation").to_owned();
    deleted.is(204);
    let other = ulla.record("people", json!({"title": "kept", "phone": "SECRETphone"})).await;
    ulla.patch(&path("people", &other), &json!({"title": "kept too"})).await.is(200);
    ulla.patch(&path("people", &other), &json!({"phone": "3"})).await.is(200);

    ulla.post("/api/changes/erase/", &json!({"user": {"id": user["id"]}})).await.refused(403);
    admin
        .post("/api/changes/erase/", &json!({"record": {"collection": "people", "id": user["id"]}}))
        .await
        .refused(404);
    for record in [&record, &gone] {
        erase(&admin, json!({"record": {"collection": "people", "id": record["id"]}})).await;
        admin.get(&path("people", record)).await.refused(404);
        admin.get(&format!("{}history/", path("people", record))).await.refused(404);
        let back = format!("{}history/{}/restore/", path("people", record), record["revision"]);
        admin.post(&back, &json!({})).await.refused(404);
    }
    admin.post(&format!("/api/changes/{deletion}/revert/"), &json!({})).await.refused(410);
    // Old values stand under the name of their time; another field has that name since.
    admin.patch("/api/collections/people/fields/phone/", &json!({"name": "mobile"})).await.is(200);
    admin.post("/api/collections/people/fields/", &json!({"name": "phone", "type": "text"})).await;
    ulla.patch(&path("people", &other), &json!({"phone": "of the new field"})).await.is(200);
    ulla.patch(&path("people", &other), &json!({"phone": "of the new field, later"})).await.is(200);
    erase(&admin, json!({"field": {"collection": "people", "name": "mobile"}})).await;
    let versions = admin.get(&format!("{}history/", path("people", &other))).await.is(200);
    assert_eq!(versions["results"][1]["after"]["phone"], "of the new field", "{versions}");
    admin
        .patch(
            "/api/collections/people/?drop=phone",
            &json!({"fields": [{"name": "title", "type": "text"}, {"name": "mobile", "type": "text"}]}),
        )
        .await
        .is(200);
    admin.patch("/api/collections/people/fields/mobile/", &json!({"name": "telephone"})).await.is(200);
    let versions = admin.get(&format!("{}history/", path("people", &other))).await.is(200);
    let versions = versions["results"].as_array().unwrap();
    assert_eq!((versions.len(), &versions[0]["after"]["telephone"]), (5, &json!("3")));
    assert!(versions[4]["after"].get("telephone").is_none(), "an old value is no longer known: {}", versions[4]);
    erase(&admin, json!({"user": {"id": user["id"]}})).await;
    admin.get(&format!("/api/users/{}/", text(&user, "id"))).await.refused(404);
    ulla.get("/api/users/me/").await.refused(401);

    let said_of_it = journal(&admin).await;
    assert!(!said_of_it.contains("SECRET"), "{said_of_it}");
    assert_eq!(said_of_it.matches("\"kind\":\"erase\"").count(), 4, "that it was done is told");
    let backup = admin.get("/api/backup/").await;
    assert_eq!(backup.status, 200);
    fs::write(dir.path().join("coffer.backup"), &backup.body).unwrap();
    admin.post("/api/storage/compact/", &json!({})).await.is(200);
    server.stop();
    let checked = said(&coffer(&["check"], &data));
    assert!(checked.starts_with("0: Everything fits together"), "{checked}");
    assert!(!is_on_disk(&data.join("store"), "SECRET"), "it is still in the store's files");

    let restored = dir.path().join("restored");
    let backup = dir.path().join("coffer.backup");
    let told = said(&coffer(&["restore", backup.to_str().unwrap()], &restored));
    assert!(told.starts_with("0: "), "{told}");
    let server = Server::start(&restored, &[]);
    let admin = server.sign_in(ADMIN).await;
    assert!(!journal(&admin).await.contains("SECRET"));
    let page = admin.get("/api/records/people/").await.is(200);
    assert_eq!((&page["count"], &page["results"][0]["telephone"]), (&json!(1), &json!("3")));
    server.stop();
}

#[tokio::test]
async fn what_went_with_its_collection_is_erased_too() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let fields = json!([{"name": "title", "type": "text"}, {"name": "phone", "type": "text"}]);
    admin.collection("people", fields.clone()).await;
    let record = admin.record("people", json!({"title": "SECRETtitle", "phone": "SECRETphone"})).await;
    let other = admin.record("people", json!({"title": "other", "phone": "SECRETphone too"})).await;
    admin.patch("/api/collections/people/fields/phone/", &json!({"name": "mobile"})).await.is(200);
    let delete = async || {
        let deleted = admin.delete("/api/collections/people/").await;
        deleted.is(204);
        format!("/api/changes/{}/revert/", deleted.header("operation"))
    };
    let back = delete().await;
    // Another collection has its name since.
    let another = admin.post("/api/collections/", &json!({"name": "people", "fields": fields})).await;
    let id = &record["id"];
    admin.post("/api/changes/erase/", &json!({"record": {"collection": "folk", "id": id}})).await.refused(404);
    admin.post(&format!("/api/changes/{}/revert/", another.header("operation")), &json!({})).await.is(200);
    erase(&admin, json!({"field": {"collection": "people", "name": "mobile"}})).await;
    assert!(!journal(&admin).await.contains("SECRETphone"));
    admin.post(&back, &json!({})).await.is(200);
    let read = admin.get(&path("people", &record)).await.is(200);
    assert_eq!((&read["title"], &read["mobile"]), (&json!("SECRETtitle"), &json!("")));
    let back = delete().await;
    erase(&admin, json!({"record": {"collection": "people", "id": id}})).await;
    assert!(!journal(&admin).await.contains("SECRET"));
    admin.post("/api/changes/erase/", &json!({"record": {"collection": "people", "id": id}})).await.refused(404);
    assert!(journal(&admin).await.contains(&text(&other, "id")));
    // All of it comes back or nothing.
    admin.post(&back, &json!({})).await.refused(410);
    admin.get("/api/collections/people/").await.refused(404);
}

/// A record keeps what it had in a field that was dropped, or converted, so that this can be undone.
#[tokio::test]
async fn what_records_keep_of_a_field_that_is_gone_is_erased_too() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let fields =
        json!([{"name": "ssn", "type": "text"}, {"name": "age", "type": "text"}, {"name": "n", "type": "integer"}]);
    admin.collection("people", fields).await;
    let mut made = Vec::new();
    for n in 0..3 {
        made.push(
            admin.record("people", json!({"ssn": format!("SECRET{n}"), "age": format!("SECRETage{n}"), "n": n})).await,
        );
    }
    let dropped = admin.delete("/api/collections/people/fields/ssn/?drop=ssn").await;
    let drop = dropped.header("operation").to_owned();
    // One is changed before, so that its history has it.
    admin.patch(&path("people", &made[0]), &json!({"n": 7})).await.is(200);
    let age = json!({"type": "integer", "nullable": true, "convert": "null"});
    let converted = admin.patch("/api/collections/people/fields/age/", &age).await;
    let conversion = converted.header("operation").to_owned();
    admin.patch(&path("people", &made[1]), &json!({"n": 8})).await.is(200);
    erase(&admin, json!({"field": {"collection": "people", "name": "ssn"}})).await;
    erase(&admin, json!({"field": {"collection": "people", "name": "age"}})).await;
    let said_of_it = journal(&admin).await;
    assert!(!said_of_it.contains("SECRET"), "{said_of_it}");
    for operation in [conversion, drop] {
        admin.post(&format!("/api/changes/{operation}/revert/?changed=overwrite"), &json!({})).await;
    }
    for record in &made {
        let read = admin.get(&path("people", record)).await.is(200);
        assert!(!read.to_string().contains("SECRET"), "{read}");
        let versions = admin.get(&format!("{}history/", path("people", record))).await.is(200);
        assert!(!versions.to_string().contains("SECRET"), "{versions}");
    }
}

/// A field may have been dropped, and another made under its name.
#[tokio::test]
async fn what_earlier_fields_of_a_name_were_is_erased_with_it() {
    let (_coffer, admin) = Coffer::with_admin().await;
    admin.collection("people", json!([{"name": "v", "type": "text"}, {"name": "n", "type": "integer"}])).await;
    let made = admin.record("people", json!({"v": "SECRET first", "n": 1})).await;
    let first = admin.delete("/api/collections/people/fields/v/").await;
    admin.post("/api/collections/people/fields/", &json!({"name": "v", "type": "text"})).await.is(200);
    admin.patch(&path("people", &made), &json!({"v": "SECRET second"})).await.is(200);
    admin.patch(&path("people", &made), &json!({"v": "no more"})).await.is(200);
    erase(&admin, json!({"field": {"collection": "people", "name": "v"}})).await;
    let said_of_it = journal(&admin).await;
    assert!(!said_of_it.contains("SECRET"), "{said_of_it}");
    admin.patch("/api/collections/people/fields/v/", &json!({"name": "w"})).await.is(200);
    let back = format!("/api/changes/{}/revert/?changed=overwrite", first.header("operation"));
    admin.post(&back, &json!({})).await;
    let read = admin.get(&path("people", &made)).await.is(200);
    assert!(!read.to_string().contains("SECRET"), "{read}");
    let unknown = json!({"field": {"collection": "people", "name": "vv"}});
    assert!(admin.post("/api/changes/erase/", &unknown).await.faults()[0].starts_with("field.name: "));
}

/// What was answered under a key is kept for a day.
#[tokio::test]
async fn answers_that_are_kept_for_who_asks_again_are_erased_too() {
    let (_coffer, admin) = Coffer::with_admin().await;
    admin.collection("people", json!([{"name": "v", "type": "text"}])).await;
    let send = async |key: &str, body: &Value| {
        let request = admin.request(Method::POST, "/api/records/people/").header("idempotency-key", key);
        Answer::of(request.header("content-type", "application/json").body(body.to_string())).await
    };
    let made = send("one", &json!({"v": "SECRET one"})).await.is(201);
    let other = send("two", &json!({"v": "SECRET two"})).await.is(201);
    erase(&admin, json!({"record": {"collection": "people", "id": made["id"]}})).await;
    assert!(!send("one", &json!({"v": "SECRET one"})).await.text().contains("SECRET"), "of the record that is erased");
    assert_eq!(send("two", &json!({"v": "SECRET two"})).await.is(201), other, "and of no other");
    admin.patch(&path("people", &other), &json!({"v": "no more"})).await.is(200);
    erase(&admin, json!({"field": {"collection": "people", "name": "v"}})).await;
    assert!(!send("two", &json!({"v": "SECRET two"})).await.text().contains("SECRET"));
}

/// Operations say what did not fit, an import keeps the rows that it left out, and a definition how it changed values.
#[tokio::test]
async fn what_operations_and_definitions_say_of_values_is_erased_too() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut server = Server::start(&data, &[]);
    let admin = server.set_up().await;
    let text_field = |name: &str| json!({"name": name, "type": "text"});
    admin.collection("people", json!([text_field("v"), text_field("s"), {"name": "n", "type": "integer"}])).await;
    let made = admin.record("people", json!({"v": "SECRETone", "s": "SECRETmap", "n": 1})).await;
    let other = admin.record("people", json!({"v": "a", "s": "b", "n": 2})).await;
    let fields = "/api/collections/people/fields/";
    // It does not fit, and the operation says so.
    let choice = json!({"type": "choice", "choices": ["a"]});
    let refused = admin.patch(&format!("{fields}v/"), &choice).await;
    assert!(refused.text().contains("SECRETone") && refused.status >= 400, "{}", refused.text());
    // Nor do rows of a file.
    let request = admin.request(Method::POST, "/api/records/people/import/?on_error=skip");
    let file = "v,s,n\nc,d,3\nSECRETrow,e,SECRETnumber\n";
    let imported = Answer::of(request.header("content-type", "text/csv").body(file)).await.is(200);
    let rejected = format!("/api/operations/{}/rejected/", text(&imported, "operation"));
    assert!(admin.get(&rejected).await.text().contains("SECRETrow"));
    // Values are replaced, and new fields have one.
    let map = json!({"convert": {"map": {"SECRETmap": "m"}}, "type": "text"});
    admin.patch(&format!("{fields}s/"), &map).await.is(200);
    admin.post(fields, &json!({"name": "w", "type": "text", "value": "SECRETvalue"})).await.is(200);
    let became = json!({"type": "integer", "nullable": true, "convert": [{"map": {"SECRETvalue": 7}}, {"default": 8}]});
    admin.patch(&format!("{fields}w/"), &became).await.is(200);
    admin.patch(&path("people", &made), &json!({"v": "a"})).await.is(200);
    let told = admin.get("/api/operations/").await.is(200).to_string();
    assert!(told.contains("SECRETone"), "{told}");

    for name in ["v", "s", "w", "n"] {
        erase(&admin, json!({"field": {"collection": "people", "name": name}})).await;
    }
    let told = admin.get("/api/operations/?page_size=1000").await.is(200).to_string();
    assert!(!told.contains("SECRET") && told.contains("erased"), "{told}");
    admin.get(&rejected).await.refused(404);
    let said_of_it = journal(&admin).await;
    assert!(!said_of_it.contains("SECRET"), "{said_of_it}");
    // What is there now stays.
    let read = admin.get(&path("people", &made)).await.is(200);
    assert_eq!((&read["v"], &read["s"], &read["w"], &read["n"]), (&json!("a"), &json!("m"), &json!(7), &json!(1)));
    let read = admin.get(&path("people", &other)).await.is(200);
    assert_eq!((&read["v"], &read["s"], &read["w"]), (&json!("a"), &json!("b"), &json!(7)));

    let backup = admin.get("/api/backup/").await;
    fs::write(dir.path().join("coffer.backup"), &backup.body).unwrap();
    admin.post("/api/storage/compact/", &json!({})).await.is(200);
    server.stop();
    let checked = said(&coffer(&["check"], &data));
    assert!(checked.starts_with("0: Everything fits together"), "{checked}");
    assert!(!is_on_disk(&data, "SECRET"), "it is still in the files");
    let restored = dir.path().join("restored");
    let backup = dir.path().join("coffer.backup");
    said(&coffer(&["restore", backup.to_str().unwrap()], &restored));
    assert!(!is_on_disk(&restored, "SECRET"), "it is in a new backup");
    server = Server::start(&restored, &[]);
    let admin = server.sign_in(ADMIN).await;
    let read = admin.get(&path("people", &other)).await.is(200);
    assert_eq!((&read["v"], &read["s"], &read["w"]), (&json!("a"), &json!("b"), &json!(7)));
    server.stop();
}

/// What somebody began says values too, and is theirs.
#[tokio::test]
async fn what_a_user_began_says_nothing_of_values_when_they_are_erased() {
    let (coffer, admin) = Coffer::with_admin().await;
    admin.collection("people", json!([{"name": "n", "type": "integer"}])).await;
    let ulla = coffer.user(&admin, "ulla", json!({})).await;
    let import = async |client: &Client, value: &str| {
        let request = client.request(Method::POST, "/api/records/people/import/?on_error=skip");
        let imported = Answer::of(request.header("content-type", "text/csv").body(format!("n\n{value}\n3\n"))).await;
        format!("/api/operations/{}/rejected/", text(&imported.is(200), "operation"))
    };
    let theirs = import(&ulla, "SECRETtheirs").await;
    let other = import(&admin, "of another").await;
    erase(&admin, json!({"user": {"id": ulla.id}})).await;
    admin.get(&theirs).await.refused(404);
    assert!(admin.get(&other).await.text().contains("of another"));
    let told = admin.get("/api/operations/").await.is(200).to_string();
    assert!(!told.contains("SECRET") && !told.contains(&ulla.id), "{told}");
}

/// Killed while it begins, it is either not begun or goes on.
#[tokio::test]
async fn what_is_erased_stays_or_goes_whole_when_the_server_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut server = Server::start(&data, &[]);
    let admin = server.set_up().await;
    admin.collection("people", json!([{"name": "v", "type": "text"}])).await;
    for round in 0..6_u64 {
        let admin = server.sign_in(ADMIN).await;
        let made = admin.record("people", json!({"v": "SECRET"})).await;
        let (at, id) = (path("people", &made), text(&made, "id"));
        let asked = json!({"record": {"collection": "people", "id": id}});
        let erasing = {
            let request = admin.request(Method::POST, "/api/changes/erase/").header("content-type", "application/json");
            // It may not be answered.
            tokio::spawn(request.body(asked.to_string()).send())
        };
        tokio::time::sleep(Duration::from_micros(400 * round)).await;
        drop(server); // SIGKILL
        drop(erasing.await.unwrap());
        server = Server::start(&data, &[]);
        let admin = server.sign_in(ADMIN).await;
        if admin.get(&at).await.status == 200 {
            continue;
        }
        while !admin.get("/api/operations/?state=running").await.is(200)["results"].as_array().unwrap().is_empty()
            || !admin.get("/api/operations/?state=waiting").await.is(200)["results"].as_array().unwrap().is_empty()
        {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let said_of_it = journal(&admin).await;
        assert!(!said_of_it.contains(&id), "round {round}: {said_of_it}");
    }
}

/// With the next compaction, whoever does it.
#[tokio::test]
async fn what_is_erased_goes_from_the_disk_while_no_server_runs() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut server = Server::start(&data, &[]);
    let admin = server.set_up().await;
    admin.collection("people", json!([{"name": "v", "type": "text"}])).await;
    let record = admin.record("people", json!({"v": "SECRETone"})).await;
    let dropped = admin.record("people", json!({"v": "SECRETtwo"})).await;
    admin.patch(&path("people", &dropped), &json!({"v": "harmless"})).await.is(200);
    let body = json!({"username": "SECRETname", "password": PASSWORD});
    let user = admin.post("/api/users/", &body).await.is(201);
    erase(&admin, json!({"record": {"collection": "people", "id": record["id"]}})).await;
    erase(&admin, json!({"field": {"collection": "people", "name": "v"}})).await;
    erase(&admin, json!({"user": {"id": user["id"]}})).await;
    server.stop();
    assert!(data.join("store/erased").exists());
    let told = said(&coffer(&["compact"], &data));
    assert!(told.starts_with("0: ") && !told.contains("What was erased"), "{told}");
    assert!(!is_on_disk(&data.join("store"), "SECRET"), "it is still in the store's files");
    assert!(!data.join("store/erased").exists());
}
