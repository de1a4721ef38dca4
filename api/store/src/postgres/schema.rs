//! The tables: made on request, and looked at by every start.

use std::time::Duration;

use base::Entropy;
use bytes::Bytes;
use tokio::time::sleep;
use tokio_postgres::{Client, error::SqlState};
use uuid::Uuid;

use super::{connection::in_words, sql::Sql};
use crate::{FORMAT, OpenError, Version, last_changes::LastChanges};

/// How often making the tables is tried: of several at once all but one may be refused.
const TRIES: u32 = 20;

/// What a database says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    /// Given to it when it was made.
    pub store: Uuid,
    /// How often commits of it were given up.
    pub epoch: i64,
    pub format: u32,
}

/// Whether a name can be a schema's here: it is written into statements, so it is plain.
pub(super) fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_lowercase() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        && name.len() <= 63
        && !name.starts_with("pg_")
}

pub(super) fn refused(error: &tokio_postgres::Error) -> OpenError {
    let advice = match error.code() {
        Some(code) if *code == SqlState::INSUFFICIENT_PRIVILEGE => {
            "run coffer database init as the owner, which prints what the server's role needs"
        }
        _ => "look into its log",
    };
    OpenError::Database { what: in_words(error), advice: advice.to_owned() }
}

/// The identity of the store in a database; `None` if there is none.
pub(super) async fn look(client: &Client, sql: &Sql) -> Result<Option<Identity>, OpenError> {
    match client.query_opt(&sql.store, &[]).await {
        Ok(row) => Ok(row.map(|row| Identity {
            store: row.get(0),
            epoch: row.get(1),
            format: u32::try_from(row.get::<_, i32>(2)).unwrap_or(u32::MAX),
        })),
        Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => Ok(None),
        Err(error) if error.code() == Some(&SqlState::INVALID_SCHEMA_NAME) => Ok(None),
        Err(error) => Err(refused(&error)),
    }
}

/// Makes tables without a store in them. Any number of processes may do so at once.
pub(super) async fn make_tables(client: &Client, schema: &str) -> Result<(), OpenError> {
    let text = format!("begin; {}; commit", Sql::tables(schema).join("; "));
    retry(client, &text).await
}

/// Makes a store, if there is none, whose last commit is `version`.
pub(super) async fn make_store(client: &Client, schema: &str, id: Uuid, version: Version) -> Result<(), OpenError> {
    let changed = Bytes::from(LastChanges::new(version).to_bytes());
    // A commit before the first, so that a moment can always be named.
    let text = format!(
        "begin; insert into \"{schema}\".store (id, store, format, epoch) values (1, '{id}', {FORMAT}, 1) on conflict do nothing; insert into \
         \"{schema}\".commits (first, last, node, grp, changed) select {version}, {version}, '{id}', 0, '\\x{changed:x}'::bytea where not exists \
         (select 1 from \"{schema}\".commits) on conflict do nothing; commit"
    );
    retry(client, &text).await
}

async fn retry(client: &Client, text: &str) -> Result<(), OpenError> {
    // Several at once: what one makes, the other finds half made.
    let passing = [
        SqlState::UNIQUE_VIOLATION,
        SqlState::DUPLICATE_SCHEMA,
        SqlState::DUPLICATE_TABLE,
        SqlState::DUPLICATE_OBJECT,
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::INTERNAL_ERROR,
    ];
    let mut tries = 0;
    loop {
        let Err(error) = client.batch_execute(text).await else { return Ok(()) };
        let _ = client.batch_execute("rollback").await;
        tries += 1;
        if tries == TRIES || !error.code().is_some_and(|code| passing.contains(code)) {
            return Err(refused(&error));
        }
        sleep(Duration::from_millis(20 * u64::from(tries))).await;
    }
}

/// Refuses a database that takes commits back by itself after a power cut.
pub(super) async fn check_durable(client: &Client) -> Result<(), OpenError> {
    for setting in ["fsync", "synchronous_commit", "full_page_writes"] {
        let text = format!("select pg_catalog.current_setting('{setting}')");
        let value: String = client.query_one(&text, &[]).await.map_err(|error| refused(&error))?.get(0);
        if value == "off" {
            return Err(OpenError::Database {
                what: format!("{setting} is off, so a power cut would take back what was acknowledged"),
                advice: format!("turn {setting} on, or start with --accept-data-loss"),
            });
        }
    }
    Ok(())
}

/// Gives commits up that are missing: the next one is after `later`, and everything counts as changed.
pub(super) async fn pass_over(client: &Client, schema: &str, found: Version, later: Version) -> Result<(), OpenError> {
    let changed = Bytes::from(LastChanges::new(later).to_bytes());
    let (first, id) = (found.next(), Uuid::from_bytes(Entropy::system().bytes()));
    let text = format!(
        "begin; update \"{schema}\".store set epoch = epoch + 1 where id = 1; insert into \"{schema}\".commits (first, last, node, grp, \
         changed) values ({first}, {later}, '{id}', 0, '\\x{changed:x}'::bytea); commit"
    );
    retry(client, &text).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_has_a_plain_name() {
        for name in ["coffer", "_x", "a1_b"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "Coffer", "a-b", "a\"b", "1a", "pg_x", "a b", &"a".repeat(64)] {
            assert!(!is_name(name), "{name}");
        }
    }
}
