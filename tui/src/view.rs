//! Draws the model: a bar at the top, a screen, a line that says how things stand, and the keys. What each screen looks
//! like is in the modules below; here is the frame around them. Nothing is remembered between two drawings.

mod changes;
#[cfg(test)]
mod changes_tests;
mod dashboard;
#[cfg(test)]
mod dashboard_tests;
mod form;
mod insights;
#[cfg(test)]
mod insights_tests;
#[cfg(test)]
mod join_tests;
#[cfg(test)]
mod many_tests;
#[cfg(test)]
mod migrations_tests;
mod page;
mod palette;
#[cfg(test)]
mod people_tests;
#[cfg(test)]
mod sheet_tests;
mod sign_in;
mod table;
#[cfg(test)]
mod tests;
mod views;
#[cfg(test)]
mod views_tests;

use common::{activity::Source, table::title_of, text::single_line};
use ratatui::{
    Frame,
    buffer::Buffer,
    layout::{Position, Rect},
    style::Style,
    widgets::{Block, Borders, Scrollbar, ScrollbarOrientation, ScrollbarState, StatefulWidget as _, Widget as _},
};

use crate::{
    footer::footer_hints,
    model::{Model, Screen},
    page::{detail_lines, help_lines, import_lines, sheet_body, sheet_lines},
    panes::{Panes, panes, record_lines},
    screen::{Sheet, SheetKind},
    status,
    style::Theme,
    text_input::TextInput,
    width::{cut, width, window, wrap},
    words,
};

/// A window with fewer columns or rows than this shows one sentence only.
const LEAST: (u16, u16) = (20, 6);
/// The frames of the spinner that turns while a request is under way.
const SPINNER: [&str; 8] = ["⠋", "⠙", "⠸", "⠴", "⠦", "⠇", "⠏", "⠛"];

/// Draws the model.
pub fn view(frame: &mut Frame<'_>, model: &Model) {
    if let Some(cursor) = draw(frame.buffer_mut(), model) {
        frame.set_cursor_position(cursor);
    }
}

/// Draws the model. Where text is typed, says where its cursor is.
pub fn draw(buffer: &mut Buffer, model: &Model) -> Option<Position> {
    let area = buffer.area;
    if area.width < LEAST.0 || area.height < LEAST.1 {
        put(buffer, area, 0, 0, words::TOO_SMALL, Style::new());
        return None;
    }
    let status = status::lines(model, usize::from(area.width));
    let body = status::body(area, status.len());
    bar(buffer, area, model);
    let cursor = draw_body(buffer, body, model);
    for (row, (line, style)) in (body.bottom() - area.y..).zip(&status) {
        put(buffer, area, 1, row, line, *style);
    }
    footer(buffer, area, model);
    if model.theme.ascii {
        only_ascii(buffer);
    }
    cursor
}

/// Puts ASCII in place of the lines and marks that the client draws.
fn only_ascii(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        let plain = match cell.symbol() {
            "›" | "→" => ">",
            "‹" | "←" => "<",
            "▲" | "↑" => "^",
            "▼" | "↓" => "v",
            "│" | "┃" | "║" | "▐" => "|",
            "─" | "━" | "–" | "—" | "·" => "-",
            "…" => "~",
            "•" | "●" | "✓" => "*",
            "\u{202f}" | "\u{a0}" => " ",
            "┌" | "┐" | "└" | "┘" | "╭" | "╮" | "╰" | "╯" | "├" | "┤" | "┬" | "┴" | "┼" => {
                "+"
            }
            // Braille turns, and plots.
            symbol if symbol.chars().all(|c| matches!(c, '\u{2580}'..='\u{259f}' | '\u{2800}'..='\u{28ff}')) => "*",
            _ => continue,
        };
        cell.set_symbol(plain);
    }
}

/// Draws what is on top. Where text is typed, says where its cursor is.
fn draw_body(buffer: &mut Buffer, body: Rect, model: &Model) -> Option<Position> {
    if let Some(scroll) = model.help {
        page::draw(buffer, body, model.theme, &help_lines(model, usize::from(body.width)), scroll);
        return None;
    }
    if let Some(sign_in) = &model.sign_in {
        return sign_in::draw(buffer, body, model, sign_in);
    }
    if let Some(palette) = &model.palette {
        draw_screen(buffer, body, model);
        return Some(palette::draw(buffer, body, model.theme, palette));
    }
    draw_screen(buffer, body, model)
}

