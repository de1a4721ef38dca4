//! What the keys ask for, screen by screen.

mod changes;
mod insights;
mod join;
mod many;
mod palette;
mod people;
mod sheet;
mod views;

use std::collections::BTreeMap;

use common::{
    access::{Action as Access, Decision},
    collection::Collection,
    record::Record,
    table::{called, title_of},
};

use crate::{
    effect::Effect,
    key::Action,
    message::Deleted,
    model::{Model, Screen},
    page,
    screen::{AccountKind, Collections, DefinitionForm, Detail, RecordForm, Records, scrolled},
    words,
};

/// Does what a key asks for.
pub(super) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    match (action, model.help) {
        (Action::Suspend, _) => {
            model.suspend = true;
            return Vec::new();
        }
        (_, Some(scroll)) => {
            act_on_help(model, action, scroll);
            return Vec::new();
        }
        (Action::Help, None) => {
            model.help = Some(0);
            return Vec::new();
        }
        (Action::Quit, None) => return quit(model),
        (_, None) if model.palette.is_some() => return palette::act_on(model, action),
        (Action::Palette, None) => {
            palette::open(model);
            return Vec::new();
        }
        (
            Action::New
            | Action::Edit
            | Action::Delete
            | Action::Undo
            | Action::Save
            | Action::EndOthers
            | Action::Import
            | Action::Password
            | Action::ServerLevel
            | Action::Share
            | Action::Overwrite
            | Action::Restore,
            None,
        ) if model.is_read_only && model.sign_in.is_none() => {
            model.complain(words::READ_ONLY);
            return Vec::new();
        }
        (Action::Editor, None) => {
            model.edit_outside = model.top().editing_mut().map(|form| form.state().text_input.text().to_owned());
            return Vec::new();
        }
        _ => {}
    }
    if model.sign_in.is_some() {
        return act_on_sign_in(model, action);
    }
    match action {
        Action::Undo => return undo(model),
        Action::Reload => return model.reload(),
        Action::SignOut => {
            return vec![model.sign_out()];
        }
        _ => {}
    }
    if let Some(text) = copied(model, action) {
        if text.is_empty() {
            model.complain(words::NOTHING_TO_COPY);
        } else {
            model.say(words::copied(&text));
            model.copy = Some(text);
        }
        return Vec::new();
    }
    if let Some(effects) = changes::open(model, action) {
        return effects;
    }
    if let Some(effects) = sheet::open(model, action) {
        return effects;
    }
    match model.top() {
        Screen::Sheet(_) => sheet::act_on(model, action),
        Screen::Changes(_) => changes::act_on(model, action),
        Screen::Dashboard(_) => act_on_dashboard(model, action),
        Screen::Collections(_) => act_on_collections(model, action),
        Screen::Insights(_) => insights::act_on(model, action),
        Screen::Views(_) => views::act_on(model, action),
        Screen::Records(_) => act_on_records(model, action),
        Screen::Record(_) => act_on_record(model, action),
        Screen::Form(_) => act_on_form(model, action),
        Screen::Definition(_) => act_on_definition(model, action),
        Screen::Users(_) => people::act_on_users(model, action),
        Screen::Sessions(_) => people::act_on_sessions(model, action),
        Screen::Account(_) | Screen::Change(_) => edit(model, action),
        Screen::Export(_) => many::act_on_export(model, action),
        Screen::Join(_) => join::act_on(model, action),
        Screen::Import(_) => many::act_on_import(model, action),
    }
}

