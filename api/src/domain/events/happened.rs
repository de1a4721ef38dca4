//! What one entry of the journal says of a record, on both sides of the change, and the frames that tell it: written once, however many
//! subscribers there are.

use base::MemoryBudget;
use bytes::Bytes;
use common::{
    access::Decision,
    event::{EventId, EventKind},
    id::Revision,
    name::CollectionName,
    record::Record,
};
use store::{Snapshot, Version, journal::Position};

use super::{frame, frame::Frame, scope::Rule};
use crate::domain::{
    core::Core,
    error::Result,
    journal::{Action, Link, RecordChange, Values, read::of_record},
    keyspace, record,
    schema::Schema,
};

/// A change of a record.
pub(super) struct Happened {
    /// Where its entry is.
    pub at: Position,
    /// The collection, as it is called.
    pub name: CollectionName,
    /// The entry.
    pub change: RecordChange,
    /// The record that is told: after the change, or before its deletion.
    pub json: Option<Bytes>,
    /// The record on both sides, where it was read for filters.
    pub sides: Option<Sides>,
}

/// A record before and after a change.
#[derive(Default)]
pub(super) struct Sides {
    /// Before; `None` where it was not there, or nobody knows any more.
    pub before: Option<Record>,
    /// After; `None` where it is gone.
    pub after: Option<Record>,
}

/// What a change is to one subscriber.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Outcome {
    /// The change itself.
    Told,
    /// The record is no more among those that are followed.
    Gone,
}

/// A change of a record, as the journal has it.
#[derive(Clone)]
pub(super) struct RecordEntry {
    /// Where it stands.
    pub at: Position,
    /// What was done.
    pub change: RecordChange,
    /// What was there before.
    pub values: Values,
}

impl Happened {
    /// Reads the newest entries. Most records are as their entry left them, so nothing is parsed. Where `sides` are wanted for filters, or the
    /// record was changed again, its history is gone back.
    pub(super) async fn read(
        core: &Core,
        snapshot: &Snapshot,
        schema: Option<&Schema>,
        name: CollectionName,
        entry: RecordEntry,
        sides: bool,
    ) -> Result<Self> {
        let RecordEntry { at, change, values } = entry;
        let revision = Revision(at.version.get());
        let mut happened = Self { at, name, change, json: None, sides: sides.then(Sides::default) };
        let Some(schema) = schema else { return Ok(happened) };
        let change = &happened.change;
        if change.action == Action::Delete {
            let before = change.undo(&values, None);
            happened.tell_before(schema, before)?;
            return Ok(happened);
        }
        let stored = snapshot.get(&keyspace::record(change.collection, change.id)).await?;
        let is_now = stored.filter(|stored| stored.version == at.version);
        if let Some(stored) = &is_now {
            happened.json = Some(schema.json(change.id, &stored.value, Some(revision))?);
            if !sides {
                return Ok(happened);
            }
        }
        let now = is_now.map(|stored| schema.parse(change.id, &stored)).transpose()?;
        let step = of_record(snapshot, schema, change.id, revision, &core.deadline()).await?;
        let (before, after) = step.map_or((None, None), |step| (step.before, step.after));
        happened.tell(schema, before, after)?;
        if let (Some(sides), Some(now)) = (&mut happened.sides, now) {
            sides.after = Some(now);
        }
        Ok(happened)
    }

    /// Of an entry whose record was found on both sides of it, under the definition of then.
    pub(super) fn between(
        schema: &Schema,
        at: Position,
        change: RecordChange,
        before: Option<Record>,
        after: Option<Record>,
    ) -> Result<Self> {
        let name = schema.collection.name.clone();
        let mut happened = Self { at, name, change, json: None, sides: Some(Sides::default()) };
        if happened.change.action == Action::Delete {
            happened.tell_before(schema, before)?;
        } else {
            happened.tell(schema, before, after)?;
        }
        Ok(happened)
    }

    fn tell_before(&mut self, schema: &Schema, before: Option<Record>) -> Result<()> {
        let Some(before) = before.map(|record| self.today(schema, record, self.last())) else { return Ok(()) };
        self.json = Some(record::json_of(&before, None)?);
        if let Some(sides) = &mut self.sides {
            sides.before = Some(before);
        }
        Ok(())
    }

