//! Files of records on their way in: whatever wrote them, all or nothing, or the good rows and a file of the others.

use std::{fs, io::Write as _, path::Path, process::Stdio};

use reqwest::{Method, header::CONTENT_TYPE};
use serde_json::{Value, json};

use super::export::HOSTILE;
use crate::support::{ADMIN, Answer, Client, Coffer, PASSWORD, command, server::said};

pub(super) async fn send(client: &Client, query: &str, kind: &str, body: impl Into<reqwest::Body>) -> Answer {
    let request = client.request(Method::POST, &format!("/api/records/words/import/?{query}"));
    Answer::of(request.header(CONTENT_TYPE, kind).body(body)).await
}

async fn csv(client: &Client, query: &str, body: impl Into<reqwest::Body>) -> Answer {
    send(client, query, "text/csv", body).await
}

pub(super) async fn words() -> (Coffer, Client) {
    let (coffer, admin) = Coffer::with_admin_and(&["--rate-limit", "off"]).await;
    admin.collection("makers", json!([{"name": "name", "type": "text", "unique": true}])).await;
    let fields = json!([
        {"name": "word", "type": "text", "required": true, "unique": true}, {"name": "note", "type": "text", "nullable": true, "multiline": true},
        {"name": "unit_price", "type": "decimal", "places": 2, "nullable": true}, {"name": "day", "type": "date", "nullable": true},
        {"name": "maker", "type": "reference", "collection": "makers", "nullable": true},
        {"name": "kinds", "type": "choice", "choices": ["a", "b", "c"], "many": true, "nullable": true},
        {"name": "data", "type": "json", "nullable": true},
    ]);
    admin.collection("words", fields).await;
    (coffer, admin)
}

async fn list(client: &Client, fields: &str) -> Vec<Value> {
    let page = client.get(&format!("/api/records/words/?ordering=word&page_size=1000&fields={fields}")).await.is(200);
    page["results"].as_array().unwrap().clone()
}

#[tokio::test]
async fn files_of_several_programs_and_encodings_are_read_as_what_they_are() {
    let (_coffer, admin) = words().await;
    admin.record("makers", json!({"name": "ACME"})).await;
    // A spreadsheet program in German: semicolons, commas before decimals, days with points, UTF-8 with a mark.
    let excel = "\u{feff}Wort;Unit Price;Day;Maker;Kinds\r\nGröße;1.234,50;24.12.2026;ACME;a,c\r\n\"zwei\r\nZeilen\";;;;\r\n;;;;\r\n";
    let read = csv(&admin, "map=Wort=word&decimal=comma&dates=DD.MM.YYYY", excel).await.is(200);
    assert_eq!(
        (read["rows"].clone(), read["created"].clone(), read["read"]["delimiter"].clone()),
        (json!(2), json!(2), json!(";"))
    );
    assert_eq!(read["read"]["columns"][0], json!({"heading": "Wort", "member": "word"}));
    let rows = list(&admin, "word,unit_price,day,kinds").await;
    assert_eq!(rows[0], json!({"word": "Größe", "unit_price": "1234.50", "day": "2026-12-24", "kinds": ["a", "c"]}));
    assert_eq!(admin.get("/api/records/words/?maker__name=ACME").await.is(200)["count"], 1);
    // Windows-1252, which nothing says.
    let read = csv(&admin, "", b"word,note\nStra\xdfe,f\xfcr \x80 5\n".to_vec()).await.is(200);
    assert_eq!(read["read"]["encoding"], "windows-1252");
    // UTF-16 with tabs, as spreadsheet programs call it "Unicode text".
    let text = "\u{feff}word\tnote\r\nnaïve\tx\ty\r\n".replace("x\ty", "x");
    let utf_16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let read = send(&admin, "", "", utf_16).await.is(200);
    assert_eq!((&read["read"]["encoding"], &read["read"]["format"]), (&json!("UTF-16LE"), &json!("tsv")));
    // JSON in both forms.
    let read = send(&admin, "", "application/json", "[{\"Word\": \"json\", \"data\": {\"n\": 1.10}}]").await.is(200);
    assert_eq!((&read["created"], &read["read"]["format"]), (&json!(1), &json!("json")));
    send(&admin, "", "application/x-ndjson", "{\"word\":\"line\"}\n\n{\"word\":\"line2\"}\n").await.is(200);
    let notes = list(&admin, "word,note").await;
    assert!(notes.contains(&json!({"word": "Straße", "note": "für € 5"})), "{notes:?}");
    assert!(notes.contains(&json!({"word": "naïve", "note": "x"})), "{notes:?}");
    assert!(admin.get("/api/records/words/?word=json").await.text().contains("1.10"));
}

