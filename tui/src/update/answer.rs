//! Answers from the server. Late ones, which a newer request has overtaken, are dropped; one that says that the session
//! has ended puts signing in above whatever is open.

use common::{CallError, collection::Collection, id::RecordId, record::Record, user::User};

use crate::{
    effect::Effect,
    key,
    message::{Answer, Deleted, Failure, Message, Ticket},
    model::{Model, Screen, Typed},
    screen::{Collections, Filling},
    words,
};

/// Takes an answer.
pub fn take(model: &mut Model, message: Message) -> Vec<Effect> {
    match message {
        Message::Root(ticket, answer) => {
            let Some(sign_in) = model.sign_in.as_mut() else { return Vec::new() };
            if sign_in.look.finish(ticket) {
                match answer {
                    Ok(root) => sign_in.know(&root),
                    Err(failure) => sign_in.look.error = Some(words::failure(&failure)),
                }
            }
            Vec::new()
        }
        Message::Me(Ok(user)) => {
            model.user = Some(user);
            Vec::new()
        }
        // The list of collections, asked for beside it, says what else is wrong.
        Message::Me(Err(failure)) => ended(model, &failure).unwrap_or_default(),
        Message::SignedIn(ticket, answer) if finish(model, ticket) => signed_in(model, answer),
        Message::SignedOut(answer) => signed_out(model, answer),
        Message::Collections(ticket, answer) => collections(model, ticket, answer),
        Message::Records(ticket, answer) => records(model, ticket, answer),
        Message::Record(ticket, answer) => record(model, ticket, answer),
        Message::Saved(ticket, answer) if finish(model, ticket) => saved(model, answer),
        Message::Fresh(ticket, answer) if finish(model, ticket) => fresh(model, answer),
        Message::Deleted(ticket, record, answer) if finish(model, ticket) => deleted(model, record, answer),
        Message::Restored(ticket, record, answer) if finish(model, ticket) => restored(model, record, answer),
        Message::Defined(ticket, answer) if finish(model, ticket) => defined(model, answer),
        Message::NotKept => {
            model.complain(words::SESSION_NOT_KEPT);
            Vec::new()
        }
        _ => Vec::new(),
    }
}

/// Whether this is the answer to the write that is under way. It is under way no more.
fn finish(model: &mut Model, ticket: Ticket) -> bool {
    let is_it = model.writing == Some(ticket);
    if is_it {
        model.writing = None;
    }
    is_it
}

/// Where the session has ended, asks to sign in. What was typed ahead goes into the form that it was typed into; elsewhere
/// it is dropped, since nobody should run commands from behind a sign-in.
fn ended(model: &mut Model, failure: &Failure) -> Option<Vec<Effect>> {
    if *failure != Failure::SignedOut {
        return None;
    }
    if model.sign_in.is_some() {
        return Some(Vec::new());
    }
    model.writing = None;
    for typed in std::mem::take(&mut model.ahead) {
        let is_text = matches!(typed, Typed::Paste(_))
            || matches!(&typed, Typed::Key(key) if key::action(model.context(), *key).is_none());
        let into = |filling: &mut Filling| match &typed {
            Typed::Key(key) => filling.key(*key),
            Typed::Paste(text) => filling.paste(text),
        };
        match model.screens.last_mut() {
            Some(Screen::Form(form)) if is_text => into(&mut form.filling),
            Some(Screen::Definition(form)) if is_text => form.typed(into),
            _ => break,
        }
    }
    let reason = if model.has_unsaved_text() { words::ENDED_TEXT_KEPT } else { words::ENDED };
    Some(model.ask_to_sign_in(Some(reason.to_owned())))
}

