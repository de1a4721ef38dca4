//! Answers about many records at once: what would happen, what was done, and how far files are.

use std::path::Path;

use common::{
    id::OperationId,
    import::Import,
    many::{Many, refusal},
    name::CollectionName,
    operation::Operation,
    text::{bytes, label},
};

use super::ended;
use crate::{
    effect::Effect,
    load::Ticket,
    many::{Checked, FileFault, ManyAct},
    message::{Answer, Failure, Undo},
    model::{Import as UnderWay, Model, Screen},
    screen::{Ended, ImportScreen, Stage},
    words,
};

/// Many records were changed or deleted, or it was told what that would do.
pub(super) fn many(
    model: &mut Model,
    act: ManyAct,
    answer: Answer<Many>,
    operation: Option<OperationId>,
) -> Vec<Effect> {
    let many = match answer {
        Ok(many) => many,
        Err(Failure::Call(error)) => {
            let told = refusal(&error);
            match model.top() {
                Screen::Change(form) => form.refuse(told),
                _ => model.complain(told.join(" ")),
            }
            return Vec::new();
        }
        Err(failure) => return ended(model, &failure).unwrap_or_default(),
    };
    if act.query.dry_run {
        would(model, act, many);
        return Vec::new();
    }
    let number = many.own();
    if let Screen::Change(_) = model.top() {
        model.screens.pop();
    }
    let said = if act.change.is_some() { words::changed(number) } else { words::deleted_many(number) };
    model.say(words::with_way_back(&said, operation.is_some()));
    model.undo.extend(operation.map(|operation| Undo { operation, record: None, title: words::title_of(number) }));
    if let Screen::Records(table) = model.top() {
        table.selection.clear();
    }
    model.reload()
}

fn would(model: &mut Model, act: ManyAct, many: Many) {
    if let Screen::Change(form) = model.top() {
        form.preview(&act, many);
        return;
    }
    // What was typed ahead was not meant for this.
    model.ahead.clear();
    model.complain(words::would_delete(&many));
    if many.own() > 0 {
        let mut meant = act;
        meant.query.dry_run = false;
        model.to_delete_chosen = Some(meant);
    }
}

/// A file was written, or not.
pub(super) fn exported(model: &mut Model, ticket: Ticket, file: &Path, outcome: Result<u64, FileFault>) -> Vec<Effect> {
    let form = model.screens.iter_mut().enumerate().rev().find_map(|(at, screen)| match screen {
        Screen::Export(form) => form.finish(ticket).then_some((at, form)),
        _ => None,
    });
    match (outcome, form) {
        (Ok(length), form) => {
            if let Some((at, _)) = form {
                model.screens.remove(at);
            }
            model.say(words::wrote(file, &bytes(length)));
        }
        (Err(FileFault::Failed(failure @ Failure::SignedOut)), _) => {
            return ended(model, &failure).unwrap_or_default();
        }
        (Err(fault), Some((_, form))) => form.refuse(&fault, file),
        (Err(fault), None) => model.complain(words::not_written(file, &fault)),
    }
    Vec::new()
}

fn waiting(model: &mut Model, ticket: Ticket) -> Option<&mut ImportScreen> {
    model.screens.iter_mut().find_map(|screen| match screen {
        Screen::Import(import) => match import.stage {
            Stage::Checking(waits_for, _) | Stage::Sending(waits_for, _) if waits_for == ticket => Some(&mut **import),
            _ => None,
        },
        _ => None,
    })
}

/// The server has read a file.
pub(super) fn checked(model: &mut Model, ticket: Ticket, checked: Checked) -> Vec<Effect> {
    let is_over = matches!(checked.outcome, Err(FileFault::Failed(Failure::SignedOut)));
    let Some(screen) = waiting(model, ticket) else { return Vec::new() };
    if is_over {
        screen.back_to_form();
        return ended(model, &Failure::SignedOut).unwrap_or_default();
    }
    screen.checked(checked);
    Vec::new()
}

