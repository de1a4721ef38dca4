//! The parameters of a list: page, ordering, filters, search, fields and joins.

use std::{collections::BTreeSet, fmt, str::FromStr};

use super::{
    filter::{Filter, Lookup, Named, Read, own_ids, read_filter},
    pairs::{Pairs, Query, no_such_field, too_many, unknown_parameter},
    search::search_terms,
    values::null_characters,
};
use crate::{
    collection::Collection,
    condition::{self, Condition},
    name::CollectionName,
    page::{DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE},
    problem::{FieldError, FieldErrors, NON_FIELD},
    reader::invalid,
};

/// Filters in one query at most.
pub const MAX_FILTERS: usize = 32;
/// Words of one search at most.
pub const MAX_WORDS: usize = 32;
/// Joins in one query at most.
pub const MAX_JOINS: usize = 4;
/// Facets in one query at most.
pub(super) const MAX_FACETS: usize = 8;
/// Expansions in one query at most.
pub const MAX_EXPANSIONS: usize = 8;

/// What stands between a collection and its field that refers to the rows, where those are expanded: `books_via_maker`.
pub const VIA: &str = "_via_";
/// The number of whatever page is the last: `page=last`.
pub const LAST_PAGE: u64 = u64::MAX;
/// Names in `fields` at most: more than a collection has.
pub const MAX_NAMES: usize = 200;

/// The parameters of a list beside its filters.
pub const PARAMETERS: [&str; 16] = [
    "page",
    "page_size",
    "limit",
    "offset",
    "cursor",
    "count",
    "explain",
    "highlight",
    "named",
    "ordering",
    "filter",
    "search",
    "fields",
    "facets",
    "left_join",
    "expand",
];

/// One member that a list is ordered by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderBy {
    /// The field's name, or that of a server member.
    pub field: String,
    /// Largest first.
    pub descending: bool,
}

impl fmt::Display for OrderBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.descending { "-" } else { "" }, self.field)
    }
}

/// `left_join=<collection>:<field>=<its field>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinWith {
    /// The right side; its matching rows stand under this name.
    pub collection: CollectionName,
    /// A field of the left side.
    pub field: String,
    /// The field of the right side that must be equal.
    pub their_field: String,
}

impl FromStr for JoinWith {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        let form = || invalid("Use left_join=<collection>:<field>=<its field>.");
        let (collection, fields) = text.split_once(':').ok_or_else(form)?;
        let (field, their_field) = fields.split_once('=').ok_or_else(form)?;
        let collection = collection.parse().map_err(|_| form())?;
        Ok(Self { collection, field: field.to_owned(), their_field: their_field.to_owned() })
    }
}

impl fmt::Display for JoinWith {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}={}", self.collection, self.field, self.their_field)
    }
}

/// The parameters of a record list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListQuery {
    /// From 1; 0 for what is no number of a page.
    pub page: u64,
    /// Rows on a page, from 1 to [`MAX_PAGE_SIZE`].
    pub page_size: u64,
    /// In place of pages: rows at most, from 1 to [`MAX_PAGE_SIZE`].
    pub limit: Option<u64>,
    /// Rows that `limit` passes over.
    pub offset: u64,
    /// In place of pages: what the server called the place to go on from; empty to begin with.
    pub cursor: Option<String>,
    /// How many rows there are in all is told.
    pub count: bool,
    /// How the rows were found is told too.
    pub explain: bool,
    /// Where the words of a search stand in the rows is told too.
    pub highlight: bool,
    /// What the records are called is told too that the rows refer to, their owners, and the rows themselves.
    pub named: bool,
    /// The ordering, the most significant term first; empty means in the order of creation.
    pub ordering: Vec<OrderBy>,
    /// All must hold; of those that are alike in field and lookup one, where [`Lookup::means_either`].
    pub filters: Vec<Filter>,
    /// What has to hold beside the filters: `filter=price < 3 or kind = "sweet"`.
    pub filter: Option<Condition>,
    /// Filters whose value is empty. They ask for nothing, but name fields that must be there.
    pub empty: Vec<Filter>,
    /// What names no field is left out, and not refused.
    pub ignores_unknown: bool,
    /// It says which records are changed: a condition that asks for nothing is refused.
    pub is_strict: bool,
    /// Words are looked for without their accents. No parameter says so: the server's operator does.
    pub ignores_accents: bool,
    /// Words that must all occur in the record's text, whatever their case.
    pub search: String,
    /// The members to send; empty means all.
    pub fields: Vec<String>,
    /// Fields of whose values it is told how many rows have each.
    pub facets: Vec<String>,
    /// What to join.
    pub left_join: Vec<JoinWith>,
    /// References to replace by the records that they refer to, and what refers to the rows: `maker`, `maker.country`,
    /// `books_via_maker`.
    pub expand: Vec<String>,
}