fn signed_in(model: &mut Model, answer: Answer<User>) -> Vec<Effect> {
    match answer {
        Ok(user) => {
            // Somebody else must not see what the one before had open.
            if model.user.as_ref().is_some_and(|before| before.id != user.id) {
                model.screens = vec![Screen::Collections(Collections::default())];
                model.undo.clear();
            }
            model.sign_in = None;
            model.say(words::welcome(&user, model.has_unsaved_text()));
            model.user = Some(user);
            model.reload()
        }
        Err(Failure::SignedOut) => {
            if let Some(sign_in) = &mut model.sign_in {
                sign_in.filling.form.errors = vec![words::ENDED.to_owned()];
            }
            Vec::new()
        }
        Err(Failure::Call(error)) => {
            if let Some(sign_in) = &mut model.sign_in {
                sign_in.refuse(&error);
            }
            Vec::new()
        }
    }
}

fn signed_out(model: &mut Model, answer: Result<(), CallError>) -> Vec<Effect> {
    model.writing = None;
    model.user = None;
    model.undo.clear();
    model.ahead.clear();
    model.toast = None;
    model.screens = vec![Screen::Collections(Collections::default())];
    let reason = match answer {
        Ok(()) => words::SIGNED_OUT.to_owned(),
        Err(error) => words::signed_out_here_only(&error),
    };
    model.ask_to_sign_in(Some(reason))
}

fn collections(model: &mut Model, ticket: Ticket, answer: Answer<Vec<Collection>>) -> Vec<Effect> {
    let Some(Screen::Collections(collections)) = model.screens.first_mut() else { return Vec::new() };
    if !collections.load.finish(ticket) {
        return Vec::new();
    }
    match answer {
        Ok(rows) => collections.show(rows),
        Err(failure) => {
            collections.load.error = Some(words::failure(&failure));
            return ended(model, &failure).unwrap_or_default();
        }
    }
    Vec::new()
}

fn records(model: &mut Model, ticket: Ticket, answer: Answer<common::page::Page<Record>>) -> Vec<Effect> {
    let next = model.ticket();
    // There may be two tables: one lies below a form, in the other a record is looked up for it.
    let table = model.screens.iter_mut().find_map(|screen| match screen {
        Screen::Records(records) => records.load.finish(ticket).then_some(records),
        _ => None,
    });
    let Some(records) = table else { return Vec::new() };
    match answer {
        Ok(page) => records.show(page, next).into_iter().collect(),
        Err(failure) => {
            records.load.error = Some(words::failure(&failure));
            ended(model, &failure).unwrap_or_default()
        }
    }
}

fn record(model: &mut Model, ticket: Ticket, answer: Answer<Record>) -> Vec<Effect> {
    let detail = model.screens.iter_mut().find_map(|screen| match screen {
        Screen::Record(detail) => Some(detail),
        _ => None,
    });
    let Some(detail) = detail else { return Vec::new() };
    if !detail.load.finish(ticket) {
        return Vec::new();
    }
    match answer {
        Ok(record) => detail.record = record,
        Err(failure) => {
            detail.load.error = Some(words::failure(&failure));
            return ended(model, &failure).unwrap_or_default();
        }
    }
    Vec::new()
}

fn saved(model: &mut Model, answer: Answer<Record>) -> Vec<Effect> {
    let failure = match answer {
        Ok(record) => {
            let said = match model.screens.pop() {
                Some(Screen::Form(form)) => words::saved(&form.collection, &record, form.id.is_none()),
                _ => String::new(),
            };
            model.say(said);
            if let Screen::Record(detail) = model.top() {
                detail.record = record.clone();
            }
            return reload_below(model, record.id());
        }
        Err(failure) => failure,
    };
    if let Some(effects) = ended(model, &failure) {
        return effects;
    }
    let ticket = model.ticket();
    let Failure::Call(error) = failure else { return Vec::new() };
    let Screen::Form(form) = model.top() else { return Vec::new() };
    match (error.status(), form.id) {
        (412, Some(id)) => {
            let effect = Effect::Fresh(ticket, form.collection.name.clone(), id);
            model.writing = Some(ticket);
            return vec![effect];
        }
        (404, Some(_)) => form.outlive(),
        _ => {
            match error.problem() {
                Some(problem) => form.filling.form.refuse(problem),
                None => form.filling.form.errors = vec![words::call_error(&error)],
            }
            form.filling.go_to_error();
            let said = words::not_saved(&error);
            model.complain(said);
        }
    }
    Vec::new()
}

