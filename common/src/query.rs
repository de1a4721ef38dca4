//! Query strings: what they may hold and how both sides write and read them. Whether a filter's field exists is for
//! [`ListQuery::check`], which knows the collection.

use std::{collections::BTreeSet, fmt, str::FromStr};

use crate::{
    collection::Collection,
    field::{Field, FieldType},
    form::parse_input,
    id::{RecordId, UserId},
    name::{CollectionName, FieldName},
    page::{DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE},
    problem::{FieldError, FieldErrors, NON_FIELD},
    reader::invalid,
};

/// Filters in one query at most.
pub const MAX_FILTERS: usize = 32;
/// Values of one `in` at most: each record is compared with all of them.
pub const MAX_VALUES: usize = 1000;
/// Words of one search at most.
pub const MAX_WORDS: usize = 32;
/// Joins in one query at most.
pub const MAX_JOINS: usize = 4;
/// Names in `fields` at most: more than a collection has.
pub const MAX_NAMES: usize = 200;

/// A query string, decoded into pairs.
pub type Pairs = Vec<(String, String)>;

/// An endpoint's query parameters.
pub trait Query: Sized + Default {
    /// Reads decoded pairs; an unknown parameter is an error under its name.
    fn from_pairs(pairs: Pairs) -> Result<Self, FieldErrors>;

    /// Writes the pairs that differ from the default.
    fn to_pairs(&self) -> Pairs;
}

/// No parameter of this name.
pub fn unknown_parameter() -> FieldError {
    FieldError::new("unknown", "There is no query parameter of this name here.")
}

impl Query for () {
    fn from_pairs(pairs: Pairs) -> Result<Self, FieldErrors> {
        let mut errors = FieldErrors::new();
        for (name, _) in pairs {
            errors.push(name, unknown_parameter());
        }
        errors.or(())
    }

    fn to_pairs(&self) -> Pairs {
        Vec::new()
    }
}

/// Splits and decodes a raw query string. `format=json` is taken off, as everywhere.
pub fn decode(raw: &str) -> Pairs {
    form_urlencoded::parse(raw.as_bytes())
        .into_owned()
        .filter(|(name, value)| !(name == "format" && value == "json"))
        .collect()
}

/// Writes pairs as a query string, without the question mark.
pub fn encode(pairs: &[(String, String)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// How a filter compares. In a query it stands behind the field and two underscores; `exact` is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // Each is what Django's lookup of the same name is.
pub enum Lookup {
    Exact,
    Ne,
    Gt,
    Gte,
    Lt,
    Lte,
    In,
    Range,
    Contains,
    Icontains,
    Startswith,
    Istartswith,
    Endswith,
    Iexact,
    Isnull,
}

impl Lookup {
    /// Every lookup with its word.
    pub const WORDS: [(&'static str, Self); 15] = [
        ("exact", Self::Exact),
        ("ne", Self::Ne),
        ("gt", Self::Gt),
        ("gte", Self::Gte),
        ("lt", Self::Lt),
        ("lte", Self::Lte),
        ("in", Self::In),
        ("range", Self::Range),
        ("contains", Self::Contains),
        ("icontains", Self::Icontains),
        ("startswith", Self::Startswith),
        ("istartswith", Self::Istartswith),
        ("endswith", Self::Endswith),
        ("iexact", Self::Iexact),
        ("isnull", Self::Isnull),
    ];

    /// The word in a query.
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, lookup)| *lookup == self).map_or("", |(word, _)| word)
    }

    /// Compares text by its characters, so it makes sense for textual fields only.
    pub fn is_textual(self) -> bool {
        matches!(
            self,
            Self::Contains | Self::Icontains | Self::Startswith | Self::Istartswith | Self::Endswith | Self::Iexact
        )
    }
}

/// `<field>=v` or `<field>__<lookup>=v`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// The field's name, or that of a server member.
    pub field: String,
    /// How it compares.
    pub lookup: Lookup,
    /// What it is compared with, as it was typed.
    pub value: String,
}

/// One key of an ordering.
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
    /// From 1.
    pub page: u64,
    /// Rows on a page, 1 to 200.
    pub page_size: u64,
    /// Keys of the ordering, the weightiest first; empty means in the order of creation.
    pub ordering: Vec<OrderBy>,
    /// All must hold.
    pub filters: Vec<Filter>,
    /// Words that must all occur in the record's text, whatever their case.
    pub search: String,
    /// The members to send; empty means all.
    pub fields: Vec<String>,
    /// What to join.
    pub left_join: Vec<JoinWith>,
}

