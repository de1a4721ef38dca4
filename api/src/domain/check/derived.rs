//! Kept counts, compared with what was counted.

use std::collections::HashMap;

use bytes::Bytes;

use super::{CheckError, ledger::Ledger};
use crate::store::{Key, counter};

/// Compares all counters below `prefix` with what is due. One that is not there counts as zero.
pub(super) async fn counters(
    ledger: &mut Ledger<'_>,
    prefix: &Key,
    mut due: HashMap<Key, i64>,
) -> Result<(), CheckError> {
    let bytes = |count: i64| Some(Bytes::copy_from_slice(&count.to_be_bytes()));
    let mut walk = ledger.walk(prefix);
    while let Some(stretch) = ledger.next(&mut walk).await? {
        for (key, entry) in stretch {
            let due = due.remove(&key).unwrap_or(0);
            let what = match counter(&entry) {
                Some(kept) if kept == due => continue,
                Some(kept) => format!("the count is {kept}, and should be {due}"),
                None => "the count is no number".to_owned(),
            };
            ledger.wrong(&key, bytes(due), &what).await?;
        }
    }
    for (key, due) in due {
        if due != 0 {
            ledger.wrong(&key, bytes(due), &format!("the count is missing, and should be {due}")).await?;
        }
    }
    Ok(())
}
