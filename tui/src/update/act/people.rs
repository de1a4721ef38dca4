//! What the keys ask for in the lists of users and sessions, and how the forms about accounts are opened.

use crate::{
    effect::Effect,
    key::Action,
    model::{Model, Screen},
    screen::{AccountForm, AccountKind, Ending, Records, Rows, Sessions, user},
    words,
};

/// Opens a form about an account.
pub(super) fn open_form(model: &mut Model, kind: AccountKind) -> Vec<Effect> {
    let has_new_password = !kind.is_deletion();
    model.open_form(Screen::Account(Box::new(AccountForm::new(kind))));
    if has_new_password { model.ask_min_password_length() } else { Vec::new() }
}

/// Opens the own sessions.
pub(super) fn open_sessions(model: &mut Model) -> Vec<Effect> {
    model.screens.push(Screen::Sessions(Box::new(Sessions::new(None))));
    model.reload()
}

/// Opens the users, for an admin.
pub(super) fn open_users(model: &mut Model) -> Vec<Effect> {
    if !model.is_admin() {
        model.complain(words::NOT_ADMIN_USERS);
        return Vec::new();
    }
    model.screens.push(Screen::Users(Box::new(Records::people(Rows::Users))));
    model.reload()
}

/// In the list of users.
pub(super) fn act_on_users(model: &mut Model, action: Action) -> Vec<Effect> {
    let own = model.user.as_ref().map(|user| user.id);
    let tickets = model.tickets.clone();
    let Screen::Users(users) = model.top() else { return Vec::new() };
    if let Some(effects) = users.filter_key(action, &tickets) {
        return effects;
    }
    match (action, users.current().and_then(user)) {
        (Action::Back, _) => {
            model.screens.pop();
            model.reload()
        }
        (Action::New, _) => open_form(model, AccountKind::NewUser),
        (Action::Open | Action::Edit, Some(user)) => open_form(model, AccountKind::EditUser(user)),
        (Action::Delete, Some(user)) => open_form(model, AccountKind::DeleteUser(user)),
        (Action::Sessions, Some(user)) => {
            let of = Some(user).filter(|user| own != Some(user.id));
            model.screens.push(Screen::Sessions(Box::new(Sessions::new(of))));
            model.reload()
        }
        _ => users.go(action, &tickets).into_iter().collect(),
    }
}

/// In a list of sessions. What ends one is asked for twice.
pub(super) fn act_on_sessions(model: &mut Model, action: Action) -> Vec<Effect> {
    let tickets = model.tickets.clone();
    let Screen::Sessions(sessions) = model.top() else { return Vec::new() };
    let asked = sessions.asked.take();
    if let Some(effects) = sessions.list.filter_key(action, &tickets) {
        return effects;
    }
    let of = sessions.of.clone();
    let current = sessions.current();
    let ending = match (action, current) {
        (Action::Back, _) => {
            model.screens.pop();
            return model.reload();
        }
        (Action::Delete, Some((id, _))) => Ending::One(id),
        (Action::EndOthers, _) => Ending::Others,
        _ => return sessions.list.go(action, &tickets).into_iter().collect(),
    };
    let is_this_one = ending != Ending::Others && current.is_some_and(|(_, is_this_one)| is_this_one);
    if asked != Some(ending) {
        sessions.asked = Some(ending);
        model.complain(ending.question(is_this_one, of.as_ref()));
        return Vec::new();
    }
    vec![match ending {
        // Ending the session that asks is signing out, and no reason to wonder who did it.
        Ending::One(_) if is_this_one => model.sign_out(),
        Ending::One(id) => Effect::EndSession(model.begin_write(), id),
        Ending::Others => Effect::EndOthers(model.begin_write(), of.map(|user| user.id)),
    }]
}
