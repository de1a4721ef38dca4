//! Filters over parsed records: what a list's parameters say, typed once and asked of every record.

use std::{cmp::Ordering, sync::Arc};

use ::regex::Regex;
use base::fold::{fold, nfc, without_accents};
use common::{
    access::Caller,
    collection::Collection,
    field::{Field, FieldType},
    problem::{FieldError, FieldErrors},
    query::{Filter, ListQuery, Lookup, filter_values, unknown_parameter},
    record::{Member, Record},
    validate::parse_decimal,
};
use serde_json::Value;
use store::Snapshot;

use super::{
    path::Path,
    referred::Referred,
    regex::{self, Spent},
};
use crate::domain::{core::Core, deadline::Deadline, error::Result, schema::Schema};

/// One typed condition.
pub(crate) struct Condition {
    /// What is compared.
    pub path: Path,
    /// How it compares.
    pub lookup: Lookup,
    /// What it compares with; one of them, where [`Lookup::means_either`].
    pub values: Vec<Value>,
    /// The values as texts are compared: folded where case does not count, in Normalization Form C otherwise.
    texts: Vec<String>,
    /// What is looked for, where it is patterns.
    patterns: Vec<Regex>,
    /// The query's parameter.
    parameter: String,
}

/// What a record must be to be listed.
pub(crate) struct Conditions {
    /// All must hold.
    pub all: Vec<Condition>,
    /// Words that must all occur, folded.
    words: Vec<String>,
    /// Words are looked for without their accents.
    ignores_accents: bool,
    /// On patterns.
    spent: Spent,
}

impl Conditions {
    /// Types a checked query's filters over a collection's own members.
    pub(crate) fn new(collection: &Collection, query: &ListQuery) -> Result<Self> {
        let paths = query.filters.iter().map(|filter| Path::own(collection, &filter.field)).collect();
        Self::typed(paths, query)
    }

    /// Types a query's filters, over members of other records too.
    pub(crate) async fn find(
        core: &Core,
        snapshot: &Snapshot,
        caller: &Caller,
        schema: &Arc<Schema>,
        query: &ListQuery,
    ) -> Result<Self> {
        let mut paths = Vec::with_capacity(query.filters.len());
        for filter in &query.filters {
            paths.push(Path::find(core, snapshot, caller, schema, &filter.field).await?);
        }
        Self::typed(paths, query)
    }

    fn typed(paths: Vec<Option<Path>>, query: &ListQuery) -> Result<Self> {
        let mut all: Vec<Condition> = Vec::with_capacity(query.filters.len());
        let mut errors = FieldErrors::new();
        for (filter, path) in query.filters.iter().zip(paths) {
            let Some(path) = path else {
                if !query.ignores_unknown {
                    errors.push(filter.parameter(), unknown_parameter());
                }
                continue;
            };
            // A parameter that is repeated, as clients send lists.
            let is_other = |known: &&mut Condition| known.parameter == filter.parameter();
            let other = all.iter_mut().find(is_other).filter(|_| filter.lookup.means_either());
            match Condition::new(path, filter) {
                Ok(condition) => match other {
                    Some(other) => other.extend(condition),
                    None => all.push(condition),
                },
                Err(error) => errors.push(filter.parameter(), error),
            }
        }
        errors.or(())?;
        let ignores_accents = query.ignores_accents;
        let compared = |word: &str| {
            let word = fold(word);
            if ignores_accents { without_accents(&word).into_owned() } else { word }
        };
        let words = query.search.split_whitespace().map(compared).collect();
        Ok(Self { all, words, ignores_accents, spent: Spent::default() })
    }

