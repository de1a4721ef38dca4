//! Who sees what: by the rules, the roles and the filter of the moment.

use serde_json::json;

use super::{Reader, furnished};
use crate::support::path;

#[tokio::test]
async fn only_what_one_may_view_is_told_and_what_leaves_ones_sight_is_gone() {
    let (coffer, admin) = furnished().await;
    let ulla = coffer.user(&admin, "ulla", json!({})).await;
    let otto = coffer.user(&admin, "otto", json!({})).await;
    let mut ullas = Reader::open(&ulla, "").await;
    let mut ottos = Reader::open(&otto, "collection=notes").await;
    let mut admins = Reader::open(&admin, "collection=notes").await;
    let ullas_note = ulla.record("notes", json!({"title": "ulla's"})).await;
    let ottos_note = otto.record("notes", json!({"title": "otto's"})).await;
    for (reader, wanted) in [
        (&mut ullas, vec![&ullas_note]),
        (&mut ottos, vec![&ottos_note]),
        (&mut admins, vec![&ullas_note, &ottos_note]),
    ] {
        reader.next().await;
        for note in wanted {
            let event = reader.next().await;
            assert_eq!((event.name.as_str(), &event.value["record"]), ("create", note));
        }
    }
    let given = admin.patch(&path("notes", &ullas_note), &json!({"owner": otto.id})).await.is(200);
    let gone = ullas.next().await;
    assert_eq!(gone.name, "gone");
    let said = json!({"collection": "notes", "id": ullas_note["id"], "revision": given["revision"]});
    assert_eq!(gone.value, said, "and nothing of what it is now");
    let come = ottos.next().await;
    assert_eq!((come.name.as_str(), &come.value["record"]), ("update", &given));
    admin.delete(&path("notes", &ullas_note)).await.is(204);
    assert_eq!(ottos.next().await.name, "delete");
    // Ulla is told nothing more of it.
    let next = ulla.record("notes", json!({"title": "next"})).await;
    assert_eq!(ullas.next().await.value["record"], next);
}

#[tokio::test]
async fn records_that_go_with_their_collection_are_told_to_those_whose_filter_they_match() {
    let (coffer, admin) = furnished().await;
    let otto = coffer.user(&admin, "otto", json!({})).await;
    let few = admin.record("snacks", json!({"title": "nuts", "price": 1})).await;
    for _ in 0..2 {
        let rows: Vec<_> = (0..800).map(|n| json!({"title": format!("corn {n}"), "price": 9})).collect();
        admin.post("/api/records/snacks/", &json!(rows)).await.is(201);
    }
    let mut cheap = Reader::open(&otto, "collection=snacks&filter=price+%3C+2").await;
    let mut all = Reader::open(&admin, "collection=notes&collection=snacks").await;
    cheap.next().await;
    all.next().await;
    admin.delete("/api/collections/snacks/").await;
    assert_eq!(cheap.next().await.name, "definition");
    let gone = cheap.next().await;
    assert_eq!((gone.name.as_str(), &gone.value["record"]["id"]), ("delete", &few["id"]));
    assert_eq!(all.next().await.name, "definition");
    for _ in 0..1601 {
        let gone = all.next().await;
        assert_eq!(gone.name, "delete");
        assert!(gone.value["record"]["title"].is_string(), "{:?}", gone.value);
    }
    let note = admin.record("notes", json!({"title": "after"})).await;
    assert_eq!(all.next().await.value["record"], note);
    admin.patch(&format!("/api/users/{}/", otto.id), &json!({"is_active": false})).await.is(200);
    let rest = cheap.until("close").await;
    assert!(rest.iter().all(|event| event.name != "delete"), "what does not match its filter is not told: {rest:?}");
}

#[tokio::test]
async fn a_stream_of_a_collection_that_may_not_be_followed_any_more_ends_and_says_so() {
    let (coffer, admin) = furnished().await;
    let otto = coffer.user(&admin, "otto", json!({})).await;
    let mut ottos = Reader::open(&otto, "collection=snacks").await;
    ottos.next().await;
    admin.patch("/api/collections/snacks/", &json!({"access": {"list": ["nobody"], "view": ["nobody"]}})).await.is(200);
    let told = ottos.until("close").await;
    assert_eq!(told.last().unwrap().value["reason"], "rules", "{told:?}");
}

#[tokio::test]
async fn a_filter_lets_in_what_comes_to_match_and_tells_what_does_no_longer() {
    let (_coffer, admin) = furnished().await;
    let mut equal = Reader::open(&admin, "collection=snacks&filter=price+%3D+3").await;
    let mut less = Reader::open(&admin, "collection=snacks&filter=price+%3C+3+or+title+~+%22corn%22").await;
    equal.next().await;
    less.next().await;
    let made = admin.record("snacks", json!({"title": "nuts", "price": 5})).await;
    let address = path("snacks", &made);
    let three = admin.patch(&address, &json!({"price": 3})).await.is(200);
    let two = admin.patch(&address, &json!({"price": 2})).await.is(200);
    let corn = admin.patch(&address, &json!({"price": 9, "title": "corn"})).await.is(200);
    admin.patch(&address, &json!({"title": "nuts"})).await.is(200);
    admin.patch(&address, &json!({"price": 3})).await.is(200);
    admin.delete(&address).await.is(204);
    let event = equal.next().await;
    assert_eq!((event.name.as_str(), &event.value["record"]), ("update", &three));
    assert_eq!(equal.next().await.name, "gone");
    assert_eq!(equal.next().await.name, "update");
    assert_eq!(equal.next().await.name, "delete");
    let event = less.next().await;
    assert_eq!((event.name.as_str(), &event.value["record"]), ("update", &two));
    assert_eq!(less.next().await.value["record"], corn);
    assert_eq!(less.next().await.name, "gone");
    let last = admin.record("snacks", json!({"title": "popcorn"})).await;
    assert_eq!(less.next().await.value["record"], last, "what did not match is not missed");
}

