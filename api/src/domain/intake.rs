//! Files of records on their way in: received, told what they are, decoded, taken apart into rows, and put down as JSON, one row a line. Here is
//! nothing asynchronous, and nothing is asked of the store: an import (`records/import`) reads the rows from there.
//!
//! - `spool`: the folder for such files, and its bounds
//! - `sniff`: encodings, delimiters and formats, told by looking
//! - `decode`: text as UTF-8, a piece at a time
//! - `cells`: CSV and TSV, with what stood in quotation marks told apart
//! - `json`: arrays and lines of JSON, a row at a time
//! - `headings`: which column is which member
//! - `convert`: cells as values of their fields
//! - `prepare`: all of that, one after another
//! - `guess`: a definition for a file that no collection has yet

mod cells;
mod convert;
mod decode;
pub mod guess;
mod headings;
mod json;
mod prepare;
mod sniff;
mod spool;

use base::Charge;
use common::{
    import::{Guess, ImportQuery},
    problem::{FieldError, FieldErrors, NON_FIELD},
};

use super::{
    error::{Error, Result},
    work,
};

pub use headings::Target;
pub use prepare::{Prepared, Row, Told, WrittenAs, look, next_rows, prepare, reject};
pub use spool::{BUFFER, Received, Spool};

/// What a collection for a file could be: read on a thread that may wait for the disk.
pub async fn guess_of(mut file: Received, how: ImportQuery, told: Told) -> Result<Guess> {
    let mut held = work::charge();
    let done = tokio::task::spawn_blocking(move || guess::guess(file.rewound()?, &how, &told, &mut held));
    Ok(done.await.map_err(|error| Error::caused("a file could not be read", error))??)
}

/// Bytes of one row at most, as it stands in the file: what escapes and quotation marks make of the largest record there may be.
pub const MAX_ROW_BYTES: usize = 2 * 1024 * 1024;

/// Cells of a row at most, and names in rows of JSON. A collection has far fewer fields; a file may have more of them, which are left out.
pub const MAX_COLUMNS: usize = 4096;

/// A row is there so many times at once: as it is read, taken apart, as a record, and as it is written down.
const COPIES: u64 = 4;

/// Why a file cannot be read.
#[derive(Debug)]
pub enum Unreadable {
    /// What is wrong with it.
    File(FieldErrors),
    /// It is larger than is taken: so many GiB.
    TooLarge(u64),
    /// The disk says no.
    Io(std::io::Error),
    /// There is no memory for a row at the moment.
    NoMemory,
}

impl Unreadable {
    /// What is wrong with the file as a whole.
    pub fn whole(message: impl Into<String>) -> Self {
        Self::at(NON_FIELD, message)
    }

    /// What is wrong with what stands under a name.
    pub fn at(name: &str, message: impl Into<String>) -> Self {
        Self::File(FieldErrors::of(name, FieldError::new("unreadable", message)))
    }
}

impl From<std::io::Error> for Unreadable {
    fn from(error: std::io::Error) -> Self {
        // What is wrong with the text travels through readers that know of files alone.
        match error.downcast::<Complaint>() {
            Ok(Complaint(message)) => Self::whole(message),
            Err(error) if error.kind() == std::io::ErrorKind::OutOfMemory => Self::NoMemory,
            Err(error) => Self::Io(error),
        }
    }
}

impl From<FieldErrors> for Unreadable {
    fn from(errors: FieldErrors) -> Self {
        Self::File(errors)
    }
}

impl From<Unreadable> for Error {
    fn from(error: Unreadable) -> Self {
        match error {
            Unreadable::File(errors) => errors.into(),
            Unreadable::NoMemory => Self::NoMemory,
            Unreadable::TooLarge(gib) => Self::FileTooLarge(gib),
            Unreadable::Io(error) if error.kind() == std::io::ErrorKind::StorageFull => Self::DiskFull,
            Unreadable::Io(error) => Self::caused("a file on its way in could not be kept", error),
        }
    }
}

/// What is wrong with a text, as an error of reading it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Complaint(String);

/// Charges a row of so many bytes while it is read, in place of the one before.
fn hold(held: &mut Charge, bytes: usize) -> std::io::Result<()> {
    let bytes = COPIES * bytes as u64;
    held.shrink_to(bytes);
    Ok(held.grow(bytes - held.bytes()).map_err(|_| std::io::ErrorKind::OutOfMemory)?)
}

fn complaint(message: impl Into<String>) -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::InvalidData, Complaint(message.into()))
}
