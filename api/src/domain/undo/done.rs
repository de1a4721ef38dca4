//! What undoing did, as it is told.

use common::{
    change::{Subject, Verb},
    id::OperationId,
    operation::OperationState,
    undo::{Counted, NotRestored, Reverted},
};

use super::judge::{Judged, Returning};
use crate::domain::journal::summary::Counts;

/// What was done.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub counts: Counts,
    pub skipped: u64,
    pub not_restored: Vec<NotRestored>,
}

impl Done {
    /// What goes back with those that were judged to, as far as the caller may view it.
    pub(super) fn add(&mut self, judged: &Judged) {
        self.skipped += judged.skipped;
        for Returning { schema, item, target, is_visible, .. } in &judged.returning {
            let action = match (&item.now, target) {
                (Some(_), None) => Verb::Delete,
                (Some(_), Some(_)) => Verb::Update,
                (None, Some(_)) => Verb::Restore,
                (None, None) => continue,
            };
            if !is_visible {
                continue;
            }
            let collection = &schema.collection.name;
            let counted = Counted { subject: Subject::Record, collection: Some(collection.clone()), action, count: 1 };
            self.counts.add_many(counted);
            for field in item.gone.iter().filter(|_| target.is_some()).map(ToString::to_string) {
                let is_known = |lost: &&mut NotRestored| lost.collection == *collection && lost.field == field;
                match self.not_restored.iter_mut().find(is_known) {
                    Some(lost) => lost.count += 1,
                    None => {
                        self.not_restored.push(NotRestored { collection: collection.clone(), field, count: 1 });
                    }
                }
            }
        }
        self.not_restored.sort_by(|a, b| (&a.collection, &a.field).cmp(&(&b.collection, &b.field)));
    }
}

/// As it is sent: `operation` undid `reverts`.
pub(super) fn reverted(operation: OperationId, reverts: OperationId, state: OperationState, done: Done) -> Reverted {
    let Done { counts, skipped, not_restored } = done;
    Reverted { operation, reverts, state, count: counts.total(), counts: counts.into_inner(), skipped, not_restored }
}
