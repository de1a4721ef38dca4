//! The parts that pages are drawn with.

pub mod confirm;
pub mod dialog;
pub mod field;
pub mod filling;
pub mod form;
pub mod icon;
pub mod link;
pub mod page;
pub mod password;
pub mod popover;
pub mod reference;
pub mod state;
pub mod toasts;