impl Default for ListQuery {
    fn default() -> Self {
        Self {
            page: 1,
            page_size: DEFAULT_PAGE_SIZE,
            explain: false,
            highlight: false,
            named: false,
            ordering: Vec::new(),
            filters: Vec::new(),
            filter: None,
            empty: Vec::new(),
            ignores_unknown: false,
            is_strict: false,
            ignores_accents: false,
            search: String::new(),
            fields: Vec::new(),
            facets: Vec::new(),
            left_join: Vec::new(),
            limit: None,
            offset: 0,
            cursor: None,
            count: true,
            expand: Vec::new(),
        }
    }
}

pub(super) fn comma_separated(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(str::trim).filter(|part| !part.is_empty())
}

impl Query for ListQuery {
    fn from_pairs(pairs: Pairs) -> Result<Self, FieldErrors> {
        let mut query = Self::default();
        let mut errors = FieldErrors::new();
        let mut seen = BTreeSet::new();
        let last = |name: &str, i: usize| !pairs[i + 1..].iter().any(|(other, _)| other == name);
        let pairs_in_order = pairs.iter().enumerate().filter(|(i, (name, _))| !counts_last(name) || last(name, *i));
        for (name, value) in pairs_in_order.map(|(_, pair)| pair.clone()) {
            let once = is_parameter(&name) && name != "left_join";
            if once && !seen.insert(name.clone()) {
                errors.push(name, invalid("This parameter stands twice."));
                continue;
            }
            match name.as_str() {
                "count" | "explain" | "highlight" | "named" if value.is_empty() => {}
                "count" | "explain" | "highlight" | "named" => match flag(&name, &value) {
                    Ok(flag) if name == "count" => query.count = flag,
                    Ok(flag) if name == "explain" => query.explain = flag,
                    Ok(flag) if name == "named" => query.named = flag,
                    Ok(flag) => query.highlight = flag,
                    Err(error) => errors.push(name, error),
                },
                "page" | "limit" | "offset" | "filter" if value.trim().is_empty() => {}
                "page" if value == "last" => query.page = LAST_PAGE,
                "page" => query.page = number(&value).unwrap_or(0).min(LAST_PAGE - 1),
                // What is no number of rows asks for as many as there are without it, as in Django REST Framework.
                "page_size" => query.page_size = rows(&value).unwrap_or(DEFAULT_PAGE_SIZE),
                "limit" => query.limit = Some(rows(&value).unwrap_or(DEFAULT_PAGE_SIZE)),
                "offset" => {
                    query.offset = number(&value).unwrap_or(0);
                    query.limit = query.limit.or(Some(DEFAULT_PAGE_SIZE));
                }
                "cursor" => query.cursor = Some(value),
                "ordering" => {
                    let ordering = comma_separated(&value).map(|member| match member.strip_prefix('-') {
                        Some(field) => OrderBy { field: field.to_owned(), descending: true },
                        None => OrderBy { field: member.to_owned(), descending: false },
                    });
                    query.ordering = ordering.collect();
                }
                "filter" => match condition::parse(&value) {
                    Ok(condition) => query.filter = Some(condition),
                    Err(error) => errors.push(name, invalid(error.to_string())),
                },
                "search" if value.contains('\0') => errors.push(name, null_characters()),
                "search" => query.search = value,
                "fields" => query.fields = comma_separated(&value).map(str::to_owned).collect(),
                "expand" => query.expand = comma_separated(&value).map(str::to_owned).collect(),
                "facets" => {
                    query.facets = comma_separated(&value).map(|name| name.replace('.', "__")).collect();
                }
                "left_join" => match value.parse() {
                    Ok(join) => query.left_join.push(join),
                    Err(error) => errors.push(name, error),
                },
                _ => match read_filter(&name, &value) {
                    Read::Condition(filter) => {
                        let other = |known: &Filter| (&known.field, known.lookup) == (&filter.field, filter.lookup);
                        let is_bound = !filter.lookup.means_either() && filter.lookup != Lookup::Ne;
                        if is_bound && query.filters.iter().any(other) {
                            errors.push(name, invalid("This parameter stands twice."));
                        } else {
                            query.filters.push(filter);
                        }
                    }
                    Read::Empty(filter) => query.empty.push(filter),
                },
            }
        }
        // Many clients call the size of a page `limit`.
        if seen.contains("page") && !seen.contains("offset") && !seen.contains("page_size") {
            query.page_size = query.limit.take().unwrap_or(query.page_size);
        }
        for (name, is_said, others) in [
            ("limit", query.limit.is_some(), ["page", "page_size"]),
            ("cursor", query.cursor.is_some(), ["page", "limit"]),
        ] {
            if is_said && others.iter().any(|other| seen.contains(*other)) {
                errors.push(name, invalid("Use page and page_size, or limit and offset, or cursor and page_size."));
            }
        }
        for (name, count, most) in [
            (NON_FIELD, query.filters.len(), MAX_FILTERS),
            ("ordering", query.ordering.len(), MAX_FILTERS),
            ("search", search_terms(&query.search).len(), MAX_WORDS),
            ("fields", query.fields.len(), MAX_NAMES),
            ("facets", query.facets.len(), MAX_FACETS),
            ("left_join", query.left_join.len(), MAX_JOINS),
            ("expand", query.expand.len(), MAX_EXPANSIONS),
        ] {
            if count > most {
                errors.push(name, too_many(count, most));
            }
        }
        errors.or(query)
    }

