//! How much each caller has left: one moment for each, the one at which their allowance is whole again (the generic cell rate
//! algorithm). Callers are spread over a few maps with a lock each, held for a look-up; what is remembered is bounded.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::{class::Class, policy::Policy};

const SHARDS: usize = 64;
/// Callers that each shard remembers: 65,536 in all, which take about 5 MB.
const REMEMBERED: usize = 1024;

/// Whose allowance of what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct BucketKey {
    pub(super) class: Class,
    pub(super) kind: u8,
    pub(super) id: u128,
}

/// What is left of a payer's allowance after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// Of what.
    pub class: Class,
    /// Requests that may follow at once.
    pub remaining: u32,
    /// Until the whole allowance is there again.
    pub reset: Duration,
    /// The request was one too many; the next is let through after this.
    pub refused: Option<Duration>,
}

/// The moments by caller.
pub(super) struct Buckets {
    /// In nanoseconds of the clock.
    shards: Box<[Mutex<HashMap<BucketKey, u64>>]>,
    /// Keyed by chance, so that nobody can choose addresses that meet in one shard.
    hasher: RandomState,
}

impl Default for Buckets {
    fn default() -> Self {
        Self { hasher: RandomState::new(), shards: (0..SHARDS).map(|_| Mutex::default()).collect() }
    }
}

impl Buckets {
    /// Takes one request at `now`, if there is one left.
    pub(super) fn take(&self, key: BucketKey, policy: Policy, now: Duration) -> Allowance {
        let (now, pace) = (nanos(now), nanos(policy.pace()));
        let capacity = pace * u64::from(policy.quota());
        let mut shard = self.shard(&key);
        if shard.len() >= REMEMBERED && !shard.contains_key(&key) {
            make_room(&mut shard, now);
        }
        // What the caller has used, and not got back yet.
        let used = shard.get(&key).map_or(0, |whole_at| whole_at.saturating_sub(now));
        let Some(left) = capacity.checked_sub(used + pace) else {
            let refused = Duration::from_nanos((used + pace).saturating_sub(capacity));
            return Allowance {
                class: key.class,
                remaining: 0,
                reset: Duration::from_nanos(used),
                refused: Some(refused),
            };
        };
        shard.insert(key, now + used + pace);
        drop(shard);
        let remaining = u32::try_from(left / pace).unwrap_or(u32::MAX);
        Allowance { class: key.class, remaining, reset: Duration::from_nanos(used + pace), refused: None }
    }

    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).len()).sum()
    }

    fn shard(&self, key: &BucketKey) -> MutexGuard<'_, HashMap<BucketKey, u64>> {
        // The low bits; less than there are shards.
        let at = usize::try_from(self.hasher.hash_one(key) % SHARDS as u64).unwrap_or_default();
        lock(&self.shards[at])
    }
}

/// Forgets callers: first those whose allowance is whole, which changes nothing for them. Where that is not much, then also the
/// eighth that is nearest to it, so that a flood is no reason to forget who is held back.
fn make_room(shard: &mut HashMap<BucketKey, u64>, now: u64) {
    shard.retain(|_, whole_at| *whole_at > now);
    let spare = REMEMBERED / 8;
    if shard.len() <= REMEMBERED - spare {
        return;
    }
    let mut moments: Vec<u64> = shard.values().copied().collect();
    let cutoff = *moments.select_nth_unstable(spare - 1).1;
    let mut left = spare;
    shard.retain(|_, whole_at| {
        let goes = left > 0 && *whole_at <= cutoff;
        left -= usize::from(goes);
        !goes
    });
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX / 2)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic elsewhere cannot leave these plain values half written.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
