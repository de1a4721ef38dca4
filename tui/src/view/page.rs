//! Draws a page that scrolls.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::put;
use crate::style::Line;

/// Draws a page that scrolls, with a mark at its edge where there is more.
pub(super) fn draw(buffer: &mut Buffer, body: Rect, lines: &[Line], scroll: usize) {
    let height = usize::from(body.height);
    let scroll = scroll.min(lines.len().saturating_sub(height));
    let edge = usize::from(body.width).saturating_sub(1);
    for (row, line) in (0..body.height).zip(&lines[scroll..]) {
        for (column, text, style) in line {
            put(buffer, body, *column, row, text, *style);
        }
    }
    if scroll > 0 {
        put(buffer, body, edge, 0, "↑", Style::new());
    }
    if scroll + height < lines.len() {
        put(buffer, body, edge, body.height.saturating_sub(1), "↓", Style::new());
    }
}