    /// Everything is listed.
    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty() && self.words.is_empty()
    }

    /// The condition, where there is one and nothing else.
    pub(crate) fn only(&self) -> Option<&Condition> {
        match self.all.as_slice() {
            [condition] if self.words.is_empty() => Some(condition),
            _ => None,
        }
    }

    /// What is compared.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> + Clone {
        self.all.iter().map(|condition| &condition.path)
    }

    /// Whether all conditions hold that ask for the record's own members.
    pub(crate) fn hold(&self, collection: &Collection, record: &Record) -> bool {
        let nothing = Referred::default();
        let mut own = self.all.iter().filter(|condition| condition.path.steps.is_empty());
        own.all(|condition| condition.holds(record, &nothing, &self.spent)) && self.has_words(collection, record)
    }

    /// Whether all conditions hold that ask for members of records that the record refers to.
    pub(crate) fn hold_for_referred(&self, record: &Record, referred: &Referred) -> bool {
        let mut others = self.all.iter().filter(|condition| !condition.path.steps.is_empty());
        others.all(|condition| condition.holds(record, referred, &self.spent))
    }

    /// Lets others have the thread where patterns took long; an error where they took longer than one request may spend on them.
    pub(crate) async fn rest(&self, deadline: &Deadline) -> Result<()> {
        if self.spent.is_over() {
            let names = self.all.iter().filter(|condition| !condition.patterns.is_empty());
            let mut errors = FieldErrors::new();
            for condition in names {
                let message = "Looking for this pattern takes too long here. Narrow the list by other filters, or use a simpler pattern.";
                errors.push(condition.parameter.clone(), FieldError::new("too_much", message));
            }
            return Err(errors.into());
        }
        self.spent.rest(deadline).await
    }

    fn has_words(&self, collection: &Collection, record: &Record) -> bool {
        if self.words.is_empty() {
            return true;
        }
        let mut text = String::new();
        for field in &collection.fields {
            match record.member(field.name.as_str()) {
                Some(Member { value: Value::Null, .. }) | None => {}
                Some(Member { value: Value::String(value), .. }) => text.push_str(&fold(value)),
                Some(Member { text: Some(json), .. }) => text.push_str(&fold(json)),
                Some(Member { value, .. }) => text.push_str(&fold(&value.to_string())),
            }
            text.push('\n');
        }
        let text = if self.ignores_accents { without_accents(&text) } else { text.into() };
        self.words.iter().all(|word| text.contains(word.as_str()))
    }
}

impl Condition {
    fn new(path: Path, filter: &Filter) -> std::result::Result<Self, FieldError> {
        let values = filter_values(&path.field, filter)?;
        let patterns = match filter.lookup {
            Lookup::Regex => vec![regex::compile(&filter.value, false)?],
            Lookup::Iregex => vec![regex::compile(&filter.value, true)?],
            _ => Vec::new(),
        };
        let texts = match filter.lookup {
            lookup if ignores_case(lookup) => vec![fold(&filter.value)],
            _ => vec![nfc(&filter.value).into_owned()],
        };
        Ok(Self { path, lookup: filter.lookup, values, texts, patterns, parameter: filter.parameter() })
    }

    /// Takes what another asks for too: one of both.
    fn extend(&mut self, other: Self) {
        self.values.extend(other.values);
        self.texts.extend(other.texts);
        self.patterns.extend(other.patterns);
    }

    fn holds(&self, record: &Record, referred: &Referred, spent: &Spent) -> bool {
        let value = self.path.value(record, referred);
        let value = value.as_ref();
        if self.lookup == Lookup::Isnull {
            return Value::Bool(value.is_null()) == self.values[0];
        }
        let compare = |with: &Value| compare(&self.path.field, value, with);
        let first = &self.values[0];
        match self.lookup {
            Lookup::Ne => !self.equals(value, first),
            Lookup::Exact | Lookup::In => self.values.iter().any(|with| self.equals(value, with)),
            _ if value.is_null() => false,
            Lookup::Gt => compare(first).is_gt(),
            Lookup::Gte => compare(first).is_ge(),
            Lookup::Lt => compare(first).is_lt(),
            Lookup::Lte => compare(first).is_le(),
            Lookup::Range => compare(first).is_ge() && compare(&self.values[1]).is_le(),
            _ => value.as_str().is_some_and(|text| self.has_text(text, spent)),
        }
    }

