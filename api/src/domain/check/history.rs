//! The journal: every entry under the version of the commit that wrote it, numbered without a gap, and naming only what
//! came before. And what is in no known space.

use common::change::Change;
use store::{Key, Scan, Version, journal};

use super::ledger::{CheckError, Ledger};
use crate::domain::{keyspace, operations};

/// Checks the journal and the spaces.
pub(super) async fn check(ledger: &mut Ledger<'_>) -> Result<(), CheckError> {
    let mut last = (Version::ZERO, 0);
    let mut pages = ledger.snapshot.pages(journal::all());
    while let Some(page) = ledger.next(&mut pages).await? {
        for (key, entry) in page {
            let (Some((version, n)), Ok(change)) =
                (journal::position(&key), serde_json::from_slice::<Change>(&entry.value))
            else {
                ledger.damaged(format_args!("{key:?}: the journal's entry cannot be read"));
                continue;
            };
            if version != entry.version || version > ledger.snapshot.version() {
                ledger
                    .damaged(format_args!("{key:?}: the journal's entry was written by the commit {}", entry.version));
            }
            // A trimmed journal may begin in the middle of a commit.
            if last.0 != Version::ZERO && n != if last.0 == version { last.1 + 1 } else { 0 } {
                ledger.damaged(format_args!("{key:?}: an entry of the journal before this one is missing"));
            }
            if change.previous.is_some_and(|previous| previous.0 >= version.get()) {
                ledger.damaged(format_args!("{key:?}: the journal's entry names a later one as the one before"));
            }
            last = (version, n);
        }
    }
    operations(ledger).await?;
    unknown_spaces(ledger).await
}

/// Work in the background: its records can be read.
async fn operations(ledger: &mut Ledger<'_>) -> Result<(), CheckError> {
    let mut pages = ledger.pages(&keyspace::operations());
    while let Some(page) = ledger.next(&mut pages).await? {
        for (key, entry) in page {
            if !operations::is_readable(&key, &entry) {
                ledger.damaged(format_args!("{key:?}: the operation's record cannot be read"));
            }
        }
    }
    Ok(())
}

async fn unknown_spaces(ledger: &mut Ledger<'_>) -> Result<(), CheckError> {
    let mut scan = Scan::range(std::ops::Bound::Unbounded, std::ops::Bound::Unbounded).limit(1);
    while let Some((key, _)) = ledger.snapshot.scan(scan.clone()).await?.pop() {
        let space =
            key.elements().space().ok().and_then(|name| keyspace::SPACES.into_iter().find(|known| *known == name));
        scan = if let Some(space) = space {
            scan.beyond(&Key::space(space))
        } else {
            ledger.damaged(format_args!("{key:?}: nothing of Coffer's is kept under such a key"));
            scan.after(&key)
        };
    }
    Ok(())
}
