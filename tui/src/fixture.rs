//! Fixtures for the tests: a collection with every kind of field, its records, and a model that has come so far.

use common::{
    Object,
    collection::Collection,
    import::{Import, preview::Preview},
    operation::Operation,
    page::Page,
    record::Record,
    user::{Session, User},
};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{effect::Effect, many::Checked, message::Message, model::Model, perform::as_records, update};

/// The id with this number at its end.
pub(crate) fn id(number: u32) -> String {
    format!("01920000-0000-7000-8000-{number:012}")
}

/// A collection of these fields.
pub(crate) fn collection(name: &str, fields: &Value) -> Collection {
    serde_json::from_value(json!({
        "id": id(1), "name": name, "description": "What we eat between meals", "fields": fields, "count": 10412,
        "access": {"list": ["signed_in"], "view": ["signed_in"], "create": ["signed_in"], "update": ["owner"], "delete": ["owner"]},
        "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z", "revision": 1
    }))
    .unwrap()
}

/// Snacks, with every kind of input.
pub(crate) fn snacks() -> Collection {
    collection(
        "snacks",
        &json!([
            {"name": "title", "type": "text", "required": true, "unique": true, "max_length": 40, "help": "What it says on the bag."},
            {"name": "price", "type": "decimal", "min": "0", "places": 2, "nullable": true},
            {"name": "stock", "type": "integer", "min": 0, "nullable": true},
            {"name": "size", "type": "choice", "choices": ["small", "medium", "large"], "nullable": true},
            {"name": "tags", "type": "choice", "choices": ["sweet", "salty", "hot"], "many": true},
            {"name": "vegan", "type": "boolean"},
            {"name": "baked_on", "type": "date", "nullable": true},
            {"name": "notes", "type": "text", "multiline": true},
            {"name": "data", "type": "json", "nullable": true}
        ]),
    )
}

/// A snack.
pub(crate) fn snack(number: u32, title: &str) -> Record {
    record(&json!({
        "id": id(number), "title": title, "price": "2.50", "stock": 12, "size": "small", "tags": ["sweet"], "vegan": true,
        "baked_on": "2026-11-01", "notes": "one\ntwo", "data": null, "owner": id(77),
        "created_at": "2026-11-01T08:00:00Z", "updated_at": "2026-11-02T09:30:00Z", "revision": 1000 + number
    }))
}

/// A record of these members.
pub(crate) fn record(members: &Value) -> Record {
    Record::from_object(members.as_object().cloned().unwrap_or_else(Object::new))
}

/// A page of these records, of so many in all.
pub(crate) fn page(records: Vec<Record>, count: u64) -> Page<Record> {
    Page { count, ..Page::single(records) }
}

/// The user who owns the snacks.
pub(crate) fn ada() -> User {
    user(77, "ada", false)
}

/// A user.
pub(crate) fn user(number: u32, name: &str, is_admin: bool) -> User {
    serde_json::from_value(json!({
        "id": id(number), "username": name, "roles": [], "is_admin": is_admin, "is_active": true,
        "created_at": "2026-01-01T00:00:00Z", "last_login": null
    }))
    .unwrap()
}

/// An admin's client with the list of users open, by the key for it.
pub(crate) fn users(size: (u16, u16)) -> Model {
    let mut model = signed_in(user(1, "ada", true), vec![snacks()], size);
    let effects = press(&mut model, "U");
    let [Effect::Users(ticket, _)] = effects.as_slice() else { panic!("U loads users") };
    let bob = User { roles: vec!["editor".parse().unwrap()], ..user(2, "bob", false) };
    update(&mut model, Message::Records(*ticket, Ok(people(vec![user(1, "ada", true), bob]))));
    model
}

/// A page with all of them.
pub(crate) fn people<T: Serialize>(rows: Vec<T>) -> Page<Record> {
    as_records(Page::single(rows))
}

