//! The keys that the last line tells, and where each stands there: what draws them and what a click hits are the same.

use crate::{
    key::{self, Action},
    model::Model,
    width::width,
    words,
};

/// A key in the footer.
pub(crate) struct Hint {
    /// What it does.
    pub action: Action,
    /// The key.
    pub key: String,
    /// What it does, in a word.
    pub word: &'static str,
    /// The column of the screen where it begins.
    pub at: usize,
    /// How wide it is.
    pub columns: usize,
}

/// The keys that make sense now, as far as there is room; the key for help always.
pub(crate) fn footer_hints(model: &Model, columns: usize) -> Vec<Hint> {
    let context = model.context();
    let hints = key::bindings(context).filter(|binding| binding.footer && model.offers(binding.action));
    let hints = hints.filter_map(|binding| {
        let key = key::name(*binding.keys.first()?);
        let word = words::of_form(model, binding.action).unwrap_or(words::action(binding.action, context).0);
        let columns = width(&key) + width(word) + 1;
        Some(Hint { action: binding.action, key, word, at: 0, columns })
    });
    let (help, others): (Vec<Hint>, Vec<Hint>) = hints.partition(|hint| hint.action == Action::Help);
    let mut room = columns.saturating_sub(help.iter().map(|hint| hint.columns + 2).sum());
    let fitting = others.into_iter().take_while(|hint| {
        let fits = hint.columns + 2 <= room;
        room = room.saturating_sub(hint.columns + 2);
        fits
    });
    let mut shown: Vec<Hint> = fitting.collect();
    shown.extend(help);
    let mut at = 1;
    for hint in &mut shown {
        hint.at = at;
        at += hint.columns + 2;
    }
    shown
}
