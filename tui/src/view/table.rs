//! Tables: the collections, the records of one, users and sessions. Columns are as wide as what they show, within reason; where they do
//! not all fit, the columns shown are those around the cursor.

use common::{
    field::FieldType,
    record::Record,
    table::{Column, cell, joined_cell, marked, named, short_moment},
};
use ratatui::{
    buffer::Buffer,
    layout::{Constraint, Position, Rect},
    style::{Modifier, Style},
    text::{Line, Span},
    widgets::{HighlightSpacing, List, ListState, Row, StatefulWidget, Table, TableState},
};
use serde_json::Value;

use super::{paragraph, put, scrollbar, sentence};
use crate::{
    key::Action,
    model::{Model, Screen},
    screen::{Collections, Records, Rows, Window},
    width::{cut, width, window},
    words,
};

/// Between two columns.
const GAP: usize = 2;
/// A column that is cut for others still has room for a day and its time.
const A_MOMENT: usize = 16;

/// A cell, safe to show.
struct Cell {
    text: String,
    /// The characters that a search found, from one to before another.
    found: Vec<(usize, usize)>,
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self { text, found: Vec::new() }
    }
}

impl Cell {
    /// The words of a search are marked in it.
    fn marked(text: &str, stretches: &Value) -> Self {
        let mut cell = Self::from(String::new());
        let mut at = 0;
        for (piece, is_found) in marked(text, stretches) {
            let end = at + piece.chars().count();
            cell.found.extend(is_found.then_some((at, end)));
            cell.text.push_str(&piece);
            at = end;
        }
        cell
    }

    /// As much of it as there is room for.
    fn line(&self, columns: usize, found: Style) -> Line<'static> {
        let text = cut(&self.text, columns);
        let (mut line, mut chars, mut at) = (Line::default(), text.chars(), 0);
        for (from, to) in &self.found {
            line.push_span(Span::raw(chars.by_ref().take(from - at).collect::<String>()));
            line.push_span(Span::styled(chars.by_ref().take(to - from).collect::<String>(), found));
            at = *to;
        }
        line.push_span(Span::raw(chars.collect::<String>()));
        line
    }
}

/// A table to be drawn.
struct Grid<'a> {
    /// The headings.
    headings: Vec<String>,
    /// Columns that stand at their right edge.
    numeric: Vec<bool>,
    /// Cells, row by row.
    cells: Vec<Vec<Cell>>,
    /// The row under the cursor.
    row: usize,
    /// How wide columns are that somebody has made narrower or wider.
    widths: Vec<Option<usize>>,
    /// The column under the cursor, where there is one.
    column: Option<usize>,
    /// A mark before a row: what others changed, and what is a row no more.
    marks: Vec<&'static str>,
    /// The rows that are chosen.
    chosen: Vec<bool>,
    /// The rows that the window shows.
    window: &'a Window,
    /// What it belongs to.
    model: &'a Model,
}

/// The list of collections.
pub(super) fn collections(buffer: &mut Buffer, body: Rect, model: &Model, screen: &Collections) {
    let theme = model.theme;
    let Some(rows) = &screen.rows else {
        match &screen.load.error {
            Some(error) => sentence(buffer, body, theme, error, words::PRESS_R),
            None => sentence(buffer, body, theme, words::LOADING, ""),
        }
        return;
    };
    let body = warn(buffer, body, model, screen.load.error.as_deref());
    if rows.is_empty() {
        let is_admin = model.user.as_ref().is_some_and(|user| user.is_admin);
        let next = if is_admin { words::NO_COLLECTIONS_ADMIN } else { words::NO_COLLECTIONS_USER };
        sentence(buffer, body, theme, words::NO_COLLECTIONS, next);
        return;
    }
    let cells = rows.iter().map(|row| {
        let count = row.count.map(common::text::thousands).unwrap_or_default();
        [row.name.to_string(), count, common::text::single_line(&row.description).into_owned()].map(Cell::from).into()
    });
    let grid = Grid {
        headings: words::COLLECTION_COLUMNS.map(str::to_owned).to_vec(),
        numeric: vec![false, true, false],
        cells: cells.collect(),
        widths: Vec::new(),
        row: screen.selected,
        column: None,
        marks: Vec::new(),
        chosen: Vec::new(),
        window: &screen.window,
        model,
    };
    grid.draw(buffer, body);
}

