//! Answers from the server. Late ones, which a newer request has overtaken, are dropped; one that says that the session
//! has ended puts signing in above whatever is open.

mod definition;
mod many;
mod people;
mod records;
mod sheet;

pub(super) use super::ended::ended;
use common::{CallError, collection::Collection, endpoints::root::Root, id::ViewId, insight::Chart, user::User};

use crate::{
    effect::Effect,
    load::{Load, Ticket},
    message::{Answer, Failure, Message, SavedViews, Told},
    model::{Model, Screen},
    screen::Collections,
    words,
};

/// Takes an answer.
pub(super) fn take(model: &mut Model, message: Message) -> Vec<Effect> {
    match message {
        Message::Root(ticket, answer) => {
            root(model, ticket, answer);
            Vec::new()
        }
        Message::Me(ticket, answer) if model.me.finish(ticket) => match answer {
            Ok(user) => {
                model.user = Some(user);
                let effects = model.reopen();
                if effects.is_empty() { model.begin_with_dashboard().unwrap_or_default() } else { effects }
            }
            // The list of collections, asked for beside it, says what else is wrong.
            Err(failure) => ended(model, &failure).unwrap_or_default(),
        },
        Message::SignedIn(ticket, answer) if finish(model, ticket) => signed_in(model, answer),
        Message::SignedOut(ticket, answer) if finish(model, ticket) => signed_out(model, answer),
        Message::Dashboard(ticket, told) => dashboard(model, ticket, *told),
        Message::Sheet { ticket, answer, took, .. } => sheet::told(model, ticket, answer, took),
        Message::Views(ticket, answer, made) => views(model, ticket, &answer, made),
        Message::Insight(ticket, answer) => insight(model, ticket, &answer),
        Message::Restored(ticket, answer, operation, name) if finish(model, ticket) => {
            sheet::restored(model, answer, operation, name)
        }
        Message::LogLevel(ticket, answer) if finish(model, ticket) => sheet::level(model, answer),
        Message::BackedUp(ticket, file, outcome) => sheet::backed_up(model, ticket, &file, outcome),
        Message::Collections(ticket, answer) => collections(model, ticket, answer),
        Message::Records(ticket, answer) => records::page(model, ticket, answer),
        Message::Record(ticket, answer) => records::record(model, ticket, answer),
        Message::Referrers(name, id, found) => records::referrers(model, &name, id, found),
        Message::Names(name, id, names) => records::names(model, &name, id, &names),
        Message::Changed(ticket, answer, name) => super::news::changed(model, ticket, &answer, name.as_deref()),
        Message::Saved(ticket, answer, operation) if finish(model, ticket) => records::saved(model, answer, operation),
        Message::Fresh(ticket, answer) if finish(model, ticket) => records::fresh(model, answer),
        Message::Deleted(ticket, record, answer) if finish(model, ticket) => records::deleted(model, record, answer),
        Message::WouldDelete(ticket, record, answer) if finish(model, ticket) => {
            records::would_delete(model, record, answer)
        }
        Message::Undone(ticket, undo, answer) if finish(model, ticket) => records::undone(model, undo, answer),
        Message::Defined(ticket, answer, operation) if finish(model, ticket) => {
            definition::defined(model, answer, operation)
        }
        Message::CollectionDeleted(ticket, answer) if finish(model, ticket) => definition::deleted(model, answer),
        Message::Progress(ticket, answer) if model.changing.is_some_and(|(known, _)| known == ticket) => {
            definition::progress(model, answer)
        }
        Message::Account(ticket, answer) if finish(model, ticket) => people::account(model, answer),
        Message::SessionsEnded(ticket, answer) if finish(model, ticket) => people::ended_sessions(model, answer),
        Message::Many(ticket, act, answer, operation) if finish(model, ticket) => {
            many::many(model, *act, answer, operation)
        }
        Message::Exported(ticket, file, outcome) => many::exported(model, ticket, &file, outcome),
        Message::Checked(ticket, checked) => many::checked(model, ticket, *checked),
        Message::Imported(ticket, name, outcome) => many::imported(model, ticket, name, *outcome),
        Message::ImportProgress(ticket, answer) => many::progress(model, ticket, answer),
        Message::Stopping(_, answer) => {
            let Err(failure) = answer else { return Vec::new() };
            model.complain(words::failure(&failure));
            ended(model, &failure).unwrap_or_default()
        }
        Message::NotKept => {
            model.complain(words::SESSION_NOT_KEPT);
            Vec::new()
        }
        _ => Vec::new(),
    }
}

/// Whether this is the answer to the write that is under way. It is under way no more.
fn finish(model: &mut Model, ticket: Ticket) -> bool {
    let is_it = model.writing == Some(ticket);
    if is_it {
        model.writing = None;
    }
    is_it
}

/// A chart.
fn insight(model: &mut Model, ticket: Ticket, answer: &Answer<Option<Chart>>) -> Vec<Effect> {
    let is_seen = model.screens.iter_mut().any(|screen| match screen {
        Screen::Insights(screen) => screen.take(ticket, answer),
        _ => false,
    });
    let failure = answer.as_ref().err().filter(|_| is_seen);
    failure.and_then(|failure| ended(model, failure)).unwrap_or_default()
}

