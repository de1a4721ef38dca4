//! The screens: each module holds one's state and what its keys do. How they look is in [`crate::view`](mod@crate::view).

mod account;
mod collections;
mod cursor;
mod definition;
mod detail;
mod editing;
mod form_state;
mod people;
mod record_form;
mod records;
mod sign_in;

pub use account::{AccountForm, AccountKind};
pub use collections::Collections;
pub use definition::DefinitionForm;
pub use detail::{Detail, scrolled};
pub use editing::Editing;
pub use form_state::{FormState, is_area, options};
pub use people::{Ending, Sessions, user};
pub use record_form::RecordForm;
pub use records::{FilterLine, Records, Rows};
pub use sign_in::{Kind, SignIn};
