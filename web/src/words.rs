//! Everything that people read, apart from what `common` and the server say. A sentence says what happened and what to do next.

pub mod account;
pub mod editor;

use common::{CallError, name::CollectionName, query::JoinWith, text};

pub const PRODUCT: &str = "Coffer";
pub const SKIP: &str = "Skip to the page";
pub const TRAIL: &str = "Where you are";
pub const LOADING: &str = "Loading …";
pub const SENDING: &str = "One moment …";
pub const TRY_AGAIN: &str = "Try again";
pub const CLOSE: &str = "Close";
pub const CANCEL: &str = "Cancel";
pub const SIGN_OUT: &str = "Sign out";
pub const ADMIN: &str = "Admin";
pub const REQUIRED: &str = "required";
pub const YES: &str = "Yes";
pub const NO: &str = "No";
pub const CHOOSE: &str = "Choose …";
pub const NOT_SAID: &str = "—";
pub const SHOW_PASSWORD: &str = "Show";
pub const HIDE_PASSWORD: &str = "Hide";
pub const EDIT: &str = "Edit";
pub const DELETE_FOR_EVER: &str = "Delete for ever";
pub const ACCOUNT: &str = "Account";
/// Stands in "The server could not be reached (…)."
pub const NO_ANSWER: &str = "no answer came";

pub fn window_title(page: &str) -> String {
    if page == PRODUCT { PRODUCT.to_owned() } else { format!("{} · {PRODUCT}", text::single_line(page)) }
}

pub fn failure_title(error: &CallError) -> String {
    match error {
        CallError::Problem(problem) => problem.title.clone().into_owned(),
        CallError::Unreadable(_) => "This is not an answer of Coffer".to_owned(),
        CallError::Unreachable(_) => "No connection to the server".to_owned(),
    }
}

pub mod keys {
    pub const TITLE: &str = "Keyboard";
    pub const FILTER: &str = "Go to the filter";
    pub const NEW: &str = "Make something new";
    pub const EDIT: &str = "Edit the collection; change the user of the row";
    pub const DOWN: &str = "Next row";
    pub const UP: &str = "Row before";
    pub const PREVIOUS: &str = "Page before";
    pub const NEXT: &str = "Next page";
    pub const DELETE: &str = "Delete what is open; end the session of the row";
    pub const END_OTHERS: &str = "End all other sessions";
    pub const USERS: &str = "Users (admins)";
    pub const SESSIONS: &str = "Where you are signed in; where the user of the row is";
    pub const PASSWORD: &str = "Change your password";
    pub const UNDO: &str = "Undo the last deletion";
    pub const BACK: &str = "Back to where this page belongs";
    pub const HELP: &str = "Show this list";
    pub const ENTER: &str = "Open the row; send the form";
    pub const SAVE: &str = "Send the form from anywhere in it";
    pub const ESCAPE: &str = "Close a dialog; leave the filter";
}

pub mod toast {
    pub const UNDO: &str = "Undo";
    pub const RESTORED: &str = "It is back, as it was.";
    pub const SAVED: &str = "Saved.";

    pub fn created(label: &str) -> String {
        format!("Created “{label}”.")
    }

    pub fn deleted(label: &str) -> String {
        format!("Deleted “{label}”.")
    }

    pub fn collection_saved(name: &str) -> String {
        format!("Saved the collection “{name}”.")
    }

    pub fn collection_deleted(name: &str) -> String {
        format!("Deleted the collection “{name}” with its records.")
    }

    pub fn sign_out_unheard(why: &str) -> String {
        format!("You are signed out here, but the server did not hear of it. {why}")
    }
}

pub mod sign_in {
    pub const TITLE: &str = "Sign in";
    /// Over a page whose session ended, and over none.
    pub const EXPIRED: &str = "Your session has ended: you were signed out elsewhere, or away for too long. Sign in to go \
        on; what you typed is still there.";
    pub const LOST: &str =
        "Your session has ended: you were signed out elsewhere, or away for too long. Sign in again to go on.";
    pub const LEAVE: &str = "Leave without signing in";
    pub const PLAIN_HTTP: &str = "This page came over plain HTTP. A browser keeps a session only over HTTPS or from \
        localhost, so you may have to sign in again with every reload. Ask for an https:// address, or have the server \
        started with --insecure-cookie.";
    pub const SET_UP_FIRST: &str = "This Coffer is new and has no users yet. Open the set-up link that the server printed \
        when it started.";
    pub const STARTING_TITLE: &str = "Opening Coffer";
}

pub mod set_up {
    pub const TITLE: &str = "Set up Coffer";
    pub const LEAD: &str = "Make the first admin. The admin defines collections, and may do everything.";
    pub const SUBMIT: &str = "Set up and sign in";
    pub const DONE_TITLE: &str = "Coffer is set up already";
    pub const DONE: &str =
        "The set-up link works once. Sign in with your name and password, or ask an admin for a user.";
    pub const NO_CODE: &str =
        "The link that the server printed has the code in it. Open that link, or type the code here.";
}

pub mod collections {
    pub const TITLE: &str = "Collections";
    pub const NEW: &str = "New collection";
    pub const EMPTY_TITLE: &str = "No collections yet";
    pub const EMPTY_ADMIN: &str =
        "A collection is a table of your own design: it says what its records look like and who may use them.";
    pub const EMPTY_USER: &str =
        "There is nothing here that you may see. An admin can make a collection, or let you into one.";

    pub fn fields(count: usize) -> String {
        common::text::count(count as u64, "field")
    }

    pub fn records(count: u64) -> String {
        common::text::count(count, "record")
    }

