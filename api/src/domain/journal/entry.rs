//! An entry of the journal as bytes. That of a record has the values before the change of what the change is about, and no more;
//! all others are JSON.

use common::{
    change::{Change, Subject, Verb},
    id::{OperationId, RecordId, Revision, UserId},
    json::Exact,
    record::Record,
};
use serde::{Deserialize, Serialize};
use store::Version;
use uuid::Uuid;

use crate::domain::{
    error::{Error, Result},
    layout::Lost,
    numbers::CollectionNumber,
    record,
};

/// An entry.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "nearly all are of the large kind, and read one at a time")]
pub enum Entry {
    /// Of a record, with the values before.
    Record(RecordChange, Values),
    /// Of anything else, or of a record in an earlier journal, complete. With its operation.
    Other(Box<Change>, Option<OperationId>),
}

/// What was done to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// It was made.
    Create,
    /// It was changed.
    Update,
    /// It was deleted.
    Delete,
    /// An earlier version was put back after it was deleted.
    Restore,
}

impl Action {
    /// As it is sent.
    pub const fn verb(self) -> Verb {
        match self {
            Self::Create => Verb::Create,
            Self::Update => Verb::Update,
            Self::Delete => Verb::Delete,
            Self::Restore => Verb::Restore,
        }
    }

    /// Of a verb that a record's entry can have.
    pub const fn of(verb: Verb) -> Option<Self> {
        match verb {
            Verb::Create => Some(Self::Create),
            Verb::Update => Some(Self::Update),
            Verb::Delete => Some(Self::Delete),
            Verb::Restore => Some(Self::Restore),
            _ => None,
        }
    }
}

/// Where the entry before is, of the same record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    version: u64,
    /// 0 where the place is not known, otherwise one more.
    place: u32,
}

/// Whose a record was that left a tombstone; `None` where the tombstone does not say: earlier programs left the place alone.
pub fn owner_at_deletion(stored: &store::Entry) -> Option<Option<UserId>> {
    match stored.value.get(8..)? {
        [] => None,
        [0] => Some(None),
        [_, owner @ ..] => Uuid::from_slice(owner).ok().map(|owner| Some(UserId::from_uuid(owner))),
    }
}

impl Link {
    /// The commit, and the place in it where that is known.
    pub fn new(version: Version, place: Option<u32>) -> Self {
        Self { version: version.get(), place: place.map_or(0, |place| place + 1) }
    }

    /// The entry of what wrote a record as it is.
    pub fn of_record(stored: &store::Entry) -> Result<Self> {
        Ok(Self::new(stored.version, record::head(&stored.value)?.place()))
    }

    /// The entry of the deletion that left a tombstone.
    pub fn of_tombstone(stored: &store::Entry) -> Self {
        Self::new(stored.version, tombstone(stored).map(|(place, _)| place))
    }

    /// The commit.
    pub fn version(self) -> Version {
        Version::new(self.version)
    }

    /// The place, where it is known.
    pub fn place(self) -> Option<u32> {
        self.place.checked_sub(1)
    }
}

/// The entry of a record's change, without values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordChange {
    /// Its collection.
    pub collection: CollectionNumber,
    /// Which one.
    pub id: RecordId,
    /// What was done.
    pub action: Action,
    /// What it was a part of.
    pub operation: Option<OperationId>,
    /// When, as a stamp: see [`record::stamp_of`].
    pub at: i64,
    /// By whom.
    pub by: Option<UserId>,
    /// The owner before it; `None` too where the record was not there.
    pub owner_before: Option<UserId>,
    /// The owner after it; `None` too where the record is gone.
    pub owner_after: Option<UserId>,
    /// The version of the definition that it was made under.
    pub definition: u32,
    /// The entry before.
    pub previous: Option<Link>,
    /// How many entries the record has had with this one, since it was made or its store was converted; 0 where nobody counted.
    pub nth: u32,
    /// It followed from another change of the operation: a cascade, or a reference that was made null.
    pub is_consequence: bool,
}

/// What a tombstone says: the place of the deletion's entry in its commit, and how many entries the record has had.
pub fn tombstone(stored: &store::Entry) -> Option<(u32, u32)> {
    let both = i64::from_be_bytes(*stored.value.first_chunk()?);
    Some((u32::try_from(both & 0xffff_ffff).ok()?, u32::try_from(both >> 32).ok()?))
}

/// A tombstone as it is stored, with whose the record was: who may not see it is refused without a look at the journal.
pub fn tombstone_value(place: u32, nth: u32, owner: Option<UserId>) -> Vec<u8> {
    let mut value = (i64::from(nth & 0x7fff_ffff) << 32 | i64::from(place)).to_be_bytes().to_vec();
    value.push(u8::from(owner.is_some()));
    value.extend(owner.iter().flat_map(|owner| owner.uuid().into_bytes()));
    value
}

