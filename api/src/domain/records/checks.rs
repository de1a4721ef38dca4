//! What only the store can say about a record's values, and how faults in one body or in an array of them are told.

use std::collections::HashSet;

use common::{
    access::Caller, field::FieldType, id::RecordId, problem::FieldErrors, record::Record, validate::does_not_exist,
};
use store::{Key, Snapshot};

use super::visible::is_visible;
use crate::domain::{
    core::Core,
    error::{Error, Result},
    indexes::{IndexKind, ReadIndex},
    keyspace,
    schema::Schema,
    stage,
};

/// What the store has to say to a record's values: unique ones that another record has, references to what is not there
/// for this caller.
pub(super) async fn check_values(
    core: &Core,
    snapshot: &Snapshot,
    caller: &Caller,
    schema: &Schema,
    old: Option<&Record>,
    record: &Record,
) -> Result<Checked> {
    check_beside(core, snapshot, caller, schema, &|_| false, old, record).await
}

/// Whether another record gives up this unique value in the same commit.
pub(super) type GivenUp<'a> = dyn Fn(&Key) -> bool + Sync + 'a;

/// The same where other records give up unique values in the same commit.
pub(super) async fn check_beside(
    core: &Core,
    snapshot: &Snapshot,
    caller: &Caller,
    schema: &Schema,
    given_up: &GivenUp<'_>,
    old: Option<&Record>,
    record: &Record,
) -> Result<Checked> {
    let mut checked = check_each(core, snapshot, caller, schema, given_up, old, record).await?;
    for index in schema.read_by.iter().filter(|index| index.is_several && index.kind == IndexKind::Unique) {
        let Some(key) = unique_key(core, snapshot, index, record).await? else { continue };
        let was = match old {
            Some(old) => unique_key(core, snapshot, index, old).await?,
            None => None,
        };
        if given_up(&key) {
            continue;
        }
        let Some(holder) = snapshot.get(&key).await?.filter(|_| was != Some(key)) else { continue };
        match stage::unique_holder(&holder) {
            Some(holder) if is_visible(snapshot, caller, schema, holder).await? => checked.taken.push(index.names()),
            _ => checked.is_taken_unseen = true,
        }
    }
    Ok(checked)
}

/// The same of the values by themselves, where others of the record are not right.
pub(super) async fn check_right(
    core: &Core,
    snapshot: &Snapshot,
    caller: &Caller,
    schema: &Schema,
    old: Option<&Record>,
    record: &Record,
) -> Result<Checked> {
    check_each(core, snapshot, caller, schema, &|_| false, old, record).await
}

async fn check_each(
    core: &Core,
    snapshot: &Snapshot,
    caller: &Caller,
    schema: &Schema,
    given_up: &GivenUp<'_>,
    old: Option<&Record>,
    record: &Record,
) -> Result<Checked> {
    let mut checked = Checked::default();
    for (field, indexes) in schema.fields() {
        let name = field.name.as_str();
        let Some(value) = record.get(name).filter(|value| !value.is_null()) else { continue };
        if old.and_then(|old| old.get(name)) == Some(value) {
            continue;
        }
        let key = indexes.unique.map(|rule| keyspace::unique(schema.number(), rule, field, value));
        if let Some(key) = key.filter(|key| !given_up(key))
            && let Some(holder) = snapshot.get(&key).await?
        {
            match stage::unique_holder(&holder) {
                // The same, written in another way.
                Some(holder) if Some(holder) == old.unwrap_or(record).id() => {}
                Some(holder) if is_visible(snapshot, caller, schema, holder).await? => {
                    checked.taken.push(name.to_owned());
                }
                _ => checked.is_taken_unseen = true,
            }
        }
        if let FieldType::Reference { collection: Some(collection), .. } = &field.kind {
            let target = core.schemas.load(snapshot, collection).await?;
            let known = old.and_then(|old| old.get(name)).filter(|_| field.kind.refers_to_many());
            let known: HashSet<RecordId> = known.into_iter().flat_map(RecordId::all_in).collect();
            for id in RecordId::all_in(value).filter(|id| !known.contains(id)) {
                let visible = match &target {
                    Some(target) => is_visible(snapshot, caller, target, id).await?,
                    None => false,
                };
                if !visible {
                    checked.missing.push((name.to_owned(), id));
                    checked.invalid.push(name, does_not_exist(&id.to_string()));
                }
            }
        }
    }
    Ok(checked)
}

/// What a rule over several members has for a record. Of who never owned anything there is nothing.
async fn unique_key(core: &Core, snapshot: &Snapshot, index: &ReadIndex, record: &Record) -> Result<Option<Key>> {
    let owner = match record.owner() {
        Some(user) => core.owners.number(snapshot, user).await?,
        None => None,
    };
    Ok(index.key(record, owner))
}

/// What [`check_values`] found.
#[derive(Default)]
pub(super) struct Checked {
    /// Fields whose value a record has that the caller may see.
    taken: Vec<String>,
    /// A value is taken by a record that they may not see.
    is_taken_unseen: bool,
    invalid: FieldErrors,
    /// References to what is not there, with their fields.
    pub missing: Vec<(String, RecordId)>,
}

/// What is wrong with one body or with several; in an array each error stands under its index.
pub(super) struct BodyErrors {
    many: bool,
    invalid: FieldErrors,
    taken: FieldErrors,
    is_taken_unseen: bool,
}

impl BodyErrors {
    /// Of one body; of as many as `items` says, where they came in an array.
    pub(super) fn new(items: Option<usize>) -> Self {
        let none = || items.map_or_else(FieldErrors::new, FieldErrors::of_items);
        Self { many: items.is_some(), invalid: none(), taken: none(), is_taken_unseen: false }
    }

    pub(super) fn invalid(&mut self, index: usize, faults: FieldErrors) {
        if self.many {
            self.invalid.nest(&index.to_string(), faults);
        } else {
            self.invalid.append(faults);
        }
    }

    pub(super) fn taken(&mut self, index: usize, field: &str) {
        let (place, error) = stage::taken(field);
        let place = if self.many { format!("{index}.{place}") } else { place.to_owned() };
        self.taken.push(place, error);
    }

    /// Values of an item that are taken, as they were told of it alone.
    pub(super) fn taken_all(&mut self, index: usize, taken: FieldErrors) {
        self.taken.nest(&index.to_string(), taken);
    }

    /// Nothing is wrong so far.
    pub(super) fn is_clean(&self) -> bool {
        self.invalid.is_empty() && self.taken.is_empty() && !self.is_taken_unseen
    }

    pub(super) fn merge(&mut self, index: usize, checked: Checked) {
        self.invalid(index, checked.invalid);
        self.is_taken_unseen |= checked.is_taken_unseen;
        for field in checked.taken {
            self.taken(index, &field);
        }
    }

    pub(super) fn result(mut self) -> Result<()> {
        if !self.invalid.is_empty() {
            self.invalid.append(self.taken);
            return Err(self.invalid.into());
        }
        if !self.taken.is_empty() {
            return Err(Error::Taken(self.taken));
        }
        // Last, so that nothing else depends on what the caller may not see.
        if self.is_taken_unseen { Err(Error::TakenUnseen) } else { Ok(()) }
    }
}
