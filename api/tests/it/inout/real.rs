//! Files that others published: real ones, and those that a toolkit for CSV keeps as bad examples. `cargo xtask test` fetches them, each of one
//! version, by pip and npm.

use std::{env, fs, path::PathBuf};

use reqwest::{Method, header::CONTENT_TYPE};
use serde_json::{Value, json};

use crate::support::{Answer, Client, Coffer};

fn folder() -> PathBuf {
    PathBuf::from(
        env::var_os("E2E_CSV").expect("E2E_CSV names the folder of published files; cargo xtask test sets it"),
    )
}

fn file(path: &str) -> Vec<u8> {
    let path = folder().join(path);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

async fn send(client: &Client, path: &str, body: Vec<u8>) -> Answer {
    Answer::of(client.request(Method::POST, path).header(CONTENT_TYPE, "text/csv").body(body)).await
}

/// Makes a collection of a file as it is guessed, imports the file, and gives what that came to.
async fn make(client: &Client, name: &str, body: &[u8], query: &str) -> Value {
    let guessed = send(client, &format!("/api/guess/?{query}"), body.to_vec()).await.is(200);
    client.post("/api/collections/", &json!({"name": name, "fields": guessed["fields"]})).await.is(201);
    let columns = guessed["read"]["columns"].as_array().unwrap();
    let map = columns.iter().map(|column| {
        let heading = column["heading"].as_str().unwrap();
        let pair = format!("{heading}={}", column["member"].as_str().unwrap_or_default());
        format!("&{}", common::query::encode(&[("map".to_owned(), pair)]))
    });
    let map: String = map.filter(|pair| !pair.starts_with("&map=%3D")).collect();
    let imported = send(client, &format!("/api/records/{name}/import/?{query}{map}"), body.to_vec()).await;
    assert!([200, 202].contains(&imported.status), "{name}: {}", imported.text());
    serde_json::from_slice(&imported.body).unwrap()
}

async fn export(client: &Client, name: &str, query: &str) -> Vec<u8> {
    let exported = client.get(&format!("/api/records/{name}/export/?{query}")).await;
    assert_eq!(exported.status, 200, "{}", exported.text());
    exported.body
}

/// What is imported goes out, comes into another collection, and goes out alike; so does what is made harmless for a spreadsheet program.
async fn goes_round(client: &Client, name: &str) {
    let collection = client.get(&format!("/api/collections/{name}/")).await.is(200);
    let names: Vec<&str> =
        collection["fields"].as_array().unwrap().iter().map(|field| field["name"].as_str().unwrap()).collect();
    let fields = format!("fields={}&ordering=created_at,id", names.join(","));
    for (format, mark) in [("csv", ""), ("tsv", ""), ("ndjson", ""), ("json", ""), ("csv", "&for=spreadsheet")] {
        let again = format!("{name}_again");
        client.post("/api/collections/", &json!({"name": again, "fields": collection["fields"]})).await.is(201);
        let first = export(client, name, &format!("format={format}&{fields}{mark}")).await;
        send(client, &format!("/api/records/{again}/import/?format={format}{mark}"), first.clone()).await.is(200);
        let second = export(client, &again, &format!("format={format}&{fields}{mark}")).await;
        assert_eq!(String::from_utf8_lossy(&first), String::from_utf8_lossy(&second), "{name} as {format}{mark}");
        client.delete(&format!("/api/collections/{again}/")).await.is(204);
    }
}

#[tokio::test]
async fn published_files_of_several_encodings_come_in_as_they_are_and_go_round() {
    let (_coffer, admin) = Coffer::with_admin_and(&["--rate-limit", "off"]).await;
    // File, rows, encoding, delimiter.
    let files = [
        ("csvkit/examples/realdata/ks_1033_data.csv", 1575, "UTF-8", ","),
        ("csvkit/examples/realdata/acs2012_5yr_population.csv", 93, "UTF-8", ","),
        ("csvkit/examples/realdata/FY09_EDU_Recipients_by_State.csv", 52, "UTF-8", ","),
        ("csvkit/examples/iris.csv", 150, "UTF-8", ","),
        ("csvkit/examples/test_geo.csv", 17, "UTF-8", ","),
        ("csvkit/examples/test_latin1.csv", 2, "windows-1252", ","),
        ("csvkit/examples/test_utf16_big.csv", 2, "UTF-16BE", ","),
        ("csvkit/examples/test_utf16_little.csv", 2, "UTF-16LE", ","),
        ("csvkit/examples/test_utf8_bom.csv", 2, "UTF-8", ","),
        ("csvkit/examples/mac_newlines.csv", 2, "UTF-8", ","),
        ("csvkit/examples/test_header_newline.csv", 1, "UTF-8", ","),
        ("csvkit/examples/blanks.csv", 1, "UTF-8", ","),
        ("vega/vega_datasets/_data/us-employment.csv", 120, "UTF-8", ","),
        ("vega/vega_datasets/_data/iowa-electricity.csv", 51, "UTF-8", ","),
        ("csv-spectrum/csvs/quotes_and_newlines.csv", 0, "UTF-8", ","),
        ("csv-spectrum/csvs/utf8.csv", 0, "UTF-8", ","),
    ];
    for (at, (path, rows, encoding, delimiter)) in files.into_iter().enumerate() {
        let name = format!("file{at}");
        let told = make(&admin, &name, &file(path), "").await;
        assert_eq!(
            (&told["read"]["encoding"], &told["read"]["delimiter"]),
            (&json!(encoding), &json!(delimiter)),
            "{path}"
        );
        assert!(rows == 0 || told["rows"] == rows, "{path}: {told}");
        assert_eq!(told["created"], told["rows"], "{path}");
        goes_round(&admin, &name).await;
    }
}

#[tokio::test]
async fn a_suite_of_awkward_files_is_read_as_its_authors_say() {
    let (_coffer, admin) = Coffer::with_admin_and(&["--rate-limit", "off"]).await;
    for name in [
        "comma_in_quotes",
        "empty",
        "empty_crlf",
        "escaped_quotes",
        "json",
        "newlines",
        "newlines_crlf",
        "quotes_and_newlines",
        "simple",
        "simple_crlf",
        "utf8",
    ] {
        let told: Value = serde_json::from_slice(&file(&format!("csv-spectrum/json/{name}.json"))).unwrap();
        let fields: Vec<Value> = told[0]
            .as_object()
            .unwrap()
            .keys()
            .enumerate()
            .map(|(at, _)| json!({"name": format!("f{at}"), "type": "text", "multiline": true}))
            .collect();
        admin.post("/api/collections/", &json!({"name": name, "fields": fields})).await.is(201);
        let headings = told[0].as_object().unwrap().keys().enumerate();
        let map: Vec<(String, String)> =
            headings.map(|(at, heading)| ("map".to_owned(), format!("{heading}=f{at}"))).collect();
        let map = common::query::encode(&map);
        send(
            &admin,
            &format!("/api/records/{name}/import/?format=csv&{map}"),
            file(&format!("csv-spectrum/csvs/{name}.csv")),
        )
        .await
        .is(200);
        let rows: Vec<Value> =
            serde_json::from_slice(&export(&admin, name, "format=json&ordering=created_at,id").await).unwrap();
        let rows: Vec<Vec<&Value>> =
            rows.iter().map(|row| (0..fields.len()).map(|at| &row[format!("f{at}")]).collect()).collect();
        let said: Vec<Vec<&Value>> =
            told.as_array().unwrap().iter().map(|row| row.as_object().unwrap().values().collect()).collect();
        // Line breaks within a cell stay those of the file.
        assert_eq!(
            json!(rows).to_string().replace("\\r\\n", "\\n"),
            json!(said).to_string().replace("\\r\\n", "\\n"),
            "{name}"
        );
    }
}

/// The text of a real file, spoiled in the ways in which programs spoil them, says the same.
#[tokio::test]
async fn a_published_file_spoiled_in_the_usual_ways_says_the_same() {
    let (_coffer, admin) = Coffer::with_admin_and(&["--rate-limit", "off"]).await;
    let text = String::from_utf8(file("vega/vega_datasets/_data/us-employment.csv")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    make(&admin, "plain", text.as_bytes(), "").await;
    let expected = export(
        &admin,
        "plain",
        "format=csv&ordering=month&fields=month,nonfarm,private,wholesale_trade,nonfarm_change",
    )
    .await;
    let semicolons = text.replace(',', ";");
    let commas = semicolons.lines().map(|line| line.to_owned() + "\r\n").collect::<String>();
    let utf_16 = |text: &str| {
        "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect::<Vec<u8>>()
    };
    let short = lines.iter().enumerate().map(|(at, line)| {
        // The last cell is missing.
        if at == 0 { format!("{line},Größe\n") } else { format!("{line}\n") }
    });
    let quoted = lines.iter().enumerate().map(|(at, line)| {
        if at == 0 { format!("{line},Note\n") } else { format!("{line},\"two\nlines, and \"\"marks\"\"\"\n") }
    });
    for (name, body, query) in [
        ("carriage_returns", text.replace("\r\n", "\n").replace('\n', "\r").into_bytes(), ""),
        ("marked", format!("\u{feff}{text}").into_bytes(), ""),
        ("semicolons", semicolons.clone().into_bytes(), ""),
        ("windows_lines", commas.clone().into_bytes(), ""),
        ("utf_16", utf_16(&text), ""),
        ("tabs_in_utf_16", utf_16(&text.replace(',', "\t")), ""),
        ("decimal_commas", semicolons.replace('.', ",").into_bytes(), "decimal=comma"),
        ("missing_cells", encoding(&short.collect::<String>()), ""),
        ("quoted_breaks", quoted.collect::<String>().into_bytes(), ""),
    ] {
        let told = make(&admin, name, &body, query).await;
        assert_eq!(told["created"], lines.len() - 1, "{name}: {told}");
        let got = export(
            &admin,
            name,
            "format=csv&ordering=month&fields=month,nonfarm,private,wholesale_trade,nonfarm_change",
        )
        .await;
        assert_eq!(String::from_utf8_lossy(&got), String::from_utf8_lossy(&expected), "{name}");
    }
}

/// A text as Windows-1252 has it.
fn encoding(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect()
}
