//! Filters over parsed records: what a list's parameters say, asked of every record.

use std::{collections::BTreeSet, sync::Arc};

use base::fold::{fold, without_accents};
use common::{
    access::Caller,
    collection::Collection,
    condition::{self, ConditionError, Operator},
    field::Field,
    problem::{FieldError, FieldErrors},
    query::{Filter, ListQuery, Lookup, Named, search_terms, unknown_parameter},
    reader::invalid,
    record::Record,
};
use serde_json::Value;
use store::Snapshot;

use super::{condition::Condition, expand::Expansion, path::Path, referred::Referred, regex::Spent, sort::SortKeys};
use crate::domain::{
    core::Core,
    deadline::Deadline,
    error::{Error, Result},
    schema::Schema,
    search,
};

/// Conditions put together.
pub(crate) enum Node {
    /// All hold.
    All(Vec<Node>),
    /// At least one holds.
    Any(Vec<Node>),
    /// The other does not hold.
    Not(Box<Node>),
    /// This holds.
    Is(Box<Condition>),
}

impl Node {
    /// Whether it holds.
    pub(crate) fn holds(&self, record: &Record, referred: &Referred, spent: &Spent) -> bool {
        match self {
            Self::All(nodes) => nodes.iter().all(|node| node.holds(record, referred, spent)),
            Self::Any(nodes) => nodes.iter().any(|node| node.holds(record, referred, spent)),
            Self::Not(node) => !node.holds(record, referred, spent),
            Self::Is(condition) => condition.holds(record, referred, spent),
        }
    }

    /// A condition on rows whose columns are what `find` says.
    pub(crate) fn of_columns(
        asked: &Asked,
        condition: &condition::Condition,
        find: impl Fn(&str) -> Option<Field>,
    ) -> Typed<Self> {
        let path = |comparison: &condition::Comparison| {
            let (member, field) = (comparison.path.clone(), find(&comparison.path)?);
            Some(Path { steps: Vec::new(), member, field, part: None, bound: None, ids: None })
        };
        let mut paths = condition.comparisons().into_iter().map(path);
        asked.node(condition, &mut paths)
    }

    /// Adds the conditions in it.
    fn leaves<'a>(&'a self, found: &mut Vec<&'a Condition>) {
        match self {
            Self::All(nodes) | Self::Any(nodes) => nodes.iter().for_each(|node| node.leaves(found)),
            Self::Not(node) => node.leaves(found),
            Self::Is(condition) => found.push(condition),
        }
    }

    /// The conditions in it.
    pub(crate) fn conditions(&self) -> Vec<&Condition> {
        let mut found = Vec::new();
        self.leaves(&mut found);
        found
    }

    /// Whether it asks for nothing but the record's own members.
    fn is_own(&self) -> bool {
        match self {
            Self::All(nodes) | Self::Any(nodes) => nodes.iter().all(Self::is_own),
            Self::Not(node) => node.is_own(),
            Self::Is(condition) => condition.path.is_own(),
        }
    }
}

/// The names that a query's conditions begin with, in their order.
fn names(query: &ListQuery) -> Vec<&str> {
    let filters = query.filters.iter().map(|filter| filter.field.as_str());
    let comparisons = query.filter.iter().flat_map(condition::Condition::comparisons);
    filters.chain(comparisons.map(|comparison| comparison.path.as_str())).collect()
}

/// What is wrong with a query of a list that is not asked now.
pub(in crate::domain) async fn check_list(
    core: &Core,
    snapshot: &Snapshot,
    caller: &Caller,
    schema: &Arc<Schema>,
    query: &ListQuery,
) -> Result<()> {
    check(core, snapshot, caller, schema, query, query.check(&schema.collection)).await
}

