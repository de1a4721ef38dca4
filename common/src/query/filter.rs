//! Filters: one field of a record compared with one value, or with several.

use super::part::Part;
use crate::{
    collection::{Collection, Ids},
    field::{Field, FieldType, Unique},
    name::CollectionName,
    text::trim,
};

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
    Iendswith,
    Iexact,
    Regex,
    Iregex,
    Isnull,
    /// Null, the empty text or the empty list. Django has no such lookup.
    Isempty,
}

impl Lookup {
    /// Every lookup with its word.
    pub const WORDS: [(&'static str, Self); 19] = [
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
        ("iendswith", Self::Iendswith),
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
                | Self::Iendswith
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
        /// Which bound of it the name is for, in a filter. Nothing is ordered by one.
        bound: Option<Lookup>,
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

/// What the ids in a member are that every record has, where they are UUIDs in every collection that has them as references.
pub fn own_ids(member: &str) -> Option<Ids> {
    matches!(member, "id" | "owner").then_some(Ids::Uuid)
}

impl<'a> Named<'a> {
    /// Finds it. A field's own name may have two underscores in it, so the longest that there is counts. Other names that Django knows for
    /// the same stand behind those of the collection: `pk`, `maker_id`.
    pub fn find(collection: &'a Collection, name: &'a str) -> Option<Self> {
        if let Some((member, field)) = Self::member(collection, name) {
            return Some(Self::Field { member, field, part: None, bound: None });
        }
        let inner = name.rmatch_indices("__").find_map(|(at, _)| {
            let (head, rest) = (&name[..at], &name[at + 2..]);
            let (member, mut field) = Self::member(collection, head)?;
            if let FieldType::Reference { collection: Some(_), .. } = &field.kind
                && let Some(known) = collection.field(member)
                && let FieldType::Reference { collection: Some(collection), .. } = &known.kind
            {
                return Some(Self::Reference { field: member, collection, rest });
            }
            let part = match (member, rest) {
                ("owner", "username") => Part::Username,
                ("owner", "id" | "pk") => return Some(Self::Field { member, field, part: None, bound: None }),
                _ => Part::of(&field.kind, rest)?,
            };
            field.kind = part.kind();
            // A part of a key is no key.
            (field.unique, field.indexed) = (Unique::No, false);
            Some(Self::Field { member, field, part: Some(part), bound: None })
        });
        inner.or_else(|| Self::bound(collection, name))
    }

    /// A member, by the name that it has now, whichever it was asked for by.
    fn member(collection: &'a Collection, name: &'a str) -> Option<(&'a str, Field)> {
        let known = |name: &'a str| match collection.field(name) {
            Some(field) => Some((field.name.as_str(), field.clone())),
            None => Some((name, collection.server_field(name)?)),
        };
        let referring = || {
            let found = known(name.strip_suffix("_id")?)?;
            matches!(found.1.kind, FieldType::Reference { .. }).then_some(found)
        };
        known(name).or_else(|| known("id").filter(|_| name == "pk")).or_else(referring)
    }

    /// A bound of a number or of a date, as the range filters of django-filter call it: `price_min`, `created_at_before`.
    fn bound(collection: &'a Collection, name: &'a str) -> Option<Self> {
        let (head, suffix) = name.rsplit_once('_')?;
        let (is_of_date, lookup) = match suffix {
            "min" => (false, Lookup::Gte),
            "max" => (false, Lookup::Lte),
            "after" => (true, Lookup::Gte),
            "before" => (true, Lookup::Lte),
            _ => return None,
        };
        match Self::find(collection, head)? {
            Self::Field { member, field, part, bound: None } => {
                let fits = match &field.kind {
                    FieldType::Integer { .. } | FieldType::Decimal { .. } => !is_of_date,
                    FieldType::Date | FieldType::Datetime => is_of_date,
                    _ => false,
                };
                fits.then_some(Self::Field { member, field, part, bound: Some(lookup) })
            }
            _ => None,
        }
    }
}

/// A parameter that names a field: what it asks for.
pub(super) enum Read {
    /// A condition.
    Condition(Filter),
    /// Nothing: its value is empty, as an input of a form is that nobody filled in. (`<field>__exact=` asks for the empty text.)
    Empty(Filter),
}

/// Reads `<field>` or `<field>__<lookup>` with its value. Spaces around it are not meant, as in the forms that Django's filters read values
/// by; within a list, quotation marks keep them.
pub(super) fn read_filter(name: &str, value: &str) -> Read {
    let value = trim(value).to_owned();
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_empty_value_is_no_condition_unless_exact_is_written_out() {
        let is_condition = |name: &str| matches!(read_filter(name, "  "), Read::Condition(_));
        assert!(is_condition("t__exact"));
        for name in ["t", "t__in", "t__icontains", "t__gte", "t__isnull", "t__ne", "t__range"] {
            assert!(!is_condition(name), "{name}");
        }
    }

    #[test]
    fn djangos_other_names_for_a_field_are_known_where_no_field_has_them() {
        let collection: Collection = serde_json::from_value(json!({
            "id": "01920000-0000-7000-8000-000000000001", "name": "c", "created_at": "", "updated_at": "", "revision": 1,
            "fields": [{"name": "maker", "type": "reference", "collection": "makers"}, {"name": "price", "type": "decimal"},
                {"name": "day", "type": "date"}, {"name": "title", "type": "text"}, {"name": "price_max", "type": "text"}],
            "access": {"list": [], "view": [], "create": [], "update": [], "delete": []}
        }))
        .unwrap();
        let found = |name: &'static str| match Named::find(&collection, name)? {
            Named::Field { member, part, bound, .. } => Some((member.to_owned(), part, bound)),
            Named::Reference { field, rest, .. } => Some((format!("{field}.{rest}"), None, None)),
        };
        let is = |member: &str, part, bound| Some((member.to_owned(), part, bound));
        assert_eq!(found("pk"), is("id", None, None));
        assert_eq!(found("maker_id"), is("maker", None, None));
        assert_eq!(found("maker__pk"), is("maker.pk", None, None));
        assert_eq!(found("maker__price_min"), is("maker.price_min", None, None));
        assert_eq!(found("owner_id"), is("owner", None, None));
        assert_eq!(found("owner__id"), is("owner", None, None));
        assert_eq!(found("price_min"), is("price", None, Some(Lookup::Gte)));
        assert_eq!(found("price_max"), is("price_max", None, None), "a field's own name");
        assert_eq!(found("day_after"), is("day", None, Some(Lookup::Gte)));
        assert_eq!(found("created_at_before"), is("created_at", None, Some(Lookup::Lte)));
        assert_eq!(found("created_at__hour_max"), is("created_at", Some(Part::Hour), Some(Lookup::Lte)));
        for unknown in ["day_min", "price_after", "title_min", "title_id", "nope_min", "_min", "price_min_min"] {
            assert_eq!(found(unknown), None, "{unknown}");
        }
    }
}
