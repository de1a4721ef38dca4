//! Rows that exchange unique values between records: judged by what is there afterwards, as far as one commit goes.

use std::fmt::Write as _;

use reqwest::{Method, header::CONTENT_TYPE};
use serde_json::{Value, json};

use crate::support::{Answer, Client, Coffer};

async fn seats() -> (Coffer, Client) {
    let (coffer, admin) = Coffer::with_admin_and(&["--rate-limit", "off"]).await;
    let fields = json!([{"name": "code", "type": "text", "unique": true}, {"name": "seat", "type": "text", "unique": true, "nullable": true},
        {"name": "note", "type": "text"}]);
    admin.collection("seats", fields).await;
    (coffer, admin)
}

async fn send(client: &Client, query: &str, body: String) -> Answer {
    let path = format!("/api/records/seats/import/?key=code&on_conflict=update&{query}");
    Answer::of(client.request(Method::POST, &path).header(CONTENT_TYPE, "text/csv").body(body)).await
}

/// Each code's seat.
async fn taken(client: &Client) -> String {
    let page = client.get("/api/records/seats/?ordering=code&page_size=1000&fields=code,seat").await.is(200);
    let rows = page["results"].as_array().unwrap().iter();
    let seat = |row: &Value| format!("{}{}", row["code"].as_str().unwrap(), row["seat"].as_str().unwrap_or("-"));
    rows.map(seat).collect::<Vec<_>>().join(" ")
}

fn counts(answer: &Value) -> [u64; 4] {
    ["created", "updated", "unchanged", "rejected"].map(|name| answer[name].as_u64().unwrap())
}

async fn with_four() -> (Coffer, Client) {
    let (coffer, admin) = seats().await;
    send(&admin, "", "code,seat\na,1\nb,2\nc,3\nd,4\n".to_owned()).await.is(200);
    (coffer, admin)
}

#[tokio::test]
async fn rows_exchange_unique_values() {
    let (_coffer, admin) = with_four().await;
    for (file, counted, after) in [
        // Two, three in a ring, and a new record that takes what a later row gives up.
        ("code,seat\na,2\nb,1\n", [0, 2, 0, 0], "a2 b1 c3 d4"),
        ("code,seat\na,3\nb,2\nc,1\n", [0, 3, 0, 0], "a3 b2 c1 d4"),
        ("code,seat\ne,4\nd,5\n", [1, 1, 0, 0], "a3 b2 c1 d5 e4"),
        ("code,seat\nd,6\nf,5\n", [1, 1, 0, 0], "a3 b2 c1 d6 e4 f5"),
        ("code,seat\na,\nb,3\nc,2\nd,1\n", [0, 4, 0, 0], "a- b3 c2 d1 e4 f5"),
    ] {
        let before = taken(&admin).await;
        assert_eq!(counts(&send(&admin, "dry_run=true", file.to_owned()).await.is(200)), counted, "{file}");
        assert_eq!(taken(&admin).await, before);
        let done = send(&admin, "", file.to_owned()).await;
        let operation = done.header("operation").to_owned();
        assert_eq!(counts(&done.is(200)), counted, "{file}");
        assert_eq!(taken(&admin).await, after, "{file}");
        // It goes back, and comes again, as one.
        let back = admin.post(&format!("/api/changes/{operation}/revert/"), &json!({})).await;
        let back = back.header("operation").to_owned();
        assert_eq!(taken(&admin).await, before, "{file}");
        admin.post(&format!("/api/changes/{back}/revert/"), &json!({})).await.is(200);
        assert_eq!(taken(&admin).await, after, "{file}");
    }
    // What two rows would have, one does not get; and who keeps a value keeps it.
    let refused = send(&admin, "", "code,seat\na,1\nb,1\nd,9\n".to_owned()).await.refused(400);
    assert_eq!(refused.errors.0.keys().map(String::as_str).collect::<Vec<_>>(), ["3.seat", "non_field_errors"]);
    let refused = send(&admin, "", "code,seat,note\na,2,x\nc,2,x\n".to_owned()).await.refused(400);
    assert_eq!(refused.errors.0.keys().map(String::as_str).collect::<Vec<_>>(), ["2.seat", "non_field_errors"]);
}

