//! What a writer was promised, and the comparison of it with what is there after a restart. The one thing that was not
//! answered may have happened, whole, or not.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};

use super::writer::Writer;

/// Things that are dead and are looked at again after each restart, newest first.
const LOOKED_AT: usize = 6;

/// What a writer is about to do.
#[derive(Debug, Clone)]
pub(crate) enum Intent {
    Create {
        slot: usize,
        amount: i64,
    },
    Change {
        id: String,
        amount: i64,
    },
    Delete {
        id: String,
    },
    /// A new book of transfers.
    Open,
    /// Two entries in a book, whose sum is zero.
    Enter {
        book: String,
        amount: i64,
    },
    /// Deletes a book, and its entries with it.
    Burn {
        book: String,
    },
    /// Undoes the last deletion of a book: it comes back with its entries.
    Unburn {
        book: String,
        entries: usize,
        operation: String,
    },
    Refresh,
    SignOut,
    SignIn,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Note {
    pub slot: usize,
    pub amount: i64,
    pub revision: u64,
}

/// An access and a refresh token.
#[derive(Clone)]
pub(crate) struct Pair {
    pub access: String,
    pub refresh: String,
}

impl Pair {
    pub(crate) fn of(answer: &Value) -> Self {
        let token = |name: &str| answer[name].as_str().unwrap().to_owned();
        Self { access: token("access"), refresh: token("refresh") }
    }
}

/// What must be there, by all that was answered.
#[derive(Clone)]
pub(crate) struct Model {
    pub name: String,
    pub notes: BTreeMap<String, Note>,
    /// Books, and how many entries each has.
    pub books: BTreeMap<String, usize>,
    pub tokens: Option<Pair>,
    /// The refresh token that was used last: good until its successor is used.
    pub used: Option<String>,
    /// Refresh tokens whose successors were used.
    pub spent: Vec<String>,
    /// Tokens of sessions that were signed out.
    pub ended: Vec<Pair>,
    /// The book that was deleted last, its entries, and the operation that it was.
    pub burned: Option<(String, usize, String)>,
    /// Addresses of what was deleted.
    pub gone: Vec<String>,
    /// What was sent and not answered.
    pub pending: Option<Intent>,
    /// Answers since the last comparison.
    pub unchecked: u64,
}

impl Model {
    pub(crate) fn new(name: String) -> Self {
        Self {
            name,
            notes: BTreeMap::new(),
            books: BTreeMap::new(),
            tokens: None,
            used: None,
            spent: Vec::new(),
            ended: Vec::new(),
            burned: None,
            gone: Vec::new(),
            pending: None,
            unchecked: 0,
        }
    }

    pub(crate) fn slot(&self, slot: usize) -> String {
        format!("{} {slot}", self.name)
    }
}

impl Writer {
    /// Compares everything; gives the number of answers that held.
    pub(crate) async fn compare(&mut self, base: &str) -> u64 {
        let pending = self.model.pending.take();
        self.compare_tokens(base, pending.as_ref()).await;
        self.compare_notes(base, pending.as_ref()).await;
        self.compare_books(base, pending.as_ref()).await;
        if let Some(Intent::Unburn { book, .. }) = &pending
            && self.model.books.contains_key(book)
        {
            self.model.gone.retain(|path| !path.contains(book.as_str()));
        }
        for path in self.model.gone.iter().rev().take(LOOKED_AT) {
            let (status, body) = self.get(base, path).await;
            assert_eq!(status, 404, "{path} was deleted: {body}");
        }
        std::mem::take(&mut self.model.unchecked)
    }

    async fn get(&self, base: &str, path: &str) -> (u16, Value) {
        self.call(base, Method::GET, path, None, None).await.expect("a server that is up answers")
    }

    /// All rows of a list that fits on one page.
    async fn rows(&self, base: &str, path: &str) -> Vec<Value> {
        let (status, page) = self.get(base, path).await;
        assert_eq!(status, 200, "{path}: {page}");
        let rows = page["results"].as_array().unwrap().clone();
        assert_eq!(page["count"], rows.len(), "{path} counts what it has");
        rows
    }

    /// Whether a token would be accepted.
    async fn holds(&self, base: &str, token: &str) -> bool {
        let body = Some(json!({"token": token}));
        let answer = self.call(base, Method::POST, "/api/token/verify/", body, None).await;
        match answer.expect("a server that is up answers").0 {
            200 => true,
            401 => false,
            status => panic!("verify answered {status}"),
        }
    }