    fn tell(&mut self, schema: &Schema, before: Option<Record>, after: Option<Record>) -> Result<()> {
        let before = before.map(|record| self.today(schema, record, self.last()));
        let after = after.map(|record| self.today(schema, record, Some(self.at.version)));
        if let (None, Some(after)) = (&self.json, &after) {
            self.json = Some(record::json_of(after, None)?);
        }
        if let Some(sides) = &mut self.sides {
            *sides = Sides { before, after };
        }
        Ok(())
    }

    /// The commit that the record was written by before this one.
    fn last(&self) -> Option<Version> {
        self.change.previous.map(Link::version)
    }

    /// A record under the names that its fields have today.
    fn today(&self, schema: &Schema, record: Record, version: Option<Version>) -> Record {
        let mut record = schema.under_todays_names(record, self.change.definition);
        if let Some(version) = version {
            record.set("revision", version.get());
        }
        record
    }

    /// Whether a decision about owners covers the record before the change, and after it.
    pub(super) fn covered(&self, may: Decision) -> (bool, bool) {
        let RecordChange { action, owner_before, owner_after, .. } = self.change;
        let was_there = !matches!(action, Action::Create | Action::Restore);
        (was_there && may.covers(owner_before), action != Action::Delete && may.covers(owner_after))
    }

    /// Whether there was a record before, and nobody knows any more what it was.
    pub(super) fn before_is_unknown(&self) -> bool {
        let was_there = !matches!(self.change.action, Action::Create | Action::Restore);
        was_there && self.sides.as_ref().is_none_or(|sides| sides.before.is_none())
    }

    /// What it is to who follows a rule; `None` for nothing.
    pub(super) fn outcome(&self, rule: &Rule) -> Option<Outcome> {
        let (before, after) = self.covered(rule.may);
        let Some(filter) = rule.filter.as_ref().filter(|_| before || after) else {
            return self.outcome_of(before, after);
        };
        let sides = self.sides.as_ref()?;
        // A record whose earlier values are not known is taken to have matched: the subscriber could see it.
        let before = before && sides.before.as_ref().is_none_or(|record| filter.holds(record));
        let after = after && sides.after.as_ref().is_some_and(|record| filter.holds(record));
        self.outcome_of(before, after)
    }

    /// What it is to who follows all that a decision covers.
    pub(super) fn outcome_by_owner(&self, may: Decision) -> Option<Outcome> {
        let (before, after) = self.covered(may);
        self.outcome_of(before, after)
    }

    /// The same where it is known whether the record was followed before, and is after.
    pub(super) fn outcome_of(&self, before: bool, after: bool) -> Option<Outcome> {
        match (before, after) {
            (_, true) => Some(Outcome::Told),
            (true, false) if self.change.action == Action::Delete => Some(Outcome::Told),
            (true, false) => Some(Outcome::Gone),
            (false, false) => None,
        }
    }

    /// The frame of an outcome, charged to the budget until nobody holds it.
    pub(super) fn frame(&self, memory: &MemoryBudget, outcome: Outcome) -> Result<Frame> {
        let id = event_id(self.at);
        let kind = match (outcome, self.change.action) {
            (Outcome::Gone, _) => EventKind::Gone,
            (Outcome::Told, Action::Create | Action::Restore) => EventKind::Create,
            (Outcome::Told, Action::Update) => EventKind::Update,
            (Outcome::Told, Action::Delete) => EventKind::Delete,
        };
        let json = self.json.as_deref().filter(|_| outcome == Outcome::Told);
        let bytes = frame::of_record(id, kind, &self.name, &self.change, json);
        let charge = memory.charge(bytes.len() as u64)?;
        Ok(Frame { id, bytes: charge.with_bytes(bytes) })
    }
}

/// The id of an event at a place of the journal.
pub(super) fn event_id(at: Position) -> EventId {
    EventId { revision: Revision(at.version.get()), place: at.place }
}

/// The place of an id: everything up to it is told.
pub(super) fn position(id: EventId) -> Position {
    Position { version: Version::new(id.revision.0), place: id.place }
}

/// The entry that follows.
pub(super) fn next(at: Position) -> Position {
    match at.place {
        u32::MAX => Position { version: Version::new(at.version.get().saturating_add(1)), place: 0 },
        place => Position { version: at.version, place: place + 1 },
    }
}
