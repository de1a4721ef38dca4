//! What cells, rows and files are taken for, and what is told where they are none of it.

use std::fs;

use reqwest::{Method, header::CONTENT_TYPE};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::import::{run, send, words};
use crate::support::{Answer, Client};

async fn csv(client: &Client, query: &str, body: &str) -> Answer {
    send(client, query, "text/csv", body.to_owned()).await
}

#[tokio::test]
async fn with_commas_before_decimals_a_point_stands_between_thousands_alone() {
    let (_coffer, admin) = words().await;
    let refused = csv(&admin, "decimal=comma", "word;unit_price\na;1.5\nb;1234.50\nc;1,5\n").await.refused(400);
    let places: Vec<&String> = refused.errors.0.keys().filter(|place| place.contains("unit_price")).collect();
    assert_eq!(places, ["2.unit_price", "3.unit_price"]);
    assert!(refused.errors.messages("2.unit_price").any(|told| told.contains("between thousands")), "{refused:?}");
    csv(&admin, "decimal=comma", "word;unit_price\na;1.500\nb;1.234,5\nc;7\n").await.is(200);
    let prices = admin.column("/api/records/words/?ordering=word", "unit_price").await;
    assert_eq!(prices, ["1500.00", "1234.50", "7.00"]);
    // What was left out is written as it stood there.
    let some = csv(&admin, "decimal=comma&on_error=skip", "word;unit_price\nx;1.5\n;2,5\ny;3,5\n").await.is(200);
    let file = admin.get(&format!("/api/operations/{}/rejected/", some["operation"].as_str().unwrap())).await.text();
    assert!(file.contains("\"x\",\"1.5\"") && file.contains("\"2,5\""), "{file}");
}

#[tokio::test]
async fn formats_of_days_that_say_no_day_are_refused() {
    let (_coffer, admin) = words().await;
    for dates in ["foo", "TT.MM.JJJJ", "DD.MM", "DD.MM.YYYY,hh:mm"] {
        let refused = csv(&admin, &format!("dates={dates}"), "word,day\na,24.12.2026\n").await.refused(400);
        assert!(refused.errors.messages("dates").any(|told| told.contains("YYYY, MM and DD")), "{refused:?}");
        let request = admin.request(Method::POST, &format!("/api/guess/?dates={dates}"));
        Answer::of(request.header(CONTENT_TYPE, "text/csv").body("a\n1\n")).await.refused(400);
    }
    csv(&admin, "dates=D.M.YYYY", "word,day\na,24.12.2026\n").await.is(200);
}

#[tokio::test]
async fn rows_of_nothing_are_passed_over_and_counted() {
    let (_coffer, admin) = words().await;
    // Where something has to be there, and where nothing has.
    admin
        .collection(
            "free",
            json!([{"name": "word", "type": "text"}, {"name": "note", "type": "text", "nullable": true}]),
        )
        .await;
    let file = "word;note\n;\na;x\n;;\n\n;\"\"\n";
    for (collection, created) in [("free", 2), ("words", 1)] {
        let request = admin.request(Method::POST, &format!("/api/records/{collection}/import/?on_error=skip"));
        let done = Answer::of(request.header(CONTENT_TYPE, "text/csv").body(file)).await.is(200);
        assert_eq!((&done["read"]["empty"], &done["created"]), (&json!(2), &json!(created)), "{done}");
    }
}

#[tokio::test]
async fn what_is_too_large_is_refused_before_it_comes() {
    let (coffer, admin) = words().await;
    let (address, token) = (coffer.base.strip_prefix("http://").unwrap(), admin.access.clone().unwrap());
    for path in ["/api/records/words/import/", "/api/guess/"] {
        let mut line = tokio::net::TcpStream::connect(address).await.unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\ncontent-type: text/csv"
        );
        line.write_all(format!("{head}\r\ncontent-length: {}\r\n\r\nword\n", 2_u64 << 30).as_bytes()).await.unwrap();
        let mut told = vec![0; 4096];
        let read = line.read(&mut told).await.unwrap();
        let told = String::from_utf8_lossy(&told[..read]).into_owned();
        assert!(told.starts_with("HTTP/1.1 413 "), "{told}");
    }
    let utf_32: Vec<u8> = "word\na\n".chars().flat_map(|c| (c as u32).to_le_bytes()).collect();
    let refused = send(&admin, "", "text/csv", utf_32).await.refused(400);
    assert!(refused.errors.in_words().contains("UTF-32"), "{refused:?}");
}

#[tokio::test]
async fn a_broken_line_of_json_is_kept_as_it_stands() {
    let (_coffer, admin) = words().await;
    let lines = "{\"word\": \"a\"}\n{\"word\": \"b\", oops\n[1]\n";
    let some = send(&admin, "on_error=skip", "application/x-ndjson", lines).await.is(200);
    assert_eq!((&some["created"], &some["rejected"]), (&json!(1), &json!(2)));
    let file = admin.get(&format!("/api/operations/{}/rejected/", some["operation"].as_str().unwrap())).await.text();
    assert!(file.contains("{\"\"word\"\": \"\"b\"\", oops") && file.contains("\"[1]\""), "{file}");
}

