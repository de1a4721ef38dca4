//! Exports: all rows as they are, under the caller's rules, and what a spreadsheet program would run made harmless.

use std::{io::Write as _, process::Stdio};

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{ADMIN, Answer, Client, Coffer, PASSWORD, command, server::said};

/// Texts that are read as something else where they are written carelessly.
pub(crate) const HOSTILE: [&str; 16] = [
    "",
    "plain",
    "a,b;c\td",
    "say \"hi\"",
    "\"",
    "two\nlines",
    "=1+1",
    "+cmd|' /C calc'!A0",
    "-3",
    "@sum",
    "'=1",
    "''x",
    "null",
    "007",
    "\u{202e}ⅷ é ß 😀",
    "1e3",
];

async fn export(client: &Client, query: &str) -> Answer {
    client.get(&format!("/api/records/snacks/export/?{query}")).await
}

async fn snacks() -> (Coffer, Client) {
    let (coffer, admin) = Coffer::with_admin().await;
    admin.collection("makers", json!([{"name": "name", "type": "text", "unique": true}])).await;
    let fields = json!([
        {"name": "title", "type": "text", "multiline": true},
        {"name": "note", "type": "text", "multiline": true, "nullable": true},
        {"name": "price", "type": "decimal", "places": 2, "nullable": true},
        {"name": "maker", "type": "reference", "collection": "makers", "nullable": true},
        {"name": "data", "type": "json", "nullable": true},
    ]);
    admin.collection("snacks", fields).await;
    (coffer, admin)
}

#[tokio::test]
async fn rows_go_out_in_each_format_with_what_their_reader_may_see() {
    let (coffer, admin) = snacks().await;
    let maker = admin.record("makers", json!({"name": "Golden"})).await;
    let row = json!({"title": "a,b", "note": "", "price": "1.50", "maker": maker["id"], "data": "x"});
    let first = admin.record("snacks", row).await;
    admin.record("snacks", json!({"title": ""})).await;

    let csv = export(&admin, "format=csv&fields=title,note,price,data&ordering=created_at").await;
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(csv.header("content-disposition"), "attachment; filename=\"snacks.csv\"");
    assert_eq!(csv.text(), "title,note,price,data\n\"a,b\",\"\",1.50,\"\"\"x\"\"\"\n\"\",,,\n");
    let tsv = export(&admin, "format=tsv&fields=title,price&price__gt=1").await;
    assert_eq!(
        (tsv.header("content-type"), tsv.text().as_str()),
        ("text/tab-separated-values; charset=utf-8", "title\tprice\n\"a,b\"\t1.50\n")
    );
    // All that an admin may set comes along, and nothing that nobody may.
    let all = export(&admin, "").await.is(200);
    let names: Vec<&String> = all[0].as_object().unwrap().keys().collect();
    assert_eq!(names, ["id", "title", "note", "price", "maker", "data", "owner", "created_at", "updated_at"]);
    assert_eq!(all[0]["id"], first["id"]);
    let lines = export(&admin, "format=ndjson").await;
    assert_eq!(lines.header("content-type"), "application/x-ndjson");
    assert_eq!(
        lines.text().lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).collect::<Vec<_>>(),
        *all.as_array().unwrap()
    );
    assert_eq!(export(&admin, "price__gt=100").await.text(), "[]\n");
    let expanded = export(&admin, "format=csv&fields=title,maker&expand=maker&price__gt=1").await.text();
    assert_eq!(expanded, format!("title,maker.id,maker.name\n\"a,b\",{},Golden\n", maker["id"].as_str().unwrap()));

    // What a client accepts decides where nothing is said.
    let request = admin.request(Method::GET, "/api/records/snacks/export/").header("accept", "text/csv");
    assert!(Answer::of(request).await.text().starts_with("id,title,"));
    let request = admin.request(Method::GET, "/api/records/snacks/export/?format=json").header("accept", "text/csv");
    assert_eq!(Answer::of(request).await.header("content-type"), "application/json");

    let bob = coffer.user(&admin, "bob", json!({})).await;
    let names: Vec<String> = export(&bob, "").await.is(200)[0].as_object().unwrap().keys().cloned().collect();
    assert_eq!(names, ["title", "note", "price", "maker", "data"]);
    admin.patch("/api/collections/snacks/", &json!({"access": {"list": ["owner"], "view": ["owner"]}})).await.is(200);
    assert_eq!(export(&bob, "").await.text(), "[]\n");
    admin.patch("/api/collections/snacks/", &json!({"access": {"list": ["nobody"], "view": ["nobody"]}})).await.is(200);
    export(&bob, "").await.refused(404);
    coffer.stranger().get("/api/records/snacks/export/").await.refused(401);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_by_name() {
    let (_coffer, admin) = snacks().await;
    for (query, place) in [
        ("format=xlsx", "format"),
        ("page=2", "page"),
        ("limit=2", "limit"),
        ("nothing=2", "nothing"),
        ("for=excel", "for"),
        ("format=ndjson&for=spreadsheet", "for"),
        ("fields=nothing", "fields"),
        ("expand=title", "expand"),
    ] {
        assert!(export(&admin, query).await.refused(400).errors.0.contains_key(place), "{query}");
    }
}

