//! `/api/guess/`: what a collection for a file could be.

use super::endpoint;
use crate::import::{Guess as Guessed, ImportQuery};

endpoint! {
    /// Guess the fields of a collection that a file has none for yet: CSV, TSV, JSON or JSON lines. Nothing is written.
    Guess: POST "/api/guess/",
    access Admin, cost Reads(User), errors Drf,
    query ImportQuery,
    body () as ROWS,
    answer Guessed as OK
}
