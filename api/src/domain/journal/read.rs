//! Reading the journal: a record's history, and what is in it for a caller.

use std::{collections::BTreeMap, sync::Arc};

use base::Charge;
use common::{
    access::{Action as Asked, Caller, Decision},
    change::{Change, ChangeQuery, MAX_CHANGES, TrashQuery, Verb},
    id::{RecordId, Revision, UserId},
    json::Exact,
    name::CollectionName,
    record::Record,
};
use store::{
    Snapshot, Version,
    journal::{self as blocks, Block, Position},
};

use super::{Back, Entry, back::Step, parse};
use crate::domain::{
    core::Core,
    covered::covers_history,
    deadline::Deadline,
    error::{Error, Result},
    keyspace,
    numbered::{Directory, Numbered},
    numbers::CollectionNumber,
    schema::Schema,
    work,
};

/// Bytes of entries in one answer, about: it ends with the commit that passes them.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// Entries of one answer that are of one commit, at most.
const MAX_OF_ONE_COMMIT: usize = 1000;

/// How many changes of records one answer goes back through: of a record that changes all the time there may be millions.
const MAX_STEPS: usize = 10_000;

/// What the commit `revision` did to a record, if it touched it.
pub async fn of_record(
    snapshot: &Snapshot,
    schema: &Schema,
    id: RecordId,
    revision: Revision,
    deadline: &Deadline,
) -> Result<Option<Step>> {
    let wanted = Version::new(revision.0);
    let mut back = Back::new(snapshot, Some(schema), schema.number(), id).await?;
    while back.next_version().is_some_and(|version| version >= wanted) {
        let Some(step) = back.step().await? else { break };
        if step.version == wanted {
            return Ok(Some(step));
        }
        deadline.pause().await?;
    }
    Ok(None)
}

/// A record's versions before `before`, newest first: each names the one before it. Where the journal was trimmed, it ends. Says whether there
/// are more.
pub async fn history(
    core: &Core,
    caller: &Caller,
    name: &CollectionName,
    id: RecordId,
    before: Option<Revision>,
) -> Result<(Vec<Change>, bool)> {
    let deadline = core.deadline();
    let snapshot = core.store.snapshot().await?;
    let schema = core.schemas.find(&snapshot, name, caller).await?;
    let may = schema.authorize(Asked::View, caller)?;
    let tombstone = snapshot.get(&keyspace::tombstone(schema.number(), id)).await?;
    // Without a look at the record or the journal: that takes as long as they are large.
    if !covers_history(core, &snapshot, &schema, may, id, tombstone.as_ref()).await? {
        return Err(Error::NotFound);
    }
    let mut back = Back::new(&snapshot, Some(&schema), schema.number(), id).await?;
    if back.next_version().is_none() {
        return Err(Error::NotFound);
    }
    let (mut versions, mut is_first, mut bytes) = (Vec::new(), true, 0);
    while let Some(step) = back.step().await? {
        // A caller who may see the latest version, or the last before it was deleted, may see those before.
        if is_first && !may.covers(step.change.owner_after.or(step.change.owner_before)) {
            return Err(Error::NotFound);
        }
        is_first = false;
        if before.is_none_or(|before| step.version.get() < before.0) {
            let mut change = step.to_change(Some(&schema));
            (change.collection, change.collection_id) =
                (Some(schema.collection.name.clone()), Some(schema.collection.id));
            drop(step);
            if versions.len() == MAX_CHANGES || bytes >= MAX_BYTES {
                return Ok((versions, true));
            }
            let size = held(&change);
            work::hold(size)?;
            bytes += size;
            versions.push(change);
        }
        deadline.pause().await?;
    }
    Ok((versions, false))
}

/// About how many bytes a change holds.
fn held(change: &Change) -> usize {
    [&change.before, &change.after].map(|record| work::parsed_size(record.to_string().as_bytes())).iter().sum()
}

/// Where a stretch of the journal ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct After {
    /// With this commit.
    pub revision: Revision,
    /// Or with its entry at this place, where it is more than one answer may have.
    pub place: Option<u32>,
}

/// A stretch of the journal for a caller, and where it ended, if there may be more. Of much that is not for the caller
/// it reads as far as its time allows.
pub async fn list(core: &Core, caller: &Caller, query: &ChangeQuery) -> Result<(Vec<Change>, Option<After>)> {
    let deadline = core.deadline();
    let snapshot = core.store.snapshot().await?;
    let mut query = query.clone();
    if let Some(name) = &mut query.collection {
        let schema = core.schemas.find(&snapshot, name, caller).await?;
        schema.authorize(Asked::View, caller)?;
        name.clone_from(&schema.collection.name);
    }
    pages(core, &snapshot, caller, &query, false, &deadline).await
}

/// The deletions of a collection's records that are still gone, the newest first, for who may list them.
pub async fn trash(
    core: &Core,
    caller: &Caller,
    name: &CollectionName,
    query: TrashQuery,
) -> Result<(Vec<Change>, Option<After>)> {
    let deadline = core.deadline();
    let snapshot = core.store.snapshot().await?;
    let schema = core.schemas.find(&snapshot, name, caller).await?;
    schema.authorize(Asked::List, caller)?;
    let query = ChangeQuery {
        collection: Some(schema.collection.name.clone()),
        action: Some(Verb::Delete),
        ..ChangeQuery::from(query)
    };
    pages(core, &snapshot, caller, &query, true, &deadline).await
}

