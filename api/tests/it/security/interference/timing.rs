//! What a caller may not see takes as long to be refused as what is not there.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    security::{
        held::{Held, Settings},
        user,
    },
    support::{Answer, Client},
};

/// Pairs of requests; the middle one of each side is compared.
const PAIRS: usize = 60;

async fn median(client: &Client, method: &Method, paths: &[String; 2], body: Option<&Value>) -> [Duration; 2] {
    let mut times = [Vec::new(), Vec::new()];
    for n in 0..PAIRS * 2 {
        let side = n % 2;
        let mut request = client.request(method.clone(), &paths[side]);
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let started = Instant::now();
        let answer = Answer::of(request).await;
        times[side].push(started.elapsed());
        assert!([401, 403, 404].contains(&answer.status), "{method} {}: {}", paths[side], answer.text());
    }
    times.map(|mut times| {
        times.sort();
        times[times.len() / 2]
    })
}

#[tokio::test]
async fn d1_what_is_hidden_takes_as_long_as_what_is_not_there() {
    let (held, admin) = Held::with_admin(Settings::default()).await;
    let rules = json!({"list": ["owner"], "view": ["owner"], "update": ["anyone"], "delete": ["anyone"]});
    let fields = json!([{"name": "data", "type": "json", "max_bytes": 200_000}]);
    for (name, access) in [("notes", rules), ("vault", json!({"list": ["nobody"], "view": ["nobody"]}))] {
        admin.post("/api/collections/", &json!({"name": name, "fields": fields, "access": access})).await.is(201);
    }
    let (otto, _) = user(&admin, "otto").await;
    // Large enough that reading it takes longer than anything else.
    let large = json!({"data": (0..30_000).collect::<Vec<_>>()});
    let hidden = admin.record("notes", large.clone()).await["id"].as_str().unwrap().to_owned();
    let vault = admin.record("vault", large).await["id"].as_str().unwrap().to_owned();
    let dropped = admin.record("notes", json!({"data": (0..30_000).collect::<Vec<_>>()})).await;
    let dropped = dropped["id"].as_str().unwrap().to_owned();
    admin.delete(&format!("/api/records/notes/{dropped}/")).await.is(204);
    let absent = super::world::nobodys(1);
    let of = |at: &str, id: &str, rest: &str| format!("/api/records/{at}/{id}/{rest}");
    for client in [&otto, &held.stranger()] {
        for (method, rest, body) in [
            (Method::GET, "", None),
            (Method::PATCH, "", Some(json!({}))),
            (Method::DELETE, "", None),
            (Method::GET, "history/", None),
            (Method::POST, "history/1/restore/", None),
        ] {
            for (at, id) in [("notes", &hidden), ("notes", &dropped), ("vault", &vault)] {
                let paths = [of(at, id, rest), of(at, &absent, rest)];
                let [there, gone] = median(client, &method, &paths, body.as_ref()).await;
                let most = gone + gone / 2 + Duration::from_micros(500);
                assert!(
                    there < most,
                    "{method} {at} {rest}: {there:?} where it is hidden, {gone:?} where it is not there"
                );
            }
        }
        let paths = ["/api/records/vault/".to_owned(), "/api/records/nowhere/".to_owned()];
        let [there, gone] = median(client, &Method::GET, &paths, None).await;
        assert!(there < gone + gone / 2 + Duration::from_micros(500), "{there:?} {gone:?}");
    }
}