/// Draws the topmost screen. Where text is typed, says where its cursor is.
fn draw_screen(buffer: &mut Buffer, whole: Rect, model: &Model) -> Option<Position> {
    let Panes { collections, main: body, record } = panes(model, whole);
    if let (Some(pane), Some(Screen::Collections(list))) = (collections, model.screens.first()) {
        let inner = beside(buffer, pane, Borders::RIGHT, model.theme);
        table::names(buffer, inner, model, list);
    }
    if let Some(pane) = record {
        beside(buffer, pane, Borders::LEFT, model.theme);
        let below = model.screens.len().checked_sub(2).and_then(|below| model.screens.get(below));
        if let Some(Screen::Records(table)) = below {
            table::records(buffer, body, model, table);
        }
    }
    match model.screens.last()? {
        Screen::Collections(collections) => {
            table::collections(buffer, body, model, collections);
            None
        }
        Screen::Dashboard(dashboard) => {
            dashboard::draw(buffer, body, model, dashboard);
            None
        }
        Screen::Sheet(sheet) => draw_sheet(buffer, whole, model, sheet),
        Screen::Changes(screen) => {
            changes::draw(buffer, whole, model.theme, screen);
            None
        }
        Screen::Insights(screen) => {
            insights::draw(buffer, whole, model, screen);
            None
        }
        Screen::Views(screen) => views::draw(buffer, whole, model, screen),
        Screen::Records(records) => table::records(buffer, body, model, records),
        Screen::Record(detail) => {
            let body = record_lines(model, whole);
            let lines = detail_lines(detail, model.theme, usize::from(body.width));
            page::draw(buffer, body, model.theme, &lines, detail.scroll);
            None
        }
        Screen::Form(form) => form::record_form(buffer, body, model.theme, form),
        Screen::Definition(form) => form::draw(buffer, body, model.theme, &form.state, None, None),
        Screen::Users(users) => table::records(buffer, body, model, users),
        Screen::Sessions(sessions) => table::records(buffer, body, model, &sessions.list),
        Screen::Account(form) => form::draw(buffer, body, model.theme, &form.state, None, form.notice().as_deref()),
        Screen::Change(form) => form::draw(buffer, body, model.theme, &form.state, None, Some(&form.notice())),
        Screen::Export(form) => form::draw(buffer, body, model.theme, &form.state, None, Some(form.notice())),
        Screen::Join(form) => form::draw(buffer, body, model.theme, &form.state, None, Some(words::JOIN_LEAD)),
        Screen::Import(screen) if screen.is_form() => {
            form::draw(buffer, body, model.theme, &screen.state, None, Some(words::CTRL_S_CHECKS))
        }
        Screen::Import(screen) => {
            let lines = import_lines(screen, model.theme, usize::from(body.width));
            page::draw(buffer, body, model.theme, &lines, screen.scroll);
            None
        }
    }
}

/// A page about the server or a token. Where a token is pasted, says where the cursor is.
fn draw_sheet(buffer: &mut Buffer, whole: Rect, model: &Model, sheet: &Sheet) -> Option<Position> {
    let body = sheet_body(model, whole);
    let lines = sheet_lines(model, sheet, usize::from(body.width));
    let scroll = if sheet.follows { usize::MAX } else { sheet.scroll };
    page::draw(buffer, body, model.theme, &lines, scroll);
    let SheetKind::Token(token) = &sheet.kind else { return None };
    let at = width(words::TOKEN_INPUT) + 3;
    let room = usize::from(whole.width).saturating_sub(at + 2);
    let mut input = |row: u16, label: &str, input: &TextInput, has_cursor: bool| {
        let text = single_line(input.text()).into_owned();
        let before: String = text.chars().take(input.cursor().1).collect();
        let from = if has_cursor { width(&before).saturating_sub(room.saturating_sub(1)) } else { 0 };
        put(buffer, whole, 1, row, label, model.theme.strong());
        put(buffer, whole, at, row, &" ".repeat(room), model.theme.field());
        put(buffer, whole, at, row, &window(&text, from, room), model.theme.field());
        let column = u16::try_from((at + width(&before)).saturating_sub(from)).unwrap_or(0);
        Position::new(whole.x + column.min(whole.width.saturating_sub(1)), whole.y + row)
    };
    let places = [
        input(0, words::TOKEN_INPUT, &token.text_input, !token.is_at_key),
        input(1, words::KEY_INPUT, &token.key_input, token.is_at_key),
    ];
    Some(places[usize::from(token.is_at_key)])
}

/// Draws the border of a pane; gives what is inside.
fn beside(buffer: &mut Buffer, pane: Rect, borders: Borders, theme: Theme) -> Rect {
    let block = Block::new().borders(borders).border_style(theme.quiet());
    let inner = block.inner(pane);
    block.render(pane, buffer);
    inner
}

