//! The command palette.

use super::act;
use crate::{
    effect::Effect,
    key::{self, Action},
    model::{Model, Screen},
    screen::{Choice, Collections, Entry, Palette, Records},
    words,
};

/// Opens it, over a screen that is read.
pub(super) fn open(model: &mut Model) {
    let context = model.context();
    let actions = key::bindings(context).filter(|binding| {
        model.offers(binding.action) && !matches!(binding.action, Action::Palette | Action::Up | Action::Down)
    });
    let entries: Vec<Entry> = actions
        .map(|binding| Entry {
            label: words::action(binding.action, context).1.to_owned(),
            key: binding.keys.first().map(|key| key::name(*key)).unwrap_or_default(),
            choice: Choice::Act(binding.action),
        })
        .collect();
    let table = model.screens.last().and_then(Screen::table).map(|table| table.collection.name.to_string());
    let mut palette = Palette::new(entries, table);
    if let Some(Screen::Collections(Collections { rows: Some(rows), .. })) = model.screens.first() {
        palette.know(rows.iter().map(|row| &row.name));
    }
    model.palette = Some(palette);
}

/// What the keys do in it.
pub(super) fn act_on(model: &mut Model, action: Action) -> Vec<Effect> {
    let Some(palette) = &mut model.palette else { return Vec::new() };
    match action {
        Action::Back => model.palette = None,
        Action::Up | Action::Down => palette.step(action == Action::Down),
        Action::Submit => {
            let choice = palette.choice();
            model.palette = None;
            return choice.map(|choice| choose(model, choice)).unwrap_or_default();
        }
        _ => {}
    }
    Vec::new()
}

fn choose(model: &mut Model, choice: Choice) -> Vec<Effect> {
    let tickets = model.tickets.clone();
    match choice {
        Choice::Act(action) => act(model, action),
        Choice::Open(name) => {
            let Some(Screen::Collections(Collections { rows: Some(rows), .. })) = model.screens.first() else {
                return Vec::new();
            };
            let Some(collection) = rows.iter().find(|row| row.name == name).cloned() else { return Vec::new() };
            if model.has_unsaved_text() {
                model.complain(words::FINISH_FIRST);
                return Vec::new();
            }
            model.keep_table();
            model.screens.truncate(1);
            model.open_table(Records::new(collection))
        }
        Choice::Search(text) => {
            let Some(table) = model.top().table_mut() else { return Vec::new() };
            vec![table.search(text, &tickets)]
        }
        Choice::Page(number) | Choice::Row(number) => {
            let action = if matches!(choice, Choice::Page(_)) { Action::NextPage } else { Action::Last };
            let Some(table) = model.top().table_mut() else { return Vec::new() };
            table.number = Some(number);
            table.go(action, &tickets).into_iter().collect()
        }
    }
}
