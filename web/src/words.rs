//! Everything that people read, apart from what `common` and the server say. A sentence says what happened and what to do next.

pub(crate) mod account;
pub(crate) mod changes;
pub(crate) mod dashboard;
pub(crate) mod editor;
pub(crate) mod explorer;
pub(crate) mod live;
pub(crate) mod many;
pub(crate) mod migrations;
pub(crate) mod server;
pub(crate) mod views;

use common::{CallError, name::CollectionName, query::JoinWith, text};

pub(crate) const PRODUCT: &str = "Coffer";
pub(crate) const SKIP: &str = "Skip to the page";
pub(crate) const TRAIL: &str = "Where you are";
pub(crate) const LOADING: &str = "Loading …";
pub(crate) const SENDING: &str = "One moment …";
pub(crate) const TRY_AGAIN: &str = "Try again";
pub(crate) const CLOSE: &str = "Close";
pub(crate) const CANCEL: &str = "Cancel";
pub(crate) const SIGN_OUT: &str = "Sign out";
pub(crate) const ADMIN: &str = "Admin";
pub(crate) const REQUIRED: &str = "required";
pub(crate) const YES: &str = "Yes";
pub(crate) const NO: &str = "No";
pub(crate) const CHOOSE: &str = "Choose …";
pub(crate) const NOT_SAID: &str = "—";
pub(crate) const SHOW_PASSWORD: &str = "Show";
pub(crate) const HIDE_PASSWORD: &str = "Hide";
pub(crate) const EDIT: &str = "Edit";
pub(crate) const DELETE: &str = "Delete";
pub(crate) const ACCOUNT: &str = "Account";
/// Stands in "The server could not be reached (…)."
pub(crate) const NO_ANSWER: &str = "no answer came";

pub(crate) fn window_title(page: &str) -> String {
    if page == PRODUCT { PRODUCT.to_owned() } else { format!("{} · {PRODUCT}", text::single_line(page)) }
}

pub(crate) fn failure_title(error: &CallError) -> String {
    match error {
        CallError::Problem(problem) => problem.title.clone().into_owned(),
        CallError::Unreadable(_) => "This is not an answer of Coffer".to_owned(),
        CallError::Unreachable(_) => "No connection to the server".to_owned(),
    }
}

pub(crate) mod part {
    pub(crate) const TITLE: &str = "This page could not be fetched";
    pub(crate) const TEXT: &str =
        "Check the connection and try again. If Coffer was upgraded meanwhile, load the page anew.";
}

pub(crate) mod keys {
    pub(crate) const TITLE: &str = "Keyboard";
    pub(crate) const FILTER: &str = "Go to the filter";
    pub(crate) const NEW: &str = "Make something new";
    pub(crate) const EDIT: &str = "Edit the collection; change the user of the row";
    pub(crate) const DOWN: &str = "Next row";
    pub(crate) const UP: &str = "Row before";
    pub(crate) const PREVIOUS: &str = "Page before";
    pub(crate) const NEXT: &str = "Next page";
    pub(crate) const DELETE: &str = "Delete what is open; end the session of the row";
    pub(crate) const END_OTHERS: &str = "End all other sessions";
    pub(crate) const DASHBOARD: &str = "The dashboard";
    pub(crate) const COLLECTIONS: &str = "The collections";
    pub(crate) const USERS: &str = "Users (admins)";
    pub(crate) const SERVER: &str = "The server (admins)";
    pub(crate) const SESSIONS: &str = "Where you are signed in; where the user of the row is";
    pub(crate) const PASSWORD: &str = common::words::CHANGE_PASSWORD;
    pub(crate) const CHOOSE: &str = "Choose the row, or take it out";
    pub(crate) const RANGE: &str = "Choose the rows up to this one";
    pub(crate) const IMPORT: &str = "Import a file";
    pub(crate) const UNDO: &str = "Undo what was done last";
    pub(crate) const BACK: &str = "Back to where this page belongs";
    pub(crate) const HELP: &str = "Show this list";
    pub(crate) const PALETTE: &str = "Find a page or a collection by words";
    pub(crate) const ENTER: &str = "Open the row; send the form";
    pub(crate) const SAVE: &str = "Send the form from anywhere in it";
    pub(crate) const ESCAPE: &str = "Close a dialog; leave the filter";
}

pub(crate) mod toast {
    pub(crate) const UNDO: &str = "Undo";
    pub(crate) const SAVED: &str = "Saved.";

    pub(crate) fn created(label: &str) -> String {
        format!("Created “{label}”.")
    }

    pub(crate) fn deleted(label: &str) -> String {
        format!("Deleted “{label}”.")
    }

    pub(crate) fn undone(label: &str, reverted: &common::undo::Reverted) -> String {
        common::words::undone(&format!("“{label}”"), reverted)
    }

    pub(crate) fn collection_saved(name: &str) -> String {
        format!("Saved the collection “{name}”.")
    }