#[tokio::test]
async fn who_waits_for_a_row_that_does_not_fit_is_left_out_with_it() {
    let (_coffer, admin) = with_four().await;
    // The last wants a seat that nobody gives up, so the one before it does not get that row's, nor the one before that.
    let file = "code,seat\na,2\nb,3\nc,4\n";
    let refused = send(&admin, "", file.to_owned()).await.refused(400);
    assert_eq!(refused.errors.0.keys().map(String::as_str).collect::<Vec<_>>(), ["4.seat", "non_field_errors"]);
    let skipped = send(&admin, "on_error=skip", format!("{file}e,5\n")).await.is(200);
    assert_eq!(counts(&skipped), [1, 0, 0, 3]);
    assert_eq!(taken(&admin).await, "a1 b2 c3 d4 e5");
    // Longer than rows are judged anew for: nobody gets anything, and nothing is written twice.
    let many = (0..30).fold("code,seat\n".to_owned(), |mut text, n| {
        writeln!(text, "m{n:02},s{n:02}").unwrap();
        text
    });
    send(&admin, "", many).await.is(200);
    let moved = (0..30).fold("code,seat\n".to_owned(), |mut text, n| {
        let seat = if n == 29 { "1".to_owned() } else { format!("s{:02}", n + 1) };
        writeln!(text, "m{n:02},{seat}").unwrap();
        text
    });
    assert_eq!(counts(&send(&admin, "on_error=skip", moved.clone()).await.is(200)), [0, 0, 0, 30]);
    assert_eq!(counts(&send(&admin, "on_error=skip", moved.replace(",1\n", ",9\n")).await.is(200)), [0, 30, 0, 0]);
}

#[tokio::test]
async fn rows_of_a_large_file_exchange_values_with_their_neighbours_and_are_told_so_otherwise() {
    let (_coffer, admin) = seats().await;
    // More than one commit takes, for its bytes.
    let long = "x".repeat(12_000);
    let file = |seat: &dyn Fn(usize) -> usize| {
        (0..800).fold("code,seat,note\n".to_owned(), |mut text, n| {
            writeln!(text, "c{n:03},{},{long}", seat(n)).unwrap();
            text
        })
    };
    let end = async |begun: Answer| {
        let body: Value = serde_json::from_slice(&begun.body).unwrap();
        loop {
            let now = admin.get(&format!("/api/operations/{}/", body["operation"].as_str().unwrap())).await.is(200);
            if !["running", "waiting", "stopping"].contains(&now["state"].as_str().unwrap()) {
                return now["import"].clone();
            }
            tokio::time::sleep(std::time::Duration::from_millis(30)).await;
        }
    };
    assert_eq!(counts(&end(send(&admin, "", file(&|n| n)).await).await), [800, 0, 0, 0]);
    // Each two, and all of them one further, up to a seat that was free.
    assert_eq!(counts(&end(send(&admin, "", file(&|n| n ^ 1)).await).await), [0, 800, 0, 0]);
    let descending = (0..800).rev().fold("code,seat\n".to_owned(), |mut text, n| {
        writeln!(text, "c{n:03},{}", (n ^ 1) + 2).unwrap();
        text
    });
    let descending = descending.replace('\n', &format!(",{long}\n")).replacen(&long, "note", 1);
    let further = send(&admin, "", descending).await;
    assert_eq!(counts(&end(further).await), [0, 800, 0, 0]);
    // The first and the last: they are pieces apart.
    let apart = file(&|n| match n {
        0 => 800,
        799 => 3,
        n => (n ^ 1) + 2,
    });
    for query in ["", "dry_run=true&on_error=skip"] {
        let answer = send(&admin, query, apart.clone()).await;
        // A file of this size is read in the background.
        let told = if answer.status == 202 { end(answer).await.to_string() } else { answer.text() };
        assert!(
            told.contains("Another row gives this value up, but a file of this size is written in pieces"),
            "{told}"
        );
    }
}
