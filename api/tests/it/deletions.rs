//! Deletions that are too large for one commit: of collections, and of records with all that hangs on them.

mod pieces;
mod served;