    fn from_known_pairs(pairs: Pairs) -> Result<Self, FieldErrors> {
        Ok(Self { ignores_unknown: true, ..Self::from_pairs(pairs)? })
    }

    fn to_pairs(&self) -> Pairs {
        let mut pairs = Pairs::new();
        let mut push = |name: &str, value: String| pairs.push((name.to_owned(), value));
        for filter in &self.filters {
            match filter.lookup {
                Lookup::Exact
                    if is_parameter(&filter.field) || filter.value.is_empty() || filter.field.contains("__") =>
                {
                    push(&format!("{}__exact", filter.field), filter.value.clone());
                }
                _ => push(&filter.parameter(), filter.value.clone()),
            }
        }
        for filter in &self.empty {
            push(&filter.parameter(), String::new());
        }
        if let Some(condition) = &self.filter {
            push("filter", condition.to_string());
        }
        if !self.search.is_empty() {
            push("search", self.search.clone());
        }
        if !self.ordering.is_empty() {
            push("ordering", self.ordering.iter().map(OrderBy::to_string).collect::<Vec<_>>().join(","));
        }
        if !self.fields.is_empty() {
            push("fields", self.fields.join(","));
        }
        if !self.facets.is_empty() {
            push("facets", self.facets.join(","));
        }
        for join in &self.left_join {
            push("left_join", join.to_string());
        }
        if !self.expand.is_empty() {
            push("expand", self.expand.join(","));
        }
        if !self.count {
            push("count", "false".to_owned());
        }
        if self.explain {
            push("explain", "true".to_owned());
        }
        if let Some(limit) = self.limit {
            push("limit", limit.to_string());
        }
        if self.offset != 0 {
            push("offset", self.offset.to_string());
        }
        if let Some(cursor) = &self.cursor {
            push("cursor", cursor.clone());
        }
        if self.page_size != DEFAULT_PAGE_SIZE {
            push("page_size", self.page_size.to_string());
        }
        match self.page {
            1 => {}
            LAST_PAGE => push("page", "last".to_owned()),
            page => push("page", page.to_string()),
        }
        // At the end, as the web app's first script puts it there.
        if self.highlight {
            push("highlight", "true".to_owned());
        }
        if self.named {
            push("named", "true".to_owned());
        }
        pairs
    }
}

