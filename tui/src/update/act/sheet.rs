//! What the keys ask for on pages about the server and its tokens, and how they are opened.

use std::{path::PathBuf, time::Duration};

use common::dashboard::LogTail;

use crate::{
    effect::{Effect, SheetAsk},
    key::Action,
    model::{Model, Screen},
    page,
    screen::{Invitations, Sheet, SheetKind},
    words,
};

/// Opens a page, or does what the keys of several screens do; `None` where the key is none of these.
pub(super) fn open(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    let kind = match action {
        Action::Token => SheetKind::Token(Box::default()),
        Action::Invitations => SheetKind::Invitations(Invitations::default()),
        Action::Log | Action::Failures | Action::Server | Action::Backup if !model.is_admin() => {
            model.complain(words::NOT_ADMIN_DASHBOARD);
            return Some(Vec::new());
        }
        Action::Access => SheetKind::Access,
        Action::Api => {
            let collection = match model.top() {
                Screen::Records(table) => Some(table.collection.clone()),
                Screen::Collections(list) => list.current().cloned(),
                _ => None,
            };
            let Some(collection) = collection else { return Some(Vec::new()) };
            SheetKind::Api(Box::new(collection), 0)
        }
        Action::Log => SheetKind::Log(LogTail::default()),
        Action::Failures => SheetKind::Failures,
        Action::Server => SheetKind::Server(None),
        Action::Backup => return Some(back_up(model)),
        _ => return None,
    };
    let mut sheet = Sheet::new(kind);
    let effect = sheet.ask(&model.tickets, Duration::ZERO);
    model.screens.push(Screen::Sheet(Box::new(sheet)));
    Some(effect.into_iter().collect())
}

/// Collections whose newest records are asked for.
const ASKED: usize = 8;

/// Opens what one has oneself: the dashboard of who is no admin.
pub(super) fn open_own(model: &mut Model) -> Vec<Effect> {
    let names = match model.top() {
        Screen::Collections(list) => list.rows.iter().flatten().map(|row| row.name.clone()).take(ASKED).collect(),
        _ => Vec::new(),
    };
    let mut sheet = Sheet::new(SheetKind::Own(names, None));
    let effect = sheet.ask(&model.tickets, Duration::ZERO);
    model.screens.push(Screen::Sheet(Box::new(sheet)));
    effect.into_iter().collect()
}

/// Writes a backup, named by the server's clock.
fn back_up(model: &mut Model) -> Vec<Effect> {
    let at = model.screens.iter().rev().find_map(|screen| match screen {
        Screen::Dashboard(dashboard) => dashboard.history.newest().map(|sample| sample.at.clone()),
        _ => None,
    });
    if model.backing_up.is_some() {
        return Vec::new();
    }
    let moment: String = at.unwrap_or_default().chars().take(19).filter(char::is_ascii_alphanumeric).collect();
    let ticket = model.tickets.next();
    model.backing_up = Some(ticket);
    vec![Effect::Backup(ticket, PathBuf::from(format!("coffer-{moment}.backup")))]
}

/// On such a page.
pub(super) fn act_on(model: &mut Model, action: Action) -> Vec<Effect> {
    let tickets = model.tickets.clone();
    let (lines, height) = page::sheet_extent(model);
    let Screen::Sheet(sheet) = model.top() else { return Vec::new() };
    if let SheetKind::Invitations(known) = &mut sheet.kind {
        let (asked, current) = (std::mem::take(&mut known.asked), known.current());
        match (action, current) {
            // While one is being made or taken back, the key is not meant for the next.
            (Action::New | Action::Delete, _) if sheet.load.is_waited_for() => return Vec::new(),
            (Action::New, _) => return vec![sheet.write(&tickets, SheetAsk::Invite)],
            (Action::Delete, Some(id)) if asked => return vec![sheet.write(&tickets, SheetAsk::TakeBack(id))],
            (Action::Delete, Some(_)) => {
                known.asked = true;
                model.complain(words::TAKE_BACK);
                return Vec::new();
            }
            (Action::Up | Action::Down, _) => {
                sheet.move_cursor(action == Action::Down, lines, height);
                return Vec::new();
            }
            _ => {}
        }
    }
    match action {
        Action::Back => {
            model.screens.pop();
            return model.reload();
        }
        Action::Submit | Action::OwnToken => {
            return sheet.inspect(&tickets, action == Action::OwnToken).into_iter().collect();
        }
        Action::NextInput => {
            if let SheetKind::Token(token) = &mut sheet.kind {
                token.is_at_key = !token.is_at_key;
            }
        }
        Action::Level => match &mut sheet.kind {
            SheetKind::Log(tail) => tail.switch(),
            SheetKind::Api(_, program) => *program += 1,
            _ => {}
        },
        Action::ServerLevel => {
            let SheetKind::Log(tail) = &sheet.kind else { return Vec::new() };
            let level = tail.next_told();
            return vec![Effect::LogLevel(model.begin_write(), level)];
        }
        _ => sheet.go(action, lines, height),
    }
    Vec::new()
}
