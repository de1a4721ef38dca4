//! What the keys ask for over chosen rows, and of files in and out.

use std::{path::PathBuf, sync::atomic::Ordering};

use common::{
    access::{Action as Access, Decision},
    collection::Collection,
};

use super::edit;
use crate::{
    effect::Effect,
    key::Action,
    many::ManyAct,
    model::{Model, Screen},
    page,
    screen::{ChangeForm, Editing as _, ExportForm, ImportScreen, Stage, scrolled},
    words,
};

/// In a table of records; `None` for what is about the row under the cursor.
pub(super) fn act_on_table(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    let Screen::Records(table) = model.top() else { return None };
    let is_chosen = !table.selection.is_empty();
    match action {
        _ if table.is_look_up => return None,
        Action::Choose | Action::ChooseRange | Action::ChooseAll => table.choose(action),
        Action::Back if is_chosen => table.selection.clear(),
        Action::Edit if is_chosen => return Some(change(model)),
        Action::Delete if is_chosen => return Some(delete(model)),
        Action::Export => {
            let fields = table.exported();
            let form = ExportForm::new(table.collection.clone(), &table.selection, &table.table.query, fields);
            model.open_form(Screen::Export(Box::new(form)));
        }
        Action::Import => {
            let collection = table.collection.clone();
            open_import(model, collection);
        }
        _ => return None,
    }
    Some(Vec::new())
}

/// Opens the import into a collection: that which is under way, or the form for a file.
fn open_import(model: &mut Model, collection: Collection) {
    if model.decide(&collection.access, Access::Create) == Decision::Denied {
        model.complain(words::FORBIDDEN);
        return;
    }
    let under_way = model.imports.iter().find(|import| import.collection == collection.name);
    let screen = match under_way {
        Some(import) => ImportScreen::under_way(collection, import.operation, import.last.clone()),
        None => ImportScreen::new(collection),
    };
    model.open_form(Screen::Import(Box::new(screen)));
}

fn change(model: &mut Model) -> Vec<Effect> {
    let Screen::Records(table) = model.top() else { return Vec::new() };
    let (collection, selection, shown) = (table.collection.clone(), table.selection.clone(), table.table.query.clone());
    if !may(model, &collection, Access::Update) {
        return Vec::new();
    }
    if selection.is_too_large() {
        model.complain(words::too_many());
        return Vec::new();
    }
    model.open_form(Screen::Change(Box::new(ChangeForm::new(collection, selection, shown))));
    Vec::new()
}

/// Asks what deleting the chosen rows would do; where that was said just now, does it.
fn delete(model: &mut Model) -> Vec<Effect> {
    let asked = model.to_delete_chosen.take();
    let Screen::Records(table) = model.top() else { return Vec::new() };
    let (collection, selection) = (table.collection.clone(), table.selection.clone());
    let query = selection.many(&table.table.query, false);
    if !may(model, &collection, Access::Delete) {
        return Vec::new();
    }
    if selection.is_too_large() {
        model.complain(words::too_many());
        return Vec::new();
    }
    let mut act = ManyAct { collection: collection.name, query, change: None };
    act.query.dry_run = asked.as_ref() != Some(&act);
    vec![Effect::Many(model.begin_write(), Box::new(act))]
}

fn may(model: &mut Model, collection: &Collection, access: Access) -> bool {
    let may = model.decide(&collection.access, access) != Decision::Denied;
    if !may {
        model.complain(words::may_not_any(access));
    }
    may
}

/// In the form for an export. The file is written while other things are done.
pub(super) fn act_on_export(model: &mut Model, action: Action) -> Vec<Effect> {
    let ticket = model.tickets.next();
    match model.top() {
        Screen::Export(form) if action == Action::Save => {
            if form.is_under_way() {
                return Vec::new();
            }
            form.save(ticket).into_iter().collect()
        }
        _ => edit(model, action),
    }
}

/// Over a file on its way in.
pub(super) fn act_on_import(model: &mut Model, action: Action) -> Vec<Effect> {
    let ticket = model.tickets.next();
    let (lines, height) = page::import_extent(model);
    let Screen::Import(screen) = model.top() else { return Vec::new() };
    match (&screen.stage, action) {
        (Stage::Form, Action::Save) => return screen.save(ticket).into_iter().collect(),
        (Stage::Form, _) => return edit(model, action),
        (Stage::Checked(_), Action::Submit) if screen.ready().is_some() => return vec![screen.send(ticket)],
        (Stage::Checked(_), Action::Submit) => {
            let why = if screen.is_faulty() { words::FAULTY } else { words::NOTHING_TO_IMPORT };
            model.complain(why);
        }
        (Stage::Sending(_, sent), Action::Back) => {
            let is_sent = sent.done.load(Ordering::Relaxed) >= sent.of.load(Ordering::Relaxed);
            screen.back_to_form();
            if is_sent {
                model.complain(words::MAY_BE_IN);
            }
        }
        (Stage::Checked(_) | Stage::Checking(..), Action::Back) => screen.back_to_form(),
        (Stage::UnderWay(operation, _), Action::Delete) => return vec![Effect::StopImport(ticket, *operation)],
        (Stage::Over(ended), Action::Export) => {
            let file = PathBuf::from(format!("{}.rejected.csv", screen.collection.name));
            return ended.rejected().map(|id| Effect::Rejected(ticket, id, file)).into_iter().collect();
        }
        (Stage::UnderWay(..) | Stage::Over(_), Action::Back) | (Stage::Over(_), Action::Submit) => {
            model.screens.pop();
            return model.reload();
        }
        _ => screen.scroll = scrolled(screen.scroll, action, lines, height),
    }
    Vec::new()
}
