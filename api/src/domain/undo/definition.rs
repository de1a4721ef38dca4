//! Undoing what was done to a collection: one that was deleted comes back with its records, one that was made goes, and a changed
//! definition gets the parts back that the operation changed. Only admins do that.

use std::collections::{BTreeSet, HashMap};

use common::{
    change::{Change, Subject, Verb},
    collection::{Collection, Definition, DefinitionAnswer},
    field::Field,
    id::{CollectionId, FieldId, OperationId},
    json::Exact,
    name::FieldName,
    operation::{Operation, OperationState},
    undo::{Changed, Counted, Reverted},
};
use store::{Batch, Scan, Snapshot, Version};

use super::{Done, Revert, reverted};
use crate::domain::{
    collections::{self, Undone},
    core::Core,
    error::{ChangedSince, Error, Obstacle, Result},
    gone::{self, Gone, Left},
    journal::{self, Actor, Entry, of_operation::Parts},
    keyspace,
    operations::{self, Work},
    retry::Retry,
    schema::{self, StoredDefinition},
    steps::FieldStep,
};

/// Commits of an operation that are looked at for what it did to a collection: it is in one of the first.
const FIRST: usize = 4;
/// Examples that are told.
const TOLD: usize = 10;

/// What an operation did to a collection, if anything.
pub(super) async fn find(snapshot: &Snapshot, id: OperationId) -> Result<Option<Change>> {
    let mut parts = Parts::new(snapshot, id).await?;
    for _ in 0..FIRST {
        let Some(part) = parts.next().await? else { break };
        let found = part.entries.into_iter().find_map(|(_, entry)| match entry {
            Entry::Other(change, _) if change.subject == Subject::Collection => Some(*change),
            _ => None,
        });
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// Undoes `reverts`, which did `change`, as the operation `own`.
pub(super) async fn revert(
    core: &Core,
    by: Actor<'_>,
    (own, reverts): (OperationId, OperationId),
    change: Change,
    changed: Changed,
) -> Result<Reverted> {
    let parse = |value: &Exact| serde_json::from_str::<Collection>(&value.to_text()).ok();
    let (before, after) = (parse(&change.before), parse(&change.after));
    match (change.action, before, after) {
        (Verb::Delete, Some(before), _) => bring_back(core, by, (own, reverts), &before, changed).await,
        (Verb::Create | Verb::Restore, _, Some(after)) => take_away(core, by, (own, reverts), &after, changed).await,
        (Verb::Update, Some(before), Some(after)) => {
            put_back(core, by, (own, reverts), (&before, &after), changed).await
        }
        _ => Err(Error::NotRevertible(format!("the definition of \"{}\"", change.id))),
    }
}

/// One collection was changed; more is done where work is under way.
fn done((own, reverts): (OperationId, OperationId), action: Verb, left: Option<OperationState>) -> Reverted {
    let mut done = Done::default();
    done.counts.add_many(Counted { subject: Subject::Collection, collection: None, action, count: 1 });
    reverted(own, reverts, left.unwrap_or(OperationState::Done), done)
}

fn refused(collection: &str, id: String, reason: &'static str, detail: String) -> Obstacle {
    Obstacle { collection: collection.to_owned(), id, reason, detail }
}

async fn bring_back(
    core: &Core,
    by: Actor<'_>,
    (own, reverts): (OperationId, OperationId),
    before: &Collection,
    changed: Changed,
) -> Result<Reverted> {
    let caller = by.caller;
    let mut retry = Retry::new(core);
    loop {
        let snapshot = core.store.snapshot().await?;
        let Some((version, gone)) = gone_by_id(&snapshot, before.id).await? else {
            if by_id(&snapshot, before.id).await?.is_some() {
                let detail = format!("The collection \"{}\" is back already.", before.name);
                let examples = vec![refused(before.name.as_str(), before.id.to_string(), "restored", detail)];
                return Err(Error::ChangedSince(Box::new(ChangedSince { count: 1, hidden: false, examples })));
            }
            let what = format!("the collection \"{}\", of which nothing but the journal is left", before.name);
            return Err(Error::NotRevertible(what));
        };
        if gone.gone.operation.is_some_and(|operation| operation != reverts) {
            let detail = format!("The collection \"{}\" was deleted again since. Undo that.", before.name);
            let examples = vec![refused(before.name.as_str(), before.id.to_string(), "deleted", detail)];
            return Err(Error::ChangedSince(Box::new(ChangedSince { count: 1, hidden: false, examples })));
        }
        if gone.gone.left != Left::Nothing {
            return Err(Error::RemovalUnderWay(gone.gone.operation.unwrap_or(reverts)));
        }
        check_whole(core, &snapshot, reverts).await?;
        let mut batch = Batch::new();
        collections::stage_restored(core, caller, (&snapshot, &mut batch), (version, gone), reverts).await?;
        let work = Revert::of_collection(reverts, caller, changed);
        let of = work.count(core).await?;
        if let Some(left) = operations::work_on(core, caller, Work::Revert(work), of, (own, batch)).await? {
            return Ok(done((own, reverts), Verb::Restore, left.map(|operation| operation.state)));
        }
        retry.again()?;
    }
}

async fn take_away(
    core: &Core,
    by: Actor<'_>,
    (own, reverts): (OperationId, OperationId),
    after: &Collection,
    changed: Changed,
) -> Result<Reverted> {
    let snapshot = core.store.snapshot().await?;
    let Some(now) = by_id(&snapshot, after.id).await? else {
        return Ok(reverted(own, reverts, OperationState::Done, Done::default()));
    };
    let name = now.collection.name.clone();
    // Records that it did not make itself.
    let mut own_commits = BTreeSet::<Version>::new();
    let mut parts = Parts::new(&snapshot, reverts).await?;
    while let Some(part) = parts.next().await? {
        own_commits.insert(part.version);
    }
    let mut since = ChangedSince::default();
    let mut pages = snapshot.pages(Scan::prefix(&keyspace::records(now.keys.number)));
    let deadline = core.deadline();
    while let Some(page) = pages.next().await? {
        for (key, entry) in page {
            if own_commits.contains(&entry.version) {
                continue;
            }
            since.count += 1;
            if let Some(id) = keyspace::last_id(&key).filter(|_| since.examples.len() < TOLD) {
                let detail = format!("{name} {id}: It was written since.");
                since.examples.push(refused(name.as_str(), id.to_string(), "changed", detail));
            }
        }
        deadline.pause().await?;
    }
    match changed {
        Changed::Refuse if since.count > 0 => return Err(Error::ChangedSince(Box::new(since))),
        Changed::Skip if since.count > 0 => {
            return Ok(reverted(own, reverts, OperationState::Done, Done { skipped: 1, ..Done::default() }));
        }
        _ => {}
    }
    let left: Option<Operation> =
        Box::pin(collections::delete_undoing(core, by.caller, &name, None, Some(reverts))).await?;
    Ok(done((own, reverts), Verb::Delete, left.map(|operation| operation.state)))
}

async fn put_back(
    core: &Core,
    by: Actor<'_>,
    (own, reverts): (OperationId, OperationId),
    (before, after): (&Collection, &Collection),
    changed: Changed,
) -> Result<Reverted> {
    let snapshot = core.store.snapshot().await?;
    let Some(StoredDefinition { collection: now, keys, .. }) = by_id(&snapshot, after.id).await? else {
        let message = format!("The collection \"{}\" is gone. Bring that back first.", after.name);
        return Err(Error::Conflict(message));
    };
    let mut merge = Merge { now: &now, changed, since: ChangedSince::default(), skipped: 0 };
    let definition = merge.definition(before, after);
    if merge.since.count > 0 {
        return Err(Error::ChangedSince(Box::new(merge.since)));
    }
    let skipped = merge.skipped;
    let mut undone = Undone {
        operation: reverts,
        conversions: HashMap::new(),
        added: HashMap::new(),
        overwrites: changed == Changed::Overwrite,
    };
    let steps = keys.steps.iter().filter(|step| step.operation == Some(reverts));
    for (version, step) in steps.flat_map(|step| step.fields.iter().map(|field| (step.version, field))) {
        match step {
            FieldStep::Converted { to, .. } | FieldStep::Restored { to, .. } => {
                // A field that stays as it is, since it was changed, keeps its values.
                let goes_back = |id: &FieldId| {
                    let of = |collection: &Collection| find_field(collection, *id).map(|field| field.kind.clone());
                    definition
                        .fields
                        .iter()
                        .any(|field| field.id == Some(*id) && Some(&field.kind) == of(before).as_ref())
                };
                undone.conversions.extend(to.id.filter(goes_back).map(|id| (id, version)));
            }
            FieldStep::Added { field, value } => drop(undone.added.insert(*field, (version, value.clone()))),
            // What comes and goes in this way is in histories.
            FieldStep::Revived { field } => drop(undone.added.insert(*field, (u32::MAX, Exact::default()))),
            FieldStep::Renamed { .. } | FieldStep::Dropped { .. } => {}
        }
    }
    let is_back = |field: &Field| field.id.is_some_and(|id| find_field(&now, id).is_none());
    let comes_back = !undone.conversions.is_empty() || definition.fields.iter().any(is_back);
    let answer = Box::pin(collections::undo(core, by.caller, &now.name, &definition, &undone)).await;
    let answer = answer.map_err(|error| match error {
        Error::WouldDrop(holding) => {
            let count = holding.iter().map(|(_, count)| *count).max().unwrap_or(0);
            let examples = holding.into_iter().map(|(field, count)| {
                let records = common::text::count(count, "record");
                let detail = format!("The field \"{field}\" was written to since, in {records}.");
                refused(now.name.as_str(), field.to_string(), "changed", detail)
            });
            Error::ChangedSince(Box::new(ChangedSince { count, hidden: false, examples: examples.collect() }))
        }
        error => error,
    })?;
    let left = match answer {
        DefinitionAnswer::Begun(operation) => Some(operation.state),
        // That records are only written anew is nobody's matter.
        _ if comes_back => {
            operations::get(core, own).await.ok().map(|operation| operation.state).filter(|state| !state.is_over())
        }
        _ => None,
    };
    Ok(Reverted { skipped, ..done((own, reverts), Verb::Update, left.map(|_| OperationState::Running)) })
}

fn find_field(collection: &Collection, id: FieldId) -> Option<&Field> {
    collection.fields.iter().find(|field| field.id == Some(id))
}

/// The parts that an operation changed, as they were before, within the definition of now.
struct Merge<'a> {
    now: &'a Collection,
    changed: Changed,
    since: ChangedSince,
    skipped: u64,
}

impl Merge<'_> {
    /// Whether a part goes back: it does where it is as the operation left it.
    fn goes_back<T: PartialEq + ?Sized>(&mut self, part: &str, (before, after, now): (&T, &T, &T)) -> bool {
        if before == after || now == before {
            return false;
        }
        if now == after || self.changed == Changed::Overwrite {
            return true;
        }
        self.refuse(part);
        false
    }

    fn refuse(&mut self, part: &str) {
        if self.changed == Changed::Skip {
            self.skipped += 1;
            return;
        }
        self.since.count += 1;
        let detail = format!("The definition of \"{}\" was changed since: {part}.", self.now.name);
        self.since.examples.push(refused(self.now.name.as_str(), part.to_owned(), "changed", detail));
    }

    fn definition(&mut self, before: &Collection, after: &Collection) -> Definition {
        let now = self.now;
        let mut definition = Definition { revision: None, aliases: None, ..Definition::from(now.clone()) };
        if self.goes_back("name", (&before.name, &after.name, &now.name)) {
            definition.name.clone_from(&before.name);
        }
        if self.goes_back("description", (&before.description, &after.description, &now.description)) {
            definition.description.clone_from(&before.description);
        }
        if self.goes_back("ids", (&before.ids, &after.ids, &now.ids)) {
            definition.ids = Some(before.ids);
        }
        if self.goes_back("access", (&before.access, &after.access, &now.access)) {
            definition.access.clone_from(&before.access);
        }
        if self.goes_back("history", (&before.history, &after.history, &now.history)) {
            definition.history = Some(before.history);
        }
        if before.name == after.name && self.goes_back("aliases", (&before.aliases, &after.aliases, &now.aliases)) {
            definition.aliases = Some(before.aliases.clone());
        }
        definition.fields = self.fields(before, after);
        // Nothing is said of indexes that stay: they follow their fields.
        let goes_back = self.goes_back("indexes", (&before.indexes, &after.indexes, &now.indexes));
        definition.indexes = goes_back.then(|| before.indexes.clone());
        definition
    }

    fn fields(&mut self, before: &Collection, after: &Collection) -> Vec<Field> {
        let mut fields = Vec::with_capacity(before.fields.len());
        for field in &self.now.fields {
            let of = |collection: &Collection| field.id.and_then(|id| find_field(collection, id)).cloned();
            let (was, left) = (of(before), of(after));
            let part = format!("fields.{}", field.name);
            // Names that lead to it come with a rename, and with undoing one: they say nothing of what else became of it.
            let bare = |field: &Field| Field { aliases: Vec::new(), ..field.clone() };
            match (&was, &left) {
                // It was added.
                (None, Some(left)) if bare(left) == bare(field) || self.changed == Changed::Overwrite => {}
                (None, Some(_)) => {
                    self.refuse(&part);
                    fields.push(field.clone());
                }
                (Some(was), Some(left)) => {
                    let goes_back = self.goes_back(&part, (&bare(was), &bare(left), &bare(field)));
                    let mut back = if goes_back { was.clone() } else { field.clone() };
                    back.aliases = aliases_before((was, left), field, &back.name);
                    back.change.says_aliases = back.aliases != field.aliases;
                    fields.push(back);
                }
                _ => fields.push(field.clone()),
            }
        }
        // What was dropped, at its place.
        for (place, field) in before.fields.iter().enumerate() {
            let Some(id) = field.id else { continue };
            if find_field(after, id).is_none() && find_field(self.now, id).is_none() {
                fields.insert(place.min(fields.len()), field.clone());
            }
        }
        let ids = |fields: &[Field]| fields.iter().map(|field| field.id).collect::<Vec<_>>();
        if ids(&after.fields) == ids(&self.now.fields) && ids(&before.fields) != ids(&after.fields) {
            let place = |field: &Field| before.fields.iter().position(|was| was.id == field.id);
            fields.sort_by_key(|field| place(field).unwrap_or(usize::MAX));
        }
        self.with_free_names(fields)
    }

    /// The fields without those that would come back under a name that another one has by now.
    fn with_free_names(&mut self, mut fields: Vec<Field>) -> Vec<Field> {
        let now = self.now;
        let of_now = |field: &Field| field.id.and_then(|id| find_field(now, id));
        let is_taken = |fields: &[Field], at: usize| {
            let field = &fields[at];
            let is_back = of_now(field).is_none_or(|now| now.name != field.name);
            is_back && fields.iter().enumerate().any(|(other, it)| other != at && it.name == field.name)
        };
        while let Some(at) = (0..fields.len()).find(|at| is_taken(&fields, *at)) {
            let name = fields[at].name.clone();
            match of_now(&fields[at]) {
                Some(now) => fields[at] = now.clone(),
                None => drop(fields.remove(at)),
            }
            if self.changed == Changed::Skip {
                self.skipped += 1;
                continue;
            }
            self.since.count += 1;
            let detail =
                format!("Another field is called \"{name}\" by now. Give that one another name, and undo this then.");
            self.since.examples.push(refused(now.name.as_str(), name.to_string(), "taken", detail));
        }
        fields
    }
}

