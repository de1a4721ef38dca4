//! References, collections and definitions that change at once.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reference_never_points_at_what_is_gone() {
    let (_coffer, admin) = Coffer::with_admin().await;
    admin.collection("makers", json!([])).await;
    for on_delete in ["restrict", "cascade", "set_null"] {
        let maker = json!({"name": "maker", "type": "reference", "collection": "makers", "on_delete": on_delete, "nullable": true});
        admin.collection(on_delete, json!([maker])).await;
        let before = count(&admin, "makers").await;
        let mut gone = 0;
        for round in 0..12 {
            let maker = admin.record("makers", json!({})).await;
            let waiting = admin.record(on_delete, json!({})).await;
            let answers = at_once((0..6).map(|n| {
                let (admin, maker, waiting) = (admin.clone(), maker.clone(), waiting.clone());
                async move {
                    match n {
                        2 => admin.delete(&path("makers", &maker)).await,
                        4 => admin.patch(&path(on_delete, &waiting), &json!({"maker": maker["id"]})).await,
                        _ => {
                            admin
                                .post(&format!("/api/records/{on_delete}/"), &json!([{"maker": maker["id"]}, {}]))
                                .await
                        }
                    }
                }
            }))
            .await;
            let deleted = answers[2].status == 204;
            gone += u64::from(deleted);
            assert!(deleted || (on_delete == "restrict" && answers[2].status == 409), "{}", answers[2].text());
            let there = admin.get(&path("makers", &maker)).await.status == 200;
            assert_eq!(there, !deleted);
            let pointing = admin.column(&format!("/api/records/{on_delete}/?maker={}", text(&maker, "id")), "id").await;
            assert_eq!(pointing.is_empty(), deleted, "{on_delete} {round}: {pointing:?}");
            // What is counted about references is right as well: without them the target can go.
            if there {
                for id in pointing {
                    admin.delete(&format!("/api/records/{on_delete}/{}/", id.as_str().unwrap())).await.is(204);
                }
                admin.delete(&path("makers", &maker)).await.is(204);
                gone += 1;
            }
        }
        assert_eq!((gone, count(&admin, "makers").await), (12, before));
        count(&admin, on_delete).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collection_never_refers_to_one_that_is_gone() {
    let (_coffer, admin) = Coffer::with_admin().await;
    for round in 0..15 {
        let (target, other) = (format!("target{round}"), format!("other{round}"));
        admin.collection(&target, json!([])).await;
        let fields = json!([{"name": "r", "type": "reference", "collection": target}]);
        if round % 2 == 0 {
            admin.collection(&other, json!([])).await;
        }
        let answers = at_once((0..4).map(|n| {
            let (admin, target, other, fields) = (admin.clone(), target.clone(), other.clone(), fields.clone());
            async move {
                match n {
                    1 => admin.delete(&format!("/api/collections/{target}/")).await,
                    2 if round % 2 == 0 => {
                        admin.patch(&format!("/api/collections/{other}/"), &json!({"fields": fields})).await
                    }
                    2 => admin.post("/api/collections/", &json!({"name": other, "fields": fields})).await,
                    _ => admin.get("/api/collections/").await,
                }
            }
        }))
        .await;
        let deleted = answers[1].status == 204;
        let refers = answers[2].status < 300;
        assert!(deleted != refers, "deleted: {}, refers: {}", answers[1].text(), answers[2].text());
        assert_eq!(admin.get(&format!("/api/collections/{target}/")).await.status == 200, refers);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_definition_that_changes_under_writers_leaves_no_record_that_does_not_fit() {
    let (_coffer, admin) = Coffer::with_admin().await;
    admin.collection("rows", json!([{"name": "old", "type": "integer"}])).await;
    let writers = (0..8).map(|writer| {
        let admin = admin.clone();
        async move {
            for n in 0..25 {
                let name = if (n + writer) % 2 == 0 { "old" } else { "new" };
                let made = admin.post("/api/records/rows/", &json!({name: n})).await;
                assert!([201, 400].contains(&made.status), "{}", made.text());
            }
        }
    });
    let definer = {
        let admin = admin.clone();
        async move {
            for n in 0..10 {
                let name = if n % 2 == 0 { "new" } else { "old" };
                // Under constant writing it may have to give up, and says so.
                let fields = json!({"fields": [{"name": name, "type": "integer", "default": 5, "indexed": true}]});
                let address = format!("/api/collections/rows/?drop={}", if n % 2 == 0 { "old" } else { "new" });
                let request = admin.request(Method::PATCH, &address).header("content-type", "application/json");
                let status = request.body(fields.to_string()).send().await.unwrap().status();
                // What it had to give up is not there to be dropped the next time.
                assert!([200, 400, 409, 503].contains(&status.as_u16()), "{status}");
            }
        }
    };
    let definer = tokio::spawn(definer);
    at_once(writers).await;
    definer.await.unwrap();
    let definition = admin.get("/api/collections/rows/").await.is(200);
    let name = text(&definition["fields"][0], "name");
    let page = admin.get("/api/records/rows/?page_size=200").await.is(200);
    assert_eq!(page["next"], Value::Null);
    for row in page["results"].as_array().unwrap() {
        assert_eq!(row.as_object().unwrap().len(), 6, "{row}");
        assert!(row[&name].is_i64() || row[&name].is_null(), "{row}");
    }
    assert_eq!(count(&admin, "rows").await, page["results"].as_array().unwrap().len() as u64);
}
