//! The screens: each module holds one's state and what its keys do. How they look is in [`crate::view`](mod@crate::view).

mod account;
mod collections;
mod definition;
mod detail;
mod editing;
mod filling;
mod people;
mod record_form;
mod records;
mod sign_in;

pub use account::{AccountForm, AccountKind};
pub use collections::Collections;
pub use definition::DefinitionForm;
pub use detail::{Detail, scrolled};
pub use editing::Editing;
pub use filling::{Filling, is_area, options};
pub use people::{Ending, Sessions, user};
pub use record_form::RecordForm;
pub use records::{FilterLine, Records, Rows};
pub use sign_in::{Kind, SignIn};

use common::{collection::Collection, record::Record, table::cell};

use crate::key::Action;

/// What people call a record: its first field that says anything.
pub fn title(collection: &Collection, record: &Record) -> String {
    let mut values = collection.fields.iter().map(|field| cell(record.get(field.name.as_str())));
    values.find(|value| !value.trim().is_empty()).unwrap_or_else(|| cell(record.get("id")))
}

/// Moves a selection by so many rows, staying among `rows` of them.
fn moved(selected: usize, by: isize, rows: usize) -> usize {
    selected.saturating_add_signed(by).min(rows.saturating_sub(1))
}

/// What makes sense only where the rows are known.
fn acts_on_row(action: Option<Action>) -> bool {
    use Action::{Delete, Down, Edit, First, Last, Open, Up};
    matches!(action, Some(Open | Edit | Delete | Up | Down | First | Last))
}
