//! Numbers in place of names and ids in keys. Each is given once and never again, so a name can change, and what an index that
//! is gone left behind is never taken for another's. A definition says which number is whose: [`Keys`], stored beside it.

use std::collections::{HashMap, HashSet};

use common::{
    access::Rule,
    collection::{Collection, IndexDefinition},
    field::{Field, FieldType, Unique},
    id::FieldId,
    name::{CollectionName, FieldName},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::steps::Step;

macro_rules! number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u32);
    };
}

number!(/// A collection in keys.
    CollectionNumber);
number!(/// A field in its collection's keys.
    FieldNumber);
number!(/// An index or a rule for unique values in its collection's keys. Fields and indexes have one series of numbers.
    IndexNumber);
number!(/// An owner of records in keys.
    OwnerNumber);

/// What a definition's names are in keys, and what there is in the store beside its records.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Keys {
    /// The collection's number.
    pub number: CollectionNumber,
    /// The last number that was given to a field or an index.
    pub last: u32,
    /// The definition's own version: 1, and one more with each change of its fields.
    pub version: u32,
    /// Its fields.
    pub fields: Vec<FieldKey>,
    /// Its indexes.
    pub indexes: Vec<Index>,
    /// How what records look like changed, from the first version to this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
    /// Indexes that are gone, and whose entries are still to be removed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retired: Vec<Retired>,
}

/// An index that is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retired {
    /// What it is in keys.
    pub number: IndexNumber,
    /// It held unique values.
    pub unique: bool,
    /// The collection that its values referred to, each of which counts there until its entry is removed.
    pub target: Option<CollectionNumber>,
}

/// What a field is called, and what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldKey {
    /// Names the field for ever, whatever it is called.
    pub id: Uuid,
    /// What it is called.
    pub name: FieldName,
    /// What it is in keys.
    pub number: FieldNumber,
}

/// An index, or a rule for unique values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    /// What it is in keys.
    pub number: IndexNumber,
    /// What it indexes.
    pub of: IndexOf,
}

/// What an index is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IndexOf {
    /// The records' owners.
    Owner,
    /// The values of fields.
    Fields(Vec<FieldNumber>),
    /// The unique values of fields.
    Unique(Vec<FieldNumber>),
    /// The words of texts.
    Words(Vec<FieldNumber>),
    /// The values of several members, or their unique ones.
    Several {
        /// The members, in the order in which they count.
        parts: Vec<PartKey>,
        /// Whether two records may have the same.
        unique: Unique,
    },
}

impl IndexOf {
    /// Whether it is in the space of unique values.
    pub fn is_unique(&self) -> bool {
        match self {
            Self::Owner | Self::Fields(_) | Self::Words(_) => false,
            Self::Unique(_) => true,
            Self::Several { unique, .. } => *unique != Unique::No,
        }
    }
}

/// A part of an index over several members.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartKey {
    /// The member.
    pub of: PartOf,
    /// The largest comes first.
    pub descending: bool,
}

/// A member of records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartOf {
    /// A field.
    Field(FieldNumber),
    /// One of the server's.
    Member(String),
}

/// The indexes of one field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FieldIndexes {
    /// That of its values.
    pub values: Option<IndexNumber>,
    /// That of its unique values.
    pub unique: Option<IndexNumber>,
}

impl Keys {
    /// Of a new collection. `next_id` gives the ids of its fields.
    pub fn new(number: CollectionNumber, collection: &Collection, next_id: &mut dyn FnMut() -> Uuid) -> Self {
        let none = Self {
            number,
            last: 0,
            version: 0,
            fields: Vec::new(),
            indexes: Vec::new(),
            steps: Vec::new(),
            retired: Vec::new(),
        };
        none.changed(None, collection, &HashSet::new(), next_id)
    }

