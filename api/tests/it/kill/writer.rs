//! A writer: does one thing after another over HTTP, each noted before it is sent and again when it is answered, and stops
//! at the first that is not answered.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use reqwest::Method;
use serde_json::{Value, json};

use super::model::{Intent, Model, Note, Pair};
use crate::{
    random::Random,
    support::{PASSWORD, server::http_client},
};

/// Records that a writer has at most, each in a slot whose name is unique.
const SLOTS: usize = 12;
/// Entries of a book, before it is deleted with all of them.
const MAX_ENTRIES: usize = 40;

/// All versions that were given out, to all writers.
#[derive(Default)]
pub(crate) struct Versions {
    last: AtomicU64,
    seen: Mutex<HashSet<u64>>,
}

impl Versions {
    /// The latest that was acknowledged.
    pub(crate) fn last(&self) -> u64 {
        self.last.load(Ordering::SeqCst)
    }

    /// A commit's version, of which nobody has heard before.
    pub(crate) fn new_one(&self, version: u64) {
        assert!(self.seen.lock().unwrap().insert(version), "the version {version} was given out twice");
        self.last.fetch_max(version, Ordering::SeqCst);
    }
}

#[derive(Clone)]
pub(crate) struct Writer {
    pub model: Model,
    pub http: reqwest::Client,
    pub versions: Arc<Versions>,
    /// The operation that the last answer named.
    operation: Arc<Mutex<String>>,
    random: Random,
}

impl Writer {
    pub(crate) fn new(name: String, seed: u64, versions: Arc<Versions>) -> Self {
        let http = http_client().build().unwrap();
        Self { model: Model::new(name), http, versions, operation: Arc::default(), random: Random::new(seed) }
    }

    /// Works until something is not answered.
    pub(crate) async fn work(&mut self, base: &str) {
        loop {
            let intent = self.choose();
            let floor = self.versions.last();
            let (method, path, body, if_match) = self.request(&intent);
            self.model.pending = Some(intent.clone());
            let Some((status, answer)) = self.call(base, method, &path, body, if_match).await else { return };
            let due = match intent {
                Intent::Create { .. } | Intent::Open | Intent::Enter { .. } => 201,
                Intent::Delete { .. } | Intent::Burn { .. } => 204,
                _ => 200,
            };
            assert_eq!(status, due, "{}: {intent:?}: {answer}", self.model.name);
            self.model.pending = None;
            self.model.unchecked += 1;
            self.acknowledged(intent, &answer, floor);
        }
    }

