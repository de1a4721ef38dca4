//! Answers about the server and its tokens.

use std::{path::Path, time::Duration};

use common::{
    change::Changes, endpoints::log::LogSettings, id::OperationId, name::CollectionName, record::Record, table::title,
    text::bytes,
};

use super::ended;
use crate::{
    effect::Effect,
    load::Ticket,
    many::FileFault,
    message::{Answer, Failure, SheetTold, Undo},
    model::{Model, Screen},
    screen::{Collections, SheetKind},
    words,
};

/// Asks what the records are called that changes refer to.
fn unnamed(model: &mut Model) -> Vec<Effect> {
    let mut effects = Vec::new();
    if let [Screen::Collections(Collections { rows: Some(rows), .. }), above @ ..] = model.screens.as_mut_slice() {
        for screen in above {
            let Screen::Changes(screen) = screen else { continue };
            let asked = screen.list.unnamed(rows);
            effects.extend(asked.into_iter().map(|(name, query)| Effect::Names(name, None, Box::new(query))));
        }
    }
    effects
}

/// What a page asked for; it asks again as long as it is seen, where that makes sense.
pub(super) fn told(model: &mut Model, ticket: Ticket, answer: Answer<SheetTold>, took: Duration) -> Vec<Effect> {
    let tickets = model.tickets.clone();
    let changes = model.screens.iter_mut().find_map(|screen| match screen {
        Screen::Changes(screen) => screen.load.finish(ticket).then_some(screen),
        _ => None,
    });
    if let Some(screen) = changes {
        let over = answer.as_ref().err().filter(|failure| **failure == Failure::SignedOut).cloned();
        let told = answer.map(|told| match told {
            SheetTold::Changes(changes, names) => {
                for (user, name) in names {
                    screen.list.know(user, name);
                }
                *changes
            }
            _ => Changes { next: None, results: Vec::new() },
        });
        screen.take(told);
        if let Some(user) = &model.user
            && let Some(Screen::Changes(screen)) = model.screens.last_mut()
        {
            screen.list.know(user.id, Some(user.username.to_string()));
        }
        if let Some(failure) = over {
            return ended(model, &failure).unwrap_or_default();
        }
        return unnamed(model);
    }
    let is_seen = matches!(model.screens.last(), Some(Screen::Sheet(_))) && model.sign_in.is_none();
    let sheet = model.screens.iter_mut().find_map(|screen| match screen {
        Screen::Sheet(sheet) => sheet.load.finish(ticket).then_some(sheet),
        _ => None,
    });
    let Some(sheet) = sheet else { return Vec::new() };
    let over = answer.as_ref().err().filter(|failure| **failure == Failure::SignedOut).cloned();
    let pause = sheet.take(answer, took);
    let said = sheet.said.take();
    if let Some(failure) = over {
        return ended(model, &failure).unwrap_or_default();
    }
    let again = pause.filter(|_| is_seen).and_then(|pause| sheet.ask(&tickets, pause));
    match said {
        Some((said, true)) => model.complain(said),
        Some((said, false)) => model.say(said),
        None => {}
    }
    again.into_iter().collect()
}

/// A version of a record was put back, or not.
pub(super) fn restored(
    model: &mut Model,
    answer: Answer<Record>,
    operation: Option<OperationId>,
    name: CollectionName,
) -> Vec<Effect> {
    match answer {
        Ok(record) => {
            let undo = operation.zip(record.id()).map(|(operation, id)| Undo {
                operation,
                record: Some((name, id)),
                title: title(&record),
            });
            model.undo.extend(undo);
            model.say(words::PUT_BACK);
            model.reload()
        }
        Err(failure) => {
            model.complain(words::failure(&failure));
            ended(model, &failure).unwrap_or_default()
        }
    }
}

/// The server's log tells more or less, or not.
pub(super) fn level(model: &mut Model, answer: Answer<LogSettings>) -> Vec<Effect> {
    match answer {
        Ok(settings) => {
            if let Screen::Sheet(sheet) = model.top()
                && let SheetKind::Log(tail) = &mut sheet.kind
            {
                tail.told = Some(settings.level);
            }
        }
        Err(failure) => {
            model.complain(words::failure(&failure));
            return ended(model, &failure).unwrap_or_default();
        }
    }
    Vec::new()
}

/// A backup was written, or not.
pub(super) fn backed_up(
    model: &mut Model,
    ticket: Ticket,
    file: &Path,
    outcome: Result<u64, FileFault>,
) -> Vec<Effect> {
    if model.backing_up != Some(ticket) {
        return Vec::new();
    }
    model.backing_up = None;
    match outcome {
        Ok(size) => model.say(words::backed_up(&file.to_string_lossy(), &bytes(size))),
        Err(FileFault::Failed(failure)) if failure == Failure::SignedOut => {
            return ended(model, &failure).unwrap_or_default();
        }
        Err(fault) => model.complain(words::not_written(file, &fault)),
    }
    Vec::new()
}