async fn pages(
    core: &Core,
    snapshot: &Snapshot,
    caller: &Caller,
    query: &ChangeQuery,
    is_trash: bool,
    deadline: &Deadline,
) -> Result<(Vec<Change>, Option<After>)> {
    let mut most = query.page_size.unwrap_or(MAX_OF_ONE_COMMIT);
    loop {
        let mut stretch = ChangePage::new(core, snapshot, caller, query.collection.as_ref());
        (stretch.query, stretch.is_trash) = (Some(query), is_trash);
        let after = stretch.fill(query, most, deadline).await?;
        let found = stretch.found.len();
        match stretch.finish(deadline).await {
            // The values before and after may be much larger than the entries.
            Err(Error::TooLargeTogether) if found > 1 => most = found / 2,
            changes => return Ok((changes?, after)),
        }
    }
}

/// Where a stretch begins: with this entry, or in front of it where the newest come first.
fn edge(query: &ChangeQuery) -> Position {
    let at =
        |revision: Option<Revision>, place| Position { version: Version::new(revision.map_or(0, |at| at.0)), place };
    match (query.is_backward, query.place) {
        (true, _) if query.before.is_none() => Position { version: Version::new(i64::MAX.unsigned_abs()), place: 0 },
        (true, place) => at(query.before, place.unwrap_or(0)),
        (false, Some(place)) if query.after.is_some() => at(query.after, place.saturating_add(1)),
        (false, _) => at(query.after.map(|after| Revision(after.0.saturating_add(1))), 0),
    }
}

/// A stretch of the journal in the making.
pub(super) struct ChangePage<'a> {
    core: &'a Core,
    snapshot: &'a Snapshot,
    caller: &'a Caller,
    collection: Option<&'a CollectionName>,
    /// What else is asked of changes.
    query: Option<&'a ChangeQuery>,
    /// Only deletions of records that are still gone.
    is_trash: bool,
    directory: Directory,
    /// What is for the caller, and the record that it is about.
    found: Vec<VisibleChange>,
    /// What that takes.
    held: Charge,
}

/// A change, and the record that it is about.
pub(super) type VisibleChange = (Change, Option<(CollectionNumber, RecordId)>);

impl<'a> ChangePage<'a> {
    /// Nothing yet.
    pub(super) fn new(
        core: &'a Core,
        snapshot: &'a Snapshot,
        caller: &'a Caller,
        collection: Option<&'a CollectionName>,
    ) -> Self {
        Self {
            core,
            snapshot,
            caller,
            collection,
            query: None,
            is_trash: false,
            directory: Directory::default(),
            found: Vec::new(),
            held: work::charge(),
        }
    }

    /// Reads entries up to the end of a commit, or within one of which there are `most`; says where that was, if there may be more.
    async fn fill(&mut self, query: &ChangeQuery, most: usize, deadline: &Deadline) -> Result<Option<After>> {
        let (edge, is_backward) = (edge(query), query.is_backward);
        let (mut bytes, mut passed) = (0, None::<Position>);
        let mut blocks = if is_backward {
            blocks::blocks_before(self.snapshot, edge)
        } else {
            blocks::blocks_from(self.snapshot, edge).await?
        };
        while let Some(Block { mut entries, .. }) = blocks.next().await? {
            if is_backward {
                entries.reverse();
            }
            let is_over = deadline.is_over();
            for appended in entries.into_iter().filter(|entry| (entry.at < edge) == is_backward) {
                let Position { version, .. } = appended.at;
                if let Some(Position { version: last, place }) = passed {
                    let revision = Revision(last.get());
                    // All of a commit or none of it, as far as that goes: most callers go on after a commit.
                    let is_full = self.found.len() >= MAX_CHANGES.min(most) || bytes >= MAX_BYTES || is_over;
                    if is_full && last != version {
                        return Ok(Some(After { revision, place: None }));
                    }
                    if self.found.len() >= most || bytes >= 2 * MAX_BYTES {
                        return Ok(Some(After { revision, place: Some(place) }));
                    }
                }
                passed = Some(appended.at);
                if self.take(version, parse(&appended.bytes)?).await? {
                    bytes += appended.bytes.len();
                    self.held.grow(work::parsed_size(&appended.bytes) as u64)?;
                }
            }
            deadline.give_way().await?;
        }
        Ok(None)
    }

    /// Whether a change is asked for, as far as that is said by more than its collection.
    fn is_asked_for(&self, change: &Change) -> bool {
        let Some(query) = self.query else { return true };
        query.action.is_none_or(|action| action == change.action)
            && query.subject.is_none_or(|subject| subject == change.subject)
            && query.by.is_none_or(|by| Some(by) == change.by)
    }

