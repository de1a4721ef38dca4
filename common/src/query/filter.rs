//! Filters: one field of a record compared with one value, or with several.

use serde_json::Value;

use super::pairs::too_many;
use crate::{
    collection::Collection,
    field::{Field, FieldType, OnDelete},
    form::parse_input,
    id::RecordId,
    name::CollectionName,
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
    Regex,
    Iregex,
    Isnull,
}

impl Lookup {
    /// Every lookup with its word.
    pub const WORDS: [(&'static str, Self); 17] = [
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
        ("regex", Self::Regex),
        ("iregex", Self::Iregex),
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
            Self::Contains
                | Self::Icontains
                | Self::Startswith
                | Self::Istartswith
                | Self::Endswith
                | Self::Iexact
                | Self::Regex
                | Self::Iregex
        )
    }
}

/// `<field>=v` or `<field>__<lookup>=v`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// The field's name, or that of a server member; or what leads to another record's ([`Named`]).
    pub field: String,
    /// How it compares.
    pub lookup: Lookup,
    /// What it is compared with, as it was typed.
    pub value: String,
}

impl Filter {
    /// The query parameter that says it.
    pub fn parameter(&self) -> String {
        match self.lookup {
            Lookup::Exact => self.field.clone(),
            lookup => format!("{}__{}", self.field, lookup.word()),
        }
    }
}

/// A part of a date or of a moment (in UTC), which a filter or an ordering asks for behind its field and two underscores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // Each is what Django's transform of the same name is.
pub enum Part {
    Date,
    Year,
    Month,
    Day,
}

impl Part {
    /// The part that a word asks for, of a field of this type.
    fn of(kind: &FieldType, word: &str) -> Option<Self> {
        match (kind, word) {
            (FieldType::Datetime, "date") => Some(Self::Date),
            (FieldType::Date | FieldType::Datetime, "year") => Some(Self::Year),
            (FieldType::Date | FieldType::Datetime, "month") => Some(Self::Month),
            (FieldType::Date | FieldType::Datetime, "day") => Some(Self::Day),
            _ => None,
        }
    }

    /// The part of a stored date or moment.
    pub fn take(self, value: &Value) -> Value {
        let text = value.as_str().unwrap_or_default();
        let number = |range: std::ops::Range<usize>| {
            text.get(range).and_then(|digits| digits.parse::<i64>().ok()).map_or(Value::Null, Value::from)
        };
        match self {
            Self::Date => text.get(..10).map_or(Value::Null, Value::from),
            Self::Year => number(0..4),
            Self::Month => number(5..7),
            Self::Day => number(8..10),
        }
    }
}

/// What a name in a filter or an ordering leads to, as far as its collection knows.
#[derive(Debug, Clone, PartialEq)]
pub enum Named<'a> {
    /// A field, or a part of it, which then is what the field's type says.
    Field {
        /// The member of the record.
        member: &'a str,
        /// How its values compare.
        field: Field,
        /// What of the member is asked for.
        part: Option<Part>,
    },
    /// Something of the record that a field refers to: `maker__name`.
    Reference {
        /// The field.
        field: &'a str,
        /// The other record's collection.
        collection: &'a CollectionName,
        /// What of the other record is asked for.
        rest: &'a str,
    },
}

impl<'a> Named<'a> {
    /// Finds it. A field's own name may have two underscores in it, so the longest that there is counts.
    pub fn find(collection: &'a Collection, name: &'a str) -> Option<Self> {
        let field_of = |name: &str| collection.field(name).cloned().or_else(|| server_field(name));
        if let Some(field) = field_of(name) {
            return Some(Self::Field { member: name, field, part: None });
        }
        name.rmatch_indices("__").find_map(|(at, _)| {
            let (head, rest) = (&name[..at], &name[at + 2..]);
            if let Some(FieldType::Reference { collection: Some(collection), .. }) =
                collection.field(head).map(|field| &field.kind)
            {
                return Some(Self::Reference { field: head, collection, rest });
            }
            let mut field = field_of(head)?;
            let part = Part::of(&field.kind, rest)?;
            field.kind = match part {
                Part::Date => FieldType::Date,
                _ => FieldType::Integer { min: None, max: None },
            };
            // A part of a key is no key.
            (field.unique, field.indexed) = (false, false);
            Some(Self::Field { member: head, field, part: Some(part) })
        })
    }
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
pub(super) fn read_filter(name: &str, value: String) -> Filter {
    let (field, lookup) = match name.rsplit_once("__") {
        None => (name, Lookup::Exact),
        Some((field, word)) => {
            // Another word leads to a record that this one refers to, or to nothing: the collection knows.
            let known = Lookup::WORDS.iter().find(|(known, _)| *known == word);
            known.map_or((name, Lookup::Exact), |(_, lookup)| (field, *lookup))
        }
    };
    Filter { field: field.to_owned(), lookup, value }
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
        // A date alone is its beginning.
        FieldType::Datetime if part.trim().len() == 10 => parse_input(field, &format!("{}T00:00:00Z", part.trim())),
        _ => parse_input(field, part),
    };
    parts.into_iter().map(value).collect()
}
