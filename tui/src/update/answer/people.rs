//! Answers about users and sessions: what became of a write.

use super::ended;
use crate::{
    effect::Effect,
    message::{Answer, Failure},
    model::{Model, Screen},
    words,
};

/// A form about an account was written, or refused.
pub(super) fn account(model: &mut Model, answer: Answer<()>) -> Vec<Effect> {
    if let Err(failure) = answer {
        return refused(model, &failure);
    }
    let Screen::Account(form) = model.top() else { return Vec::new() };
    let said = form.done();
    model.screens.pop();
    model.say(said);
    // The user may have been the one who is signed in.
    let mut effects = model.reload();
    effects.push(model.ask_who());
    effects
}

fn refused(model: &mut Model, failure: &Failure) -> Vec<Effect> {
    if let Some(effects) = ended(model, failure) {
        return effects;
    }
    if let (Screen::Account(form), Failure::Call(error)) = (model.top(), failure) {
        form.refuse(error);
        let is_deletion = form.kind.is_deletion();
        model.complain(if is_deletion { words::NOT_DELETED } else { words::not_saved(error) });
    }
    Vec::new()
}

/// Sessions were ended, or not.
pub(super) fn ended_sessions(model: &mut Model, answer: Answer<()>) -> Vec<Effect> {
    match answer {
        Ok(()) => model.say(words::SESSIONS_ENDED),
        Err(failure) => {
            if let Some(effects) = ended(model, &failure) {
                return effects;
            }
            model.complain(words::failure(&failure));
        }
    }
    model.reload()
}
