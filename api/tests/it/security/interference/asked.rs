//! One request to both stores, and which differences between its answers docs/security.md lists.

use reqwest::Method;
use serde_json::Value;

use super::world::World;
use crate::support::Answer;

/// What stands in a request: the same for both stores, or of each its own.
pub(super) type Both = [String; 2];

/// A request to both stores: each text twice, with the ids and revisions of the one and of the other.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub caller: usize,
    pub method: Method,
    pub path: Both,
    pub headers: Vec<(&'static str, Both)>,
    pub body: Option<Both>,
    /// Errors as Django REST Framework tells them.
    pub is_plain: bool,
    /// The collection that it writes into.
    pub writes: Option<usize>,
}

impl Asked {
    /// Sends it to one of the stores.
    pub(super) async fn send(&self, world: &World, side: usize) -> Answer {
        let client = &world.stores[side].callers[self.caller];
        let (method, path) = (self.method.clone(), &self.path[side]);
        let mut request = if self.is_plain { client.plain(method, path) } else { client.request(method, path) };
        for (name, values) in &self.headers {
            request = request.header(*name, &values[side]);
        }
        if let Some(body) = &self.body {
            if !self.headers.iter().any(|(name, _)| *name == "content-type") {
                request = request.header("content-type", "application/json");
            }
            request = request.body(body[side].clone());
        }
        Answer::of(request).await
    }

    /// Whether two answers differ by what docs/security.md lists, and tell no more than it says.
    pub(super) fn is_unavoidable(&self, left: &Answer, right: &Answer) -> bool {
        // Neither a field nor an index, and nothing in quotation marks.
        let unnamed = |answer: &Answer, said: &str| {
            let body: Value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
            // Of an import it is a row's fault, among others.
            let is_import = self.path[0].contains("/import/");
            let named = |errors: &Value| {
                let is_named = |name: &String| {
                    let row = name.strip_suffix(".non_field_errors").filter(|_| is_import);
                    name != "non_field_errors" && row.is_none_or(|row| row.parse::<u64>().is_err())
                };
                errors.as_object().is_some_and(|all| all.keys().any(is_named))
            };
            let known = ["type", "title", "status", "detail", "code", "errors", "request_id", "non_field_errors"];
            let members = body.as_object().is_some_and(|all| all.keys().all(|name| known.contains(&name.as_str())));
            (answer.status == 409 || is_import && answer.status == 400)
                && members
                && !named(&body["errors"])
                && answer.text().contains(said)
                && !answer.text().contains("\\\"")
        };
        let [done, refused] = if left.status < 300 { [left, right] } else { [right, left] };
        // A published path deletes by POST, and a batch by an item.
        let is_held = unnamed(refused, "Something that you may not see still refers to this.");
        let is_taken = unnamed(refused, "A value that has to be unique is taken already.");
        match self.method {
            Method::DELETE => done.status < 300 && is_held,
            Method::POST | Method::PUT | Method::PATCH => done.status < 300 && (is_held || is_taken),
            _ => false,
        }
    }
}