/// The names of the collections, beside the table of one of them.
pub(super) fn names(buffer: &mut Buffer, pane: Rect, model: &Model, screen: &Collections) {
    let rows = screen.rows.as_deref().unwrap_or_default();
    let open = model.screens.iter().rev().find_map(|screen| match screen {
        Screen::Records(table) => Some(&table.collection.name),
        _ => None,
    });
    let here = rows.iter().position(|row| Some(&row.name) == open);
    let columns = usize::from(pane.width);
    let items = rows.iter().map(|row| {
        let count = row.count.map(common::text::thousands).unwrap_or_default();
        let name = cut(row.name.as_str(), columns.saturating_sub(width(&count) + 3));
        let gap = columns.saturating_sub(width(&name) + width(&count) + 2);
        Line::from(format!(" {name}{}{count}", " ".repeat(gap)))
    });
    let mut state = ListState::default().with_selected(here);
    StatefulWidget::render(List::new(items).highlight_style(model.theme.strong()), pane, buffer, &mut state);
}

/// A table of records or people, with its filter line above it. Says where the cursor is while a filter is typed.
pub(super) fn records(buffer: &mut Buffer, body: Rect, model: &Model, screen: &Records) -> Option<Position> {
    let theme = model.theme;
    let (body, cursor) = filter_line(buffer, body, model, screen);
    let Some(rows) = &screen.rows else {
        match &screen.load.error {
            Some(error) => sentence(buffer, body, theme, error, words::PRESS_R),
            None => sentence(buffer, body, theme, words::LOADING, ""),
        }
        return cursor;
    };
    let body = warn(buffer, body, model, screen.load.error.as_deref());
    if rows.is_empty() {
        if screen.filter_line().is_empty() {
            let next = if model.offers(Action::New) { words::NO_RECORDS_NEXT } else { "" };
            match screen.source {
                Rows::Records => sentence(buffer, body, theme, words::NO_RECORDS, next),
                Rows::Users => sentence(buffer, body, theme, words::NO_USERS, ""),
                Rows::Sessions(_) => sentence(buffer, body, theme, words::NO_SESSIONS, ""),
            }
        } else {
            sentence(buffer, body, theme, words::NO_MATCHES, "");
        }
        return cursor;
    }
    let grid = Grid {
        headings: screen.columns.iter().map(|column| heading(screen, column)).collect(),
        numeric: screen.columns.iter().map(|column| column.numeric).collect(),
        cells: rows
            .iter()
            .map(|row| screen.columns.iter().map(|column| shown(screen, row, column, body.width)).collect())
            .collect(),
        widths: screen
            .columns
            .iter()
            .map(|column| screen.widths.get(&column.name).map(|width| usize::from(*width)))
            .collect(),
        row: screen.selected,
        column: Some(screen.column),
        marks: rows.iter().map(|row| mark(screen, row)).collect(),
        chosen: rows.iter().map(|row| row.id().is_some_and(|id| screen.selection.has(id))).collect(),
        window: &screen.window,
        model,
    };
    grid.draw(buffer, body);
    cursor
}

fn mark(screen: &Records, row: &Record) -> &'static str {
    match row.id() {
        Some(id) if screen.left_over == Some(id) => words::LEFT_OVER,
        Some(id) if screen.marked.contains_key(&id) => words::MARK,
        _ => "",
    }
}

fn heading(screen: &Records, column: &Column) -> String {
    match screen.table.direction(&column.name) {
        Some(false) => format!("{} ▲", column.label),
        Some(true) => format!("{} ▼", column.label),
        None => column.label.clone(),
    }
}

/// A cell. No more of it than a row has room for, since all of it is measured.
fn shown(screen: &Records, record: &Record, column: &Column, room: u16) -> Cell {
    let found = record.id().and_then(|id| screen.highlights.get(&id)?.get(&column.name));
    let Some(stretches) = found else { return text(screen, record, column, room).into() };
    let cell = Cell::marked(&cell(record.get(&column.name)), stretches);
    Cell { text: cut(&cell.text, usize::from(room)), ..cell }
}

