//! The screens: each module holds one's state and what its keys do. How they look is in [`crate::view`](mod@crate::view).

mod account;
mod change;
mod changes;
mod collections;
mod cursor;
mod dashboard;
mod definition;
mod detail;
mod editing;
mod export;
mod form_state;
mod import;
mod palette;
mod people;
mod record_form;
mod records;
mod sheet;
mod sign_in;

pub(crate) use account::{AccountForm, AccountKind};
pub(crate) use change::ChangeForm;
pub(crate) use changes::ChangesScreen;
pub(crate) use collections::Collections;
pub(crate) use cursor::Window;
pub(crate) use dashboard::Dashboard;
pub(crate) use definition::DefinitionForm;
pub(crate) use detail::{Detail, scrolled};
pub(crate) use editing::Editing;
pub(crate) use export::ExportForm;
pub(crate) use form_state::{FormState, is_area, options};
pub(crate) use import::{Ended, ImportScreen, Stage, goes_into};
pub(crate) use palette::{Choice, Entry, Palette};
pub(crate) use people::{Ending, Sessions, user};
pub(crate) use record_form::RecordForm;
pub(crate) use records::{Kept, Records, Rows};
pub(crate) use sheet::{Sheet, SheetKind, Token};
pub(crate) use sign_in::{Kind, SignIn};
