//! Unique values of records that the caller may not see. That one is taken has to be told, and is all that is told: neither which, nor of
//! which record of an array. Each telling counts as a guess of the caller's; after a few they wait, longer each time, and the journal has it.

use auth::throttle::Attempt;
use base::ClientNetwork;
use common::{
    access::{Action, Decision},
    change::{Subject, Verb},
    field::Unique,
    record::Record,
};
use serde_json::Value;

use crate::domain::{
    core::Core,
    error::{Error, Result},
    journal::{self, Actor},
    schema::Schema,
};

/// A write that may turn out to be a guess.
pub(crate) struct Guess<'a> {
    core: &'a Core,
    by: Actor<'a>,
    schema: &'a Schema,
    attempt: Option<Attempt>,
}

impl<'a> Guess<'a> {
    /// Asks whether the caller may try these values, where they could learn of others' by it.
    pub(crate) fn admit(
        core: &'a Core,
        by: Actor<'a>,
        schema: &'a Schema,
        old: Option<&Record>,
        records: &[&Record],
    ) -> Result<Self> {
        let sees_all = schema.collection.access.decide(Action::List, by.caller) == Decision::All;
        let mut attempt = None;
        if !sees_all && records.iter().any(|record| has_new_unique(schema, old, record)) {
            let network = by.address.map(|address| ClientNetwork::of(address).to_string());
            let who = by.caller.user_id().map(|id| id.to_string()).or(network).unwrap_or_default();
            let name = format!("{} {who}", schema.collection.id);
            attempt = Some(core.guesses.admit(&name)?);
        }
        Ok(Self { core, by, schema, attempt })
    }

    /// What the checks came to. That a value is taken which the caller cannot see counts.
    pub(crate) async fn tell<T>(self, checked: Result<T>) -> Result<T> {
        if let (Err(Error::TakenUnseen), Some(attempt)) = (&checked, self.attempt)
            && attempt.failed().is_some()
        {
            let name = &self.schema.collection.name;
            let entry = self.by.entry(self.core, Subject::Collection, name, Verb::ValuesGuessed);
            journal::note(self.core, &entry).await?;
        }
        checked
    }
}

fn has_new_unique(schema: &Schema, old: Option<&Record>, record: &Record) -> bool {
    let is_new = |name: &str| {
        record.get(name).is_some_and(|value| *value != Value::Null && old.and_then(|old| old.get(name)) != Some(value))
    };
    let together =
        schema.collection.indexes.iter().filter(|index| index.unique != Unique::No).flat_map(|index| &index.fields);
    schema.collection.fields.iter().filter(|field| field.unique != Unique::No).any(|field| is_new(field.name.as_str()))
        || together.into_iter().any(|field| is_new(&field.name))
}
