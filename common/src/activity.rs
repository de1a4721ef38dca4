//! Lists of changes as people look through them: a record's versions, what was deleted, and the journal backward. Who asks the server is the
//! client; what is shown is decided here.

mod referred;

use std::collections::BTreeMap;

use serde_json::Value;

use self::referred::Referred;
use crate::{
    change::{Change, ChangeQuery, Changes, HistoryQuery, Subject, TrashQuery, Verb},
    collection::Collection,
    diff::{self, FieldDiff},
    id::{RecordId, Revision, UserId},
    name::CollectionName,
    query::{ListQuery, Pairs, Query as _, decode},
    record::Record,
    table::title,
    text::{single_line, thousands},
};

/// Users whose names are asked for at once.
const ASKED: usize = 4;

/// What is listed.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// The versions of a record.
    History(CollectionName, RecordId),
    /// The records of a collection that were deleted.
    Trash(CollectionName),
    /// The journal, the newest first.
    Activity(ChangeQuery),
}

/// What is to be asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum Ask {
    /// A stretch of a record's versions.
    History(CollectionName, RecordId, HistoryQuery),
    /// A stretch of what was deleted.
    Trash(CollectionName, TrashQuery),
    /// A stretch of the journal.
    Activity(ChangeQuery),
}

/// A list of changes, as far as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangeList {
    /// What is listed.
    pub source: Source,
    /// The changes, the newest first.
    pub rows: Vec<Change>,
    /// The query of what comes next; `None` where there is no more.
    next: Option<Pairs>,
    /// Something was read.
    pub is_read: bool,
    names: BTreeMap<UserId, Option<String>>,
    referred: Referred,
}

impl ChangeList {
    /// A list that nothing is known of yet.
    pub fn new(source: Source) -> Self {
        Self {
            source,
            rows: Vec::new(),
            next: Some(Pairs::new()),
            is_read: false,
            names: BTreeMap::new(),
            referred: Referred::default(),
        }
    }

    /// Forgets what was read, but for names.
    pub fn restart(&mut self) {
        self.rows.clear();
        (self.next, self.is_read) = (Some(Pairs::new()), false);
    }

    /// What is to be asked for next; `None` where there is no more.
    pub fn ask(&self) -> Option<Ask> {
        let pairs = self.next.clone()?;
        Some(match &self.source {
            Source::History(name, id) => {
                Ask::History(name.clone(), *id, HistoryQuery::from_pairs(pairs).unwrap_or_default())
            }
            Source::Trash(name) => Ask::Trash(name.clone(), TrashQuery::from_pairs(pairs).unwrap_or_default()),
            Source::Activity(query) if pairs.is_empty() => {
                Ask::Activity(ChangeQuery { is_backward: true, page_size: Some(50), ..query.clone() })
            }
            Source::Activity(_) => Ask::Activity(ChangeQuery::from_pairs(pairs).unwrap_or_default()),
        })
    }

    /// Takes what was asked for.
    pub fn take(&mut self, changes: Changes) {
        let onward = changes.next.as_deref().and_then(|next| next.split_once('?'));
        self.next = onward.map(|(_, query)| decode(query));
        self.is_read = true;
        self.rows.extend(changes.results);
    }

    /// Whether there is more to be read.
    pub fn has_more(&self) -> bool {
        self.next.is_some()
    }

    /// Users in it whose names are not known; not all at once.
    pub fn unknown(&self) -> Vec<UserId> {
        let mut unknown = Vec::new();
        for user in self.rows.iter().filter_map(|change| change.by) {
            if !self.names.contains_key(&user) && !unknown.contains(&user) && unknown.len() < ASKED {
                unknown.push(user);
            }
        }
        unknown
    }

    /// Takes what a user is called; `None` for who is not there any more, or is not told.
    pub fn know(&mut self, user: UserId, name: Option<String>) {
        self.names.insert(user, name);
    }

    /// Who made a change; safe to show.
    pub fn who(&self, change: &Change) -> String {
        match (change.by, change.address.as_str()) {
            (Some(user), _) => match self.names.get(&user) {
                Some(Some(name)) => single_line(name).into_owned(),
                _ => format!("user …{}", user.to_string().split_off(30)),
            },
            (None, "") => "the command line".to_owned(),
            (None, address) => single_line(address).into_owned(),
        }
    }

