//! Keeping views, changing them and deleting them.

use std::sync::Arc;

use common::{
    Object,
    access::Caller,
    id::{Revision, UserId, ViewId},
    problem::{FieldError, FieldErrors, NON_FIELD},
    view::{View, ViewDefinition},
};
use store::{Batch, Expect, Snapshot};

use super::{
    shown::{get, may_list, visible},
    stored::{MAX_OF_COLLECTION, MAX_OF_USER, StoredView, expect_unchanged, fields_of, ids, load},
};
use crate::domain::{
    core::Core,
    error::{AuthError, Error, Result},
    keyspace,
    numbers::CollectionNumber,
    precondition::Precondition,
    records,
    retry::Retry,
    schema::Schema,
};

/// Keeps a view.
pub async fn create(core: &Core, caller: &Caller, definition: ViewDefinition) -> Result<View> {
    let owner = caller.user_id().ok_or(AuthError::Missing)?;
    let id = ViewId::from_uuid(core.ids.next_id());
    let mut retry = Retry::new(core);
    loop {
        let snapshot = core.store.snapshot().await?;
        let schema = check(core, &snapshot, caller, &definition).await?;
        let at = core.timestamp();
        let stored = stored(id, owner, &schema, &definition, [at.clone(), at]);
        let mut batch = Batch::new();
        batch.expect(keyspace::view(id), Expect::Absent).expect(keyspace::user(owner), Expect::Present);
        expect_unchanged(&snapshot, &mut batch).await?;
        expect_room(&snapshot, &stored).await?;
        put(&mut batch, &stored, &schema)?;
        if retry.commit(batch).await?.is_some() {
            return get(core, caller, id).await;
        }
    }
}

/// Defines a view anew.
pub async fn replace(
    core: &Core,
    caller: &Caller,
    id: ViewId,
    definition: ViewDefinition,
    precondition: Option<&Precondition>,
) -> Result<View> {
    change(core, caller, id, precondition, |_| Ok(definition.clone())).await
}

/// Changes parts of a view.
pub async fn update(
    core: &Core,
    caller: &Caller,
    id: ViewId,
    patch: &Object,
    precondition: Option<&Precondition>,
) -> Result<View> {
    change(core, caller, id, precondition, |before| before.patched(patch)).await
}

async fn change(
    core: &Core,
    caller: &Caller,
    id: ViewId,
    precondition: Option<&Precondition>,
    define: impl Fn(&ViewDefinition) -> std::result::Result<ViewDefinition, FieldErrors>,
) -> Result<View> {
    let mut retry = Retry::new(core);
    loop {
        let snapshot = core.store.snapshot().await?;
        let (before, schema) = own(core, &snapshot, caller, id, precondition).await?;
        let (today, gone) = before.today(&schema);
        let definition = define(&today)?;
        // What is gone stands there until it is taken out; a new name does not make it wrong.
        let asks_the_same =
            ViewDefinition { name: definition.name.clone(), shared: definition.shared, ..today.clone() };
        let schema = if definition == asks_the_same && !gone.is_empty() {
            schema
        } else {
            check(core, &snapshot, caller, &definition).await?
        };
        let mut after = stored(id, before.owner, &schema, &definition, [before.created_at.clone(), core.timestamp()]);
        if !gone.is_empty() {
            after.fields.extend(
                before.fields.iter().filter(|(name, _)| gone.contains(name)).map(|(name, id)| (name.clone(), *id)),
            );
        }
        let mut batch = Batch::new();
        batch.expect(keyspace::view(id), Expect::Version(before.version));
        expect_unchanged(&snapshot, &mut batch).await?;
        before.remove(&mut batch);
        if after.number != before.number {
            expect_room(&snapshot, &after).await?;
        }
        put(&mut batch, &after, &schema)?;
        if retry.commit(batch).await?.is_some() {
            return get(core, caller, id).await;
        }
    }
}

/// Deletes a view.
pub async fn delete(core: &Core, caller: &Caller, id: ViewId, precondition: Option<&Precondition>) -> Result<()> {
    let mut retry = Retry::new(core);
    loop {
        let snapshot = core.store.snapshot().await?;
        let (before, _) = own(core, &snapshot, caller, id, precondition).await?;
        let mut batch = Batch::new();
        batch.expect(keyspace::view(id), Expect::Version(before.version));
        expect_unchanged(&snapshot, &mut batch).await?;
        before.remove(&mut batch);
        if retry.commit(batch).await?.is_some() {
            return Ok(());
        }
    }
}

/// A view that the caller may change: their own, or any for an admin.
async fn own(
    core: &Core,
    snapshot: &Snapshot,
    caller: &Caller,
    id: ViewId,
    precondition: Option<&Precondition>,
) -> Result<(StoredView, Arc<Schema>)> {
    let (stored, schema) = match visible(core, snapshot, caller, id).await {
        Err(Error::NotFound) => {
            Precondition::check_absent(precondition)?;
            return Err(Error::NotFound);
        }
        found => found?,
    };
    if !caller.is_admin() && caller.user_id() != Some(stored.owner) {
        return Err(Error::Denied);
    }
    Precondition::check(precondition, Revision(stored.version.get()))?;
    Ok((stored, schema))
}

