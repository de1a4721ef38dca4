//! What the keys ask for in lists of changes, and how they are opened.

use common::{activity::Source, change::ChangeQuery, record::Record};

use crate::{
    effect::Effect,
    key::Action,
    model::{Model, Screen},
    screen::ChangesScreen,
    status::body_now,
    words,
};

/// Opens a list; `None` where the key asks for none.
pub(super) fn open(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    let source = match action {
        Action::Activity => Source::Activity(ChangeQuery::default()),
        Action::Trash => {
            let Screen::Records(table) = model.top() else { return Some(Vec::new()) };
            Source::Trash(table.collection.name.clone())
        }
        Action::History => {
            let (name, id) = match model.top() {
                Screen::Records(table) => (table.collection.name.clone(), table.current().and_then(Record::id)),
                Screen::Record(detail) => (detail.collection.name.clone(), detail.record.id()),
                _ => return Some(Vec::new()),
            };
            let Some(id) = id else { return Some(Vec::new()) };
            Source::History(name, id)
        }
        _ => return None,
    };
    let mut screen = ChangesScreen::new(source);
    let effect = screen.ask(&model.tickets, model.is_admin());
    model.screens.push(Screen::Changes(Box::new(screen)));
    Some(effect.into_iter().collect())
}

/// In such a list.
pub(super) fn act_on(model: &mut Model, action: Action) -> Vec<Effect> {
    let (tickets, is_admin) = (model.tickets.clone(), model.is_admin());
    let page = usize::from(body_now(model).height / 2).max(1);
    let Screen::Changes(screen) = model.top() else { return Vec::new() };
    match action {
        Action::Back => {
            model.screens.pop();
            return model.reload();
        }
        Action::Level => return screen.narrow(&tickets, is_admin).into_iter().collect(),
        Action::Restore => {
            let change = screen.list.rows.get(screen.selected);
            let Some((name, id, revision)) = change.and_then(|change| screen.list.restorable(change)) else {
                model.complain(words::NOT_RESTORABLE);
                return Vec::new();
            };
            return vec![Effect::Restore(model.begin_write(), name, id, revision)];
        }
        _ => {}
    }
    screen.go(action, page, &tickets, is_admin).into_iter().collect()
}
