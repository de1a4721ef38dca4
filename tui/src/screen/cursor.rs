//! The cursor in a list of rows, and the rows that a window shows.

use std::cell::{Cell, RefCell};

use crate::key::Action;

/// Moves a selection by so many rows, staying among `rows` of them.
pub(super) fn moved(selected: usize, by: isize, rows: usize) -> usize {
    selected.saturating_add_signed(by).min(rows.saturating_sub(1))
}

/// The actions that make sense only where the rows are known.
pub(super) fn acts_on_row(action: Option<Action>) -> bool {
    use Action::{Choose, ChooseAll, ChooseRange, Delete, Down, Edit, First, Last, Open, Up, WindowDown, WindowUp};
    let moves = matches!(action, Some(Up | Down | First | Last | WindowUp | WindowDown));
    moves || matches!(action, Some(Open | Edit | Delete | Choose | ChooseRange | ChooseAll))
}

/// Which rows a window shows. It moves by half of itself when the cursor leaves it, so that most steps of the cursor change two rows of the
/// screen and no others.
#[derive(Debug, Clone)]
pub struct Window {
    first: Cell<usize>,
    height: Cell<usize>,
    columns: Cell<usize>,
    /// Where the first row is on the screen.
    top: Cell<u16>,
    /// Where the headings are: column on the screen, how wide, which.
    headings: RefCell<Vec<(u16, u16, usize)>>,
}

impl Default for Window {
    fn default() -> Self {
        Self {
            first: Cell::new(0),
            height: Cell::new(18),
            columns: Cell::new(80),
            top: Cell::new(u16::MAX),
            headings: RefCell::default(),
        }
    }
}

impl Window {
    /// The first row that is shown, in a window of this height, of so many rows.
    pub fn show(&self, selected: usize, rows: usize, height: usize) -> usize {
        self.height.set(height.max(1));
        let mut first = self.first.get();
        if selected < first || selected >= first + height {
            first = selected.saturating_sub(height / 2);
        }
        self.first.set(first.min(rows.saturating_sub(height)));
        self.first.get()
    }

    /// Goes on or back by what is shown; gives the row under the cursor then.
    pub fn leap(&self, selected: usize, is_down: bool, rows: usize) -> usize {
        let (first, height) = (self.first.get(), self.height.get());
        let last = rows.saturating_sub(height);
        self.first.set(if is_down { (first + height).min(last) } else { first.saturating_sub(height) });
        if is_down { (selected + height).min(rows.saturating_sub(1)) } else { selected.saturating_sub(height) }
    }

    /// Goes to the first row.
    pub fn top(&self) {
        self.first.set(0);
    }

    /// Takes note of where rows and headings are drawn, for the mouse.
    pub fn place(&self, top: u16, headings: Vec<(u16, u16, usize)>) {
        self.top.set(top);
        self.headings.replace(headings);
    }

    /// The row at a row of the screen. There may be fewer rows.
    pub fn row_at(&self, row: u16) -> Option<usize> {
        let below = usize::from(row.checked_sub(self.top.get())?);
        (below < self.height.get()).then_some(self.first.get() + below)
    }

    /// The column whose heading is there.
    pub fn heading_at(&self, column: u16, row: u16) -> Option<usize> {
        let headings = self.headings.borrow();
        let is_there = |(at, columns, _): &&(u16, u16, usize)| (*at..at + columns + 2).contains(&column);
        (row + 1 == self.top.get()).then(|| headings.iter().find(is_there).map(|(.., which)| *which)).flatten()
    }

    /// How wide a column of the table is drawn; `None` where it is not seen.
    pub fn width_of(&self, column: usize) -> Option<u16> {
        let headings = self.headings.borrow();
        headings.iter().find(|(.., which)| *which == column).map(|(_, columns, _)| *columns)
    }

    /// Columns of the screen.
    pub fn columns(&self) -> usize {
        self.columns.get()
    }

    /// The window has so many columns.
    pub fn set_columns(&self, columns: usize) {
        self.columns.set(columns);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_stays_until_the_cursor_leaves_it_and_moves_by_half() {
        let window = Window::default();
        let moves = (0..100).filter(|row| {
            let before = window.first.get();
            window.show(*row, 100, 20) != before
        });
        assert_eq!(moves.count(), 8);
        assert_eq!(window.show(99, 100, 20), 80);
        assert_eq!(window.show(80, 100, 20), 80);
        assert_eq!(window.show(79, 100, 20), 69);
        assert_eq!(window.show(5, 8, 20), 0);
    }

    #[test]
    fn leaps_leave_no_row_unseen() {
        let window = Window::default();
        let (mut selected, mut seen) = (7, Vec::new());
        loop {
            let first = window.show(selected, 50, 18);
            seen.extend(first..(first + 18).min(50));
            if selected == 49 {
                break;
            }
            selected = window.leap(selected, true, 50);
        }
        assert!((0..50).all(|row| seen.contains(&row)), "{seen:?}");
        for _ in 0..4 {
            selected = window.leap(selected, false, 50);
        }
        assert_eq!((selected, window.show(selected, 50, 18)), (0, 0));
    }
}
