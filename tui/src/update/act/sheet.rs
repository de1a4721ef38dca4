//! What the keys ask for on pages about the server and its tokens, and how they are opened.

use std::{path::PathBuf, time::Duration};

use common::dashboard::LogTail;

use crate::{
    effect::{Effect, SheetAsk},
    key::Action,
    migrating::Migrating,
    model::{Model, Screen},
    page,
    screen::{Invitations, Migrations, Sheet, SheetKind},
    words,
};

/// Opens a page, or does what the keys of several screens do; `None` where the key is none of these.
pub(super) fn open(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    let kind = match action {
        Action::Token => SheetKind::Token(Box::default()),
        Action::Invitations => SheetKind::Invitations(Invitations::default()),
        Action::Log | Action::Failures | Action::Server | Action::Backup | Action::Migrations if !model.is_admin() => {
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
        Action::Migrations => SheetKind::Migrations(Box::new(Migrations::new(model.migrations.clone()))),
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
    if matches!(sheet.kind, SheetKind::Migrations(_)) && action != Action::Back {
        return on_migrations(model, action);
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

/// Among migrations.
fn on_migrations(model: &mut Model, action: Action) -> Vec<Effect> {
    let (tickets, is_read_only) = (model.tickets.clone(), model.is_read_only);
    let (lines, height) = page::sheet_extent(model);
    let Screen::Sheet(sheet) = model.top() else { return Vec::new() };
    let SheetKind::Migrations(known) = &sheet.kind else { return Vec::new() };
    match action {
        // While one is on its way, the key is not meant for the next.
        Action::Open | Action::Delete if sheet.load.is_waited_for() => {}
        Action::Open | Action::Delete => {
            let Some(wanted) = known.wanted(action) else { return Vec::new() };
            if is_read_only && !matches!(wanted, Migrating::Plan(_) | Migrating::PlanBack(_)) {
                model.complain(words::READ_ONLY);
                return Vec::new();
            }
            let ask = SheetAsk::Migrations(Duration::ZERO, known.dir.clone(), wanted);
            return vec![sheet.write(&tickets, ask)];
        }
        Action::Up | Action::Down => sheet.move_cursor(action == Action::Down, lines, height),
        _ => sheet.go(action, lines, height),
    }
    Vec::new()
}
