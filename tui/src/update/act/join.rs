//! What the keys ask for where another collection is joined to a table.

use common::query::MAX_JOINS;

use super::edit;
use crate::{
    effect::Effect,
    key::Action,
    model::{Model, Screen},
    screen::{Collections, JoinForm},
    words,
};

/// Opens the form over the table that is seen.
pub(super) fn open(model: &mut Model) -> Vec<Effect> {
    let known = match model.screens.first() {
        Some(Screen::Collections(Collections { rows: Some(rows), .. })) => rows.clone(),
        _ => Vec::new(),
    };
    let Screen::Records(table) = model.top() else { return Vec::new() };
    if table.is_look_up {
        return Vec::new();
    }
    let (own, joins) = (table.collection.clone(), table.table.query.left_join.clone());
    let mut others: Vec<_> = known.into_iter().filter(|other| other.name != own.name).collect();
    if joins.len() >= MAX_JOINS {
        others.retain(|other| joins.iter().any(|join| join.collection == other.name));
    }
    if others.is_empty() && joins.is_empty() {
        model.complain(words::NOTHING_TO_JOIN);
    } else {
        model.open_form(Screen::Join(Box::new(JoinForm::new(own, others, joins))));
    }
    Vec::new()
}

/// In the form.
pub(super) fn act_on(model: &mut Model, action: Action) -> Vec<Effect> {
    let tickets = model.tickets.clone();
    let Screen::Join(form) = model.top() else { return Vec::new() };
    if action != Action::Save {
        return edit(model, action);
    }
    let Some(joins) = form.joins() else { return Vec::new() };
    model.screens.pop();
    let Screen::Records(table) = model.top() else { return Vec::new() };
    vec![table.join(joins, &tickets)]
}
