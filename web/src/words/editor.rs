//! Sentences of the collection editor.

pub(crate) const NEW: &str = "New collection";
pub(crate) const CREATE: &str = "Create collection";
pub(crate) const SAVE: &str = "Save collection";
pub(crate) const FIELDS: &str = "Fields";
pub(crate) const FIELDS_HINT: &str = "What each record holds, in this order.";
pub(crate) const ADD: &str = "Add a field";
pub(crate) const UNNAMED: &str = "New field";
pub(crate) const UP: &str = "Move up";
pub(crate) const DOWN: &str = "Move down";
pub(crate) const REMOVE: &str = "Remove";
pub(crate) const NO_FIELDS: &str = "No fields yet.";
pub(crate) const FLAGS: &str = "Rules";
pub(crate) const VALUES: &str = "The values that there are";
pub(crate) const VALUES_HINT: &str =
    "What loses nothing happens by itself. Say the rest here; before it is done you see what it does.";
pub(crate) const ACCESS: &str = "Access";
pub(crate) const ACCESS_HINT: &str =
    "Who may do what with the records. Admins always may. Whoever one tick lets in is in.";
pub(crate) const ANYONE: &str = "Anyone";
pub(crate) const SIGNED_IN: &str = "Signed in";
pub(crate) const OWNER: &str = "Owner";
pub(crate) const ROLES: &str = "Roles";
pub(crate) const ROLES_PLACEHOLDER: &str = "editor, reviewer";
pub(crate) const ROLES_ERROR: &str = "A role is written with a to z, 0 to 9 and _, with commas between several.";
pub(crate) const ADMINS_ONLY: &str = "Admins only";
pub(crate) const ACTIONS: [(&str, &str); 5] = [
    ("List", "see records in tables and counts"),
    ("View", "open a record"),
    ("Create", "make a record"),
    ("Update", "change a record"),
    ("Delete", "delete a record"),
];
pub(crate) const DANGER: &str = "Delete this collection";
pub(crate) const DANGER_CONFIRM: &str = "Type the collection's name to confirm";
pub(crate) const ERRORS: &str = "Something needs attention. The marks below say what.";
pub(crate) const STOP: &str = "Stop the change";
pub(crate) const RELOAD: &str = "Load it anew, without my changes";
pub(crate) use common::words::NOT_ADMIN_COLLECTIONS as NO_ADMIN;

pub(crate) fn title(name: &str) -> String {
    format!("Edit {name}")
}

/// What saving loses: fields that were there when the collection was loaded.
pub(crate) fn removed_fields(labels: &str) -> String {
    format!("Saving takes away {labels}, with all that the records hold there. A field with a new name begins empty.")
}

pub(crate) fn danger(records: Option<u64>) -> String {
    let what = match records {
        Some(0) => "It has no records.".to_owned(),
        Some(1) => "Its one record goes with it.".to_owned(),
        Some(count) => format!("Its {} go with it.", common::text::count(count, "record")),
        None => "Its records go with it.".to_owned(),
    };
    format!("{what} This can be undone as long as the history is kept.")
}

pub(crate) fn moved(name: &str, place: usize, of: usize) -> String {
    format!("{name} is now field {place} of {of}.")
}