/// What is to be copied of the record under the cursor; `None` where the key copies nothing.
fn copied(model: &mut Model, action: Action) -> Option<String> {
    if !matches!(action, Action::CopyCell | Action::CopyRow | Action::CopyId | Action::CopyLink) {
        return None;
    }
    let server = model.server.trim_end_matches('/').to_owned();
    let (collection, record, column) = match model.top() {
        Screen::Records(table) => {
            let column = table.columns.get(table.column).map(|column| column.name.clone());
            (table.collection.clone(), table.current().cloned(), column)
        }
        Screen::Record(detail) => (detail.collection.clone(), Some(detail.record.clone()), None),
        _ => return Some(String::new()),
    };
    let Some(record) = record else { return Some(String::new()) };
    let plain = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let id = record.id().map(|id| id.to_string()).unwrap_or_default();
    Some(match action {
        Action::CopyCell => {
            let value = column.and_then(|name| record.get(&name).cloned());
            value.filter(|value| !value.is_null()).as_ref().map(plain).unwrap_or_default()
        }
        Action::CopyRow => {
            let line = |(name, value): (&String, &serde_json::Value)| format!("{name}: {}", plain(value));
            record.as_object().iter().map(line).collect::<Vec<_>>().join("\n")
        }
        Action::CopyLink if !id.is_empty() => format!("{server}/c/{}/{id}", collection.name),
        _ => id,
    })
}

fn act_on_help(model: &mut Model, action: Action, scroll: usize) {
    let (lines, height) = page::help_extent(model);
    model.help = (action != Action::Back).then(|| scrolled(scroll, action, lines, height));
}

fn act_on_sign_in(model: &mut Model, action: Action) -> Vec<Effect> {
    let tickets = model.tickets.clone();
    let Some(sign_in) = &mut model.sign_in else { return Vec::new() };
    match action {
        Action::NextInput => sign_in.state.step(true),
        Action::PreviousInput => sign_in.state.step(false),
        Action::OtherForm if sign_in.setup_required => {
            sign_in.switch();
            model.say_min_password_length();
        }
        Action::Retry => {
            return vec![Effect::Look(sign_in.look.begin(&tickets))];
        }
        Action::Submit if !sign_in.state.is_at_end() => sign_in.state.step(true),
        Action::Submit => {
            let ticket = tickets.next();
            let effect = sign_in.submit(ticket);
            model.writing = effect.is_some().then_some(ticket);
            return effect.into_iter().collect();
        }
        _ => {}
    }
    Vec::new()
}

fn act_on_dashboard(model: &mut Model, action: Action) -> Vec<Effect> {
    let Screen::Dashboard(dashboard) = model.top() else { return Vec::new() };
    match action {
        Action::Back => {
            model.screens.pop();
            return model.reload();
        }
        Action::Span => dashboard.span = dashboard.span.other(),
        Action::Users => return people::open_users(model),
        Action::Sessions => return people::open_sessions(model),
        Action::Password => return people::open_form(model, AccountKind::Password),
        Action::New if model.is_admin() => {
            let known = match model.screens.first() {
                Some(Screen::Collections(Collections { rows: Some(rows), .. })) => rows.as_slice(),
                _ => &[],
            };
            let form = DefinitionForm::new(None, known);
            model.open_form(Screen::Definition(Box::new(form)));
        }
        Action::New => model.complain(words::NOT_ADMIN),
        _ => {}
    }
    Vec::new()
}

fn act_on_collections(model: &mut Model, action: Action) -> Vec<Effect> {
    let is_admin = model.is_admin();
    let Screen::Collections(collections) = model.top() else { return Vec::new() };
    let current = collections.current().cloned();
    match (action, current) {
        (Action::Open, Some(collection)) => {
            return model.open_table(Records::new(collection));
        }
        (Action::Dashboard, _) if is_admin => return model.open_dashboard(),
        (Action::Dashboard, _) => return sheet::open_own(model),
        (Action::Users, _) => return people::open_users(model),
        (Action::Sessions, _) => return people::open_sessions(model),
        (Action::Password, _) => return people::open_form(model, AccountKind::Password),
        (Action::New | Action::Edit | Action::Delete, _) if !is_admin => model.complain(words::NOT_ADMIN),
        (Action::New, _) => {
            let form = DefinitionForm::new(None, collections.rows.as_deref().unwrap_or_default());
            model.open_form(Screen::Definition(Box::new(form)));
        }
        (Action::Edit, Some(collection)) => {
            let form = DefinitionForm::new(Some(&collection), collections.rows.as_deref().unwrap_or_default());
            model.open_form(Screen::Definition(Box::new(form)));
        }
        (Action::Delete, Some(collection)) => {
            return people::open_form(model, AccountKind::DeleteCollection(Box::new(collection)));
        }
        _ => collections.go(action),
    }
    Vec::new()
}