#[tokio::test]
async fn rows_left_out_have_marks_where_their_file_is_read_so() {
    let (coffer, admin) = words().await;
    let folder = tempfile::tempdir().unwrap();
    let (write, read) = (
        |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap(),
        |name: &str| fs::read_to_string(folder.path().join(name)).unwrap(),
    );
    let import = |arguments: &[&str]| run(&coffer, folder.path(), arguments);
    write("in.spreadsheet.csv", "word,note,unit_price\n'=a,'-b,x\n");
    write("in.csv", "word,note,unit_price\n=c,'=d,x\n");
    for (from, to, marked) in [
        ("in.spreadsheet.csv", "out.csv", "\"=a\",\"-b\",\"x\""),
        ("in.spreadsheet.csv", "out.spreadsheet.csv", "\"'=a\",\"'-b\",\"x\""),
        ("in.csv", "out.csv", "\"=c\",\"'=d\",\"x\""),
        ("in.csv", "out.spreadsheet.csv", "\"'=c\",\"''=d\",\"x\""),
    ] {
        let told = import(&[from, "--rejected", to, "--again"]);
        assert!(told.contains("1 row was left out"), "{told}");
        assert!(read(to).ends_with(&format!("{marked}\n")), "{from} {to}: {}", read(to));
        // Mended, it comes in as it was.
        write(to, &read(to).replace("\"x\"", "\"1\""));
        let told = import(&[to, "--again"]);
        assert!(told.contains("1 made"), "{told}");
        let row = admin.get("/api/records/words/").await.is(200)["results"][0].clone();
        let expected = if from == "in.csv" { ["=c", "'=d"] } else { ["=a", "-b"] };
        assert_eq!([row["word"].as_str().unwrap(), row["note"].as_str().unwrap()], expected, "{from} {to}");
        admin.delete("/api/records/words/?all=true&max=9").await.is(200);
    }
}

#[tokio::test]
async fn a_value_that_somebody_else_has_unseen_is_its_rows_fault() {
    let (coffer, admin) = words().await;
    let own = json!({"list": ["owner"], "view": ["owner"], "create": ["signed_in"], "update": ["owner"]});
    admin.patch("/api/collections/words/", &json!({"access": own})).await.is(200);
    admin.record("words", json!({"word": "hidden"})).await;
    let bob = coffer.user(&admin, "bob", json!({})).await;
    let file = "word\na\nhidden\nb\n";
    let refused = csv(&bob, "", file).await.refused(400);
    let told: Vec<&str> = refused.errors.messages("3.non_field_errors").collect();
    assert!(told.len() == 1 && told[0].contains("taken already"), "{refused:?}");
    assert_eq!(bob.get("/api/records/words/").await.is(200)["count"], 0);
    for query in ["dry_run=true", "on_error=skip", "key=word&on_conflict=update&on_error=skip"] {
        let done = csv(&bob, query, file).await.is(200);
        assert_eq!((&done["rejected"], &done["faults"][0]["row"]), (&json!(1), &json!(3)), "{query}: {done}");
    }
    assert_eq!(bob.get("/api/records/words/").await.is(200)["count"], 2);
    // Each is a guess, and after some of them one has to wait.
    let many = (0..12).map(|n| format!("hidden{n}\n")).collect::<Vec<_>>().concat();
    let rows: Vec<Value> = (0..12).map(|n| json!({"word": format!("hidden{n}")})).collect();
    admin.post("/api/records/words/", &json!(rows)).await.is(201);
    csv(&bob, "dry_run=true", &format!("word\n{many}")).await.refused(429);
    csv(&bob, "", "word\nfree\n").await.refused(429);
    assert!(admin.get("/api/changes/").await.text().contains("values_guessed"));
}

#[tokio::test]
async fn two_rows_that_are_one_with_their_new_owner_are_told_by_row() {
    let (coffer, admin) = words().await;
    let indexes = json!([{"fields": ["owner", "note"], "unique": true}]);
    admin.patch("/api/collections/words/", &json!({"indexes": indexes})).await.is(200);
    let bob = coffer.user(&admin, "bob", json!({})).await;
    let refused = csv(&bob, "", "word,note\na,x\nb,x\n").await.refused(400);
    assert!(refused.errors.0.keys().any(|place| place.starts_with("3.")), "{refused:?}");
    let done = csv(&bob, "on_error=skip", "word,note\na,x\nb,x\nc,y\n").await.is(200);
    assert_eq!((&done["created"], &done["rejected"]), (&json!(2), &json!(1)));
    let file = "word,note,owner\nd,x,bob\ne,x,\nf,y,\n";
    assert_eq!(csv(&admin, "on_error=skip", file).await.is(200)["rejected"], 1);
}
