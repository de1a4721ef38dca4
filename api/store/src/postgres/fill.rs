//! Filling an empty store in a database with what a backup holds, every entry with the version that it had. All of it is one transaction: what
//! is cut off leaves nothing.

use tokio_postgres::Client;
use uuid::Uuid;

use super::{connection::in_words, reader::number_of};
use crate::{Entry, FillError, Key, Version, last_changes::LastChanges};

/// Sent together: as many entries, or as many bytes.
const TOGETHER: usize = 1024;
const TOGETHER_BYTES: usize = 4 << 20;

pub(super) async fn fill<E>(
    client: &Client,
    schema: &str,
    version: Version,
    entries: impl Iterator<Item = Result<(Key, Entry), E>>,
) -> Result<(), FillError<E>> {
    let failed = |error: tokio_postgres::Error| FillError::Write { reason: in_words(&error) };
    let one = |text: String| async move { client.query_opt(&text, &[]).await.map_err(failed) };
    client.batch_execute("begin").await.map_err(failed)?;
    // Nobody commits meanwhile.
    one(format!("select 1 from \"{schema}\".store where id = 1 for update")).await?;
    let used = format!(
        "select 1 where exists (select 1 from \"{schema}\".kv) or exists (select 1 from \"{schema}\".commits where last > 0)"
    );
    if one(used).await?.is_some() {
        return Err(FillError::NotEmpty);
    }
    let text = format!(
        "insert into \"{schema}\".kv (key, version, value) select * from unnest($1::bytea[], $2::bigint[], $3::bytea[])"
    );
    let insert = client.prepare(&text).await.map_err(failed)?;
    let (mut keys, mut versions, mut values) = (Vec::new(), Vec::new(), Vec::new());
    let mut bytes = 0;
    let mut entries = entries.peekable();
    while let Some(entry) = entries.next() {
        let (key, entry) = entry.map_err(FillError::Entries)?;
        debug_assert!(entry.version <= version, "the version of a store is its latest");
        bytes += key.as_bytes().len() + entry.value.len();
        keys.push(key.as_bytes().to_vec());
        versions.push(number_of(entry.version));
        values.push(entry.value.to_vec());
        if keys.len() == TOGETHER || bytes >= TOGETHER_BYTES || entries.peek().is_none() {
            client.execute(&insert, &[&keys, &versions, &values]).await.map_err(failed)?;
            keys.clear();
            versions.clear();
            values.clear();
            bytes = 0;
        }
    }
    let changed = LastChanges::new(version).to_bytes();
    let number = number_of(version);
    let text = format!(
        "insert into \"{schema}\".commits (first, last, node, grp, changed) values ($1, $1, $2, 1, $3) on conflict (first) do nothing"
    );
    // Under the store's own id, which no node has.
    let node: Uuid =
        one(format!("select store from \"{schema}\".store where id = 1")).await?.map_or(Uuid::nil(), |row| row.get(0));
    client.execute(&text, &[&number, &node, &changed]).await.map_err(failed)?;
    client.batch_execute("commit").await.map_err(failed)?;
    // Estimates go by it, and the first pages are read without a look at every row.
    client.batch_execute(&format!("vacuum (analyze) \"{schema}\".kv")).await.map_err(failed)
}
