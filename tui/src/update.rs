//! The reaction to each message: [`update`] changes the model and returns the effects to perform; it performs none itself.
//! Keys come in here; what they ask for is done in `update/act.rs`, answers from the server are taken in `update/answer.rs`.

mod act;
mod answer;
#[cfg(test)]
mod answer_tests;
mod ended;
#[cfg(test)]
mod many_tests;
mod mouse;
mod news;
#[cfg(test)]
mod people_tests;
#[cfg(test)]
mod tests;

use crossterm::event::{KeyCode, KeyModifiers};

use crate::{
    effect::Effect,
    key::{self, Action, Context},
    message::{Live, Message},
    model::{Model, Screen, Typed},
    screen::{FormState, SheetKind},
    text_input::TextInput,
};

/// Takes a message: changes the model, and says what is to be done.
pub fn update(model: &mut Model, message: Message) -> Vec<Effect> {
    match message {
        Message::Key(key) => typed_on(model, Typed::Key(key)),
        Message::Mouse(event) => {
            let mut effects = mouse::take(model, event);
            effects.extend(news::settle(model));
            effects
        }
        Message::Paste(text) => typed_on(model, Typed::Paste(text)),
        Message::Resize(columns, rows) => {
            model.size = (columns, rows);
            news::settle(model).into_iter().collect()
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
            for table in model.screens.iter_mut().filter_map(Screen::table_mut) {
                table.pass();
            }
            Vec::new()
        }
        Message::Edited(text) => {
            if let Some(form) = model.top().editing_mut() {
                form.typed(&mut |state| state.replace(&text));
            }
            Vec::new()
        }
        Message::NotEdited(why) => {
            model.complain(why);
            Vec::new()
        }
        Message::Live(Live::Away(why)) => {
            model.away = why;
            Vec::new()
        }
        answer => {
            let mut effects = match answer {
                Message::Live(Live::News(news)) => {
                    news::take(model, &news);
                    Vec::new()
                }
                answer => answer::take(model, answer),
            };
            // Input that waited for an answer is handled now.
            while let Some(next) = model.ahead.front().cloned() {
                if waits(model, &next) {
                    break;
                }
                model.ahead.pop_front();
                effects.extend(press(model, next));
            }
            effects.extend(news::settle(model));
            effects
        }
    }
}

fn typed_on(model: &mut Model, input: Typed) -> Vec<Effect> {
    let mut effects = typed(model, input);
    effects.extend(news::settle(model));
    effects
}

fn typed(model: &mut Model, typed: Typed) -> Vec<Effect> {
    // Ctrl-C waits for nothing.
    if let Typed::Key(key) = typed
        && key.modifiers.contains(KeyModifiers::CONTROL)
        && action(model, &typed) == Some(Action::Quit)
    {
        return act::quit(model);
    }
    model.quitting = false;
    model.has_acted |= model.sign_in.is_none();
    if action(model, &typed) != Some(Action::Delete) {
        (model.to_delete, model.to_delete_chosen) = (None, None);
    }
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
        Some(Screen::Collections(collections)) if model.context() == Context::Collections => {
            collections.must_wait(action(model, typed))
        }
        Some(screen) if is_table(model.context()) => {
            screen.table().is_some_and(|table| table.must_wait(action(model, typed)))
        }
        _ => false,
    }
}

fn is_table(context: Context) -> bool {
    matches!(context, Context::Records | Context::Chosen | Context::Users | Context::Sessions)
}

fn press(model: &mut Model, typed: Typed) -> Vec<Effect> {
    if model.toast.as_ref().is_some_and(|toast| toast.is_error) {
        model.toast = None;
    }
    let action = action(model, &typed);
    if let (None, Typed::Key(key)) = (action, &typed)
        && let KeyCode::Char(digit @ '0'..='9') = key.code
        && is_table(model.context())
        && let Some(table) = model.top().table_mut()
    {
        table.digit(digit);
        return Vec::new();
    }
    if action != Some(Action::Back) {
        if let Some(form) = model.top().editing_mut() {
            form.state_mut().leaving = false;
        }
        if let Screen::Sessions(sessions) = model.top()
            && !matches!(action, Some(Action::Delete | Action::EndOthers))
        {
            sessions.asked = None;
        }
    }
    match (action, typed) {
        (Some(action), _) => act::act(model, action),
        (None, Typed::Key(key)) => {
            write(model, |state| state.key(key), |line| line.key(key));
            Vec::new()
        }
        (None, Typed::Paste(text)) => {
            write(model, |state| state.paste(&text), |line| line.paste(&text));
            Vec::new()
        }
    }
}

/// Gives what was typed to the text that has the cursor, if one has.
fn write(model: &mut Model, mut into_form: impl FnMut(&mut FormState), into_line: impl FnOnce(&mut TextInput) -> bool) {
    if model.help.is_some() {
        return;
    }
    if let Some(sign_in) = &mut model.sign_in {
        return into_form(&mut sign_in.state);
    }
    if let Some(palette) = &mut model.palette {
        palette.selected = 0;
        into_line(&mut palette.text_input);
        return;
    }
    if let Some(form) = model.top().editing_mut() {
        return form.typed(&mut into_form);
    }
    if let Screen::Views(views) = model.top() {
        if let Some((_, text)) = &mut views.naming {
            into_line(text);
        }
        return;
    }
    if let Screen::Sheet(sheet) = model.top() {
        if let SheetKind::Token(token) = &mut sheet.kind {
            into_line(if token.is_at_key { &mut token.key_input } else { &mut token.text_input });
        }
        return;
    }
    if let Some(table) = model.top().table_mut()
        && let Some(filter) = &mut table.filter
        && into_line(&mut filter.text_input)
    {
        filter.error = None;
    }
}
