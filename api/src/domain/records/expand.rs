//! `expand`: the records that rows refer to in place of their ids, and the records that refer to the rows.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    pin::Pin,
    sync::Arc,
};

use common::{
    access::{Action, Caller, Decision},
    field::{Field, FieldType},
    id::{RecordId, UserId},
    json::Exact,
    name::CollectionName,
    problem::{FieldError, FieldErrors},
    query::VIA,
    record::Record,
    text::single_line,
};
use serde_json::{Value, json};
use store::{Entry, Scan, Snapshot};

use crate::domain::{
    core::Core,
    deadline::Deadline,
    error::{Error, Result},
    keyspace,
    schema::Schema,
    users::name_of,
    work::{self, MAX_PAGE_BYTES},
};

/// How deep expansions nest.
const MAX_DEPTH: usize = 4;

/// What to put in place of members, or beside them, by name.
#[derive(Default)]
pub(super) struct Expansion(BTreeMap<String, Expanded>);

struct Expanded {
    what: ExpansionKind,
    inner: Expansion,
}

enum ExpansionKind {
    /// The record that a field refers to, or each of a list, of those that the caller may view.
    Reference { target: Arc<Schema>, may: Decision, is_of_many: bool },
    /// A record of a collection that is not there for the caller: null, or an empty list.
    Hidden { is_of_many: bool },
    /// The records whose field refers to the row, of those that the caller may list.
    Referrers { source: Arc<Schema>, field: Box<Field>, may: Decision },
    /// The name of the owner.
    Owner,
}

/// Names in the order of the query, as a tree.
#[derive(Default)]
struct Names(BTreeMap<String, Names>);

/// A column of a table of rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    /// What leads to the value, from member to member.
    pub path: Vec<String>,
    /// Its values are written as JSON, texts too.
    pub is_json: bool,
    /// Its values are numbers, texts too.
    pub is_number: bool,
}

impl Expansion {
    /// The columns of rows that have these members: one for each, and for a record in place of an id one for each of its own fields.
    pub(super) fn columns(&self, schema: &Schema, members: &[String]) -> Vec<Column> {
        let mut columns = Vec::new();
        let is_meant = |name: &String, member: &String| {
            member == name || schema.collection.field(member).is_some_and(|field| field.name.as_str() == name)
        };
        let more = self.0.keys().filter(|name| !members.iter().any(|member| is_meant(name, member)));
        for name in members.iter().chain(more) {
            let field = schema.collection.field(name);
            let is_json = field.is_some_and(|field| matches!(field.kind, FieldType::Json { .. }));
            let is_number = field.is_some_and(|field| matches!(field.kind, FieldType::Decimal { .. }));
            let inner = match self.0.get(field.map_or(name.as_str(), |field| field.name.as_str())) {
                None | Some(Expanded { what: ExpansionKind::Hidden { is_of_many: false }, .. }) => {
                    columns.push(Column { path: vec![name.clone()], is_json, is_number });
                    continue;
                }
                Some(Expanded { what: ExpansionKind::Owner, .. }) => {
                    let member = |name: &str| Column { path: vec![name.to_owned()], is_json: false, is_number: false };
                    vec![member("id"), member("username")]
                }
                Some(Expanded { what: ExpansionKind::Reference { target, is_of_many: false, .. }, inner }) => {
                    let fields = target.collection.fields.iter().map(|field| field.name.to_string());
                    inner.columns(target, &std::iter::once("id".to_owned()).chain(fields).collect::<Vec<_>>())
                }
                Some(Expanded {
                    what:
                        ExpansionKind::Referrers { .. }
                        | ExpansionKind::Reference { is_of_many: true, .. }
                        | ExpansionKind::Hidden { is_of_many: true },
                    ..
                }) => {
                    columns.push(Column { path: vec![name.clone()], is_json: true, is_number: false });
                    continue;
                }
            };
            columns.extend(inner.into_iter().map(|mut column| {
                column.path.insert(0, name.clone());
                column
            }));
        }
        columns
    }

    /// What a query asks for: names with dots between them, each a reference of the collection before it, or what refers to that.
    pub(super) async fn new(
        core: &Core,
        snapshot: &Snapshot,
        caller: &Caller,
        schema: &Arc<Schema>,
        asked: &[String],
    ) -> Result<Self> {
        let mut names = Names::default();
        for path in asked {
            if path.split('.').count() > MAX_DEPTH {
                return Err(refused(format!("Expansions nest {MAX_DEPTH} deep at most.")));
            }
            path.split('.').fold(&mut names, |names, name| names.0.entry(name.to_owned()).or_default());
        }
        Self::of(core, snapshot, caller, schema, names).await
    }

