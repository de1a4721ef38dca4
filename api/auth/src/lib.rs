//! Authentication: keys, tokens, passwords and the locks on guessing. Pure parts with typed errors; nothing here has heard
//! of HTTP or of the store. Sessions, users and routes are built on top of it.
//!
//! - [`keys`]: the key ring in the data directory.
//! - [`token`]: signing and strict checking of access and refresh tokens.
//! - [`password`], [`password_policy`]: hashing on a bounded pool, with a pepper if there is one, and which passwords are let in.
//! - [`seal`]: texts that the server hands out and wants back unchanged.
//! - [`secret`]: the operator's own secrets, read from files, and which are too weak.
//! - [`setup_code`]: the one-time code for the first admin.
//! - [`throttle`]: the growing delay on wrong passwords.

pub mod keys;
pub mod password;
pub mod password_policy;
pub mod seal;
pub mod secret;
pub mod setup_code;
pub mod throttle;
pub mod token;