#[tokio::test]
async fn what_is_wrong_is_told_by_row_and_field_and_nothing_is_written() {
    let (_coffer, admin) = words().await;
    let bad = "word,unit_price,day\ngood,1,2026-01-01\n,x,2026-02-31\ngood,2,\n";
    let problem = csv(&admin, "", bad).await.refused(400);
    let places: Vec<&str> = problem.errors.0.keys().map(String::as_str).collect();
    assert_eq!(places, ["3.day", "3.unit_price", "3.word", "4.word", "non_field_errors"]);
    assert_eq!(problem.errors.messages("4.word").next(), Some("Row 2 has this already."));
    assert!(list(&admin, "word").await.is_empty());
    for (body, word) in [
        (&b"PK\x03\x04\x14\0"[..], ".xlsx"),
        (b"", "empty"),
        (b"nothing,word\n1,2\n", "nothing"),
        (b"word,word\n1,2\n", "Another column"),
        (b"word\n\"never closed\n", "not closed"),
        (b"word,note\na,b,c\n", "more cells"),
    ] {
        let told = csv(&admin, "", body.to_vec()).await;
        assert!(serde_json::to_string(&told.refused(400)).unwrap().contains(word), "{word}: {}", told.text());
    }
    let sheet = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    assert!(send(&admin, "", sheet, "PK").await.refused(415).detail.contains("CSV UTF-8"));
    send(&admin, "", "image/png", "x").await.refused(415);
    for (query, place) in [
        ("key=note", "key"),
        ("key=nothing", "key"),
        ("zzz=1", "zzz"),
        ("encoding=klingon", "encoding"),
        ("map=x=word", "map"),
    ] {
        assert!(csv(&admin, query, "word\na\n").await.refused(400).errors.0.contains_key(place), "{query}");
    }
}

#[tokio::test]
async fn a_dry_run_tells_what_would_be_and_writes_nothing() {
    let (_coffer, admin) = words().await;
    admin.record("words", json!({"word": "old"})).await;
    let before = admin.get("/api/changes/").await.text();
    let dry = csv(&admin, "dry_run=true&key=word&on_conflict=update", "word,note\nold,x\nnew,\n,y\n").await.is(200);
    let counts = ["rows", "created", "updated", "rejected"].map(|name| dry[name].as_u64().unwrap());
    assert_eq!((counts, &dry["operation"]), ([3, 1, 1, 1], &Value::Null));
    assert_eq!(
        dry["faults"][0],
        json!({"row": 4, "field": "word", "code": "blank", "message": "This field may not be blank."})
    );
    assert_eq!(admin.get("/api/changes/").await.text(), before);
}

#[tokio::test]
async fn rows_find_records_by_a_key() {
    let (coffer, admin) = words().await;
    let first = csv(&admin, "key=word", "word,note\na,1\nb,2\n").await;
    assert_eq!(first.is(200)["created"], 2);
    csv(&admin, "key=word", "word,note\na,1\nb,2\n").await.refused(400);
    let count = |answer: Value| ["created", "updated", "unchanged"].map(|name| answer[name].as_u64().unwrap());
    assert_eq!(count(csv(&admin, "key=word&on_conflict=skip", "word,note\na,9\nc,3\n").await.is(200)), [1, 0, 1]);
    assert_eq!(count(csv(&admin, "key=word&on_conflict=update", "word,note\na,9\nc,3\n").await.is(200)), [0, 1, 1]);
    assert_eq!(count(csv(&admin, "key=word&on_conflict=update", "word,note\na,9\nc,3\n").await.is(200)), [0, 0, 2]);
    assert_eq!(list(&admin, "word,note").await.len(), 3);
    // Under the rules: whose record it is, only they change it.
    let bob = coffer.user(&admin, "bob", json!({})).await;
    let refused = csv(&bob, "key=word&on_conflict=update", "word,note\na,bobs\n").await.refused(400);
    assert!(refused.errors.0.contains_key("2.non_field_errors"), "{refused:?}");
    assert_eq!(csv(&bob, "", "word\nbobs\n").await.is(200)["created"], 1);
    assert_eq!(admin.get("/api/records/words/?owner__username=bob").await.is(200)["count"], 1);
    // All of one file can be undone.
    let operation = first.header("operation");
    assert_eq!(first.is(200)["operation"], operation);
    let undone = admin.post(&format!("/api/changes/{operation}/revert/?changed=overwrite"), &json!({})).await.is(200);
    assert_eq!(undone["count"], 2);
    admin.patch("/api/collections/words/", &json!({"access": {"create": ["nobody"]}})).await.is(200);
    assert!([403, 405].contains(&csv(&bob, "", "word\nx\n").await.status));
    assert_eq!(csv(&coffer.stranger(), "", "word\nx\n").await.status, 401);
}

