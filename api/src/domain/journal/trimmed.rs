//! How far back the journal tells all that happened. Who goes on from an earlier place could miss something, and has to begin again.

use store::{Batch, Expect, Snapshot, Version, counter};

use crate::domain::{error::Result, keyspace};

/// The last commit of which an entry was taken out; [`Version::ZERO`] where none was.
pub async fn trimmed(snapshot: &Snapshot) -> Result<Version> {
    let stored = snapshot.get(&keyspace::trimmed()).await?;
    let version = stored.as_ref().and_then(counter).and_then(|version| u64::try_from(version).ok());
    Ok(version.map_or(Version::ZERO, Version::new))
}

/// Notes in the batch that takes entries out that the last of them was of this commit.
pub async fn note_trimmed(snapshot: &Snapshot, batch: &mut Batch, version: Version) -> Result<()> {
    let (key, stored) = (keyspace::trimmed(), snapshot.get(&keyspace::trimmed()).await?);
    if version > trimmed(snapshot).await? {
        let expected = stored.map_or(Expect::Absent, |stored| Expect::Version(stored.version));
        let value = i64::try_from(version.get()).unwrap_or(i64::MAX);
        batch.expect(key.clone(), expected).put(key, value.to_be_bytes().to_vec());
    }
    Ok(())
}
