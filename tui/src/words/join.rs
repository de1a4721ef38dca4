//! What the form says where another collection is joined to a table.

/// The form, in the path at the top.
pub const JOIN: &str = "join";
/// Above the form.
pub const JOIN_LEAD: &str =
    "Every row stays, and shows beside it the rows of another collection that match. Ctrl-S joins, Esc leaves it.";
/// The other collection.
pub const JOIN_COLLECTION: &str = "With";
/// The field of the table.
pub const JOIN_FIELD: &str = "Where here";
/// The field of the other collection.
pub const JOIN_THEIR_FIELD: &str = "Equals there";
/// It is joined no more.
pub const JOIN_OFF: &str = "Take it off";
pub use common::words::NOTHING_TO_JOIN;