/// The values before a change, of what it is about.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Values {
    /// The members that were otherwise, or all of a record that was deleted, but for its id.
    pub before: Record,
    /// The members that were not there.
    pub added: Vec<String>,
    /// What the record was under an earlier definition, where this change carried it over.
    pub lost: Option<Lost>,
}

/// The owner before an update.
#[derive(Serialize, Deserialize)]
enum OwnerBefore {
    /// The same as after it.
    Same,
    /// Nobody.
    Nobody,
    /// This one.
    User([u8; 16]),
}

/// As it is written.
#[derive(Serialize, Deserialize)]
enum Stored<'a> {
    /// Followed by the JSON of a [`Change`].
    Other(Option<[u8; 16]>),
    /// What is often the same comes first and together, which is what the compression of a block lives on.
    Record {
        action: Action,
        collection: u32,
        definition: u32,
        by: Option<[u8; 16]>,
        owner: Option<[u8; 16]>,
        before: OwnerBefore,
        at: i64,
        operation: Option<[u8; 16]>,
        id: [u8; 16],
        previous: Option<Link>,
        /// Twice how many entries the record has had, and one more for a consequence.
        counted: u64,
        /// Where the record's own times were otherwise: how long before `at`.
        created: Option<i64>,
        updated: Option<i64>,
        #[serde(borrow)]
        added: Vec<&'a str>,
        // The JSON of the members follows, without braces.
    },
    /// Followed by the JSON of so many bytes of the earlier members, under an earlier version of the definition, and by an entry.
    Carried { written: u32, members: u64 },
}

/// The entry of what is no record.
pub(super) fn other(operation: Option<OperationId>, change: &Change) -> Vec<u8> {
    let head = Stored::Other(operation.map(|id| id.uuid().into_bytes()));
    // Texts and JSON values always write.
    let mut bytes = postcard::to_stdvec(&head).unwrap_or_default();
    bytes.extend(serde_json::to_vec(change).unwrap_or_default());
    bytes
}

impl Values {
    /// The bytes of the values, less what the server sets.
    pub fn size(&self) -> i64 {
        let is_counted = |name: &str| !matches!(name, "created_at" | "updated_at");
        let mut json = Vec::new();
        match record::write_members(&mut json, &self.before, is_counted) {
            Ok(()) => i64::try_from(json.len()).unwrap_or(i64::MAX),
            Err(_) => 0,
        }
    }

    /// What was otherwise before, or not there. `revision` is no value of a record's.
    pub fn between(before: Option<&Record>, after: Option<&Record>) -> Self {
        let Some(before) = before else { return Self::default() };
        let nothing = Record::default();
        let after = after.unwrap_or(&nothing);
        let is_value = |name: &str| !matches!(name, "id" | "owner" | "revision");
        let mut changed = before.clone();
        changed.retain(|name| is_value(name) && !(after.get(name).is_some() && before.is_same(after, name)));
        let added = after.as_object().keys().filter(|name| is_value(name) && before.get(name).is_none());
        Self { before: changed, added: added.cloned().collect(), lost: None }
    }
}

impl RecordChange {
    /// What it counts for against the quota of who made it. What follows from a deletion may always be done, and counts for nobody but where
    /// the record was one's own: of what others have, and perhaps hide, nobody's usage may tell.
    pub fn counted(&self, values: &Values) -> i64 {
        match self.action {
            Action::Update if !self.is_consequence => values.size(),
            Action::Delete if !self.is_consequence || self.owner_before == self.by => values.size(),
            _ => 0,
        }
    }

    /// Whether it deleted a record of which nothing was kept.
    pub fn has_forgotten(&self, values: &Values) -> bool {
        self.action == Action::Delete && values.before.get("created_at").is_none()
    }

    /// The entry with these values.
    pub fn with(&self, values: &Values) -> Result<Vec<u8>> {
        let bytes = |id: UserId| id.uuid().into_bytes();
        let moment = |name: &str| {
            let stamp = values.before.get(name)?.as_str().and_then(record::stamp)?;
            self.at.checked_sub(stamp)
        };
        let (created, updated) = (moment("created_at"), moment("updated_at"));
        let owner = if self.action == Action::Delete { self.owner_before } else { self.owner_after };
        let head = Stored::Record {
            action: self.action,
            collection: self.collection.0,
            definition: self.definition,
            by: self.by.map(bytes),
            owner: owner.map(bytes),
            before: match self.owner_before {
                before if self.action != Action::Update || before == owner => OwnerBefore::Same,
                None => OwnerBefore::Nobody,
                Some(before) => OwnerBefore::User(bytes(before)),
            },
            at: self.at,
            operation: self.operation.map(|id| id.uuid().into_bytes()),
            id: self.id.bits().into_bytes(),
            previous: self.previous,
            counted: u64::from(self.nth) << 1 | u64::from(self.is_consequence),
            created,
            updated,
            added: values.added.iter().map(String::as_str).collect(),
        };
        let unwritable = |error| Error::caused("a journal's entry cannot be written", error);
        let mut out = Vec::new();
        if let Some(Lost { version, members }) = &values.lost {
            let mut json = Vec::new();
            record::write_members(&mut json, members, |_| true)?;
            let carried = Stored::Carried { written: *version, members: json.len() as u64 };
            out = postcard::to_extend(&carried, out).map_err(unwritable)?;
            out.extend_from_slice(&json);
        }
        let mut out = postcard::to_extend(&head, out).map_err(unwritable)?;
        record::write_members(&mut out, &values.before, |name| match name {
            "created_at" => created.is_none(),
            "updated_at" => updated.is_none(),
            _ => true,
        })?;
        Ok(out)
    }

