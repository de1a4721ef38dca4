//! Filters: one field of a record compared with one value, or with several.

use serde_json::Value;

use super::pairs::too_many;
use crate::{
    collection::Collection,
    field::{Field, FieldType, OnDelete, Unique},
    id::RecordId,
    json,
    name::CollectionName,
    problem::FieldError,
    reader::invalid,
    text::single_line,
    validate::convert,
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
    /// Null, the empty text or the empty list. Django has no such lookup.
    Isempty,
}

impl Lookup {
    /// Every lookup with its word.
    pub const WORDS: [(&'static str, Self); 18] = [
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
        ("isempty", Self::Isempty),
    ];

    /// Whether a repeated parameter means "either": one that asks for a value to be there. (`ne` means "neither".)
    pub fn means_either(self) -> bool {
        self.is_textual() || matches!(self, Self::Exact | Self::In)
    }

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

/// A part of a date or of a moment (in UTC), or of what an id stands for, which a filter or an ordering asks for behind its field and
/// two underscores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // Each is what Django's transform of the same name is.
pub enum Part {
    Date,
    Year,
    Month,
    Day,
    /// The name of the user that a record belongs to: `owner__username`.
    Username,
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

    /// The part of a stored date or moment; null of an id, since the server alone knows what it stands for.
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
            Self::Username => Value::Null,
        }
    }
}