/// The text of a cell.
fn text(screen: &Records, record: &Record, column: &Column, room: u16) -> String {
    let value = record.get(&column.name);
    match (screen.source, column.name.as_str(), value) {
        (Rows::Users, "last_login", Some(Value::Null)) => return words::NEVER.to_owned(),
        (Rows::Users, "roles", Some(Value::Array(_))) => return cell(value).replace(',', ""),
        (Rows::Sessions(_), "current", Some(Value::Bool(is_this_one))) => {
            let said = [(*is_this_one, words::THIS_ONE), (!shared_by(record).is_empty(), words::SHARED)];
            return said.iter().filter(|(is_so, _)| *is_so).map(|(_, word)| *word).collect::<Vec<_>>().join(", ");
        }
        (Rows::Sessions(_), "address", _) if !shared_by(record).is_empty() => {
            return cut(&shared_by(record).join(" + "), usize::from(room));
        }
        (Rows::Records, name, _) if screen.is_joined(name) => {
            let rows = value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            return cut(&joined_cell(&screen.table.query.left_join, name, rows), usize::from(room));
        }
        _ => {}
    }
    let name = value.and_then(|value| named(&screen.names, &column.name, value));
    let text = cut(&name.unwrap_or_else(|| cell(value)), usize::from(room));
    let kind = screen.collection.field(&column.name).map(|field| &field.kind);
    // A column that the server sets has no field, and is a moment.
    let is_moment = kind.is_none_or(|kind| matches!(kind, FieldType::Datetime));
    if is_moment { short_moment(&text) } else { text }
}

/// The addresses that used one and the same token of a session, where there were several.
fn shared_by(session: &Record) -> Vec<&str> {
    let Some(Value::Array(addresses)) = session.get("shared_by") else { return Vec::new() };
    addresses.iter().filter_map(Value::as_str).collect()
}

/// The filter above a table, as it is typed or as it holds.
fn filter_line(buffer: &mut Buffer, body: Rect, model: &Model, screen: &Records) -> (Rect, Option<Position>) {
    let theme = model.theme;
    let held = screen.filter_line();
    let (text, before, error) = match &screen.filter {
        Some(line) => {
            let text = common::text::single_line(line.text_input.text()).into_owned();
            let before: String = text.chars().take(line.text_input.cursor().1).collect();
            (text, Some(width(&before)), line.error.as_deref())
        }
        None if held.is_empty() => return (body, None),
        None => (common::text::single_line(&held).into_owned(), None, None),
    };
    put(buffer, body, 1, 0, "/", theme.accent());
    let room = usize::from(body.width).saturating_sub(4);
    let from = before.map_or(0, |before| before.saturating_sub(room.saturating_sub(1)));
    let style = if before.is_some() { theme.field() } else { Style::new() };
    put(buffer, body, 3, 0, &window(&text, from, room), style);
    let cursor = before.map(|before| Position::new(body.x + 3 + columns(before - from), body.y));
    let mut row = 1;
    if let Some(error) = error {
        row = paragraph(buffer, body, row, &format!("! {error}"), theme.error());
    }
    (below(body, row), cursor)
}

/// The error of a failed reload, above the rows that were loaded before.
fn warn(buffer: &mut Buffer, body: Rect, model: &Model, error: Option<&str>) -> Rect {
    let Some(error) = error else { return body };
    let row = paragraph(buffer, body, 0, &format!("! {error} {}", words::PRESS_R), model.theme.error());
    below(body, row)
}

fn below(area: Rect, rows: u16) -> Rect {
    let rows = rows.min(area.height);
    Rect { y: area.y + rows, height: area.height - rows, ..area }
}

fn columns(number: usize) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}