/// A file is in, goes in, or was refused. Who did not wait for that is told all the same of what was done.
pub(super) fn imported(
    model: &mut Model,
    ticket: Ticket,
    collection: CollectionName,
    outcome: Result<(Import, bool), FileFault>,
) -> Vec<Effect> {
    let is_it = move |stage: &Stage| matches!(stage, Stage::Sending(waits_for, _) if *waits_for == ticket);
    let mut screen = waiting(model, ticket);
    let (import, is_before) = match (outcome, &mut screen) {
        (Ok(told), _) => told,
        (Err(_), None) => return Vec::new(),
        (Err(fault), Some(screen)) => {
            screen.back_to_form();
            if let FileFault::Failed(failure @ Failure::SignedOut) = &fault {
                return ended(model, failure).unwrap_or_default();
            }
            screen.state.form.errors = words::file_refusal(&fault);
            return Vec::new();
        }
    };
    let is_seen = screen.is_some();
    if is_before && import.state.is_over() {
        if let Some(screen) = screen {
            screen.ask_again(&import.started_at);
            screen.back_to_form();
            screen.state.form.errors = vec![words::imported_before(&import.started_at)];
        }
        return Vec::new();
    }
    let Some(operation) = import.operation.filter(|_| !import.state.is_over()) else {
        let (operation, import) = (import.operation, Some(import));
        let ended = Ended { title: words::DONE, error: None, operation, import };
        return over(model, collection.as_str(), &ended, is_seen, is_it);
    };
    if let Some(screen) = screen {
        (screen.stage, screen.scroll) = (Stage::UnderWay(operation, None), 0);
    }
    if model.imports.iter().any(|known| known.operation == operation) {
        return Vec::new();
    }
    let ticket = model.tickets.next();
    model.imports.push(UnderWay { collection, operation, ticket, last: None });
    [Effect::ImportProgress(ticket, operation)].into_iter().chain(model.keep_place()).collect()
}

/// How far an import is.
pub(super) fn progress(model: &mut Model, ticket: Ticket, answer: Answer<Box<Operation>>) -> Vec<Effect> {
    let Some(at) = model.imports.iter().position(|import| import.ticket == ticket) else { return Vec::new() };
    let operation = model.imports[at].operation;
    let is_it = move |stage: &Stage| matches!(stage, Stage::UnderWay(id, _) if *id == operation);
    match answer {
        Ok(told) if told.state.is_over() => {
            let import = model.imports.remove(at);
            let is_seen = matches!(model.screens.last(), Some(Screen::Import(screen)) if is_it(&screen.stage));
            let mut effects = over(model, import.collection.as_str(), &Ended::of(&told), is_seen, is_it);
            effects.extend(model.keep_place());
            return effects;
        }
        Ok(told) => {
            model.imports[at].last = Some(told.clone());
            for screen in &mut model.screens {
                if let Screen::Import(screen) = screen
                    && is_it(&screen.stage)
                {
                    screen.stage = Stage::UnderWay(operation, Some(told.clone()));
                }
            }
        }
        Err(Failure::Call(error)) if error.status() == 404 || error.status() == 403 => {
            model.imports.remove(at);
            model.complain(words::call_error(&error));
            return Vec::new();
        }
        // It goes on, and is asked for again as soon as somebody is signed in.
        Err(failure @ Failure::SignedOut) => return ended(model, &failure).unwrap_or_default(),
        Err(Failure::Call(_)) => {}
    }
    follow(model, at).into_iter().collect()
}

/// Asks how far an import is.
fn follow(model: &mut Model, at: usize) -> Option<Effect> {
    let ticket = model.tickets.next();
    let import = model.imports.get_mut(at)?;
    import.ticket = ticket;
    Some(Effect::ImportProgress(ticket, import.operation))
}

/// Asks how far all imports are.
pub(super) fn follow_all(model: &mut Model) -> Vec<Effect> {
    (0..model.imports.len()).filter_map(|at| follow(model, at)).collect()
}

/// An import is over: its screen shows that, and where that is not seen it is said.
fn over(
    model: &mut Model,
    collection: &str,
    ended: &Ended,
    is_seen: bool,
    is_it: impl Fn(&Stage) -> bool,
) -> Vec<Effect> {
    let is_written = ended.import.as_ref().is_some_and(|import| import.created + import.updated > 0);
    let title = words::import_title(&label(collection));
    let undo = ended.operation.filter(|_| is_written);
    model.undo.extend(undo.map(|operation| Undo { operation, record: None, title: title.clone() }));
    if !is_seen {
        let said = format!("{title}: {}", ended.title);
        if ended.error.is_some() { model.complain(said) } else { model.say(said) }
    } else if undo.is_some() {
        model.say(words::with_way_back(&words::sentence(ended.title), true));
    }
    for screen in &mut model.screens {
        if let Screen::Import(screen) = screen
            && is_it(&screen.stage)
        {
            (screen.stage, screen.scroll) = (Stage::Over(Box::new(ended.clone())), 0);
        }
    }
    let tickets = model.tickets.clone();
    let tables = model.screens.iter_mut().filter_map(|screen| match screen {
        Screen::Records(table) if table.collection.name.as_str() == collection => Some(table.load_quietly(&tickets)),
        _ => None,
    });
    tables.collect()
}
