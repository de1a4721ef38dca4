//! What is wide rather than long: columns of a file, words of a record, records of one change, fields of definitions.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use super::{left_alone, many, posts, status, tally};
use crate::bounds::peaks::World;

/// Files of two lines with 200,000 columns, to be looked at and to come in.
pub(super) async fn columns(world: &World) -> String {
    let headings: Vec<String> = (0..200_000).map(|n| format!("h{n}")).collect();
    let body = format!("{}\n{}", headings.join(","), ",".repeat(199_999));
    let mut told = Vec::new();
    for path in ["/api/guess/", "/api/records/small/import/?dry_run=true"] {
        let send = || {
            let request = world.admin.request(Method::POST, path).header("content-type", "text/csv");
            let request = request.body(body.clone());
            async { request.send().await.map_or(0, |answer| answer.status().as_u16()) }
        };
        told.push(tally(join_all((0..world.how.callers).map(|_| send())).await));
    }
    told.join(", ")
}

/// Records of thousands of words each, which make more entries than one commit may have.
pub(super) async fn words(world: &World) -> String {
    let fields = json!([{"name": "text", "type": "text", "max_length": 100_000, "searchable": true}]);
    let body = json!({"name": "wordy", "fields": fields}).to_string();
    status(&world.admin, Method::POST, "/api/collections/", Some(body)).await;
    let text = (0..5000).map(|n| format!("w{n}")).collect::<Vec<_>>().join(" ");
    let rows: Vec<Value> = (0..160).map(|_| json!({"text": text})).collect();
    let array = posts(world, "wordy", &json!(rows).to_string(), world.how.callers).await;
    let item = |record: Value| json!({"action": "create", "collection": "wordy", "record": record});
    let batch = json!({"items": rows.into_iter().map(item).collect::<Vec<_>>()}).to_string();
    let send = || status(&world.admin, Method::POST, "/api/batch/", Some(batch.clone()));
    format!("{array}, {}", tally(join_all((0..world.how.callers).map(|_| send())).await))
}

/// Changes of as many records as one request may change.
pub(super) async fn changes(world: &World) -> String {
    let mut told = Vec::new();
    for (path, body) in [
        ("/api/records/small/?text__startswith=words&max=10000&dry_run=true", json!({"n": {"$add": 0}})),
        (
            "/api/records/small/?text__startswith=words&n__lt=400&max=10000&dry_run=true",
            json!({"text": "t".repeat(20_000)}),
        ),
        ("/api/records/small/?text__startswith=words&max=10000", json!({"n": {"$add": 0}})),
    ] {
        let send = || status(&world.admin, Method::PATCH, path, Some(body.to_string()));
        told.push(tally(join_all((0..world.how.callers / 2).map(|_| send())).await));
    }
    told.join(", ")
}

/// Hundreds of definitions with 200 fields, and what is told of all of them.
pub(super) async fn definitions(world: &World) -> String {
    let choices: Vec<Value> = (0..12).map(|n| json!(format!("a choice of some words, {n}"))).collect();
    let fields: Vec<Value> = (0..200)
        .map(|n| json!({"name": format!("f{n}"), "type": "choice", "choices": choices, "help": "what it says".repeat(8)}))
        .collect();
    for n in 0..if world.how.is_full { 1000 } else { 100 } {
        let body = json!({"name": format!("wide{n}"), "fields": fields}).to_string();
        assert_eq!(status(&world.admin, Method::POST, "/api/collections/", Some(body)).await, 201);
    }
    let mut told = Vec::new();
    for path in ["schema", "collections", "records"] {
        told.push(format!("{path} {}", many(world, &format!("/api/{path}/")).await));
    }
    told.push(format!("events {}", left_alone(world, "/api/events/", world.how.callers).await));
    told.join(", ")
}
