//! What operations say of values: why they failed, what did not fit, and the rows that an import left out.

use common::{
    id::{OperationId, RecordId},
    operation::OperationState,
};
use store::{Expect, Snapshot};

use super::{Erase, EraseTarget};
use crate::domain::{
    core::Core,
    error::Result,
    keyspace,
    operations::{
        kinds::{ImportPhase, StepPhase},
        piece::{Budget, Entries, Piece},
        stored::{Stored, Work},
    },
};

/// What they say instead.
const ERASED: &str = "What this said was erased.";

impl Erase {
    /// Has operations forget what they say of values, those behind `after`.
    pub(super) async fn in_messages(
        &mut self,
        core: &Core,
        snapshot: &Snapshot,
        budget: &mut Budget<'_>,
        after: OperationId,
    ) -> Result<Piece> {
        let mut piece = Piece::default();
        let scan = keyspace::every_operation().after(&keyspace::operation(after));
        let Entries { entries, is_end } = budget.scan(snapshot, scan).await?;
        self.messages = entries.last().filter(|_| !is_end).and_then(|(key, _)| keyspace::operation_id(key));
        for (key, entry) in entries {
            budget.spend(entry.value.len());
            let mut stored = Stored::parse(&entry)?;
            let Some(id) = keyspace::operation_id(&key).filter(|_| self.what.is_of(&stored)) else { continue };
            if stored.state.is_over() {
                core.spool.forget_rejected(id);
            }
            let before = stored.clone();
            self.what.forget(&mut stored);
            if stored != before {
                piece.batch.expect(key.clone(), Expect::Version(entry.version)).put(key, stored.to_bytes()?);
                piece.done += 1;
            }
        }
        Ok(piece)
    }
}

impl EraseTarget {
    /// Whether an operation may say something of what is erased.
    fn is_of(&self, stored: &Stored) -> bool {
        let collection = match &stored.work {
            Work::Redefine(work) => Some(work.collection),
            Work::DeleteRecord(work) => Some(work.collection),
            Work::Import(work) => Some(work.collection),
            Work::DeleteCollection(work) => Some(work.collection),
            Work::ChangeRecords(work) => Some(work.collection),
            // Whose records they are at is not known here.
            Work::Revert(_) | Work::Migrate(_) => None,
            Work::TrimChanges(_)
            | Work::SweepIndexes(_)
            | Work::PackWords(_)
            | Work::Erase(_)
            | Work::SweepSessions(_)
            | Work::SweepOperations(_)
            | Work::SweepKeys(_)
            | Work::TrimHistory(_) => return false,
        };
        match self {
            Self::Record(number, _) => collection.is_none_or(|collection| collection == *number),
            Self::Field(numbers, _) => collection.is_none_or(|collection| numbers.contains(&collection)),
            Self::User(user, _) => stored.by == Some(*user),
            Self::Nothing => false,
        }
    }

    fn forget(&self, stored: &mut Stored) {
        let is_over = stored.state.is_over();
        if stored.state != OperationState::Done {
            forget(stored.error.as_mut());
        }
        match &mut stored.work {
            Work::Redefine(work) => {
                if let Some(record) = self.record() {
                    work.misfits.examples.retain(|misfit| misfit.id != record);
                }
                work.misfits.examples.iter_mut().for_each(|misfit| forget(Some(&mut misfit.message)));
            }
            Work::Import(work) => {
                work.faults.iter_mut().for_each(|fault| forget(Some(&mut fault.message)));
                if let ImportPhase::TakingBack(why) = &mut work.phase {
                    forget(why.as_mut());
                }
            }
            Work::ChangeRecords(work) => {
                if is_over {
                    work.step.clear();
                }
                if let StepPhase::TakingBack(why) = &mut work.phase {
                    forget(Some(why));
                }
            }
            _ => {}
        }
        if is_over && matches!(self, Self::User(..)) {
            stored.by = None;
        }
    }

    fn record(&self) -> Option<RecordId> {
        match self {
            Self::Record(_, id) => Some(*id),
            _ => None,
        }
    }
}

fn forget(message: Option<&mut String>) {
    if let Some(message) = message {
        ERASED.clone_into(message);
    }
}
