//! What a table tells the part that acts on many of its records: what is chosen, and what it shows. The part is fetched later, so it is handed over as
//! a context.

use std::rc::Rc;

use common::{collection::Collection, query::ListQuery, selection::Selection};
use yew::prelude::*;

/// What the part is to draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// What can be done to the chosen rows.
    Actions,
    /// The formats of an export.
    Export,
    /// How the rows were found.
    Explain,
    /// What stands beside the filter.
    Beside,
}

/// The context.
#[derive(Clone, PartialEq)]
pub(crate) struct Chosen {
    pub(crate) wanted: Wanted,
    pub(crate) collection: Rc<Collection>,
    /// What the table shows.
    pub(crate) query: Rc<ListQuery>,
    /// How many rows that finds.
    pub(crate) count: u64,
    /// How long they took, in milliseconds.
    pub(crate) took: u64,
    pub(crate) selection: Rc<Selection>,
    /// Chooses others.
    pub(crate) onselect: Callback<Selection>,
    /// Loads the table again.
    pub(crate) again: Callback<()>,
}
