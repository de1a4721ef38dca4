//! The parts that pages are drawn with.

pub(crate) mod confirm;
pub(crate) mod dialog;
pub(crate) mod download;
pub(crate) mod field;
pub(crate) mod form;
pub(crate) mod form_state;
pub(crate) mod icon;
pub(crate) mod link;
pub(crate) mod page;
pub(crate) mod password;
pub(crate) mod popover;
pub(crate) mod reference;
pub(crate) mod state;
pub(crate) mod toasts;
