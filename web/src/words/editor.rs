//! Sentences of the collection editor.

pub const NEW: &str = "New collection";
pub const CREATE: &str = "Create collection";
pub const SAVE: &str = "Save collection";
pub const FIELDS: &str = "Fields";
pub const FIELDS_HINT: &str = "What each record holds, in this order.";
pub const ADD: &str = "Add a field";
pub const UNNAMED: &str = "New field";
pub const UP: &str = "Move up";
pub const DOWN: &str = "Move down";
pub const REMOVE: &str = "Remove";
pub const NO_FIELDS: &str = "No fields yet.";
pub const FLAGS: &str = "Rules";
pub const ACCESS: &str = "Access";
pub const ACCESS_HINT: &str = "Who may do what with the records. Admins always may. Whoever one tick lets in is in.";
pub const ANYONE: &str = "Anyone";
pub const SIGNED_IN: &str = "Signed in";
pub const OWNER: &str = "Owner";
pub const ROLES: &str = "Roles";
pub const ROLES_PLACEHOLDER: &str = "editor, reviewer";
pub const ROLES_ERROR: &str = "A role is written with a to z, 0 to 9 and _, with commas between several.";
pub const ADMINS_ONLY: &str = "Admins only";
pub const ACTIONS: [(&str, &str); 5] = [
    ("List", "see records in tables and counts"),
    ("View", "open a record"),
    ("Create", "make a record"),
    ("Update", "change a record"),
    ("Delete", "delete a record"),
];
pub const DANGER: &str = "Delete this collection";
pub const DANGER_CONFIRM: &str = "Type the collection's name to confirm";
pub const ERRORS: &str = "Something needs attention. The marks below say what.";
pub const RELOAD: &str = "Load it anew, without my changes";
pub const NO_ADMIN: &str = "Only admins define collections. Ask one of them.";

pub fn title(name: &str) -> String {
    format!("Edit {name}")
}

/// What saving loses: fields that were there when the collection was loaded.
pub fn gone(labels: &str) -> String {
    format!("Saving takes away {labels}, with all that the records hold there. A field with a new name begins empty.")
}

pub fn danger(records: Option<u64>) -> String {
    let what = match records {
        Some(0) => "It has no records.".to_owned(),
        Some(1) => "Its one record goes with it.".to_owned(),
        Some(count) => format!("Its {} go with it.", common::text::count(count, "record")),
        None => "Its records go with it.".to_owned(),
    };
    format!("{what} This cannot be undone.")
}

pub fn moved(name: &str, place: usize, of: usize) -> String {
    format!("{name} is now field {place} of {of}.")
}
