//! What happens when something happens. [`update`] changes the model and says what is to be done; it does nothing itself.
//! Keys are handled here, answers from the server in `update/answer.rs`.

mod answer;
#[cfg(test)]
mod tests;

use common::access::{Action as Access, Decision};
use crossterm::event::KeyModifiers;

use crate::{
    effect::Effect,
    key::{self, Action, Context},
    message::{Deleted, Message},
    model::{Model, Screen, Typed},
    screen::{Detail, RecordForm, Records, title},
    view, words,
};

/// Takes a message: changes the model, and says what is to be done.
pub fn update(model: &mut Model, message: Message) -> Vec<Effect> {
    match message {
        Message::Key(key) => typed(model, Typed::Key(key)),
        Message::Paste(text) => typed(model, Typed::Paste(text)),
        Message::Resize(columns, rows) => {
            model.size = (columns, rows);
            Vec::new()
        }
        Message::Tick => {
            model.tick = model.tick.wrapping_add(1);
            if let Some(toast) = &mut model.toast
                && !toast.is_error
            {
                toast.moments = toast.moments.saturating_sub(1);
                if toast.moments == 0 {
                    model.toast = None;
                }
            }
            Vec::new()
        }
        answer => {
            let mut effects = answer::take(model, answer);
            // What was typed while an answer was waited for comes now.
            while let Some(next) = model.ahead.front().cloned() {
                if waits(model, &next) {
                    break;
                }
                model.ahead.pop_front();
                effects.extend(press(model, next));
            }
            effects
        }
    }
}

fn typed(model: &mut Model, typed: Typed) -> Vec<Effect> {
    // Ctrl-C waits for nothing.
    if let Typed::Key(key) = typed
        && key.modifiers.contains(KeyModifiers::CONTROL)
        && action(model, &typed) == Some(Action::Quit)
    {
        return quit(model);
    }
    model.quitting = false;
    if !model.ahead.is_empty() || waits(model, &typed) {
        model.ahead.push_back(typed);
        return Vec::new();
    }
    press(model, typed)
}

fn action(model: &Model, typed: &Typed) -> Option<Action> {
    match typed {
        Typed::Key(key) => key::action(model.context(), *key),
        Typed::Paste(_) => None,
    }
}

/// Whether this must wait for an answer: everything waits for a write, and what acts on a row waits for the rows.
fn waits(model: &Model, typed: &Typed) -> bool {
    if model.writing.is_some() {
        return true;
    }
    match model.screens.last() {
        Some(Screen::Records(records)) if model.context() == Context::Records => records.holds(action(model, typed)),
        Some(Screen::Collections(collections)) if model.context() == Context::Collections => {
            collections.holds(action(model, typed))
        }
        _ => false,
    }
}

fn press(model: &mut Model, typed: Typed) -> Vec<Effect> {
    if model.toast.as_ref().is_some_and(|toast| toast.is_error) {
        model.toast = None;
    }
    let action = action(model, &typed);
    if let Some(Screen::Form(form)) = model.screens.last_mut()
        && action != Some(Action::Back)
    {
        form.leaving = false;
    }
    match (action, typed) {
        (Some(action), _) => act(model, action),
        (None, Typed::Key(key)) => {
            write(model, |filling| filling.key(key), |line| line.key(key));
            Vec::new()
        }
        (None, Typed::Paste(text)) => {
            write(model, |filling| filling.paste(&text), |line| line.paste(&text));
            Vec::new()
        }
    }
}

/// Gives what was typed to the text that has the cursor, if one has.
fn write(
    model: &mut Model,
    into_form: impl FnOnce(&mut crate::screen::Filling),
    into_line: impl FnOnce(&mut crate::typing::Typing) -> bool,
) {
    if model.help.is_some() {
        return;
    }
    if let Some(sign_in) = &mut model.sign_in {
        return into_form(&mut sign_in.filling);
    }
    match model.screens.last_mut() {
        Some(Screen::Form(form)) => into_form(&mut form.filling),
        Some(Screen::Records(records)) => {
            if let Some(filter) = &mut records.filter
                && into_line(&mut filter.typing)
            {
                filter.error = None;
            }
        }
        _ => {}
    }
}

fn quit(model: &mut Model) -> Vec<Effect> {
    if model.has_unsaved_text() && !model.quitting {
        model.quitting = true;
        model.complain(words::UNSAVED_QUIT);
    } else {
        model.quit = true;
    }
    Vec::new()
}

fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    match (action, model.help) {
        (_, Some(scroll)) => {
            act_on_help(model, action, scroll);
            return Vec::new();
        }
        (Action::Help, None) => {
            model.help = Some(0);
            return Vec::new();
        }
        (Action::Quit, None) => return quit(model),
        _ => {}
    }
    if model.sign_in.is_some() {
        return act_on_sign_in(model, action);
    }
    match action {
        Action::Undo => return undo(model),
        Action::Reload => return model.reload(),
        Action::SignOut => {
            let ticket = model.ticket();
            model.writing = Some(ticket);
            return vec![Effect::SignOut];
        }
        _ => {}
    }
    match model.top() {
        Screen::Collections(_) => act_on_collections(model, action),
        Screen::Records(_) => act_on_records(model, action),
        Screen::Record(_) => act_on_record(model, action),
        Screen::Form(_) => act_on_form(model, action),
    }
}

