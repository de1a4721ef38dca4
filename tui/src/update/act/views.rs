//! What the keys ask for among the saved views of a collection.

use super::insights;
use crate::{
    effect::{Effect, ViewAsk},
    key::Action,
    model::{Model, Screen},
    screen::Views,
    words,
};

/// Opens the views of the table that is seen.
pub(super) fn open(model: &mut Model) -> Vec<Effect> {
    let tickets = model.tickets.clone();
    let Screen::Records(table) = model.top() else { return Vec::new() };
    if table.is_look_up {
        return Vec::new();
    }
    let mut views = Views::new(table.collection.clone(), &table.table.query, table.view_columns());
    let effect = views.ask(&tickets);
    model.screens.push(Screen::Views(Box::new(views)));
    vec![effect]
}

/// Among them.
pub(super) fn act_on(model: &mut Model, action: Action) -> Vec<Effect> {
    let (user, is_admin) = (model.user.as_ref().map(|user| user.id), model.is_admin());
    let Screen::Views(views) = model.top() else { return Vec::new() };
    if views.naming.is_some() {
        return match action {
            Action::Back => {
                views.naming = None;
                Vec::new()
            }
            Action::Submit => {
                let ask = views.named();
                ask.map(|ask| send(model, ask)).unwrap_or_default()
            }
            _ => Vec::new(),
        };
    }
    let changes = [Action::Edit, Action::Share, Action::Delete, Action::Overwrite];
    if changes.contains(&action) && views.current().is_some() && !views.may_change(user, is_admin) {
        model.complain(words::NOT_YOUR_VIEW);
        return Vec::new();
    }
    let asked = views.to_delete.take();
    let ask = match action {
        Action::Back => {
            model.screens.pop();
            return Vec::new();
        }
        Action::Open => return choose(model),
        Action::New => {
            views.name(true);
            None
        }
        Action::Edit if views.current().is_some() => {
            views.name(false);
            None
        }
        Action::Share => views.share(),
        Action::Overwrite => views.overwrite(),
        Action::Delete => {
            let Some(view) = views.current() else { return Vec::new() };
            let (id, name) = (view.id, view.definition.name.clone());
            if asked != Some(id) {
                views.to_delete = Some(id);
                model.complain(words::delete_view(&name));
                return Vec::new();
            }
            Some(ViewAsk::Delete(id))
        }
        _ => {
            views.go(action);
            None
        }
    };
    ask.map(|ask| send(model, ask)).unwrap_or_default()
}

fn send(model: &mut Model, ask: ViewAsk) -> Vec<Effect> {
    let tickets = model.tickets.clone();
    let Screen::Views(views) = model.top() else { return Vec::new() };
    vec![Effect::Views(views.load.begin(&tickets), views.collection.name.clone(), ask)]
}

/// Shows the table below as the view under the cursor says.
fn choose(model: &mut Model) -> Vec<Effect> {
    let tickets = model.tickets.clone();
    let Screen::Views(views) = model.top() else { return Vec::new() };
    let Some(view) = views.current() else { return Vec::new() };
    let shown = view.definition.clone();
    let (name, columns, plot) = (shown.name, shown.columns, shown.plot);
    let (query, notes) = (view.definition.query(), view.notes.clone());
    model.screens.pop();
    let Screen::Records(table) = model.top() else { return Vec::new() };
    let effect = match query {
        Ok(query) => table.show_view(query, &columns, &tickets),
        Err(_) => Err(String::new()),
    };
    match effect {
        Ok(effect) => {
            if notes.is_empty() {
                model.say(words::view_shown(&name));
            } else {
                model.complain(notes.join(" "));
            }
            let mut effects = vec![effect];
            if let Some(plot) = plot {
                effects.extend(insights::open(model, Some(&plot)));
            }
            effects
        }
        Err(why) => {
            model.complain(if notes.is_empty() { words::view_unfit(&name, &why) } else { notes.join(" ") });
            Vec::new()
        }
    }
}
