//! What the keys ask for in the lists of users and sessions, and how the forms about accounts are opened.

use crate::{
    effect::Effect,
    key::Action,
    model::{Model, Screen},
    screen::{AccountForm, AccountKind, Ending, Sessions, Users},
    words,
};

/// Opens a form about an account.
pub fn open_form(model: &mut Model, kind: AccountKind) {
    model.open_form(Screen::Account(Box::new(AccountForm::new(kind))));
}

/// Opens the own sessions.
pub fn open_sessions(model: &mut Model) -> Vec<Effect> {
    model.screens.push(Screen::Sessions(Box::default()));
    model.reload()
}

/// Opens the users, for an admin.
pub fn open_users(model: &mut Model) -> Vec<Effect> {
    if !model.is_admin() {
        model.complain(words::NOT_ADMIN_USERS);
        return Vec::new();
    }
    model.screens.push(Screen::Users(Users::default()));
    model.reload()
}

/// In the list of users.
pub fn act_on_users(model: &mut Model, action: Action) -> Vec<Effect> {
    let own = model.user.as_ref().map(|user| user.id);
    let Screen::Users(users) = model.top() else { return Vec::new() };
    match (action, users.list.current().cloned()) {
        (Action::Back, _) => {
            model.screens.pop();
            return model.reload();
        }
        (Action::New, _) => open_form(model, AccountKind::NewUser),
        (Action::Open | Action::Edit, Some(user)) => open_form(model, AccountKind::EditUser(user)),
        (Action::Delete, Some(user)) => open_form(model, AccountKind::DeleteUser(user)),
        (Action::Sessions, Some(user)) => {
            let of = Some(user).filter(|user| own != Some(user.id));
            model.screens.push(Screen::Sessions(Box::new(Sessions { of, ..Sessions::default() })));
            return model.reload();
        }
        _ => users.list.go(action, words::USER_COLUMNS.len()),
    }
    Vec::new()
}

/// In a list of sessions. What ends one is asked for twice.
pub fn act_on_sessions(model: &mut Model, action: Action) -> Vec<Effect> {
    let ticket = model.ticket();
    let Screen::Sessions(sessions) = model.top() else { return Vec::new() };
    let asked = sessions.asked.take();
    let of = sessions.of.clone();
    let ending = match (action, sessions.list.current()) {
        (Action::Back, _) => {
            model.screens.pop();
            return model.reload();
        }
        (Action::Delete, Some(session)) => Ending::One(session.id),
        (Action::EndOthers, _) => Ending::Others,
        _ => {
            sessions.list.go(action, words::SESSION_COLUMNS.len());
            return Vec::new();
        }
    };
    let is_this_one = ending != Ending::Others && sessions.list.current().is_some_and(|session| session.current);
    if asked != Some(ending) {
        sessions.asked = Some(ending);
        model.complain(words::ask_to_end(ending, is_this_one, of.as_ref()));
        return Vec::new();
    }
    model.writing = Some(ticket);
    vec![match ending {
        // Ending the session that asks is signing out, and no reason to wonder who did it.
        Ending::One(_) if is_this_one => Effect::SignOut,
        Ending::One(id) => Effect::EndSession(ticket, id),
        Ending::Others => Effect::EndOthers(ticket, of.map(|user| user.id)),
    }]
}
