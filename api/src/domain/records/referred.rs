//! The records that other records refer to, as far as filters and orderings ask for them: read together for many rows, and of
//! each only the members that are asked for.

use std::{
    borrow::Cow,
    collections::{BTreeSet, HashMap},
};

use base::Charge;
use common::{
    Object,
    id::{RecordId, UserId},
    query::Part,
    record::Record,
};
use serde_json::Value;
use store::Snapshot;

use super::path::{Path, Step};
use crate::domain::{
    deadline::Deadline, error::Result, keyspace, numbers::CollectionNumber, records::stored::parse_some,
    users::name_of, work,
};

/// Bytes that are kept from one stretch of rows to the next.
const MAX_KEPT: u64 = 4 * 1024 * 1024;

/// Records by collection and id; nothing where there is none that the caller may view.
pub(crate) struct Referred {
    /// The members that are asked for.
    wanted: HashMap<CollectionNumber, BTreeSet<String>>,
    records: HashMap<(CollectionNumber, RecordId), Option<Object>>,
    /// The names of owners; null for who is gone.
    names: HashMap<UserId, Value>,
    /// What all of that takes.
    held: Charge,
}

impl Default for Referred {
    fn default() -> Self {
        let (wanted, records, names) = (HashMap::new(), HashMap::new(), HashMap::new());
        Self { wanted, records, names, held: work::charge() }
    }
}

impl Referred {
    /// For what these paths ask.
    pub(crate) fn new<'a>(paths: impl Iterator<Item = &'a Path>) -> Self {
        let mut wanted: HashMap<CollectionNumber, BTreeSet<String>> = HashMap::new();
        for path in paths {
            for (i, step) in path.steps.iter().enumerate() {
                let member = path.steps.get(i + 1).map_or(&path.member, |next| &next.field);
                wanted.entry(step.target.number()).or_default().insert(member.clone());
            }
        }
        Self { wanted, ..Self::default() }
    }

    /// Reads what `paths` lead to from these records.
    pub(crate) async fn load<'a>(
        &mut self,
        snapshot: &Snapshot,
        deadline: &Deadline,
        paths: impl Iterator<Item = &'a Path>,
        records: impl Iterator<Item = &Record> + Clone,
    ) -> Result<()> {
        if self.held.bytes() > MAX_KEPT {
            (self.records, self.names) = (HashMap::new(), HashMap::new());
            self.held.shrink_to(0);
        }
        for path in paths.filter(|path| !path.is_own()) {
            self.follow(snapshot, deadline, path, records.clone()).await?;
            if path.is_name() {
                let ids = records.clone().flat_map(|record| path.ends(record, self));
                let ids = ids.filter_map(|members| user_id(members.get(&path.member)?)).collect();
                self.read_names(snapshot, ids).await?;
            }
        }
        Ok(())
    }

    /// Reads the records on a path.
    async fn follow<'a>(
        &mut self,
        snapshot: &Snapshot,
        deadline: &Deadline,
        path: &Path,
        records: impl Iterator<Item = &'a Record>,
    ) -> Result<()> {
        if let Some(first) = path.steps.first() {
            let mut ids: BTreeSet<RecordId> =
                records.filter_map(|record| record.get(&first.field)).flat_map(RecordId::all_in).collect();
            for (i, step) in path.steps.iter().enumerate() {
                self.read(snapshot, deadline, step, &ids).await?;
                let Some(next) = path.steps.get(i + 1) else { break };
                let found = ids.iter().filter_map(|id| self.records.get(&(step.target.number(), *id))?.as_ref());
                ids = found.filter_map(|members| members.get(&next.field)).flat_map(RecordId::all_in).collect();
            }
        }
        Ok(())
    }

    /// Reads records, a few at a time: of each no more is kept than what is asked for, and that is charged.
    async fn read(
        &mut self,
        snapshot: &Snapshot,
        deadline: &Deadline,
        step: &Step,
        ids: &BTreeSet<RecordId>,
    ) -> Result<()> {
        let collection = step.target.number();
        let wanted = self.wanted.entry(collection).or_default().clone();
        let read: BTreeSet<&str> = wanted.iter().map(String::as_str).chain(["owner"]).collect();
        let missing: Vec<RecordId> =
            ids.iter().copied().filter(|id| !self.records.contains_key(&(collection, *id))).collect();
        for (i, ids) in missing.chunks(work::AT_ONCE).enumerate() {
            if i > 0 {
                deadline.pause().await?;
            }
            let keys: Vec<_> = ids.iter().map(|id| keyspace::record(collection, *id)).collect();
            for (id, entry) in ids.iter().zip(snapshot.get_many(&keys).await?) {
                let record = entry.map(|entry| parse_some(&step.target, *id, &entry, Some(&read))).transpose()?;
                let mut members = record.filter(|record| step.may.covers(record.owner())).map(Record::into_object);
                if let Some(members) = &mut members {
                    members.retain(|name, _| wanted.contains(name));
                }
                let frame = 2 * size_of::<(CollectionNumber, RecordId, Object)>();
                self.held.grow((frame + members.as_ref().map_or(0, work::members_size)) as u64)?;
                self.records.insert((collection, *id), members);
            }
        }
        Ok(())
    }

    async fn read_names(&mut self, snapshot: &Snapshot, ids: BTreeSet<UserId>) -> Result<()> {
        for id in ids {
            if !self.names.contains_key(&id) {
                let name = name_of(snapshot, id).await?;
                let bytes = 2 * size_of::<(UserId, Value)>() + name.as_ref().map_or(0, |name| name.as_str().len());
                self.held.grow(bytes as u64)?;
                self.names.insert(id, name.map_or(Value::Null, |name| name.as_str().into()));
            }
        }
        Ok(())
    }

    /// The name of the user with this id.
    pub(super) fn username(&self, id: &Value) -> Option<&Value> {
        self.names.get(&user_id(id)?)
    }

    /// The members of the record with this id.
    fn get(&self, collection: CollectionNumber, id: RecordId) -> Option<&Object> {
        self.records.get(&(collection, id))?.as_ref()
    }
}

