//! Records: read, made, changed, deleted and put back, always under the collection's access rules. Every change reads,
//! decides and commits with what it read as its expectation; where another writer came first, it reads again.

mod batch;
mod brought;
mod by_step;
mod cascade;
mod change;
mod checks;
mod condition;
mod cursor;
mod delete;
mod delete_large;
mod deletion;
mod describe;
mod earlier;
mod expand;
mod filter;
mod find;
mod guesses;
mod import;
mod join;
mod list;
mod many;
mod members;
mod number;
mod path;
mod referred;
mod regex;
mod restore;
mod select;
mod sort;
mod stored;
mod suggest;
mod unseen;
mod visible;

pub use batch::{Did, run as run_batch};
pub(crate) use by_step::would_change;
pub use change::{Sending, create, update};
pub use cursor::{Cursor, PageStart};
pub use delete::{delete, erase, would_delete};
pub(super) use deletion::{expect_referrers, followers, referring};
pub use describe::describe;
pub(super) use earlier::fit;
pub use expand::expandable;
pub use filter::Asked;
pub(super) use filter::{Conditions, Node, check_list};
pub use find::{authorize, get, get_unchanged, is_known, may_know};
pub use guesses::Guesses;
pub(crate) use import::{How, Tally};
pub use import::{Sent as ImportSent, import};
pub use list::{
    Aggregated, Listed, Results, Shape, aggregate, collections, export, in_pieces, lines, list, numbered, window,
};
pub use many::{delete_many, update_many};
pub use number::Adding;
pub use restore::restore;
pub use select::select;
pub use stored::Sent;
pub use suggest::with_suggestions;
pub(super) use unseen::Guess;
pub(super) use visible::{is_visible, may_see, may_view};
