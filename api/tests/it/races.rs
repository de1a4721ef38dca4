//! Many at once: whatever the order in which the server takes them, exactly one wins where one may, nothing is lost, and
//! nothing is left pointing at what is gone.

use std::{collections::BTreeSet, future::Future};

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Client, Coffer, PASSWORD, path, text};

mod references;

/// Runs all of them at once, on several threads.
async fn at_once<F>(tasks: impl IntoIterator<Item = F>) -> Vec<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let tasks: Vec<_> = tasks.into_iter().map(tokio::spawn).collect();
    join_all(tasks).await.into_iter().map(Result::unwrap).collect()
}

fn how_many(answers: &[Answer], status: u16) -> usize {
    answers.iter().filter(|answer| answer.status == status).count()
}

async fn count(client: &Client, collection: &str) -> u64 {
    let kept = client.get(&format!("/api/collections/{collection}/")).await.is(200)["count"].as_u64().unwrap();
    let counted = client.get(&format!("/api/records/{collection}/?id__isnull=false&page_size=1")).await.is(200);
    assert_eq!(counted["count"], kept, "the kept count of {collection} has drifted");
    kept
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d4_of_a_hundred_creates_of_one_unique_value_one_wins() {
    let (_coffer, admin) = Coffer::with_admin().await;
    admin.collection("snacks", json!([{"name": "title", "type": "text", "unique": true}])).await;
    for round in 0..3 {
        let answers = at_once((0..100).map(|_| {
            let admin = admin.clone();
            async move { admin.post("/api/records/snacks/", &json!({"title": format!("Popcorn {round}")})).await }
        }))
        .await;
        assert_eq!((how_many(&answers, 201), how_many(&answers, 409)), (1, 99));
        assert!(answers.iter().filter(|answer| answer.status == 409).all(|answer| answer.problem().code == "unique"));
        assert_eq!(count(&admin, "snacks").await, round + 1);
    }
    // Arrays race as wholes.
    let answers = at_once((0..20).map(|n| {
        let admin = admin.clone();
        let rows = json!([{"title": format!("own {n}")}, {"title": "shared"}, {"title": format!("other {n}")}]);
        async move { admin.post("/api/records/snacks/", &rows).await }
    }))
    .await;
    assert_eq!((how_many(&answers, 201), how_many(&answers, 409)), (1, 19));
    assert_eq!(count(&admin, "snacks").await, 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d4_of_sixty_four_writers_with_one_revision_one_wins_each_round() {
    let (_coffer, admin) = Coffer::with_admin().await;
    admin.collection("counters", json!([{"name": "n", "type": "integer"}])).await;
    let mut record = admin.record("counters", json!({"n": 0})).await;
    let address = path("counters", &record);
    for round in 1..=5 {
        let answers = at_once((0..64).map(|writer| {
            let (admin, address, revision) = (admin.clone(), address.clone(), record["revision"].clone());
            async move {
                let body = json!({"n": round * 100 + writer});
                let request = admin.request(Method::PATCH, &address).header("if-match", format!("\"{revision}\""));
                Answer::of(request.header("content-type", "application/json").body(body.to_string())).await
            }
        }))
        .await;
        assert_eq!((how_many(&answers, 200), how_many(&answers, 412)), (1, 63), "round {round}");
        let winner = answers.iter().find(|answer| answer.status == 200).unwrap().is(200);
        record = admin.get(&address).await.is(200);
        assert_eq!(record, winner);
    }
    // Without a revision the last one wins, and all of them get through.
    let answers = at_once((0..64).map(|n| {
        let (admin, address) = (admin.clone(), address.clone());
        async move { admin.patch(&address, &json!({"n": 1000 + n})).await }
    }))
    .await;
    assert_eq!(how_many(&answers, 200), 64);
    let revisions: BTreeSet<u64> = answers.iter().map(|answer| answer.is(200)["revision"].as_u64().unwrap()).collect();
    assert_eq!(revisions.len(), 64, "no two writes share a revision");
    assert_eq!(admin.get(&address).await.is(200)["revision"], *revisions.last().unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn patches_of_different_members_do_not_undo_each_other() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let fields: Vec<Value> = (0..20).map(|n| json!({"name": format!("f{n}"), "type": "integer"})).collect();
    admin.collection("wide", json!(fields)).await;
    let address = path("wide", &admin.record("wide", json!({})).await);
    let answers = at_once((0..20).map(|n| {
        let (admin, address) = (admin.clone(), address.clone());
        async move { admin.patch(&address, &json!({format!("f{n}"): n})).await }
    }))
    .await;
    assert_eq!(how_many(&answers, 200), 20);
    let record = admin.get(&address).await.is(200);
    for n in 0..20 {
        assert_eq!(record[format!("f{n}")], n);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_twenty_set_ups_one_wins() {
    let coffer = Coffer::start();
    let answers = at_once((0..20).map(|n| {
        let stranger = coffer.stranger();
        let body = json!({"code": coffer.setup_code, "username": format!("admin{n}"), "password": PASSWORD});
        async move { stranger.post("/api/setup/", &body).await }
    }))
    .await;
    assert_eq!((how_many(&answers, 201), how_many(&answers, 409)), (1, 19));
    let winner = text(&answers.iter().find(|answer| answer.status == 201).unwrap().is(201), "username");
    let admin = coffer.sign_in(&winner).await;
    assert_eq!(admin.get("/api/users/").await.is(200)["count"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_users_of_one_name_one_is_made() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let names = ["ulla", "ULLA", "Ulla", "ｕｌｌａ", "ulla", "uLLa"];
    let answers = at_once(names.map(|name| {
        let admin = admin.clone();
        async move { admin.post("/api/users/", &json!({"username": name, "password": PASSWORD})).await }
    }))
    .await;
    assert_eq!((how_many(&answers, 201), how_many(&answers, 409)), (1, 5));
    assert_eq!(admin.get("/api/users/").await.is(200)["count"], 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_admins_cannot_take_each_other_away_at_once() {
    let (coffer, first) = Coffer::with_admin().await;
    let second = coffer.user(&first, "otto", json!({"is_admin": true})).await;
    let demote = || (Method::PATCH, Some(json!({"is_admin": false})));
    let disable = || (Method::PATCH, Some(json!({"is_active": false})));
    for (how, again) in [(demote(), json!({"is_admin": true})), (disable(), json!({"is_active": true}))] {
        let tries = [(&first, &second), (&second, &first), (&first, &first), (&second, &second)];
        let answers = at_once(tries.into_iter().cycle().take(12).map(|(by, whom)| {
            let (by, address, (method, body)) = (by.clone(), format!("/api/users/{}/", whom.id), how.clone());
            async move { by.json(method, &address, &body.unwrap()).await }
        }))
        .await;
        assert!(answers.iter().all(|answer| [200, 401, 403, 409].contains(&answer.status)), "{answers:?}");
        let mut left = None;
        for admin in [&first, &second] {
            let fresh = if admin.id == first.id { "ada" } else { "otto" };
            let credentials = json!({"username": fresh, "password": PASSWORD});
            let Ok(tokens) =
                serde_json::from_slice::<Value>(&coffer.stranger().post("/api/token/", &credentials).await.body)
            else {
                continue;
            };
            let Some(access) = tokens["access"].as_str() else { continue };
            let admin = Client { access: Some(access.to_owned()), ..admin.clone() };
            if admin.get("/api/users/").await.status == 200 {
                assert!(left.replace(admin).is_none(), "one of the two was taken away");
            }
        }
        let left = left.expect("one admin is left");
        for id in [&first.id, &second.id] {
            left.patch(&format!("/api/users/{id}/"), &again).await.is(200);
        }
    }
    let (first, second) = (coffer.sign_in("ada").await, coffer.sign_in("otto").await);
    let answers = at_once([(&first, &second), (&second, &first)].map(|(by, whom)| {
        let (by, address) = (by.clone(), format!("/api/users/{}/", whom.id));
        async move { by.delete(&address).await }
    }))
    .await;
    assert_eq!(how_many(&answers, 204), 1, "{answers:?}");
    assert_eq!(how_many(&[first.get("/api/users/").await, second.get("/api/users/").await], 200), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counts_are_right_after_a_storm() {
    let (coffer, admin) = Coffer::with_admin().await;
    let own = json!({"list": ["owner"]});
    let fields = json!([{"name": "n", "type": "integer", "indexed": true}, {"name": "u", "type": "text", "unique": true, "nullable": true}]);
    admin.post("/api/collections/", &json!({"name": "rows", "fields": fields, "access": own})).await.is(201);
    let users = [coffer.user(&admin, "ulla", json!({})).await, coffer.user(&admin, "otto", json!({})).await];
    let kept = at_once((0..16usize).map(|writer| {
        let user = users[writer % 2].clone();
        async move {
            let mut kept = Vec::new();
            for n in 0..12 {
                let array: Vec<Value> = (0..3).map(|i| json!({"n": i, "u": format!("{writer}.{n}.{i}")})).collect();
                let made = user.post("/api/records/rows/", &json!(array)).await.is(201);
                let made = made.as_array().unwrap();
                // Everyone wants this one.
                let wanted =
                    user.post("/api/records/rows/", &json!([{"u": format!("w{writer}.{n}")}, {"u": "wanted"}])).await;
                if wanted.status == 201 {
                    kept.extend(wanted.is(201).as_array().unwrap().iter().map(|record| record["id"].clone()));
                } else {
                    wanted.refused(409);
                }
                user.patch(&path("rows", &made[0]), &json!({"n": 77, "u": null})).await.is(200);
                user.delete(&path("rows", &made[1])).await.is(204);
                kept.extend([made[0]["id"].clone(), made[2]["id"].clone()]);
            }
            (writer % 2, kept)
        }
    }))
    .await;
    for (n, user) in users.iter().enumerate() {
        let mut ids: Vec<String> = kept
            .iter()
            .filter(|(owner, _)| *owner == n)
            .flat_map(|(_, ids)| ids)
            .map(|id| id.as_str().unwrap().to_owned())
            .collect();
        ids.sort_unstable();
        let page = user.get("/api/records/rows/?page_size=200&fields=id").await.is(200);
        assert_eq!(page["next"], Value::Null);
        let listed: Vec<&str> =
            page["results"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect();
        assert_eq!(listed, ids);
        assert_eq!(count(user, "rows").await, ids.len() as u64);
        let indexed = user.get("/api/records/rows/?n=77&page_size=1").await.is(200);
        assert_eq!(indexed["count"], 8 * 12);
    }
    assert_eq!(count(&admin, "rows").await, 16 * 12 * 2 + 2, "the wanted value was given once, with its neighbour");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_fifty_refreshes_with_one_token_at_most_one_gives_tokens_in_strict_rotation() {
    let (coffer, _admin) = Coffer::with_admin_and(&["--rotation", "strict"]).await;
    let stranger = coffer.stranger();
    let pair = stranger.post("/api/token/", &json!({"username": "ada", "password": PASSWORD})).await.is(200);
    let answers = at_once((0..50).map(|_| {
        let (stranger, refresh) = (stranger.clone(), pair["refresh"].clone());
        async move { stranger.post("/api/token/refresh/", &json!({"refresh": refresh})).await }
    }))
    .await;
    assert_eq!((how_many(&answers, 200), how_many(&answers, 401)), (1, 49));
    // Whether the session lives on depends on who came when; the spent token never does.
    stranger.post("/api/token/refresh/", &json!({"refresh": pair["refresh"]})).await.refused(401);
}
