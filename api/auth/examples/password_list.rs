//! Makes the built-in list of common passwords out of lists with one password on each line:
//! `cat LIST… | cargo run --example password_list > api/auth/src/password_policy/common_passwords.bin`
//!
//! The list that is built in was made in November 2026 out of the first 100,000 lines of the "10 million password list", and of the lines
//! of 15 characters or more in its first million and in the first 2,459,000 of the list known as `rockyou`: those that more than one
//! person had.

use std::io::{self, Write};

use coffer_auth::password_policy::PasswordList;

fn main() -> io::Result<()> {
    let list = PasswordList::read(io::stdin().lock())?;
    io::stdout().write_all(&list.to_bytes())
}