fn act_on_records(model: &mut Model, action: Action) -> Vec<Effect> {
    let tickets = model.tickets.clone();
    let Screen::Records(records) = model.top() else { return Vec::new() };
    if let Some(effects) = records.filter_key(action, &tickets) {
        return effects;
    }
    if let Some(effects) = many::act_on_table(model, action) {
        return effects;
    }
    let Screen::Records(records) = model.top() else { return Vec::new() };
    let collection = records.collection.clone();
    let record = records.current().cloned();
    let is_partial = records.is_partial();
    match (action, record) {
        (Action::Back, _) => {
            model.keep_table();
            model.screens.pop();
            return model.reload();
        }
        (Action::Open, Some(record)) if records.is_look_up => {
            let title = called(&record, &records.names);
            model.screens.pop();
            if let (Screen::Form(form), Some(id)) = (model.top(), record.id()) {
                form.state.refer_to(id, title);
            }
        }
        (Action::Open, Some(record)) => {
            let names = records.names.clone();
            model.screens.push(Screen::Record(Box::new(Detail { names, ..Detail::new(collection, record) })));
            return model.reload();
        }
        (Action::Views, _) => return views::open(model),
        (Action::Insights, _) => return insights::open(model, None),
        (Action::Join, _) => return join::open(model),
        (Action::New, _) => {
            if model.decide(&collection.access, Access::Create) == Decision::Denied {
                model.complain(words::may_not(Access::Create));
            } else {
                model.open_form(Screen::Form(Box::new(RecordForm::new(collection, None))));
            }
        }
        (Action::Edit, Some(record)) if is_partial => {
            let names = records.names.clone();
            let detail = Detail { names, edits: true, ..Detail::new(collection, record) };
            model.screens.push(Screen::Record(Box::new(detail)));
            return model.reload();
        }
        (Action::Edit | Action::Delete, Some(record)) => return act_on_one(model, action, &collection, &record),
        _ => return records.go(action, &tickets).into_iter().collect(),
    }
    Vec::new()
}

fn act_on_record(model: &mut Model, action: Action) -> Vec<Effect> {
    match action {
        Action::Back => {
            model.screens.pop();
        }
        Action::Edit | Action::Delete => {
            let Screen::Record(detail) = model.top() else { return Vec::new() };
            let (collection, record) = (detail.collection.clone(), detail.record.clone());
            return act_on_one(model, action, &collection, &record);
        }
        _ => {
            let (lines, height) = page::detail_extent(model);
            if let Screen::Record(detail) = model.top() {
                detail.go(action, lines, height);
            }
        }
    }
    Vec::new()
}

/// Edits or deletes a record, if the collection's rules let the user.
fn act_on_one(model: &mut Model, action: Action, collection: &Collection, record: &Record) -> Vec<Effect> {
    let access = if action == Action::Edit { Access::Update } else { Access::Delete };
    if !model.may(&collection.access, access, record) {
        model.complain(words::may_not(access));
        return Vec::new();
    }
    if action == Action::Edit {
        let mut form = RecordForm::new(collection.clone(), Some(record.clone()));
        form.state.names = match model.top() {
            Screen::Records(table) => table.names.clone(),
            Screen::Record(detail) => detail.names.clone(),
            _ => BTreeMap::new(),
        };
        model.open_form(Screen::Form(Box::new(form)));
        return Vec::new();
    }
    let (Some(id), Some(revision)) = (record.id(), record.revision()) else { return Vec::new() };
    let title = title_of(collection, record);
    let deleted = Deleted { collection: collection.name.clone(), id, revision, title };
    let is_meant = model.to_delete.take().is_some_and(|asked| asked == deleted);
    let ticket = model.begin_write();
    vec![if is_meant { Effect::Delete(ticket, deleted) } else { Effect::WouldDelete(ticket, deleted) }]
}

