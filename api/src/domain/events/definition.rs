//! What a definition's change is to a subscriber: the rules let them see other records from now on, or the definition is another.

use common::{
    access::Decision,
    change::{Change, Verb},
    collection::Collection,
    event::{EventData, EventId, EventKind},
    id::Revision,
    json::Exact,
};

use super::subscriber::Subscriber;
use crate::domain::error::Result;

/// A change of a definition, as the journal has it.
pub(super) struct Redefined {
    /// What was done.
    pub action: Verb,
    /// The definition before.
    pub before: Option<Collection>,
    /// The definition after.
    pub after: Option<Collection>,
}

/// What it is to one subscriber.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Effect {
    /// Other records are in sight.
    Reset(EventData),
    /// The definition is another.
    Definition(EventData),
}

impl Redefined {
    /// Reads an entry about a definition; `None` for one that changed none.
    pub(super) fn read(change: &Change) -> Result<Option<Self>> {
        // From text: digits of defaults would be lost otherwise.
        let read = |json: &Exact| serde_json::from_str::<Collection>(&serde_json::to_string(json)?);
        let definition = |json: &Exact| (!json.is_null()).then(|| read(json)).transpose();
        let (before, after) = (definition(&change.before)?, definition(&change.after)?);
        Ok((before.is_some() || after.is_some()).then_some(Self { action: change.action, before, after }))
    }

    /// The definition that the collection has, or had last.
    pub(super) fn collection(&self) -> Option<&Collection> {
        self.after.as_ref().or(self.before.as_ref())
    }

    /// What it is to a subscriber, if it is anything. What was never in their sight is not there for them.
    pub(super) fn effect(&self, subscriber: &Subscriber, revision: Revision) -> Option<Effect> {
        let caller = subscriber.caller();
        let decide = |definition: &Option<Collection>| {
            definition.as_ref().map_or(Decision::Denied, |definition| subscriber.wanted.decide(definition, &caller))
        };
        let (before, after) = (decide(&self.before), decide(&self.after));
        if before == Decision::Denied && after == Decision::Denied {
            return None;
        }
        // Under the name that they know, where the other one is out of their sight.
        let seen = if after == Decision::Denied { self.before.as_ref() } else { self.collection() }?;
        let mut data = EventData {
            collection: Some(seen.name.clone()),
            revision: Some(revision),
            since: Some(EventId::after(revision)),
            ..EventData::default()
        };
        let is_change = self.before.is_some() && self.after.is_some();
        if is_change && before != after {
            data.reason = Some("rules".to_owned());
            return Some(Effect::Reset(data));
        }
        data.action = Some(self.action.as_str().to_owned());
        data.was = self.before.as_ref().map(|before| before.name.clone()).filter(|was| *was != seen.name);
        Some(Effect::Definition(data))
    }
}

impl Effect {
    /// Its kind and what it says.
    pub(super) fn parts(&self) -> (EventKind, &EventData) {
        match self {
            Self::Reset(data) => (EventKind::Reset, data),
            Self::Definition(data) => (EventKind::Definition, data),
        }
    }
}
