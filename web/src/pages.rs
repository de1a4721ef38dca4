//! One page, one file.

pub mod collections;
pub mod editor;
pub mod not_found;
pub mod password;
pub mod record;
pub mod records;
pub mod sessions;
pub mod set_up;
pub mod sign_in;
pub mod users;