    /// As it is sent, without values.
    pub fn to_change(&self, version: Version) -> Change {
        Change {
            revision: Revision(version.get()),
            at: record::moment(self.at),
            by: self.by,
            subject: Subject::Record,
            id: self.id.to_string(),
            collection: None,
            collection_id: None,
            action: self.action.verb(),
            before: Exact::default(),
            after: Exact::default(),
            previous: self.previous.map(|link| Revision(link.version)),
            is_partial: false,
            operation: self.operation,
            address: String::new(),
        }
    }

    /// The record before this change, made of what it is after. `None` where it was not there.
    pub fn undo(&self, values: &Values, after: Option<&Record>) -> Option<Record> {
        let mut members = match self.action {
            Action::Create | Action::Restore => return None,
            Action::Delete if self.has_forgotten(values) => return None,
            Action::Delete => Record::default(),
            Action::Update => after?.clone(),
        };
        members.retain(|name| !values.added.iter().any(|added| added == name));
        members.extend(values.before.clone());
        let mut record = Record::default();
        let (created, updated) = (members.take("created_at"), members.take("updated_at"));
        members.retain(|name| !matches!(name, "id" | "owner"));
        record.set("id", self.id.to_value());
        record.extend(members);
        record.set("owner", self.owner_before.map(|owner| owner.to_string()));
        record.set("created_at", created.unwrap_or_default());
        record.set("updated_at", updated.unwrap_or_default());
        Some(record)
    }
}

/// Reads an entry.
pub fn parse(bytes: &[u8]) -> Result<Entry> {
    let (head, json) = postcard::take_from_bytes::<Stored<'_>>(bytes)
        .map_err(|error| Error::caused("an entry of the journal cannot be read", error))?;
    let user = |id: [u8; 16]| UserId::from_uuid(Uuid::from_bytes(id));
    match head {
        Stored::Carried { written, members } => {
            let cut_off = || Error::internal("an entry of the journal is cut off; run coffer check");
            let (members, rest) =
                usize::try_from(members).ok().and_then(|at| json.split_at_checked(at)).ok_or_else(cut_off)?;
            let Entry::Record(change, mut values) = parse(rest)? else { return Err(cut_off()) };
            values.lost = Some(Lost { version: written, members: record::read_members(members)? });
            Ok(Entry::Record(change, values))
        }
        Stored::Other(operation) => {
            let operation = operation.map(|id| OperationId::from_uuid(Uuid::from_bytes(id)));
            Ok(Entry::Other(Box::new(serde_json::from_slice(json)?), operation))
        }
        Stored::Record {
            action,
            collection,
            definition,
            by,
            owner,
            before,
            at,
            operation,
            id,
            previous,
            counted,
            created,
            updated,
            added,
        } => {
            let owner = owner.map(user);
            let (owner_before, owner_after) = match action {
                Action::Create | Action::Restore => (None, owner),
                Action::Update => match before {
                    OwnerBefore::Same => (owner, owner),
                    OwnerBefore::Nobody => (None, owner),
                    OwnerBefore::User(before) => (Some(user(before)), owner),
                },
                Action::Delete => (owner, None),
            };
            let mut before = record::read_members(json)?;
            for (name, moment) in [("created_at", created), ("updated_at", updated)] {
                if let Some(since) = moment {
                    before.set(name, record::moment(at.saturating_sub(since)));
                }
            }
            let change = RecordChange {
                collection: CollectionNumber(collection),
                id: RecordId::from_uuid(Uuid::from_bytes(id)),
                action,
                operation: operation.map(|id| OperationId::from_uuid(Uuid::from_bytes(id))),
                at,
                by: by.map(user),
                owner_before,
                owner_after,
                definition,
                previous,
                nth: u32::try_from(counted >> 1).unwrap_or(u32::MAX),
                is_consequence: counted & 1 == 1,
            };
            Ok(Entry::Record(
                change,
                Values { before, added: added.into_iter().map(str::to_owned).collect(), lost: None },
            ))
        }
    }
}