    /// As `after` has it, where `before` had these. A field is the one with its id, else with its name; its indexes stay if its type does
    /// and its values, which those of `converted` do not.
    #[must_use]
    pub fn changed(
        &self,
        before: Option<&Collection>,
        after: &Collection,
        converted: &HashSet<Uuid>,
        next_id: &mut dyn FnMut() -> Uuid,
    ) -> Self {
        let mut last = self.last;
        let mut next = || {
            last += 1;
            last
        };
        let mut fields = Vec::with_capacity(after.fields.len());
        let mut staying = HashSet::new();
        let mut indexes: Vec<Index> = Vec::new();
        let mut keep = |of: IndexOf, may_stay: bool, next: &mut dyn FnMut() -> u32| {
            if indexes.iter().any(|index| index.of == of) {
                return;
            }
            let kept = self.indexes.iter().find(|index| may_stay && index.of == of).map(|index| index.number);
            indexes.push(Index { number: kept.unwrap_or_else(|| IndexNumber(next())), of });
        };
        for field in &after.fields {
            let known = self.fields.iter().find(|known| match field.id {
                Some(id) => known.id == id.uuid(),
                None => known.name == field.name,
            });
            let key = match known {
                Some(known) => FieldKey { name: field.name.clone(), ..known.clone() },
                None => FieldKey {
                    id: field.id.map_or_else(&mut *next_id, FieldId::uuid),
                    name: field.name.clone(),
                    number: FieldNumber(next()),
                },
            };
            let was = known.and_then(|known| before?.fields.iter().find(|field| field.name == known.name));
            let may_stay = was.is_some_and(|was| sorts_alike(was, field)) && !converted.contains(&key.id);
            if may_stay {
                staying.insert(key.number);
            }
            if field.has_index() {
                keep(IndexOf::Fields(vec![key.number]), may_stay, &mut next);
            }
            if field.unique != Unique::No {
                let may_stay = may_stay && was.is_some_and(|was| was.unique == field.unique);
                keep(IndexOf::Unique(vec![key.number]), may_stay, &mut next);
            }
            fields.push(key);
        }
        let searched = after.fields.iter().zip(&fields).filter(|(field, _)| field.searchable);
        let searched: Vec<FieldNumber> = searched.map(|(_, key)| key.number).collect();
        if !searched.is_empty() {
            let may_stay = searched.iter().all(|number| staying.contains(number));
            keep(IndexOf::Words(searched), may_stay, &mut next);
        }
        if is_seen_by_owner(after) {
            keep(IndexOf::Owner, true, &mut next);
        }
        for index in &after.indexes {
            let Some(of) = several(index, &fields) else { continue };
            let may_stay = match &of {
                IndexOf::Several { parts, .. } => parts.iter().all(|part| match &part.of {
                    PartOf::Field(field) => staying.contains(field),
                    PartOf::Member(_) => true,
                }),
                IndexOf::Fields(fields) | IndexOf::Unique(fields) | IndexOf::Words(fields) => {
                    fields.iter().all(|field| staying.contains(field))
                }
                IndexOf::Owner => true,
            };
            keep(of, may_stay, &mut next);
        }
        let is_same = before.is_some_and(|before| before.fields == after.fields);
        Self {
            number: self.number,
            last,
            version: self.version + u32::from(!is_same || !converted.is_empty()),
            fields,
            indexes,
            steps: self.steps.clone(),
            retired: self.retired.clone(),
        }
    }

    /// The indexes that `other` has and these have not.
    pub fn without(&self, other: &Self) -> impl Iterator<Item = &Index> {
        let known: HashSet<IndexNumber> = other.indexes.iter().map(|index| index.number).collect();
        self.indexes.iter().filter(move |index| !known.contains(&index.number))
    }

    /// Notes that the indexes of `other`, a definition of the same collection, are to be removed where they are none of these.
    pub fn retire(
        &mut self,
        other: &Self,
        collection: &Collection,
        targets: &HashMap<CollectionName, CollectionNumber>,
    ) {
        self.last = self.last.max(other.last);
        let target = |number: &FieldNumber| {
            let place = other.fields.iter().position(|field| field.number == *number)?;
            match &collection.fields.get(place)?.kind {
                FieldType::Reference { collection: Some(target), .. } => targets.get(target).copied(),
                _ => None,
            }
        };
        let retired: Vec<Retired> = other
            .without(self)
            .filter(|index| self.retired.iter().all(|retired| retired.number != index.number))
            .map(|index| Retired {
                number: index.number,
                unique: index.of.is_unique(),
                target: match &index.of {
                    IndexOf::Fields(fields) => fields.first().and_then(target),
                    _ => None,
                },
            })
            .collect();
        self.retired.extend(retired);
    }

