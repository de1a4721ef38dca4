//! One page, one file; what the pages about users and sessions share is in [`people`].

pub(crate) mod changes;
pub(crate) mod collections;
pub(crate) mod dashboard;
pub(crate) mod editor;
pub(crate) mod explorer;
pub(crate) mod invitations;
pub(crate) mod many;
pub(crate) mod not_found;
pub(crate) mod password;
pub(crate) mod people;
pub(crate) mod record;
pub(crate) mod records;
pub(crate) mod server;
pub(crate) mod sessions;
pub(crate) mod set_up;
pub(crate) mod sign_in;
pub(crate) mod users;
pub(crate) mod views;
