//! The journal with the newest first and narrowed, and the trash, which is made of it: what was deleted and is still gone.

use serde_json::{Value, json};

use crate::support::{Client, Coffer, path, text};

/// All of a list, followed by its links.
async fn all(client: &Client, start: &str) -> Vec<Value> {
    let (mut found, mut next) = (Vec::new(), start.to_owned());
    loop {
        let page = client.get(&next).await.is(200);
        found.extend(page["results"].as_array().unwrap().iter().cloned());
        match page["next"].as_str() {
            Some(address) => next = address.strip_prefix(&client.base).unwrap().to_owned(),
            None => return found,
        }
    }
}

#[tokio::test]
async fn the_journal_backward_is_the_journal_turned_round_whatever_it_is_narrowed_to() {
    let (coffer, admin) = Coffer::with_admin().await;
    admin.collection("snacks", json!([{"name": "title", "type": "text"}])).await;
    let ulla = coffer.user(&admin, "ulla", json!({})).await;
    for n in 0..12 {
        let one = ulla.record("snacks", json!({"title": format!("Bag {n}")})).await;
        ulla.patch(&path("snacks", &one), &json!({"title": "Bag"})).await.is(200);
        if n % 3 == 0 {
            ulla.delete(&path("snacks", &one)).await.is(204);
        }
    }
    // One commit of many entries.
    let many: Vec<_> = (0..9).map(|n| json!({"title": format!("Many {n}")})).collect();
    admin.post("/api/records/snacks/", &json!(many)).await.is(201);
    for narrowed in
        ["", "&action=delete", "&subject=record", "&subject=user&action=create", &format!("&by={}", ulla.id)]
    {
        for size in ["", "&page_size=1", "&page_size=4"] {
            let mut forward = all(&admin, &format!("/api/changes/?page_size=200{narrowed}")).await;
            forward.reverse();
            let backward = all(&admin, &format!("/api/changes/?newest_first=true{narrowed}{size}")).await;
            assert_eq!(backward, forward, "{narrowed}{size}");
            assert!(!forward.is_empty(), "{narrowed}");
        }
    }
    let newest = admin.get("/api/changes/?newest_first=true&page_size=1").await.is(200);
    let revision = &newest["results"][0]["revision"];
    let before = admin.get(&format!("/api/changes/?before={revision}&page_size=1")).await.is(200);
    assert!(before["results"][0]["revision"].as_u64() < revision.as_u64());
    // Somebody who is no admin sees of it what they may view.
    let seen = all(&ulla, "/api/changes/?newest_first=true&action=delete").await;
    assert_eq!(seen.len(), 4);
    assert_eq!(all(&ulla, "/api/changes/?newest_first=true&subject=user").await, Vec::<Value>::new());
    for bad in [
        "before=x",
        "action=other",
        "action=compress",
        "subject=thing",
        "by=ada",
        "newest_first=yes",
        "after=1&before=9",
    ] {
        admin.get(&format!("/api/changes/?{bad}")).await.refused(400);
    }
}

#[tokio::test]
async fn the_trash_has_what_is_gone_and_not_what_is_back() {
    let (coffer, admin) = Coffer::with_admin().await;
    admin.collection("snacks", json!([{"name": "title", "type": "text"}])).await;
    let access = json!({"list": ["owner"], "view": ["owner"], "create": ["signed_in"], "update": ["owner"], "delete": ["owner"]});
    admin.patch("/api/collections/snacks/", &json!({"access": access})).await.is(200);
    let (ulla, otto) = (coffer.user(&admin, "ulla", json!({})).await, coffer.user(&admin, "otto", json!({})).await);
    let trash = "/api/records/snacks/trash/";
    assert_eq!(admin.get(trash).await.is(200), json!({"next": null, "results": []}));
    let mut gone = Vec::new();
    for title in ["Chips", "Nuts", "Figs"] {
        let one = ulla.record("snacks", json!({"title": title})).await;
        ulla.delete(&path("snacks", &one)).await.is(204);
        gone.push(one);
    }
    let titles = async |client: &Client| {
        let found = all(client, &format!("{trash}?page_size=1")).await;
        found.iter().map(|change| text(&change["before"], "title")).collect::<Vec<_>>()
    };
    assert_eq!(titles(&ulla).await, ["Figs", "Nuts", "Chips"]);
    assert_eq!(titles(&admin).await, ["Figs", "Nuts", "Chips"]);
    assert_eq!(titles(&otto).await, Vec::<String>::new(), "others' are not told");
    coffer.stranger().get(trash).await.refused(401);

    // What is put back is there no more; deleted once more it is there once, as it was last.
    let deletion = ulla.get(&format!("{trash}?page_size=2")).await.is(200)["results"][1].clone();
    assert_eq!((&deletion["action"], &deletion["id"]), (&json!("delete"), &gone[1]["id"]));
    let back = format!("{}history/{}/restore/", path("snacks", &gone[1]), deletion["revision"]);
    ulla.post(&back, &json!({})).await.is(200);
    assert_eq!(titles(&ulla).await, ["Figs", "Chips"]);
    ulla.patch(&path("snacks", &gone[1]), &json!({"title": "Walnuts"})).await.is(200);
    ulla.delete(&path("snacks", &gone[1])).await.is(204);
    assert_eq!(titles(&ulla).await, ["Walnuts", "Figs", "Chips"]);

    // A collection that may not be listed has none, like one that is not there.
    let secret = json!({"list": ["role:cook"], "view": ["signed_in"], "create": ["signed_in"], "update": ["owner"], "delete": ["owner"]});
    admin.patch("/api/collections/snacks/", &json!({"access": secret})).await.is(200);
    let refused = ulla.get(trash).await;
    assert!([403, 404].contains(&refused.status), "{}", refused.text());
    admin.get("/api/records/nothing/trash/").await.refused(404);
    admin.get(&format!("{trash}?action=create")).await.refused(400);
}
