//! Every sentence that the client says. One says what happened and what to do next; what the server said is made safe to
//! show. What belongs to fields (labels, hints, faults) is `common`'s.

mod changes;
mod command;
mod dashboard;
mod failure;
mod insights;
mod join;
mod keys;
mod live;
mod many;
mod migrations;
mod people;
mod sheet;
mod views;

use common::{
    CallError,
    access::Action as Access,
    collection::Collection,
    name::CollectionName,
    text::{count, single_line, thousands},
    undo::{Deletion, Reverted},
    user::User,
};

pub use common::words::SESSION_ENDED as ENDED;

pub use self::{
    changes::*, command::*, dashboard::*, failure::*, insights::*, join::*, keys::*, live::*, many::*, migrations::*,
    people::*, sheet::*, views::*,
};
use crate::width;

/// The product's name.
pub const NAME: &str = "Coffer";
/// The window cannot hold anything.
pub const TOO_SMALL: &str = "Window too small";
/// A record's form, in the path at the top.
pub const EDITING: &str = "edit";
/// See [`EDITING`].
pub const NEW: &str = "new";
/// A value that is not there.
pub const NOTHING: &str = "(nothing)";
/// The columns of the list of collections.
pub const COLLECTION_COLUMNS: [&str; 3] = ["Name", "Records", "Description"];
/// There is no value under the cursor.
pub const NOTHING_TO_COPY: &str = "There is nothing to copy here.";
/// An answer is waited for.
pub const LOADING: &str = "Loading…";
/// A write is under way.
pub const WRITING: &str = "Waiting for the server… Keys you press now are kept. Ctrl-C quits.";

/// The same, over a form.
pub const ENDED_TEXT_KEPT: &str = "You were signed out elsewhere, or away for too long. Sign in again: what you typed is kept, and saved when you press Ctrl-S.";
/// The session was ended.
pub const SIGNED_OUT: &str = "You are signed out.";
/// The session's file could not be written or removed.
pub const SESSION_NOT_KEPT: &str = "Your session cannot be kept on this machine: its folder cannot be written. You will have to sign in again next time.";
/// There are no users yet.
pub const SET_UP: &str =
    "This server is new. Open the link that it printed, or make the first admin here with the code in that link.";
/// The same, over the sign-in form.
pub const SET_UP_OFFER: &str = "This server is new, and nobody can sign in yet. Press Ctrl-O to make the first admin.";
/// Somebody could be listening.
pub const IN_THE_CLEAR: &str = "This connection is not encrypted: others on the network can read your password. Use https:// if the server has it.";
/// The server is being asked what it is.
pub const LOOKING: &str = "Asking the server…";

/// There are no collections.
pub const NO_COLLECTIONS: &str = "There are no collections yet.";
/// What an admin does then.
pub const NO_COLLECTIONS_ADMIN: &str = "Press n to define the first one.";
/// What others do then.
pub const NO_COLLECTIONS_USER: &str = "An admin has to define one, or let you see it. Press r to look again.";
/// A collection has no records.
pub const NO_RECORDS: &str = "There are no records here yet.";
/// What to do then.
pub const NO_RECORDS_NEXT: &str = "Press n to create the first one.";
/// A filter leaves nothing.
pub const NO_MATCHES: &str = "Nothing matches the filter. Backspace shows all rows, / changes the filter.";
/// Follows a sentence about what could not be loaded.
pub const PRESS_R: &str = "Press r to try again.";
/// How a filter line over records is written.
pub const FILTER_RECORDS: &str =
    "Words to look for, or conditions: price >= 3 and (title ~ corn or not kind = \"very sweet\")";
/// How a filter line over users is written.
pub const FILTER_USERS: &str = "Words to look for, or conditions: username ~ ann and is_admin = true or roles = editor";
/// How a filter line over sessions is written.
pub const FILTER_SESSIONS: &str = "Words to look for, or conditions: address = 192.0.2.7 or user_agent ~ curl";

