//! Changing or deleting all records that a filter finds.

use serde::{Deserialize, Serialize};

use crate::{
    answer::JsonAnswer,
    collection::Collection,
    problem::{FieldErrors, NON_FIELD},
    query::{ListQuery, Pairs, Query, search_terms, unknown_parameter},
    reader::{invalid, required},
    undo::Counted,
};

/// Records that one request changes or deletes at most.
pub const MAX_MANY: u64 = 10_000;

/// Which records are changed or deleted. It is read strictly, whoever asks: fewer conditions than were meant would be more records.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ManyQuery {
    /// The conditions.
    pub records: ListQuery,
    /// How many records these may be. Where there are more, nothing is done.
    pub max: u64,
    /// All records are meant.
    pub all: bool,
    /// Nothing is done; what would be is told.
    pub dry_run: bool,
}

impl Query for ManyQuery {
    fn from_pairs(pairs: Pairs) -> Result<Self, FieldErrors> {
        let (mut query, mut errors, mut rest) = (Self::default(), FieldErrors::new(), Pairs::new());
        let (mut max, mut seen) = (None, Vec::new());
        for (name, value) in pairs {
            // An empty member of a list is as good as an empty value where it is the only one.
            if value.split(',').all(|part| part.trim().is_empty()) {
                errors.push(
                    name,
                    invalid("Give a value, or leave the parameter out: an empty one would mean all records."),
                );
                continue;
            }
            let is_own = matches!(name.as_str(), "max" | "all" | "dry_run");
            if is_own && seen.contains(&name) {
                errors.push(name, invalid("This parameter stands twice."));
                continue;
            }
            match (name.as_str(), value.as_str()) {
                ("max", value) => match value.trim().parse::<u64>() {
                    Ok(number @ 1..=MAX_MANY) => max = Some(number),
                    _ => errors.push("max", invalid(format!("Give a number from 1 to {MAX_MANY}."))),
                },
                ("all", "true" | "1") => query.all = true,
                ("dry_run", "true" | "1") => query.dry_run = true,
                ("all" | "dry_run", "false" | "0") => {}
                ("all" | "dry_run", _) => {
                    let message = format!("This is true or false. A field of this name is filtered by {name}__exact.");
                    errors.push(name.clone(), invalid(message));
                }
                (
                    "page" | "page_size" | "limit" | "offset" | "cursor" | "facets" | "explain" | "count" | "left_join"
                    | "expand" | "fields" | "ordering",
                    _,
                ) => errors.push(name.clone(), unknown_parameter()),
                _ => rest.push((name.clone(), value)),
            }
            if is_own {
                seen.push(name);
            }
        }
        match ListQuery::from_pairs(rest) {
            Ok(records) => query.records = ListQuery { is_strict: true, ..records },
            Err(wrong) => errors.append(wrong),
        }
        if !query.records.search.is_empty() && search_terms(&query.records.search).is_empty() {
            errors.push("search", invalid("There is no word in this."));
        }
        query.max = max.unwrap_or(0);
        errors.or(query)
    }

    fn to_pairs(&self) -> Pairs {
        let mut pairs = self.records.to_pairs();
        let mut push = |name: &str, value: String| pairs.push((name.to_owned(), value));
        if self.max > 0 {
            push("max", self.max.to_string());
        }
        for (name, is_so) in [("all", self.all), ("dry_run", self.dry_run)] {
            if is_so {
                push(name, "true".to_owned());
            }
        }
        pairs
    }
}

impl ManyQuery {
    /// Checks the query against the collection that it is for: every field that it names must be there, and something has to say which records
    /// are meant, and how many these may be.
    pub fn check(&self, collection: &Collection) -> Result<(), FieldErrors> {
        let mut errors = self.records.check(collection).err().unwrap_or_default();
        if self.records.narrows() == self.all {
            let message = if self.all {
                "all=true means all records, so a condition has no place beside it."
            } else {
                "Say which records: by a filter, or all=true for all."
            };
            errors.push(NON_FIELD, invalid(message));
        }
        if self.max == 0 {
            errors.push("max", required());
        }
        errors.or(())
    }
}

/// What was done to many records, or would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Many {
    /// How many records the conditions find.
    pub count: u64,
    /// What is done to how many, by collection, as far as the caller may view it: `update`, and `delete`, with what goes along. A record that
    /// says already what it would be changed to is left alone.
    pub counts: Vec<Counted>,
    /// Nothing was done.
    pub dry_run: bool,
}

impl JsonAnswer for Many {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::{decode, encode};

    #[test]
    fn a_query_reads_back_as_it_was_written() {
        for raw in ["price__gte=3&filter=vegan+%3D+true&search=a&max=20&dry_run=true", "max=1&all=true"] {
            assert_eq!(encode(&ManyQuery::from_pairs(decode(raw)).unwrap().to_pairs()), raw);
        }
    }

    #[test]
    fn fewer_conditions_than_were_sent_are_never_read() {
        for (bad, place) in [
            ("max=0&price=3", "max"),
            ("max=10001&price=3", "max"),
            ("max=&price=3", "max"),
            ("max=1&max=2&price=3", "max"),
            ("max=10&price=", "price"),
            ("max=10&price=%20", "price"),
            ("max=10&title__exact=", "title__exact"),
            ("max=10&id__in=,", "id__in"),
            ("max=10&id__in=,%20,", "id__in"),
            ("max=10&search=", "search"),
            ("max=10&filter=%20", "filter"),
            ("max=10&price=3&page=1", "page"),
            ("max=10&price=3&limit=1", "limit"),
            ("max=10&price=3&ordering=price", "ordering"),
            ("max=10&price=3&dry_run=maybe", "dry_run"),
            ("max=10&price=3&dry_run=", "dry_run"),
        ] {
            let errors = ManyQuery::from_pairs(decode(bad)).unwrap_err();
            assert!(errors.0.contains_key(place), "{bad}: {errors:?}");
        }
    }
}
