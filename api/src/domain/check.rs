//! `coffer check`: whether everything in a store fits together, as of one moment. What can be derived (indexes, unique
//! entries, counts) is compared in both directions with what it is derived from, and can be built anew; records, users and
//! the journal are only read. That single values are whole is checked by the store itself when it is opened.
//!
//! - `ledger`: what was found, and the repair of it
//! - `definitions`, `records`, `derived`: collections, and what stands beside their records
//! - `people`: users and sessions; `views`: saved views
//! - `history`: the journal, and spaces that nobody knows

mod definitions;
mod derived;
mod history;
mod ledger;
mod people;
mod records;
mod stored;
mod views;
mod words;

use super::keyspace;
use ledger::Ledger;

use store::Store;

pub use ledger::{CheckError, Report};

/// Checks a store. `progress` is told of how many entries were read, a page at a time.
pub async fn check(store: &Store, progress: &mut (dyn FnMut(usize) + Send)) -> Result<Report, CheckError> {
    run(Ledger::new(&store.snapshot().await?, None, progress)).await
}

/// Builds anew what is derived and wrong. Only where all that it is derived from is sound enough to be read: see
/// [`Report::may_be_repaired`]. Nobody else may write meanwhile.
pub async fn repair(store: &Store, progress: &mut (dyn FnMut(usize) + Send)) -> Result<Report, CheckError> {
    run(Ledger::new(&store.snapshot().await?, Some(store), progress)).await
}

async fn run(mut ledger: Ledger<'_>) -> Result<Report, CheckError> {
    let (schemas, leaving) = definitions::check(&mut ledger).await?;
    let mut usage = records::check(&mut ledger, &schemas, &leaving).await?;
    people::check(&mut ledger).await?;
    views::check(&mut ledger).await?;
    history::check(&mut ledger, &mut usage).await?;
    derived::counters(&mut ledger, &keyspace::usages(), usage).await?;
    ledger.finish().await
}
