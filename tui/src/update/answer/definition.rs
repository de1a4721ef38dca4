//! Answers about definitions: what saving one would do, that it is saved, and how far a change is that takes its time.

use common::{
    collection::{Collection, DefinitionAnswer},
    conflict::Refusal,
    editor,
    id::OperationId,
    operation::{Operation, OperationState},
};

use super::{ended, people::account};
use crate::{
    effect::Effect,
    message::{Answer, Failure, Undo},
    model::{Model, Screen},
    screen::AccountKind,
    words,
};

pub(super) fn defined(
    model: &mut Model,
    answer: Answer<Box<DefinitionAnswer>>,
    operation: Option<OperationId>,
) -> Vec<Effect> {
    match answer.map(|answer| *answer) {
        Ok(DefinitionAnswer::Changed(collection)) => saved(model, Some(&collection), operation),
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
        Ok(operation) if operation.state == OperationState::Done => saved(model, None, Some(operation.id)),
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

fn saved(model: &mut Model, collection: Option<&Collection>, operation: Option<OperationId>) -> Vec<Effect> {
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
        Some(collection) => words::defined(collection, existing.is_none(), operation.is_some()),
        None => words::CHANGE_DONE.to_owned(),
    });
    let name = collection.map(|collection| collection.name.to_string()).or(existing.map(|name| name.to_string()));
    // Of one that was left meanwhile it is not known here what it is called.
    model.undo.extend(operation.zip(name).map(|(operation, title)| Undo { operation, record: None, title }));
    model.reload()
}

/// A collection was deleted, or not.
pub(super) fn deleted(model: &mut Model, answer: Answer<Option<OperationId>>) -> Vec<Effect> {
    let (answer, operation) = match answer {
        Ok(operation) => (Ok(()), operation),
        Err(failure) => (Err(failure), None),
    };
    if let (Some(operation), Screen::Account(form)) = (operation, model.top())
        && let AccountKind::DeleteCollection(collection) = &form.kind
    {
        let title = collection.name.to_string();
        model.undo.push(Undo { operation, record: None, title });
    }
    account(model, answer)
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
