//! Saved views: how a table of a collection is shown (filter, order, columns, plot), kept for oneself or shared with those who may list
//! the collection.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    Object,
    answer::JsonAnswer,
    condition::{self, Condition},
    id::{Revision, UserId, ViewId},
    name::CollectionName,
    problem::{FieldError, FieldErrors},
    query::{ListQuery, Pairs, Query, unknown_parameter},
    reader::{Body, Reader, invalid, object},
    table::filter_line,
};

/// Characters of a view's name at most.
pub const MAX_NAME: usize = 100;
/// Characters of its filter, of the words that it searches for, and of its ordering at most.
pub const MAX_TEXT: usize = 4000;
/// Its columns at most.
pub const MAX_COLUMNS: usize = 200;
/// The widest that a column is, in characters.
pub const MAX_WIDTH: u16 = 500;

/// What is said of a view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(deny_unknown_fields, transform = crate::schema::read_only(READ_ONLY)))]
pub struct ViewDefinition {
    /// What people call it.
    #[cfg_attr(feature = "schema", schemars(with = "Name"))]
    pub name: String,
    /// The collection that it shows.
    pub collection: CollectionName,
    /// Which records, in the language of conditions; empty for all.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Short"))]
    pub filter: String,
    /// Words that they have in them; empty for none.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Short"))]
    pub search: String,
    /// Their order, as a list takes it: `-price,title`. Empty for that of their creation.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Short"))]
    pub ordering: String,
    /// The columns in their order; empty for all.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(length(max = MAX_COLUMNS)))]
    pub columns: Vec<ViewColumn>,
    /// The member by which the records are plotted; without it they are not.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Name>"))]
    pub plot: Option<String>,
    /// Those who may list the collection see it too.
    #[serde(default)]
    pub shared: bool,
}

/// One column of a view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub struct ViewColumn {
    /// The member that it shows.
    #[cfg_attr(feature = "schema", schemars(with = "Name"))]
    pub name: String,
    /// How wide it is, in characters; without it as wide as what it shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = MAX_WIDTH)))]
    pub width: Option<u16>,
}

/// The members that the server sets.
const READ_ONLY: &[&str] = &["id", "owner", "created_at", "updated_at", "revision", "notes"];

/// The members of a definition.
const NAMES: [&str; 8] = ["name", "collection", "filter", "search", "ordering", "columns", "plot", "shared"];

impl ViewDefinition {
    /// A table as it is shown, to be kept under a name.
    pub fn of(name: String, collection: CollectionName, query: &ListQuery, columns: Vec<ViewColumn>) -> Self {
        let conditions = ListQuery { search: String::new(), ..query.clone() };
        let ordering: Vec<String> = query.ordering.iter().map(ToString::to_string).collect();
        Self {
            name,
            collection,
            filter: filter_line(&conditions),
            search: query.search.clone(),
            ordering: ordering.join(","),
            columns,
            plot: None,
            shared: false,
        }
    }

    /// The list that it asks for, with its columns as the members that are sent.
    pub fn query(&self) -> Result<ListQuery, FieldErrors> {
        let columns: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
        let said = [
            ("filter", self.filter.clone()),
            ("search", self.search.clone()),
            ("ordering", self.ordering.clone()),
            ("fields", columns.join(",")),
        ];
        let pairs: Pairs = said.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let mut query = ListQuery::from_pairs(pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect())?;
        // As the filter line has it, and the addresses of tables.
        if let Some(condition) = query.filter.take() {
            match condition.into_filters() {
                Ok(filters) => query.filters = filters,
                Err(condition) => query.filter = Some(condition),
            }
        }
        Ok(query)
    }

