//! The newest changes as lines: who did what when. What one request did to many records is one line.

use std::collections::{BTreeMap, VecDeque};

use crate::{
    change::{Change, ChangeQuery, Changes, Subject, Verb},
    id::{OperationId, Revision, UserId},
    name::CollectionName,
    query::{Query as _, decode},
    record::Record,
    table::title,
    text::{count, single_line},
};

/// Lines that are kept.
const KEPT: usize = 100;
/// How many commits before the newest a feed begins.
const BACK: u64 = 60;
/// Users whose names are asked for at once.
const ASKED: usize = 4;

/// The newest changes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Feed {
    entries: VecDeque<Entry>,
    next: Option<ChangeQuery>,
    /// What users are called; `None` for who is not there any more.
    names: BTreeMap<UserId, Option<String>>,
}

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The moment: RFC 3339, UTC.
    pub at: String,
    by: Option<UserId>,
    address: String,
    subject: Subject,
    action: Verb,
    collection: Option<CollectionName>,
    operation: Option<OperationId>,
    id: String,
    title: Option<String>,
    times: u64,
}

impl Feed {
    /// Begins a little before the newest commit, unless it has begun. A store whose newest commit is older than what was seen is another one.
    pub fn begin(&mut self, newest: Revision) {
        let seen = self.next.as_ref().and_then(|query| query.after);
        if seen.is_none_or(|seen| seen > newest) {
            let after = Some(Revision(newest.0.saturating_sub(BACK)));
            self.next = Some(ChangeQuery { after, ..ChangeQuery::default() });
            self.entries.clear();
        }
    }

    /// What is to be asked for next; `None` before it has begun.
    pub fn next(&self) -> Option<&ChangeQuery> {
        self.next.as_ref()
    }

    /// Takes changes, oldest first.
    pub fn take(&mut self, changes: Changes) {
        let onward = changes.next.as_deref().and_then(|next| next.split_once('?'));
        let onward = onward.and_then(|(_, query)| ChangeQuery::from_known_pairs(decode(query)).ok());
        let last =
            changes.results.last().map(|last| ChangeQuery { after: Some(last.revision), ..ChangeQuery::default() });
        if let Some(next) = onward.or(last) {
            self.next = Some(next);
        }
        for change in changes.results {
            self.add(change);
        }
    }

    fn add(&mut self, change: Change) {
        if let Some(last) = self.entries.back_mut()
            && last.operation.is_some()
            && (last.operation, last.subject, last.action) == (change.operation, change.subject, change.action)
            && last.collection == change.collection
        {
            last.times += 1;
            return;
        }
        self.entries.push_back(Entry::new(change));
        self.entries.drain(..self.entries.len().saturating_sub(KEPT));
    }

    /// Users in it whose names are not known; not all at once.
    pub fn unknown(&self) -> Vec<UserId> {
        let mut unknown = Vec::new();
        for user in self.entries.iter().rev().flat_map(Entry::users) {
            if !self.names.contains_key(&user) && !unknown.contains(&user) && unknown.len() < ASKED {
                unknown.push(user);
            }
        }
        unknown
    }

    /// Takes what a user is called; `None` for who is not there any more.
    pub fn know(&mut self, user: UserId, name: Option<String>) {
        self.names.insert(user, name);
    }

    /// Its lines, newest first.
    pub fn lines(&self) -> impl Iterator<Item = (&Entry, String)> {
        self.entries.iter().rev().map(|entry| (entry, entry.text(&self.names)))
    }
}

impl Entry {
    fn new(change: Change) -> Self {
        let value = if change.after.is_null() { change.before } else { change.after };
        let record = value.as_object().cloned().map(Record::from_object);
        let title = record.filter(|_| change.subject == Subject::Record).map(|record| title(&record));
        let Change { at, by, address, subject, action, collection, operation, id, .. } = change;
        Self { at, by, address, subject, action, collection, operation, id, title, times: 1 }
    }

    fn users(&self) -> impl Iterator<Item = UserId> {
        let subject = (self.subject == Subject::User).then(|| self.id.parse().ok()).flatten();
        self.by.into_iter().chain(subject)
    }

    /// As a sentence without a full stop, safe to show.
    fn text(&self, names: &BTreeMap<UserId, Option<String>>) -> String {
        let name = |user: UserId| match names.get(&user) {
            Some(Some(name)) => single_line(name).into_owned(),
            _ => format!("user …{}", user.to_string().split_off(30)),
        };
        let who = match (self.by, self.address.as_str()) {
            (Some(user), _) => name(user),
            (None, "") => "the command line".to_owned(),
            (None, address) => single_line(address).into_owned(),
        };
        let what = self.thing(name);
        let did = match self.action {
            Verb::Create => format!("created {what}"),
            Verb::Update => format!("changed {what}"),
            Verb::Delete => format!("deleted {what}"),
            Verb::Restore => format!("put an earlier version back of {what}"),
            Verb::SignIn => "signed in".to_owned(),
            Verb::SignInRefused => format!("was refused a sign-in{}", self.as_whom(name)),
            Verb::SignInLocked => format!("was refused a sign-in{}, and has to wait", self.as_whom(name)),
            Verb::SignOut => "signed out".to_owned(),
            Verb::Replay => "lost a session: a spent token was used".to_owned(),
            Verb::End => format!("ended {what}"),
            Verb::Password => format!("set the password of {what}"),
            Verb::PasswordRefused => "gave a wrong current password".to_owned(),
            Verb::ValuesGuessed => "tried unique values, and has to wait".to_owned(),
            Verb::Unlock => format!("unlocked {what}"),
            Verb::Start => format!("started {what}"),
            Verb::Stop => format!("stopped {what}"),
            Verb::Revert => "undid an operation".to_owned(),
            Verb::Other => format!("did something to {what}"),
        };
        format!("{who} {did}")
    }

    fn as_whom(&self, name: impl Fn(UserId) -> String) -> String {
        self.id.parse().map_or_else(|_| String::new(), |user| format!(" as {}", name(user)))
    }

    fn thing(&self, name: impl Fn(UserId) -> String) -> String {
        let id = single_line(&self.id);
        match self.subject {
            Subject::Record => {
                let collection = self.collection.as_ref().map_or("a collection", CollectionName::as_str);
                match (&self.title, self.times) {
                    (Some(title), 1) => format!("\"{title}\" in {collection}"),
                    (None, 1) => format!("a record in {collection}"),
                    (_, times) => format!("{} in {collection}", count(times, "record")),
                }
            }
            Subject::Collection => format!("the collection {id}"),
            Subject::User => self.id.parse().map_or_else(|_| "a user".to_owned(), name),
            Subject::Session if self.times > 1 => count(self.times, "session"),
            Subject::Session => "a session".to_owned(),
            Subject::Server => format!("the server's {id}"),
            Subject::Operation => "work in the background".to_owned(),
            Subject::Path => "a published path".to_owned(),
        }
    }
}
