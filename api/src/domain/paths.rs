//! Published paths: how they are stored, and as requests find them. What a path names is kept by ids, so that it follows what is renamed.
//! A path adds nothing to what its collection's rules allow.

mod change;
mod check;
mod compiled;
mod current;
mod directory;
mod names;
mod projection;
mod record;
mod shown;
mod stored;

pub use change::{create, delete, replace, update};
pub use check::is_own;
pub use compiled::{Address, Compiled, Parameters, Verb};
pub use current::Paths;
pub(in crate::domain) use directory::{expect_not_looked_up, expect_unnamed, named_by};
pub use names::{Write, internal, published, published_parameter};
pub use projection::Projection;
pub use record::{Resolved, visible_by_unique};
pub use shown::{get, list};
pub use stored::MAX_PATHS;
