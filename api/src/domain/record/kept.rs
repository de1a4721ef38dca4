//! What a record's fields were before a version of its definition, though it was written after that: its history has it, and a definition
//! that has such values back looks for them here. It stands with the earlier members of a record that was carried over.

use common::{json::Exact, record::Record};
use uuid::Uuid;

/// What the names of such members begin with. No field's name does.
const MARK: &str = "$kept ";

/// The same of those that say what a field is from a version on.
const AS_OF: &str = "$kept as of ";

/// Such values of one record.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EarlierValues(Record);

impl EarlierValues {
    /// Takes them out of members.
    pub fn take_from(members: &mut Record) -> Self {
        let names: Vec<String> = members.as_object().keys().filter(|name| name.starts_with(MARK)).cloned().collect();
        let mut kept = Record::default();
        for name in names {
            if let Some(value) = members.take(&name) {
                kept.set(name, value);
            }
        }
        Self(kept)
    }

    /// As members.
    pub fn as_members(&self) -> &Record {
        &self.0
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.as_object().is_empty()
    }

    /// What a field was before the step to the version `since`.
    pub fn get(&self, field: Uuid, since: u32) -> Option<Exact> {
        self.0.member(&name(field, since)).map(Exact::from)
    }

    /// Adds such a value.
    pub fn set(&mut self, field: Uuid, since: u32, value: Exact) {
        self.0.set(name(field, since), value);
    }

    /// Adds what a field is as of a version, where its definition has forgotten how that is made of what it was.
    pub fn set_as_of(&mut self, field: Uuid, version: u32, value: Exact) {
        self.0.set(format!("{AS_OF}{version} {field}"), value);
    }

    /// What fields are as of versions, the earliest first.
    pub fn as_of(&self) -> Vec<(u32, Uuid, Exact)> {
        let names = self.0.as_object().keys().filter_map(|name| {
            let (version, field) = name.strip_prefix(AS_OF)?.split_once(' ')?;
            Some((version.parse().ok()?, field.parse().ok()?, Exact::from(self.0.member(name)?)))
        });
        let mut found: Vec<(u32, Uuid, Exact)> = names.collect();
        found.sort_by_key(|(version, ..)| *version);
        found
    }

    /// Adds what another knows.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Leaves out those of other fields.
    pub fn retain(&mut self, stays: impl Fn(Uuid) -> bool) {
        self.0.retain(|name| name.rsplit(' ').next().and_then(|field| field.parse().ok()).is_some_and(&stays));
    }
}

fn name(field: Uuid, since: u32) -> String {
    format!("{MARK}{since} {field}")
}