    /// What it is about; safe to show.
    pub fn what(&self, change: &Change) -> String {
        match (&self.source, change.subject) {
            (Source::History(..), _) => format!("version {}", thousands(change.revision.0)),
            (_, Subject::Record) => {
                let collection = change.collection.as_ref().map_or("a collection", CollectionName::as_str);
                match titled(change) {
                    Some(title) => format!("\"{title}\" in {collection}"),
                    None => format!("a record in {collection}"),
                }
            }
            (_, subject) => format!("{} {}", subject.as_str(), single_line(&change.id)),
        }
    }

    /// What became of each field.
    pub fn diff(&self, change: &Change) -> Vec<FieldDiff> {
        let named = |name: &str, value: &Value| match (name, &change.collection) {
            ("owner", _) => {
                let user = value.as_str()?.parse().ok()?;
                self.names.get(&user)?.as_ref().map(|name| single_line(name).into_owned())
            }
            (_, Some(collection)) => self.referred.name_of(collection, name, value),
            _ => None,
        };
        diff::fields(&change.before, &change.after, named)
    }

    /// What is to be asked so that what its changes refer to is told by name, where these collections are known; [`Self::know_records`] takes
    /// the answers.
    pub fn unnamed(&mut self, collections: &[Collection]) -> Vec<(CollectionName, ListQuery)> {
        self.referred.questions(&self.rows, collections)
    }

    /// Takes what records of a collection are called: the names of a page of them.
    pub fn know_records(&mut self, name: &CollectionName, names: BTreeMap<String, String>) {
        self.referred.know(name, names);
    }

    /// What putting something back by this change means: the version that it left, or, of a deletion, the one before.
    pub fn restorable(&self, change: &Change) -> Option<(CollectionName, RecordId, Revision)> {
        let is_newest = self.rows.first().is_some_and(|first| first.revision == change.revision);
        let (name, id) = match &self.source {
            // What is there now need not be put back.
            Source::History(..) if is_newest && change.action != Verb::Delete => return None,
            Source::History(name, id) => (name.clone(), *id),
            Source::Trash(name) => (name.clone(), change.id.parse().ok()?),
            Source::Activity(_) if change.subject == Subject::Record && change.action == Verb::Delete => {
                (change.collection.clone()?, change.id.parse().ok()?)
            }
            Source::Activity(_) => return None,
        };
        Some((name, id, change.revision))
    }
}

/// What was done, as a word.
pub fn did(action: Verb) -> &'static str {
    match action {
        Verb::Create => "created",
        Verb::Update => "changed",
        Verb::Delete => "deleted",
        Verb::Restore => "put back",
        Verb::SignIn => "signed in",
        Verb::SignInRefused => "was refused",
        Verb::SignInLocked => "has to wait",
        Verb::SignOut => "signed out",
        Verb::Replay => "lost a session",
        Verb::End => "ended",
        Verb::Password => "set a password",
        Verb::PasswordRefused => "wrong password",
        Verb::ValuesGuessed => "guessed values",
        Verb::Unlock => "unlocked",
        Verb::Start => "started",
        Verb::Stop => "stopped",
        Verb::Revert => "undid",
        Verb::Other => "did something",
    }
}

/// The moment of a change, as it is shown.
pub fn when(change: &Change) -> String {
    let at = change.at.get(..19).unwrap_or(&change.at);
    at.replace('T', " ")
}