fn user_id(value: &Value) -> Option<UserId> {
    value.as_str()?.parse().ok()
}

impl Path {
    /// The members of the records that it leads to: of none where that is nothing, or nothing that the caller may view.
    fn ends<'a>(&self, record: &'a Record, referred: &'a Referred) -> Vec<&'a Object> {
        self.steps.iter().fold(vec![record.as_object()], |ends, step| {
            let ids = ends.into_iter().filter_map(|members| members.get(&step.field)).flat_map(RecordId::all_in);
            ids.filter_map(|id| referred.get(step.target.number(), id)).collect()
        })
    }

    /// The value that a record has there; null where it refers to nothing, or to what the caller may not view.
    pub(crate) fn value<'a>(&self, record: &'a Record, referred: &'a Referred) -> Cow<'a, Value> {
        let members = match self.steps.as_slice() {
            [] => Some(record.as_object()),
            _ => self.ends(record, referred).into_iter().next(),
        };
        self.value_of(members, referred)
    }

    /// The values that a record has there, where it leads to several records.
    pub(crate) fn values<'a>(&self, record: &'a Record, referred: &'a Referred) -> Vec<Cow<'a, Value>> {
        let ends = self.ends(record, referred);
        ends.into_iter().map(|members| self.value_of(Some(members), referred)).collect()
    }

    fn value_of<'a>(&self, members: Option<&'a Object>, referred: &'a Referred) -> Cow<'a, Value> {
        const NULL: &Value = &Value::Null;
        let value = members.and_then(|members| members.get(&self.member)).unwrap_or(NULL);
        match self.part {
            None => Cow::Borrowed(value),
            Some(Part::Username) => Cow::Borrowed(referred.username(value).unwrap_or(NULL)),
            Some(part) => Cow::Owned(part.take(value)),
        }
    }
}
