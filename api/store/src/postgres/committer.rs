//! The one writer of this process. It gathers the batches that wait and has a group of them committed in two trips to the database and one
//! flush of its disk: 64 writers cost one. Which batches are let through is decided in `group`, as with every engine; how the group gets in
//! exactly once, in `attempt`.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::{
    attempt::{Attempt, NotDone, Outcomes},
    connection::Link,
    queue::Queue,
    shared::Shared,
};
use crate::{Batch, CommitError, waiting::Waiting};

/// The longest that a batch waits for others to join it.
const MAX_PATIENCE: Duration = Duration::from_millis(1);

/// So long a group is tried before its callers are told that the database is not reached; and so long where that was so before.
const DEADLINE: Duration = Duration::from_secs(10);
const DEADLINE_WHILE_DOWN: Duration = Duration::from_secs(1);

/// One try waits no longer for the database.
const LONGEST_TRY: Duration = Duration::from_secs(30);

pub(super) struct Committer {
    shared: Arc<Shared>,
    queue: Arc<Queue>,
    link: Link,
    /// Groups so far. A group keeps its number however often it is tried.
    group: i64,
}

impl Committer {
    pub(super) fn new(shared: Arc<Shared>, queue: Arc<Queue>) -> Committer {
        let link = Link::new(Arc::clone(&shared.connector));
        Committer { shared, queue, link, group: 0 }
    }

    /// Runs until the queue is closed and empty.
    pub(super) async fn run(mut self) {
        let (mut expected, mut patience) = (1, Duration::ZERO);
        while let Some(waiting) = self.queue.take(expected, patience).await {
            let (started, count) = (Instant::now(), waiting.len());
            self.commit(waiting).await;
            // A writer that was answered may be back in a moment with the next batch; see `local::committer`.
            expected = count + self.queue.len();
            patience = (started.elapsed() / 8).min(MAX_PATIENCE);
        }
    }

    async fn commit(&mut self, waiting: Vec<Waiting>) {
        self.group += 1;
        self.shared.stats.group_sizes.observe(waiting.len() as u64);
        let (batches, answers): (Vec<_>, Vec<_>) =
            waiting.into_iter().map(|Waiting { batch, since, answer, .. }| (batch, (answer, since))).unzip();
        let answer = |outcomes: Outcomes| {
            let stats = &self.shared.stats;
            for ((answer, since), outcome) in answers.into_iter().zip(outcomes) {
                let count = if outcome.is_ok() { &stats.committed } else { &stats.refused };
                count.fetch_add(1, Relaxed);
                stats.commit_time.observe_time(since.elapsed());
                // A caller that went away has no use for the answer.
                let _ = answer.send(outcome);
            }
        };
        let all = |error: CommitError| batches.iter().map(|_| Err(error.clone())).collect::<Vec<_>>();
        let patience = if self.shared.down_since().is_some() { DEADLINE_WHILE_DOWN } else { DEADLINE };
        let sent = AtomicBool::new(false);
        let mut settled = pin!(self.settle(&batches, &sent));
        match timeout_at(Instant::now() + patience, &mut settled).await {
            Ok(Ok(outcomes)) => {
                self.shared.set_down(false);
                answer(outcomes);
            }
            Ok(Err(error)) => answer(all(error)),
            Err(_) => {
                let unknown = sent.load(Relaxed);
                if self.shared.down_since().is_none() {
                    tracing::error!(unknown, "commits are refused: the database does not take them");
                }
                self.shared.set_down(true);
                answer(all(CommitError::Unavailable { unknown }));
                // What may be in must be known before anything else is decided.
                while unknown && timeout(Duration::from_secs(1), &mut settled).await.is_err() && !self.queue.is_closed()
                {
                }
                if unknown {
                    self.shared.set_down(false);
                } else if let Some(session) = self.link.now() {
                    // A try was given up in its middle.
                    session.cut();
                }
            }
        }
    }

    /// Tries until it is known what became of the batches.
    async fn settle(&self, batches: &[Batch], sent: &AtomicBool) -> Result<Outcomes, CommitError> {
        let mut attempt = Attempt::new(&self.shared, self.group, batches, sent);
        let mut tries = 0;
        loop {
            if self.shared.failure.borrow().is_some() {
                return Err(CommitError::Stopped);
            }
            let session = self.link.session().await;
            let reason = match timeout(LONGEST_TRY, attempt.run(&session)).await {
                Ok(Ok(outcomes)) => return Ok(outcomes),
                Ok(Err(NotDone::Refused(error))) => return Err(error),
                Ok(Err(NotDone::Passing(reason))) => reason,
                Err(_) => {
                    session.cut();
                    "the database did not answer".to_owned()
                }
            };
            tracing::debug!(reason, tries, "a group of commits is tried again");
            sleep(self.shared.connector.pause(tries) / 10).await;
            tries = (tries + 1).min(8);
        }
    }
}
