//! Slows guessing down: a growing lock on every account that is tried, existing or not, and a limit on failures from one IP address.
//! A device that signed in to the account before has a lock of its own (OWASP's device cookies).
//! In memory and bounded; a restart forgets. Hashing costs are bounded elsewhere ([`super::password`]). Refresh tokens and the
//! set-up code are not looked at here: nobody guesses them, and checking one costs microseconds. How often anything at all may be asked
//! is `limits`' matter.
//!
//! The lock is soft: sessions that are open go on, and it ends by itself. Its price is that someone who keeps guessing at a
//! name keeps its owner from signing in on a new device.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use base::{ClientNetwork, Clock};
use common::id::UserId;
use thiserror::Error;
use uuid::Uuid;

/// When the throttle bites.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThrottleSettings {
    /// Failures in a row on one name that cost nothing.
    pub free_failures: u32,
    /// The lock after the next one. Each further failure doubles it.
    pub first_lock: Duration,
    /// The longest lock. A name that was left in peace for as long starts afresh.
    pub longest_lock: Duration,
    /// Failures in a row that one IP address (or /64 network) may have, over all names.
    pub address_failures: u32,
    /// How soon one of them is forgiven.
    pub address_pace: Duration,
    /// How many names, and how many addresses, are remembered. Beyond that the least locked are forgotten.
    pub remembered: usize,
}

impl Default for ThrottleSettings {
    fn default() -> Self {
        Self {
            free_failures: 30,
            first_lock: Duration::from_secs(5),
            longest_lock: Duration::from_hours(24),
            address_failures: 300,
            address_pace: Duration::from_secs(2),
            remembered: 50_000,
        }
    }
}

/// No name takes more failures in a row than this, those under way included (NIST SP 800-63B §3.2.2).
const MAX_CONSECUTIVE: u32 = 100;

/// Too many failures: 429 with `Retry-After`.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
#[error("too many failed attempts")]
pub struct Locked {
    /// When to come back.
    pub retry_after: Duration,
}

/// Whose password is guessed at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Account<'a> {
    /// A user, whichever of their names was typed.
    User(UserId),
    /// A name that is nobody's, in the normal form of user names.
    Nobody(&'a str),
}

/// What failures are counted for: an account, or a device that has signed in to one before.
#[derive(Hash)]
enum Counted<'a> {
    Account(Account<'a>),
    Device(Uuid),
}

/// Admits attempts to sign in. Clones share what is remembered.
#[derive(Clone)]
pub struct Throttle(Arc<Inner>);

struct Inner {
    settings: ThrottleSettings,
    clock: Clock,
    /// What guesses are counted for is remembered by a keyed hash, so that a long name takes no more room than a short one.
    hasher: RandomState,
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    names: HashMap<u64, Name>,
    /// Until when the failures of an address are not all forgiven: one `address_pace` for each.
    addresses: HashMap<ClientNetwork, Duration>,
}

#[derive(Clone, Copy, Default)]
struct Name {
    failures: u32,
    /// Attempts that were admitted and are not decided yet.
    pending: u32,
    locked_until: Duration,
}

/// An attempt that was admitted. Say how it ended. Dropped without a word it counts neither way: nothing was compared, for want
/// of room or because the caller hung up and will not learn the outcome.
#[must_use = "an attempt that is dropped does not count"]
pub struct Attempt {
    throttle: Throttle,
    name: u64,
    address: ClientNetwork,
}

impl Throttle {
    /// A throttle that remembers nothing yet.
    pub fn new(settings: ThrottleSettings, clock: Clock) -> Self {
        Self(Arc::new(Inner { settings, clock, hasher: RandomState::new(), memory: Mutex::default() }))
    }

    /// Asks for an attempt on an account from `address`. `device` is the id of a token that shows that this user has signed in there
    /// before: its guesses are counted by themselves, so that strangers' guesses do not keep it out. Once it is locked itself, it is a
    /// stranger like others.
    pub fn admit(&self, account: Account<'_>, address: IpAddr, device: Option<Uuid>) -> Result<Attempt, Locked> {
        if let Some(attempt) = device.and_then(|device| self.admit_for(&Counted::Device(device), address).ok()) {
            return Ok(attempt);
        }
        self.admit_address(address)?;
        self.admit_for(&Counted::Account(account), address)
    }

    /// Forgets the failures of an account, and with them its lock.
    pub fn unlock(&self, account: Account<'_>) {
        let key = self.0.hasher.hash_one(Counted::Account(account));
        if let Some(state) = self.memory().names.get_mut(&key) {
            *state = Name { pending: state.pending, ..Name::default() };
        }
    }

