//! Answers about definitions: what saving one would do, that it is saved, and how far a change is that takes its time.

use common::{
    collection::{Collection, DefinitionAnswer},
    conflict::Refusal,
    editor,
    operation::{Operation, OperationState},
};

use super::ended;
use crate::{
    effect::Effect,
    message::{Answer, Failure},
    model::{Model, Screen},
    words,
};

pub(super) fn defined(model: &mut Model, answer: Answer<Box<DefinitionAnswer>>) -> Vec<Effect> {
    match answer.map(|answer| *answer) {
        Ok(DefinitionAnswer::Changed(collection)) => saved(model, Some(&collection)),
        Ok(DefinitionAnswer::WouldBe(told)) => {
            let ticket = model.tickets.next();
            let Screen::Definition(form) = model.top() else { return Vec::new() };
            if form.preview(&told) {
                let effect = form.save_now(ticket);
                model.writing = effect.is_some().then_some(ticket);
                return effect.into_iter().collect();
            }
            model.complain(words::WOULD_SAVE);
            Vec::new()
        }
        Ok(DefinitionAnswer::Begun(operation)) => follow(model, &operation),
        Err(failure) => refused(model, failure),
    }
}

/// Takes how far a change is.
pub(super) fn progress(model: &mut Model, answer: Answer<Box<Operation>>) -> Vec<Effect> {
    model.changing = None;
    match answer {
        Ok(operation) if operation.state == OperationState::Done => saved(model, None),
        Ok(operation) if operation.state.is_over() => {
            if let Screen::Definition(form) = model.top() {
                form.ended(&operation);
            }
            model.complain(editor::progress(&operation));
            Vec::new()
        }
        Ok(operation) => follow(model, &operation),
        Err(failure) => refused(model, failure),
    }
}

fn follow(model: &mut Model, operation: &Operation) -> Vec<Effect> {
    let ticket = model.tickets.next();
    model.changing = Some((ticket, operation.id));
    model.say(words::changing(&editor::progress(operation)));
    vec![Effect::Progress(ticket, operation.id)]
}

fn saved(model: &mut Model, collection: Option<&Collection>) -> Vec<Effect> {
    let existing = match model.screens.pop() {
        Some(Screen::Definition(form)) => form.existing,
        Some(other) => {
            // It was left while the change went on.
            model.screens.push(other);
            None
        }
        None => None,
    };
    model.say(match collection {
        Some(collection) => words::defined(collection, existing.is_none()),
        None => words::CHANGE_DONE.to_owned(),
    });
    model.reload()
}

fn refused(model: &mut Model, failure: Failure) -> Vec<Effect> {
    if let Some(effects) = ended(model, &failure) {
        return effects;
    }
    let Failure::Call(error) = failure else { return Vec::new() };
    if let Screen::Definition(form) = model.top() {
        form.refuse(&error);
    }
    let said = if Refusal::of(&error, true) == Refusal::Changed {
        words::DEFINITION_CHANGED
    } else {
        words::not_saved(&error)
    };
    model.complain(said);
    Vec::new()
}