    /// The indexes of a field.
    pub fn indexes_of(&self, field: FieldNumber) -> FieldIndexes {
        let find = |of: &IndexOf| self.indexes.iter().find(|index| index.of == *of).map(|index| index.number);
        let only = vec![field];
        FieldIndexes { values: find(&IndexOf::Fields(only.clone())), unique: find(&IndexOf::Unique(only)) }
    }

    /// Whether records of `before` are to be written anew, so that reading them is cheap: where their fields only stand in another order,
    /// that is no gain.
    pub fn is_rewritten(&self, before: &Self) -> bool {
        self.steps.iter().skip(before.steps.len()).any(Step::changes_fields)
    }

    /// The index of words, where there is one.
    pub fn words_index(&self) -> Option<IndexNumber> {
        self.indexes.iter().find(|index| matches!(index.of, IndexOf::Words(_))).map(|index| index.number)
    }

    /// The index of owners, where there is one.
    pub fn owner_index(&self) -> Option<IndexNumber> {
        self.indexes.iter().find(|index| index.of == IndexOf::Owner).map(|index| index.number)
    }

    /// Whether every number stands for one thing, and none is larger than the last that was given.
    pub fn fit(&self, collection: &Collection) -> bool {
        let numbers: Vec<u32> = (self.fields.iter().map(|field| field.number.0))
            .chain(self.indexes.iter().map(|index| index.number.0))
            .collect();
        let names: HashSet<_> = self.fields.iter().map(|field| &field.name).collect();
        numbers.iter().collect::<HashSet<_>>().len() == numbers.len()
            && numbers.iter().all(|number| *number <= self.last)
            && names.len() == collection.fields.len()
            && collection.fields.iter().all(|field| names.contains(&field.name))
    }
}

/// What an index of a definition is of. One that is another's reverse is the same, read from its end.
fn several(index: &IndexDefinition, fields: &[FieldKey]) -> Option<IndexOf> {
    let number = |name: &str| fields.iter().find(|field| field.name.as_str() == name).map(|field| field.number);
    let is_unique = index.unique != Unique::No;
    let turned = !is_unique && index.fields.first().is_some_and(|field| field.descending);
    let mut parts = Vec::with_capacity(index.fields.len());
    for field in &index.fields {
        let of = match number(&field.name) {
            Some(number) => PartOf::Field(number),
            None => PartOf::Member(field.name.clone()),
        };
        parts.push(PartKey { of, descending: field.descending != turned });
    }
    match parts.as_slice() {
        [] => None,
        [PartKey { of: PartOf::Field(field), .. }] if !is_unique => Some(IndexOf::Fields(vec![*field])),
        [PartKey { of: PartOf::Member(name), .. }] if !is_unique && name == "owner" => Some(IndexOf::Owner),
        _ => Some(IndexOf::Several { parts, unique: index.unique }),
    }
}

/// Whether two fields' values make the same keys.
fn sorts_alike(a: &Field, b: &Field) -> bool {
    std::mem::discriminant(&a.kind) == std::mem::discriminant(&b.kind)
        && a.kind.refers_to_many() == b.kind.refers_to_many()
}

/// Whether there is anybody for whom records are there by their owner: in lists, or one by one. These are what is read by owner.
fn is_seen_by_owner(collection: &Collection) -> bool {
    [&collection.access.list, &collection.access.view]
        .iter()
        .any(|rules| rules.contains(&Rule::Owner) && !rules.contains(&Rule::SignedIn) && !rules.contains(&Rule::Anyone))
}
