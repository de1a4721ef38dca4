//! What is cleared away again and again: sessions that are over, answers that are kept no longer, and the records of operations that ended long
//! ago.

use common::id::{OperationId, SessionId};
use serde::{Deserialize, Serialize};
use store::{Expect, Scan};
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

use super::piece::{Budget, Entries, Piece, Steps};
use crate::domain::{core::Core, error::Result, idempotency, keyspace, sessions::StoredSession};

/// How long an operation that is over can be looked at.
const OPERATIONS_ARE_KEPT: Duration = Duration::days(30);

/// Removes sessions whose tokens have all expired. One that ended waits for that, so that its tokens are told apart from forged
/// ones.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SweepSessions {
    after: Option<SessionId>,
}

impl Steps for SweepSessions {
    async fn step(&mut self, core: &Core, budget: &mut Budget<'_>) -> Result<Piece> {
        let (mut piece, now) = (Piece::default(), core.clock.unix_seconds());
        let snapshot = core.store.snapshot().await?;
        loop {
            let mut scan = Scan::prefix(&keyspace::sessions());
            if let Some(after) = self.after {
                scan = scan.after(&keyspace::session(after));
            }
            let Entries { entries, is_end } = budget.scan(&snapshot, scan).await?;
            for (key, entry) in entries {
                let session: StoredSession = serde_json::from_slice(&entry.value)?;
                let Some(id) = keyspace::last_id(&key).map(|id| SessionId::from_uuid(id.bits())) else { continue };
                budget.spend(entry.value.len());
                if session.expires_at.min(session.idle_until) <= now {
                    let spent = budget.scan(&snapshot, Scan::prefix(&keyspace::all_spent(id))).await?;
                    for (spent, _) in spent.entries {
                        piece.batch.delete(spent);
                        budget.spend(0);
                    }
                    if !spent.is_end {
                        // The next piece begins with this session again.
                        return Ok(piece);
                    }
                    piece
                        .batch
                        .expect(key.clone(), Expect::Version(entry.version))
                        .delete(key)
                        .delete(keyspace::user_session(session.user, id));
                    budget.spend(0);
                    budget.spend(0);
                    piece.done += 1;
                }
                self.after = Some(id);
                if budget.is_spent() {
                    return Ok(piece);
                }
            }
            if is_end {
                piece.is_last = true;
                return Ok(piece);
            }
        }
    }
}

/// Removes the records of operations that ended long ago.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SweepOperations {
    after: Option<OperationId>,
}

/// As much of an operation's record as is needed here.
#[derive(Deserialize)]
struct Ended {
    #[serde(default)]
    ended_at: Option<String>,
}

impl Steps for SweepOperations {
    async fn step(&mut self, core: &Core, budget: &mut Budget<'_>) -> Result<Piece> {
        let (mut piece, old) = (Piece::default(), core.clock.now() - OPERATIONS_ARE_KEPT);
        let snapshot = core.store.snapshot().await?;
        loop {
            let mut scan = Scan::prefix(&keyspace::operations());
            if let Some(after) = self.after {
                scan = scan.after(&keyspace::operation(after));
            }
            let Entries { entries, is_end } = budget.scan(&snapshot, scan).await?;
            for (key, entry) in entries {
                let Some(id) = keyspace::operation_id(&key) else { continue };
                let Ended { ended_at } = serde_json::from_slice(&entry.value)?;
                let ended_at = ended_at.and_then(|at| OffsetDateTime::parse(&at, &Rfc3339).ok());
                if ended_at.is_some_and(|at| at < old) {
                    piece.batch.expect(key.clone(), Expect::Version(entry.version)).delete(key);
                    piece.done += 1;
                }
                self.after = Some(id);
                budget.spend(entry.value.len());
                if budget.is_spent() {
                    return Ok(piece);
                }
            }
            if is_end {
                piece.is_last = true;
                return Ok(piece);
            }
        }
    }
}

/// Removes the answers that keys of requests have kept long enough.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SweepKeys {
    after: Vec<u8>,
}

impl Steps for SweepKeys {
    async fn step(&mut self, core: &Core, budget: &mut Budget<'_>) -> Result<Piece> {
        let (mut piece, now) = (Piece::default(), core.clock.unix_seconds());
        let snapshot = core.store.snapshot().await?;
        loop {
            let Entries { entries, is_end } = budget.scan(&snapshot, idempotency::keys_after(&self.after)).await?;
            for (key, entry) in entries {
                budget.spend(entry.value.len());
                self.after = key.as_bytes().to_vec();
                if idempotency::is_over(&entry, now) {
                    // One that was taken up again meanwhile is over no longer.
                    piece.batch.expect(key.clone(), Expect::Version(entry.version)).delete(key);
                    piece.done += 1;
                }
                if budget.is_spent() {
                    return Ok(piece);
                }
            }
            if is_end {
                piece.is_last = true;
                return Ok(piece);
            }
        }
    }
}