/// The collection that a view shows, where everything else that it says is there too: for the caller, as in a list.
async fn check(core: &Core, snapshot: &Snapshot, caller: &Caller, definition: &ViewDefinition) -> Result<Arc<Schema>> {
    let schema = core.schemas.load(snapshot, &definition.collection).await?;
    let Some(schema) = schema.filter(|schema| may_list(schema, caller)) else {
        let message = format!("There is no collection \"{}\" that you may list.", definition.collection);
        return Err(FieldErrors::of("collection", FieldError::new("does_not_exist", message)).into());
    };
    let query = match definition.query() {
        Ok(query) => records::check_list(core, snapshot, caller, &schema, &query).await,
        Err(errors) => Err(errors.into()),
    };
    let mut errors = match query {
        Ok(()) => FieldErrors::new(),
        Err(Error::Invalid(errors)) => by_member(errors),
        Err(other) => return Err(other),
    };
    if let Some(plot) = &definition.plot
        && schema.collection.field(plot).is_none()
        && schema.collection.server_field(plot).is_none()
    {
        let message = format!("There is no field \"{plot}\".");
        errors.push("plot", FieldError::new("does_not_exist", message));
    }
    errors.or(schema).map_err(Into::into)
}

/// The faults of a list's parameters, at the members of the view that they come from.
fn by_member(errors: FieldErrors) -> FieldErrors {
    let mut by_member = FieldErrors::new();
    for (parameter, faults) in errors.0 {
        let member = match parameter.as_str() {
            "fields" => "columns",
            "search" | "ordering" => &parameter,
            _ => "filter",
        };
        for fault in faults {
            by_member.push(member, fault);
        }
    }
    by_member
}

fn stored(
    id: ViewId,
    owner: UserId,
    schema: &Schema,
    definition: &ViewDefinition,
    [created_at, updated_at]: [String; 2],
) -> StoredView {
    StoredView {
        id,
        definition: ViewDefinition { collection: schema.collection.name.clone(), ..definition.clone() },
        collection: schema.collection.id,
        number: schema.number(),
        fields: fields_of(definition, schema),
        owner,
        created_at,
        updated_at,
        version: store::Version::ZERO,
    }
}

/// Writes it, if its collection stays as it is until then.
fn put(batch: &mut Batch, stored: &StoredView, schema: &Schema) -> Result<()> {
    batch.expect(keyspace::collection(&schema.collection.name), Expect::Version(schema.version));
    batch.put(keyspace::view(stored.id), serde_json::to_vec(stored)?);
    for key in stored.found_by() {
        batch.put(key, Vec::new());
    }
    Ok(())
}

/// Refuses one more than there may be, of a user and of a collection.
async fn expect_room(snapshot: &Snapshot, view: &StoredView) -> Result<()> {
    let too_many = |message: String| Err(FieldErrors::of(NON_FIELD, FieldError::new("too_many", message)).into());
    let own = ids(snapshot, &keyspace::views_of(view.owner)).await?;
    if own.len() >= MAX_OF_USER && !own.contains(&view.id) {
        return too_many(format!("You keep {MAX_OF_USER} views, which is the most. Delete one first."));
    }
    if ids(snapshot, &keyspace::views_in(view.number)).await?.len() >= MAX_OF_COLLECTION {
        return too_many(format!("There are {MAX_OF_COLLECTION} views of this collection, which is the most."));
    }
    Ok(())
}

/// Has a collection take its views along.
pub(in crate::domain) async fn stage_delete_all(
    snapshot: &Snapshot,
    batch: &mut Batch,
    collection: CollectionNumber,
) -> Result<()> {
    stage_delete(snapshot, batch, &ids(snapshot, &keyspace::views_in(collection)).await?, |_| true).await
}

/// Has a user take along the views that they kept for themselves.
pub(in crate::domain) async fn stage_delete_own(snapshot: &Snapshot, batch: &mut Batch, owner: UserId) -> Result<()> {
    let own = ids(snapshot, &keyspace::views_of(owner)).await?;
    stage_delete(snapshot, batch, &own, |view| !view.definition.shared).await
}

async fn stage_delete(
    snapshot: &Snapshot,
    batch: &mut Batch,
    ids: &[ViewId],
    goes: impl Fn(&StoredView) -> bool,
) -> Result<()> {
    // One that is made meanwhile would be left without what it belongs to.
    expect_unchanged(snapshot, batch).await?;
    for view in load(snapshot, ids).await?.iter().filter(|view| goes(view)) {
        view.remove(batch);
    }
    Ok(())
}
