//! What stands beside records and grows with what callers do: users, operations, definitions, the server's own lists.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;

use super::{many, status, tally};
use crate::bounds::peaks::World;

/// Strangers who sign up.
pub(super) async fn sign_ups(world: &World) -> String {
    let stranger = world.server.stranger();
    let tries = (0..3 * world.how.callers).map(|n| {
        let body = json!({"username": format!("newcomer{n}"), "password": format!("fourteen kettles hum tune {n}")});
        let stranger = stranger.clone();
        async move { status(&stranger, Method::POST, "/api/users/", Some(body.to_string())).await }
    });
    tally(join_all(tries).await)
}

/// Many who undo the same 8 MB at once: one of them does.
pub(super) async fn undo(world: &World) -> String {
    let path = format!("/api/changes/{}/revert/", world.operation);
    tally(
        join_all((0..world.how.callers / 5).map(|_| status(&world.admin, Method::POST, &path, Some(String::new()))))
            .await,
    )
}

/// Work in the background, begun as often as one likes.
pub(super) async fn background(world: &World) -> String {
    let body = json!({"older_than": "90d"}).to_string();
    tally(
        join_all(
            (0..world.how.callers)
                .map(|_| status(&world.admin, Method::POST, "/api/changes/trim/", Some(body.clone()))),
        )
        .await,
    )
}

/// What is told of the server itself.
pub(super) async fn own_lists(world: &World) -> String {
    let mut told = Vec::new();
    for path in ["operations", "users", "sessions", "collections", "schema", "metrics", "paths"] {
        told.push(format!("{path} {}", many(world, &format!("/api/{path}/")).await));
    }
    told.push(format!("operation {}", many(world, &format!("/api/changes/{}/", world.operation)).await));
    told.join(", ")
}