fn act_on_help(model: &mut Model, action: Action, scroll: usize) {
    let (lines, height) = view::help_extent(model);
    model.help = (action != Action::Back).then(|| crate::screen::scrolled(scroll, action, lines, height));
}

fn act_on_sign_in(model: &mut Model, action: Action) -> Vec<Effect> {
    let ticket = model.ticket();
    let Some(sign_in) = &mut model.sign_in else { return Vec::new() };
    match action {
        Action::NextInput => sign_in.filling.step(true),
        Action::PreviousInput => sign_in.filling.step(false),
        Action::OtherForm if sign_in.setup_required => sign_in.switch(),
        Action::Retry => {
            sign_in.look.begin(ticket);
            return vec![Effect::Look(ticket)];
        }
        Action::Submit if !sign_in.filling.is_at_end() => sign_in.filling.step(true),
        Action::Submit => {
            let effect = sign_in.submit(ticket);
            model.writing = effect.is_some().then_some(ticket);
            return effect.into_iter().collect();
        }
        _ => {}
    }
    Vec::new()
}

fn act_on_collections(model: &mut Model, action: Action) -> Vec<Effect> {
    let Screen::Collections(collections) = model.top() else { return Vec::new() };
    if action != Action::Open {
        collections.go(action);
        return Vec::new();
    }
    let Some(collection) = collections.current().cloned() else { return Vec::new() };
    model.screens.push(Screen::Records(Box::new(Records::new(collection))));
    model.reload()
}

fn act_on_records(model: &mut Model, action: Action) -> Vec<Effect> {
    let ticket = model.ticket();
    let Screen::Records(records) = model.top() else { return Vec::new() };
    if records.filter.is_some() {
        let mut effect = None;
        match action {
            Action::Submit => effect = records.use_filter(ticket),
            Action::Back => records.filter = None,
            _ => {}
        }
        return effect.into_iter().collect();
    }
    let collection = records.collection.clone();
    let record = records.current().cloned();
    match (action, record) {
        (Action::Filter, _) => records.open_filter(),
        (Action::Back, _) if !records.filter_line().is_empty() => return vec![records.clear_filter(ticket)],
        (Action::Back, _) => {
            model.screens.pop();
            return model.reload();
        }
        (Action::Open, Some(record)) => {
            model.screens.push(Screen::Record(Box::new(Detail::new(collection, record))));
            return model.reload();
        }
        (Action::New, _) => {
            if model.decide(&collection.access, Access::Create) == Decision::Denied {
                model.complain(words::may_not(Access::Create));
            } else {
                model.screens.push(Screen::Form(Box::new(RecordForm::create(collection))));
            }
        }
        (Action::Edit | Action::Delete, Some(record)) => return act_on_one(model, action, &collection, &record),
        _ => return records.go(action, ticket).into_iter().collect(),
    }
    Vec::new()
}

fn act_on_record(model: &mut Model, action: Action) -> Vec<Effect> {
    let (lines, height) = view::detail_extent(model);
    let Screen::Record(detail) = model.top() else { return Vec::new() };
    let (collection, record) = (detail.collection.clone(), detail.record.clone());
    match action {
        Action::Back => {
            model.screens.pop();
        }
        Action::Edit | Action::Delete => return act_on_one(model, action, &collection, &record),
        _ => detail.go(action, lines, height),
    }
    Vec::new()
}

/// Edits or deletes a record, if the collection's rules let the user.
fn act_on_one(
    model: &mut Model,
    action: Action,
    collection: &common::collection::Collection,
    record: &common::record::Record,
) -> Vec<Effect> {
    let access = if action == Action::Edit { Access::Update } else { Access::Delete };
    if !model.may(&collection.access, access, record) {
        model.complain(words::may_not(access));
        return Vec::new();
    }
    if action == Action::Edit {
        model.screens.push(Screen::Form(Box::new(RecordForm::edit(collection.clone(), record))));
        return Vec::new();
    }
    let (Some(id), Some(revision)) = (record.id(), record.revision()) else { return Vec::new() };
    let ticket = model.ticket();
    model.writing = Some(ticket);
    let title = title(collection, record);
    vec![Effect::Delete(ticket, Deleted { collection: collection.name.clone(), id, revision, title })]
}

fn act_on_form(model: &mut Model, action: Action) -> Vec<Effect> {
    let ticket = model.ticket();
    let Screen::Form(form) = model.top() else { return Vec::new() };
    match action {
        Action::NextInput => form.filling.step(true),
        Action::PreviousInput => form.filling.step(false),
        Action::PreviousChoice | Action::NextChoice | Action::Pick => form.filling.choose(action),
        Action::TakeTheirs => form.take_theirs(),
        Action::Back if form.is_changed() && !form.leaving => {
            form.leaving = true;
            model.complain(words::UNSAVED_LEAVE);
        }
        Action::Back => {
            model.screens.pop();
            // Where somebody else was faster, what lies below is out of date.
            return model.reload();
        }
        Action::Save => {
            if let Some(effect) = form.save(ticket) {
                model.writing = Some(ticket);
                return vec![effect];
            }
            model.complain(words::FIX_FIRST);
        }
        _ => {}
    }
    Vec::new()
}

fn undo(model: &mut Model) -> Vec<Effect> {
    let Some(deleted) = model.undo.pop() else {
        model.complain(words::NOTHING_TO_UNDO);
        return Vec::new();
    };
    let ticket = model.ticket();
    model.writing = Some(ticket);
    vec![Effect::Restore(ticket, deleted)]
}