#[tokio::test]
async fn good_rows_go_in_and_bad_rows_come_out_to_be_mended() {
    let (coffer, admin) = words().await;
    let done = csv(&admin, "on_error=skip", "word,unit_price,maker.name\na,1,\nb,x,\nc,2,Nobody\nd,3,\n").await.is(200);
    assert_eq!((&done["created"], &done["rejected"]), (&json!(2), &json!(2)));
    let at = format!("/api/operations/{}/rejected/", done["operation"].as_str().unwrap());
    let rejected = admin.get(&at).await;
    assert_eq!(rejected.header("content-type"), "text/csv; charset=utf-8");
    let text = rejected.text();
    assert!(
        text.starts_with(
            "\"_row\",\"_field\",\"_reason\",\"word\",\"unit_price\",\"maker.name\"\n\"3\",\"unit_price\","
        ),
        "{text}"
    );
    let mended = text.replace("\"x\"", "\"1,5\"").replace("Nobody", "Somebody");
    admin.record("makers", json!({"name": "Somebody"})).await;
    assert_eq!(csv(&admin, "decimal=comma", mended).await.is(200)["created"], 2);
    assert_eq!(list(&admin, "word,unit_price").await[1], json!({"word": "b", "unit_price": "1.50"}));
    let bob = coffer.user(&admin, "bob", json!({})).await;
    bob.get(&at).await.refused(404);
    assert_eq!(admin.get(&at.replace("rejected/", "")).await.is(200)["import"]["rejected"], 2);
}