    pub fn edit(name: &str) -> String {
        format!("Edit the collection {name}")
    }
}

pub mod table {
    pub const NEW: &str = "New record";
    pub const EDIT: &str = "Edit collection";
    pub const FILTER: &str = "Filter";
    pub const SEARCH: &str = "Search";
    pub const APPLY: &str = "Apply";
    pub const CLEAR: &str = "Clear";
    pub const HELP: &str = "Help";
    pub const HELP_WORDS: &str = "Words find rows that contain all of them, whatever their case.";
    pub const HELP_COMPARE: &str =
        "A field with a comparison narrows down further: = != > >= < <= and ~ for “contains”.";
    pub const HELP_QUOTES: &str = "Quotes keep words together. All parts must hold.";
    pub const EMPTY_TITLE: &str = "No records yet";
    pub const EMPTY: &str = "What is created here, by the terminal client or over the API shows up in this table.";
    pub const NO_MATCH_TITLE: &str = "Nothing matches";
    pub const NO_MATCH: &str = "Nothing holds all of what the filter asks for.";
    pub const BEYOND_TITLE: &str = "This page is empty";
    pub const BEYOND: &str = "There are fewer rows than this address expects.";
    pub const FIRST_PAGE: &str = "Go to the first page";
    pub const PLAIN: &str = "Show the whole table";
    pub const PLAIN_HINT: &str =
        "It may come from an older version of the collection. Show the whole table and filter anew.";
    pub const BAD_ADDRESS_TITLE: &str = "This address asks for something that the table cannot show";
    pub const PAGES: &str = "Pages";
    pub const PREVIOUS: &str = "Page before";
    pub const NEXT: &str = "Next page";
    pub const PAGE: &str = "Page";
    pub const PAGE_SIZE: &str = "Rows";
    pub const NO_VALUE: &str = "no value";
    pub const ALSO: &str = "Also narrowed by";

    pub fn search_or(example: &str) -> String {
        format!("Search, or {example}")
    }

    pub fn of_pages(pages: u64) -> String {
        format!("of {}", common::text::thousands(pages))
    }

    pub fn caption(label: &str, range: &str) -> String {
        format!("{label}, records {range}")
    }

    pub fn open(label: &str) -> String {
        format!("Open {label}")
    }
}

pub mod join {
    use super::{JoinWith, text};

    pub const TITLE: &str = "Join";
    pub const LEAD: &str = "Every row stays, and shows beside it the rows of another collection that match.";
    pub const COLLECTION: &str = "With";
    pub const FIELD: &str = "Where here";
    pub const THEIR_FIELD: &str = "Equals there";
    pub const ADD: &str = "Join";
    pub const NONE: &str = "There is no other collection to join with.";
    pub const ALL: &str = "Every other collection is joined already.";

    pub fn said(join: &JoinWith) -> String {
        format!("{}: {} = {}", text::label(join.collection.as_str()), join.field, join.their_field)
    }

    pub fn remove(join: &JoinWith) -> String {
        format!("Take off {}", text::label(join.collection.as_str()))
    }
}

pub mod record {
    pub const NEW: &str = "New record";
    pub const SAVE: &str = "Save";
    pub const CREATE: &str = "Create";
    pub const ANOTHER: &str = "Create and add another";
    pub const DELETE: &str = "Delete";
    pub const READ_ONLY: &str = "You may look at this record, but not change it.";
    pub const FORBIDDEN: &str = "You may not create records here. An admin can change the collection's access rules.";
    pub const STALE_TITLE: &str = "Somebody else changed this record meanwhile";
    pub const STALE_MERGED: &str = "Their changes are in the form below, beside yours. Look it over, then save again.";
    pub const STALE_CLASH: &str = "You both changed the same field. The form below still has what you typed.";
    pub const THEIRS: &str = "Take theirs";
    pub const MINE: &str = "Save mine over it";
    pub const SAVE_AGAIN: &str = "Save with both";
    pub const GONE_TITLE: &str = "Somebody else deleted this record meanwhile";
    pub const GONE: &str = "What you typed is still here. You can save it as a new record, or leave it at that.";
    pub const SAVE_AS_NEW: &str = "Save as a new record";
    pub const WAS: &str = "was";
    pub const NOTHING: &str = "nothing";
    pub const YOURS_TOO: &str = "you changed it too";
    pub const KEPT: &str = "You left this form with something unsent. Here it is again.";
    pub const DISCARD: &str = "Discard it";
    pub const UTC: &str = "UTC";
    pub const NO_FIELDS: &str = "This collection has no fields yet, so there is nothing to fill in.";
    pub const CREATED: &str = "Created";
    pub const UPDATED: &str = "Updated";
    pub const REVISION: &str = "Revision";
    pub const ID: &str = "Id";
}

pub mod reference {
    use super::{CollectionName, text};

    pub const CHOOSE: &str = "Choose";
    pub const SEARCH: &str = "Search";

    pub fn title(collection: &CollectionName) -> String {
        format!("Choose from {}", text::label(collection.as_str()))
    }

    pub fn found(shown: u64, count: u64) -> String {
        match count {
            0 => "Nothing matches.".to_owned(),
            _ if shown == count => text::count(count, "record"),
            _ => format!("The first {shown} of {}. Type to narrow it down.", text::count(count, "record")),
        }
    }
}

pub mod not_found {
    pub const TITLE: &str = "There is no such page";
    pub const TEXT: &str = "The address may be mistyped, or what it led to may be gone.";
    pub const BACK: &str = "Go to the collections";
}
