//! Makes the built-in list of common passwords out of lists with one password on each line:
//! `cat LIST… | cargo run --example password_list > api/auth/src/password_policy/common_passwords.bin`
//!
//! The list that is built in was made in November 2026 of the first million lines of the "10 million password list", which its author, Mark
//! Burnett, released to the public domain (`SecLists` has it as `xato-net-10-million-passwords-1000000.txt`): of the first 100,000 lines, and
//! of those of 15 characters or more; and of what the rest let in of Django's and zxcvbn-ts' lists of common passwords. `NOTICE` says so too; a list without a licence does not belong in it.

use std::io::{self, Write};

use coffer_auth::password_policy::PasswordList;

fn main() -> io::Result<()> {
    let list = PasswordList::read(io::stdin().lock())?;
    io::stdout().write_all(&list.to_bytes())
}
