//! What is gathered for an answer before there is one: versions, lists of references, rows of a file, bodies that are too large.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;

use super::{left_alone, many, one_connection, status, tally};
use crate::{bounds::peaks::World, support::path};

/// One connection that asks for many histories, takes them all at once, and reads none for a while.
pub(super) async fn histories_in_one_connection(world: &World) -> String {
    one_connection(world, &history(world), i32::MAX.unsigned_abs()).await
}

/// The same by many connections.
pub(super) async fn histories_left_alone(world: &World) -> String {
    left_alone(world, &history(world), 4 * world.how.callers).await
}

fn history(world: &World) -> String {
    format!("{}history/", path("large", &world.record))
}

/// Records with long lists of references to large records, with those.
pub(super) async fn lists(world: &World) -> String {
    many(world, "/api/records/hubs/?expand=parts&limit=200").await
}

pub(super) async fn one_list(world: &World) -> String {
    many(world, &format!("{}?expand=parts", path("hubs", &world.hub))).await
}

/// Rows found by what their lists of references lead to.
pub(super) async fn filtered(world: &World) -> String {
    many(world, "/api/records/hubs/?parts__text__contains=zz").await
}

pub(super) async fn exported(world: &World) -> String {
    many(world, "/api/records/hubs/export/?expand=parts").await
}

pub(super) async fn grouped(world: &World) -> String {
    many(world, "/api/records/hubs/aggregate/?group_by=n&parts__text__contains=zz").await
}

/// Files of rows, one of which is larger than a row may be, the others just not.
pub(super) async fn imports(world: &World) -> String {
    let row = |bytes: usize| format!("{}\n", json!({"text": "x".repeat(bytes), "n": 1}));
    let table = |bytes: usize| format!("text,n\n{}", format!("{},1\n", "x".repeat(bytes)).repeat(5));
    let (fits, large) = (2 * 1024 * 1024 - 200, 4_000_000);
    let files = [row(fits).repeat(5), row(large).repeat(5), table(fits), table(large)];
    let kinds = ["application/x-ndjson", "application/x-ndjson", "text/csv", "text/csv"];
    let send = |n: usize| {
        let request = world.admin.request(Method::POST, "/api/records/large/import/?dry_run=true");
        let request = request.header("content-type", kinds[n % 4]).body(files[n % 4].clone());
        async { request.send().await.map_or(0, |answer| answer.status().as_u16()) }
    };
    tally(join_all((0..world.how.callers / 5).map(send)).await)
}

/// Strangers who send a megabyte where names and passwords are expected.
pub(super) async fn sign_ins_with_large_bodies(world: &World) -> String {
    let stranger = world.server.stranger();
    let body = json!({"username": "nobody", "password": "x".repeat(1_000_000)}).to_string();
    let try_one = |_| status(&stranger, Method::POST, "/api/token/", Some(body.clone()));
    tally(join_all((0..world.how.callers * 3 / 2).map(try_one)).await)
}