    /// The members that it names, and what leads to others: `price`, `maker__name`, `created_at__year`.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.columns.iter().map(|column| column.name.clone()).collect();
        names.extend(self.plot.clone());
        names.extend(self.ordering.split(',').map(|key| key.trim().trim_start_matches('-').to_owned()));
        let condition = self.condition();
        names.extend(condition.iter().flat_map(Condition::comparisons).map(|comparison| comparison.path.clone()));
        names.retain(|name| !name.is_empty());
        names
    }

    fn condition(&self) -> Option<Condition> {
        condition::parse(&self.filter).ok()
    }

    /// The same by other names.
    #[must_use]
    pub fn renamed(&self, rename: impl Fn(&str) -> String) -> Self {
        let key = |key: &str| match key.trim().strip_prefix('-') {
            Some(name) => format!("-{}", rename(name)),
            None => rename(key.trim()),
        };
        let ordering: Vec<String> = self.ordering.split(',').filter(|part| !part.is_empty()).map(key).collect();
        let filter = self.condition().map_or_else(
            || self.filter.clone(),
            |mut condition| {
                condition.rename(&rename);
                condition.to_string()
            },
        );
        let column = |column: &ViewColumn| ViewColumn { name: rename(&column.name), ..column.clone() };
        Self {
            filter,
            ordering: ordering.join(","),
            columns: self.columns.iter().map(column).collect(),
            plot: self.plot.as_deref().map(rename),
            ..self.clone()
        }
    }

    /// The same with some members in another way; one that is null is as if it had not been said.
    pub fn patched(&self, patch: &Object) -> Result<Self, FieldErrors> {
        let mut members = object(json!(self))?;
        members.extend(patch.clone());
        members.retain(|_, value| !value.is_null());
        Self::from_json(Value::Object(members))
    }
}

/// The name that stands at the beginning of a path, of those that are known: the longest.
pub fn first_name(path: &str, is_known: impl Fn(&str) -> bool) -> Option<&str> {
    let ends = path.match_indices("__").map(|(at, _)| at).chain([path.len()]);
    ends.map(|end| &path[..end]).filter(|name| is_known(name)).last()
}

impl Body for ViewDefinition {
    fn from_json(value: Value) -> Result<Self, FieldErrors> {
        let mut reader = Reader::new(value)?;
        reader.sent_back(READ_ONLY);
        let name = reader.text("name").and_then(|name| of_length(&mut reader, "name", name, MAX_NAME));
        let collection = reader.parsed("collection");
        let [filter, search, ordering] = ["filter", "search", "ordering"].map(|member| {
            let text = reader.text_or_empty(member);
            of_length(&mut reader, member, text, MAX_TEXT).unwrap_or_default()
        });
        let columns = reader.take("columns").map(read_columns);
        if let Some(None) = columns {
            let message = format!(
                "Give a list of columns, {MAX_COLUMNS} at most, each with a \"name\" and perhaps a \"width\" from 1 to {MAX_WIDTH}."
            );
            reader.fail::<()>("columns", invalid(message));
        }
        let columns = columns.flatten().unwrap_or_default();
        let plot = match reader.take("plot") {
            None | Some(Value::Null) => None,
            Some(plot) => plot.as_str().filter(|plot| is_name(plot)).map(str::to_owned).or_else(|| {
                reader.fail("plot", invalid("Name the field by which the records are plotted, or give null."))
            }),
        };
        let shared = reader.boolean("shared");
        let faults = reader.finish();
        let (Some(name), Some(collection)) = (name, collection) else { return Err(faults) };
        faults.or(Self { name, collection, filter, search, ordering, columns, plot, shared })
    }

    fn to_json(&self) -> Value {
        json!(self)
    }
}

fn of_length(reader: &mut Reader, member: &str, text: String, most: usize) -> Option<String> {
    if text.chars().count() <= most {
        return Some(text);
    }
    reader.fail(member, FieldError::new("max_length", format!("Ensure this field has no more than {most} characters.")))
}

fn is_name(name: &str) -> bool {
    (1..=MAX_NAME).contains(&name.chars().count()) && !name.contains('\0')
}