    fn admit_for(&self, counted: &Counted<'_>, address: IpAddr) -> Result<Attempt, Locked> {
        let settings = &self.0.settings;
        let key = self.0.hasher.hash_one(counted);
        let now = self.0.clock.elapsed();
        let mut memory = self.memory();
        if memory.names.len() >= settings.remembered && !memory.names.contains_key(&key) {
            forget(&mut memory.names, |name| name.locked_until);
        }
        let state = memory.names.entry(key).or_default();
        let left = state.locked_until.saturating_sub(now);
        if !left.is_zero() {
            return Err(Locked { retry_after: left });
        }
        if state.failures > 0 && now >= state.locked_until.saturating_add(settings.longest_lock) {
            state.failures = 0;
        }
        if state.pending > 0 && state.failures + state.pending >= MAX_CONSECUTIVE {
            return Err(Locked { retry_after: Duration::from_secs(1) });
        }
        state.pending += 1;
        Ok(Attempt { throttle: self.clone(), name: key, address: ClientNetwork::of(address) })
    }

    /// Asks whether `address` may try any name at all.
    fn admit_address(&self, address: IpAddr) -> Result<(), Locked> {
        let settings = &self.0.settings;
        let now = self.0.clock.elapsed();
        let Some(forgiven) = self.memory().addresses.get(&ClientNetwork::of(address)).copied() else { return Ok(()) };
        let room = settings.address_pace * settings.address_failures.saturating_sub(1);
        match forgiven.saturating_sub(now).checked_sub(room) {
            None | Some(Duration::ZERO) => Ok(()),
            Some(retry_after) => Err(Locked { retry_after }),
        }
    }

    fn count_address(&self, memory: &mut Memory, key: ClientNetwork) {
        let settings = &self.0.settings;
        let now = self.0.clock.elapsed();
        if memory.addresses.len() >= settings.remembered && !memory.addresses.contains_key(&key) {
            memory.addresses.retain(|_, forgiven| *forgiven > now);
            if memory.addresses.len() >= settings.remembered {
                forget(&mut memory.addresses, |forgiven| *forgiven);
            }
        }
        let forgiven = memory.addresses.entry(key).or_default();
        *forgiven = (*forgiven).max(now) + settings.address_pace;
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        // A panic elsewhere cannot leave these plain values half written.
        self.0.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attempt {
    /// The password was right: the name's failures are forgotten. Those of the address are not, or anyone with an account
    /// of their own could guess at others without end.
    pub fn succeeded(self) {
        if let Some(state) = self.throttle.memory().names.get_mut(&self.name) {
            *state = Name { pending: state.pending, ..Name::default() };
        }
    }

    /// The password was wrong, or the user does not exist or is not active. The lock that this failure began, if it did.
    pub fn failed(self) -> Option<Locked> {
        let settings = &self.throttle.0.settings;
        let now = self.throttle.0.clock.elapsed();
        let mut memory = self.throttle.memory();
        self.throttle.count_address(&mut memory, self.address);
        let state = memory.names.entry(self.name).or_default();
        state.failures = state.failures.saturating_add(1);
        let Some(doublings) = state.failures.checked_sub(settings.free_failures + 1) else {
            // Not locked, but remembered from now on.
            state.locked_until = state.locked_until.max(now);
            return None;
        };
        let lock = settings.first_lock.saturating_mul(1_u32.checked_shl(doublings).unwrap_or(u32::MAX));
        let lock = lock.min(settings.longest_lock);
        state.locked_until = state.locked_until.max(now + lock);
        Some(Locked { retry_after: lock })
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        let mut memory = self.throttle.memory();
        let Some(state) = memory.names.get_mut(&self.name) else { return };
        state.pending = state.pending.saturating_sub(1);
        if state.pending == 0 && state.failures == 0 {
            memory.names.remove(&self.name);
        }
    }
}

/// Drops the eighth of the entries that matters least: those whose time runs out first.
fn forget<K: std::hash::Hash + Eq, V>(entries: &mut HashMap<K, V>, until: impl Fn(&V) -> Duration) {
    let mut ends: Vec<Duration> = entries.values().map(&until).collect();
    let drop = ends.len() / 8 + 1;
    let cutoff = *ends.select_nth_unstable((drop - 1).min(entries.len() - 1)).1;
    let mut left = drop;
    entries.retain(|_, value| {
        let goes = left > 0 && until(value) <= cutoff;
        left -= usize::from(goes);
        !goes
    });
}

#[cfg(test)]
mod tests;
