//! Why something was not done, in the domain's own words. Which status each gets is decided in `routes`.

use std::{borrow::Cow, iter, time::Duration};

use auth::{password::HashError, token::TokenError};
use base::OutOfMemory;
use common::{
    access::Action,
    id::{OperationId, Revision},
    name::FieldName,
    problem::FieldErrors,
};
use store::{CommitError, ReadError, ReadFault};
use thiserror::Error;

use super::quota::OverQuota;

/// The result of a domain function.
pub type Result<T> = std::result::Result<T, Error>;

/// Why something was not done. `Display` is for people; nothing secret or internal is in it but under `Internal`.
#[derive(Debug, Error)]
pub enum Error {
    /// Members that do not fit.
    #[error("some fields need attention")]
    Invalid(FieldErrors),
    /// No usable credentials.
    #[error("authentication failed: {0}")]
    Unauthenticated(#[from] AuthError),
    /// The caller is known and may not.
    #[error("You do not have permission to perform this action.")]
    Denied,
    /// No rule lets anyone but admins do it. What else that holds for.
    #[error("Nobody may do this here.")]
    NobodyMay(Vec<Action>),
    /// Nothing there, or nothing for this caller.
    #[error("Not found.")]
    NotFound,
    /// The list has no page of this number.
    #[error("Invalid page.")]
    NoSuchPage,
    /// The place in a list is none, or not this caller's.
    #[error(
        "Invalid cursor. It is good for the user, the list and the query that it was made for; begin again with an empty one."
    )]
    InvalidCursor,
    /// The rows of a page, with what was joined to them, take more than one answer may have. Lists give fewer rows then, or say so.
    #[error("This is too much for one answer. Ask for less at once.")]
    TooLargeTogether,
    /// A unique value is taken.
    #[error("This value is taken already. Choose a different one.")]
    Taken(FieldErrors),
    /// A unique value is taken by a record that the caller may not see.
    #[error("A value that has to be unique is taken already. Choose a different one.")]
    TakenUnseen,
    /// What is stored stands in the way.
    #[error("{0}")]
    Conflict(String),
    /// Stored records stand in the way of a new definition: how many, and the first of them.
    #[error("{}", do_not_fit(*count, errors))]
    RecordsDoNotFit {
        /// How many records.
        count: u64,
        /// What is wrong with them, by field of the new definition.
        errors: FieldErrors,
        /// The first few ids.
        examples: Vec<String>,
    },
    /// Something that the operation did was changed since, or cannot be put back.
    #[error("{}", .0.in_words())]
    ChangedSince(Box<ChangedSince>),
    /// An operation of a kind that cannot be undone: what it did.
    #[error("This operation cannot be undone here: it was a change of {0}. Undo that by hand.")]
    NotRevertible(String),
    /// The history that it would take was removed.
    #[error("The history that this would take has been removed. Nothing was changed.")]
    Trimmed,
    /// Entries after the place to go on from were removed from the journal. Holds the place where events can begin.
    #[error("What happened since then is not all kept any more. Read what is there now, and follow from \"since\".")]
    EventsRemoved(Revision),
    /// A caller has as many streams of events as they may.
    #[error("{0}")]
    TooManyStreams(String),
    /// A change of the definition is being made already.
    #[error("The definition of this collection is being changed already. Wait until that is done, or stop it.")]
    ChangeUnderWay(OperationId),
    /// What a deletion took along is still being removed.
    #[error("What this deleted is still being removed. Undo it when that is done.")]
    RemovalUnderWay(OperationId),
    /// A write does not fit the definition that is coming, for which such writes are held back.
    #[error("The definition of this collection is being changed, and this would not fit it then.")]
    HeldBack(FieldErrors),
    /// A change of a definition would drop values that nobody named: how many records hold something in each field.
    #[error("{}", would_drop(.0))]
    WouldDrop(Vec<(FieldName, u64)>),
    /// The record has changed since the caller read it.
    #[error("This has been changed by someone else since you read it. Read it again and decide.")]
    Stale,
    /// A record is larger than the store takes.
    #[error("A record may take {limit} bytes; this one has {size}.")]
    TooLarge {
        /// Bytes at most.
        limit: usize,
        /// Bytes sent.
        size: usize,
    },
    /// A file is larger than the spool takes.
    #[error("A file may have {0} GiB. Send it in parts.")]
    FileTooLarge(u64),
    /// A change writes more entries than one commit may.
    #[error(
        "This would write {entries} entries at once, most of them for indexes, and {most} are the most; nothing was changed. Send fewer records at a time, or import them as a file."
    )]
    TooManyEntries {
        /// How many it would write.
        entries: usize,
        /// How many one commit may write.
        most: usize,
    },
    /// A quota is used up.
    #[error("{0}")]
    OverQuota(OverQuota),
    /// Too many wrong tries.
    #[error("Too many failed tries. Try again in {} seconds.", .0.as_secs().max(1))]
    Locked(Duration),
    /// A key of a request that may come twice is none. Characters at most.
    #[error("An Idempotency-Key is 1 to {0} visible ASCII characters.")]
    BadKey(usize),
    /// The first request with this key is being worked on.
    #[error("The first request with this Idempotency-Key is still being worked on. Send it again in a moment.")]
    KeyAtWork,
    /// A caller has as many keys as are kept.
    #[error("Answers to {0} of your Idempotency-Keys are kept already, each for a day. Go on without one, or later.")]
    TooManyKeys(usize),
    /// Too much at once.
    #[error("The server is busy. Try again in a moment.")]
    Busy,
    /// A query went on reading for longer than it may.
    #[error(
        "This query reads too much to be answered in time. Narrow it: filter by an indexed field, search less, or ask for fewer rows."
    )]
    TooSlow,
    /// What it holds, or would, does not fit into memory now.
    #[error("The server holds as much as it can. Try again in a moment, or ask for less at once.")]
    NoMemory,
    /// So much was changed while it was read that what was before is not kept.
    #[error("Too much was changed while this was read. Try again, or ask for less at once.")]
    GivenUp,
    /// The disk is full; reads go on.
    #[error(
        "The server's disk is full, and nothing was changed. Signing in and out and deleting work while a little room is left. An operator \
         makes room with `coffer journal trim` and `coffer compact`, or by removing other files."
    )]
    DiskFull,
    /// The database is not reached. Nothing was changed.
    #[error("The server does not reach its database. Nothing was changed; try again in a moment.")]
    Unavailable,
    /// The database went away with a change on its way.
    #[error(
        "The server lost its database while this was being written, and does not know whether it was. Look before you send it again."
    )]
    OutcomeUnknown,
    /// The store takes no more writes.
    #[error("The server is stopping. Try again in a moment.")]
    Stopped,
    /// Our fault. The text and its causes are for the log only.
    #[error("internal error: {what}")]
    Internal {
        /// What failed.
        what: Cow<'static, str>,
        /// Why, as the part that failed says it.
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
}