/// What is wrong with a query: what `checked` says of it as far as the collection tells, and what it says of other records. All of it is told
/// at once.
pub(super) async fn check(
    core: &Core,
    snapshot: &Snapshot,
    caller: &Caller,
    schema: &Arc<Schema>,
    query: &ListQuery,
    checked: std::result::Result<(), FieldErrors>,
) -> Result<()> {
    let leads_on = |name: &str| matches!(Named::find(&schema.collection, name), Some(Named::Reference { .. }));
    let empty = query.empty.iter().map(|filter| filter.field.as_str());
    let ordering = query.ordering.iter().map(|key| key.field.as_str());
    if checked.is_ok() && !names(query).into_iter().chain(empty).chain(ordering).any(leads_on) {
        return Ok(());
    }
    let mut errors = checked.err().unwrap_or_default();
    for filter in query.empty.iter().filter(|filter| leads_on(&filter.field) && !query.ignores_unknown) {
        if Path::find(core, snapshot, caller, schema, &filter.field).await?.is_none() {
            errors.push(filter.parameter(), unknown_parameter());
        }
    }
    // Of these more is known here.
    let filters = query.filters.iter().map(Filter::parameter);
    for parameter in filters.chain(["filter".to_owned(), "ordering".to_owned()]) {
        errors.0.remove(&parameter);
    }
    for outcome in [
        Conditions::find(core, snapshot, caller, schema, query).await.map(drop),
        SortKeys::find(core, snapshot, caller, schema, query).await.map(drop),
        Expansion::new(core, snapshot, caller, schema, &query.expand).await.map(drop),
    ] {
        match outcome {
            Ok(()) => {}
            Err(Error::Invalid(more)) => errors.append(more),
            Err(error) => return Err(error),
        }
    }
    Ok(errors.or(())?)
}

/// A condition that could be typed.
type Typed<T> = std::result::Result<T, ConditionError>;

/// Who asks, and when.
#[derive(Default)]
pub struct Asked {
    me: String,
    now: String,
}

impl Asked {
    /// A caller, now.
    pub fn new(core: &Core, caller: &Caller) -> Self {
        Self { me: caller.user_id().map_or_else(String::new, |id| id.to_string()), now: core.timestamp() }
    }

    /// A condition, typed. `paths` are those of its comparisons, in order.
    fn node(&self, condition: &condition::Condition, paths: &mut impl Iterator<Item = Option<Path>>) -> Typed<Node> {
        use condition::Condition::{All, Any, Is, Not};
        let mut nodes =
            |parts: &[condition::Condition]| parts.iter().map(|part| self.node(part, paths)).collect::<Typed<_>>();
        let comparison = match condition {
            All(parts) => return Ok(Node::All(nodes(parts)?)),
            Any(parts) => return Ok(Node::Any(nodes(parts)?)),
            Not(part) => return Ok(Node::Not(Box::new(self.node(part, paths)?))),
            Is(comparison) => comparison,
        };
        let path = there(comparison, paths.next().flatten())?;
        let is = |path, filter: &Filter| {
            let mut condition = Condition::new(path, filter).map_err(|error| comparison.fault(&error.message))?;
            "filter".clone_into(&mut condition.parameter);
            Ok(Node::Is(Box::new(condition)))
        };
        let filter = comparison.filter(&self.me, condition::now_of(&path.field, &self.now));
        if comparison.operator != Operator::Differs {
            return is(path, &filter);
        }
        // A comparison with null does not hold.
        let null = Filter { lookup: Lookup::Isnull, value: "false".to_owned(), ..filter.clone() };
        Ok(Node::All(vec![is(path.clone(), &null)?, Node::Not(Box::new(is(path, &filter)?))]))
    }

    /// Every comparison of a condition that could not be typed.
    fn faults(&self, condition: &condition::Condition, paths: Vec<Option<Path>>) -> Vec<ConditionError> {
        let fault = |(comparison, path): (&condition::Comparison, _)| {
            let typed = there(comparison, path).and_then(|path| {
                let filter = comparison.filter(&self.me, condition::now_of(&path.field, &self.now));
                let typed = Condition::new(path, &filter);
                typed.map_err(|error| comparison.fault(&error.message))
            });
            typed.err()
        };
        condition.comparisons().into_iter().zip(paths).filter_map(fault).collect()
    }
}

