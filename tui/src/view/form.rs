//! A form: a label and a value for each input, what is wrong with it, and in focus what fits. Where there is room the
//! labels stand beside the values, otherwise above them.

use common::{
    conflict::Conflict,
    form::{Input, Widget},
    text::single_line,
};
use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    style::{Modifier, Style},
};

use super::{first_row, put};
use crate::{
    screen::{FormState, RecordForm, is_area, options},
    style::Theme,
    width::{cut, width, window, wrap},
    words,
};

/// From so many columns on, labels stand beside values.
const BESIDE: usize = 60;
/// Rows of a text with several lines.
const AREA_ROWS: usize = 6;

/// One row of the form: its pieces, each with its column, and the cursor's column.
#[derive(Default)]
struct Row {
    pieces: Vec<(usize, String, Style)>,
    cursor: Option<usize>,
}

/// A record's form. Says where the cursor is.
pub(super) fn record_form(buffer: &mut Buffer, body: Rect, theme: Theme, form: &RecordForm) -> Option<Position> {
    draw(buffer, body, theme, &form.state, form.edited.conflict.as_ref(), form.notice.as_deref())
}

/// A form that is being filled in. Says where the cursor is.
pub(super) fn draw(
    buffer: &mut Buffer,
    area: Rect,
    theme: Theme,
    state: &FormState,
    conflict: Option<&Conflict>,
    notice: Option<&str>,
) -> Option<Position> {
    let columns = usize::from(area.width);
    let area = say_above(buffer, area, theme, state, notice);
    let mut rows: Vec<Row> = Vec::new();
    let labels = state.form.inputs.iter().map(|input| width(&label(state, input))).max().unwrap_or(0);
    let beside = (columns >= BESIDE).then_some(labels.min(if state.has_marks { columns / 3 } else { columns / 2 }) + 3);
    let (mut from, mut to) = (0, 0);
    for (index, input) in state.form.inputs.iter().enumerate() {
        let in_focus = index == state.focus;
        if in_focus {
            from = rows.len();
        }
        let theirs = conflict.and_then(|conflict| conflict.theirs(&input.label));
        rows.extend(input_rows(theme, state, input, in_focus, theirs, columns, beside));
        if in_focus {
            to = rows.len();
        }
    }
    let height = usize::from(area.height);
    let first = match rows.iter().position(|row| row.cursor.is_some()) {
        _ if to <= height => 0,
        // The input in focus is seen whole where that is possible, otherwise from its label on, as far as the cursor goes.
        _ if to - from <= height => first_row(usize::midpoint(from, to), rows.len(), height).clamp(to - height, from),
        Some(cursor) => from.max((cursor + 1).saturating_sub(height)),
        None => from,
    };
    let mut cursor = None;
    for (y, row) in (0..area.height).zip(rows.iter().skip(first)) {
        for (column, text, style) in &row.pieces {
            put(buffer, area, *column, y, text, *style);
        }
        if let Some(column) = row.cursor.and_then(|column| u16::try_from(column).ok()) {
            cursor = Some(Position::new(area.x + column.min(area.width.saturating_sub(1)), area.y + y));
        }
    }
    cursor
}

/// What concerns the whole form stays in sight above the inputs, as far as it leaves them a few rows.
fn say_above(buffer: &mut Buffer, area: Rect, theme: Theme, state: &FormState, notice: Option<&str>) -> Rect {
    let notice = notice.map(|notice| (notice.to_owned(), theme.strong()));
    let errors = state.form.errors.iter().map(|error| (format!("! {error}"), theme.error()));
    let mut row = 0;
    for (text, style) in notice.into_iter().chain(errors) {
        for line in wrap(&single_line(&text), usize::from(area.width).saturating_sub(2)) {
            if row + 4 < area.height {
                put(buffer, area, 1, row, &line, style);
                row += 1;
            }
        }
    }
    Rect { y: area.y + row, height: area.height - row, ..area }
}

fn label(state: &FormState, input: &Input) -> String {
    let label = single_line(&input.label);
    if input.field.required && state.has_marks { format!("{label} *") } else { label.into_owned() }
}

fn input_rows(
    theme: Theme,
    state: &FormState,
    input: &Input,
    in_focus: bool,
    theirs: Option<&str>,
    columns: usize,
    beside: Option<usize>,
) -> Vec<Row> {
    let mark = if in_focus { "›" } else { " " };
    let label_style = if in_focus { theme.accent() } else { Style::new() };
    let at = beside.unwrap_or(2);
    let room = columns.saturating_sub(at + 1).max(1);
    let label_room = beside.map_or(columns, |at| at).saturating_sub(3);
    let heading = vec![(0, mark.to_owned(), theme.accent()), (1, cut(&label(state, input), label_room), label_style)];
    let mut rows: Vec<Row> = value_rows(theme, state, input, in_focus, room)
        .into_iter()
        .map(|row| Row {
            pieces: row.pieces.into_iter().map(|(column, text, style)| (column + at, text, style)).collect(),
            cursor: row.cursor.map(|column| column + at),
        })
        .collect();
    if beside.is_some() {
        rows[0].pieces.splice(0..0, heading);
    } else {
        rows.insert(0, Row { pieces: heading, cursor: None });
    }
    let mut below = |text: &str, style: Style| {
        for line in wrap(&single_line(text), room) {
            rows.push(Row { pieces: vec![(at, line, style)], cursor: None });
        }
    };
    if let Some(name) = state.name_of(input) {
        below(&name, theme.strong());
    }
    for error in &input.errors {
        below(&format!("! {error}"), theme.error());
    }
    if let Some(theirs) = theirs {
        below(&words::theirs(theirs), theme.strong());
    }
    let hint = input.hint();
    if in_focus && !hint.is_empty() {
        below(&hint, theme.quiet());
    }
    rows
}

