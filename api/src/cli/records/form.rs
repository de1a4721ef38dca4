//! How records are written.

use std::io;

use anyhow::Result;

/// How records are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Table,
    Json,
    JsonLines,
    Csv,
    Tsv,
}

/// What is asked is done although nobody reads what it says: a pipe that was closed is no fault.
pub(super) fn unless_closed(written: io::Result<()>) -> Result<()> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
