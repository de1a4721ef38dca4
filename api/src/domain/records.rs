//! Records: read, made, changed, deleted and put back, always under the collection's access rules. Every change reads,
//! decides and commits with what it read as its expectation; where another writer came first, it reads again.

mod change;
mod checks;
mod delete;
mod describe;
mod filter;
mod find;
mod join;
mod list;
mod restore;
mod select;
mod sort;
mod stored;
mod unseen;
mod visible;

pub use change::{create, update};
pub use delete::delete;
pub use describe::describe;
pub use find::get;
pub(crate) use list::window;
pub use list::{check_page, list};
pub use restore::restore;
pub use select::select;
pub use stored::{Sent, assemble};
pub use unseen::Guesses;
