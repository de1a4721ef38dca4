//! What one operation did, for a caller.

use common::{
    access::Caller,
    change::{Change, MAX_CHANGES, Subject, Verb},
    id::{OperationId, UserId},
    name::CollectionName,
    undo::{Counted, OperationQuery},
};

use super::{of_operation::Parts, read::ChangePage};
use crate::domain::{
    core::Core,
    error::{Error, Result},
};

/// What an operation did.
pub struct Summary {
    /// When it began.
    pub at: String,
    /// Whose request it was.
    pub by: Option<UserId>,
    /// The operation that it undid.
    pub reverts: Option<OperationId>,
    /// How much of it the caller may view, by kind.
    pub counts: Counts,
    /// Some of its changes.
    pub results: Vec<Change>,
    /// Whether there are more after those.
    pub goes_on: bool,
    /// Whether some of it is in the journal no more.
    pub is_partial: bool,
}

/// How many things of each kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts(Vec<Counted>);

impl Counts {
    /// One more like this.
    pub fn add(&mut self, change: &Change) {
        self.add_many(Counted {
            subject: change.subject,
            collection: change.collection.clone(),
            action: change.action,
            count: 1,
        });
    }

    /// So many more.
    pub fn add_many(&mut self, more: Counted) {
        let same = |known: &&mut Counted| {
            (known.subject, &known.collection, known.action) == (more.subject, &more.collection, more.action)
        };
        match self.0.iter_mut().find(same) {
            Some(known) => known.count += more.count,
            None => self.0.push(more),
        }
    }

    /// How many in all.
    pub fn total(&self) -> u64 {
        self.0.iter().map(|counted| counted.count).sum()
    }

    /// In an order that does not tell in which things were met: of the collection of a record that goes first, then by name, deletions
    /// before changes.
    #[must_use]
    pub fn sorted(mut self, first: &CollectionName) -> Self {
        self.0.sort_by_cached_key(|counted| {
            let name = counted.collection.as_ref();
            (counted.action != Verb::Delete, name != Some(first), name.map(ToString::to_string))
        });
        self
    }

    /// By kind, in the order in which they were met.
    pub fn into_inner(self) -> Vec<Counted> {
        self.0
    }
}

/// What the operation `id` did to things that the caller may view; of the changes those that are asked for.
pub async fn summary(core: &Core, caller: &Caller, id: OperationId, query: &OperationQuery) -> Result<Summary> {
    let mut most = query.page_size.unwrap_or(MAX_CHANGES);
    loop {
        match with_changes(core, caller, id, query.offset, most).await {
            Err(Error::TooLargeTogether) if most > 1 => most /= 2,
            summary => return summary,
        }
    }
}

/// The same with at most so many changes.
async fn with_changes(core: &Core, caller: &Caller, id: OperationId, offset: u64, most: usize) -> Result<Summary> {
    let deadline = core.deadline();
    let snapshot = core.store.snapshot().await?;
    let mut parts = Parts::new(&snapshot, id).await?;
    let mut stretch = ChangePage::new(core, &snapshot, caller, None);
    let (mut counts, mut passed, mut taken) = (Counts::default(), 0, 0);
    let mut is_partial = parts.is_cut();
    let (mut reverts, mut first) = (None, None::<(String, Option<UserId>)>);
    while let Some(part) = parts.next().await? {
        is_partial |= part.is_trimmed;
        for (at, entry) in part.entries {
            if let super::Entry::Other(change, _) = &entry
                && (change.subject, change.action) == (Subject::Operation, Verb::Revert)
            {
                reverts = change.id.parse().ok().or(reverts);
                continue;
            }
            let Some(found) = stretch.for_caller(at.version, entry).await? else { continue };
            first.get_or_insert_with(|| (found.0.at.clone(), found.0.by));
            counts.add(&found.0);
            if passed >= offset && taken < most {
                stretch.push(found);
                taken += 1;
            }
            passed += 1;
        }
        deadline.pause().await?;
    }
    // What did nothing that the caller may view is not there for them.
    let Some((at, by)) = first else { return Err(Error::NotFound) };
    let goes_on = offset.saturating_add(taken as u64) < passed;
    Ok(Summary { at, by, reverts, counts, results: stretch.finish(&deadline).await?, goes_on, is_partial })
}
