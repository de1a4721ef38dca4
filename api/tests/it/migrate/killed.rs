//! Killed in the middle, again and again: it goes on, or was never begun.

use std::time::Duration;

use reqwest::{Method, header::CONTENT_TYPE};
use serde_json::{Value, json};

use super::{bytes, fill, records, steps};
use crate::support::{
    ADMIN, Client,
    server::{Server, coffer, said, serve_with_cheap_passwords},
};

const RECORDS: usize = 3000;
/// Moments of the kills, for so many records.
const MOMENTS: [u64; 6] = [30, 90, 200, 350, 600, 900];

async fn until_settled(admin: &Client) -> Vec<Value> {
    loop {
        let page = admin.get("/api/migrations/").await.is(200);
        let known = page["results"].as_array().unwrap().clone();
        if known.iter().all(|one| one["state"] == "applied") {
            return known;
        }
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}

#[tokio::test]
async fn killed_at_any_moment_it_goes_on_or_was_never_begun() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let start = || Server::spawn(&data, &mut serve_with_cheap_passwords(&data, &[]));
    let mut server = start();
    let admin = server.set_up().await;
    let count = records(RECORDS);
    fill(&admin, count).await;
    let before = bytes(&admin, "people").await;
    let body = json!({"collection": "people", "name": "0001_names", "steps": steps()});
    let mut after: Option<String> = None;
    let mut gone_on = 0;
    for (round, millis) in MOMENTS.map(|millis| millis * count as u64 / RECORDS as u64).into_iter().enumerate() {
        let admin = server.sign_in(ADMIN).await;
        let is_applied = !until_settled(&admin).await.is_empty();
        let asking = {
            let (admin, body) = (admin.clone(), body.clone());
            tokio::spawn(async move {
                let path = if is_applied { "/api/migrations/people/0001_names/revert/" } else { "/api/migrations/" };
                let body = if is_applied { Value::Null } else { body };
                // The answer does not come where the server is killed.
                let request = admin.request(Method::POST, path).header(CONTENT_TYPE, "application/json");
                let _ = request.body(body.to_string()).send().await;
            })
        };
        tokio::time::sleep(Duration::from_millis(millis)).await;
        drop(server);
        asking.abort();
        assert!(said(&coffer(&["check"], &data)).starts_with("0: "), "round {round}");
        server = start();
        let admin = server.sign_in(ADMIN).await;
        let known = until_settled(&admin).await;
        let now = bytes(&admin, "people").await;
        if known.is_empty() {
            assert_eq!(now, before, "round {round}");
        } else {
            assert_eq!(&now, after.get_or_insert_with(|| now.clone()), "round {round}");
            assert!(now.contains("\"label\":\"Ada31 van Lovelace\",\"age\":31,\"kind\":\"b\",\"first\":\"Ada31\""));
            assert!(!now.contains("full_name"));
        }
        gone_on += usize::from(known.is_empty() == is_applied);
    }
    assert!(gone_on > 0, "no round went on after the kill");
    server.stop();
    assert!(said(&coffer(&["check"], &data)).starts_with("0: "));
}