fn read_columns(value: Value) -> Option<Vec<ViewColumn>> {
    let Value::Array(columns) = value else { return None };
    let read = |column: &Value| {
        let members = column.as_object()?;
        let is_known = members.keys().all(|name| name == "name" || name == "width");
        let name = members.get("name")?.as_str().filter(|name| is_name(name) && is_known)?;
        let width = match members.get("width") {
            None | Some(Value::Null) => None,
            Some(width) => {
                let width = u16::try_from(width.as_u64()?).ok()?;
                Some(Some(width).filter(|width| (1..=MAX_WIDTH).contains(width))?)
            }
        };
        Some(ViewColumn { name: name.to_owned(), width })
    };
    (columns.len() <= MAX_COLUMNS).then(|| columns.iter().map(read).collect()).flatten()
}

/// A patch of a view: the members that change.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ViewPatch(pub Object);

impl Body for ViewPatch {
    fn from_json(value: Value) -> Result<Self, FieldErrors> {
        let mut reader = Reader::new(value)?;
        reader.sent_back(READ_ONLY);
        let members = reader.sent_back(&NAMES);
        reader.finish().or(Self(members))
    }

    fn to_json(&self) -> Value {
        Value::Object(self.0.clone())
    }
}

/// A view as it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct View {
    /// Names it for ever.
    pub id: ViewId,
    /// What was said of it, with the names that the collection and its fields have today.
    #[serde(flatten)]
    pub definition: ViewDefinition,
    /// Who keeps it.
    pub owner: UserId,
    /// RFC 3339, UTC.
    #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
    pub created_at: String,
    /// RFC 3339, UTC.
    #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
    pub updated_at: String,
    /// The number of the change that wrote it.
    pub revision: Revision,
    /// What of it is gone.
    #[serde(default)]
    pub notes: Vec<String>,
}

impl JsonAnswer for View {}

/// The parameters of the list of views.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ViewQuery {
    /// Only those of this collection, and the shared ones of it.
    pub collection: Option<CollectionName>,
}

impl Query for ViewQuery {
    fn from_pairs(pairs: Pairs) -> Result<Self, FieldErrors> {
        let (mut query, mut errors) = (Self::default(), FieldErrors::new());
        for (name, value) in pairs {
            match (name.as_str(), value.parse()) {
                ("collection", Ok(collection)) => query.collection = Some(collection),
                ("collection", Err(_)) => errors.push(name, invalid("This is not the name of a collection.")),
                _ => errors.push(name, unknown_parameter()),
            }
        }
        errors.or(query)
    }

    fn to_pairs(&self) -> Pairs {
        self.collection.iter().map(|name| ("collection".to_owned(), name.to_string())).collect()
    }
}

/// Whether two tables ask for the same records in the same order.
pub fn is_same(one: &ListQuery, other: &ListQuery) -> bool {
    let asked = |query: &ListQuery| ListQuery {
        filters: query.filters.clone(),
        filter: query.filter.clone(),
        search: query.search.clone(),
        ordering: query.ordering.clone(),
        fields: query.fields.clone(),
        ..ListQuery::default()
    };
    asked(one) == asked(other)
}

#[cfg(feature = "schema")]
mod described {
    use std::borrow::Cow;

    use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
    use serde_json::{Map, Value};

    use super::{MAX_NAME, MAX_TEXT, NAMES, READ_ONLY, ViewPatch};

    impl JsonSchema for ViewPatch {
        fn schema_name() -> Cow<'static, str> {
            "ViewPatch".into()
        }

