//! Kept counts, compared with what was counted.

use std::collections::HashMap;

use bytes::Bytes;
use store::{self, Key};

use super::ledger::{CheckError, Ledger};

/// Compares all counters below `prefix` with what is due: one under a key, or several. Those that are not there count as zero.
pub(super) async fn counters<const N: usize>(
    ledger: &mut Ledger<'_>,
    prefix: &Key,
    mut due: HashMap<Key, [i64; N]>,
) -> Result<(), CheckError> {
    let bytes = |counts: [i64; N]| Some(Bytes::from(counts.map(i64::to_be_bytes).concat()));
    let mut pages = ledger.pages(prefix);
    while let Some(page) = ledger.next(&mut pages).await? {
        for (key, entry) in page {
            let due = due.remove(&key).unwrap_or([0; N]);
            let what = match store::counters(&entry) {
                Some(kept) if kept == due => continue,
                Some(kept) => format!("the count is {}, and should be {}", told(kept), told(due)),
                None => "the count is no number".to_owned(),
            };
            ledger.wrong(&key, bytes(due), &what).await?;
        }
    }
    for (key, due) in due {
        if due != [0; N] {
            ledger.wrong(&key, bytes(due), &format!("the count is missing, and should be {}", told(due))).await?;
        }
    }
    Ok(())
}

fn told<const N: usize>(counts: [i64; N]) -> String {
    counts.map(|count| count.to_string()).join(" and ")
}