fn would_drop(holding: &[(FieldName, u64)]) -> String {
    let told = holding.iter().map(|(field, count)| format!("\"{field}\" in {}", common::text::count(*count, "record")));
    let names: Vec<&str> = holding.iter().map(|(field, _)| field.as_str()).collect();
    let (told, names) = (told.collect::<Vec<_>>().join(", "), names.join(","));
    format!("This would drop what stands in {told}. Send these fields too, or say ?drop={names} if they are to go.")
}

impl Error {
    /// Our fault, found by ourselves.
    pub fn internal(what: impl Into<Cow<'static, str>>) -> Self {
        Self::Internal { what: what.into(), source: None }
    }

    /// Our fault, caused by an error of a part that we use.
    pub fn caused(what: &'static str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal { what: what.into(), source: Some(source.into()) }
    }

    /// The text with all its causes, for the log.
    pub fn with_causes(&self) -> String {
        let causes = iter::successors(std::error::Error::source(self), |cause| cause.source());
        iter::once(self.to_string()).chain(causes.map(ToString::to_string)).collect::<Vec<_>>().join(": ")
    }
}

/// What keeps an operation from being undone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChangedSince {
    /// How many records that the caller may view.
    pub count: u64,
    /// There may be more: nobody looked further.
    pub is_partial: bool,
    /// Whether there are others.
    pub hidden: bool,
    /// The first of those that the caller may view.
    pub examples: Vec<Obstacle>,
}

/// One record, or part of a definition, that keeps an operation from being undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacle {
    /// Its collection.
    pub collection: String,
    /// The id, of a record or of the collection.
    pub id: Option<String>,
    /// The part of the definition, such as `fields.price`.
    pub part: Option<String>,
    /// The machine's word.
    pub reason: &'static str,
    /// The person's.
    pub detail: String,
}

/// That records do not fit, with what is wrong with the first of them.
fn do_not_fit(count: u64, errors: &FieldErrors) -> String {
    let (records, does) = (common::text::count(count, "stored record"), if count == 1 { "does" } else { "do" });
    format!(
        "{records} {does} not fit the new definition: {} Change them first, say by \"convert\" or \"value\" what becomes of them, or define it differently.",
        errors.in_words()
    )
}

impl ChangedSince {
    /// Whether there is something.
    pub fn is_any(&self) -> bool {
        self.count > 0 || self.hidden
    }