/// A field of this name is filtered as `<name>__exact`.
fn is_parameter(name: &str) -> bool {
    PARAMETERS.contains(&name) || name == "format"
}

/// What a parameter says that is true or false.
fn flag(name: &str, value: &str) -> Result<bool, FieldError> {
    match value {
        "true" | "True" | "1" => Ok(true),
        "false" | "False" | "0" => Ok(false),
        _ => Err(invalid(format!("Must be a valid boolean. A field of this name is filtered by {name}__exact."))),
    }
}

/// Of several of these the last one counts, as in Django REST Framework: clients add them to an address that has them already.
fn counts_last(name: &str) -> bool {
    matches!(name, "page" | "page_size" | "limit" | "offset" | "ordering" | "search")
}

/// A number that is not negative, as Python reads it. One that is too large for any list is as good as the largest.
fn number(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.strip_prefix('+').unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| digits.parse().unwrap_or(u64::MAX))
}

/// How many rows a page is to have.
fn rows(text: &str) -> Option<u64> {
    number(text).filter(|rows| *rows > 0).map(|rows| rows.min(MAX_PAGE_SIZE))
}

impl ListQuery {
    /// What it asks, without a value: for the log.
    pub fn shape(&self) -> String {
        let comparisons = self.filter.iter().flat_map(Condition::comparisons);
        let names = comparisons.map(|comparison| comparison.filter("", "").parameter());
        let mut parts: Vec<String> = self.filters.iter().map(Filter::parameter).chain(names).collect();
        parts.extend((!self.search.is_empty()).then(|| "search".to_owned()));
        let ordering: Vec<String> = self.ordering.iter().map(OrderBy::to_string).collect();
        parts.extend((!ordering.is_empty()).then(|| format!("ordering={}", ordering.join(","))));
        parts.join("&")
    }

    /// Whether it leaves rows out.
    pub fn narrows(&self) -> bool {
        !self.filters.is_empty() || self.filter.is_some() || !self.search.is_empty()
    }

    /// Checks the query against the collection that it is for: every field that it names must be there. What it says of other
    /// records, the server knows.
    pub fn check(&self, collection: &Collection) -> Result<(), FieldErrors> {
        let mut errors = FieldErrors::new();
        let field_of = |name: &str| collection.field(name).cloned().or_else(|| collection.server_field(name));
        for order in &self.ordering {
            match Named::find(collection, &order.field) {
                Some(Named::Field { field, bound: None, .. }) if field.kind.indexable() => {}
                Some(Named::Reference { .. }) => {}
                Some(Named::Field { bound: None, .. }) => {
                    errors.push("ordering", invalid(format!("\"{}\" has no order.", order.field)));
                }
                Some(Named::Field { .. }) | None => errors.push("ordering", no_such_field(&order.field)),
            }
        }
        let expanded = |name: &str| self.expand.iter().any(|path| path.split('.').next() == Some(name));
        for name in self.fields.iter().filter(|name| field_of(name).is_none() && !expanded(name)) {
            errors.push("fields", no_such_field(name));
        }
        for (i, join) in self.left_join.iter().enumerate() {
            if field_of(&join.field).is_none() {
                errors.push("left_join", no_such_field(&join.field));
            }
            let name = join.collection.as_str();
            if field_of(name).is_some() || self.left_join[..i].iter().any(|other| other.collection == join.collection) {
                let message =
                    format!("The rows of \"{name}\" have no place of their own: \"{name}\" is there already.");
                errors.push("left_join", invalid(message));
            }
        }
        for filter in &self.empty {
            if Named::find(collection, &filter.field).is_none() && !self.ignores_unknown {
                errors.push(filter.parameter(), unknown_parameter());
            }
        }
        for filter in &self.filters {
            match Named::find(collection, &filter.field) {
                None if self.ignores_unknown => {}
                None => errors.push(filter.parameter(), unknown_parameter()),
                Some(Named::Reference { .. }) => {}
                // A bound has no lookups of its own.
                Some(Named::Field { bound: Some(_), .. }) if filter.lookup != Lookup::Exact => {
                    errors.push(filter.parameter(), unknown_parameter());
                }
                Some(Named::Field { field, .. }) if filter.is_either(&field) && self.is_strict => {
                    errors.push(filter.parameter(), invalid("Must be a valid boolean."));
                }
                Some(Named::Field { field, .. }) if filter.is_either(&field) => {}
                Some(Named::Field { member, field, part, .. }) => {
                    if let Err(error) = filter.typed(&field, part, own_ids(member)) {
                        errors.push(filter.parameter(), error);
                    }
                }
            }
        }
        for comparison in self.filter.iter().flat_map(Condition::comparisons) {
            if let Err(error) = comparison.check(collection) {
                errors.push("filter", invalid(error.to_string()));
            }
        }
        errors.or(())
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::pairs::{decode, encode},
        *,
    };

