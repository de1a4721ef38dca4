//! Signing in, and setting a new server up.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    style::Style,
};

use super::{form, paragraph};
use crate::{
    model::Model,
    screen::{Kind, SignIn},
    width::wrap,
    words,
};

/// Columns beyond which lines get hard to read.
const WIDEST: u16 = 72;

/// Draws it. Says where the cursor is.
pub(super) fn draw(buffer: &mut Buffer, body: Rect, model: &Model, sign_in: &SignIn) -> Option<Position> {
    let theme = model.theme;
    let columns = body.width.min(WIDEST);
    let area = Rect { x: body.x + (body.width - columns) / 2, width: columns, ..body };
    let is_set_up = sign_in.kind == Kind::SetUp;
    let mut row = u16::from(area.height > 12);
    if area.height > 5 {
        row = paragraph(buffer, area, row, words::sign_in_heading(is_set_up), theme.strong());
    }
    let mut say = |text: &str, style: Style| {
        // The inputs come first where there is little room.
        let lines = wrap(text, usize::from(columns).saturating_sub(2)).len();
        if usize::from(row) + lines + 4 <= usize::from(area.height) {
            row = paragraph(buffer, area, row, text, style);
        }
    };
    if let Some(reason) = &sign_in.reason {
        say(reason, Style::new());
    }
    if sign_in.look.is_under_way() {
        say(words::LOOKING, theme.quiet());
    }
    if let Some(error) = &sign_in.look.error {
        say(&format!("! {error}"), theme.error());
    }
    if is_set_up {
        say(words::SET_UP, Style::new());
    } else if sign_in.setup_required {
        say(words::SET_UP_OFFER, Style::new());
    }
    if model.in_the_clear {
        say(&format!("! {}", words::IN_THE_CLEAR), theme.error());
    }
    row += u16::from(row + 6 < area.height);
    let row = row.min(area.height);
    let rest = Rect { y: area.y + row, height: area.height - row, ..area };
    form::draw(buffer, rest, theme, &sign_in.state, None, None)
}
