//! What records are called that rows name by their ids, of those that the caller may view: references, owners, and the rows themselves.

use std::collections::BTreeSet;

use common::{
    access::Action,
    field::FieldType,
    id::{RecordId, UserId},
    name::CollectionName,
    table,
};
use serde_json::{Map, Value};

use super::{rows::Row, view::View};
use crate::domain::{
    error::Result,
    keyspace,
    records::stored::parse_some,
    users::name_of,
    work::{self, AT_ONCE},
};

/// Characters of a name at most.
const LONGEST: usize = 200;

/// Names by [`table::name_key`].
#[derive(Default)]
pub(super) struct Names(pub(super) Map<String, Value>);

impl Names {
    /// The names of users.
    pub(super) async fn add_owners(&mut self, view: &View<'_>, ids: impl Iterator<Item = &Value>) -> Result<()> {
        for id in ids {
            let Some(user) = id.as_str().and_then(|id| id.parse::<UserId>().ok()) else { continue };
            if self.0.contains_key(&user.to_string()) {
                continue;
            }
            view.deadline.pause().await?;
            if let Some(name) = name_of(view.snapshot, user).await? {
                self.put(user.to_string(), name.as_str())?;
            }
        }
        Ok(())
    }

    /// What the records of a collection are called whose ids stand in a member of this name.
    pub(super) async fn add_records(
        &mut self,
        view: &View<'_>,
        member: &str,
        collection: &CollectionName,
        ids: impl Iterator<Item = &Value>,
    ) -> Result<()> {
        let Some(target) = view.core.schemas.load(view.snapshot, collection).await? else { return Ok(()) };
        let may = target.collection.access.decide(Action::View, view.caller);
        if !target.is_visible(view.caller) {
            return Ok(());
        }
        let ids: Vec<RecordId> = ids.flat_map(RecordId::all_in).collect::<BTreeSet<_>>().into_iter().collect();
        for ids in ids.chunks(AT_ONCE) {
            view.deadline.pause().await?;
            let keys: Vec<_> = ids.iter().map(|id| keyspace::record(target.number(), *id)).collect();
            for (id, entry) in ids.iter().zip(view.snapshot.get_many(&keys).await?) {
                let Some(entry) = entry else { continue };
                let record = target.parse(*id, &entry)?;
                if may.covers(record.owner()) {
                    let key = table::name_key(member, &id.to_value());
                    self.put(key, &table::title_of(&target.collection, &record))?;
                }
            }
        }
        Ok(())
    }

    fn put(&mut self, key: String, name: &str) -> Result<()> {
        let name: String = name.chars().take(LONGEST).collect();
        work::hold(key.len() + name.len() + size_of::<(String, Value)>())?;
        self.0.insert(key, name.into());
        Ok(())
    }
}

/// What the rows are called, and what they refer to, as far as it is sent; `None` where nobody asks for that.
pub(super) async fn names(view: &View<'_>, rows: &[Row]) -> Result<Option<Map<String, Value>>> {
    let (collection, query) = (&view.schema.collection, view.query);
    if !query.named {
        return Ok(None);
    }
    let is_sent = |name: &str| {
        let is_meant =
            |asked: &String| collection.field(asked).map_or(asked == name, |field| field.name.as_str() == name);
        query.fields.is_empty() || query.fields.iter().any(is_meant)
    };
    let references: Vec<_> = collection
        .fields
        .iter()
        .filter(|field| is_sent(field.name.as_str()))
        .filter_map(|field| match &field.kind {
            FieldType::Reference { collection: Some(target), .. } => Some((field.name.as_str(), target)),
            _ => None,
        })
        .collect();
    let mut names = Names::default();
    let mut records = Vec::with_capacity(rows.len());
    for rows in rows.chunks(AT_ONCE) {
        view.deadline.pause().await?;
        for (id, entry) in rows {
            let record = parse_some(&view.schema, *id, entry, None)?;
            names.put(table::name_key("id", &id.to_value()), &table::title_of(collection, &record))?;
            let members = references.iter().map(|(name, _)| record.get(name).cloned().unwrap_or_default());
            let owner = record.get("owner").filter(|_| is_sent("owner")).cloned();
            let (members, owner) = (members.collect::<Vec<Value>>(), owner.unwrap_or_default());
            work::hold(
                members.iter().chain([&owner]).map(|value| work::parsed_size(value.to_string().as_bytes())).sum(),
            )?;
            records.push((members, owner));
        }
    }
    for (i, (member, target)) in references.iter().enumerate() {
        names.add_records(view, member, target, records.iter().map(|(members, _)| &members[i])).await?;
    }
    names.add_owners(view, records.iter().map(|(_, owner)| owner)).await?;
    Ok(Some(names.0))
}
