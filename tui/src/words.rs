//! Every sentence that the client says. One says what happened and what to do next; what the server said is made safe to
//! show. What belongs to fields (labels, hints, faults) is `common`'s.

mod people;

use std::io;

use common::{
    CallError, Problem,
    access::Action as Access,
    collection::Collection,
    record::Record,
    table::title,
    text::{count, single_line},
    user::User,
};

use crate::{
    key::{Action, Context},
    message::Failure,
};

pub use people::*;

/// What the command is, in a line.
pub const ABOUT: &str = "Read and write the records of a Coffer server in the terminal";
/// The same, with what there is to know before the first start.
pub const LONG_ABOUT: &str = "\
Read and write the records of a Coffer server in the terminal.

Sign in with your name and password; on a new server, make the first admin with the code that the server printed. \
The key ? shows all keys, F1 does so where text is typed.

You stay signed in until you sign out or the session ends. The session is kept in a file that only you can read, one \
for each server, in $COFFER_STATE_DIR, or else in coffer/ below $XDG_STATE_HOME or ~/.local/state.

With https the server's certificate must be trusted by this machine; for a private authority set SSL_CERT_FILE. \
NO_COLOR is respected.";
/// What `--server` takes.
pub const SERVER_HELP: &str = "The server's address, such as https://coffer.example.org";
/// What `--ca-cert` takes.
pub const CA_CERT_HELP: &str =
    "Believe the certificates in this PEM file too, such as one that a server signed for itself";
/// The file of `--ca-cert` is not there.
pub const NO_CA_CERT: &str = "cannot read";
/// The file of `--ca-cert` has something else in it.
pub const NO_CERTIFICATE_IN_IT: &str = "the file of --ca-cert has no certificate in PEM form";
/// The system lacks what an event loop needs.
pub const NO_RUNTIME: &str =
    "the system has no room for another program that waits for events; close some and try again";
/// There is no terminal.
pub const NO_TERMINAL: &str =
    "this needs a terminal, and its input or output is none; start it in a terminal without redirecting it";
/// The terminal cannot be written to or read from any more.
pub const TERMINAL_GONE: &str = "the terminal is gone";

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
/// An answer is waited for.
pub const LOADING: &str = "Loading…";
/// A write is under way.
pub const WRITING: &str = "Waiting for the server… Keys you press now are kept. Ctrl-C quits.";

/// The session has ended.
pub const ENDED: &str =
    "Your session has ended: you were signed out elsewhere, or away for too long. Sign in again to go on.";
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
pub const NO_MATCHES: &str = "Nothing matches the filter. Press Esc to see all, or / to change the filter.";
/// Follows a sentence about what could not be loaded.
pub const PRESS_R: &str = "Press r to try again.";
/// How a filter line over records is written.
pub const FILTER_RECORDS: &str = "Words to look for, or comparisons: price>=3 title=\"Sweet corn\" title~corn";
/// How a filter line over users is written.
pub const FILTER_USERS: &str = "Words to look for, or comparisons: username~ann is_admin=true roles=editor";
/// How a filter line over sessions is written.
pub const FILTER_SESSIONS: &str = "Words to look for, or comparisons: address=192.0.2.7 user_agent~curl";

/// Fields with faults.
pub const FIX_FIRST: &str = "Not saved: look at the fields marked with !";
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

/// Only admins define collections.
pub const NOT_ADMIN: &str = "Only admins define collections. Ask one.";
/// A 412 over the collection editor.
pub const DEFINITION_CHANGED: &str = "Not saved: somebody else changed this collection meanwhile. Press Esc twice to discard yours, then e to open theirs.";

/// Reasons why nothing came back; they stand in the middle of a sentence.
pub const TIMED_OUT: &str = "it took too long";
/// See [`TIMED_OUT`].
pub const NO_SUCH_HOST: &str = "no machine of this name was found";
/// See [`TIMED_OUT`].
pub const NO_CONNECTION: &str = "there is no connection";
/// See [`TIMED_OUT`].
pub const BROKEN_OFF: &str = "the connection broke off";
/// See [`TIMED_OUT`].
pub const ANSWER_TOO_LONG: &str = "its answer is too long";

