//! What `If-Match` and `If-None-Match` ask for.

use common::id::Revision;

use crate::domain::error::{Error, Result};

/// What `If-Match` or `If-None-Match` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Precondition {
    /// `*`: the record is there.
    Exists,
    /// One of these revisions.
    OneOf(Vec<Revision>),
    /// Not there.
    Absent,
    /// None of these revisions.
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
}