    /// Sends a request; `None` where there is no answer, or one that says nothing about what was done.
    pub(crate) async fn call(
        &self,
        base: &str,
        method: Method,
        path: &str,
        body: Option<Value>,
        if_match: Option<u64>,
    ) -> Option<(u16, Value)> {
        let mut request = self.http.request(method, format!("{base}{path}"));
        if let Some(pair) = &self.model.tokens {
            request = request.bearer_auth(&pair.access);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        if let Some(revision) = if_match {
            request = request.header("if-match", format!("\"{revision}\""));
        }
        let response = request.send().await.ok()?;
        let status = response.status().as_u16();
        if let Some(id) = response.headers().get("operation") {
            id.to_str().unwrap().clone_into(&mut self.operation.lock().unwrap());
        }
        let body = response.bytes().await.ok()?;
        (status < 500).then(|| (status, serde_json::from_slice(&body).unwrap_or(Value::Null)))
    }

    fn choose(&mut self) -> Intent {
        if self.model.tokens.is_none() {
            return Intent::SignIn;
        }
        match self.random.below(60) {
            0 => return Intent::SignOut,
            1..=4 => return Intent::Refresh,
            5..=16 => {
                if let Some((book, entries, operation)) = self.model.burned.take()
                    && self.random.one_in(2)
                {
                    return Intent::Unburn { book, entries, operation };
                }
                let Some((book, &entries)) = self.model.books.iter().next() else { return Intent::Open };
                let book = book.clone();
                let full = entries >= MAX_ENTRIES || self.random.one_in(10);
                let amount = i64::try_from(self.random.below(1000)).unwrap();
                return if full { Intent::Burn { book } } else { Intent::Enter { book, amount } };
            }
            _ => {}
        }
        let slot = self.random.below(SLOTS);
        let amount = i64::try_from(self.random.below(1_000_000)).unwrap();
        let there = self.model.notes.iter().find(|(_, note)| note.slot == slot);
        match there.map(|(id, note)| (id.clone(), note.amount)) {
            None => Intent::Create { slot, amount },
            Some((id, _)) if self.random.one_in(4) => Intent::Delete { id },
            // Never what it is already: that would be no change.
            Some((id, before)) => Intent::Change { id, amount: if amount == before { -amount - 1 } else { amount } },
        }
    }

    fn request(&self, intent: &Intent) -> (Method, String, Option<Value>, Option<u64>) {
        let revision = |id: &String| Some(self.model.notes[id].revision);
        let token = || self.model.tokens.as_ref().map(|pair| json!({"refresh": pair.refresh}));
        match intent {
            Intent::Create { slot, amount } => {
                let body = json!({"slot": self.model.slot(*slot), "amount": amount});
                (Method::POST, "/api/records/notes/".to_owned(), Some(body), None)
            }
            Intent::Change { id, amount } => {
                (Method::PATCH, format!("/api/records/notes/{id}/"), Some(json!({"amount": amount})), revision(id))
            }
            Intent::Delete { id } => (Method::DELETE, format!("/api/records/notes/{id}/"), None, revision(id)),
            Intent::Open => (Method::POST, "/api/records/books/".to_owned(), Some(json!({"title": "open"})), None),
            Intent::Enter { book, amount } => {
                // What goes out of one place goes into another, in one request.
                let entry = |amount: i64| json!({"book": book, "amount": amount});
                let body = json!([entry(-amount), entry(*amount)]);
                (Method::POST, "/api/records/transfers/".to_owned(), Some(body), None)
            }
            Intent::Burn { book } => (Method::DELETE, format!("/api/records/books/{book}/"), None, None),
            Intent::Unburn { operation, .. } => (Method::POST, format!("/api/changes/{operation}/revert/"), None, None),
            Intent::Refresh => (Method::POST, "/api/token/refresh/".to_owned(), token(), None),
            Intent::SignOut => (Method::POST, "/api/token/blacklist/".to_owned(), token(), None),
            Intent::SignIn => {
                let body = json!({"username": self.model.name, "password": PASSWORD});
                (Method::POST, "/api/token/".to_owned(), Some(body), None)
            }
        }
    }

    /// Takes over what was answered. `floor` was given out before the request was sent, so its version comes later.
    fn acknowledged(&mut self, intent: Intent, answer: &Value, floor: u64) {
        let version = |answer: &Value| {
            let version = answer["revision"].as_u64().unwrap();
            assert!(version > floor, "the version {version} after {floor}");
            self.versions.new_one(version);
            version
        };
        let id = || answer["id"].as_str().unwrap().to_owned();
        let model = &mut self.model;
        match intent {
            Intent::Create { slot, amount } => {
                model.notes.insert(id(), Note { slot, amount, revision: version(answer) });
            }
            Intent::Change { id, amount } => {
                let note = model.notes.get_mut(&id).unwrap();
                (note.amount, note.revision) = (amount, version(answer));
            }
            Intent::Delete { id } => {
                model.notes.remove(&id);
                model.gone.push(format!("/api/records/notes/{id}/"));
            }
            Intent::Open => {
                version(answer);
                model.books.insert(id(), 0);
            }
            Intent::Enter { book, .. } => {
                version(&answer[0]);
                assert_eq!(answer[0]["revision"], answer[1]["revision"], "one request is one commit");
                *model.books.get_mut(&book).unwrap() += 2;
            }
            Intent::Unburn { book, entries, .. } => {
                assert_eq!(answer["count"], entries + 1, "{answer}");
                model.gone.retain(|path| !path.contains(&book));
                model.books.insert(book, entries);
            }
            Intent::Burn { book } => {
                let entries = model.books.remove(&book).unwrap_or_default();
                model.burned = Some((book.clone(), entries, self.operation.lock().unwrap().clone()));
                model.gone.push(format!("/api/records/books/{book}/"));
            }
            Intent::Refresh => {
                let before = model.tokens.replace(Pair::of(answer)).unwrap();
                // The one before it was good until this one was used.
                model.spent.extend(model.used.replace(before.refresh));
            }
            Intent::SignOut => {
                model.ended.extend(model.tokens.take());
                model.used = None;
            }
            Intent::SignIn => (model.tokens, model.used) = (Some(Pair::of(answer)), None),
        }
    }
}