    /// Whether a record is gone by the commit of this version, and not there again or gone once more.
    async fn is_still_gone(&self, about: Option<(CollectionNumber, RecordId)>, version: Version) -> Result<bool> {
        let Some((collection, id)) = about else { return Ok(false) };
        let tombstone = self.snapshot.get(&keyspace::tombstone(collection, id)).await?;
        Ok(tombstone.is_some_and(|tombstone| tombstone.version == version))
    }

    /// Takes an entry, if it is for the caller.
    async fn take(&mut self, version: Version, entry: Entry) -> Result<bool> {
        let found = self.for_caller(version, entry).await?;
        let is_taken = found.is_some();
        self.found.extend(found);
        Ok(is_taken)
    }

    /// Takes what [`Self::for_caller`] gave.
    pub(super) fn push(&mut self, found: VisibleChange) {
        self.found.push(found);
    }

    /// An entry without values, if it is for the caller.
    pub(super) async fn for_caller(&mut self, version: Version, entry: Entry) -> Result<Option<VisibleChange>> {
        let (mut change, about, owner) = match entry {
            Entry::Other(change, operation) => {
                (Change { revision: Revision(version.get()), operation, ..*change }, None, None)
            }
            Entry::Record(entry, values) => {
                let owner = entry.owner_after.or(entry.owner_before);
                let mut change = Change { is_partial: true, ..entry.to_change(version) };
                if values.before != Record::default() {
                    change.before = Exact::from(&values.before);
                }
                (change, Some((entry.collection, entry.id)), owner)
            }
        };
        if !self.is_asked_for(&change) {
            return Ok(None);
        }
        if let Some((number, _)) = about
            && let Some(Numbered { id, name }) = self.directory.find(self.snapshot, number).await?
        {
            (change.collection, change.collection_id) = (Some(name.clone()), Some(*id));
        }
        let is_asked_for = self.collection.is_none() || self.collection == change.collection.as_ref();
        let is_for_caller = is_asked_for && self.is_visible(&change, about.map(|(number, _)| number), owner).await?;
        let is_for_caller = is_for_caller && (!self.is_trash || self.is_still_gone(about, version).await?);
        Ok(is_for_caller.then_some((change, about)))
    }

    async fn is_visible(
        &self,
        change: &Change,
        number: Option<CollectionNumber>,
        owner: Option<UserId>,
    ) -> Result<bool> {
        if self.caller.is_admin() {
            return Ok(true);
        }
        let (Some(number), Some(name)) = (number, &change.collection) else { return Ok(false) };
        let Some(schema) = self.core.schemas.load(self.snapshot, name).await? else { return Ok(false) };
        let asked = if self.is_trash { Asked::List } else { Asked::View };
        let may = schema.collection.access.decide(asked, self.caller);
        Ok(schema.number() == number && may != Decision::Denied && may.covers(owner))
    }

    /// The definition of the collection of a number, where that is still there.
    async fn schema(&mut self, number: CollectionNumber) -> Result<Option<Arc<Schema>>> {
        let Some(Numbered { name, .. }) = self.directory.find(self.snapshot, number).await? else { return Ok(None) };
        let name = name.clone();
        let schema = self.core.schemas.load(self.snapshot, &name).await?;
        Ok(schema.filter(|schema| schema.number() == number))
    }

    /// Gives every record's changes the values before and after: each record is followed back once, from what it is now to the
    /// earliest change of the stretch. Where that is further than one answer may go, the changes stay partial.
    pub(super) async fn finish(mut self, deadline: &Deadline) -> Result<Vec<Change>> {
        let count = self.found.len();
        let mut records: BTreeMap<(CollectionNumber, RecordId), Vec<usize>> = BTreeMap::new();
        for (i, (_, about)) in self.found.iter().enumerate() {
            if let Some(record) = about {
                records.entry(*record).or_default().push(i);
            }
        }
        let (mut steps, mut kept) = (0, work::charge());
        'records: for ((number, id), mut wanted) in records {
            // Those that are later stand last, whichever way they were read.
            wanted.sort_by_key(|i| self.found[*i].0.revision);
            let schema = self.schema(number).await?;
            let mut back = Back::new(self.snapshot, schema.as_deref(), number, id).await?;
            while let Some(&last) = wanted.last() {
                if steps >= MAX_STEPS {
                    break 'records;
                }
                let Some(step) = back.step().await? else { break };
                let (change, _) = &mut self.found[last];
                if change.revision.0 == step.version.get() {
                    let Change { before, after, .. } = step.to_change(schema.as_deref());
                    (change.before, change.after, change.is_partial) = (before, after, false);
                    kept.grow(held(change) as u64)?;
                    if kept.bytes() > MAX_BYTES as u64 && count > 1 {
                        return Err(Error::TooLargeTogether);
                    }
                    wanted.pop();
                }
                steps += 1;
                if steps % 64 == 0 {
                    deadline.give_way().await?;
                }
            }
        }
        let bytes = usize::try_from(kept.bytes()).unwrap_or(usize::MAX);
        drop(kept);
        work::hold(bytes)?;
        Ok(self.found.into_iter().map(|(change, _)| change).collect())
    }
}
