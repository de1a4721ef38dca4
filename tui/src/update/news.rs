//! What others changed: what is shown of it is read again, rows that changed get a mark, and who edits or reads a record is told who changed it. What is
//! typed and where the cursor is stay as they are.

use common::{
    event::news::News,
    id::{RecordId, UserId},
    record::Record,
};

use crate::{
    effect::Effect,
    load::Ticket,
    message::Answer,
    model::{Model, Screen},
    panes::panes,
    screen::{Detail, RecordForm, Rows, SheetKind},
    status::body_now,
    words,
};

/// Takes note of what is out of date, on every screen.
pub(super) fn take(model: &mut Model, news: &News) {
    let by = |collection, id: Option<RecordId>| news.collections.get(collection)?.records.get(&id?).copied();
    for screen in &mut model.screens {
        match screen {
            Screen::Collections(list) => list.load.is_stale = true,
            Screen::Sheet(sheet) if matches!(sheet.kind, SheetKind::Own(..)) => sheet.load.is_stale = true,
            Screen::Records(table) if table.source == Rows::Records => {
                if let Some(changed) = news.of(&table.collection.name) {
                    table.changed.merge(changed);
                    table.load.is_stale = true;
                }
            }
            Screen::Record(detail) => {
                let by = by(&detail.collection.name, detail.record.id());
                detail.load.is_stale |= by.is_some() || news.is_reset;
                detail.changed_by = by.flatten().or(detail.changed_by);
            }
            Screen::Form(form) if form.edited.id().is_some() => {
                let by = by(&form.collection.name, form.edited.id());
                form.newer.is_stale |= by.is_some() || news.is_reset;
                form.newer_by = by.flatten().or(form.newer_by);
            }
            _ => {}
        }
    }
}

/// Reads again what is seen and out of date, as soon as nothing stands in the way: a sign-in, the answer to what is being written, a filter that
/// is typed.
pub(super) fn settle(model: &mut Model) -> Option<Effect> {
    if model.sign_in.is_some() || model.writing.is_some() {
        return None;
    }
    let (tickets, is_admin) = (model.tickets.clone(), model.is_admin());
    let counts = matches!(model.top(), Screen::Dashboard(_));
    let seen = if counts { model.screens.first_mut()? } else { model.top() };
    let effect = match seen {
        Screen::Collections(list) if list.load.is_stale && !list.load.is_under_way() => {
            Some(list.load_quietly(&tickets))
        }
        Screen::Records(table) if table.load.is_stale && !table.load.is_under_way() && table.filter.is_none() => {
            Some(table.load_quietly(&tickets))
        }
        Screen::Sheet(sheet) if sheet.load.is_stale && !sheet.load.is_under_way() => sheet.ask_quietly(&tickets),
        Screen::Record(detail) if detail.load.is_stale && !detail.load.is_under_way() => {
            detail.load_quietly(&tickets, is_admin)
        }
        Screen::Form(form) if form.newer.is_stale && !form.newer.is_under_way() => form.load_newer(&tickets, is_admin),
        _ => None,
    };
    effect.or_else(|| settle_below(model)).or_else(|| settle_beside(model))
}

/// The same for the collections whose counts one's own dashboard shows.
fn settle_below(model: &mut Model) -> Option<Effect> {
    let counts = matches!(model.top(), Screen::Sheet(sheet) if matches!(sheet.kind, SheetKind::Own(..)));
    match model.screens.first_mut() {
        Some(Screen::Collections(list)) if counts && list.load.is_stale && !list.load.is_under_way() => {
            Some(list.load_quietly(&model.tickets))
        }
        _ => None,
    }
}

/// The same for the collections beside a table, when what is in the table has come.
fn settle_beside(model: &mut Model) -> Option<Effect> {
    let is_seen = panes(model, body_now(model)).collections.is_some();
    let comes_first = model.screens.last().and_then(Screen::table).is_some_and(|table| table.load.is_under_way());
    match model.screens.first_mut() {
        Some(Screen::Collections(list))
            if is_seen && !comes_first && list.load.is_stale && !list.load.is_under_way() =>
        {
            Some(list.load_quietly(&model.tickets))
        }
        _ => None,
    }
}

/// A record that somebody else changed was read; `name` is what that user is called, where that was asked.
pub(super) fn changed(model: &mut Model, ticket: Ticket, answer: &Answer<Record>, name: Option<&str>) -> Vec<Effect> {
    let me = model.user.as_ref().map(|user| user.id);
    let changer = |by: Option<UserId>| words::changer(by.is_some() && by == me, name);
    for screen in &mut model.screens {
        match screen {
            Screen::Record(detail) => show_newer(detail, ticket, answer, changer),
            Screen::Form(form) => tell_newer(form, ticket, answer, changer),
            _ => {}
        }
    }
    match answer {
        Err(failure) => super::ended::ended(model, failure).unwrap_or_default(),
        Ok(_) => Vec::new(),
    }
}

fn show_newer(
    detail: &mut Detail,
    ticket: Ticket,
    answer: &Answer<Record>,
    changer: impl FnOnce(Option<UserId>) -> String,
) {
    if !detail.load.finish(ticket) {
        return;
    }
    let by = changer(detail.changed_by.take());
    match answer {
        Ok(record) => {
            if record.revision() != detail.record.revision() {
                detail.record = record.clone();
                detail.notice = Some(words::changed_by(&by));
            }
        }
        Err(failure) if failure.is_not_found() => detail.notice = Some(words::DELETED_MEANWHILE.to_owned()),
        Err(_) => {}
    }
}

fn tell_newer(
    form: &mut RecordForm,
    ticket: Ticket,
    answer: &Answer<Record>,
    changer: impl FnOnce(Option<UserId>) -> String,
) {
    if !form.newer.finish(ticket) {
        return;
    }
    let by = changer(form.newer_by.take());
    match answer {
        Ok(record) => form.know_newer(record, &by),
        Err(failure) if failure.is_not_found() => form.newer_notice = Some(words::DELETED_UNDER_FORM.to_owned()),
        Err(_) => {}
    }
}