fn fresh(model: &mut Model, answer: Answer<Record>) -> Vec<Effect> {
    match answer {
        Ok(record) => {
            if let Screen::Form(form) = model.top() {
                form.rebase(&record);
            }
        }
        Err(failure) => {
            if let Some(effects) = ended(model, &failure) {
                return effects;
            }
            let gone = matches!(&failure, Failure::Call(error) if error.status() == 404);
            match model.top() {
                Screen::Form(form) if gone => form.outlive(),
                _ => model.complain(words::failure(&failure)),
            }
        }
    }
    Vec::new()
}

fn deleted(model: &mut Model, record: Deleted, answer: Answer<()>) -> Vec<Effect> {
    let error = match answer {
        Ok(()) => {
            model.say(words::deleted(&record.title));
            if let Screen::Record(_) = model.top() {
                model.screens.pop();
            }
            if let Screen::Records(records) = model.top() {
                records.remove(record.id);
            }
            model.undo.push(record);
            return model.reload();
        }
        Err(Failure::Call(error)) => error,
        Err(failure) => return ended(model, &failure).unwrap_or_default(),
    };
    match error.status() {
        404 => {
            if let Screen::Record(_) = model.top() {
                model.screens.pop();
            }
            model.complain(words::ALREADY_DELETED);
            model.reload()
        }
        412 => {
            model.complain(words::CHANGED_NOT_DELETED);
            model.reload()
        }
        _ => {
            model.complain(words::call_error(&error));
            Vec::new()
        }
    }
}

fn restored(model: &mut Model, record: Deleted, answer: Answer<Record>) -> Vec<Effect> {
    let error = match answer {
        Ok(_) => {
            model.say(words::restored(&record.title));
            return reload_below(model, Some(record.id));
        }
        Err(Failure::Call(error)) => error,
        Err(failure) => {
            model.undo.push(record);
            return ended(model, &failure).unwrap_or_default();
        }
    };
    let said = words::not_restored(&record.title, &error);
    // What the server has no answer to may work later; what it refuses does not get better by asking again.
    if error.problem().is_none() || error.status() >= 500 || error.status() == 429 || error.status() == 409 {
        model.undo.push(record);
    }
    model.complain(said);
    Vec::new()
}

fn defined(model: &mut Model, answer: Answer<Box<Collection>>) -> Vec<Effect> {
    let failure = match answer {
        Ok(collection) => {
            let is_new = match model.screens.pop() {
                Some(Screen::Definition(form)) => form.existing.is_none(),
                _ => false,
            };
            model.say(words::defined(&collection, is_new));
            return model.reload();
        }
        Err(failure) => failure,
    };
    if let Some(effects) = ended(model, &failure) {
        return effects;
    }
    let Failure::Call(error) = failure else { return Vec::new() };
    if let (Screen::Definition(form), Some(problem)) = (model.top(), error.problem()) {
        form.refuse(problem);
    }
    let said = if error.status() == 412 { words::DEFINITION_CHANGED.to_owned() } else { words::not_saved(&error) };
    model.complain(said);
    Vec::new()
}

/// Loads the topmost screen anew after a write, and a table below it too, with the cursor on the record.
fn reload_below(model: &mut Model, id: Option<RecordId>) -> Vec<Effect> {
    let ticket = model.ticket();
    let below = model.screens.len().saturating_sub(1);
    for screen in &mut model.screens {
        if let (Screen::Records(records), Some(id)) = (screen, id) {
            records.expect(id);
        }
    }
    let mut effects = model.reload();
    for screen in &mut model.screens[..below] {
        if let Screen::Records(records) = screen {
            effects.push(records.load(ticket));
        }
    }
    effects
}
