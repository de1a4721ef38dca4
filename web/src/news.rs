//! What others changed, as pages ask for it. Who follows the stream is in a later part (`live`), which tells it here; a page loads anew what it
//! shows, and marks rows.

use std::{cell::RefCell, rc::Rc};

use common::{
    id::{RecordId, UserId},
    name::CollectionName,
};
use yew::prelude::*;

use crate::hooks::use_batch;

thread_local! {
    static TOLD: RefCell<Option<Rc<dyn Told>>> = const { RefCell::new(None) };
    static ONNEWS: RefCell<Option<Callback<()>>> = const { RefCell::new(None) };
}

/// What a page shows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Concern {
    /// All collections.
    All,
    /// The records of one.
    Records(CollectionName),
    /// The definition of one.
    Definition(CollectionName),
    /// One record.
    Record(CollectionName, RecordId),
}

/// What was told last. Behind it is the later part's code.
pub(crate) trait Told {
    /// Whether what a page shows may be otherwise now.
    fn concerns(&self, concern: &Concern) -> bool;
    /// Who changed a record, where that is known, and whether it is gone.
    fn changed(&self, collection: &CollectionName, id: RecordId) -> (Option<UserId>, bool);
    /// The class of a row that somebody else changed a moment ago.
    fn class(&self, id: RecordId) -> Option<&'static str>;
    /// How many changes by others there were in a collection.
    fn count(&self, collection: &CollectionName) -> Html;
}

/// Has the frame counted up when something is told.
pub(crate) fn listen(onnews: Callback<()>) {
    ONNEWS.set(Some(onnews));
}

/// Has all pages drawn again.
pub(crate) fn wake() {
    if let Some(onnews) = ONNEWS.with_borrow(Clone::clone) {
        onnews.emit(());
    }
}

/// Tells pages.
pub(crate) fn tell(told: Rc<dyn Told>) {
    TOLD.set(Some(told));
    wake();
}

/// What was told last, where something was.
pub(crate) fn told() -> Option<Rc<dyn Told>> {
    TOLD.with_borrow(Clone::clone)
}

/// How often something was told that a page is concerned by. What is loaded by this number is loaded anew.
#[hook]
pub(crate) fn use_times(concern: Option<Concern>) -> u32 {
    let batch = use_batch();
    let seen = use_mut_ref(|| (batch, 0));
    let mut seen = seen.borrow_mut();
    if seen.0 != batch {
        // Of two at once only the later one is here to be asked.
        let was_missed = batch - seen.0 > 1;
        seen.0 = batch;
        if was_missed || concern.zip(told()).is_some_and(|(concern, told)| told.concerns(&concern)) {
            seen.1 += 1;
        }
    }
    seen.1
}