/// See [`TIMED_OUT`].
pub fn unreachable(kind: io::ErrorKind) -> Option<&'static str> {
    match kind {
        io::ErrorKind::ConnectionRefused => Some("nothing answers at this address"),
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::UnexpectedEof => {
            Some(BROKEN_OFF)
        }
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => Some("there is no way to that machine"),
        io::ErrorKind::TimedOut => Some(TIMED_OUT),
        _ => None,
    }
}

/// What an action is called in the footer, and what it does, for the help page.
pub fn action(action: Action, context: Context) -> (&'static str, &'static str) {
    let is_form = matches!(context, Context::Line | Context::Area | Context::Choice | Context::Choices);
    let scrolls = matches!(context, Context::Record | Context::Help);
    match action {
        Action::Up if scrolls => ("up", "Scroll up"),
        Action::Down if scrolls => ("down", "Scroll down"),
        Action::First if scrolls => ("top", "Go to the top"),
        Action::Last if scrolls => ("end", "Go to the end"),
        Action::PreviousPage if scrolls => ("back", "Scroll a page up"),
        Action::NextPage if scrolls => ("on", "Scroll a page down"),
        Action::Up => ("up", "Go a row up; above the first, a page back"),
        Action::Down => ("down", "Go a row down; below the last, a page on"),
        Action::Left => ("left", "Go a column to the left"),
        Action::Right => ("right", "Go a column to the right"),
        Action::First => ("first", "Go to the first row"),
        Action::Last => ("last", "Go to the last row"),
        Action::PreviousPage if is_form => ("back", "Go back by several fields"),
        Action::NextPage if is_form => ("on", "Go on by several fields"),
        Action::PreviousPage => ("page back", "Go a page back"),
        Action::NextPage => ("page on", "Go a page on"),
        Action::Open => ("open", "Open what is under the cursor; while looking up, choose it"),
        Action::Back if matches!(context, Context::Records | Context::Users | Context::Sessions) => {
            ("back", "Show all rows again; then go back")
        }
        Action::Back if context == Context::Filter => ("cancel", "Leave the filter as it was"),
        Action::Back if context == Context::Help => ("close", "Close this page"),
        Action::Back => ("back", "Go back; unsaved text is asked about"),
        Action::Filter => ("filter", "Filter the rows"),
        Action::Sort => ("sort", "Sort by the column under the cursor: up, down, not at all"),
        Action::HideColumn => ("hide column", "Hide the column under the cursor"),
        Action::ShowColumns => ("all columns", "Show all columns again"),
        Action::Edit if context == Context::Users => ("edit", "Change the user: roles, admin, active, password"),
        Action::New if context == Context::Users => ("new", "Make a user"),
        Action::Delete if context == Context::Users => ("delete", "Delete the user; the name is asked for"),
        Action::Delete if context == Context::Sessions => ("end", "End the session under the cursor; asks once"),
        Action::EndOthers => ("end others", "End all other sessions, all of somebody else's; asks once"),
        Action::Users => ("users", "Show the users (admins)"),
        Action::Sessions if context == Context::Users => ("sign-ins", "Show where the user is signed in"),
        Action::Sessions => ("sign-ins", "Show where you are signed in"),
        Action::Password => ("password", "Change your password"),
        Action::New if context == Context::Collections => ("new", "Define a collection (admins)"),
        Action::Edit if context == Context::Collections => ("edit", "Change the collection's definition (admins)"),
        Action::New => ("new", "Create a record"),
        Action::Edit => ("edit", "Edit the record"),
        Action::Delete => ("delete", "Delete the record; u brings it back"),
        Action::Undo => ("undo", "Bring the last deleted record back"),
        Action::Reload => ("reload", "Load what is shown anew"),
        Action::SignOut => ("sign out", "End the session, here and on the server"),
        Action::Submit if context == Context::Filter => ("apply", "Show the rows that match"),
        Action::Submit => ("send", "Go to the next field; on the last, send the form"),
        Action::NextInput => ("next", "Go to the next field"),
        Action::PreviousInput => ("previous", "Go to the previous field"),
        Action::PreviousChoice => ("before", "Choose the one before"),
        Action::NextChoice => ("after", "Choose the one after"),
        Action::Pick if context == Context::Choices => ("pick", "Pick it, or put it back"),
        Action::Pick => ("change", "Choose the one after"),
        Action::TakeTheirs => ("take theirs", "Take what somebody else wrote into this field"),
        Action::LookUp => ("look up", "Choose the record that the field refers to"),
        Action::OtherForm => ("switch", "Switch between signing in and making the first admin"),
        Action::Retry => ("try again", "Ask the server again"),
        Action::Save => ("save", "Save"),
        Action::AddField => ("add field", "Add a field at the end"),
        Action::RemoveField => ("remove field", "Take the field under the cursor out"),
        Action::FieldUp => ("field up", "Move the field under the cursor up"),
        Action::FieldDown => ("field down", "Move the field under the cursor down"),
        Action::Help => ("help", "Show all keys"),
        Action::Quit => ("quit", "Quit; the session is kept"),
    }
}