impl Default for ListQuery {
    fn default() -> Self {
        Self {
            page: 1,
            page_size: DEFAULT_PAGE_SIZE,
            ordering: Vec::new(),
            filters: Vec::new(),
            search: String::new(),
            fields: Vec::new(),
            left_join: Vec::new(),
        }
    }
}

fn comma_separated(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(str::trim).filter(|part| !part.is_empty())
}

impl Query for ListQuery {
    fn from_pairs(pairs: Pairs) -> Result<Self, FieldErrors> {
        let mut query = Self::default();
        let mut errors = FieldErrors::new();
        let mut seen = BTreeSet::new();
        for (name, value) in pairs {
            let once = matches!(name.as_str(), "page" | "page_size" | "ordering" | "search" | "fields");
            if once && !seen.insert(name.clone()) {
                errors.push(name, invalid("This parameter stands twice."));
                continue;
            }
            match name.as_str() {
                "page" => match number(&value, u64::MAX) {
                    Some(page) => query.page = page,
                    None => errors.push(name, invalid("A valid integer of at least 1 is required.")),
                },
                "page_size" => match number(&value, MAX_PAGE_SIZE) {
                    Some(size) => query.page_size = size,
                    None => {
                        errors.push(name, invalid(format!("A valid integer from 1 to {MAX_PAGE_SIZE} is required.")));
                    }
                },
                "ordering" => {
                    let keys = comma_separated(&value).map(|key| match key.strip_prefix('-') {
                        Some(field) => OrderBy { field: field.to_owned(), descending: true },
                        None => OrderBy { field: key.to_owned(), descending: false },
                    });
                    query.ordering = keys.collect();
                }
                "search" => query.search = value,
                "fields" => query.fields = comma_separated(&value).map(str::to_owned).collect(),
                "left_join" => match value.parse() {
                    Ok(join) => query.left_join.push(join),
                    Err(error) => errors.push(name, error),
                },
                _ => match read_filter(&name, value) {
                    Ok(filter) => query.filters.push(filter),
                    Err(error) => errors.push(name, error),
                },
            }
        }
        for (name, count, most) in [
            (NON_FIELD, query.filters.len(), MAX_FILTERS),
            ("ordering", query.ordering.len(), MAX_FILTERS),
            ("search", query.search.split_whitespace().count(), MAX_WORDS),
            ("fields", query.fields.len(), MAX_NAMES),
            ("left_join", query.left_join.len(), MAX_JOINS),
        ] {
            if count > most {
                errors.push(name, too_many(count, most));
            }
        }
        errors.or(query)
    }

