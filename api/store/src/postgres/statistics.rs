//! What PostgreSQL knows of the keys without reading them: how many there are, and where. Looked at now and then; ranges are estimated by it.

use std::sync::{
    PoisonError, RwLock,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use tokio_postgres::Client;

use super::sql::Sql;

/// What a range is taken for while PostgreSQL has not looked at the table yet (it does by itself, within a minute of the first writes).
const UNKNOWN: usize = 1000;

#[derive(Default)]
pub(super) struct Statistics {
    histogram: RwLock<Option<Histogram>>,
    /// Bytes of the entries and their index.
    pub bytes: AtomicU64,
}

/// Between each bound and the next there are equally many keys.
struct Histogram {
    keys: f64,
    bounds: Vec<Vec<u8>>,
}

impl Histogram {
    /// The part of all keys that come before this one.
    fn part(&self, key: &[u8]) -> f64 {
        let after = self.bounds.partition_point(|bound| bound.as_slice() <= key);
        #[expect(clippy::cast_precision_loss, reason = "a thousand bounds")]
        let part = after.saturating_sub(1) as f64 / self.bounds.len().saturating_sub(1).max(1) as f64;
        part.clamp(0.0, 1.0)
    }
}

impl Statistics {
    /// About how many keys lie between two.
    pub(super) fn estimate(&self, from: &[u8], to: &[u8]) -> usize {
        let histogram = self.histogram.read().unwrap_or_else(PoisonError::into_inner);
        let Some(histogram) = histogram.as_ref() else { return UNKNOWN };
        #[expect(clippy::cast_precision_loss, reason = "a thousand bounds")]
        let bucket = histogram.keys / histogram.bounds.len().saturating_sub(1).max(1) as f64;
        let keys = (histogram.part(to) - histogram.part(from)) * histogram.keys;
        // Two places in one bucket are nearer than it is wide, and nobody knows how near.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is no less than nothing")]
        let keys = if keys <= 0.0 { (bucket / 2.0).ceil() } else { keys } as usize;
        keys
    }

    /// Looks again. What cannot be looked at stays as it was.
    pub(super) async fn refresh(&self, client: &Client, sql: &Sql) -> Result<(), tokio_postgres::Error> {
        let bytes: i64 = client.query_one(&sql.size, &[]).await?.get(0);
        self.bytes.store(u64::try_from(bytes).unwrap_or(0), Relaxed);
        if let Some(row) = client.query_opt(&sql.histogram, &[]).await? {
            let (keys, bounds): (f64, Option<Vec<Vec<u8>>>) = (row.get(0), row.get(1));
            if let Some(bounds) = bounds.filter(|bounds| bounds.len() > 1 && keys >= 1.0) {
                *self.histogram.write().unwrap_or_else(PoisonError::into_inner) = Some(Histogram { keys, bounds });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_estimated_by_the_part_of_the_bounds_in_it() {
        let statistics = Statistics::default();
        assert_eq!(statistics.estimate(b"a", b"b"), UNKNOWN);
        let bounds = (0..=100_u8).map(|n| vec![n]).collect();
        *statistics.histogram.write().unwrap() = Some(Histogram { keys: 10_000.0, bounds });
        assert_eq!(statistics.estimate(&[0], &[100]), 10_000);
        assert_eq!(statistics.estimate(&[25], &[75]), 5000);
        assert_eq!(statistics.estimate(&[25, 1], &[25, 2]), 50);
        assert_eq!(statistics.estimate(&[], &[255]), 10_000);
    }
}