/// The saved views of a collection.
fn views(model: &mut Model, ticket: Ticket, answer: &Answer<SavedViews>, made: Option<ViewId>) -> Vec<Effect> {
    let failure = answer.as_ref().err().cloned();
    let is_seen = model.screens.iter_mut().any(|screen| match screen {
        Screen::Views(views) => views.take(ticket, answer.clone(), made),
        _ => false,
    });
    failure.filter(|_| is_seen).and_then(|failure| ended(model, &failure)).unwrap_or_default()
}

/// Takes the root document. The sign-in asked for it, or a form for a new password, which also works without it.
fn root(model: &mut Model, ticket: Ticket, answer: Answer<Root>) {
    let mut sign_in = model.sign_in.as_mut().and_then(|sign_in| sign_in.look.finish(ticket).then_some(sign_in));
    match answer {
        Ok(root) if sign_in.is_some() || model.look.finish(ticket) => {
            if let Some(sign_in) = &mut sign_in {
                sign_in.know(&root);
            }
            model.know_min_password_length(root.min_password_length);
        }
        Err(failure) => {
            if let Some(sign_in) = sign_in {
                sign_in.look.error = Some(words::failure(&failure));
            }
        }
        Ok(_) => {}
    }
}

fn signed_in(model: &mut Model, answer: Answer<User>) -> Vec<Effect> {
    match answer {
        Ok(user) => {
            // Somebody else must not see what the one before had open.
            if model.user.as_ref().is_some_and(|before| before.id != user.id) {
                model.screens = vec![Screen::Collections(Collections::default())];
                model.has_acted = false;
                model.undo.clear();
                model.kept.clear();
                model.imports.clear();
            }
            model.sign_in = None;
            model.me = Load::default();
            model.say(words::welcome(&user, model.has_unsaved_text()));
            model.user = Some(user);
            let mut effects = many::follow_all(model);
            effects.extend(model.begin_with_dashboard().unwrap_or_else(|| model.reload()));
            effects
        }
        Err(Failure::SignedOut) => {
            if let Some(sign_in) = &mut model.sign_in {
                sign_in.state.form.errors = vec![words::ENDED.to_owned()];
            }
            Vec::new()
        }
        Err(Failure::Call(error)) => {
            if let Some(sign_in) = &mut model.sign_in {
                sign_in.refuse(&error);
            }
            Vec::new()
        }
    }
}

fn signed_out(model: &mut Model, answer: Result<(), CallError>) -> Vec<Effect> {
    model.signing_out = false;
    model.has_acted = false;
    model.kept.clear();
    model.imports.clear();
    model.user = None;
    model.me = Load::default();
    model.undo.clear();
    model.ahead.clear();
    model.toast = None;
    model.screens = vec![Screen::Collections(Collections::default())];
    let reason = match answer {
        Ok(()) => words::SIGNED_OUT.to_owned(),
        Err(error) => words::signed_out_here_only(&error),
    };
    model.ask_to_sign_in(Some(reason))
}

/// Takes what the dashboard asked for, and asks again as long as it is seen.
fn dashboard(model: &mut Model, ticket: Ticket, told: Told) -> Vec<Effect> {
    let tickets = model.tickets.clone();
    let (is_seen, refresh) = (model.watches(), model.refresh);
    let open = model.screens.iter_mut().find_map(|screen| match screen {
        Screen::Dashboard(dashboard) => Some(dashboard),
        _ => None,
    });
    let Some(dashboard) = open else { return Vec::new() };
    if !dashboard.load.finish(ticket) {
        return Vec::new();
    }
    let Some(pause) = dashboard.take(told, refresh) else {
        return ended(model, &Failure::SignedOut).unwrap_or_default();
    };
    if !is_seen || refresh.is_none() {
        return Vec::new();
    }
    let (again, counts) = (dashboard.ask(&tickets, pause), dashboard.counts());
    let collections = if counts { model.load_collections() } else { None };
    collections.into_iter().chain([again]).collect()
}

fn collections(model: &mut Model, ticket: Ticket, answer: Answer<Vec<Collection>>) -> Vec<Effect> {
    let Some(Screen::Collections(collections)) = model.screens.first_mut() else { return Vec::new() };
    let is_quiet = collections.load.is_quiet(ticket);
    if !collections.load.finish(ticket) {
        return Vec::new();
    }
    match answer {
        Ok(rows) => {
            if let Some(palette) = &mut model.palette {
                palette.know(rows.iter().map(|row| &row.name));
            }
            collections.show(rows);
            let mut effects = redefine(model);
            effects.extend(model.reopen());
            return effects;
        }
        Err(failure) if is_quiet && failure.is_passing() => {}
        Err(failure) => {
            collections.load.error = Some(words::failure(&failure));
            return ended(model, &failure).unwrap_or_default();
        }
    }
    Vec::new()
}

/// Tables whose definitions are others now show that.
fn redefine(model: &mut Model) -> Vec<Effect> {
    let tickets = model.tickets.clone();
    let Some((Screen::Collections(Collections { rows: Some(known), .. }), above)) = model.screens.split_first_mut()
    else {
        return Vec::new();
    };
    let mut effects = Vec::new();
    for table in above.iter_mut().filter_map(Screen::table_mut) {
        if let Some(collection) = known.iter().find(|collection| collection.id == table.collection.id) {
            effects.extend(table.redefine(collection, &tickets));
        }
    }
    effects
}