    fn to_pairs(&self) -> Pairs {
        let mut pairs = Pairs::new();
        let mut push = |name: &str, value: String| pairs.push((name.to_owned(), value));
        for filter in &self.filters {
            match filter.lookup {
                Lookup::Exact if !is_parameter(&filter.field) && !filter.field.contains("__") => {
                    push(&filter.field, filter.value.clone());
                }
                lookup => push(&format!("{}__{}", filter.field, lookup.word()), filter.value.clone()),
            }
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
        for join in &self.left_join {
            push("left_join", join.to_string());
        }
        if self.page_size != DEFAULT_PAGE_SIZE {
            push("page_size", self.page_size.to_string());
        }
        if self.page != 1 {
            push("page", self.page.to_string());
        }
        pairs
    }
}

fn too_many(count: usize, most: usize) -> FieldError {
    FieldError::new(
        "too_many",
        format!("A query may have {most} of these; this one has {count}. Ask for less at once."),
    )
}

/// A field of this name is filtered as `<name>__exact`.
fn is_parameter(name: &str) -> bool {
    matches!(name, "page" | "page_size" | "ordering" | "search" | "fields" | "left_join" | "format")
}

fn number(text: &str, max: u64) -> Option<u64> {
    text.parse().ok().filter(|n| (1..=max).contains(n) && text.bytes().all(|b| b.is_ascii_digit()))
}

fn read_filter(name: &str, value: String) -> Result<Filter, FieldError> {
    let (field, lookup) = match name.rsplit_once("__") {
        None => (name, Lookup::Exact),
        Some((field, word)) => {
            let known = Lookup::WORDS.iter().find(|(known, _)| *known == word);
            (field, known.ok_or_else(|| invalid("There is no lookup of this name."))?.1)
        }
    };
    Ok(Filter { field: field.to_owned(), lookup, value })
}

/// The server's members as fields, so that lists can be filtered and ordered by them.
pub fn server_field(name: &str) -> Option<Field> {
    let kind = match name {
        "id" | "owner" => {
            FieldType::Reference { collection: "users".parse().ok()?, on_delete: crate::field::OnDelete::SetNull }
        }
        "created_at" | "updated_at" => FieldType::Datetime,
        "revision" => FieldType::Integer { min: None, max: None },
        _ => return None,
    };
    // Not a name that a collection may use, so it is read past `FieldName`'s own check.
    let mut field = Field::new("x".parse::<FieldName>().ok()?, kind);
    field.nullable = name == "owner";
    Some(field)
}

impl ListQuery {
    /// Checks the query against the collection that it is for: every field that it names must be there.
    pub fn check(&self, collection: &Collection) -> Result<(), FieldErrors> {
        let mut errors = FieldErrors::new();
        let field_of = |name: &str| collection.field(name).cloned().or_else(|| server_field(name));
        for key in &self.ordering {
            match field_of(&key.field) {
                Some(field) if field.kind.indexable() => {}
                Some(_) => errors.push("ordering", invalid(format!("\"{}\" has no order.", key.field))),
                None => errors.push("ordering", no_such_field(&key.field)),
            }
        }
        for name in self.fields.iter().filter(|name| field_of(name).is_none()) {
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
        for filter in &self.filters {
            let parameter = match filter.lookup {
                Lookup::Exact => filter.field.clone(),
                lookup => format!("{}__{}", filter.field, lookup.word()),
            };
            match field_of(&filter.field) {
                None => errors.push(parameter, unknown_parameter()),
                Some(field) => {
                    if let Err(error) = filter_values(&field, filter) {
                        errors.push(parameter, error);
                    }
                }
            }
        }
        errors.or(())
    }
}

pub(crate) fn no_such_field(name: &str) -> FieldError {
    invalid(format!("There is no field \"{}\".", crate::text::single_line(name)))
}

/// The values that a filter compares with, typed as its field: several for `in` and `range`, one otherwise; for `isnull`
/// true or false.
pub fn filter_values(field: &Field, filter: &Filter) -> Result<Vec<serde_json::Value>, FieldError> {
    if filter.lookup == Lookup::Isnull {
        return match filter.value.as_str() {
            "true" | "True" | "1" => Ok(vec![true.into()]),
            "false" | "False" | "0" => Ok(vec![false.into()]),
            _ => Err(invalid("Must be a valid boolean.")),
        };
    }
    if filter.lookup.is_textual() {
        if !field.kind.is_textual() {
            return Err(invalid(format!("{} works on text only.", filter.lookup.word())));
        }
        return Ok(vec![filter.value.clone().into()]);
    }
    let parts: Vec<&str> = match filter.lookup {
        Lookup::In | Lookup::Range => filter.value.split(',').collect(),
        _ => vec![&filter.value],
    };
    if parts.len() > MAX_VALUES {
        return Err(too_many(parts.len(), MAX_VALUES));
    }
    if filter.lookup == Lookup::Range && parts.len() != 2 {
        return Err(invalid("Give two values with a comma between them."));
    }
    let value = |part: &str| match field.kind {
        FieldType::Reference { .. } => match part.trim().parse::<RecordId>() {
            Ok(id) => Ok(id.to_string().into()),
            Err(_) => Err(invalid("Must be a valid UUID.")),
        },
        _ => parse_input(field, part),
    };
    parts.into_iter().map(value).collect()
}

/// Whose sessions are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SessionQuery {
    /// Whose sessions; only admins may ask for another's.
    pub user: Option<UserId>,
}

impl Query for SessionQuery {
    fn from_pairs(pairs: Pairs) -> Result<Self, FieldErrors> {
        let mut query = Self::default();
        let mut errors = FieldErrors::new();
        for (name, value) in pairs {
            match (name.as_str(), value.parse()) {
                ("user", Ok(user)) => query.user = Some(user),
                ("user", Err(_)) => errors.push(name, invalid("This is not the id of a user.")),
                _ => errors.push(name, unknown_parameter()),
            }
        }
        errors.or(query)
    }

    fn to_pairs(&self) -> Pairs {
        self.user.iter().map(|user| ("user".to_owned(), user.to_string())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            "page=0",
            "page=-1",
            "page=1e9",
            "page=NaN",
            "page_size=201",
            "page_size=+1",
            "page=1&page=2",
            "title__like=x",
            "left_join=x",
        ] {
            let errors = ListQuery::from_pairs(decode(bad)).unwrap_err();
            assert!(errors.0.contains_key(bad.split('=').next().unwrap()), "{bad}: {errors:?}");
        }
    }

    #[test]
    fn format_json_is_always_fine_and_the_rest_is_not() {
        assert!(<()>::from_pairs(decode("format=json")).is_ok());
        assert!(<()>::from_pairs(decode("format=xml")).is_err());
    }
}
