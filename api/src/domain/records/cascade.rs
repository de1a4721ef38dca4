//! What a deletion comes to that is too large for one commit: it goes in pieces, children first, so that at any moment every reference
//! leads to a record. Nothing but the record's keys is held of what is to go, and nothing of the way there is stored but some places.

use std::{
    collections::{HashMap, HashSet, VecDeque, hash_map},
    sync::Arc,
};

use common::{
    field::{Field, FieldType, OnDelete},
    id::RecordId,
    name::CollectionName,
};
use store::{Entry, Scan, Snapshot, counter};

use super::deletion::{Emptied, Going, MAX_TOUCHED, MAX_TOUCHED_BYTES};
use crate::domain::{
    core::Core,
    deadline::Deadline,
    error::{Error, Result},
    keyspace,
    numbers::{CollectionNumber, IndexNumber},
    operations::Budget,
    schema::{self, Schema},
    work,
};

/// Which record.
pub(in crate::domain) type Which = (CollectionNumber, RecordId);

/// References that are read at once.
const CHUNK: usize = 16;
/// Records whose references are counted at once.
const MANY: usize = 128;

/// A field that refers.
struct Referring {
    schema: Arc<Schema>,
    field: Field,
    index: IndexNumber,
    on_delete: OnDelete,
}

/// All fields that refer to records, by the collection that they refer to.
pub(super) struct References {
    by_target: HashMap<CollectionNumber, Vec<Referring>>,
    schemas: HashMap<CollectionNumber, Arc<Schema>>,
}

/// A reference: the place of its field among those of its target, and the record that has it.
type Reference = (usize, RecordId);

impl References {
    /// Those that a deletion in the collection of `root` can come by.
    pub(super) async fn of(core: &Core, snapshot: &Snapshot, root: CollectionNumber) -> Result<Self> {
        let (mut by_target, mut schemas) = (HashMap::<_, Vec<_>>::new(), HashMap::new());
        let mut all = schema::all(snapshot);
        while let Some(definition) = all.next().await? {
            let refers = |field: &Field| matches!(field.kind, FieldType::Reference { collection: Some(_), .. });
            if definition.keys.number != root && !definition.collection.fields.iter().any(refers) {
                continue;
            }
            let Some(schema) = core.schemas.load(snapshot, &definition.collection.name).await? else { continue };
            for (field, indexes) in schema.fields() {
                if let FieldType::Reference { collection: Some(target), on_delete, .. } = &field.kind
                    && let (Some(target), Some(index)) = (schema.targets.get(target), indexes.values)
                {
                    let (field, on_delete) = (field.clone(), *on_delete);
                    let referring = Referring { schema: Arc::clone(&schema), field, index, on_delete };
                    by_target.entry(*target).or_default().push(referring);
                }
            }
            schemas.insert(schema.number(), schema);
        }
        Ok(Self { by_target, schemas })
    }

    /// The fields that refer to records of a collection.
    fn to(&self, target: CollectionNumber) -> &[Referring] {
        self.by_target.get(&target).map_or(&[], Vec::as_slice)
    }

    fn which(&self, target: CollectionNumber, (place, id): Reference) -> Option<Which> {
        Some((self.to(target).get(place)?.schema.number(), id))
    }

    /// The next references to a record, after one of them.
    async fn next(
        &self,
        snapshot: &Snapshot,
        (target, id): Which,
        after: Option<Reference>,
        most: usize,
    ) -> Result<Vec<Reference>> {
        let (mut found, value) = (Vec::new(), id.to_value());
        let first = after.map_or(0, |(place, _)| place);
        for (place, referring) in self.to(target).iter().enumerate().skip(first) {
            let number = referring.schema.number();
            let mut scan = Scan::prefix(&keyspace::index_value(number, referring.index, &referring.field, &value))
                .limit(most - found.len());
            if let Some((_, last)) = after.filter(|(last, _)| *last == place) {
                scan = scan.after(&keyspace::index_entry(number, referring.index, &referring.field, &value, last));
            }
            let entries = snapshot.scan(scan).await?;
            found.extend(entries.iter().filter_map(|(key, _)| Some((place, keyspace::last_id(key)?))));
            if found.len() == most {
                break;
            }
        }
        Ok(found)
    }