    #[test]
    fn a_query_reads_back_as_it_was_written() {
        let raw = "price__gte=3&title=Pop+corn&search=a+b&ordering=-price%2Ctitle&fields=id%2Ctitle&left_join=antonyms%3Aword%3Dword&page_size=5&page=2";
        let query = ListQuery::from_pairs(decode(raw)).unwrap();
        assert_eq!(query.filters[0], Filter { field: "price".into(), lookup: Lookup::Gte, value: "3".into() });
        assert_eq!(encode(&query.to_pairs()), raw);
        assert!(ListQuery::default().to_pairs().is_empty());
    }

    #[test]
    fn n7_odd_numbers_are_refused_by_name() {
        for bad in [
            "fields=id&fields=title",
            "filter=a%3D1&filter=a%3D2",
            "count=3",
            "count=maybe",
            "limit=3&page=2&offset=1",
            "limit=3&page=2&page_size=3",
            "cursor=x&page=2",
            "cursor=x&limit=2",
            "expand=a,b,c,d,e,f,g,h,i",
            "left_join=x",
        ] {
            let errors = ListQuery::from_pairs(decode(bad)).unwrap_err();
            assert!(errors.0.contains_key(bad.split('=').next().unwrap()), "{bad}: {errors:?}");
        }
    }

    #[test]
    fn what_is_no_number_of_rows_asks_for_the_default_and_the_last_of_several_counts() {
        let read = |raw: &str| {
            let query = ListQuery::from_pairs(decode(raw)).unwrap();
            (query.page, query.page_size, query.limit, query.offset)
        };
        for odd in ["0", "-1", "NaN", "1e9", "", "undefined", "%20"] {
            assert_eq!(read(&format!("page_size={odd}")), (1, 20, None, 0), "{odd}");
            assert_eq!(read(&format!("limit={odd}&limit={odd}")).2.unwrap_or(20), 20, "{odd}");
        }
        assert_eq!(read("limit=0&offset=-5"), (1, 20, Some(20), 0));
        assert_eq!(read("page=%202&page_size=+7"), (2, 7, None, 0));
        assert_eq!(read("page=%2B3&page_size=5&page_size=50&page_size=2000"), (3, 1000, None, 0));
        assert_eq!(read("page=-1").0, 0);
        assert_eq!(read("page=2&limit=5"), (2, 5, None, 0));
        let query = ListQuery::from_pairs(decode("search=a&search=b&ordering=x&ordering=-y")).unwrap();
        assert_eq!((query.search.as_str(), query.ordering[0].to_string().as_str()), ("b", "-y"));
    }

    #[test]
    fn format_json_is_always_fine_and_the_rest_is_not() {
        assert!(<()>::from_pairs(decode("format=json")).is_ok());
        assert!(<()>::from_pairs(decode("format=xml")).is_err());
    }
}
