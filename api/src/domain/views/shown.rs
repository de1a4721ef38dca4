//! Views as they are sent, as far as the caller may know of them.

use std::{collections::BTreeSet, sync::Arc};

use common::{
    access::{Action, Caller, Decision},
    id::{Revision, ViewId},
    page::Page,
    view::{View, ViewQuery},
};
use store::Snapshot;

use super::stored::{StoredView, find, ids, load};
use crate::domain::{
    core::Core,
    error::{Error, Result},
    keyspace,
    numbers::CollectionNumber,
    schema::{self, Schema},
    work,
};

/// The caller's own views; of one collection those that are shared too.
pub async fn list(core: &Core, caller: &Caller, query: &ViewQuery) -> Result<Page<View>> {
    let Some(user) = caller.user_id() else { return Ok(Page::single(Vec::new())) };
    let snapshot = core.store.snapshot().await?;
    let mut wanted: BTreeSet<ViewId> = ids(&snapshot, &keyspace::views_of(user)).await?.into_iter().collect();
    let only = match &query.collection {
        None => None,
        Some(name) => {
            let schema = core.schemas.load(&snapshot, name).await?.filter(|schema| may_list(schema, caller));
            let number = schema.map(|schema| schema.number());
            let Some(number) = number else { return Ok(Page::single(Vec::new())) };
            wanted.extend(ids(&snapshot, &keyspace::views_in(number).bool(true)).await?);
            Some(number)
        }
    };
    let mut views = Vec::new();
    for stored in load(&snapshot, &wanted.into_iter().collect::<Vec<_>>()).await? {
        if only.is_none_or(|only| only == stored.number)
            && let Some(schema) = listable(core, &snapshot, caller, stored.number).await?
        {
            let view = shown(&stored, &schema);
            work::hold(size_of::<View>() + 2 * (view.definition.filter.len() + view.definition.search.len()))?;
            views.push(view);
        }
    }
    Ok(Page::single(views))
}

/// One view as it is sent.
pub async fn get(core: &Core, caller: &Caller, id: ViewId) -> Result<View> {
    let snapshot = core.store.snapshot().await?;
    let (stored, schema) = visible(core, &snapshot, caller, id).await?;
    Ok(shown(&stored, &schema))
}

/// A view that the caller may see, and the collection that it shows: one that they may not see is not there.
pub(super) async fn visible(
    core: &Core,
    snapshot: &Snapshot,
    caller: &Caller,
    id: ViewId,
) -> Result<(StoredView, Arc<Schema>)> {
    let stored = find(snapshot, id).await?;
    let is_told = stored.definition.shared || caller.is_admin() || caller.user_id() == Some(stored.owner);
    match listable(core, snapshot, caller, stored.number).await? {
        Some(schema) if is_told => Ok((stored, schema)),
        _ => Err(Error::NotFound),
    }
}

/// The collection of a number, where it is there and the caller may list it.
async fn listable(
    core: &Core,
    snapshot: &Snapshot,
    caller: &Caller,
    number: CollectionNumber,
) -> Result<Option<Arc<Schema>>> {
    let schema = schema::by_number(&core.schemas, snapshot, number).await?;
    Ok(schema.filter(|schema| may_list(schema, caller)))
}

/// Whether the caller may list its records, all or some.
pub(super) fn may_list(schema: &Schema, caller: &Caller) -> bool {
    schema.collection.access.decide(Action::List, caller) != Decision::Denied
}

fn shown(stored: &StoredView, schema: &Schema) -> View {
    let (definition, gone) = stored.today(schema);
    let note = |name: &String| format!("The field \"{name}\" is not there any more.");
    View {
        id: stored.id,
        definition,
        owner: stored.owner,
        created_at: stored.created_at.clone(),
        updated_at: stored.updated_at.clone(),
        revision: Revision(stored.version.get()),
        notes: gone.iter().map(note).collect(),
    }
}
