//! Other collections in a table, by a left join: their columns and cells, and which fields most likely belong together.

use serde_json::Value;

use super::{Column, cell};
use crate::{collection::Collection, field::FieldType, name::SERVER_MEMBERS, query::JoinWith, text};

/// A column for each collection that is joined.
pub fn joined_columns(joins: &[JoinWith]) -> impl Iterator<Item = Column> {
    joins.iter().map(|join| Column {
        name: join.collection.to_string(),
        label: text::label(join.collection.as_str()),
        numeric: false,
        sortable: false,
    })
}

/// The joined rows of a column in one cell: of each, what it says of its own beside the field that it was joined by.
pub fn joined_cell(joins: &[JoinWith], column: &str, rows: &[Value]) -> String {
    let join = joins.iter().find(|join| join.collection.as_str() == column);
    let by = join.map_or("", |join| &join.their_field);
    let row = |row: &Value| {
        let members = row.as_object()?.iter();
        let own = members.filter(|(name, _)| *name != by && !SERVER_MEMBERS.contains(&name.as_str()));
        Some(own.map(|(_, value)| cell(Some(value))).collect::<Vec<_>>().join(" · "))
    };
    rows.iter().filter_map(row).collect::<Vec<_>>().join("; ")
}

/// The fields by which a collection can be joined.
pub fn join_fields(collection: &Collection) -> Vec<String> {
    let own = collection.fields.iter().map(|field| field.name.to_string());
    own.chain(["id".to_owned()]).collect()
}

/// The join that most likely is meant: by a reference from one to the other, or by the first field that both have.
pub fn likely_join(own: &Collection, other: &Collection) -> JoinWith {
    let refers = |from: &Collection, to: &Collection| {
        let field = from
            .fields
            .iter()
            .find(|field| matches!(&field.kind, FieldType::Reference { collection, .. } if collection.as_ref() == Some(&to.name)));
        field.map(|field| field.name.to_string())
    };
    let common = own.fields.iter().map(|field| field.name.as_str()).find(|name| other.field(name).is_some());
    let first =
        |collection: &Collection| collection.fields.first().map_or("id".to_owned(), |field| field.name.to_string());
    let (field, their_field) = match (refers(own, other), refers(other, own), common) {
        (Some(field), ..) => (field, "id".to_owned()),
        (None, Some(their_field), _) => ("id".to_owned(), their_field),
        (None, None, Some(name)) => (name.to_owned(), name.to_owned()),
        (None, None, None) => (first(own), first(other)),
    };
    JoinWith { collection: other.name.clone(), field, their_field }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn collection(name: &str, fields: &Value) -> Collection {
        serde_json::from_value(json!({
            "id": "01920000-0000-7000-8000-000000000001", "name": name, "created_at": "", "updated_at": "", "revision": 1,
            "fields": fields, "access": {"list": [], "view": [], "create": [], "update": [], "delete": []}
        }))
        .unwrap()
    }

    #[test]
    fn the_likely_join_comes_first() {
        let text = |name| json!({"name": name, "type": "text"});
        let synonyms = collection("synonyms", &json!([text("word"), text("synonym")]));
        let antonyms = collection("antonyms", &json!([text("antonym"), text("word")]));
        let orders = collection(
            "orders",
            &json!([text("note"), {"name": "snack", "type": "reference", "collection": "snacks"}]),
        );
        let snacks = collection("snacks", &json!([text("title")]));
        let said = |own, other| likely_join(own, other).to_string();
        assert_eq!(said(&synonyms, &antonyms), "antonyms:word=word");
        assert_eq!(said(&orders, &snacks), "snacks:snack=id");
        assert_eq!(said(&snacks, &orders), "orders:id=snack");
        assert_eq!(said(&snacks, &synonyms), "synonyms:title=word");
    }

    #[test]
    fn a_cell_says_what_the_joined_rows_say_of_their_own() {
        let joins = ["antonyms:word=word".parse().unwrap()];
        let rows = json!([{"id": "x", "word": "fond", "antonym": "averse\u{1b}", "since": 1990, "revision": 3}, {"word": "fond", "antonym": "cold"}]);
        let said = joined_cell(&joins, "antonyms", rows.as_array().unwrap());
        assert_eq!(said, "averse\u{fffd} · 1990; cold");
        assert_eq!(joined_columns(&joins).next().unwrap().label, "Antonyms");
    }
}