    /// Whether a textual lookup finds one of its texts.
    fn has_text(&self, text: &str, spent: &Spent) -> bool {
        if !self.patterns.is_empty() {
            return self.patterns.iter().any(|pattern| spent.is_match(pattern, text));
        }
        let exact = nfc(text);
        let finds = |text: &str, with: &str| match self.lookup {
            Lookup::Contains | Lookup::Icontains => text.contains(with),
            Lookup::Startswith | Lookup::Istartswith => text.starts_with(with),
            Lookup::Endswith => text.ends_with(with),
            _ => text == with,
        };
        if !ignores_case(self.lookup) {
            return self.texts.iter().any(|with| finds(&exact, with));
        }
        let folded = fold(&exact);
        // What is found with case is found without, also where a part of a letter (of a ligature) folds to another beginning.
        self.texts.iter().any(|with| finds(&folded, with))
            || self.values.iter().filter_map(Value::as_str).any(|with| finds(&exact, &nfc(with)))
    }

    /// A list (several choices) equals a value that is in it.
    fn equals(&self, value: &Value, with: &Value) -> bool {
        match (value, with) {
            (Value::Array(items), Value::Array(wanted))
                if matches!(self.path.field.kind, FieldType::Choice { many: true, .. }) =>
            {
                wanted.iter().all(|item| items.contains(item))
            }
            _ => {
                value == with
                    || (!value.is_null()
                        && self.path.field.kind.indexable()
                        && compare(&self.path.field, value, with).is_eq())
            }
        }
    }
}

fn ignores_case(lookup: Lookup) -> bool {
    matches!(lookup, Lookup::Icontains | Lookup::Istartswith | Lookup::Iexact)
}

/// How two values of a field compare; null comes first. Texts are in the order of their code points in Normalization Form C, as in keys.
pub(crate) fn compare(field: &Field, a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Less,
        (_, Value::Null) => Ordering::Greater,
        (Value::Number(a), Value::Number(b)) => a.as_i64().cmp(&b.as_i64()),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::String(a), Value::String(b)) => match field.kind {
            FieldType::Decimal { .. } => parse_decimal(a).cmp(&parse_decimal(b)),
            FieldType::Datetime => moment(a).cmp(moment(b)),
            FieldType::Date | FieldType::Reference { .. } => a.cmp(b),
            _ => nfc(a).cmp(&nfc(b)),
        },
        _ => a.to_string().cmp(&b.to_string()),
    }
}

