//! Everything that a request writes is one operation, and has its id in the journal. Where an operation's entries are stands under its
//! id: see [`keyspace::operation_changes`]. A part of it is written in the commit that appends the entries, so one is there exactly
//! when the other is.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use common::id::OperationId;
use logging::RequestId;
use store::{Batch, Version};

use crate::domain::keyspace;

tokio::task_local! {
    static CURRENT: Current;
}

/// What the running task does, and whether anything was written for it.
#[derive(Clone)]
struct Current {
    id: OperationId,
    commits: Arc<AtomicU64>,
}

/// How many commits an operation has made.
#[derive(Clone, Default)]
pub struct Written(Arc<AtomicU64>);

impl Written {
    /// Whether there is any.
    pub fn is_so(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }
}

/// `future`, of which everything that it writes is the operation `id`.
pub fn in_operation<F: Future>(id: OperationId, written: &Written, future: F) -> impl Future<Output = F::Output> {
    CURRENT.scope(Current { id, commits: Arc::clone(&written.0) }, future)
}

/// The operation that the running task works on, or else its request. `None` for what no request asked for.
pub fn operation() -> Option<OperationId> {
    let current = CURRENT.try_with(|current| current.id).ok();
    current.or_else(|| RequestId::current().and_then(|id| id.as_str().parse().ok()))
}

/// Notes in a batch that it is the running task's operation that appends to the journal. Gives whether there was one to be noted.
pub fn count_operation(batch: &mut Batch) -> bool {
    let Ok(Current { id, commits }) = CURRENT.try_with(Clone::clone) else { return false };
    // The first commit is all of most operations.
    let part = Some(commits.load(Ordering::Relaxed)).filter(|part| *part > 0).map(Version::new);
    count_part(batch, id, part, part.is_some())
}

/// Notes in a batch that it is a part of this operation, where it appends anything. Parts have different numbers; one that is all of its
/// operation has none. With `follows` there were others before it: where those are gone, it says so.
pub fn count_part(batch: &mut Batch, id: OperationId, part: Option<Version>, follows: bool) -> bool {
    let count = batch.appended();
    if count > 0 {
        let mut value = count.to_be_bytes().to_vec();
        value.extend(follows.then_some(1));
        batch.put(keyspace::operation_part(id, part), value);
    }
    count > 0
}

/// The running task's operation has written something.
pub fn written() {
    let _ = CURRENT.try_with(|current| current.commits.fetch_add(1, Ordering::Relaxed));
}