fn titled(change: &Change) -> Option<String> {
    let value: &Value = if change.after.is_null() { &change.before } else { &change.after };
    let record = Record::from_object(value.as_object()?.clone());
    Some(title(&record)).filter(|title| !title.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ID: &str = "01920000-0000-7000-8000-0000000000b0";

    fn changes(next: Option<&str>, revisions: &[(u64, &str)]) -> Changes {
        let change = |(revision, action): &(u64, &str)| {
            json!({"revision": revision, "at": "2026-11-28T08:00:07.123456Z", "by": ID, "subject": "record", "id": ID,
                "collection": "snacks", "action": action, "before": {"title": "Crisps"}, "after": {"title": "Chips\u{1b}"}})
        };
        serde_json::from_value(json!({"next": next, "results": revisions.iter().map(change).collect::<Vec<_>>()}))
            .unwrap()
    }

    #[test]
    fn a_list_goes_on_by_its_links_and_begins_with_the_newest() {
        let mut list =
            ChangeList::new(Source::Activity(ChangeQuery { action: Some(Verb::Delete), ..ChangeQuery::default() }));
        let Some(Ask::Activity(first)) = list.ask() else { panic!() };
        assert_eq!((first.is_backward, first.before, first.action), (true, None, Some(Verb::Delete)));
        list.take(changes(Some("http://x/api/changes/?before=7&action=delete"), &[(9, "delete"), (8, "delete")]));
        let Some(Ask::Activity(next)) = list.ask() else { panic!() };
        assert_eq!((next.before, next.action), (Some(Revision(7)), Some(Verb::Delete)));
        list.take(changes(None, &[(3, "delete")]));
        assert_eq!((list.ask(), list.rows.len(), list.has_more()), (None, 3, false));
        assert_eq!(list.unknown().len(), 1);
        list.know(ID.parse().unwrap(), Some("ada".to_owned()));
        assert_eq!(
            (list.who(&list.rows[0]), list.what(&list.rows[0])),
            ("ada".to_owned(), "\"Chips\u{fffd}\" in snacks".to_owned())
        );
        assert!(list.restorable(&list.rows[0]).is_some());
        list.restart();
        assert!(list.rows.is_empty() && list.ask().is_some());
    }

    #[test]
    fn what_changes_refer_to_is_asked_once_and_told_by_name() {
        let makers: [&str; 2] = ["01920000-0000-7000-8000-0000000000c1", "01920000-0000-7000-8000-0000000000c2"];
        let mut list = ChangeList::new(Source::Activity(ChangeQuery::default()));
        let change = json!({"revision": 3, "at": "2026-11-28T08:00:07Z", "by": ID, "subject": "record", "id": ID, "collection": "snacks",
            "action": "update", "before": {"maker": makers[0], "tags": [1], "owner": ID}, "after": {"maker": makers[1], "tags": [1, 2], "owner": null}});
        list.take(serde_json::from_value(json!({"next": null, "results": [change]})).unwrap());
        let collection: Collection = serde_json::from_value(json!({
            "id": ID, "name": "snacks", "created_at": "", "updated_at": "", "revision": 1,
            "fields": [{"name": "maker", "type": "reference", "collection": "makers"}, {"name": "tags", "type": "reference", "collection": "tags", "many": true}],
            "access": {"list": [], "view": [], "create": [], "update": [], "delete": []}
        }))
        .unwrap();
        let told = |list: &ChangeList| -> Vec<String> {
            let diffs = list.diff(&list.rows[0]);
            diffs.iter().map(|diff| diff.pieces.iter().map(|piece| piece.text.clone()).collect()).collect()
        };
        assert!(told(&list)[0].contains("c1"), "{:?}", told(&list));
        let asked = list.unnamed(std::slice::from_ref(&collection));
        let asked: Vec<(&str, &str)> =
            asked.iter().map(|(name, query)| (name.as_str(), query.filters[0].value.as_str())).collect();
        assert_eq!(asked, [("makers", makers.join(",").as_str()), ("tags", "1,2")]);
        assert!(list.unnamed(&[collection]).is_empty(), "it is asked already");
        list.know_records(
            &"makers".parse().unwrap(),
            [(makers[0].to_owned(), "Ann".to_owned()), (makers[1].to_owned(), "Bob".to_owned())].into(),
        );
        list.know_records(&"tags".parse().unwrap(), [("id.1".to_owned(), "sweet".to_owned())].into());
        list.know(ID.parse().unwrap(), Some("ada".to_owned()));
        assert_eq!(told(&list), ["AnnBob", "sweet, 2", "ada"]);
    }

    #[test]
    fn a_history_offers_what_is_not_there_now() {
        let id: RecordId = ID.parse().unwrap();
        let mut list = ChangeList::new(Source::History("snacks".parse().unwrap(), id));
        list.take(changes(None, &[(9, "update"), (8, "create")]));
        assert_eq!(list.restorable(&list.rows[0]), None);
        assert_eq!(list.restorable(&list.rows[1]), Some(("snacks".parse().unwrap(), id, Revision(8))));
        assert_eq!(list.what(&list.rows[1]), "version 8");
        assert_eq!(list.diff(&list.rows[0])[0].field, "title");
        assert_eq!(when(&list.rows[0]), "2026-11-28 08:00:07");
    }
}