/// What a comparison is of, if that is there.
fn there(comparison: &condition::Comparison, path: Option<Path>) -> Typed<Path> {
    path.filter(|path| path.bound.is_none()).ok_or_else(|| comparison.fault("There is no field of this name."))
}

/// What is looked for in the texts that an index has the words of.
pub(crate) struct WordSearch {
    /// What words must begin with.
    pub words: Vec<String>,
    /// The fields.
    pub fields: Vec<String>,
}

impl WordSearch {
    /// The one of a query; `None` where there is no index of words, or the query asks for none.
    pub(super) fn of(schema: &Schema, query: &ListQuery) -> Option<Self> {
        let words = search::sought(&query.search);
        if words.is_empty() || schema.keys.words_index().is_none() {
            return None;
        }
        let fields = schema.collection.fields.iter().filter(|field| field.searchable);
        Some(Self { words, fields: fields.map(|field| field.name.to_string()).collect() })
    }
}

/// The words and phrases of a query's search, as they are looked for in texts that have no index of words.
pub(super) fn terms(query: &ListQuery) -> Vec<String> {
    let compared = |word: &String| {
        let word = fold(word);
        if query.ignores_accents { without_accents(&word).into_owned() } else { word }
    };
    search_terms(&query.search).iter().map(compared).collect()
}

/// What a record must be to be listed.
pub(crate) struct Conditions {
    /// All must hold.
    pub all: Vec<Node>,
    /// Words and phrases that must all occur in texts, folded.
    words: Vec<String>,
    /// Words that the searched texts must have, where the collection has an index of them.
    sought: Option<WordSearch>,
    /// Words are looked for without their accents.
    ignores_accents: bool,
    /// On patterns.
    spent: Spent,
}

impl Conditions {
    /// Types a checked query's filters over a collection's own members.
    pub(crate) fn new(asked: &Asked, collection: &Collection, query: &ListQuery) -> Result<Self> {
        let paths = names(query).into_iter().map(|name| Path::own(collection, name)).collect();
        Self::typed(asked, paths, query)
    }

    /// Types a query's filters, over members of other records too.
    pub(crate) async fn find(
        core: &Core,
        snapshot: &Snapshot,
        caller: &Caller,
        schema: &Arc<Schema>,
        query: &ListQuery,
    ) -> Result<Self> {
        let paths = Path::find_all(core, snapshot, caller, schema, names(query).into_iter()).await?;
        // Only conditions in words can say who asks and when.
        let asked = query.filter.as_ref().map_or_else(Asked::default, |_| Asked::new(core, caller));
        let mut typed = Self::typed(&asked, paths, query)?;
        typed.sought = WordSearch::of(schema, query);
        if typed.sought.is_some() {
            typed.words = Vec::new();
        }
        Ok(typed)
    }

    fn typed(asked: &Asked, paths: Vec<Option<Path>>, query: &ListQuery) -> Result<Self> {
        let mut paths = paths.into_iter();
        let mut all: Vec<Condition> = Vec::with_capacity(query.filters.len());
        let mut errors = FieldErrors::new();
        for (filter, path) in query.filters.iter().zip(paths.by_ref()) {
            let Some(path) = path else {
                if !query.ignores_unknown {
                    errors.push(filter.parameter(), unknown_parameter());
                }
                continue;
            };
            if filter.is_either(&path.field) && !query.is_strict {
                continue;
            }
            if path.bound.is_some() && all.iter().any(|known| known.parameter == filter.parameter()) {
                errors.push(filter.parameter(), invalid("This parameter stands twice."));
                continue;
            }
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
        let mut all: Vec<Node> = all.into_iter().map(|condition| Node::Is(Box::new(condition))).collect();
        if let Some(condition) = &query.filter {
            let rest: Vec<_> = paths.collect();
            match asked.node(condition, &mut rest.iter().cloned()) {
                Ok(Node::All(nodes)) => all.extend(nodes),
                Ok(node) => all.push(node),
                Err(_) => {
                    for fault in asked.faults(condition, rest) {
                        errors.push("filter", invalid(fault.to_string()));
                    }
                }
            }
        }
        errors.or(())?;
        let (words, ignores_accents) = (terms(query), query.ignores_accents);
        Ok(Self { all, words, sought: None, ignores_accents, spent: Spent::default() })
    }

    /// What was spent on patterns so far does not count: another record comes.
    pub(crate) fn begin_anew(&self) {
        self.spent.begin_anew();
    }

    /// Everything is listed.
    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty() && !self.has_search()
    }

