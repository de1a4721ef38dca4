//! Saved views: how people look at a collection. A view adds no right: whoever may not list the collection does not learn that it is there.
//! Fields are kept by their ids too, so that a view follows what is renamed.

mod change;
mod shown;
mod stored;

pub use change::{create, delete, replace, update};
pub(in crate::domain) use change::{stage_delete_all, stage_delete_own};
pub use shown::{get, list};
pub(in crate::domain) use stored::{StoredView, id_of};
