//! The cursor in a list of rows.

use crate::key::Action;

/// Moves a selection by so many rows, staying among `rows` of them.
pub(super) fn moved(selected: usize, by: isize, rows: usize) -> usize {
    selected.saturating_add_signed(by).min(rows.saturating_sub(1))
}

/// The actions that make sense only where the rows are known.
pub(super) fn acts_on_row(action: Option<Action>) -> bool {
    use Action::{Delete, Down, Edit, First, Last, Open, Up};
    matches!(action, Some(Open | Edit | Delete | Up | Down | First | Last))
}