    /// Adds what was found elsewhere; so many examples are told.
    pub fn add(&mut self, other: Self, told: usize) {
        self.count += other.count;
        self.hidden |= other.hidden;
        self.is_partial |= other.is_partial;
        let left = told.saturating_sub(self.examples.len());
        self.examples.extend(other.examples.into_iter().take(left));
    }

    fn in_words(&self) -> String {
        let first = self.examples.first().map(|first| format!(" {}", first.detail)).unwrap_or_default();
        let hidden = if self.hidden { " Something that you may not see stands in the way too." } else { "" };
        let records = common::text::count(self.count, "record");
        let records = if self.is_partial { format!("At least {records}") } else { records };
        let stand = if self.count == 1 { "stands" } else { "stand" };
        match self.count {
            0 => "Something that you may not see was changed since. Nothing was undone.".to_owned(),
            1 if !self.is_partial => format!("1 record stands in the way, and nothing was undone.{first}{hidden}"),
            _ => format!("{records} {stand} in the way, and nothing was undone. The first:{first}{hidden}"),
        }
    }
}

/// Why a caller is not let in.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum AuthError {
    /// No credentials came.
    #[error("no credentials")]
    Missing,
    /// Name and password do not match an active user.
    #[error("wrong credentials")]
    Credentials,
    /// The token does not hold.
    #[error("{0}")]
    Token(#[from] TokenError),
    /// The token was good once: its session has ended, or it was spent.
    #[error("token is spent or its session has ended")]
    Ended,
    /// The token's user is gone.
    #[error("no such user")]
    NoUser,
    /// The token's user is disabled.
    #[error("user is inactive")]
    Inactive,
}

impl AuthError {
    /// The token is ours, and its session is nowhere.
    pub const NO_SESSION: Self = Self::Token(TokenError::Invalid("no such session"));
    /// The token is signed by us, and its session never gave it out.
    pub const NEVER_ISSUED: Self = Self::Token(TokenError::Invalid("never issued"));
}

impl From<FieldErrors> for Error {
    fn from(errors: FieldErrors) -> Self {
        Self::Invalid(errors)
    }
}

impl From<TokenError> for Error {
    fn from(error: TokenError) -> Self {
        Self::Unauthenticated(AuthError::Token(error))
    }
}

impl From<ReadError> for Error {
    fn from(error: ReadError) -> Self {
        match error.fault {
            ReadFault::Broken => Self::caused("the store could not be read", error),
            ReadFault::GivenUp => Self::GivenUp,
            ReadFault::Unavailable => Self::Unavailable,
            ReadFault::DiskFull => Self::DiskFull,
        }
    }
}

impl From<CommitError> for Error {
    /// A conflict is for the caller to try again; one that gets here has been tried often enough.
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Conflict { .. } | CommitError::Busy => Self::Busy,
            CommitError::DiskFull => Self::DiskFull,
            CommitError::Stopped => Self::Stopped,
            CommitError::Unavailable { unknown: false } => Self::Unavailable,
            CommitError::Unavailable { unknown: true } => Self::OutcomeUnknown,
            CommitError::KeyTooLong { .. } => Self::caused("a limit on names or values is missing", error),
            // Where there is a quota, `usage::commit_error` has said whose.
            CommitError::Full { .. } => Self::caused("a counter without a quota is full", error),
            CommitError::NotACounter { .. } => Self::caused("a counter holds another value; run coffer check", error),
            CommitError::Read(error) => error.into(),
        }
    }
}

impl From<OutOfMemory> for Error {
    fn from(_: OutOfMemory) -> Self {
        Self::NoMemory
    }
}

impl From<HashError> for Error {
    fn from(error: HashError) -> Self {
        match error {
            HashError::Busy => Self::Busy,
            error @ HashError::Failed => Self::caused("a password could not be hashed", error),
        }
    }
}

impl From<serde_json::Error> for Error {
    /// Only stored bytes are read this way.
    fn from(error: serde_json::Error) -> Self {
        Self::caused("a stored value could not be read; run coffer check", error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_inside_keeps_its_causes() {
        let read = || ReadError::new("input/output error");
        for error in [Error::from(read()), Error::from(CommitError::Read(read()))] {
            assert!(std::error::Error::source(&error).is_some(), "{error:?}");
            assert!(error.with_causes().ends_with("could not be read: the store could not read: input/output error"));
        }
        let json = serde_json::from_str::<u8>("x").unwrap_err();
        let cause = json.to_string();
        assert!(Error::from(json).with_causes().ends_with(&cause));
        assert_eq!(Error::internal("a bug").with_causes(), "internal error: a bug");
    }
}
