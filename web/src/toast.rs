//! Short messages that come and go, some with a way back.

use std::{fmt, rc::Rc};

use common::{CallError, id::OperationId};
use futures_util::future::LocalBoxFuture;
use yew::prelude::*;

use crate::client::Client;

/// How to undo what was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Undo {
    /// The operation that it was.
    pub(crate) operation: OperationId,
    /// The title of the record that it was done to, or the label of the collection, as people know it.
    pub(crate) title: String,
    /// Does it.
    pub(crate) by: UndoBy,
}

/// Undoes an operation and gives what is to be said of it. The part that did it brings it along, so that a first visit does not wait for it.
#[derive(Clone, Copy)]
pub(crate) struct UndoBy(
    pub(crate) fn(Client, OperationId, String) -> LocalBoxFuture<'static, Result<String, CallError>>,
);

impl PartialEq for UndoBy {
    fn eq(&self, _: &Self) -> bool {
        // There is one.
        true
    }
}

impl Eq for UndoBy {}

impl fmt::Debug for UndoBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UndoBy")
    }
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Toast {
    /// Tells messages apart.
    pub(crate) id: u32,
    /// The sentence.
    pub(crate) text: String,
    /// Something went wrong: it stays until it is put away.
    pub(crate) is_error: bool,
    /// The way back.
    pub(crate) undo: Option<Undo>,
}

impl Toast {
    /// How long it is shown; `None` for until it is put away.
    pub(crate) fn seconds(&self) -> Option<u32> {
        match (self.is_error, &self.undo) {
            (true, _) => None,
            (false, Some(_)) => Some(20),
            (false, None) => Some(6),
        }
    }
}

/// The messages that are shown, the oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Toasts {
    /// At most [`Self::MOST`] of them.
    pub(crate) shown: Vec<Toast>,
    last: u32,
}

/// The events of toasts.
#[derive(Debug, Clone)]
pub(crate) enum ToastEvent {
    /// Something was done.
    Said(String),
    /// Something was done and can be undone.
    Done(String, Undo),
    /// Something went wrong.
    Failed(String),
    /// Something could not be undone now, and perhaps can be later.
    NotUndone(String, Undo),
    /// A message has been read.
    Removed(u32),
    /// Somebody signed out: what is shown was theirs.
    Cleared,
}

impl Toasts {
    const MOST: usize = 3;

    /// The latest way back that is still shown.
    pub(crate) fn undo(&self) -> Option<&Toast> {
        self.shown.iter().rev().find(|toast| toast.undo.is_some())
    }
}

impl Reducible for Toasts {
    type Action = ToastEvent;

    fn reduce(self: Rc<Self>, event: ToastEvent) -> Rc<Self> {
        let mut next = (*self).clone();
        let (text, is_error, undo) = match event {
            ToastEvent::Said(text) => (text, false, None),
            ToastEvent::Done(text, undo) => (text, false, Some(undo)),
            ToastEvent::Failed(text) => (text, true, None),
            ToastEvent::NotUndone(text, undo) => (text, true, Some(undo)),
            ToastEvent::Removed(id) => {
                next.shown.retain(|toast| toast.id != id);
                return Rc::new(next);
            }
            ToastEvent::Cleared => {
                next.shown.clear();
                return Rc::new(next);
            }
        };
        next.last += 1;
        next.shown.push(Toast { id: next.last, text, is_error, undo });
        if next.shown.len() > Self::MOST {
            next.shown.remove(0);
        }
        Rc::new(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn undo() -> Undo {
        let operation = "01920000-0000-7000-8000-000000000001".parse().unwrap();
        let by = UndoBy(|_, _, _| Box::pin(async { Ok(String::new()) }));
        Undo { operation, title: "Popcorn".to_owned(), by }
    }

    #[test]
    fn the_latest_change_is_undone_first_and_messages_do_not_pile_up() {
        let events = [
            ToastEvent::Said("a".into()),
            ToastEvent::Done("b".into(), undo()),
            ToastEvent::Done("c".into(), undo()),
            ToastEvent::Failed("d".into()),
        ];
        let toasts = events.into_iter().fold(Rc::new(Toasts::default()), Reducible::reduce);
        assert_eq!(toasts.shown.iter().map(|toast| toast.text.as_str()).collect::<String>(), "bcd");
        let latest = toasts.undo().unwrap().clone();
        assert_eq!(latest.text, "c");
        let toasts = toasts.reduce(ToastEvent::Removed(latest.id));
        assert_eq!(toasts.undo().unwrap().text, "b");
        let toasts = toasts.reduce(ToastEvent::NotUndone("e".into(), undo()));
        let latest = toasts.undo().unwrap();
        assert!(latest.is_error && latest.text == "e", "it can be tried again");
        assert!(toasts.reduce(ToastEvent::Cleared).shown.is_empty());
    }

    #[test]
    fn failures_stay_and_a_way_back_stays_longer() {
        let toast = |is_error, undo| Toast { id: 1, text: String::new(), is_error, undo };
        assert_eq!(toast(true, None).seconds(), None);
        assert!(toast(false, Some(undo())).seconds() > toast(false, None).seconds());
    }
}
