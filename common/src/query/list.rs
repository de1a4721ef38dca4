//! The parameters of a list: page, ordering, filters, search, fields and joins.

use std::{collections::BTreeSet, fmt, str::FromStr};

use super::{
    filter::{Filter, Lookup, filter_values, read_filter, server_field},
    pairs::{Pairs, Query, too_many, unknown_parameter},
};
use crate::{
    collection::Collection,
    name::CollectionName,
    page::{DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE},
    problem::{FieldError, FieldErrors, NON_FIELD},
    reader::invalid,
    text::single_line,
};

/// Filters in one query at most.
pub const MAX_FILTERS: usize = 32;
/// Words of one search at most.
pub const MAX_WORDS: usize = 32;
/// Joins in one query at most.
pub const MAX_JOINS: usize = 4;
/// Names in `fields` at most: more than a collection has.
pub const MAX_NAMES: usize = 200;

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
    /// The ordering, the most significant term first; empty means in the order of creation.
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
                "page" | "page_size" if value.is_empty() => {}
                "page" => query.page = number(&value).unwrap_or(0),
                "page_size" => match number(&value) {
                    Some(size @ 1..) => query.page_size = size.min(MAX_PAGE_SIZE),
                    _ => errors.push(name, invalid("A valid integer of at least 1 is required.")),
                },
                "ordering" => {
                    let ordering = comma_separated(&value).map(|member| match member.strip_prefix('-') {
                        Some(field) => OrderBy { field: field.to_owned(), descending: true },
                        None => OrderBy { field: member.to_owned(), descending: false },
                    });
                    query.ordering = ordering.collect();
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

/// A field of this name is filtered as `<name>__exact`.
fn is_parameter(name: &str) -> bool {
    matches!(name, "page" | "page_size" | "ordering" | "search" | "fields" | "left_join" | "format")
}

/// A number without a sign. One that is too large for any list is as good as the largest.
fn number(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u64::MAX))
}

impl ListQuery {
    /// Checks the query against the collection that it is for: every field that it names must be there.
    pub fn check(&self, collection: &Collection) -> Result<(), FieldErrors> {
        let mut errors = FieldErrors::new();
        let field_of = |name: &str| collection.field(name).cloned().or_else(|| server_field(name));
        for order in &self.ordering {
            match field_of(&order.field) {
                Some(field) if field.kind.indexable() => {}
                Some(_) => errors.push("ordering", invalid(format!("\"{}\" has no order.", order.field))),
                None => errors.push("ordering", no_such_field(&order.field)),
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
    invalid(format!("There is no field \"{}\".", single_line(name)))
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
            "page_size=0",
            "page_size=-1",
            "page_size=NaN",
            "page_size=1e9",
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
