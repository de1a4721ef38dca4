//! Draws a page that scrolls.

use ratatui::{buffer::Buffer, layout::Rect};

use super::{put, scrollbar};
use crate::style::{Line, Theme};

/// Draws a page that scrolls, with a bar at its edge that says where it is.
pub(super) fn draw(buffer: &mut Buffer, body: Rect, theme: Theme, lines: &[Line], scroll: usize) {
    let height = usize::from(body.height);
    let scroll = scroll.min(lines.len().saturating_sub(height));
    for (row, line) in (0..body.height).zip(&lines[scroll..]) {
        for (column, text, style) in line {
            put(buffer, body, *column, row, text, *style);
        }
    }
    scrollbar(buffer, body, theme, lines.len(), scroll);
}
