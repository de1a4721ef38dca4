//! Answers over HTTP/2. Each is made and sent by a task of its own, so one that its client leaves alone can end without its connection.

use futures_util::future::{AbortHandle, Abortable};
use hyper::rt::Executor;

tokio::task_local! {
    static CURRENT: AbortHandle;
}

/// Runs the tasks of HTTP/2. One that is given up says so to its client: `RST_STREAM`, and never a body that looks complete.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tasks;

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Tasks {
    fn execute(&self, task: F) {
        let (end, registration) = AbortHandle::new_pair();
        tokio::spawn(CURRENT.scope(end, Abortable::new(task, registration)));
    }
}

/// Ends the answer that is being made here, and nothing else; none over HTTP/1, where that takes its connection.
pub(super) fn current() -> Option<AbortHandle> {
    CURRENT.try_with(AbortHandle::clone).ok()
}
