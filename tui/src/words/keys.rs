//! What the keys do: for the footer and the help page.

use common::words::{CHANGE_PASSWORD, many::STOP};

use crate::{
    key::{Action, Context},
    model::{Model, Screen},
};

/// What saving is called in the footer of a form that is no record's.
pub fn of_form(model: &Model, action: Action) -> Option<&'static str> {
    match (action, model.screens.last()?) {
        (Action::Save, Screen::Change(_)) => Some("go on"),
        (Action::Save, Screen::Export(_)) => Some("write"),
        (Action::Save, Screen::Join(_)) => Some("join"),
        (Action::Save, Screen::Import(_)) => Some("check"),
        _ => None,
    }
}

/// What an action is called in the footer, and what it does, for the help page.
#[expect(clippy::too_many_lines, reason = "an arm for each")]
pub fn action(action: Action, context: Context) -> (&'static str, &'static str) {
    let is_form = matches!(context, Context::Line | Context::Area | Context::Choice | Context::Choices);
    let scrolls = matches!(
        context,
        Context::Record
            | Context::Import
            | Context::Sheet
            | Context::Api
            | Context::Log
            | Context::Token
            | Context::Help
    );
    match action {
        Action::Open if context == Context::Insights => ("filter", "Show the records of the bar under the cursor"),
        Action::Up | Action::Left if context == Context::Insights => ("before", "Go to the bar before"),
        Action::Down | Action::Right if context == Context::Insights => ("after", "Go to the bar after"),
        Action::First if context == Context::Insights => ("first", "Go to the first bar"),
        Action::Last if context == Context::Insights => ("last", "Go to the last bar"),
        Action::NextInput if context == Context::Token => ("key", "Go to the key, or back to the token"),
        Action::NextInput if context == Context::Insights => ("chart", "Go to the next chart"),
        Action::PreviousInput if context == Context::Insights => ("chart", "Go to the chart before"),
        Action::Export if context == Context::Insights => ("CSV", "Write the chart's data to a CSV file here"),
        Action::Open if context == Context::Views => ("show", "Show the table as the view says"),
        Action::New if context == Context::Views => ("keep", "Keep the table as it is now as a view"),
        Action::Edit if context == Context::Views => ("rename", "Give the view another name"),
        Action::Overwrite => ("as now", "Have the view show what the table shows now"),
        Action::Delete if context == Context::Views => ("delete", "Delete the view; asks once"),
        Action::Open if context == Context::Migrations => {
            ("apply", "Show what a migration that is not applied would do; once more applies it")
        }
        Action::Delete if context == Context::Migrations => (
            "take back",
            "Show what taking the migration back would do; once more does it. Stops one that is under way",
        ),
        Action::PreviousPage if context == Context::Migrations => ("back", "Scroll a page up"),
        Action::NextPage if context == Context::Migrations => ("on", "Scroll a page down"),
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
        Action::First if is_form => ("first", "Go to the first input"),
        Action::Last if is_form => ("last", "Go to the last input"),
        Action::First => ("first", "Go to the first row of all"),
        Action::Last => ("last", "Go to the last row of all; with a number before it, to that row"),
        Action::WindowUp => ("up", "Go back by as many rows as are seen"),
        Action::WindowDown => ("down", "Go on by as many rows as are seen"),
        Action::AllRows => ("all rows", "Show all rows again, without the filter"),
        Action::Palette => ("commands", "Find an action, a collection or records by words"),
        Action::Editor => ("editor", "Edit this text in $VISUAL or $EDITOR"),
        Action::Suspend => ("suspend", "Stop, and go on with fg"),
        Action::PreviousPage if is_form => ("back", "Go back by several fields"),
        Action::NextPage if is_form => ("on", "Go on by several fields"),
        Action::PreviousPage => ("page back", "Go a page back"),
        Action::NextPage => ("page on", "Go a page on; with a number before it, to that page"),
        Action::Choose => ("choose", "Choose the row under the cursor, or take it out"),
        Action::ChooseRange => ("up to", "Choose the rows from the one chosen last to this one"),
        Action::ChooseAll => ("all", "Choose all rows that match the filter, or none"),
        Action::Edit if context == Context::Chosen => ("change", "Change a field of the chosen rows"),
        Action::Delete if context == Context::Chosen => {
            ("delete", "Delete the chosen rows; what would go is said first")
        }
        Action::Export if context == Context::Chosen => ("write", "Write the chosen rows to a file"),
        Action::Back if context == Context::Chosen => ("none", "Choose no rows"),
        Action::Submit if context == Context::Import => ("go on", "Import the file; when it is in, go to the table"),
        Action::Delete if context == Context::Import => ("stop", STOP),
        Action::Export if context == Context::Import => ("left out", "Write the rows that were left out to a file"),
        Action::Back if context == Context::Import => ("back", "Go back; an import goes on"),
        Action::Export => ("write", "Write the rows under the filter to a file"),
        Action::Import => ("import", "Import a file of records"),
        Action::Open => ("open", "Open what is under the cursor; while looking up, choose it"),
        Action::Back if matches!(context, Context::Records | Context::Users | Context::Sessions) => {
            ("back", "Go back; filter and order are kept")
        }
        Action::Back if context == Context::Dashboard => ("collections", "Go to the collections"),
        Action::Dashboard => (
            "dashboard",
            "Show the server's dashboard; to who is no admin their own records, changes, sessions and allowance",
        ),
        Action::Span => ("time", "Plot two minutes, or an hour"),
        Action::Log => ("log", "Show the newest lines of the server's log (admins)"),
        Action::Failures => ("failures", "Show requests that failed, and lists that took long (admins)"),
        Action::Server => ("server", "Show the server's settings and keys (admins)"),
        Action::Backup => ("backup", "Write everything on the server to a file here (admins)"),
        Action::Token => ("token", "Have a token explained"),
        Action::Api => ("requests", "Show how the collection's records are asked for by programs"),
        Action::Access => ("who may", "Show who may do what in all collections"),
        Action::Level if context == Context::Api => ("program", "Show requests for another program"),
        Action::Activity => ("activity", "Show what was changed, the newest first"),
        Action::Trash => ("trash", "Show the records of this collection that were deleted"),
        Action::History => ("history", "Show the versions of the record"),
        Action::Restore => ("put back", "Put back what is under the cursor: a version, or a deleted record"),
        Action::Level if context == Context::Changes => ("kind", "Show only what was created, changed, deleted …"),
        Action::Back if matches!(context, Context::Changes | Context::Views | Context::Insights | Context::Api) => {
            ("back", "Go back")
        }
        Action::Level => ("level", "Show only lines that are worse, or all again"),
        Action::ServerLevel => ("server's level", "Have the server's log tell more, or less again"),
        Action::OwnToken => ("your own", "Explain your own access token"),
        Action::Submit if context == Context::Token => ("explain", "Explain the token that was pasted"),
        Action::Back
            if matches!(
                context,
                Context::Sheet | Context::Invitations | Context::Migrations | Context::Log | Context::Token
            ) =>
        {
            ("back", "Go back")
        }
        Action::Back if context == Context::Filter => ("cancel", "Leave the filter as it was"),
        Action::Back if context == Context::Palette => ("close", "Go back to what is below"),
        Action::Back if context == Context::Help => ("close", "Close this page"),
        Action::Back => ("back", "Go back; unsaved text is asked about"),
        Action::Filter => ("filter", "Filter the rows"),
        Action::Sort => ("sort", "Sort by the column under the cursor: up, down, not at all"),
        Action::Narrower => ("narrower", "Make the column under the cursor narrower"),
        Action::Wider => ("wider", "Make it wider"),
        Action::Views => ("views", "Show the saved views of this collection, or keep another"),
        Action::CopyCell => ("copy", "Copy the cell under the cursor, where the terminal takes that"),
        Action::CopyRow => ("copy row", "Copy the record: its fields, one a line"),
        Action::CopyId => ("copy id", "Copy the record's id"),
        Action::CopyLink => ("copy link", "Copy the record's address in the web app"),
        Action::Join => ("join", "Show matching records of another collection beside each row"),
        Action::Insights => ("insights", "Show charts of the records under the filter"),
        Action::AsTable => ("table", "Show the charts as tables, or as charts again"),
        Action::OtherField => ("field", "Show the chart of another field of the kind"),
        Action::Share => ("share", "Share the view with those who may list the collection, or keep it for yourself"),
        Action::HideColumn => ("hide column", "Hide the column under the cursor"),
        Action::ShowColumns => ("all columns", "Show all columns again"),
        Action::Edit if context == Context::Users => ("edit", "Change the user: roles, admin, active, password"),
        Action::New if context == Context::Users => ("new", "Make a user"),
        Action::Delete if context == Context::Users => ("delete", "Delete the user; the name is asked for"),
        Action::Delete if context == Context::Sessions => ("end", "End the session under the cursor; asks once"),
        Action::EndOthers => ("end others", "End all other sessions, all of somebody else's; asks once"),
        Action::Migrations => ("migrations", "Show which migrations are applied, apply them, take them back (admins)"),
        Action::Invitations => ("invitations", "Show the links by which people can sign up (admins)"),
        Action::New if context == Context::Invitations => ("new", "Make a link by which somebody can sign up, once"),
        Action::Delete if context == Context::Invitations => {
            ("take back", "Take the link under the cursor back; asks once")
        }
        Action::Users => ("users", "Show the users (admins)"),
        Action::Sessions if context == Context::Users => ("sessions", "Show where the user is signed in"),
        Action::Sessions => ("sessions", "Show where you are signed in"),
        Action::Password => ("password", CHANGE_PASSWORD),
        Action::New if matches!(context, Context::Collections | Context::Dashboard) => {
            ("new", "Define a collection (admins)")
        }
        Action::Edit if context == Context::Collections => ("edit", "Change the collection's definition (admins)"),
        Action::New => ("new", "Create a record"),
        Action::Edit => ("edit", "Edit the record"),
        Action::Delete => ("delete", "Delete the record; u brings it back"),
        Action::Undo => ("undo", "Undo what was done last: a deletion, a change, an import"),
        Action::Reload => ("reload", "Load what is shown anew"),
        Action::SignOut => ("sign out", "End the session, here and on the server"),
        Action::Submit if context == Context::Palette => ("do", "Do what is under the cursor"),
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
        Context::Dashboard => "Keys on the dashboard",
        Context::Collections => "Keys in the list of collections",
        Context::Records => "Keys in a table of records",
        Context::Chosen => "Keys in a table of records, while rows are chosen",
        Context::Import => "Keys over a file on its way in",
        Context::Users => "Keys in the list of users",
        Context::Invitations => "Keys in the list of invitations",
        Context::Migrations => "Keys in the list of migrations",
        Context::Sessions => "Keys in the list of sessions",
        Context::Filter => "Keys in the filter line",
        Context::Record => "Keys over a record",
        Context::Line | Context::Area | Context::Choice | Context::Choices => "Keys in a form",
        Context::Changes => "Keys in a list of changes",
        Context::Insights => "Keys over charts",
        Context::Views => "Keys among saved views",
        Context::Sheet => "Keys on a page about the server",
        Context::Api => "Keys over a collection's requests",
        Context::Log => "Keys over the server's log",
        Context::Token => "Keys over a token",
        Context::Palette => "Keys in the command palette",
        Context::Help => "Keys on this page",
    }
}

