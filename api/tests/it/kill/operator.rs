//! An operator who defines the writers' collection anew while they write: with an index and without. Each time all records are
//! gone through in one commit, which the kill may cut off.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::support::Client;

#[derive(Default)]
pub(crate) struct Operator {
    /// As it was acknowledged.
    indexed: bool,
    /// What was asked for and not answered.
    pending: Option<bool>,
    /// Answers since the last comparison.
    unchecked: u64,
}

/// The fields of `notes`.
pub(crate) fn fields(indexed: bool) -> Value {
    json!([
        {"name": "slot", "type": "text", "required": true, "unique": true},
        {"name": "amount", "type": "integer", "required": true, "indexed": indexed},
    ])
}

impl Operator {
    /// Works until something is not answered.
    pub(crate) async fn work(&mut self, admin: Client) {
        loop {
            let next = !self.indexed;
            self.pending = Some(next);
            let body = json!({"fields": fields(next)}).to_string();
            let request = admin.request(Method::PATCH, "/api/collections/notes/").body(body);
            let answer = request.header("content-type", "application/json").send().await;
            match answer.map(|answer| answer.status().as_u16()) {
                Ok(200) => (self.indexed, self.pending) = (next, None),
                // It is being made, or one of before is.
                Ok(202 | 409) => {}
                Ok(status) if status < 500 => panic!("a new definition was answered with {status}"),
                _ => return,
            }
            self.unchecked += 1;
            // So that the writers get somewhere, too.
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// Looks which definition there is; gives the number of answers that held.
    pub(crate) async fn compare(&mut self, admin: &Client) -> u64 {
        let collection = admin.get("/api/collections/notes/").await.is(200);
        let indexed = collection["fields"][1]["indexed"] == true;
        // What was not answered may go on in the background, and take effect later.
        let pending = self.pending;
        if pending == Some(indexed) {
            self.pending = None;
        }
        assert!(indexed == self.indexed || pending == Some(indexed), "indexed: {indexed}, as nobody defined it");
        self.indexed = indexed;
        std::mem::take(&mut self.unchecked)
    }
}
