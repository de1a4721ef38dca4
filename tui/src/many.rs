//! Many records at once, and files of them: what is asked for, and what is known.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64},
    },
};

use coffer_client::Failure;
use common::{
    collection::Collection,
    import::{Import, ImportQuery, preview::Preview},
    many::ManyQuery,
    name::CollectionName,
    record::Record,
    rows::ExportQuery,
};

/// What is done to many records.
#[derive(Debug, Clone, PartialEq)]
pub struct ManyAct {
    /// Their collection.
    pub collection: CollectionName,
    /// Which they are.
    pub query: ManyQuery,
    /// What they are changed to; `None` to delete them.
    pub change: Option<Record>,
}

/// An export to a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportTo {
    /// The collection.
    pub collection: CollectionName,
    /// Which rows, and how they are written.
    pub query: ExportQuery,
    /// The file, as it was typed.
    pub file: PathBuf,
    /// A file that is there is replaced.
    pub replaces: bool,
}

/// A file on its way in.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// The collection.
    pub collection: Collection,
    /// The file, as it was typed.
    pub file: PathBuf,
    /// How it is read.
    pub query: ImportQuery,
    /// When it was imported before, where it is to go in once more.
    pub after: Option<String>,
    /// How much of it is on its way.
    pub sent: Arc<Sent>,
}

/// How much of a file is on its way. The task that sends it counts, and the view shows it.
#[derive(Debug, Default)]
pub struct Sent {
    /// Bytes that were handed over.
    pub done: AtomicU64,
    /// Bytes that there are.
    pub of: AtomicU64,
    /// Nobody wants it any more.
    pub is_given_up: AtomicBool,
}

/// What is known of a file that is to come in.
#[derive(Debug, Clone)]
pub struct Checked {
    /// How long it is.
    pub bytes: u64,
    /// How it begins.
    pub preview: Preview,
    /// Headings that name no field: they are left out until they are mapped.
    pub unknown: Vec<String>,
    /// What an import would do.
    pub outcome: Result<Import, FileFault>,
}

/// Why a file could not be read, written or sent.
#[derive(Debug, Clone, PartialEq)]
pub enum FileFault {
    /// There is one of this name.
    IsThere,
    /// This machine says no, for this reason.
    Local(String),
    /// The server does.
    Failed(Failure),
}