    pub(crate) fn collection_deleted(name: &str) -> String {
        format!("Deleted the collection “{name}” with its records.")
    }

    pub(crate) fn sign_out_unheard(why: &str) -> String {
        format!("You are signed out here, but the server did not hear of it. {why}")
    }
}

pub(crate) mod sign_in {
    pub(crate) const TITLE: &str = "Sign in";
    /// Over a page whose session ended, and over none.
    pub(crate) const EXPIRED: &str = "Your session has ended: you were signed out elsewhere, or away for too long. Sign in to go \
        on; what you typed is still there.";
    pub(crate) const LEAVE: &str = "Leave without signing in";
    pub(crate) const PLAIN_HTTP: &str = "This page came over plain HTTP. A browser keeps a session only over HTTPS or from \
        localhost, so you may have to sign in again with every reload. Ask for an https:// address, or have the server \
        started with --insecure-cookie.";
    pub(crate) const SET_UP_FIRST: &str = "This Coffer is new and has no users yet. Open the set-up link that the server printed \
        when it started.";
    pub(crate) const STARTING_TITLE: &str = "Opening Coffer";
}

pub(crate) mod set_up {
    pub(crate) const TITLE: &str = "Set up Coffer";
    pub(crate) const LEAD: &str = "Make the first admin. The admin defines collections, and may do everything.";
    pub(crate) const SUBMIT: &str = "Set up and sign in";
    pub(crate) const DONE_TITLE: &str = "Coffer is set up already";
    pub(crate) const DONE: &str =
        "The set-up link works once. Sign in with your name and password, or ask an admin for a user.";
    pub(crate) const NO_CODE: &str =
        "The link that the server printed has the code in it. Open that link, or type the code here.";
}

pub(crate) mod collections {
    pub(crate) const TITLE: &str = "Collections";
    pub(crate) const NEW: &str = "New collection";
    pub(crate) const FROM_FILE: &str = "New from a file";
    pub(crate) const EMPTY_TITLE: &str = "No collections yet";
    pub(crate) const EMPTY_ADMIN: &str =
        "A collection is a table of your own design: it says what its records look like and who may use them.";
    pub(crate) const EMPTY_USER: &str =
        "There is nothing here that you may see. An admin can make a collection, or let you into one.";

    pub(crate) fn fields(count: usize) -> String {
        common::text::count(count as u64, "field")
    }

    pub(crate) fn records(count: u64) -> String {
        common::text::count(count, "record")
    }

    pub(crate) fn edit(name: &str) -> String {
        format!("Edit the collection {name}")
    }
}

pub(crate) mod table {
    pub(crate) const NEW: &str = "New record";
    pub(crate) const EDIT: &str = "Edit collection";
    pub(crate) const FILTER: &str = "Filter";
    pub(crate) const SEARCH: &str = "Search";
    pub(crate) const APPLY: &str = "Apply";
    pub(crate) const CLEAR: &str = "Clear";
    pub(crate) const HELP: &str = "Help";
    pub(crate) const HELP_WORDS: &str = "Words find rows that contain all of them, whatever their case.";
    pub(crate) const HELP_COMPARE: &str = "A field with a comparison narrows down further: = != > >= < <=, ~ for “contains”, in (a, b), is null, is empty.";
    pub(crate) const HELP_QUOTES: &str = "All parts must hold, unless “or” stands between them; there are “not” and parentheses. Quotes keep words together.";
    pub(crate) const EMPTY_TITLE: &str = "No records yet";
    pub(crate) const EMPTY: &str =
        "What is created here, by the terminal client or over the API shows up in this table.";
    pub(crate) const NO_MATCH_TITLE: &str = "Nothing matches";
    pub(crate) const NO_MATCH: &str = "Nothing holds all of what the filter asks for.";
    pub(crate) const BEYOND_TITLE: &str = "This page is empty";
    pub(crate) const BEYOND: &str = "There are fewer rows than this address expects.";
    pub(crate) const FIRST_PAGE: &str = "Go to the first page";
    pub(crate) const PLAIN: &str = "Show the whole table";
    pub(crate) const PLAIN_HINT: &str =
        "It may come from an older version of the collection. Show the whole table and filter anew.";
    pub(crate) const BAD_ADDRESS_TITLE: &str = "This address asks for something that the table cannot show";
    pub(crate) const PAGES: &str = "Pages";
    pub(crate) const PREVIOUS: &str = "Page before";
    pub(crate) const NEXT: &str = "Next page";
    pub(crate) const PAGE: &str = "Page";
    pub(crate) const PAGE_SIZE: &str = "Rows";
    pub(crate) const NO_VALUE: &str = "no value";

    pub(crate) fn search_or(example: &str) -> String {
        format!("Search, or {example}")
    }

    pub(crate) fn of_pages(pages: u64) -> String {
        format!("of {}", common::text::thousands(pages))
    }

