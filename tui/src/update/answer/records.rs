//! Answers about records: pages, single ones, and what became of a write.

use std::collections::BTreeMap;

use common::{
    conflict::{Refusal, may_be_undone_later},
    id::{OperationId, RecordId},
    name::CollectionName,
    page::Page,
    record::Record,
    table::{self, Referrers},
    undo::{Deletion, Reverted},
};

use super::ended;
use crate::{
    effect::Effect,
    load::Ticket,
    message::{Answer, Deleted, Failure, Undo},
    model::{Model, Screen},
    screen::{Collections, Detail},
    words,
};

/// A page of a table was read.
pub(super) fn page(model: &mut Model, ticket: Ticket, answer: Answer<Page<Record>>) -> Vec<Effect> {
    let (tickets, me) = (model.tickets.clone(), model.user.as_ref().map(|user| user.id));
    // There may be several tables: one lies below each form, and above it the one in which a record is looked up.
    let mut tables = model.screens.iter_mut().filter_map(Screen::table_mut);
    let Some((records, is_quiet)) = tables.find_map(|table| {
        let is_quiet = table.load.is_quiet(ticket);
        table.load.finish(ticket).then_some((table, is_quiet))
    }) else {
        return Vec::new();
    };
    match answer {
        Ok(page) if is_quiet => records.show_changed(page, &tickets, me).into_iter().collect(),
        // What is shown is told to be out of date elsewhere, and read again when the next change is told.
        Err(failure) if is_quiet && failure.is_passing() => Vec::new(),
        Ok(page) => records.show(page, &tickets).into_iter().collect(),
        Err(failure) => {
            records.fail(words::failure(&failure));
            ended(model, &failure).unwrap_or_default()
        }
    }
}

/// One record was read anew.
pub(super) fn record(model: &mut Model, ticket: Ticket, answer: Answer<Record>) -> Vec<Effect> {
    let detail = model.screens.iter_mut().find_map(|screen| match screen {
        Screen::Record(detail) => detail.load.finish(ticket).then_some(detail),
        _ => None,
    });
    let Some(detail) = detail else { return Vec::new() };
    match answer {
        Ok(record) => {
            let edits = std::mem::take(&mut detail.edits);
            let beside = beside(detail, &record);
            detail.record = record;
            let mut effects = referred(model);
            if edits {
                effects.extend(super::super::act::edit_open(model));
            }
            effects.extend(beside);
            effects
        }
        Err(failure) => {
            detail.load.error = Some(words::failure(&failure));
            ended(model, &failure).unwrap_or_default()
        }
    }
}

/// Asks what the records are called that a record refers to, where that is not known.
fn beside(detail: &Detail, record: &Record) -> Option<Effect> {
    let id = record.id().filter(|_| table::is_unnamed(&detail.collection, record, &detail.names))?;
    let query = Box::new(table::names_query(&detail.collection, id));
    Some(Effect::Names(detail.collection.name.clone(), Some(id), query))
}

/// Asks what refers to the record that is seen.
fn referred(model: &Model) -> Vec<Effect> {
    let (Some(Screen::Collections(Collections { rows: Some(rows), .. })), Some(Screen::Record(detail))) =
        (model.screens.first(), model.screens.last())
    else {
        return Vec::new();
    };
    let name = &detail.collection.name;
    let fields: Vec<_> = table::referring(name, rows).into_iter().take(Referrers::ASKED).collect();
    let id = detail.record.id().filter(|_| !fields.is_empty());
    id.map(|id| Effect::Referrers(name.clone(), id, fields)).into_iter().collect()
}

/// What refers to a record.
pub(super) fn referrers(model: &mut Model, name: &CollectionName, id: RecordId, found: Vec<Referrers>) -> Vec<Effect> {
    let detail = model.screens.iter_mut().find_map(|screen| match screen {
        Screen::Record(detail) if detail.collection.name == *name && detail.record.id() == Some(id) => Some(detail),
        _ => None,
    });
    if let Some(detail) = detail {
        detail.referrers = found;
    }
    Vec::new()
}

/// What the records are called that a record refers to, or those that changes refer to.
pub(super) fn names(
    model: &mut Model,
    name: &CollectionName,
    id: Option<RecordId>,
    names: &BTreeMap<String, String>,
) -> Vec<Effect> {
    for screen in &mut model.screens {
        let known = match screen {
            Screen::Record(detail) if detail.collection.name == *name && id.is_some() && detail.record.id() == id => {
                &mut detail.names
            }
            Screen::Form(form) if form.collection.name == *name && id.is_some() && form.edited.id() == id => {
                &mut form.state.names
            }
            Screen::Changes(screen) if id.is_none() => {
                screen.list.know_records(name, names.clone());
                continue;
            }
            _ => continue,
        };
        known.extend(names.clone());
    }
    Vec::new()
}

