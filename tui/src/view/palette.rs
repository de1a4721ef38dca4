//! Draws the command palette over what is open.

use ratatui::{
    buffer::Buffer,
    layout::{Constraint, Flex, Layout, Position, Rect},
    style::Style,
    symbols::border,
    text::{Line, Span},
    widgets::{Block, Clear, List, ListState, StatefulWidget, Widget as _},
};

use super::put;
use crate::{
    screen::Palette,
    style::Theme,
    width::{cut, width, window},
    words,
};

/// Says where the cursor is.
pub(super) fn draw(buffer: &mut Buffer, body: Rect, theme: Theme, palette: &Palette) -> Position {
    let entries = palette.matches();
    let rows = u16::try_from(entries.len().max(1)).unwrap_or(u16::MAX).saturating_add(3);
    let [area] = Layout::horizontal([Constraint::Max(72)]).flex(Flex::Center).areas(body);
    let [area] = Layout::vertical([Constraint::Max(rows.min(20))]).flex(Flex::Start).areas(area);
    Clear.render(area, buffer);
    let border = if theme.ascii { ASCII } else { border::ROUNDED };
    let block = Block::bordered().border_set(border).title(words::PALETTE);
    let inner = block.inner(area);
    block.render(area, buffer);
    let text = common::text::single_line(palette.text_input.text()).into_owned();
    let before: String = text.chars().take(palette.text_input.cursor().1).collect();
    let room = usize::from(inner.width).saturating_sub(3);
    let from = width(&before).saturating_sub(room.saturating_sub(1));
    put(buffer, inner, 0, 0, ":", theme.accent());
    put(buffer, inner, 2, 0, &window(&text, from, room), Style::new());
    let list = Rect { y: inner.y + 1, height: inner.height.saturating_sub(1), ..inner };
    let columns = usize::from(list.width);
    let lines = entries.iter().map(|entry| {
        let label = cut(&entry.label, columns.saturating_sub(width(&entry.key) + 2));
        let gap = columns.saturating_sub(width(&label) + width(&entry.key) + 1);
        Line::from(vec![Span::raw(label), Span::raw(" ".repeat(gap)), Span::styled(entry.key.clone(), theme.accent())])
    });
    let mut state = ListState::default().with_selected((!entries.is_empty()).then_some(palette.selected));
    StatefulWidget::render(List::new(lines).highlight_style(theme.cursor()), list, buffer, &mut state);
    if entries.is_empty() {
        put(buffer, list, 0, 0, words::NOTHING_FITS, theme.quiet());
    }
    let column = u16::try_from(width(&before) - from).unwrap_or(0);
    Position::new(inner.x + 2 + column, inner.y)
}

/// Borders without any character that is not ASCII.
const ASCII: border::Set<'static> = border::Set {
    top_left: "+",
    top_right: "+",
    bottom_left: "+",
    bottom_right: "+",
    vertical_left: "|",
    vertical_right: "|",
    horizontal_top: "-",
    horizontal_bottom: "-",
};
