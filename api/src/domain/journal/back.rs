//! Going back through a record's versions. The journal has what was before each change; what was after it is the record as it is
//! now, or what was before the change that followed.

use base::Charge;
use common::{change::Change, id::RecordId, json::Exact, record::Record};
use store::{
    Snapshot, Version,
    journal::{self as blocks, Block, Position},
};

use super::entry::{Action, Entry, Link, RecordChange, Values, parse};
use crate::domain::{
    error::Result,
    keyspace,
    layout::Lost,
    numbers::CollectionNumber,
    record::{self, EarlierValues},
    schema::Schema,
    work,
};

/// A record's changes, the latest first.
pub struct Back<'a> {
    snapshot: &'a Snapshot,
    /// The collection's definition; `None` where it is gone.
    schema: Option<&'a Schema>,
    collection: CollectionNumber,
    id: RecordId,
    /// The next entry.
    next: Option<Link>,
    /// The record after it, and the version of the definition that it is in.
    state: Option<(Record, u32)>,
    /// The block that was read last: the next entry may be in it too.
    block: Option<Block>,
    /// What the block and the record on both sides of the last change take.
    held: Charge,
}

/// A change of a record, and the record on both sides of it.
pub struct Step {
    /// The commit.
    pub version: Version,
    /// What was done.
    pub change: RecordChange,
    /// The record before it, under the definition of then: [`RecordChange::definition`].
    pub before: Option<Record>,
    /// The record after it, under the definition of then.
    pub after: Option<Record>,
    /// What the record knew of its fields before it, where that is not what it knew after it.
    pub kept: Option<EarlierValues>,
}

impl<'a> Back<'a> {
    /// From the record as it is in `snapshot`, or from its deletion. Where it never was, there are no changes.
    pub async fn new(
        snapshot: &'a Snapshot,
        schema: Option<&'a Schema>,
        collection: CollectionNumber,
        id: RecordId,
    ) -> Result<Self> {
        let keys = [keyspace::record(collection, id), keyspace::tombstone(collection, id)];
        let mut found = snapshot.get_many(&keys).await?.into_iter();
        let (next, state) = match (found.next().flatten(), found.next().flatten()) {
            (Some(stored), _) => {
                let state = match schema {
                    Some(schema) => schema.original(id, &stored.value)?,
                    None => (record::decode(id, &stored.value)?, record::head(&stored.value)?.definition),
                };
                (Some(Link::of_record(&stored)?), Some(state))
            }
            (None, Some(tombstone)) => (Some(Link::of_tombstone(&tombstone)), None),
            (None, None) => (None, None),
        };
        let mut held = work::charge();
        held.grow(size(state.as_ref().map(|(record, _)| record)))?;
        Ok(Self { snapshot, schema, collection, id, next, state, block: None, held })
    }

    /// The commit of the change that is next; `None` where there is none.
    pub fn next_version(&self) -> Option<Version> {
        self.next.map(Link::version)
    }

    /// The record before the last change that [`Self::step`] gave, and the version of the definition that it was written under. Where
    /// nothing is left of what came earlier, this is the earliest that is known.
    pub fn earliest(&self) -> Option<&(Record, u32)> {
        self.state.as_ref()
    }

    /// The change before the last one that this gave; `None` at the first, or where the journal was trimmed.
    pub async fn step(&mut self) -> Result<Option<Step>> {
        let Some(link) = self.next.take() else { return Ok(None) };
        let Some((_, change, values)) = self.find(link).await? else { return Ok(None) };
        let as_of = |record: Record, from: u32, lost: &Lost| match self.schema {
            Some(schema) if from > lost.version => schema.back(record, from, lost),
            _ => record,
        };
        let version = change.definition;
        let after = self.state.take();
        let after = after.map(|(record, from)| as_of(record, from, &Lost { version, ..Lost::default() }));
        let before = change.undo(&values, after.as_ref());
        let kept = values.lost.as_ref().map(|lost| EarlierValues::take_from(&mut lost.members.clone()));
        let kept = kept.filter(|kept| !kept.is_empty());
        let block = self.block.iter().flat_map(|block| &block.entries).map(|entry| entry.bytes.len() as u64);
        let held = block.sum::<u64>() + size(after.as_ref()) + 2 * size(before.as_ref());
        self.held.shrink_to(held);
        self.held.grow(held - self.held.bytes())?;
        self.state = before.clone().map(|before| match &values.lost {
            Some(lost) => (as_of(before, version, lost), lost.version),
            None => (before, version),
        });
        self.next = change.previous;
        Ok(Some(Step { version: link.version(), change, before, after, kept }))
    }

    /// The next entry by itself, and where it is; `None` where [`Self::step`] gives none.
    pub async fn entry(&mut self) -> Result<Option<(Position, RecordChange, Values)>> {
        let Some(link) = self.next.take() else { return Ok(None) };
        let found = self.find(link).await?;
        self.next = found.as_ref().and_then(|(_, change, _)| change.previous);
        Ok(found)
    }

    /// The entry at a link: where its place is known, one block is read; otherwise those of the commit, one after another.
    async fn find(&mut self, link: Link) -> Result<Option<(Position, RecordChange, Values)>> {
        let from = Position { version: link.version(), place: link.place().unwrap_or(0) };
        if let Some(found) = self.block.as_ref().map_or(Ok(None), |block| self.within(block, link))? {
            return Ok(Some(found));
        }
        let mut blocks = blocks::blocks_from(self.snapshot, from).await?;
        while let Some(block) = blocks.next().await? {
            let is_beyond = block.entries.first().is_some_and(|first| first.at.version > from.version);
            if is_beyond {
                break;
            }
            if let Some(found) = self.within(&block, link)? {
                self.block = Some(block);
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn within(&self, block: &Block, link: Link) -> Result<Option<(Position, RecordChange, Values)>> {
        let entries = block.entries.iter().filter(|entry| entry.at.version == link.version());
        for entry in entries.filter(|entry| link.place().is_none_or(|place| place == entry.at.place)) {
            if let Entry::Record(change, values) = parse(&entry.bytes)?
                && (change.collection, change.id) == (self.collection, self.id)
            {
                return Ok(Some((entry.at, change, values)));
            }
        }
        Ok(None)
    }
}

impl Step {
    /// As it is sent, but for the collection's name: with the names that fields have today.
    pub fn to_change(&self, schema: Option<&Schema>) -> Change {
        let mut change = self.change.to_change(self.version);
        let previous = self.change.previous.filter(|_| self.change.action != Action::Restore);
        let named = |record: &Option<Record>| {
            let record = record.clone()?;
            Some(match schema {
                Some(schema) => schema.under_todays_names(record, self.change.definition),
                None => record,
            })
        };
        change.before = with_revision(named(&self.before), previous.map(Link::version));
        change.after = with_revision(named(&self.after), Some(self.version));
        change
    }
}

/// About how many bytes a record takes, where there is one.
fn size(record: Option<&Record>) -> u64 {
    record.map_or(0, |record| work::record_size(record) as u64)
}

fn with_revision(record: Option<Record>, version: Option<Version>) -> Exact {
    let Some(mut record) = record else { return Exact::default() };
    if let Some(version) = version {
        record.set("revision", version.get());
    }
    Exact::from(&record)
}
