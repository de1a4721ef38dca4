//! What is said of saved views.

/// Their list, in the path at the top.
pub const VIEWS: &str = "views";
/// There are none.
pub const NO_VIEWS: &str = "No saved views yet";
/// What to do then.
pub const NO_VIEWS_NEXT: &str = "n keeps the table as it is shown now: its filter, order and columns. Esc goes back.";
/// Asks for the name of a new one.
pub const NAME_VIEW: &str = "Name";
/// Asks for the name of one that there is.
pub const RENAME_VIEW: &str = "New name";
/// Kept for oneself.
pub const VIEW_OWN: &str = "yours";
/// Shared with others.
pub const VIEW_SHARED: &str = "you share it";
/// Shared by somebody else.
pub const VIEW_OTHERS: &str = "shared";
/// It is somebody else's.
pub const NOT_YOUR_VIEW: &str = "Only who keeps this view may change it. n keeps one of your own.";

/// A view holds for the table.
pub fn view_shown(name: &str) -> String {
    format!("This is \"{}\" now.", common::text::single_line(name))
}

/// It cannot hold.
pub fn view_unfit(name: &str, why: &str) -> String {
    let name = common::text::single_line(name);
    if why.is_empty() {
        format!("\"{name}\" does not fit the collection any more.")
    } else {
        format!("\"{name}\": {why}")
    }
}

/// Asks whether it goes.
pub fn delete_view(name: &str) -> String {
    format!("Press d again to delete the view \"{}\". Nothing brings it back.", common::text::single_line(name))
}

/// How it is ordered.
pub fn ordered_by(ordering: &str) -> String {
    format!("by {ordering}")
}