/// The heading of the help page.
pub fn help_heading(context: Context) -> &'static str {
    match context {
        Context::SignIn => "Keys while signing in",
        Context::Collections => "Keys in the list of collections",
        Context::Records => "Keys in a table of records",
        Context::Users => "Keys in the list of users",
        Context::Sessions => "Keys in the list of sign-ins",
        Context::Filter => "Keys in the filter line",
        Context::Record => "Keys over a record",
        Context::Line | Context::Area | Context::Choice | Context::Choices => "Keys in a form",
        Context::Help => "Keys on this page",
    }
}

/// What the help page says below the keys.
pub fn help_notes(context: Context) -> &'static [&'static str] {
    match context {
        Context::Records | Context::Users | Context::Sessions | Context::Filter => &[
            "A filter line has words that must occur, and comparisons of fields: = != > >= < <= and ~ for \"contains\".",
            "Put a value with spaces in quotes: title=\"Sweet corn\".",
        ],
        Context::Line | Context::Area | Context::Choice | Context::Choices => &[
            "Fields marked with * must be filled in. Faults are marked with ! as you type.",
            "Ctrl-W takes a word back, Ctrl-U empties a line, Ctrl-A and Ctrl-E go to its start and end.",
        ],
        _ => &[],
    }
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

/// Why a call did not succeed.
pub fn failure(failure: &Failure) -> String {
    match failure {
        Failure::SignedOut => ENDED.to_owned(),
        Failure::Call(error) => call_error(error),
    }
}

/// Why a call did not succeed.
pub fn call_error(error: &CallError) -> String {
    match error.problem() {
        Some(said) => problem(said),
        None => single_line(&error.to_string()).into_owned(),
    }
}

/// The server's sentence, with what it said of single fields.
pub fn problem(problem: &Problem) -> String {
    let mut said = problem.detail.clone();
    for (field, errors) in &problem.errors.0 {
        for error in errors {
            said.extend([" ", field, ": ", &error.message]);
        }
    }
    single_line(&said).into_owned()
}

/// The heading of a field, in the collection editor.
pub fn field_number(number: usize) -> String {
    format!("Field {number}")
}

/// A collection was written.
pub fn defined(collection: &Collection, is_new: bool) -> String {
    let done = if is_new { "Created" } else { "Saved" };
    format!("{done} the collection {}.", collection.name)
}

/// Something could not be saved; the form says why.
pub fn not_saved(error: &CallError) -> &'static str {
    match error {
        CallError::Problem(problem) if !problem.errors.is_empty() => FIX_FIRST,
        _ => "Not saved. Your text is kept; Ctrl-S tries again.",
    }
}

/// A record was saved.
pub fn saved(record: &Record, is_new: bool) -> String {
    let done = if is_new { "Created" } else { "Saved" };
    format!("{done} \"{}\".", short(&title(record)))
}

/// A record was deleted.
pub fn deleted(title: &str) -> String {
    format!("Deleted \"{}\". Press u to undo.", short(title))
}

/// A record was put back.
pub fn restored(title: &str) -> String {
    format!("\"{}\" is back.", short(title))
}

/// A record could not be put back.
pub fn not_restored(title: &str, error: &CallError) -> String {
    format!("\"{}\" could not be brought back. {}", short(title), call_error(error))
}

fn short(title: &str) -> String {
    crate::width::cut(&single_line(title), 30)
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
    use common::text::thousands;
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
