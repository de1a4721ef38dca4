//! How far the database is: asked for by every request, read once for all who ask at the same time. Whoever asks gets a reading that began
//! after the question, or what a node committed and answered before it could be missed.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Notify, oneshot},
    time::sleep,
};

use super::{
    reader::Reader,
    shared::{Moment, Shared},
};
use crate::{ReadError, ReadFault, Version};

/// How often the database is looked at while somebody waits for what others commit.
const LOOK: Duration = Duration::from_millis(20);
/// The same while it is not reached.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

type Answer = oneshot::Sender<Result<Moment, ReadError>>;

/// Those who wait for the next reading.
#[derive(Default)]
pub(super) struct Watermarks {
    waiting: Mutex<Vec<Answer>>,
    asked: Notify,
}

impl Watermarks {
    /// How far the database is, at a moment after this call.
    pub(super) async fn now(&self) -> Result<Moment, ReadError> {
        let (answer, answered) = oneshot::channel();
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push(answer);
        self.asked.notify_one();
        let closed = ReadError { reason: "the store is closed".to_owned(), fault: ReadFault::Unavailable };
        answered.await.unwrap_or(Err(closed))
    }

    /// Answers those who ask, one reading after another.
    pub(super) async fn run(self: Arc<Self>, reader: Arc<Reader>) {
        loop {
            self.asked.notified().await;
            let waiting = std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
            if waiting.is_empty() {
                continue;
            }
            let moment = reader.moment().await;
            for answer in waiting {
                // Somebody who went away has no use for it.
                let _ = answer.send(moment.clone());
            }
        }
    }

    /// Waits for a commit after `version`, by whichever node.
    pub(super) async fn later_than(&self, shared: &Shared, version: Version) -> Version {
        let mut seen = shared.seen.subscribe();
        loop {
            let last = *seen.borrow_and_update();
            if last > version {
                return last;
            }
            let pause = match self.now().await {
                Ok(moment) if moment.version > version => return moment.version,
                Ok(_) => LOOK,
                Err(_) => LOOK_AGAIN,
            };
            tokio::select! {
                _ = seen.changed() => {}
                () = sleep(pause) => {}
            }
        }
    }
}