#[tokio::test]
async fn an_export_for_a_spreadsheet_holds_no_formula_and_says_what_it_is() {
    let (_coffer, admin) = snacks().await;
    let rows: Vec<Value> = HOSTILE.iter().map(|text| json!({"title": text, "price": "-1.00"})).collect();
    admin.post("/api/records/snacks/", &json!(rows)).await.is(201);
    let sheet = export(&admin, "format=csv&for=spreadsheet&fields=title,price").await;
    assert_eq!(sheet.header("content-disposition"), "attachment; filename=\"snacks.spreadsheet.csv\"");
    let text = sheet.text();
    let lines = text.strip_prefix('\u{feff}').unwrap();
    for formula in ["=1+1", "+cmd", "-3", "@sum", "'=1"] {
        assert!(lines.contains(&format!("'{formula}")), "{formula}: {lines}");
    }
    // A number is one.
    assert!(lines.contains(",-1.00\n") && !lines.contains("'-1.00"));
    assert!(!export(&admin, "format=csv&fields=title").await.text().contains("'=1+1"));
    // Where no format is said it is one that a spreadsheet program reads, whatever else the client accepts.
    let accepting = async |accept: &str| {
        let address = "/api/records/snacks/export/?for=spreadsheet&fields=title";
        let answer = Answer::of(admin.request(Method::GET, address).header("accept", accept)).await;
        (answer.status, answer.header("content-disposition").to_owned(), answer.text().contains("'=1+1"))
    };
    let called = |ending: &str| (200, format!("attachment; filename=\"snacks.spreadsheet.{ending}\""), true);
    for accept in ["*/*", "application/json", "application/x-ndjson, */*;q=0.1"] {
        assert_eq!(accepting(accept).await, called("csv"), "{accept}");
    }
    assert_eq!(accepting("text/tab-separated-values").await, called("tsv"));
    let refused = export(&admin, "format=json&for=spreadsheet").await.refused(400);
    assert_eq!(refused.errors.messages("for").next(), Some("A spreadsheet reads csv or tsv."));
}

#[tokio::test]
async fn the_command_writes_a_file_or_leaves_the_old_one() {
    let (coffer, admin) = snacks().await;
    admin
        .post("/api/records/snacks/", &json!([{"title": "Nuts", "price": 3}, {"title": "Corn", "price": 1}]))
        .await
        .is(201);
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let mut command = command();
        command.current_dir(folder.path()).arg("export").args(arguments);
        command.args(["--server", &coffer.base, "--user", ADMIN, "--password-stdin"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        writeln!(child.stdin.take().unwrap(), "{PASSWORD}").unwrap();
        said(&child.wait_with_output().unwrap())
    };
    assert_eq!(
        run(&["snacks", "--fields", "title,price", "--ordering", "-price"]),
        "0: title,price\nNuts,3.00\nCorn,1.00\n"
    );
    assert_eq!(run(&["snacks", "--fields", "title", "--filter", "price < 2", "--output", "out.ndjson"]), "0: ");
    let file = folder.path().join("out.ndjson");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "{\"title\":\"Corn\"}\n");
    let refused = run(&["nothing", "--output", "out.ndjson"]);
    assert!(refused.starts_with("5: coffer: ") && refused.contains("404"), "{refused}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "{\"title\":\"Corn\"}\n");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}
