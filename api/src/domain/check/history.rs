//! The journal: blocks in order, every entry numbered without a gap and naming only what came before. And what is in no known
//! space.

use store::{
    Key, Scan, Version,
    journal::{self as blocks, Appended, Position},
};

use super::ledger::{CheckError, Ledger};
use crate::domain::{
    journal::{self, Entry},
    keyspace::{self, shown},
    operations,
};

/// Checks the journal and the spaces.
pub(super) async fn check(ledger: &mut Ledger<'_>) -> Result<(), CheckError> {
    let mut last = None;
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
            for entry in &entries {
                examine(ledger, entry, last);
                last = Some(entry.at);
            }
        }
    }
    operations(ledger).await?;
    unknown_spaces(ledger).await
}

fn examine(ledger: &mut Ledger<'_>, entry: &Appended, last: Option<Position>) {
    let at = shown(&blocks::key(entry.at));
    // Where there was one before it may be gone: histories are trimmed, and erased.
    if last.is_some_and(|last| entry.at <= last) {
        ledger.damaged(format_args!("{at}: the journal's entry is out of order"));
    }
    let previous = match journal::parse(&entry.bytes) {
        Ok(Entry::Record(change, _)) => change.previous.map(journal::Link::version),
        Ok(Entry::Other(change, _)) => change.previous.map(|previous| Version::new(previous.0)),
        Err(_) => return ledger.damaged(format_args!("{at}: the journal's entry cannot be read")),
    };
    if previous.is_some_and(|previous| previous >= entry.at.version) {
        ledger.damaged(format_args!("{at}: the journal's entry names a later one as the one before"));
    }
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