    /// Whether words are looked for.
    pub(crate) fn has_search(&self) -> bool {
        !self.words.is_empty() || self.sought.is_some()
    }

    /// What is looked for in the texts that an index has the words of, and whether without accents.
    pub(crate) fn sought(&self) -> Option<(&WordSearch, bool)> {
        self.sought.as_ref().map(|sought| (sought, self.ignores_accents))
    }

    /// The words were found; they need not be looked for.
    pub(crate) fn found_words(&mut self) {
        self.sought = None;
    }

    fn conditions(&self) -> Vec<&Condition> {
        self.all.iter().flat_map(Node::conditions).collect()
    }

    /// What is compared.
    pub(crate) fn paths(&self) -> Vec<&Path> {
        self.conditions().into_iter().map(|condition| &condition.path).collect()
    }

    /// The members of a record that are looked at; `None` for all.
    pub(crate) fn members(&self) -> Option<BTreeSet<&str>> {
        let searched = self.sought.iter().flat_map(|sought| &sought.fields).map(String::as_str);
        self.words.is_empty().then(|| self.paths().into_iter().map(Path::begins_at).chain(searched).collect())
    }

    /// Whether all conditions hold that ask for the record's own members.
    pub(crate) fn hold(&self, collection: &Collection, record: &Record) -> bool {
        let nothing = Referred::default();
        let mut own = self.all.iter().filter(|node| node.is_own());
        own.all(|node| node.holds(record, &nothing, &self.spent)) && self.has_words(collection, record)
    }

    /// Whether all conditions hold that ask for members of records that the record refers to, or for the name of its owner.
    pub(crate) fn hold_for_referred(&self, record: &Record, referred: &Referred) -> bool {
        let mut others = self.all.iter().filter(|node| !node.is_own());
        others.all(|node| node.holds(record, referred, &self.spent))
    }

    /// Lets others have the thread where patterns took long; an error where they took longer than one request may spend on them.
    pub(crate) async fn rest(&self, deadline: &Deadline) -> Result<()> {
        if self.spent.is_over() {
            let mut errors = FieldErrors::new();
            for condition in self.conditions().into_iter().filter(|condition| condition.is_pattern()) {
                let message = "Looking for this pattern takes too long here. Narrow the list by other filters, or use a simpler pattern.";
                errors.push(condition.parameter.clone(), FieldError::new("too_much", message));
            }
            return Err(errors.into());
        }
        self.spent.rest(deadline).await
    }

    fn has_words(&self, collection: &Collection, record: &Record) -> bool {
        if let Some(sought) = &self.sought {
            return search::has_all(collection, record, &sought.words, self.ignores_accents);
        }
        if self.words.is_empty() {
            return true;
        }
        let mut text = String::new();
        for field in collection.fields.iter().filter(|field| field.kind.is_searched()) {
            let value = record.get(field.name.as_str());
            let several = value.and_then(Value::as_array).into_iter().flatten();
            for value in value.into_iter().chain(several).filter_map(Value::as_str) {
                text.push_str(&fold(value));
                // No text has it, so that no phrase is found across two.
                text.push('\0');
            }
        }
        let text = if self.ignores_accents { without_accents(&text) } else { text.into() };
        self.words.iter().all(|word| text.contains(word.as_str()))
    }
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
        let conditions = Conditions::new(&Asked::default(), &collection, &query).unwrap();
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
        Conditions::new(&Asked::default(), &collection, &query).unwrap().hold(&collection, &record)
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