    fn of<'a>(
        core: &'a Core,
        snapshot: &'a Snapshot,
        caller: &'a Caller,
        schema: &'a Arc<Schema>,
        names: Names,
    ) -> Pin<Box<dyn Future<Output = Result<Self>> + Send + 'a>> {
        Box::pin(async move {
            let mut parts = BTreeMap::new();
            for (name, names) in names.0 {
                let name = schema.collection.field(&name).map_or(name, |field| field.name.to_string());
                let what = find(core, snapshot, caller, schema, &name).await?;
                let Some(what) = what else {
                    let message = format!("There is nothing to expand that is called \"{}\".", single_line(&name));
                    return Err(refused(message));
                };
                let inner = match &what {
                    // What is null has nothing in it, whatever that is called: a name that is refused would tell of those that are not.
                    ExpansionKind::Hidden { .. } => Self::default(),
                    ExpansionKind::Reference { target: other, .. } | ExpansionKind::Referrers { source: other, .. } => {
                        Self::of(core, snapshot, caller, other, names).await?
                    }
                    ExpansionKind::Owner if names.0.is_empty() => Self::default(),
                    ExpansionKind::Owner => return Err(refused("The owner has nothing to expand.".to_owned())),
                };
                parts.insert(name, Expanded { what, inner });
            }
            Ok(Self(parts))
        })
    }

    /// Nothing is expanded.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A member of this name is.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Expands rows; [`Error::TooLargeTogether`] where what is put in takes more than an answer may.
    pub(super) async fn apply(&self, snapshot: &Snapshot, deadline: &Deadline, rows: &mut [Record]) -> Result<()> {
        let mut reading = Reading { snapshot, deadline, bytes: 0 };
        self.expand(&mut reading, rows).await
    }

    fn expand<'a>(
        &'a self,
        reading: &'a mut Reading<'_>,
        rows: &'a mut [Record],
    ) -> Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>> {
        Box::pin(async move {
            for (name, part) in &self.0 {
                match &part.what {
                    ExpansionKind::Owner => reading.put_owners(rows).await?,
                    ExpansionKind::Hidden { is_of_many } => {
                        for row in rows.iter_mut() {
                            row.set(name.clone(), if *is_of_many { json!([]) } else { Value::Null });
                        }
                    }
                    ExpansionKind::Reference { target, may, is_of_many } => {
                        let values = rows.iter().filter_map(|row| row.get(name));
                        let ids: BTreeSet<RecordId> = values.flat_map(RecordId::all_in).collect();
                        let (ids, mut found) = reading.records(target, *may, ids).await?;
                        part.inner.expand(reading, &mut found).await?;
                        let found = found
                            .into_iter()
                            .map(|record| (work::parsed_size(Exact::from(&record).to_text().as_bytes()), record));
                        let found: HashMap<RecordId, (usize, Record)> = ids.into_iter().zip(found).collect();
                        for row in rows.iter_mut() {
                            let referred = row.get(name).into_iter().flat_map(RecordId::all_in);
                            let mut put = Vec::new();
                            for (size, record) in referred.filter_map(|id| found.get(&id)) {
                                reading.count(*size)?;
                                put.push(record.clone());
                            }
                            let value = if *is_of_many {
                                put.into_iter().collect()
                            } else {
                                put.pop().map_or_else(Exact::default, Exact::from)
                            };
                            row.set(name.clone(), value);
                        }
                    }
                    ExpansionKind::Referrers { source, field, may } => {
                        for row in rows.iter_mut() {
                            let mut found = match row.get("id") {
                                Some(id) => reading.referrers(source, field, *may, id).await?,
                                None => Vec::new(),
                            };
                            part.inner.expand(reading, &mut found).await?;
                            row.set(name.clone(), found.into_iter().collect::<Exact>());
                        }
                    }
                }
            }
            Ok(())
        })
    }
}

/// The names of a path that an admin published, each as far as it means something to this caller: what refers to a record is not told to who
/// may not list it, and the record that it refers to is.
pub async fn expandable(core: &Core, caller: &Caller, name: &CollectionName, names: &[String]) -> Result<Vec<String>> {
    if !names.iter().any(|name| name.contains(VIA)) {
        return Ok(names.to_vec());
    }
    let snapshot = core.store.snapshot().await?;
    let schema = core.schemas.find(&snapshot, name, caller).await?;
    let mut found = Vec::with_capacity(names.len());
    for name in names {
        let mut way = Some(name.as_str());
        while let Some(name) = way {
            match Expansion::new(core, &snapshot, caller, &schema, &[name.to_owned()]).await {
                Ok(_) => {
                    found.push(name.to_owned());
                    break;
                }
                Err(Error::Invalid(_)) => way = name.rsplit_once('.').map(|(before, _)| before),
                Err(error) => return Err(error),
            }
        }
    }
    Ok(found)
}