    pub(crate) fn caption(label: &str, range: &str) -> String {
        format!("{label}, records {range}")
    }

    pub(crate) fn open(label: &str) -> String {
        format!("Open {label}")
    }
}

pub(crate) mod join {
    use super::{JoinWith, text};

    pub(crate) const TITLE: &str = "Join";
    pub(crate) const LEAD: &str = "Every row stays, and shows beside it the rows of another collection that match.";
    pub(crate) const COLLECTION: &str = "With";
    pub(crate) const FIELD: &str = "Where here";
    pub(crate) const THEIR_FIELD: &str = "Equals there";
    pub(crate) const ADD: &str = "Join";
    pub(crate) const ON: &str = "What is joined";
    pub(crate) use common::words::NOTHING_TO_JOIN as NONE;
    pub(crate) const ALL: &str = "Every other collection is joined already.";

    pub(crate) fn said(join: &JoinWith) -> String {
        format!("{}: {} = {}", text::label(join.collection.as_str()), join.field, join.their_field)
    }

    pub(crate) fn remove(join: &JoinWith) -> String {
        format!("Take off {}", text::label(join.collection.as_str()))
    }
}

pub(crate) mod record {
    pub(crate) const NEW: &str = "New record";
    pub(crate) const SAVE: &str = "Save";
    pub(crate) const CREATE: &str = "Create";
    pub(crate) const ANOTHER: &str = "Create and add another";
    pub(crate) const DELETE: &str = "Delete";
    pub(crate) const DELETE_ALL: &str = "Delete all of it";
    pub(crate) const TAKES_ALONG: &str = "Other records hang on this one";
    pub(crate) const READ_ONLY: &str = "You may look at this record, but not change it.";
    pub(crate) const FORBIDDEN: &str =
        "You may not create records here. An admin can change the collection's access rules.";
    pub(crate) const STALE_TITLE: &str = "Somebody else changed this record meanwhile";
    pub(crate) const STALE_MERGED: &str =
        "Their changes are in the form below, beside yours. Look it over, then save again.";
    pub(crate) const STALE_CONFLICT: &str = "You both changed the same field. The form below still has what you typed.";
    pub(crate) const THEIRS: &str = "Take theirs";
    pub(crate) const MINE: &str = "Save mine over it";
    pub(crate) const SAVE_AGAIN: &str = "Save with both";
    pub(crate) const GONE_TITLE: &str = "Somebody else deleted this record meanwhile";
    pub(crate) const GONE: &str = "What you typed is still here. You can save it as a new record, or leave it at that.";
    pub(crate) const SAVE_AS_NEW: &str = "Save as a new record";
    pub(crate) const WAS: &str = "was";
    pub(crate) const NOTHING: &str = "nothing";
    pub(crate) const YOURS_TOO: &str = "you changed it too";
    pub(crate) const KEPT: &str = "You left this form with something unsent. Here it is again.";
    pub(crate) const DISCARD: &str = "Discard it";
    pub(crate) const UTC: &str = "UTC";
    pub(crate) const NO_FIELDS: &str = "This collection has no fields yet, so there is nothing to fill in.";
    pub(crate) const REFERRED_TO: &str = "Referred to by";
    pub(crate) const ALL_REFERRERS: &str = "Show all";

    /// The records of a collection that refer by a field.
    pub(crate) fn referred_by(collection: &str, field: &str) -> String {
        format!("{collection}, as {field}")
    }

    pub(crate) const OWNER: &str = "Owner";
    pub(crate) const CREATED: &str = "Created";
    pub(crate) const UPDATED: &str = "Updated";
    pub(crate) const REVISION: &str = "Revision";
    pub(crate) const ID: &str = "Id";
}

pub(crate) mod reference {
    use super::{CollectionName, text};

    pub(crate) const CHOOSE: &str = "Choose";
    pub(crate) const SEARCH: &str = "Search";

    pub(crate) fn title(collection: &CollectionName) -> String {
        format!("Choose from {}", text::label(collection.as_str()))
    }

    /// How many there are, and which page of them is seen.
    pub(crate) fn found(page: u64, pages: u64, count: u64) -> String {
        match count {
            0 => "Nothing matches.".to_owned(),
            _ if pages == 1 => text::count(count, "record"),
            _ => format!("Page {page} of {pages}: {}. Type to narrow it down.", text::count(count, "record")),
        }
    }
}

pub(crate) mod not_found {
    pub(crate) const TITLE: &str = "There is no such page";
    pub(crate) const TEXT: &str = "The address may be mistyped, or what it led to may be gone.";
    pub(crate) const BACK: &str = "Go to the collections";
    pub(crate) const GO_BACK: &str = "Go back";
    pub(crate) const GONE_TITLE: &str = "There is nothing here that you may see";
    pub(crate) const GONE: &str = "It may have been deleted, or you may not be let in. Go back to where you came from, or load the page again later.";
}