impl Grid<'_> {
    /// Draws it.
    fn draw(&self, buffer: &mut Buffer, area: Rect) {
        let theme = self.model.theme;
        let visible = self.fit(usize::from(area.width).saturating_sub(2));
        let height = usize::from(area.height).saturating_sub(1);
        self.window.set_columns(usize::from(area.width));
        let mut at = area.x + 1;
        let headings = visible.iter().map(|(size, column)| {
            let heading = (at, columns(*size), *column);
            at = at.saturating_add(columns(size + GAP));
            heading
        });
        self.window.place(area.y + 1, headings.collect());
        let first = self.window.show(self.row, self.cells.len(), height);
        let aligned =
            |line: Line<'static>, column: usize| if self.numeric[column] { line.right_aligned() } else { line };
        let heads = visible.iter().map(|(size, column)| {
            let is_here = self.column == Some(*column);
            let style = if is_here { theme.accent().add_modifier(Modifier::UNDERLINED) } else { theme.strong() };
            aligned(Line::raw(cut(&self.headings[*column], *size)), *column).style(style)
        });
        let rows = self.cells[first..].iter().take(height).map(|cells| {
            let line = |(size, column): &(usize, usize)| aligned(cells[*column].line(*size, theme.found()), *column);
            Row::new(visible.iter().map(line).collect::<Vec<_>>())
        });
        let table = Table::new(rows, visible.iter().map(|(size, _)| Constraint::Length(columns(*size))))
            .header(Row::new(heads.collect::<Vec<_>>()))
            .column_spacing(columns(GAP))
            // The column of the marks.
            .highlight_symbol(" ")
            .highlight_spacing(HighlightSpacing::Always)
            .row_highlight_style(theme.cursor());
        let mut state = TableState::new().with_selected(self.row - first);
        StatefulWidget::render(table, area, buffer, &mut state);
        for (y, mark) in self.marks.iter().skip(first).take(height).enumerate() {
            put(buffer, area, 0, columns(y) + 1, mark, theme.accent());
        }
        for (y, _) in self.chosen.iter().skip(first).take(height).enumerate().filter(|(_, is_chosen)| **is_chosen) {
            put(buffer, area, 0, columns(y) + 1, words::CHOSEN_MARK, theme.accent());
            let row = Rect { y: area.y + columns(y) + 1, height: 1, ..area };
            buffer.set_style(row.intersection(area), theme.strong());
        }
        let below = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
        scrollbar(buffer, below, theme, self.cells.len(), first);
    }

    /// The columns that are shown: how wide each is, and which it is.
    fn fit(&self, room: usize) -> Vec<(usize, usize)> {
        let natural: Vec<usize> = (0..self.headings.len())
            .map(|column| {
                if let Some(Some(set)) = self.widths.get(column) {
                    return *set;
                }
                let cells = self.cells.iter().map(|row| width(&row[column].text));
                cells.chain([width(&self.headings[column])]).max().unwrap_or(0).max(1)
            })
            .collect();
        let all = natural.iter().sum::<usize>() + GAP * natural.len().saturating_sub(1);
        let most = if all <= room { room } else { (room * 2 / 5).max(A_MOMENT) };
        let size = |column: usize| match self.widths.get(column) {
            Some(Some(set)) => (*set).min(room),
            _ => natural[column].min(most).min(room),
        };
        let cursor = self.column.unwrap_or(0);
        // The leftmost first column with which the one under the cursor is still seen whole.
        let mut first = cursor;
        let mut used = size(cursor);
        while first > 0 && used + GAP + size(first - 1) <= room {
            first -= 1;
            used += GAP + size(first);
        }
        let mut sizes: Vec<(usize, usize)> = Vec::new();
        let mut used = 0;
        for column in first..natural.len() {
            let gap = if sizes.is_empty() { 0 } else { GAP };
            let left = room.saturating_sub(used + gap);
            if size(column) > left && left < 8 {
                break;
            }
            let given = size(column).min(left);
            sizes.push((column, given));
            used += gap + given;
        }
        // The width that is left over goes to the first columns that are cut.
        for (column, given) in &mut sizes {
            let more = (natural[*column] - *given).min(room.saturating_sub(used));
            *given += more;
            used += more;
        }
        sizes.into_iter().map(|(column, size)| (size, column)).collect()
    }
}