/// What the help page says below the keys.
pub fn help_notes(context: Context) -> &'static [&'static str] {
    match context {
        Context::Dashboard => &[
            "It is asked for anew each second, less often over a slow line. Times are in UTC.",
            "A figure marked with ! is worth a look; the line at the top says why. One that says \"as of\" is old: nothing newer came.",
        ],
        Context::Chosen => &[
            "What would happen to the chosen rows is said before it is done. It is one operation: u takes all of it back.",
            "Rows stay chosen on other pages and in another order. Under another filter none is chosen.",
        ],
        Context::Import => &[
            "Checking writes nothing. All rows come in or none; rows that do not fit can be left out instead, and written to a file to be mended.",
            "A large file goes in in the background, also when this program is closed; it is shown again when you come back.",
        ],
        Context::Records | Context::Users | Context::Sessions | Context::Filter => &[
            "A filter line has words that must occur, and conditions: price >= 3 and (title ~ corn or not kind in (sweet, sour)).",
            "Put a value with spaces in quotes: title=\"Sweet corn\".",
        ],
        Context::Line | Context::Area | Context::Choice | Context::Choices => &[
            "Fields marked with * must be filled in. Faults are marked with ! as you type.",
            "Ctrl-W takes a word back, Ctrl-U empties a line, Ctrl-A and Ctrl-E go to its start and end.",
        ],
        _ => &[],
    }
}