/// The rows of a value, at least one; columns count from where the value begins.
fn value_rows(theme: Theme, state: &FormState, input: &Input, in_focus: bool, room: usize) -> Vec<Row> {
    let field = theme.field();
    let one = |text: String, cursor: Option<usize>| {
        let padded = format!("{text}{}", " ".repeat(room - width(&text).min(room)));
        Row { pieces: vec![(0, padded, field)], cursor }
    };
    match &input.widget {
        Widget::Toggle | Widget::Select(_) => vec![choice_row(theme, input, in_focus, room)],
        Widget::MultiSelect(_) => choices_rows(theme, state, input, in_focus, room),
        widget if is_area(widget) => {
            let safe: Vec<String> = input.text.split('\n').map(|line| single_line(line).into_owned()).collect();
            let (row, before) = if in_focus { state.text_input.cursor() } else { (0, 0) };
            let before: String = safe.get(row).map(|line| line.chars().take(before).collect()).unwrap_or_default();
            let before = width(&before);
            let from = before.saturating_sub(room.saturating_sub(1));
            let first = if in_focus { first_row(row, safe.len(), AREA_ROWS) } else { 0 };
            let shown = if in_focus { safe.len().clamp(3, AREA_ROWS) } else { safe.len().clamp(1, 3) };
            (first..first + shown)
                .map(|at| {
                    let line = safe.get(at).map_or("", String::as_str);
                    let has_cursor = in_focus && at == row;
                    let text = if has_cursor { window(line, from, room) } else { cut(line, room) };
                    one(text, has_cursor.then_some(before - from))
                })
                .collect()
        }
        widget => {
            let safe = match widget {
                Widget::Password | Widget::NewPassword => "•".repeat(input.text.chars().count()),
                _ => single_line(&input.text).into_owned(),
            };
            if !in_focus {
                return vec![one(cut(&safe, room), None)];
            }
            let before: String = safe.chars().take(state.text_input.cursor().1).collect();
            let before = width(&before);
            let from = before.saturating_sub(room.saturating_sub(1));
            vec![one(window(&safe, from, room), Some(before - from))]
        }
    }
}

/// One of several: all of them in a row where they fit, otherwise the chosen one.
fn choice_row(theme: Theme, input: &Input, in_focus: bool, room: usize) -> Row {
    let chosen = words::option(&input.text);
    if !in_focus {
        return Row { pieces: vec![(0, cut(&chosen, room), Style::new())], cursor: None };
    }
    let all: Vec<(String, bool)> =
        options(input).iter().map(|option| (words::option(option), *option == input.text)).collect();
    let needed: usize = all.iter().map(|(option, _)| width(option) + 5).sum();
    if needed > room {
        return Row { pieces: vec![(0, cut(&format!("‹ {chosen} ›"), room), theme.cursor())], cursor: None };
    }
    let mut at = 0;
    let pieces = all
        .into_iter()
        .map(|(option, is_chosen)| {
            let mark = if is_chosen { "(•)" } else { "( )" };
            let style = if is_chosen { theme.strong().add_modifier(Modifier::REVERSED) } else { Style::new() };
            let piece = (at, format!("{mark} {option}"), style);
            at += width(&option) + 6;
            piece
        })
        .collect();
    Row { pieces, cursor: None }
}

/// Any of several, in as many rows as they need; without focus those that are picked.
fn choices_rows(theme: Theme, state: &FormState, input: &Input, in_focus: bool, room: usize) -> Vec<Row> {
    let picked: Vec<&str> = input.text.lines().collect();
    if !in_focus {
        let shown = if picked.is_empty() { words::option("") } else { single_line(&picked.join(", ")).into_owned() };
        return vec![Row { pieces: vec![(0, cut(&shown, room), Style::new())], cursor: None }];
    }
    let mut rows = vec![Row::default()];
    let mut at = 0;
    for (index, option) in options(input).iter().enumerate() {
        let mark = if picked.contains(&option.as_str()) { "[x]" } else { "[ ]" };
        let text = cut(&format!("{mark} {}", words::option(option)), room);
        if at > 0 && at + width(&text) > room {
            rows.push(Row::default());
            at = 0;
        }
        let style = if index == state.choice { theme.cursor() } else { Style::new() };
        let size = width(&text);
        if let Some(row) = rows.last_mut() {
            row.pieces.push((at, text, style));
        }
        at += size + 2;
    }
    rows
}
