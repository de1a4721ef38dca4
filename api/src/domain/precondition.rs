//! What a caller says that a record or a definition must be like for a change of it to be made. `If-Match` and
//! `If-None-Match` say it.

use common::id::Revision;

use super::error::{Error, Result};

/// What must be so of the revision that is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Precondition {
    /// There is one (`If-Match: *`).
    Exists,
    /// It is one of these (`If-Match`).
    OneOf(Vec<Revision>),
    /// There is none (`If-None-Match: *`).
    Absent,
    /// It is none of these (`If-None-Match`).
    NoneOf(Vec<Revision>),
}

impl Precondition {
    /// Whether `current` is a revision that the change may go on from.
    pub fn check(precondition: Option<&Self>, current: Revision) -> Result<()> {
        match precondition {
            Some(Self::OneOf(revisions)) if !revisions.contains(&current) => Err(Error::Stale),
            Some(Self::NoneOf(revisions)) if revisions.contains(&current) => Err(Error::Stale),
            Some(Self::Absent) => Err(Error::Stale),
            _ => Ok(()),
        }
    }

    /// Whether a change may be made to what is not there.
    pub fn check_absent(precondition: Option<&Self>) -> Result<()> {
        match precondition {
            Some(Self::Exists | Self::OneOf(_)) => Err(Error::Stale),
            _ => Ok(()),
        }
    }
}