#[tokio::test]
async fn rules_and_roles_that_change_are_told_and_hold_from_then_on() {
    let (coffer, admin) = furnished().await;
    let ulla = coffer.user(&admin, "ulla", json!({})).await;
    let mut reader = Reader::open(&ulla, "collection=snacks").await;
    let mut everything = Reader::open(&ulla, "").await;
    reader.next().await;
    everything.next().await;
    let rules = |view: serde_json::Value| json!({"access": {"list": view, "view": view, "create": ["signed_in"], "update": ["owner"], "delete": ["owner"]}});
    admin.patch("/api/collections/snacks/", &rules(json!(["role:taster"]))).await.is(200);
    admin.record("snacks", json!({"title": "secret"})).await;
    for reader in [&mut reader, &mut everything] {
        let reset = reader.next().await;
        assert_eq!((reset.name.as_str(), &reset.value["reason"]), ("reset", &json!("rules")));
        assert_eq!(reset.value["collection"], "snacks");
    }
    // What was asked for by name may not be followed any more.
    let close = reader.next().await;
    assert_eq!((close.name.as_str(), &close.value["reason"]), ("close", &json!("rules")));
    // Nobody tells her of the next change either; a role does.
    admin.patch(&format!("/api/users/{}/", ulla.id), &json!({"roles": ["taster"]})).await.is(200);
    let reset = everything.next().await;
    assert_eq!((reset.name.as_str(), &reset.value["reason"]), ("reset", &json!("roles")));
    let told = admin.record("snacks", json!({"title": "told"})).await;
    assert_eq!(everything.next().await.value["record"], told);
    // The same when it is read later.
    let since = everything.last;
    admin.patch(&format!("/api/users/{}/", ulla.id), &json!({"roles": []})).await.is(200);
    admin.record("snacks", json!({"title": "secret too"})).await;
    let note = ulla.record("notes", json!({"title": "mine"})).await;
    let mut later = Reader::open_after(&ulla, "", since).await;
    later.next().await;
    assert_eq!(later.next().await.value["reason"], "roles");
    assert_eq!(later.next().await.value["record"], note);
}

#[tokio::test]
async fn definitions_that_change_are_told_to_who_may_see_them() {
    let (coffer, admin) = furnished().await;
    let ulla = coffer.user(&admin, "ulla", json!({})).await;
    let mut everything = Reader::open(&ulla, "").await;
    let mut named = Reader::open(&ulla, "collection=snacks&filter=price+%3D+3").await;
    let mut beside = Reader::open(&ulla, "collection=snacks&filter=price+%3D+3").await;
    everything.next().await;
    named.next().await;
    beside.next().await;
    let hidden = json!({"list": ["nobody"], "view": ["nobody"], "create": ["nobody"], "update": [], "delete": []});
    admin.post("/api/collections/", &json!({"name": "vault", "access": hidden})).await.is(201);
    admin.record("vault", json!({})).await;
    admin.collection("drinks", json!([{"name": "title", "type": "text"}])).await;
    let drink = admin.record("drinks", json!({"title": "tea"})).await;
    let made = everything.next().await;
    assert_eq!((made.name.as_str(), &made.value["collection"]), ("definition", &json!("drinks")));
    assert_eq!(made.value["action"], "create");
    assert_eq!(everything.next().await.value["record"], drink);

    admin.patch("/api/collections/snacks/fields/price/", &json!({"name": "cost"})).await.is(200);
    let changed = named.next().await;
    assert_eq!((changed.name.as_str(), &changed.value["action"]), ("definition", &json!("update")));
    let made = admin.record("snacks", json!({"title": "nuts", "cost": 3})).await;
    assert_eq!(named.next().await.value["record"], made, "the filter's field has another name now");
    assert_eq!(beside.next().await.name, "definition");
    assert_eq!(beside.next().await.value["record"], made, "also where others ask for the same");
    assert_eq!(everything.next().await.name, "definition");
    assert_eq!(everything.next().await.value["record"], made);

    admin.patch("/api/collections/snacks/", &json!({"name": "treats"})).await.is(200);
    let renamed = named.next().await;
    assert_eq!((&renamed.value["was"], &renamed.value["collection"]), (&json!("snacks"), &json!("treats")));
    everything.next().await;
    admin.delete("/api/collections/treats/").await.is(204);
    let deleted = named.next().await;
    assert_eq!((deleted.name.as_str(), &deleted.value["action"]), ("definition", &json!("delete")));
    assert_eq!(named.next().await.value["id"], made["id"], "each of its records is deleted with it");
    admin.delete("/api/collections/vault/").await.is(204);
    admin.delete("/api/collections/drinks/").await.is(204);
    let told: Vec<_> = everything.until("delete").await.iter().map(|event| event.value["collection"].clone()).collect();
    assert_eq!(told, ["treats", "treats"]);
    assert_eq!(everything.next().await.value["collection"], "drinks", "nothing of the vault");
}
