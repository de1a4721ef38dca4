//! The parameters of one record.

use std::collections::BTreeSet;

use super::{
    list::{ListQuery, MAX_EXPANSIONS, MAX_NAMES, comma_separated},
    pairs::{Pairs, Query, too_many, unknown_parameter},
};
use crate::{collection::Collection, problem::FieldErrors, reader::invalid};

/// The query of one record: what to send of it, and what to put in place of ids, as in a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecordQuery {
    /// The members to send; empty means all.
    pub fields: Vec<String>,
    /// References to replace by the records that they refer to, and what refers to the record.
    pub expand: Vec<String>,
}

impl RecordQuery {
    /// The record is sent as it is.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.expand.is_empty()
    }

    /// Checks the query against the collection that it is for, as [`ListQuery::check`].
    pub fn check(&self, collection: &Collection) -> Result<(), FieldErrors> {
        let Self { fields, expand } = self.clone();
        ListQuery { fields, expand, ..ListQuery::default() }.check(collection)
    }
}

impl Query for RecordQuery {
    fn from_pairs(pairs: Pairs) -> Result<Self, FieldErrors> {
        let (mut query, mut errors, mut seen) = (Self::default(), FieldErrors::new(), BTreeSet::new());
        for (name, value) in pairs {
            let (names, most) = match name.as_str() {
                "fields" => (&mut query.fields, MAX_NAMES),
                "expand" => (&mut query.expand, MAX_EXPANSIONS),
                _ => {
                    errors.push(name, unknown_parameter());
                    continue;
                }
            };
            names.extend(comma_separated(&value).map(str::to_owned));
            if names.len() > most {
                errors.push(name, too_many(names.len(), most));
            } else if !seen.insert(name.clone()) {
                errors.push(name, invalid("This parameter stands twice."));
            }
        }
        errors.or(query)
    }

    fn from_known_pairs(pairs: Pairs) -> Result<Self, FieldErrors> {
        Self::from_pairs(pairs.into_iter().filter(|(name, _)| name == "fields" || name == "expand").collect())
    }

    fn to_pairs(&self) -> Pairs {
        let pairs = [("fields", &self.fields), ("expand", &self.expand)];
        let asked = pairs.into_iter().filter(|(_, names)| !names.is_empty());
        asked.map(|(name, names)| (name.to_owned(), names.join(","))).collect()
    }
}
