//! The journal: blocks in order, every entry numbered without a gap and naming only what came before. And what is in no known
//! space.

use store::{
    Key, Scan, Version, counter,
    journal::{self as blocks, Appended, Position},
};

use common::id::OperationId;

use super::{
    ledger::{CheckError, Ledger},
    records::Usage,
};
use crate::domain::{
    journal::{self, Entry, RecordChange, Values},
    keyspace::{self, shown},
    migrations, operations,
};

/// Checks the journal and the spaces.
pub(super) async fn check(ledger: &mut Ledger<'_>, usage: &mut Usage) -> Result<(), CheckError> {
    let (mut last, mut part) = (None, None);
    let trimmed = ledger.snapshot.get(&keyspace::trimmed()).await?.as_ref().and_then(counter);
    let mut first = None;
    let mut pages = ledger.snapshot.pages(blocks::blocks());
    while let Some(page) = ledger.next(&mut pages).await? {
        for (key, entry) in page {
            let (Some(at), Ok(entries)) = (blocks::position(&key), blocks::unpack(&entry.value)) else {
                ledger.damaged(format_args!("{}: the journal's block cannot be read", shown(&key)));
                continue;
            };
            if entries.first().is_none_or(|first| first.at < at) {
                ledger.damaged(format_args!("{}: the journal's block has no entries, or earlier ones", shown(&key)));
            }
            if entries.last().is_some_and(|last| last.at.version > entry.version)
                || entry.version > ledger.snapshot.version()
            {
                ledger.damaged(format_args!(
                    "{}: the commit {} wrote entries of later ones",
                    shown(&key),
                    entry.version
                ));
            }
            first = first.or(entries.first().map(|entry| entry.at.version));
            for entry in &entries {
                if let Some(Entry::Record(change, values)) = examine(ledger, entry, last) {
                    count(ledger, usage, entry.at, &change, &values).await?;
                    let this = change.operation.map(|operation| (operation, entry.at.version));
                    // Earlier versions trimmed a part of a commit, and then forgot where the rest is.
                    let is_cut =
                        |version: Version| first == Some(version) && trimmed >= i64::try_from(version.get()).ok();
                    let this = this.filter(|(_, version)| !is_cut(*version));
                    if let Some((operation, version)) = this.filter(|this| part.replace(*this) != Some(*this)) {
                        is_found(ledger, operation, version).await?;
                    }
                }
                last = Some(entry.at);
            }
        }
    }
    operations(ledger).await?;
    migrations(ledger).await?;
    unknown_spaces(ledger).await
}

/// Adds a version to what its maker has.
async fn count(
    ledger: &mut Ledger<'_>,
    usage: &mut Usage,
    at: Position,
    change: &RecordChange,
    values: &Values,
) -> Result<(), CheckError> {
    let counted = change.counted(values);
    if counted > 0 {
        let maker = match change.by {
            Some(user) => ledger.number(user, &blocks::key(at), "maker").await?,
            None => None,
        };
        usage.entry(keyspace::usage(maker)).or_default()[2] += counted;
    }
    Ok(())
}

/// The entries of an operation have to be found by it.
async fn is_found(ledger: &mut Ledger<'_>, operation: OperationId, version: Version) -> Result<(), CheckError> {
    let parts = ledger.snapshot.scan(Scan::prefix(&keyspace::operation_part(operation, None))).await?;
    if !parts.iter().any(|(_, entry)| entry.version == version) {
        let key = keyspace::operation_part(operation, Some(version));
        ledger.damaged(format_args!("{}: the entries of this operation cannot be found by it", shown(&key)));
    }
    Ok(())
}

/// An entry, where it can be read.
fn examine(ledger: &mut Ledger<'_>, entry: &Appended, last: Option<Position>) -> Option<Entry> {
    let at = shown(&blocks::key(entry.at));
    // Where there was one before it may be gone: histories are trimmed, and erased.
    if last.is_some_and(|last| entry.at <= last) {
        ledger.damaged(format_args!("{at}: the journal's entry is out of order"));
    }
    let Ok(read) = journal::parse(&entry.bytes) else {
        ledger.damaged(format_args!("{at}: the journal's entry cannot be read"));
        return None;
    };
    let previous = match &read {
        Entry::Record(change, _) => change.previous.map(journal::Link::version),
        Entry::Other(change, _) => change.previous.map(|previous| Version::new(previous.0)),
    };
    if previous.is_some_and(|previous| previous >= entry.at.version) {
        ledger.damaged(format_args!("{at}: the journal's entry names a later one as the one before"));
    }
    Some(read)
}

/// Work in the background: its records can be read.
async fn operations(ledger: &mut Ledger<'_>) -> Result<(), CheckError> {
    let mut pages = ledger.pages(&keyspace::operations());
    while let Some(page) = ledger.next(&mut pages).await? {
        for (key, entry) in page {
            if !operations::is_readable(&key, &entry) {
                ledger.damaged(format_args!("{}: the operation's record cannot be read", shown(&key)));
            }
        }
    }
    Ok(())
}

/// Migrations that were applied: their records can be read.
async fn migrations(ledger: &mut Ledger<'_>) -> Result<(), CheckError> {
    let mut pages = ledger.pages(&keyspace::migrations());
    while let Some(page) = ledger.next(&mut pages).await? {
        for (key, entry) in page {
            if !migrations::is_readable(&entry) {
                ledger.damaged(format_args!("{}: the migration's record cannot be read", shown(&key)));
            }
        }
    }
    Ok(())
}

async fn unknown_spaces(ledger: &mut Ledger<'_>) -> Result<(), CheckError> {
    let mut scan = Scan::range(std::ops::Bound::Unbounded, std::ops::Bound::Unbounded).limit(1);
    while let Some((key, _)) = ledger.snapshot.scan(scan.clone()).await?.pop() {
        let space =
            key.elements().space().ok().and_then(|name| keyspace::SPACES.iter().find(|(known, _)| *known == name));
        scan = if let Some((space, _)) = space {
            scan.beyond(&Key::space(space))
        } else {
            ledger.damaged(format_args!("{}: nothing of Coffer's is kept under such a key", shown(&key)));
            scan.after(&key)
        };
    }
    Ok(())
}