/// A record was written, or refused.
pub(super) fn saved(model: &mut Model, answer: Answer<Record>, operation: Option<OperationId>) -> Vec<Effect> {
    let failure = match answer {
        Ok(record) => {
            let Screen::Form(form) = model.top() else { return Vec::new() };
            let (form_collection, is_new) = (form.collection.clone(), form.edited.base.is_none());
            let collection = form_collection.name.clone();
            model.screens.pop();
            let undo = operation.zip(record.id()).map(|(operation, id)| Undo {
                operation,
                record: Some((collection.clone(), id)),
                title: table::title_of(&form_collection, &record),
            });
            let title = table::title_of(&form_collection, &record);
            model.say(words::saved(&title, is_new, undo.is_some()));
            model.undo.extend(undo);
            if let Screen::Record(detail) = model.top() {
                detail.record = record.clone();
            }
            return reload_below(model, &collection, &record);
        }
        Err(failure) => failure,
    };
    if let Some(effects) = ended(model, &failure) {
        return effects;
    }
    let ticket = model.tickets.next();
    let Failure::Call(error) = failure else { return Vec::new() };
    let Screen::Form(form) = model.top() else { return Vec::new() };
    let id = form.edited.id();
    match (Refusal::of(&error, id.is_some()), id) {
        (Refusal::Changed, Some(id)) => {
            let effect = Effect::Fresh(ticket, form.collection.name.clone(), id);
            model.writing = Some(ticket);
            return vec![effect];
        }
        (Refusal::Deleted, _) => form.make_new(),
        _ => {
            form.state.form.refuse_call(&error);
            form.state.go_to_error();
            let said = words::not_saved(&error);
            model.complain(said);
        }
    }
    Vec::new()
}

/// The version that somebody else wrote was read, after a 412.
pub(super) fn fresh(model: &mut Model, answer: Answer<Record>) -> Vec<Effect> {
    match answer {
        Ok(record) => {
            if let Screen::Form(form) = model.top() {
                form.merge(record);
            }
        }
        Err(failure) => {
            if let Some(effects) = ended(model, &failure) {
                return effects;
            }
            let is_gone = matches!(&failure, Failure::Call(error) if Refusal::of(error, true) == Refusal::Deleted);
            match model.top() {
                Screen::Form(form) if is_gone => form.make_new(),
                _ => model.complain(words::failure(&failure)),
            }
        }
    }
    Vec::new()
}

/// What deleting a record would take along is known: nothing, or it is asked whether that is meant.
pub(super) fn would_delete(model: &mut Model, record: Deleted, answer: Answer<Deletion>) -> Vec<Effect> {
    match answer {
        Ok(deletion) => match words::takes_along(&record.title, &record.collection, &deletion) {
            None => vec![Effect::Delete(model.begin_write(), record)],
            Some(question) => {
                // What was typed ahead was not meant for this.
                model.ahead.clear();
                model.complain(question);
                model.to_delete = Some(record);
                Vec::new()
            }
        },
        Err(failure) => deleted(model, record, Err(failure)),
    }
}

/// A record was deleted, or not.
pub(super) fn deleted(model: &mut Model, record: Deleted, answer: Answer<Option<OperationId>>) -> Vec<Effect> {
    let error = match answer {
        Ok(operation) => {
            model.say(words::deleted(&record.title, operation.is_some()));
            if let Screen::Record(_) = model.top() {
                model.screens.pop();
            }
            if let Screen::Records(records) = model.top() {
                records.remove(record.id);
            }
            let Deleted { collection, id, title, .. } = record;
            model.undo.extend(operation.map(|operation| Undo { operation, record: Some((collection, id)), title }));
            return model.reload();
        }
        Err(Failure::Call(error)) => error,
        Err(failure) => return ended(model, &failure).unwrap_or_default(),
    };
    match Refusal::of(&error, true) {
        Refusal::Deleted => {
            if let Screen::Record(_) = model.top() {
                model.screens.pop();
            }
            model.complain(words::ALREADY_DELETED);
            model.reload()
        }
        Refusal::Changed => {
            model.complain(words::CHANGED_NOT_DELETED);
            model.reload()
        }
        _ => {
            model.complain(words::call_error(&error));
            Vec::new()
        }
    }
}

/// Something was undone, or not.
pub(super) fn undone(model: &mut Model, undo: Undo, answer: Answer<Reverted>) -> Vec<Effect> {
    let error = match answer {
        Ok(reverted) => {
            model.say(words::undone(&undo.title, &reverted));
            let Some((collection, id)) = undo.record else { return model.reload() };
            let mut frame = Record::default();
            frame.set("id", id.to_string());
            return reload_below(model, &collection, &frame);
        }
        Err(Failure::Call(error)) => error,
        Err(failure) => {
            model.undo.push(undo);
            return ended(model, &failure).unwrap_or_default();
        }
    };
    let said = words::not_undone(&undo.title, &error);
    if may_be_undone_later(&error) {
        model.undo.push(undo);
    }
    model.complain(said);
    Vec::new()
}

/// After a record of a collection was written: loads the topmost screen anew, and each table below it too. In the tables of
/// that collection the cursor goes to the record.
fn reload_below(model: &mut Model, collection: &CollectionName, record: &Record) -> Vec<Effect> {
    for screen in &mut model.screens {
        match screen {
            Screen::Records(table) if table.collection.name == *collection => table.show_written(record),
            _ => {}
        }
    }
    let mut effects = model.reload();
    let below = model.screens.len().saturating_sub(1);
    for screen in &mut model.screens[..below] {
        if let Screen::Records(table) = screen {
            effects.push(table.load(&model.tickets));
        }
    }
    effects
}