/// A session of ada's.
pub(crate) fn session(number: u32, program: &str, current: bool) -> Session {
    serde_json::from_value(json!({
        "id": id(number), "user": id(1), "created_at": "2026-11-01T08:00:00Z", "last_used": "2026-11-02T09:30:00Z",
        "expires_at": "2026-12-01T08:00:00Z", "address": "192.0.2.7", "user_agent": program, "current": current
    }))
    .unwrap()
}

/// A model with this user signed in, and the list of these collections open.
pub(crate) fn signed_in(user: User, collections: Vec<Collection>, size: (u16, u16)) -> Model {
    let (mut model, effects) = Model::new("http://127.0.0.1:8000".into(), false, true, size);
    model.know_min_password_length(15);
    let [Effect::Me(me), Effect::Collections(ticket)] = effects.as_slice() else {
        panic!("user and collections are loaded first")
    };
    update(&mut model, Message::Me(*me, Ok(user)));
    update(&mut model, Message::Collections(*ticket, Ok(collections)));
    // An admin begins with the dashboard, which has tests of its own.
    model.screens.truncate(1);
    model
}

/// A model with somebody signed in, and this collection's table open with these rows of so many.
pub(crate) fn table(collection: Collection, records: Vec<Record>, count: u64, size: (u16, u16)) -> Model {
    let mut model = signed_in(ada(), vec![collection], size);
    let effects = press(&mut model, "\n");
    let [Effect::Records(ticket, ..)] = effects.as_slice() else { panic!("Enter loads records") };
    update(&mut model, Message::Records(*ticket, Ok(page(records, count))));
    model
}

/// Presses keys: letters as they are, a line feed for Enter, a tab for Tab, `^` before a letter for Ctrl, `<` for Esc.
pub(crate) fn press(model: &mut Model, keys: &str) -> Vec<Effect> {
    let mut effects = Vec::new();
    let mut keys = keys.chars();
    while let Some(c) = keys.next() {
        let (code, held) = match c {
            '\n' => (KeyCode::Enter, KeyModifiers::NONE),
            '\t' => (KeyCode::Tab, KeyModifiers::NONE),
            '<' => (KeyCode::Esc, KeyModifiers::NONE),
            '\u{8}' => (KeyCode::Backspace, KeyModifiers::NONE),
            '^' => (KeyCode::Char(keys.next().unwrap()), KeyModifiers::CONTROL),
            c => (KeyCode::Char(c), KeyModifiers::NONE),
        };
        effects.extend(update(model, Message::Key(KeyEvent::new(code, held))));
    }
    effects
}

/// What became of an import, or would: a file of three rows, but for these members.
pub(crate) fn import(members: &Value) -> Import {
    let mut all = json!({"operation": null, "state": "done", "dry_run": true, "started_at": "2026-11-02T09:30:00Z", "rows": 3,
        "created": 3, "updated": 0, "unchanged": 0, "rejected": 0, "faults": [],
        "read": {"format": "csv", "encoding": "UTF-8", "delimiter": ";", "columns": [
            {"heading": "Title", "member": "title"}, {"heading": "Wort", "member": null}]}});
    for (name, value) in members.as_object().unwrap() {
        all[name] = value.clone();
    }
    serde_json::from_value(all).unwrap()
}

/// A file that the server has looked at.
pub(crate) fn checked(members: &Value, unknown: &[&str]) -> Checked {
    let import = import(members);
    let rows = vec![vec!["Mais".to_owned(), "x".to_owned()]];
    let preview = Preview { columns: import.read.columns.clone(), rows };
    let unknown = unknown.iter().map(|heading| (*heading).to_owned()).collect();
    Checked { bytes: 64, preview, unknown, outcome: Ok(import) }
}

/// An import in the background, but for these members.
pub(crate) fn import_operation(members: &Value) -> Box<Operation> {
    let mut all = json!({"id": id(70), "kind": "import", "state": "running", "done": 4000, "of": 20000,
        "started_at": "2026-11-02T09:30:00Z", "ended_at": null, "by": id(1), "error": null,
        "import": import(&json!({"operation": id(70), "dry_run": false, "created": 4000}))});
    for (name, value) in members.as_object().unwrap() {
        all[name] = value.clone();
    }
    Box::new(serde_json::from_value(all).unwrap())
}