/// A moment so that texts compare as moments do, however many decimals an earlier version wrote.
fn moment(text: &str) -> &str {
    let text = text.trim_end_matches('Z');
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

#[cfg(test)]
mod tests {
    use common::query::{Query, decode};
    use serde_json::json;

    use super::*;

    fn matching(query: &str) -> Vec<i64> {
        let collection: Collection = serde_json::from_value(json!({
            "id": "01920000-0000-7000-8000-000000000001", "name": "c", "created_at": "", "updated_at": "", "revision": 1,
            "fields": [{"name": "n", "type": "integer"}, {"name": "t", "type": "text"}, {"name": "d", "type": "decimal"},
                {"name": "at", "type": "datetime"}, {"name": "tags", "type": "choice", "choices": ["a", "b"], "many": true}],
            "access": {"list": [], "view": [], "create": [], "update": [], "delete": []}
        }))
        .unwrap();
        let query = ListQuery::from_pairs(decode(query)).unwrap();
        query.check(&collection).unwrap();
        let conditions = Conditions::new(&collection, &query).unwrap();
        let records = [
            json!({"n": 1, "t": "Sweet corn", "d": "9.50", "at": "2024-01-01T00:00:00Z", "tags": ["a"]}),
            json!({"n": 2, "t": "ÄPFEL", "d": "10.5", "at": "2024-01-01T00:00:00.5Z", "tags": ["a", "b"]}),
            json!({"n": 3, "t": "", "d": null, "at": null, "tags": []}),
        ];
        let records = records.map(|record| serde_json::from_value::<Record>(record).unwrap());
        records
            .iter()
            .filter(|record| conditions.hold(&collection, record))
            .map(|record| record.get("n").unwrap().as_i64().unwrap())
            .collect()
    }

    #[test]
    fn lookups_compare_by_type() {
        assert_eq!(matching("d__gt=9.5"), [2]);
        assert_eq!(matching("d=9.5"), [1]);
        assert_eq!(matching("d__isnull=true"), [3]);
        assert_eq!(matching("at__gt=2024-01-01T00:00:00Z"), [2]);
        assert_eq!(matching("n__range=2,3"), [2, 3]);
        assert_eq!(matching("n__in=1,3"), [1, 3]);
        assert_eq!(matching("n__ne=1"), [2, 3]);
        assert_eq!(matching("t__icontains=äpf"), [2]);
        assert_eq!(matching("t=Sweet+corn"), [1]);
        assert_eq!(matching("t="), [1, 2, 3]);
        assert_eq!(matching("t__exact="), [3]);
        assert_eq!(matching("at=2024-01-01T00:00:00.500Z"), [2]);
        assert_eq!(matching("n=1&n=3"), [1, 3]);
        assert_eq!(matching("n__ne=1&n__ne=3"), [2]);
        assert_eq!(matching("tags=b&tags=a"), [1, 2]);
        assert_eq!(matching("tags=a"), [1, 2]);
        assert_eq!(matching("search=CORN+sweet"), [1]);
    }
    /// Whether a text is found by a lookup and by a search for all of it, and by a filter with exactly what it is.
    fn finds(text: &str, query: &str, ignores_accents: bool) -> bool {
        let collection: Collection = serde_json::from_value(json!({
            "id": "01920000-0000-7000-8000-000000000001", "name": "c", "created_at": "", "updated_at": "", "revision": 1,
            "fields": [{"name": "t", "type": "text"}], "access": {"list": [], "view": [], "create": [], "update": [], "delete": []}
        }))
        .unwrap();
        let query = ListQuery { ignores_accents, ..ListQuery::from_pairs(decode(query)).unwrap() };
        let record = serde_json::from_value(json!({"t": text})).unwrap();
        Conditions::new(&collection, &query).unwrap().hold(&collection, &record)
    }

    #[test]
    fn case_width_and_the_way_of_typing_make_no_difference_where_they_do_not_count() {
        for (text, part) in [
            ("ΑΣΑ", "ΑΣ"),
            ("ΑΣΑ", "ας"),
            ("ΚΏΣΤΑΣ", "κώσ"),
            ("ΚΩΣΤΑΣ", "ΚΩΣ"),
            ("STRASSE", "straß"),
            ("Straße", "STRASSE"),
            ("GROẞ", "groß"),
            ("İstanbul", "İST"),
            ("ﬁnal", "FI"),
            ("ﬁnal", "ﬁ"),
            ("Ａｄｍｉｎ", "admin"),
            ("cafe\u{301}", "CAFÉ"),
            ("café", "cafe\u{301}"),
            ("ǅemal", "ǆ"),
        ] {
            for lookup in ["t__icontains", "t__istartswith", "search"] {
                assert!(finds(text, &format!("{lookup}={part}"), false), "{text} {lookup} {part}");
            }
            for lookup in ["t__icontains", "t__istartswith", "t__iexact", "search", "t", "t__contains"] {
                assert!(finds(text, &format!("{lookup}={text}"), false), "{text} {lookup}");
            }
        }
        assert!(finds("CAFE\u{301}", "t=CAFÉ", false) && finds("CAFÉ", "t__in=x,CAFE\u{301}", false));
        assert!(!finds("CAFÉ", "t=café", false) && !finds("ﬁ", "t=fi", false));
        // With case, as without, a letter with an accent is one letter.
        assert!(!finds("cafe\u{301}", "t__endswith=cafe", false) && !finds("café", "t__iexact=cafe", false));
    }

    #[test]
    fn accents_are_ignored_in_a_search_where_the_operator_says_so() {
        for (text, word) in [("Łódź", "lodz"), ("Lodz", "ŁÓDŹ"), ("crème brûlée", "BRULEE"), ("Ἀθήνα", "αθηνα")]
        {
            assert!(
                !finds(text, &format!("search={word}"), false) && finds(text, &format!("search={word}"), true),
                "{text} {word}"
            );
        }
        assert!(!finds("café", "t__icontains=cafe", true), "filters ask for what they say");
    }
}
