//! What follows where the session is over.

use crate::{
    effect::Effect,
    key,
    message::Failure,
    model::{Model, Typed},
    words,
};

/// Where the session has ended, asks to sign in. What was typed ahead goes into the form that it was typed into; elsewhere
/// it is dropped, since nobody should run commands from behind a sign-in.
pub(super) fn ended(model: &mut Model, failure: &Failure) -> Option<Vec<Effect>> {
    if *failure != Failure::SignedOut {
        return None;
    }
    // A user who is signing out need not be told that the session is over; the answer to the sign-out is still to come.
    if model.sign_in.is_some() || model.signing_out {
        return Some(Vec::new());
    }
    model.writing = None;
    for typed in std::mem::take(&mut model.ahead) {
        let is_text = matches!(typed, Typed::Paste(_))
            || matches!(&typed, Typed::Key(key) if key::action(model.context(), *key).is_none());
        let Some(form) = model.top().editing_mut().filter(|_| is_text) else { break };
        form.typed(&mut |state| match &typed {
            Typed::Key(key) => state.key(*key),
            Typed::Paste(text) => state.paste(text),
        });
    }
    let reason = if model.has_unsaved_text() { words::ENDED_TEXT_KEPT } else { words::ENDED };
    Some(model.ask_to_sign_in(Some(reason.to_owned())))
}
