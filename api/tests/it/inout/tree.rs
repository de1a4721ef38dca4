//! Rows that refer to rows of the same file, as those of a tree do.

use std::fmt::Write as _;

use reqwest::{Method, header::CONTENT_TYPE};
use serde_json::{Value, json};

use super::large::end;
use crate::support::{Answer, Client, Coffer};

async fn tree(nullable: bool) -> (Coffer, Client) {
    let (coffer, admin) = Coffer::with_admin_and(&["--rate-limit", "off"]).await;
    // A reference to a collection is to one that is there.
    admin.collection("nodes", json!([{"name": "name", "type": "text", "unique": true}])).await;
    let fields = json!([{"name": "name", "type": "text", "unique": true},
        {"name": "parent", "type": "reference", "collection": "nodes", "nullable": nullable},
        {"name": "friends", "type": "reference", "collection": "nodes", "many": true}]);
    admin.patch("/api/collections/nodes/", &json!({"fields": fields})).await.is(200);
    (coffer, admin)
}

async fn send(client: &Client, query: &str, body: impl Into<reqwest::Body>) -> Answer {
    let request = client.request(Method::POST, &format!("/api/records/nodes/import/?{query}"));
    Answer::of(request.header(CONTENT_TYPE, "text/csv").body(body)).await
}

/// Each node with its parent's name.
async fn parents(client: &Client) -> String {
    let at = "/api/records/nodes/?ordering=name&page_size=1000&fields=name,parent&expand=parent";
    let page = client.get(at).await.is(200);
    let shown =
        |row: &Value| format!("{}<{}", row["name"].as_str().unwrap(), row["parent"]["name"].as_str().unwrap_or("-"));
    page["results"].as_array().unwrap().iter().map(shown).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn rows_refer_to_earlier_and_later_ones_and_to_themselves() {
    let (_coffer, admin) = tree(true).await;
    let file = "name,parent.name,friends\nleaf,twig,\ntwig,root,leaf;root\nroot,,\nself,self,\nx,y,\ny,x,\n";
    let counts = |answer: &Value| ["created", "updated", "rejected"].map(|name| answer[name].as_u64().unwrap());
    let dry = send(&admin, "dry_run=true", file).await.is(200);
    assert_eq!(counts(&dry), [6, 0, 0], "{dry}");
    send(&admin, "", file).await.is(200);
    let all = "leaf<twig root<- self<self twig<root x<y y<x";
    assert_eq!(parents(&admin).await, all);
    let twig = admin.get("/api/records/nodes/?name=twig&expand=friends").await.is(200);
    let friends = twig["results"][0]["friends"].as_array().unwrap().iter().map(|friend| friend["name"].clone());
    assert_eq!(friends.collect::<Vec<_>>(), ["leaf", "root"]);
    // What goes out comes in again, as it was.
    for format in ["csv", "ndjson", "json"] {
        let export = admin.get(&format!("/api/records/nodes/export/?format={format}")).await;
        let exact = admin.get("/api/records/nodes/export/?format=ndjson").await.text();
        admin.delete("/api/records/nodes/?all=true&max=100").await.is(200);
        let request = admin.request(Method::POST, "/api/records/nodes/import/");
        let sent = request.header(CONTENT_TYPE, export.header("content-type")).body(export.body.clone());
        assert_eq!(Answer::of(sent).await.is(200)["created"], 6, "{format}");
        assert_eq!(admin.get("/api/records/nodes/export/?format=ndjson").await.text(), exact, "{format}");
    }
    // Found by a key, changed, and referred to by the name that they get.
    let moved = "name,parent\nroot,new\nnew,\nleaf,root\n";
    assert_eq!(counts(&send(&admin, "key=name&on_conflict=update", moved).await.is(200)), [1, 2, 0]);
    assert_eq!(parents(&admin).await, "leaf<root new<- root<new self<self twig<root x<y y<x");
}

#[tokio::test]
async fn what_refers_to_a_row_that_does_not_fit_does_not_fit() {
    let (_coffer, admin) = tree(true).await;
    let file = "name,parent,friends\nd,c,\nc,b,\nb,gone,\na,,\ne,a,d\na2,a,\n";
    let done = send(&admin, "on_error=skip", file).await.is(200);
    assert_eq!((&done["created"], &done["rejected"]), (&json!(2), &json!(4)), "{done}");
    assert_eq!(parents(&admin).await, "a<- a2<a");
    let told = |row: u64| {
        let faults = done["faults"].as_array().unwrap().iter().filter(|fault| fault["row"] == row);
        faults.map(|fault| format!("{}: {}", fault["field"], fault["message"])).collect::<Vec<_>>().concat()
    };
    assert!(told(4).contains("gone"), "{done}");
    for (row, needs) in [(3, 4), (2, 3), (6, 2)] {
        assert!(told(row).contains(&format!("Row {needs}, which this refers to, does not fit.")), "{done}");
    }
    // Where nothing is written at all, the row that is wrong is told.
    let refused = send(&admin, "", "name,parent\nz,y\ny,nobody\n").await.refused(400);
    assert!(refused.errors.0.contains_key("3.parent"), "{refused:?}");
    assert_eq!(parents(&admin).await, "a<- a2<a");
}

#[tokio::test]
async fn a_tree_that_is_written_in_pieces_comes_in_whatever_its_order() {
    for nullable in [true, false] {
        let (_coffer, admin) = tree(nullable).await;
        // The last is the root of all, each refers to the next; beside them rings of three, the first and last ones far apart.
        let mut file = "name,parent.name,friends\n".to_owned();
        let count = 10_400;
        for n in 0..count {
            let parent = if n + 1 < count { n + 1 } else { n };
            writeln!(file, "n{n},n{parent},").unwrap();
        }
        for (ring, place) in [("r", 0), ("r", 1), ("r", 2)] {
            writeln!(file, "{ring}{place},{ring}{},n5;n{}", (place + 1) % 3, count - 1).unwrap();
        }
        let begun = send(&admin, "", file).await;
        assert!([200, 202].contains(&begun.status), "{}", begun.text());
        let body: Value = serde_json::from_slice(&begun.body).unwrap();
        let done = end(&admin, body["operation"].as_str().unwrap()).await;
        assert_eq!((&done["state"], &done["import"]["created"]), (&json!("done"), &json!(count + 3)), "{done}");
        for (name, parent) in [("n0", "n1"), ("n9999", "n10000"), ("n10399", "n10399"), ("r2", "r0")] {
            let at = format!("/api/records/nodes/?name={name}&expand=parent");
            assert_eq!(admin.get(&at).await.is(200)["results"][0]["parent"]["name"], parent, "{name}");
        }
    }
}

#[tokio::test]
async fn a_circle_that_no_commit_takes_is_refused_with_a_sentence() {
    let (_coffer, admin) = tree(true).await;
    let count = 10_100;
    let mut file = "name,parent.name\n".to_owned();
    for n in 0..count {
        writeln!(file, "n{n},n{}", (n + 1) % count).unwrap();
    }
    let answer = send(&admin, "", file).await;
    let told = if answer.status == 400 {
        answer.text()
    } else {
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        end(&admin, body["operation"].as_str().unwrap()).await.to_string()
    };
    assert!(told.contains("in a circle"), "{told}");
    assert_eq!(admin.get("/api/records/nodes/").await.is(200)["count"], 0);
}