#[tokio::test]
async fn what_is_left_out_takes_no_many_times_what_came() {
    let (_coffer, admin) = words().await;
    let lines = |names: usize| (0..names).map(|n| format!("{{\"c{n}\": 1}}\n")).collect::<Vec<_>>().concat();
    for query in ["on_error=skip", "dry_run=true", ""] {
        let refused = send(&admin, query, "application/x-ndjson", lines(4097)).await.refused(400);
        let detail = format!("{refused:?}");
        assert!(detail.contains("Row 4097") && detail.contains("4096 names"), "{query}: {detail}");
    }
    let skipped = send(&admin, "on_error=skip", "application/x-ndjson", lines(2000)).await.is(200);
    assert_eq!(skipped["rejected"], 2000);
    // Many rows of one cell under many headings.
    let wide = lines(4000) + &"{\"c0\": 1}\n".repeat(3000);
    let refused = send(&admin, "on_error=skip", "application/x-ndjson", wide.clone()).await.refused(400);
    assert!(format!("{refused:?}").contains("many times the bytes"), "{refused:?}");
    // And where it is written in pieces: what went in goes out again.
    let good = (0..9000).map(|n| format!("{{\"word\": \"w{n}\"}}\n")).collect::<Vec<_>>().concat();
    let begun = send(&admin, "on_error=skip", "application/x-ndjson", good + &wide).await;
    let told = if begun.status == 202 {
        let operation = format!("/api/operations/{}/", begun.is(202)["operation"].as_str().unwrap());
        loop {
            let told = admin.get(&operation).await.is(200);
            if !["waiting", "running", "stopping"].contains(&told["state"].as_str().unwrap()) {
                break told.to_string();
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    } else {
        begun.text()
    };
    assert!(told.contains("many times the bytes") && told.contains("taken back"), "{told}");
    assert_eq!(admin.get("/api/records/words/").await.is(200)["count"], 0);
}

#[tokio::test]
async fn imports_of_one_user_leave_places_to_others() {
    let (coffer, admin) = words().await;
    let bob = coffer.user(&admin, "bob", json!({})).await;
    let rows = |n: usize| (0..40_000).map(|row| format!("w{n} {row}\n")).collect::<Vec<_>>().concat();
    let mut begun = 0;
    let refused = loop {
        let answer = csv(&bob, "", format!("word\n{}", rows(begun))).await;
        if answer.status == 409 {
            break answer.refused(409);
        }
        begun += 1;
        assert!(begun < 40, "none is refused");
    };
    assert!(refused.detail.starts_with("4 operations of this kind"), "{}", refused.detail);
    // Another's begins.
    let another = csv(&admin, "", format!("word\n{}", rows(100))).await;
    assert!([200, 202].contains(&another.status), "{}", another.text());
}

#[tokio::test]
async fn imports_of_several_users_are_done_by_turns() {
    let (coffer, admin) = words().await;
    let bob = coffer.user(&admin, "bob", json!({})).await;
    let rows = |who: &str, count: usize| {
        let rows: Vec<String> = (0..count).map(|row| format!("{who} {row}\n")).collect();
        format!("word\n{}", rows.concat())
    };
    let mut bobs = Vec::new();
    for n in 0..3 {
        let begun = csv(&bob, "", rows(&format!("bob {n}"), 40_000)).await;
        bobs.push(begun.is(202)["operation"].as_str().unwrap().to_owned());
    }
    let begun = csv(&admin, "", rows("ada", 12_000)).await;
    if begun.status == 202 {
        let at = format!("/api/operations/{}/", begun.is(202)["operation"].as_str().unwrap());
        while admin.get(&at).await.is(200)["state"] != "done" {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }
    let last = bob.get(&format!("/api/operations/{}/", bobs[2])).await.is(200);
    assert!(last["state"] != "done" && last["done"] == 0, "{last}");
}

#[tokio::test]
async fn what_is_left_out_can_be_mended_whatever_was_wrong_with_it() {
    let (_coffer, admin) = words().await;
    admin
        .collection(
            "weights",
            json!([{"name": "word", "type": "text", "unique": true}, {"name": "kg", "type": "decimal", "places": 3},
        {"name": "day", "type": "date", "nullable": true}, {"name": "data", "type": "json", "nullable": true}]),
        )
        .await;
    let send = async |query: &str, body: String| {
        let request = admin.request(Method::POST, &format!("/api/records/weights/import/?{query}"));
        Answer::of(request.header(CONTENT_TYPE, "text/csv").body(body)).await
    };
    let reading = "decimal=comma&for=spreadsheet&on_error=skip";
    let file = "word;kg;day;data\n''=1;12,500;;{broken\n'-2;x;;\na;1,250;24.12.2026;;more;cells\n";
    let read = send(reading, file.to_owned()).await.is(200);
    assert_eq!((&read["created"], &read["rejected"]), (&json!(0), &json!(3)));
    let left =
        admin.get(&format!("/api/operations/{}/rejected/", read["operation"].as_str().unwrap_or_default())).await;
    let left = left.text();
    // Nothing is lost of them, commas and marks are as they were, and it says what to do.
    for told in [
        r#""''=1","12,500",,"{broken""#,
        r#""'-2","x",,"#,
        r#""a","1,250","24.12.2026",,"more","cells""#,
        "Say how dates are written (dates), such as DD.MM.YYYY.",
    ] {
        assert!(left.contains(told), "{told}: {left}");
    }
    let mended = left.replace("{broken", "{}").replace("\"x\"", "\"-2\"").replace(",\"more\",\"cells\"", "");
    assert_eq!(send(&format!("{reading}&dates=DD.MM.YYYY"), mended).await.is(200)["created"], 3);
    let page = admin.get("/api/records/weights/?ordering=kg&fields=word,kg,day,data").await.is(200);
    assert_eq!(
        page["results"],
        json!([{"word": "-2", "kg": "-2.000", "day": null, "data": null}, {"word": "a", "kg": "1.250", "day": "2026-12-24", "data": null},
            {"word": "'=1", "kg": "12.500", "day": null, "data": {}}])
    );
    let refused = send("", "word,kg\na,\"1,5\"\n".to_owned()).await.refused(400);
    assert!(refused.errors.0["2.kg"][0].message.contains("decimal=comma"), "{refused:?}");
}

#[tokio::test]
async fn what_goes_out_comes_in_again_as_it_was() {
    let (_coffer, admin) = words().await;
    let maker = admin.record("makers", json!({"name": "ACME"})).await;
    admin
        .patch("/api/collections/words/fields/word/", &json!({"unique": false, "required": false, "multiline": true}))
        .await
        .is(200);
    let rows: Vec<Value> = HOSTILE
        .iter()
        .enumerate()
        .map(|(i, text)| {
            let note = if i % 3 == 0 { Value::Null } else { json!(text) };
            json!({"word": text, "note": note, "unit_price": (i % 2 == 0).then_some("-1.50"), "maker": (i % 4 == 0).then(|| maker["id"].clone()),
                "kinds": if i % 5 == 0 { json!(["a", "c"]) } else { Value::Null }, "data": if i % 2 == 0 { json!(text) } else { json!({"n": 1.5, "t": text}) }})
        })
        .collect();
    admin.post("/api/records/words/", &json!(rows)).await.is(201);
    let export = |query: &'static str| {
        let admin = admin.clone();
        async move { admin.get(&format!("/api/records/words/export/?{query}")).await }
    };
    let exact = export("format=ndjson").await.text();
    for query in
        ["format=csv", "format=tsv", "format=ndjson", "", "format=csv&for=spreadsheet", "format=tsv&for=spreadsheet"]
    {
        let file = export(query).await;
        assert_eq!(admin.delete("/api/records/words/?all=true&max=100").await.is(200)["count"], HOSTILE.len());
        let how = if query.contains("spreadsheet") { "for=spreadsheet" } else { "" };
        let kind = file.header("content-type").to_owned();
        assert_eq!(send(&admin, how, &kind, file.body.clone()).await.is(200)["created"], HOSTILE.len(), "{query}");
        // Ids, owners, times and all values.
        assert_eq!(export("format=ndjson").await.text(), exact, "{query}");
    }
    // What is there is not made twice.
    csv(&admin, "", export("format=csv").await.body).await.refused(400);
}

pub(super) fn run(coffer: &Coffer, folder: &Path, arguments: &[&str]) -> String {
    let mut command = command();
    command.current_dir(folder).arg("import").args(arguments).args(["--to", "words"]);
    command.args(["--server", &coffer.base, "--user", ADMIN, "--password-stdin"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    writeln!(child.stdin.take().unwrap(), "{PASSWORD}").unwrap();
    said(&child.wait_with_output().unwrap())
}

#[tokio::test]
async fn the_same_file_three_times_adds_nothing_twice() {
    let (coffer, admin) = words().await;
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("words.csv"), "Word;Note\nfond;\"like\"\nodd;\n").unwrap();
    let first = run(&coffer, folder.path(), &["words.csv"]);
    assert_eq!(first, "0: words.csv: 2 rows (csv, UTF-8, semicolons); 2 made, 0 changed, 0 as they were, 0 left out\n");
    for _ in 0..2 {
        let again = run(&coffer, folder.path(), &["words.csv"]);
        assert!(again.starts_with("0: words.csv was imported at 20") && again.contains("--again"), "{again}");
    }
    let twice = run(&coffer, folder.path(), &["words.csv", "--again"]);
    assert!(twice.starts_with("1: ") && twice.contains("row 2, word: This field must be unique."), "{twice}");
    assert_eq!(list(&admin, "word").await.len(), 2);
    // Good rows in, bad rows out, mended, in.
    fs::write(folder.path().join("more.csv"), "word,unit_price\nx,1\ny,z\n").unwrap();
    let some = run(&coffer, folder.path(), &["more.csv", "--rejected", "bad.csv"]);
    assert!(some.contains("1 row was left out; mend and send bad.csv"), "{some}");
    let bad = fs::read_to_string(folder.path().join("bad.csv")).unwrap().replace("\"z\"", "\"2\"");
    fs::write(folder.path().join("bad.csv"), bad).unwrap();
    assert!(run(&coffer, folder.path(), &["bad.csv"]).contains("1 made"));
    assert_eq!(list(&admin, "word").await.len(), 4);
    // Those of several files are in one, or in several where their columns are others.
    for (name, text) in
        [("p.csv", "word,unit_price\np,x\n"), ("q.csv", "word,unit_price\nq,y\n"), ("r.csv", "word,day\nr,z\n")]
    {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let some = run(&coffer, folder.path(), &["p.csv", "q.csv", "r.csv", "--rejected", "bad.csv"]);
    assert!(some.contains("3 rows were left out; mend and send bad.csv and bad.2.csv"), "{some}");
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    let (bad, other) = (read("bad.csv"), read("bad.2.csv"));
    assert!(
        bad.lines().count() == 3 && bad.contains("\"p\"") && bad.contains("\"q\"") && other.contains("\"r\""),
        "{bad}{other}"
    );
    let dry = run(&coffer, folder.path(), &["words.csv", "--dry-run", "--key", "word", "--on-conflict", "update"]);
    assert!(dry.contains("0 would be made, 0 would be changed, 2 as they were"), "{dry}");
}

#[tokio::test]
async fn a_collection_is_made_from_a_file_that_is_shown_before() {
    let (coffer, admin) = Coffer::with_admin().await;
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("w.csv"), "Wort;Preis (€);Am\nSchön;1,50;2026-01-02\nGut;12,00;\n").unwrap();
    let shown = run(&coffer, folder.path(), &["w.csv", "--create", "--decimal-comma"]);
    assert!(shown.starts_with("1: words would have these fields:") && shown.contains("\"name\":\"preis\""), "{shown}");
    let made = run(&coffer, folder.path(), &["w.csv", "--create", "--yes", "--decimal-comma"]);
    assert!(made.contains("2 made"), "{made}");
    let rows = admin.get("/api/records/words/?fields=wort,preis,am&ordering=wort").await.is(200);
    assert_eq!(rows["results"][1], json!({"wort": "Schön", "preis": "1.50", "am": "2026-01-02"}));
}

#[tokio::test]
async fn a_collection_for_a_file_is_guessed_and_nothing_is_made() {
    let (coffer, admin) = words().await;
    let guess = async |client: &Client, query: &str, body: &'static [u8]| {
        let request = client.request(Method::POST, &format!("/api/guess/?{query}"));
        Answer::of(request.header(CONTENT_TYPE, "text/csv").body(body)).await
    };
    let file = b"Preis;St\xfcck;;Code\n1,50;3;x;007\n2,00;;;010\n";
    let told = guess(&admin, "decimal=comma", file).await.is(200);
    let kinds: Vec<(&str, &str, bool)> = told["fields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|field| (field["name"].as_str().unwrap(), field["type"].as_str().unwrap(), field["nullable"] == true))
        .collect();
    let all =
        [("preis", "decimal", false), ("stueck", "integer", true), ("column_3", "text", true), ("code", "text", false)];
    assert_eq!(kinds, all);
    assert_eq!((&told["read"]["encoding"], &told["read"]["delimiter"]), (&json!("windows-1252"), &json!(";")));
    assert_eq!(told["read"]["columns"][1], json!({"heading": "Stück", "member": "stueck"}));
    assert_eq!(told["read"]["columns"][2], json!({"heading": "#3", "member": "column_3"}));
    // What was guessed is a definition, and its file fits it.
    admin.post("/api/collections/", &json!({"name": "goods", "fields": told["fields"]})).await.is(201);
    let maps: Vec<String> = told["read"]["columns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|column| {
            let heading = column["heading"].as_str().unwrap().replace('#', "%23");
            format!("&map={heading}%3D{}", column["member"].as_str().unwrap_or_default())
        })
        .collect();
    let address = format!("/api/records/goods/import/?decimal=comma{}", maps.concat());
    let request = admin.request(Method::POST, &address).header(CONTENT_TYPE, "text/csv");
    assert_eq!(Answer::of(request.body(&file[..])).await.is(200)["created"], 2);
    guess(&admin, "", b"").await.refused(400);
    guess(&admin, "", b"PK\x03\x04workbook").await.refused(400);
    guess(&admin, "nothing=1", file).await.refused(400);
    let bob = coffer.user(&admin, "bob", json!({})).await;
    guess(&bob, "", file).await.refused(403);
    assert_eq!(guess(&coffer.stranger(), "", file).await.status, 401);
}
