//! What the collection is, by a model of its own: it knows nothing of steps, versions and rewriting.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::support::{Client, text};

/// The reference to a box, in place of a field's number.
pub(super) const BOX: u64 = 0;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Field {
    pub name: String,
    pub is_text: bool,
}

/// A record's values, by the numbers of their fields.
pub(super) type Row = BTreeMap<u64, Value>;

/// What the collection is: fields by a number that the model gives them, and their values by record.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Model {
    pub fields: BTreeMap<u64, Field>,
    /// The order of the fields.
    pub order: Vec<u64>,
    pub(super) records: BTreeMap<String, Row>,
    /// The collection was deleted; what it was is what it will be when that is undone.
    pub is_gone: bool,
    /// The records in each box.
    pub boxes: BTreeSet<String>,
    /// The box that was deleted last, and what went with it.
    pub removed: Option<(String, BTreeMap<String, Row>)>,
}

/// What is done, or may have been done.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Create(Value),
    Write(String, u64, Value),
    Delete(String),
    /// A box goes, with all that is in it.
    DeleteBox(String),
    Add(u64, String, Value),
    Drop(u64),
    Rename(u64, String),
    ToText(u64),
    Index(u64, bool),
    /// The collection goes, with all records.
    DeleteAll,
    /// A drop is undone: where the field stood, what it was, and the values that it had.
    Undrop(u64, usize, Field, BTreeMap<String, Value>),
    /// A retype is undone.
    ToInteger(u64),
    /// The deletion of a box is undone.
    Rebox(String),
    /// The deletion of the collection is undone.
    Undelete,
    /// What the journal says of the time before goes.
    Trim,
}

impl Step {
    /// What it is, without all the values that would come back.
    pub(super) fn short(&self) -> String {
        format!("{self:?}").chars().take(200).collect()
    }
}

impl Model {
    pub(super) fn apply(&mut self, step: &Step, made: Option<&str>) {
        match step {
            Step::Create(value) => {
                let values = self.order.iter().map(|id| {
                    let field = &self.fields[id];
                    let value = value.get(field.name.as_str()).cloned().unwrap_or_default();
                    (*id, as_stored(field, value))
                });
                let in_box = (BOX, value.get("box").cloned().unwrap_or_default());
                let values = values.chain([in_box]).collect();
                self.records.insert(made.unwrap_or("?").to_owned(), values);
            }
            Step::Write(id, field, value) => {
                let value = as_stored(&self.fields[field], value.clone());
                if let Some(record) = self.records.get_mut(id) {
                    record.insert(*field, value);
                }
            }
            Step::Delete(id) => drop(self.records.remove(id)),
            Step::DeleteBox(id) => {
                self.boxes.remove(id);
                let is_in = |row: &Row| row[&BOX] == json!(id);
                let (gone, kept) = std::mem::take(&mut self.records).into_iter().partition(|(_, row)| is_in(row));
                (self.records, self.removed) = (kept, Some((id.clone(), gone)));
            }
            Step::Rebox(id) => {
                if let Some((_, gone)) = self.removed.take_if(|(removed, _)| removed == id) {
                    self.boxes.insert(id.clone());
                    self.records.extend(gone);
                }
            }
            Step::DeleteAll => self.is_gone = true,
            Step::Undelete => self.is_gone = false,
            Step::Add(id, name, value) => {
                self.fields.insert(*id, Field { name: name.clone(), is_text: false });
                self.order.push(*id);
                for row in self.rows() {
                    row.insert(*id, value.clone());
                }
            }
            Step::Drop(id) => {
                self.fields.remove(id);
                self.order.retain(|known| known != id);
                for row in self.rows() {
                    row.remove(id);
                }
            }
            Step::Rename(id, name) => self.fields.get_mut(id).unwrap().name.clone_from(name),
            Step::ToText(id) | Step::ToInteger(id) => {
                let field = self.fields.get_mut(id).unwrap();
                field.is_text = matches!(step, Step::ToText(_));
                let field = field.clone();
                for row in self.rows() {
                    let value = row.get_mut(id).unwrap();
                    *value = as_stored(&field, value.take());
                }
            }
            Step::Index(..) | Step::Trim => {}
            Step::Undrop(id, place, field, values) => {
                self.fields.insert(*id, field.clone());
                self.order.insert((*place).min(self.order.len()), *id);
                for row in self.rows() {
                    row.insert(*id, Value::Null);
                }
                for (record, row) in &mut self.records {
                    row.insert(*id, values.get(record).cloned().unwrap_or_default());
                }
            }
        }
    }

    /// All rows, also those that may come back.
    fn rows(&mut self) -> impl Iterator<Item = &mut Row> {
        let removed = self.removed.iter_mut().flat_map(|(_, rows)| rows.values_mut());
        self.records.values_mut().chain(removed)
    }

