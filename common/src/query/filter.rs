//! Filters: one field of a record compared with one value, or with several.

use serde_json::Value;

use super::pairs::too_many;
use crate::{
    field::{Field, FieldType, OnDelete},
    form::parse_input,
    id::RecordId,
    problem::FieldError,
    reader::invalid,
};

/// Values of one `in` at most: each record is compared with all of them.
pub const MAX_VALUES: usize = 1000;

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

/// The server's members as fields, so that lists can be filtered and ordered by them.
pub fn server_field(name: &str) -> Option<Field> {
    let kind = match name {
        "id" | "owner" => FieldType::Reference { collection: "users".parse().ok(), on_delete: OnDelete::SetNull },
        "created_at" | "updated_at" => FieldType::Datetime,
        "revision" => FieldType::Integer { min: None, max: None },
        _ => return None,
    };
    // Not a name that a collection may use, so it is read past `FieldName`'s own check.
    let mut field = Field::new("x".parse().ok()?, kind);
    field.nullable = name == "owner";
    Some(field)
}

/// Reads `<field>` or `<field>__<lookup>` with its value.
pub(super) fn read_filter(name: &str, value: String) -> Result<Filter, FieldError> {
    let (field, lookup) = match name.rsplit_once("__") {
        None => (name, Lookup::Exact),
        Some((field, word)) => {
            let known = Lookup::WORDS.iter().find(|(known, _)| *known == word);
            (field, known.ok_or_else(|| invalid("There is no lookup of this name."))?.1)
        }
    };
    Ok(Filter { field: field.to_owned(), lookup, value })
}

/// The values that a filter compares with, typed as its field: several for `in` and `range`, one otherwise; for `isnull`
/// true or false.
pub fn filter_values(field: &Field, filter: &Filter) -> Result<Vec<Value>, FieldError> {
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
