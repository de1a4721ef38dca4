//! Columns that have no heading, or one that another has too: as R and pandas write them, and people.

use std::fs;

use reqwest::{Method, header::CONTENT_TYPE};
use serde_json::{Value, json};

use super::import::run;
use crate::support::{Answer, Client, Coffer};

async fn send(client: &Client, path: &str, body: &str) -> Answer {
    let request = client.request(Method::POST, path).header(CONTENT_TYPE, "text/csv");
    Answer::of(request.body(body.to_owned())).await
}

fn columns(read: &Value) -> Vec<(String, Option<String>)> {
    let columns = read["columns"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    columns.map(|column| (text(&column["heading"]).unwrap(), text(&column["member"]))).collect()
}

fn pairs(pairs: &[(&str, Option<&str>)]) -> Vec<(String, Option<String>)> {
    pairs.iter().map(|(heading, member)| ((*heading).to_owned(), member.map(str::to_owned))).collect()
}

/// As R's `write.csv` has it: the names of the rows in a column without a heading.
const CARS: &str = "\"\",\"mpg\",\"cyl\"\n\"Mazda RX4\",21,6\n\"Fiat 128\",32.4,4\n";
/// As pandas' `to_csv` has it.
const COUNTED: &str = ",mpg,cyl\n0,21,6\n1,32.4,4\n4,30.4,4\n";
/// As people have it.
const TWICE: &str = "name,price,price,\nNuts,1,2,a\nCorn,3,4,\n";

#[tokio::test]
async fn a_file_goes_into_the_collection_that_was_guessed_from_it() {
    let (_coffer, admin) = Coffer::with_admin_and(&["--rate-limit", "off"]).await;
    for (name, file, read, first) in [
        (
            "cars",
            CARS,
            pairs(&[("#1", Some("column_1")), ("mpg", Some("mpg")), ("cyl", Some("cyl"))]),
            json!({"column_1": "Mazda RX4", "mpg": "21.0", "cyl": 6}),
        ),
        (
            "counted",
            COUNTED,
            pairs(&[("#1", None), ("mpg", Some("mpg")), ("cyl", Some("cyl"))]),
            json!({"mpg": "21.0", "cyl": 6}),
        ),
        (
            "twice",
            TWICE,
            pairs(&[
                ("name", Some("name")),
                ("price", Some("price")),
                ("#3", Some("price_2")),
                ("#4", Some("column_4")),
            ]),
            json!({"name": "Nuts", "price": 1, "price_2": 2, "column_4": "a"}),
        ),
    ] {
        let guess = send(&admin, "/api/guess/", file).await.is(200);
        assert_eq!(columns(&guess["read"]), read, "{name}");
        admin.post("/api/collections/", &json!({"name": name, "fields": guess["fields"]})).await.is(201);
        // By itself, and as a client says which column is which.
        let maps = read.iter().map(|(heading, member)| {
            format!("&map={}%3D{}", heading.replace('#', "%23"), member.as_deref().unwrap_or_default())
        });
        let maps = maps.collect::<Vec<_>>().concat();
        for query in [String::new(), maps] {
            let at = format!("/api/records/{name}/import/?{query}");
            let done = send(&admin, &at, file).await.is(200);
            assert_eq!((&done["created"], columns(&done["read"])), (&json!(file.lines().count() - 1), read.clone()));
        }
        let fields: Vec<&str> = read.iter().filter_map(|(_, member)| member.as_deref()).collect();
        let at = format!("/api/records/{name}/?ordering=created_at&fields={}", fields.join(","));
        assert_eq!(admin.get(&at).await.is(200)["results"][0], first, "{name}");
    }
}

#[tokio::test]
async fn every_column_can_be_mapped_by_its_position() {
    let (_coffer, admin) = Coffer::with_admin_and(&["--rate-limit", "off"]).await;
    let fields = json!([{"name": "car", "type": "text", "nullable": true}, {"name": "mpg", "type": "decimal"}, {"name": "cyl", "type": "integer"}]);
    admin.collection("cars", fields).await;
    let import = async |query: &str, file: &str| {
        send(&admin, &format!("/api/records/cars/import/?{}", query.replace('#', "%23")), file).await
    };
    // What stands in a column without a heading is not lost without a word.
    let told = import("", CARS).await.refused(400);
    assert!(told.errors.messages("2.non_field_errors").any(|told| told.contains("#1=field")), "{told:?}");
    import("map=#1%3Dcar", CARS).await.is(200);
    import("map=#1%3D", CARS).await.is(200);
    import("map=#1%3Dcar&map=#2%3Dmpg&map=#3%3Dcyl", CARS).await.is(200);
    assert_eq!(admin.get("/api/records/cars/?car=Fiat 128").await.is(200)["count"], 2);
    // The count of the rows is passed over, and can be taken.
    let done = import("", COUNTED).await.is(200);
    assert_eq!(columns(&done["read"])[0], ("#1".to_owned(), None));
    import("map=#1%3Dcar", COUNTED).await.is(200);
    assert_eq!(admin.get("/api/records/cars/?car=4").await.is(200)["count"], 1);
    // Numbers that do not rise are no count, and neither are some in another column.
    let told = import("", ",mpg,cyl\n2,1,1\n2,1,1\n1,1,1\n").await.refused(400);
    assert_eq!(told.errors.0.keys().filter(|place| place.ends_with("non_field_errors")).count(), 3, "{told:?}");
    import("", "mpg,cyl,\n1,1,1\n").await.refused(400);
    import("", "mpg,cyl,\n1,1,\n").await.is(200);
    // Of two columns that are one field, one is said, and the other left out.
    let told = import("", "mpg,cyl,cyl\n1,2,3\n").await.refused(400);
    assert!(told.errors.messages("#3").any(|told| told.contains("#3=")), "{told:?}");
    import("map=#3%3D", "mpg,cyl,cyl\n1,2,3\n").await.is(200);
    import("map=cyl%3D&map=#3%3Dcyl", "mpg,cyl,cyl\n1,7,8\n").await.is(200);
    assert_eq!(admin.get("/api/records/cars/?cyl=8").await.is(200)["count"], 1);
    assert!(import("map=#4%3Dcar", "mpg,cyl,cyl\n1,7,8\n").await.refused(400).errors.0.contains_key("map"));
    assert!(import("map=%3Dcar", CARS).await.refused(400).errors.messages("map").any(|told| told.contains("#1=field")));
}

#[tokio::test]
async fn the_command_makes_a_collection_of_any_file_and_leaves_none_behind_that_nothing_came_into() {
    let (coffer, admin) = Coffer::with_admin().await;
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    let run = |arguments: &[&str]| run(&coffer, folder.path(), arguments);
    let is_there = async || admin.get("/api/collections/words/").await.status == 200;
    write("cars.csv", CARS);
    let made = run(&["cars.csv", "--create", "--yes", "--map", "#1=car", "--key", "car"]);
    assert!(made.contains("\"name\":\"car\"") && made.contains("2 made"), "{made}");
    admin.post("/api/records/words/", &json!({"car": "Fiat 128", "mpg": 1, "cyl": 1})).await.refused(409);
    let again = run(&["cars.csv", "--map", "#1=car", "--key", "car", "--on-conflict", "update", "--again"]);
    assert!(again.contains("2 as they were"), "{again}");
    admin.delete("/api/collections/words/").await;
    // Two rows that are one by the key: nothing comes in, and the collection goes again.
    write("twice.csv", "word,n\na,1\na,2\n");
    for _ in 0..2 {
        let failed = run(&["twice.csv", "--create", "--yes", "--key", "word"]);
        assert!(failed.starts_with("1: ") && failed.contains("the collection was not kept"), "{failed}");
        assert!(!is_there().await);
    }
    let failed = run(&["twice.csv", "--create", "--yes", "--key", "wort"]);
    assert!(failed.contains("wort, which no column becomes") && !is_there().await, "{failed}");
    let made = run(&["twice.csv", "--create", "--yes"]);
    assert!(made.contains("2 made"), "{made}");
    // What is in stays, whatever becomes of a later file.
    write("bad.csv", "word,n\nb,x\n");
    admin.delete("/api/collections/words/").await;
    let some = run(&["twice.csv", "bad.csv", "--create", "--yes"]);
    assert!(some.starts_with("1: ") && is_there().await, "{some}");
    assert_eq!(admin.get("/api/records/words/").await.is(200)["count"], 2);
    // The file's own ids.
    admin.delete("/api/collections/words/").await;
    write("ids.csv", "id,word\n7,a\n9,b\n");
    let made = run(&["ids.csv", "--create", "--yes", "--key", "id"]);
    assert!(made.contains("2 made"), "{made}");
    assert_eq!(admin.get("/api/records/words/7/").await.is(200)["word"], "a");
}