/// Where one is, on the left; who and where the server is, on the right.
fn bar(buffer: &mut Buffer, area: Rect, model: &Model) {
    buffer.set_style(Rect { height: 1, ..area }, model.theme.bar());
    let mut path = format!(" {}", words::NAME);
    for part in model.screens.iter().filter(|_| model.sign_in.is_none()).filter_map(|screen| match screen {
        Screen::Collections(_) => None,
        Screen::Dashboard(_) => Some(words::DASHBOARD.to_owned()),
        Screen::Changes(screen) => Some(match &screen.list.source {
            Source::History(..) => words::HISTORY.to_owned(),
            Source::Trash(_) => words::TRASH.to_owned(),
            Source::Activity(_) => words::ACTIVITY.to_owned(),
        }),
        Screen::Sheet(sheet) => Some(
            match sheet.kind {
                SheetKind::Log(_) => words::LOG,
                SheetKind::Failures => words::FAILURES,
                SheetKind::Server(_) => words::SERVER,
                SheetKind::Token(_) => words::TOKEN,
                SheetKind::Api(..) => words::API,
                SheetKind::Access => words::ACCESS,
                SheetKind::Own(..) => words::DASHBOARD,
                SheetKind::Invitations(_) => words::INVITATIONS,
                SheetKind::Migrations(_) => words::MIGRATIONS,
            }
            .to_owned(),
        ),
        Screen::Insights(_) => Some(words::INSIGHTS.to_owned()),
        Screen::Views(_) => Some(words::VIEWS.to_owned()),
        Screen::Records(records) => Some(records.collection.name.to_string()),
        Screen::Record(detail) => Some(cut(&title_of(&detail.collection, &detail.record), 30)),
        Screen::Form(form) if form.edited.base.is_some() => Some(words::EDITING.to_owned()),
        Screen::Form(_) => Some(words::NEW.to_owned()),
        Screen::Definition(form) => Some(match &form.existing {
            Some(name) => format!("{name} › {}", words::EDITING),
            None => words::NEW.to_owned(),
        }),
        Screen::Users(_) => Some(words::USERS.to_owned()),
        Screen::Sessions(sessions) => Some(words::sessions_of(sessions.of.as_ref())),
        Screen::Account(form) => Some(form.kind.path()),
        Screen::Change(form) => Some(format!("{} › {}", words::CHANGE, words::chosen(form.selection().count()))),
        Screen::Export(_) => Some(words::EXPORT.to_owned()),
        Screen::Join(_) => Some(words::JOIN.to_owned()),
        Screen::Import(_) => Some(words::IMPORT.to_owned()),
    }) {
        path.push_str(" › ");
        path.push_str(&part);
    }
    let spinner = if model.is_busy() { SPINNER[model.tick % SPINNER.len()] } else { " " };
    let who = match (&model.user, &model.sign_in) {
        (Some(user), None) => format!("{spinner} {} · {} ", user.username, model.server),
        _ => format!("{spinner} {} ", model.server),
    };
    let columns = usize::from(area.width);
    let who = if width(&path) + width(&who) < columns { who } else { format!("{spinner} ") };
    put(buffer, area, 0, 0, &cut(&path, columns.saturating_sub(width(&who))), model.theme.bar());
    put(buffer, area, columns - width(&who).min(columns), 0, &who, model.theme.bar());
}

fn footer(buffer: &mut Buffer, area: Rect, model: &Model) {
    let row = area.height - 1;
    for hint in footer_hints(model, usize::from(area.width)) {
        put(buffer, area, hint.at, row, &hint.key, model.theme.accent());
        put(buffer, area, hint.at + width(&hint.key) + 1, row, hint.word, Style::new());
    }
}

/// Writes safe text at a column and row of an area; what lies outside is left out.
fn put(buffer: &mut Buffer, area: Rect, column: usize, row: u16, text: &str, style: Style) {
    let Ok(column) = u16::try_from(column) else { return };
    if row < area.height && column < area.width {
        let room = usize::from(area.width - column);
        buffer.set_stringn(area.x + column, area.y + row, text, room, style);
    }
}

/// Writes sentences, wrapped, from a row on. Says which row is free then.
fn paragraph(buffer: &mut Buffer, area: Rect, mut row: u16, text: &str, style: Style) -> u16 {
    for line in wrap(text, usize::from(area.width).saturating_sub(2)) {
        put(buffer, area, 1, row, &line, style);
        row += 1;
    }
    row
}

/// A bar at the right edge of an area that shows some of its rows, from one on; none where it shows all.
fn scrollbar(buffer: &mut Buffer, area: Rect, theme: Theme, rows: usize, first: usize) {
    let height = usize::from(area.height);
    if rows <= height {
        return;
    }
    let mut state = ScrollbarState::new(rows - height).position(first).viewport_content_length(height);
    Scrollbar::new(ScrollbarOrientation::VerticalRight)
        .begin_symbol(None)
        .end_symbol(None)
        .track_symbol(Some(" "))
        .thumb_symbol(if theme.ascii { "#" } else { "▐" })
        .render(area, buffer, &mut state);
}

/// What a screen shows in place of rows: a heading and what to do next.
fn sentence(buffer: &mut Buffer, area: Rect, theme: Theme, heading: &str, next: &str) {
    let row = paragraph(buffer, area, u16::from(area.height > 4), heading, theme.strong());
    paragraph(buffer, area, row, next, Style::new());
}

/// The first of `rows` that is shown in a window of `height`, so that the one under the cursor is seen.
fn first_row(cursor: usize, rows: usize, height: usize) -> usize {
    cursor.saturating_sub(height / 2).min(rows.saturating_sub(height))
}