/// What a name in a filter or an ordering leads to, as far as its collection knows.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "few are made for a query")]
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
        // By the name that it has now, whichever it was asked for by.
        let field_of = |name: &'a str| match collection.field(name) {
            Some(field) => Some((field.name.as_str(), field.clone())),
            None => Some((name, server_field(name)?)),
        };
        if let Some((member, field)) = field_of(name) {
            return Some(Self::Field { member, field, part: None });
        }
        name.rmatch_indices("__").find_map(|(at, _)| {
            let (head, rest) = (&name[..at], &name[at + 2..]);
            if let Some(field) = collection.field(head)
                && let FieldType::Reference { collection: Some(collection), .. } = &field.kind
            {
                return Some(Self::Reference { field: field.name.as_str(), collection, rest });
            }
            let (member, mut field) = field_of(head)?;
            let part = match (member, rest) {
                ("owner", "username") => Part::Username,
                _ => Part::of(&field.kind, rest)?,
            };
            field.kind = match part {
                Part::Date => FieldType::Date,
                Part::Username => {
                    FieldType::Text { min_length: None, max_length: None, pattern: None, multiline: false }
                }
                _ => FieldType::Integer { min: None, max: None },
            };
            // A part of a key is no key.
            (field.unique, field.indexed) = (Unique::No, false);
            Some(Self::Field { member, field, part: Some(part) })
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

/// A parameter that names a field: what it asks for.
pub(super) enum Read {
    /// A condition.
    Condition(Filter),
    /// Nothing: its value is empty, as an input of a form is that nobody filled in. (`<field>__exact=` asks for the empty text.)
    Empty(Filter),
}

/// Reads `<field>` or `<field>__<lookup>` with its value.
pub(super) fn read_filter(name: &str, value: String) -> Read {
    let (field, lookup) = match name.rsplit_once("__") {
        None => (name, None),
        Some((field, word)) => {
            // Another word leads to a record that this one refers to, or to nothing: the collection knows.
            let known = Lookup::WORDS.iter().find(|(known, _)| *known == word);
            known.map_or((name, None), |(_, lookup)| (field, Some(*lookup)))
        }
    };
    let is_empty = value.is_empty() && lookup != Some(Lookup::Exact);
    let filter = Filter { field: field.to_owned(), lookup: lookup.unwrap_or(Lookup::Exact), value };
    if is_empty { Read::Empty(filter) } else { Read::Condition(filter) }
}

/// The values that a filter compares with, typed as its field: several for `in` and `range`, one otherwise; for `isnull`
/// true or false.
pub fn filter_values(field: &Field, filter: &Filter) -> Result<Vec<Value>, FieldError> {
    if matches!(filter.lookup, Lookup::Isnull | Lookup::Isempty) {
        let truth = Field::new(field.name.clone(), FieldType::Boolean);
        return convert(&truth, &filter.value).map(|value| vec![value]);
    }
    if filter.lookup.is_textual() {
        if !field.kind.is_textual() {
            return Err(invalid(format!("{} works on text only.", filter.lookup.word())));
        }
        return Ok(vec![filter.value.clone().into()]);
    }
    let parts = match filter.lookup {
        Lookup::In | Lookup::Range => split_values(&filter.value)?,
        _ => vec![filter.value.clone()],
    };
    if parts.len() > MAX_VALUES {
        return Err(too_many(parts.len(), MAX_VALUES));
    }
    if filter.lookup == Lookup::Range && parts.len() != 2 {
        return Err(invalid("Give two values with a comma between them."));
    }
    let has_equals = matches!(filter.lookup, Lookup::Exact | Lookup::Ne | Lookup::In);
    let value = |part: &str| match &field.kind {
        FieldType::Reference { .. } => match part.trim().parse::<RecordId>() {
            Ok(id) => Ok(id.to_string().into()),
            Err(_) => Err(invalid("Must be a valid UUID.")),
        },
        FieldType::Json { .. } => {
            json::parse_value(part.trim().as_bytes()).map_err(|_| invalid("Value must be valid JSON."))
        }
        FieldType::Choice { choices, many } if has_equals => {
            // The table of users does not know which roles there are.
            let parts: Vec<&str> =
                if *many { part.lines().filter(|line| !line.is_empty()).collect() } else { vec![part] };
            match parts.iter().find(|part| !choices.is_empty() && !choices.iter().any(|choice| choice == *part)) {
                Some(part) => Err(no_choice(part)),
                None if *many => Ok(parts.into()),
                None => Ok(part.into()),
            }
        }
        _ => convert(field, part),
    };
    parts.iter().map(|part| value(part)).collect()
}

fn no_choice(value: &str) -> FieldError {
    let message = format!("Select a valid choice. {} is not one of the available choices.", single_line(value));
    FieldError::new("invalid_choice", message)
}

/// The values of a list with commas between them, as a line of CSV: one in quotes may hold commas, and quotes if each stands twice.
pub fn split_values(list: &str) -> Result<Vec<String>, FieldError> {
    let mut values = Vec::new();
    let mut rest = Some(list);
    while let Some(text) = rest {
        let Some(quoted) = text.strip_prefix('"') else {
            let (value, more) = text.split_once(',').map_or((text, None), |(value, more)| (value, Some(more)));
            values.push(value.to_owned());
            rest = more;
            continue;
        };
        let (mut value, mut left) = (String::new(), quoted);
        rest = loop {
            let (part, after) = left.split_once('"').ok_or_else(unclosed)?;
            value.push_str(part);
            match after.strip_prefix('"') {
                Some(more) => {
                    value.push('"');
                    left = more;
                }
                None if after.is_empty() => break None,
                None => break Some(after.strip_prefix(',').ok_or_else(unclosed)?),
            }
        };
        values.push(value);
    }
    Ok(values)
}

fn unclosed() -> FieldError {
    invalid(
        "A value in quotation marks ends with one, and the next begins after a comma. Write a quotation mark in it twice.",
    )
}

/// The list that [`split_values`] reads as these values.
pub fn join_values<'a>(values: impl IntoIterator<Item = &'a str>) -> String {
    let quoted = |value: &str| {
        let is_plain = !value.starts_with('"') && !value.contains(',');
        if is_plain { value.to_owned() } else { format!("\"{}\"", value.replace('"', "\"\"")) }
    };
    values.into_iter().map(quoted).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn values(field: Value, name: &str, value: &str) -> Result<Vec<Value>, String> {
        let field: Field = serde_json::from_value(field).unwrap();
        let (Read::Condition(filter) | Read::Empty(filter)) = read_filter(name, value.to_owned());
        filter_values(&field, &filter).map_err(|error| error.message)
    }

    #[test]
    fn values_with_commas_stand_in_quotes() {
        let text = || json!({"name": "t", "type": "text"});
        for (list, wanted) in [
            ("a,b", vec!["a", "b"]),
            ("\"a,b\"", vec!["a,b"]),
            ("\"a,b\",c", vec!["a,b", "c"]),
            ("c,\"a,b\"", vec!["c", "a,b"]),
            ("\"say \"\"hi\"\"\",x", vec!["say \"hi\"", "x"]),
            ("5\" pipe,x", vec!["5\" pipe", "x"]),
            ("a, b", vec!["a", " b"]),
            ("a,,b", vec!["a", "", "b"]),
            ("\"\"", vec![""]),
            ("a,", vec!["a", ""]),
        ] {
            assert_eq!(values(text(), "t__in", list), Ok(wanted.iter().map(|value| json!(value)).collect()), "{list}");
            assert_eq!(split_values(&join_values(wanted.iter().copied())).unwrap(), wanted);
        }
        for wrong in ["\"a", "\"a\"b", "\"a\" ,b", "a,\""] {
            assert!(values(text(), "t__in", wrong).unwrap_err().contains("quotation"), "{wrong}");
        }
        assert_eq!(values(text(), "t__range", "\"a,b\",c"), Ok(vec![json!("a,b"), json!("c")]));
        assert!(values(text(), "t__range", "a,b,c").unwrap_err().contains("two values"));
    }

    #[test]
    fn a_choice_that_there_is_not_is_refused() {
        let size = |many: bool| json!({"name": "s", "type": "choice", "choices": ["s", "a,b"], "many": many});
        for many in [false, true] {
            for name in ["s", "s__exact", "s__ne", "s__in"] {
                let told = values(size(many), name, "xl").unwrap_err();
                assert_eq!(told, "Select a valid choice. xl is not one of the available choices.", "{name}");
            }
            assert!(values(size(many), "s__in", "s,\"a,b\"").is_ok());
        }
        assert!(values(size(false), "s__icontains", "x").is_ok());
        assert!(values(json!({"name": "s", "type": "choice", "choices": [], "many": true}), "s", "cook").is_ok());
    }

    #[test]
    fn values_are_converted_as_in_bodies_and_texts_are_not_trimmed() {
        for (kind, value, wanted) in [
            ("integer", "3.0", json!(3)),
            ("integer", " 3 ", json!(3)),
            ("decimal", ".50", json!("0.5")),
            ("boolean", "yes", json!(true)),
            ("boolean", "Off", json!(false)),
            ("datetime", "2024-01-01", json!("2024-01-01T00:00:00Z")),
            ("date", "2024-1-1", json!("2024-01-01")),
            ("text", " a ", json!(" a ")),
            ("email", " a@b.co ", json!(" a@b.co ")),
        ] {
            assert_eq!(values(json!({"name": "f", "type": kind}), "f", value), Ok(vec![wanted]), "{kind}");
        }
        for kind in ["integer", "decimal", "boolean", "date", "datetime"] {
            assert!(values(json!({"name": "f", "type": kind, "nullable": true}), "f__exact", "").is_err(), "{kind}");
        }
        assert_eq!(values(json!({"name": "f", "type": "date"}), "f__isnull", "t"), Ok(vec![json!(true)]));
        let field = json!({"name": "r", "type": "reference", "collection": "c"});
        let id = "01920000-0000-7000-8000-0000000000ab";
        assert_eq!(values(field, "r", "019200000000700080000000000000AB"), Ok(vec![json!(id)]));
    }

    #[test]
    fn an_empty_value_is_no_condition_unless_exact_is_written_out() {
        let is_condition = |name: &str| matches!(read_filter(name, String::new()), Read::Condition(_));
        assert!(is_condition("t__exact"));
        for name in ["t", "t__in", "t__icontains", "t__gte", "t__isnull", "t__ne", "t__range"] {
            assert!(!is_condition(name), "{name}");
        }
    }
}