/// The names that lead to a field which was `was` before an operation and `left` after it, and is called `name` from now on: those that the
/// operation took away by themselves are back, and those that it gave go; a name that the field loses goes on leading to it.
fn aliases_before((was, left): (&Field, &Field), now: &Field, name: &FieldName) -> Vec<FieldName> {
    let mut aliases = now.aliases.clone();
    if was.name == left.name {
        aliases.retain(|alias| was.aliases.contains(alias) || !left.aliases.contains(alias));
        aliases.extend(was.aliases.iter().filter(|alias| !left.aliases.contains(alias)).cloned());
    }
    aliases.push(now.name.clone());
    let mut seen = BTreeSet::new();
    aliases.retain(|alias| alias != name && seen.insert(alias.to_string()));
    aliases
}

async fn by_id(snapshot: &Snapshot, id: CollectionId) -> Result<Option<StoredDefinition>> {
    Ok(schema::all(snapshot).await?.into_iter().find(|definition| definition.collection.id == id))
}

async fn gone_by_id(snapshot: &Snapshot, id: CollectionId) -> Result<Option<(Version, Gone)>> {
    Ok(gone::all(snapshot).await?.into_iter().find(|(_, gone)| gone.id == id))
}

/// Nothing comes back where a part of what went is in no journal any more.
async fn check_whole(core: &Core, snapshot: &Snapshot, id: OperationId) -> Result<()> {
    let (mut parts, trimmed) = (Parts::new(snapshot, id).await?, journal::trimmed(snapshot).await?);
    if parts.first().is_none_or(|first| trimmed < first) {
        return Ok(());
    }
    let deadline = core.deadline();
    while let Some(part) = parts.next().await? {
        if part.is_trimmed {
            return Err(Error::Trimmed);
        }
        deadline.pause().await?;
    }
    Ok(())
}
