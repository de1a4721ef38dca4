//! What the keys ask for over the charts of a collection.

use std::path::PathBuf;

use common::insight::filtered;

use crate::{
    effect::Effect,
    key::Action,
    model::{Model, Screen},
    screen::Insights,
    words,
};

/// Opens the charts of the table that is seen, with a member's first.
pub(super) fn open(model: &mut Model, member: Option<&str>) -> Vec<Effect> {
    let tickets = model.tickets.clone();
    let Screen::Records(table) = model.top() else { return Vec::new() };
    if table.is_look_up {
        return Vec::new();
    }
    let mut screen = Insights::new(table.collection.clone(), table.table.query.clone());
    if let Some(member) = member {
        screen.begin_with(member);
    }
    let effects = screen.ask(&tickets);
    model.screens.push(Screen::Insights(Box::new(screen)));
    effects
}

/// Over them.
pub(super) fn act_on(model: &mut Model, action: Action) -> Vec<Effect> {
    let tickets = model.tickets.clone();
    let Screen::Insights(screen) = model.top() else { return Vec::new() };
    match action {
        Action::Back => {
            model.screens.pop();
            Vec::new()
        }
        Action::Open => {
            let Some(bar) = screen.current().and_then(|panel| panel.bar()) else { return Vec::new() };
            let (query, label) = (filtered(&screen.shown, bar), bar.label.clone());
            model.screens.pop();
            let Screen::Records(table) = model.top() else { return Vec::new() };
            let effect = table.show_query(query, &tickets);
            model.say(words::filtered_by(&label));
            vec![effect]
        }
        Action::Export => {
            let panel = screen.current();
            let Some((name, chart)) = panel.and_then(|panel| Some((&panel.insight().name, panel.drawn()?))) else {
                return Vec::new();
            };
            let file = PathBuf::from(format!("{}-by-{name}.csv", screen.collection.name));
            vec![Effect::WriteText(tickets.next(), file, chart.csv())]
        }
        _ => screen.go(action, &tickets).into_iter().collect(),
    }
}