/// What a name of an expansion means; `None` where it means nothing to this caller.
async fn find(
    core: &Core,
    snapshot: &Snapshot,
    caller: &Caller,
    schema: &Schema,
    name: &str,
) -> Result<Option<ExpansionKind>> {
    if let Some(field) = schema.collection.field(name) {
        let FieldType::Reference { collection: Some(collection), .. } = &field.kind else { return Ok(None) };
        let Some(target) = core.schemas.load(snapshot, collection).await? else { return Ok(None) };
        let may = target.collection.access.decide(Action::View, caller);
        let is_of_many = field.kind.refers_to_many();
        if !target.is_visible(caller) {
            return Ok(Some(ExpansionKind::Hidden { is_of_many }));
        }
        return Ok(Some(ExpansionKind::Reference { target, may, is_of_many }));
    }
    if name == "owner" {
        return Ok(Some(ExpansionKind::Owner));
    }
    for (at, _) in name.match_indices(VIA) {
        let Ok(source) = name[..at].parse() else { continue };
        let Some(source) = core.schemas.load(snapshot, &source).await? else { continue };
        let Some(field) = source.collection.field(&name[at + VIA.len()..]) else { continue };
        let may = source.collection.access.decide(Action::List, caller);
        if matches!(&field.kind, FieldType::Reference { collection: Some(collection), .. } if *collection == schema.collection.name)
            && may != Decision::Denied
        {
            let field = Box::new(field.clone());
            return Ok(Some(ExpansionKind::Referrers { source, field, may }));
        }
    }
    Ok(None)
}

fn refused(message: String) -> Error {
    FieldErrors::of("expand", FieldError::new("invalid", message)).into()
}

/// What is read for one answer.
struct Reading<'a> {
    snapshot: &'a Snapshot,
    deadline: &'a Deadline,
    /// What it takes together.
    bytes: usize,
}

impl Reading<'_> {
    fn count(&mut self, bytes: usize) -> Result<()> {
        self.bytes += bytes;
        if self.bytes > MAX_PAGE_BYTES {
            return Err(Error::TooLargeTogether);
        }
        work::hold(bytes)
    }

    /// The records with these ids that the caller may see, as they are sent.
    async fn records(
        &mut self,
        schema: &Schema,
        may: Decision,
        ids: BTreeSet<RecordId>,
    ) -> Result<(Vec<RecordId>, Vec<Record>)> {
        let (mut known, mut found) = (Vec::new(), Vec::new());
        let ids: Vec<_> = ids.into_iter().collect();
        for ids in ids.chunks(work::AT_ONCE) {
            let keys: Vec<_> = ids.iter().map(|id| keyspace::record(schema.number(), *id)).collect();
            for (id, entry) in ids.iter().zip(self.snapshot.get_many(&keys).await?) {
                let Some(record) =
                    entry.as_ref().map(|entry| self.open(schema, *id, entry, may)).transpose()?.flatten()
                else {
                    continue;
                };
                known.push(*id);
                found.push(record);
            }
            self.deadline.pause().await?;
        }
        Ok((known, found))
    }

    /// The records whose field refers to a record, in the order of creation.
    async fn referrers(&mut self, source: &Schema, field: &Field, may: Decision, id: &Value) -> Result<Vec<Record>> {
        let mut found = Vec::new();
        let snapshot = self.snapshot;
        let Some(index) = source.index(field.name.as_str()) else { return Ok(found) };
        let prefix = keyspace::index_value(source.number(), index, field, id);
        let mut pages = snapshot.pages(Scan::prefix(&prefix));
        while let Some(entries) = pages.next().await? {
            let ids: BTreeSet<_> = entries.iter().filter_map(|(key, _)| keyspace::last_id(key)).collect();
            found.extend(self.records(source, may, ids).await?.1);
        }
        Ok(found)
    }

    fn open(&mut self, schema: &Schema, id: RecordId, entry: &Entry, may: Decision) -> Result<Option<Record>> {
        let record = schema.parse(id, entry)?;
        if !may.covers(record.owner()) {
            return Ok(None);
        }
        self.count(work::parsed_size(&entry.value))?;
        Ok(Some(record))
    }

    /// Puts id and name in place of the owners' ids.
    async fn put_owners(&mut self, rows: &mut [Record]) -> Result<()> {
        let mut names: HashMap<UserId, Value> = HashMap::new();
        for row in rows {
            let Some(id) = row.get("owner").and_then(Value::as_str).and_then(|id| id.parse().ok()) else { continue };
            if let std::collections::hash_map::Entry::Vacant(place) = names.entry(id) {
                let user = name_of(self.snapshot, id).await?;
                place.insert(user.map_or(Value::Null, |name| json!({"id": id, "username": name})));
                self.deadline.pause().await?;
            }
            row.set("owner", names[&id].clone());
        }
        Ok(())
    }
}