    /// Whether a record goes with `root`: what it refers to, and goes before it, leads there.
    async fn belongs(&self, snapshot: &Snapshot, which: Which, root: Which) -> Result<bool> {
        let (mut waiting, mut seen) = (vec![which], HashSet::new());
        while let Some((number, id)) = waiting.pop() {
            if (number, id) == root {
                return Ok(true);
            }
            let Some(schema) = self.schemas.get(&number) else { continue };
            let Some(entry) = snapshot.get(&keyspace::record(number, id)).await? else { continue };
            let record = schema.decode(id, &entry.value)?;
            for field in &schema.collection.fields {
                let FieldType::Reference { collection: Some(target), on_delete: OnDelete::Cascade, .. } = &field.kind
                else {
                    continue;
                };
                let (Some(target), Some(value)) = (schema.targets.get(target), record.get(field.name.as_str())) else {
                    continue;
                };
                waiting.extend(RecordId::all_in(value).map(|to| (*target, to)).filter(|to| seen.insert(*to)));
            }
        }
        Ok(false)
    }
}

/// Everything that a deletion comes to, by its keys.
#[derive(Default)]
pub(super) struct Reach {
    /// The records that go.
    pub going: HashSet<Which>,
    /// Those whose references become null.
    pub emptied: HashSet<Which>,
    /// References that hold it back: from which collection, by which field, from which record.
    pub restricting: Vec<(CollectionName, Field, RecordId)>,
}

/// Looks at all that goes with a record.
pub(super) async fn reach(
    snapshot: &Snapshot,
    references: &References,
    root: Which,
    deadline: &Deadline,
) -> Result<Reach> {
    let mut reach = Reach { going: HashSet::from([root]), ..Reach::default() };
    let mut waiting = vec![root];
    let mut restricting: Vec<(Which, CollectionName, Field)> = Vec::new();
    while !waiting.is_empty() {
        let some = waiting.split_off(waiting.len().saturating_sub(MANY));
        let counts: Vec<_> = some.iter().map(|&(number, id)| keyspace::referrers(number, id)).collect();
        for (which, count) in some.into_iter().zip(snapshot.get_many(&counts).await?) {
            if count.as_ref().and_then(counter).unwrap_or(0) == 0 {
                continue;
            }
            let mut after = None;
            loop {
                let found = references.next(snapshot, which, after, MANY).await?;
                work::hold(found.len() * 2 * size_of::<Which>())?;
                for &reference in &found {
                    let Some(from) = references.which(which.0, reference) else { continue };
                    let Some(referring) = references.to(which.0).get(reference.0) else { continue };
                    match referring.on_delete {
                        OnDelete::Cascade if reach.going.insert(from) => waiting.push(from),
                        OnDelete::SetNull => drop(reach.emptied.insert(from)),
                        OnDelete::Restrict if restricting.len() < MAX_TOUCHED => {
                            let name = referring.schema.collection.name.clone();
                            restricting.push((from, name, referring.field.clone()));
                        }
                        OnDelete::Cascade | OnDelete::Restrict => {}
                    }
                }
                after = found.last().copied();
                if found.len() < MANY {
                    break;
                }
            }
        }
        deadline.pause().await?;
    }
    let Reach { going, emptied, .. } = &mut reach;
    emptied.retain(|which| !going.contains(which));
    restricting.retain(|(which, ..)| !going.contains(which));
    reach.restricting = restricting.into_iter().map(|((_, id), name, field)| (name, field, id)).collect();
    Ok(reach)
}

/// What goes with one commit.
#[derive(Default)]
pub(super) struct Portion {
    pub going: Vec<Going>,
    /// References that become null: they are many, and what they lead to may go later.
    pub emptied: Vec<Emptied>,
    /// Where to go on: records on the way from the first to where it ended.
    pub places: Vec<Which>,
    /// Something that is not going refers to what would go.
    pub restricting: Option<(CollectionName, Field, RecordId)>,
}

/// A record on the way down, of which not all that refers to it is gone.
struct Open {
    which: Which,
    schema: Arc<Schema>,
    entry: Entry,
    referrers: Option<Entry>,
    waiting: VecDeque<Reference>,
    /// The last reference that was read; and whether it was the last that there is.
    after: Option<Reference>,
    is_whole: bool,
    /// The lowest place on the way that it refers back to: they go in one commit.
    lowest: usize,
}

