//! The lines above the footer: what just happened, and the state of what is shown. How many there are decides how much room the
//! screen above them has.

use common::selection::MAX_CHOSEN;
use ratatui::{layout::Rect, style::Style};

use crate::{
    model::{Model, Screen},
    screen::{Records, SheetKind, Stage},
    width::{cut, wrap},
    words,
};

/// Rows that the sentence may grow to.
const STATUS_ROWS: usize = 3;

/// The toast, and how things stand; where there is little room the toast alone. Never without a row.
pub(crate) fn lines(model: &Model, columns: usize) -> Vec<(String, Style)> {
    let theme = model.theme;
    let room = columns.saturating_sub(2);
    let below = match (model.writing, notice(model)) {
        (Some(_), _) => (cut(words::WRITING, room), theme.quiet()),
        (None, Some(notice)) => (cut(notice, room), theme.strong()),
        (None, None) => (cut(&state(model), room), theme.quiet()),
    };
    let away = model.away.as_ref().filter(|_| model.sign_in.is_none()).map(words::away);
    let away = away.map(|away| (cut(&away, room), theme.warning())).filter(|_| model.size.1 > 10);
    let Some(toast) = &model.toast else { return away.into_iter().chain([below]).collect() };
    let (text, style) = if toast.is_error {
        (format!("! {}", toast.text), theme.error())
    } else {
        (toast.text.clone(), theme.strong())
    };
    let mut lines = wrap(&text, room);
    let most = STATUS_ROWS.min(usize::from(model.size.1 / 4).max(1));
    if lines.len() > most {
        let rest = lines.split_off(most - 1).join(" ");
        lines.push(cut(&rest, room));
    }
    let has_room = usize::from(model.size.1) > lines.len() + 8;
    let said = lines.into_iter().map(|line| (line, style));
    away.filter(|_| has_room).into_iter().chain(said).chain(Some(below).filter(|_| has_room)).collect()
}

/// What somebody else did to what is edited or read.
fn notice(model: &Model) -> Option<&str> {
    if model.help.is_some() || model.sign_in.is_some() {
        return None;
    }
    match model.screens.last()? {
        Screen::Form(form) => form.newer_notice.as_deref(),
        Screen::Record(detail) => detail.notice.as_deref(),
        _ => None,
    }
}

fn state(model: &Model) -> String {
    if model.help.is_some() || model.sign_in.is_some() {
        return String::new();
    }
    if model.backing_up.is_some() {
        return words::BACKING_UP.to_owned();
    }
    if let Some(Screen::Dashboard(dashboard)) = model.screens.last() {
        return dashboard.state();
    }
    if let Some(Screen::Changes(screen)) = model.screens.last() {
        let list = &screen.list;
        return words::changes_state(&list.source, screen.selected, list.rows.len(), list.has_more());
    }
    if let Some(Screen::Sheet(sheet)) = model.screens.last() {
        return match (&sheet.kind, &sheet.silent) {
            (SheetKind::Log(_) | SheetKind::Own(..), Some(why)) => words::silent(why),
            (SheetKind::Log(tail), None) => words::log_state(tail, sheet.follows),
            _ => String::new(),
        };
    }
    if let Some(Screen::Import(screen)) = model.screens.last() {
        return match &screen.stage {
            Stage::Form => String::new(),
            Stage::Checking(..) | Stage::Sending(..) => words::ESC_STOPS.to_owned(),
            Stage::Checked(_) => screen.ready().map_or_else(|| words::NOT_READY.to_owned(), words::ready),
            Stage::UnderWay(..) => words::UNDER_WAY.to_owned(),
            Stage::Over(ended) if ended.rejected().is_some() => words::OVER_REJECTED.to_owned(),
            Stage::Over(_) => words::OVER.to_owned(),
        };
    }
    let imports = model.imports.iter().map(|import| {
        let (done, of) = import.last.as_ref().map_or((0, None), |last| (last.done, last.of));
        words::importing(import.collection.as_str(), done, of)
    });
    let state = Some(state_of_table(model)).filter(|state| !state.is_empty());
    imports.chain(state).collect::<Vec<_>>().join(" · ")
}

fn state_of_table(model: &Model) -> String {
    match model.screens.last().and_then(Screen::table) {
        Some(table) if table.filter.is_some() => table.source.filter_hint().to_owned(),
        Some(table) => table_state(table),
        None => String::new(),
    }
}

/// How a table of records is filtered and sorted, and where the cursor is in it.
fn table_state(screen: &Records) -> String {
    let mut parts = Vec::new();
    if screen.is_look_up {
        parts.push(words::LOOKING_UP.to_owned());
    }
    if !screen.selection.is_empty() {
        parts.push(words::chosen(screen.selection.count()));
        if screen.selection.is_too_large() {
            parts.push(words::too_many());
        } else if !screen.selection.is_all() && screen.selection.count() >= MAX_CHOSEN as u64 {
            parts.push(words::full());
        }
    }
    if let Some(number) = screen.number {
        parts.push(words::number(number));
    }
    if screen.rows.is_some() {
        parts.push(words::position(&screen.table.range(), screen.table.query.page, screen.table.pages()));
    }
    if screen.columns.len() > 1 {
        parts.push(words::column_of(screen.column + 1, screen.columns.len()));
    }
    for column in &screen.columns {
        if let Some(descending) = screen.table.direction(&column.name) {
            parts.push(words::sorted_by(&column.label, descending));
        }
    }
    if screen.changes > 0 {
        parts.push(words::changed_by_others(screen.changes));
    }
    parts.join(" · ")
}

/// The rows between the bar at the top and the lines at the bottom.
pub(crate) fn body(area: Rect, status_rows: usize) -> Rect {
    let around = 2 + u16::try_from(status_rows).unwrap_or(1);
    Rect::new(area.x, area.y + 1, area.width, area.height.saturating_sub(around))
}

/// The same, in the window as it is now.
pub(crate) fn body_now(model: &Model) -> Rect {
    let area = Rect::new(0, 0, model.size.0, model.size.1);
    body(area, lines(model, usize::from(area.width)).len())
}