/// Fields with faults.
pub const FIX_FIRST: &str = "Not saved: look at the fields marked with !";
/// The command palette.
pub const PALETTE: &str = " Commands, collections, records ";
/// What was typed in it fits nothing.
pub const NOTHING_FITS: &str = "Nothing fits. Esc goes back.";
/// Text would be lost.
pub const FINISH_FIRST: &str = "Something is not saved yet. Save or leave it first.";
/// The client only reads.
pub const READ_ONLY: &str = "Nothing is written: the client was started with --readonly.";
/// No other program edits text.
pub const NO_EDITOR: &str = "There is no editor: set $VISUAL or $EDITOR.";

/// Opens a collection.
pub fn open_collection(name: &CollectionName) -> String {
    format!("Open {name}")
}

/// Looks for words.
pub fn search_in(table: &str, text: &str) -> String {
    format!("Search {table} for \"{text}\"")
}

/// Goes to a page.
pub fn go_to_page(number: u64) -> String {
    format!("Go to page {number}")
}

/// Goes to a row.
pub fn go_to_row(number: u64) -> String {
    format!("Go to row {number}")
}

/// The editor ended badly.
pub fn editor_failed(why: &str) -> String {
    format!("The editor could not be used ({}). The text is as it was.", single_line(why))
}

/// A number that was typed.
pub fn number(number: u64) -> String {
    format!("{number}: G goes to that row, ] to that page")
}

/// Esc over unsaved text.
pub const UNSAVED_LEAVE: &str = "Not saved yet. Press Esc again to discard your changes, or any other key to go on.";
/// Ctrl-C over unsaved text.
pub const UNSAVED_QUIT: &str = "Not saved yet. Press Ctrl-C again to quit without saving.";
/// A 412 where both sides changed different fields.
pub const CHANGED_ELSEWHERE: &str = "Somebody else changed other fields of this record meanwhile. Theirs are in the form now, yours are kept. Ctrl-S saves, Esc discards yours.";
/// A 412 where both sides changed the same field.
pub const CONFLICTS: &str = "Somebody else changed this record meanwhile. Theirs stands below yours. Ctrl-S saves yours, Ctrl-T takes theirs for a field, Esc discards yours.";
/// The record is gone.
pub const DELETED_ELSEWHERE: &str =
    "Somebody else deleted this record meanwhile. Your text is kept: Ctrl-S saves it as a new record, Esc discards it.";
/// The record that was to be deleted is gone.
pub const ALREADY_DELETED: &str = "This record is not there any more: somebody else deleted it, or you may not see it.";
/// The record that was to be deleted has changed.
pub const CHANGED_NOT_DELETED: &str =
    "Not deleted: somebody else changed this record meanwhile. Look at it, then press d again if you still want to.";
/// No deletion to take back.
pub const NOTHING_TO_UNDO: &str = "There is nothing to undo.";

/// A 412 over the collection editor.
pub const DEFINITION_CHANGED: &str = "Not saved: somebody else changed this collection meanwhile. Press Esc twice to discard yours, then e to open theirs.";

/// What saving a definition would do stands in the form.
pub const WOULD_SAVE: &str = "Not saved yet: what it would do stands above the form.";

/// A change of a definition that took its time is done.
pub const CHANGE_DONE: &str = "The definition is changed.";

/// How far a change of a definition is.
pub fn changing(progress: &str) -> String {
    format!("{progress} Esc stops it.")
}

/// An option of a field, as people read it.
pub fn option(option: &str) -> String {
    match option {
        "" => "(none)".to_owned(),
        "true" => "yes".to_owned(),
        "false" => "no".to_owned(),
        other => single_line(other).into_owned(),
    }
}

/// The heading of a field, in the collection editor.
pub fn field_number(number: usize) -> String {
    format!("Field {number}")
}

/// A collection was written.
pub fn defined(collection: &Collection, is_new: bool, can_be_undone: bool) -> String {
    let done = if is_new { "Created" } else { "Saved" };
    format!("{done} the collection {}.{}", collection.name, way_back(can_be_undone))
}

