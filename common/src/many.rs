//! Changing or deleting all records that a filter finds.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    answer::JsonAnswer,
    call_error::CallError,
    change::Verb,
    collection::Collection,
    field::{Field, FieldType},
    form::Input,
    problem::{FieldErrors, NON_FIELD},
    query::{ListQuery, Pairs, Query, search_terms, unknown_parameter},
    reader::{invalid, required},
    record::Record,
    text::label,
    undo::Counted,
};

/// Records that one request changes or deletes at most.
pub const MAX_MANY: u64 = 10_000;
/// What is said at most of a refusal.
const TOLD: usize = 5;

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
                    "page" | "page_size" | "limit" | "offset" | "cursor" | "facets" | "explain" | "highlight" | "named"
                    | "count" | "left_join" | "expand" | "fields" | "ordering",
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

impl Many {
    /// How many of the records that the conditions find something is done to; what goes along with them is not counted.
    pub fn own(&self) -> u64 {
        let counts = self.counts.iter().filter(|counted| matches!(counted.action, Verb::Update | Verb::Delete));
        counts.map(|counted| counted.count).sum::<u64>().min(self.count)
    }
}

fn has_several(kind: &FieldType) -> bool {
    matches!(kind, FieldType::Choice { many: true, .. } | FieldType::Reference { many: true, .. })
}

/// Whether a field of many records can be emptied.
pub fn can_be_emptied(field: &Field) -> bool {
    field.nullable || field.kind.is_textual() || has_several(&field.kind)
}

/// What is sent to change a field of many records to what an input holds, or to empty it; `None` where it holds no value. An input that nobody
/// typed in is no wish to empty the field.
pub fn change(input: &Input, is_emptied: bool) -> Option<Record> {
    let value = match (is_emptied, &input.field) {
        (true, field) if field.nullable => Value::Null.into(),
        (true, field) if has_several(&field.kind) => json!([]).into(),
        (true, _) => Value::String(String::new()).into(),
        (false, _) if input.text.is_empty() => return None,
        (false, _) => input.value().ok()?,
    };
    let mut record = Record::default();
    record.set(input.name(), value);
    Some(record)
}

/// What is wrong with what was asked of many records, or with a file: the first few things that the server said.
pub fn refusal(error: &CallError) -> Vec<String> {
    let errors = error.problem().map(|problem| &problem.errors.0);
    let errors = errors.iter().flat_map(|errors| errors.iter());
    let lines = errors.flat_map(|(name, errors)| {
        errors.iter().map(move |error| {
            if name == NON_FIELD { error.message.clone() } else { format!("{}: {}", label(name), error.message) }
        })
    });
    let lines: Vec<String> = lines.take(TOLD).collect();
    if lines.is_empty() { vec![error.to_string()] } else { lines }
}

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
    fn a_field_is_changed_to_what_is_typed_and_emptied_only_when_that_is_said() {
        let input =
            |field: Value, text: &str| Input::new(serde_json::from_value::<Field>(field).unwrap(), text.to_owned());
        let body = |input: &Input, is_emptied| change(input, is_emptied).map(|body| json!(body));
        let price = json!({"name": "price", "type": "integer", "nullable": true});
        assert_eq!(body(&input(price.clone(), "3"), false), Some(json!({"price": 3})));
        assert_eq!(body(&input(price.clone(), ""), false), None);
        assert_eq!(body(&input(price.clone(), "x"), false), None);
        assert_eq!(body(&input(price, "3"), true), Some(json!({"price": null})));
        let note = json!({"name": "note", "type": "text"});
        assert_eq!(body(&input(note, "a"), true), Some(json!({"note": ""})));
        let tags = json!({"name": "tags", "type": "choice", "choices": ["a", "b"], "many": true});
        assert_eq!(body(&input(tags.clone(), "a\nb"), false), Some(json!({"tags": ["a", "b"]})));
        assert_eq!(body(&input(tags.clone(), "a"), true), Some(json!({"tags": []})));
        assert!(can_be_emptied(&input(tags, "").field));
        assert!(!can_be_emptied(&input(json!({"name": "n", "type": "integer"}), "").field));
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
