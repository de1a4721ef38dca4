//! What was typed into a form that was then left without sending it. Coming back to the form brings it back, so that a
//! slip of the back button costs nothing. Kept for as long as the tab is open and the user is signed in.

use std::{any::Any, cell::RefCell, collections::HashMap};

use yew::prelude::*;
use yew_router::hooks::use_location;

thread_local! {
    static DRAFTS: RefCell<HashMap<String, Box<dyn Any>>> = RefCell::default();
}

/// Keeps a draft for the page with this path.
fn keep<T: 'static>(path: &str, draft: T) {
    DRAFTS.with_borrow_mut(|drafts| drafts.insert(path.to_owned(), Box::new(draft)));
}

/// Takes the draft of the page with this path.
fn take<T: 'static>(path: &str) -> Option<T> {
    let draft = DRAFTS.with_borrow_mut(|drafts| drafts.remove(path))?;
    draft.downcast().ok().map(|draft| *draft)
}

/// Forgets it all, since somebody else may sign in.
pub(crate) fn forget() {
    DRAFTS.with_borrow_mut(HashMap::clear);
}

/// The draft that was left on this page, on the page's first drawing. The second value takes note of how the draft stands
/// now; what it says last is kept when the page is left, if it is something.
#[hook]
pub(crate) fn use_draft<T: 'static>() -> (Option<T>, Callback<Option<T>>) {
    let path = use_location().map(|location| location.path().to_owned()).unwrap_or_default();
    // The page that is being left is drawn once more under the next page's path.
    let path = (*use_memo((), |()| path)).clone();
    let is_first = use_mut_ref(|| true);
    let latest = use_mut_ref(|| None::<T>);
    use_effect_with((), {
        let (path, latest) = (path.clone(), latest.clone());
        move |()| {
            move || {
                if let Some(draft) = latest.borrow_mut().take() {
                    keep(&path, draft);
                }
            }
        }
    });
    let left = std::mem::take(&mut *is_first.borrow_mut()).then(|| take(&path)).flatten();
    let note = Callback::from(move |draft| *latest.borrow_mut() = draft);
    (left, note)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_comes_back_once_and_never_as_something_else() {
        keep("/a", 7_u32);
        assert_eq!(take::<u32>("/b"), None);
        assert_eq!(take::<u32>("/a"), Some(7));
        assert_eq!(take::<u32>("/a"), None);
        keep("/a", 7_u32);
        assert_eq!(take::<String>("/a"), None);
        keep("/a", 7_u32);
        forget();
        assert_eq!(take::<u32>("/a"), None);
    }
}