/// Finds what goes next of all that goes with `root`, children first. It begins at `from`, which is `root` or goes with it.
pub(super) async fn next_part(
    snapshot: &Snapshot,
    references: &References,
    root: Which,
    from: Which,
    budget: &mut Budget<'_>,
) -> Result<Portion> {
    let mut part = Portion::default();
    let (mut way, mut on_way): (Vec<Open>, HashMap<Which, usize>) = (Vec::new(), HashMap::new());
    let mut going: HashSet<Which> = HashSet::new();
    // Up to here nothing goes that refers to what stays.
    let (mut sound, mut bytes) = (0, 0);
    if let Some(open) = open(snapshot, references, from, 0).await? {
        on_way.insert(from, 0);
        way.push(open);
    }
    'way: while let Some(depth) = way.len().checked_sub(1) {
        let top = &mut way[depth];
        if top.waiting.is_empty() && !top.is_whole {
            let found = references.next(snapshot, top.which, top.after, CHUNK).await?;
            top.is_whole = found.len() < CHUNK;
            top.after = found.last().copied().or(top.after);
            top.waiting.extend(found);
        }
        if let Some(reference) = top.waiting.pop_front() {
            let target = top.which;
            let Some(child) = references.which(target.0, reference) else { continue };
            let Some(referring) = references.to(target.0).get(reference.0) else { continue };
            if going.contains(&child) {
                continue;
            }
            if let Some(&place) = on_way.get(&child) {
                top.lowest = top.lowest.min(place);
                continue;
            }
            if sound > 0 && budget.is_spent() {
                break 'way;
            }
            let as_told = || (referring.schema.collection.name.clone(), referring.field.clone(), child.1);
            match referring.on_delete {
                OnDelete::SetNull => {
                    let (name, field, id) = as_told();
                    part.emptied.push((name, field, id, target.1));
                    budget.spend(0);
                    if budget.is_spent() {
                        break 'way;
                    }
                    continue;
                }
                OnDelete::Restrict if !references.belongs(snapshot, child, root).await? => {
                    part.restricting = Some(as_told());
                    break 'way;
                }
                OnDelete::Restrict | OnDelete::Cascade => {}
            }
            if let Some(open) = open(snapshot, references, child, depth + 1).await?
                && let hash_map::Entry::Vacant(new) = on_way.entry(child)
            {
                new.insert(depth + 1);
                way.push(open);
            }
            continue;
        }
        let Some(Open { which, schema, entry, referrers, lowest, .. }) = way.pop() else { break };
        on_way.remove(&which);
        if let Some(above) = way.last_mut() {
            above.lowest = above.lowest.min(lowest);
        }
        bytes += entry.value.len();
        budget.spend(entry.value.len());
        going.insert(which);
        part.going.push(Going { schema, id: which.1, entry, referrers });
        if lowest >= way.len() {
            sound = part.going.len();
            if budget.is_spent() {
                break 'way;
            }
        } else if part.going.len() - sound > MAX_TOUCHED || bytes > MAX_TOUCHED_BYTES {
            let message = "More records refer to each other in a circle here than one commit can delete. Change some of them first.";
            return Err(Error::Conflict(message.to_owned()));
        }
    }
    part.going.truncate(sound);
    let gone: HashSet<_> = part.going.iter().map(|going| (&going.schema.collection.name, going.id)).collect();
    part.emptied.retain(|(name, _, id, _)| !gone.contains(&(name, *id)));
    // Nearer and nearer to where it ended, so that the way there is short the next time.
    let mut back = 256;
    while let Some(place) = way.len().checked_sub(back).filter(|place| *place > 0) {
        part.places.push(way[place].which);
        back *= 2;
    }
    part.places.reverse();
    Ok(part)
}

/// A record that is to go; `None` where it is gone.
async fn open(snapshot: &Snapshot, references: &References, which: Which, depth: usize) -> Result<Option<Open>> {
    let (number, id) = which;
    let Some(schema) = references.schemas.get(&number) else { return Ok(None) };
    let keys = [keyspace::record(number, id), keyspace::referrers(number, id)];
    let mut found = snapshot.get_many(&keys).await?.into_iter();
    let (Some(entry), referrers) = (found.next().flatten(), found.next().flatten()) else { return Ok(None) };
    let is_whole = referrers.as_ref().and_then(counter).unwrap_or(0) == 0;
    Ok(Some(Open {
        which,
        schema: Arc::clone(schema),
        entry,
        referrers,
        waiting: VecDeque::new(),
        after: None,
        is_whole,
        lowest: depth,
    }))
}