    async fn compare_tokens(&mut self, base: &str, pending: Option<&Intent>) {
        for token in self.model.spent.iter().rev().take(LOOKED_AT) {
            assert!(!self.holds(base, token).await, "{}: a spent refresh token holds again", self.model.name);
        }
        for pair in self.model.ended.iter().rev().take(LOOKED_AT) {
            let holds = self.holds(base, &pair.access).await || self.holds(base, &pair.refresh).await;
            assert!(!holds, "{}: a session that was signed out lives again", self.model.name);
        }
        if let Some(pair) = &self.model.tokens {
            let holds = [self.holds(base, &pair.access).await, self.holds(base, &pair.refresh).await];
            match pending {
                Some(Intent::SignOut) => assert_eq!(holds[0], holds[1], "{}: half signed out", self.model.name),
                _ => assert_eq!(holds, [true, true], "{}: the session is gone", self.model.name),
            }
            if !holds[1] {
                self.model.tokens = None;
            }
        }
        if self.model.tokens.is_none() {
            let body = json!({"username": self.model.name, "password": crate::support::PASSWORD});
            let answer = self.call(base, Method::POST, "/api/token/", Some(body), None).await;
            let (status, pair) = answer.expect("a server that is up answers");
            assert_eq!(status, 200, "{pair}");
            self.model.tokens = Some(Pair::of(&pair));
        }
    }

    async fn compare_notes(&mut self, base: &str, pending: Option<&Intent>) {
        let rows = self.rows(base, "/api/records/notes/?page_size=200").await;
        let note = |row: &Value| {
            let (owner, slot) = row["slot"].as_str().unwrap().split_once(' ').unwrap();
            assert_eq!(owner, self.model.name);
            let slot = slot.parse().unwrap();
            Note { slot, amount: row["amount"].as_i64().unwrap(), revision: row["revision"].as_u64().unwrap() }
        };
        let id = |row: &Value| row["id"].as_str().unwrap().to_owned();
        let found: BTreeMap<String, Note> = rows.iter().map(|row| (id(row), note(row))).collect();
        let model = &mut self.model;
        match pending {
            Some(Intent::Create { slot, amount }) => {
                let made = found
                    .iter()
                    .find(|(id, note)| !model.notes.contains_key(*id) && (note.slot, note.amount) == (*slot, *amount));
                if let Some((id, note)) = made {
                    self.versions.new_one(note.revision);
                    model.notes.insert(id.clone(), note.clone());
                }
            }
            Some(Intent::Change { id, amount }) => {
                let now = found.get(id).unwrap_or_else(|| panic!("{}: the note {id} is lost", model.name));
                if now.amount == *amount {
                    self.versions.new_one(now.revision);
                    model.notes.insert(id.clone(), now.clone());
                }
            }
            Some(Intent::Delete { id }) if !found.contains_key(id) => {
                model.notes.remove(id);
            }
            _ => {}
        }
        assert_eq!(found, model.notes, "{} after {pending:?}", model.name);
    }

    async fn compare_books(&mut self, base: &str, pending: Option<&Intent>) {
        let mut found = BTreeMap::new();
        for book in self.rows(base, "/api/records/books/?page_size=200").await {
            let id = book["id"].as_str().unwrap().to_owned();
            let entries = self.rows(base, &format!("/api/records/transfers/?book={id}&page_size=200")).await;
            let sum: i64 = entries.iter().map(|entry| entry["amount"].as_i64().unwrap()).sum();
            assert_eq!(sum, 0, "{}: what went out went in", self.model.name);
            found.insert(id, entries.len());
        }
        let (_, all) = self.get(base, "/api/records/transfers/?page_size=1").await;
        assert_eq!(all["count"], found.values().sum::<usize>(), "{}: every entry has its book", self.model.name);
        let model = &mut self.model;
        match pending {
            Some(Intent::Open) => {
                let made = found.keys().find(|id| !model.books.contains_key(*id));
                model.books.extend(made.map(|id| (id.clone(), 0)));
            }
            Some(Intent::Enter { book, .. }) if found.get(book) != model.books.get(book) => {
                *model.books.get_mut(book).unwrap() += 2;
            }
            Some(Intent::Burn { book }) if !found.contains_key(book) => {
                model.books.remove(book);
            }
            // Whole, or not at all.
            Some(Intent::Unburn { book, entries, .. }) if found.contains_key(book) => {
                model.books.insert(book.clone(), *entries);
            }
            _ => {}
        }
        assert_eq!(found, model.books, "{} after {pending:?}", model.name);
    }
}