/// Edits the record that is open.
pub(super) fn edit_open(model: &mut Model) -> Vec<Effect> {
    let Screen::Record(detail) = model.top() else { return Vec::new() };
    let (collection, record) = (detail.collection.clone(), detail.record.clone());
    act_on_one(model, Action::Edit, &collection, &record)
}

fn act_on_form(model: &mut Model, action: Action) -> Vec<Effect> {
    let Screen::Form(form) = model.top() else { return Vec::new() };
    match action {
        Action::LookUp => return look_up(model),
        Action::TakeTheirs => form.take_theirs(),
        _ => return edit(model, action),
    }
    Vec::new()
}

fn act_on_definition(model: &mut Model, action: Action) -> Vec<Effect> {
    // While it is being changed, the way back is to stop that, and there is nothing to save.
    if let Some((_, operation)) = model.changing
        && matches!(action, Action::Back | Action::Save)
    {
        if action == Action::Save {
            return Vec::new();
        }
        let ticket = model.tickets.next();
        model.changing = Some((ticket, operation));
        return vec![Effect::Stop(ticket, operation)];
    }
    let Screen::Definition(form) = model.top() else { return Vec::new() };
    match action {
        Action::AddField | Action::RemoveField | Action::FieldUp | Action::FieldDown => form.arrange(action),
        _ => return edit(model, action),
    }
    Vec::new()
}

/// What the keys ask for in every form.
fn edit(model: &mut Model, action: Action) -> Vec<Effect> {
    let ticket = model.tickets.next();
    let Some(form) = model.top().editing_mut() else { return Vec::new() };
    match action {
        Action::NextInput => form.state_mut().step(true),
        Action::PreviousInput => form.state_mut().step(false),
        Action::NextPage | Action::PreviousPage => form.state_mut().leap(action == Action::NextPage),
        Action::First => form.state_mut().go_to(0),
        Action::Last => form.state_mut().go_to(usize::MAX),
        Action::PreviousChoice | Action::NextChoice | Action::Pick => {
            form.typed(&mut |state| state.choose(action));
        }
        Action::Back if form.is_changed() && !form.state().leaving => {
            form.state_mut().leaving = true;
            model.complain(words::UNSAVED_LEAVE);
        }
        Action::Back => {
            model.screens.pop();
            // Where somebody else was faster, what lies below is out of date.
            return model.reload();
        }
        Action::Save => {
            if let Some(effect) = form.save(ticket) {
                model.writing = Some(ticket);
                return vec![effect];
            }
            model.complain(words::FIX_FIRST);
        }
        _ => {}
    }
    Vec::new()
}

/// Opens the table of the collection that the input in focus refers to, to choose a row in it.
fn look_up(model: &mut Model) -> Vec<Effect> {
    let Screen::Form(form) = model.top() else { return Vec::new() };
    let Some(name) = form.refers_to().cloned() else { return Vec::new() };
    let known = match model.screens.first() {
        Some(Screen::Collections(Collections { rows: Some(rows), .. })) => rows.iter().find(|row| row.name == name),
        _ => None,
    };
    let Some(collection) = known.cloned() else {
        model.complain(words::NOTHING_TO_LOOK_UP);
        return Vec::new();
    };
    let mut records = Records::new(collection);
    records.is_look_up = true;
    model.open_table(records)
}

fn undo(model: &mut Model) -> Vec<Effect> {
    let Some(undo) = model.undo.pop() else {
        model.complain(words::NOTHING_TO_UNDO);
        return Vec::new();
    };
    vec![Effect::Revert(model.begin_write(), undo)]
}

/// Ends the client; over unsaved text it asks once.
pub(super) fn quit(model: &mut Model) -> Vec<Effect> {
    if model.has_unsaved_text() && !model.quitting {
        model.quitting = true;
        model.complain(words::UNSAVED_QUIT);
    } else {
        model.quit = true;
    }
    Vec::new()
}