    fn row(&self, record: &Row) -> Vec<Value> {
        self.order.iter().chain([&BOX]).map(|id| record[id].clone()).collect()
    }

    pub(super) fn is_same(&self, found: &Found) -> bool {
        if self.is_gone || found.is_gone {
            return self.is_gone && found.is_gone;
        }
        let own: Vec<&Field> = self.order.iter().map(|id| &self.fields[id]).collect();
        let known = self.records.iter().filter(|(id, _)| id.as_str() != "?");
        // One that was made and not answered has an id that nobody knows.
        let unknown: Vec<_> = found.records.iter().filter(|(id, _)| !self.records.contains_key(*id)).collect();
        let made = self.records.get("?").map(|row| self.row(row));
        own.into_iter().eq(&found.fields)
            && self.boxes == found.boxes
            && known.clone().all(|(id, record)| found.records.get(id) == Some(&self.row(record)))
            && match (&unknown[..], made) {
                ([], None) => true,
                ([(_, values)], Some(made)) => **values == made,
                _ => false,
            }
    }

    /// The records that are not as they are found, and what differs.
    pub(super) fn differences(&self, found: &Found) -> (Vec<String>, String) {
        if self.is_gone || found.is_gone {
            return (Vec::new(), format!("gone: {}, found gone: {}", self.is_gone, found.is_gone));
        }
        let mut said = Vec::new();
        let own: Vec<&Field> = self.order.iter().map(|id| &self.fields[id]).collect();
        if !own.iter().copied().eq(&found.fields) {
            said.push(format!("fields {own:?}, found {:?}", found.fields));
        }
        if self.boxes != found.boxes {
            said.push(format!("boxes {:?}, found {:?}", self.boxes, found.boxes));
        }
        let mut differing = Vec::new();
        for id in self.records.keys().chain(found.records.keys().filter(|id| !self.records.contains_key(*id))) {
            let (own, there) = (self.records.get(id).map(|row| self.row(row)), found.records.get(id));
            if own.as_ref() != there {
                if differing.len() < 10 {
                    said.push(format!("{id}: {own:?}, found {there:?}"));
                }
                differing.push(id.clone());
            }
        }
        said.push(format!("{} records differ", differing.len()));
        (differing, said.join("\n"))
    }

    /// A record that was made and not answered has got its id.
    pub(super) fn learn(&mut self, found: &Found) {
        if found.is_gone {
            return;
        }
        let named =
            |values: &Vec<Value>| self.order.iter().chain([&BOX]).copied().zip(values.iter().cloned()).collect();
        self.records = found.records.iter().map(|(id, values)| (id.clone(), named(values))).collect();
    }
}

/// Numbers become texts, and texts of digits numbers.
pub(super) fn as_stored(field: &Field, value: Value) -> Value {
    match value {
        Value::Number(number) if field.is_text => json!(number.to_string()),
        Value::String(text) if !field.is_text => json!(text.parse::<i64>().unwrap()),
        value => value,
    }
}

/// What there is.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub is_gone: bool,
    /// In order, without the reference to a box.
    fields: Vec<Field>,
    /// Each record's values in that order, and its box.
    pub(super) records: BTreeMap<String, Vec<Value>>,
    boxes: BTreeSet<String>,
}

/// Reads all; `None` where the server does not answer.
pub(super) async fn read(admin: &Client) -> Option<Found> {
    let get = async |address: &str| {
        let answer = admin.request(reqwest::Method::GET, address).send().await.ok()?;
        serde_json::from_slice::<Value>(&answer.bytes().await.ok()?).ok()
    };
    let all = async |name: &str| {
        let (mut rows, mut page) = (Vec::new(), 1);
        loop {
            let found = get(&format!("/api/records/{name}/?page_size=1000&page={page}")).await?;
            rows.extend(found["results"].as_array()?.iter().cloned());
            if found["next"].is_null() {
                return Some(rows);
            }
            page += 1;
        }
    };
    let boxes = all("boxes").await?.iter().map(|one| text(one, "id")).collect();
    let definition = get(super::ADDRESS).await?;
    if definition["code"] == "not_found" {
        return Some(Found { is_gone: true, ..Found::default() });
    }
    let fields: Vec<Field> = definition["fields"]
        .as_array()?
        .iter()
        .filter(|field| field["type"] != "reference")
        .map(|field| Field { name: text(field, "name"), is_text: field["type"] == "text" })
        .collect();
    let values = |record: &Value| {
        let names = fields.iter().map(|field| field.name.as_str()).chain(["box"]);
        names.map(|name| record[name].clone()).collect()
    };
    let records = all("things").await?.iter().map(|record| (text(record, "id"), values(record))).collect();
    Some(Found { is_gone: false, fields, records, boxes })
}
