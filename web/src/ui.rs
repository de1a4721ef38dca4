//! The parts that pages are drawn with.

pub mod confirm;
pub mod dialog;
pub mod field;
pub mod form;
pub mod form_state;
pub mod icon;
pub mod link;
pub mod page;
pub mod password;
pub mod popover;
pub mod reference;
pub mod state;
pub mod toasts;