        fn json_schema(_: &mut SchemaGenerator) -> Schema {
            let names = NAMES.iter().chain(READ_ONLY);
            let properties: Map<String, Value> = names.map(|name| ((*name).to_owned(), true.into())).collect();
            json_schema!({"type": "object", "properties": properties, "additionalProperties": false})
        }
    }

    /// A name.
    pub(super) struct Name;

    impl JsonSchema for Name {
        fn inline_schema() -> bool {
            true
        }

        fn schema_name() -> Cow<'static, str> {
            "Name".into()
        }

        fn json_schema(_: &mut SchemaGenerator) -> Schema {
            json_schema!({"type": "string", "minLength": 1, "maxLength": MAX_NAME, "pattern": "^[^\\u0000]+$"})
        }
    }

    /// A text of a view.
    pub(super) struct Short;

    impl JsonSchema for Short {
        fn inline_schema() -> bool {
            true
        }

        fn schema_name() -> Cow<'static, str> {
            "Short".into()
        }

        fn json_schema(_: &mut SchemaGenerator) -> Schema {
            json_schema!({"type": "string", "maxLength": MAX_TEXT, "pattern": "^[^\\u0000]*$"})
        }
    }
}

#[cfg(feature = "schema")]
use described::{Name, Short};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::decode;

    #[test]
    fn a_table_is_kept_and_comes_back_as_it_was() {
        let asked = "price__gte=3&search=pop+corn&ordering=-price%2Ctitle&fields=title%2Cprice";
        let query = ListQuery::from_pairs(decode(asked)).unwrap();
        let columns = ["title", "price"].map(|name| ViewColumn { name: name.to_owned(), width: None });
        let view = ViewDefinition::of("Dear".to_owned(), "snacks".parse().unwrap(), &query, columns.to_vec());
        assert_eq!((view.filter.as_str(), view.ordering.as_str()), ("price >= 3", "-price,title"));
        assert!(is_same(&view.query().unwrap(), &query), "{view:?}");
        assert_eq!(ViewDefinition::from_json(view.to_json()).unwrap(), view);
        let either = ListQuery::from_pairs(decode("filter=price%3C3+or+kind%3Dsweet")).unwrap();
        let view = ViewDefinition::of("Or".to_owned(), "snacks".parse().unwrap(), &either, Vec::new());
        assert!(is_same(&view.query().unwrap(), &either), "{view:?}");
    }

    #[test]
    fn what_is_renamed_is_renamed_everywhere() {
        let view = json!({"name": "a", "collection": "snacks", "filter": "price < 3 and maker.name ~ \"x\"", "ordering": "-maker__name,price",
            "columns": [{"name": "price", "width": 9}], "plot": "maker"});
        let view = ViewDefinition::from_json(view).unwrap();
        assert_eq!(view.names(), ["price", "maker", "maker__name", "price", "price", "maker__name"]);
        let known = |name: &str| name == "maker" || name == "price";
        let renamed = view.renamed(|path| match first_name(path, known) {
            Some(name) => format!("{}{}", if name == "maker" { "by" } else { "cost" }, &path[name.len()..]),
            None => path.to_owned(),
        });
        assert_eq!(renamed.filter, "cost < 3 and by.name ~ \"x\"");
        assert_eq!((renamed.ordering.as_str(), renamed.plot.as_deref()), ("-by__name,cost", Some("by")));
        assert_eq!(renamed.columns[0], ViewColumn { name: "cost".to_owned(), width: Some(9) });
        assert_eq!(first_name("a__b__c", |name| name == "a__b" || name == "a"), Some("a__b"));
    }

    #[test]
    fn each_fault_is_told_at_its_member() {
        for (member, value) in [
            ("name", json!("")),
            ("name", json!("x".repeat(MAX_NAME + 1))),
            ("collection", json!("No Name")),
            ("filter", json!("x".repeat(MAX_TEXT + 1))),
            ("columns", json!([{"name": "a", "width": 0}])),
            ("columns", json!(["a"])),
            ("plot", json!(3)),
            ("shared", json!("yes")),
            ("colour", json!("red")),
        ] {
            let mut view = json!({"name": "a", "collection": "snacks"});
            view[member] = value.clone();
            let errors = ViewDefinition::from_json(view).unwrap_err();
            assert_eq!(errors.0.keys().collect::<Vec<_>>(), [member], "{value}");
        }
    }
}