/// The heading of what refers to a record by a field.
pub fn referred_by(collection: &str, field: &str, number: u64) -> String {
    format!("Referred to by {collection}, as {field}: {}", count(number, "record"))
}

/// Not all of them are shown.
pub const MORE_REFERRERS: &str = "…";

/// A record was saved.
pub fn saved(title: &str, is_new: bool, can_be_undone: bool) -> String {
    let done = if is_new { "Created" } else { "Saved" };
    format!("{done} \"{}\".{}", short(title), way_back(can_be_undone))
}

/// A record was deleted.
pub fn deleted(title: &str, can_be_undone: bool) -> String {
    format!("Deleted \"{}\".{}", short(title), way_back(can_be_undone))
}

fn way_back(is_there: bool) -> &'static str {
    if is_there { " Press u to undo." } else { "" }
}

/// What deleting a record takes along, and how to do it; `None` where that is nothing.
pub fn takes_along(title: &str, collection: &CollectionName, deletion: &Deletion) -> Option<String> {
    let told = common::words::takes_along(&format!("\"{}\"", short(title)), collection, deletion)?;
    Some(format!("{told} Press d again to delete."))
}

/// Something was undone.
pub fn undone(title: &str, reverted: &Reverted) -> String {
    common::words::undone(&format!("\"{}\"", short(title)), reverted)
}

/// Something could not be undone.
pub fn not_undone(title: &str, error: &CallError) -> String {
    format!("\"{}\" is as it was: that could not be undone. {}", short(title), call_error(error))
}

fn short(title: &str) -> String {
    width::cut(&single_line(title), 30)
}

/// The user may not do this in this collection, or to this record.
pub fn may_not(access: Access) -> String {
    let what = match access {
        Access::List | Access::View => "see records here",
        Access::Create => "create records here",
        Access::Update => "change this record",
        Access::Delete => "delete this record",
    };
    format!("You may not {what}. Ask an admin if you should.")
}

/// Somebody has signed in.
pub fn welcome(user: &User, has_unsaved_text: bool) -> String {
    let next = if has_unsaved_text { " What you typed is still here; Ctrl-S saves it." } else { "" };
    format!("Signed in as {}.{next}", user.username)
}

/// The session was ended here, but the server did not hear of it.
pub fn signed_out_here_only(error: &CallError) -> String {
    format!("You are signed out on this machine. {} On the server the session ends by itself.", call_error(error))
}

/// A record is being looked up.
pub const LOOKING_UP: &str = "Enter chooses the record, Esc goes back to the form";
/// The collection that a field refers to cannot be seen.
pub const NOTHING_TO_LOOK_UP: &str = "You may not list that collection. Type the id of the record.";

/// Where the cursor stands in a table.
pub fn position(range: &str, page: u64, pages: u64) -> String {
    format!("{range} · page {} of {}", thousands(page), thousands(pages))
}

/// How many records a collection has.
pub fn records(number: u64) -> String {
    count(number, "record")
}

/// How a table is sorted.
pub fn sorted_by(label: &str, descending: bool) -> String {
    format!("sorted by {label}{}", if descending { ", largest first" } else { "" })
}

/// Which of many columns the cursor is in.
pub fn column_of(column: usize, columns: usize) -> String {
    format!("column {column} of {columns}")
}

/// What another person wrote into a field.
pub fn theirs(value: &str) -> String {
    let value = if value.is_empty() { NOTHING.to_owned() } else { single_line(value).into_owned() };
    format!("Theirs: {value}")
}

/// The heading over signing in.
pub fn sign_in_heading(is_set_up: bool) -> &'static str {
    if is_set_up { "Make the first admin" } else { "Sign in" }
}

/// A text was handed to the terminal.
pub fn copied(text: &str) -> String {
    let first = single_line(text.lines().next().unwrap_or_default()).into_owned();
    format!("Copied, if your terminal takes it: {}", width::cut(&first, 60))
}
