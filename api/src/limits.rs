//! How often a caller may ask: a token bucket for each caller and class of route, in bounded memory. Which caller pays and what
//! the refusal looks like is decided in `routes/rate_limit.rs` and `routes/error.rs`; guessing at passwords is slowed down in `auth/throttle.rs`, on top of this.
//!
//! - `class`: which requests share an allowance
//! - `policy`: how much is allowed, as it is written on the command line
//! - `buckets`: who has how much of it left
//! - `streams`: how many streams of events are open

mod buckets;
mod class;
mod policy;
mod streams;

use std::{
    array,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use base::{ClientNetwork, Clock};
use uuid::Uuid;

use buckets::{BucketKey, Buckets};

pub use buckets::Allowance;
pub use class::Class;
pub use policy::{Policy, PolicyError, Settings};
pub use streams::{StreamLimits, StreamPermit, StreamsTaken};

/// Whose allowance a request takes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Payer {
    /// Nobody who is known: an address, or a whole /64 network of IPv6.
    Address(IpAddr),
    /// A user, wherever they are.
    User(Uuid),
    /// A session, named by a signed token: nobody without it can use its allowance up.
    Session(Uuid),
}

/// The allowances of all callers. Clones are the same ones. [`Limits::default`] limits nothing.
#[derive(Clone)]
pub struct Limits(Arc<Inner>);

struct Inner {
    settings: Settings,
    clock: Clock,
    buckets: Buckets,
    refused: [[AtomicU64; PAYERS.len()]; Class::ALL.len()],
}

/// What payers are called in the metrics.
const PAYERS: [&str; 3] = ["address", "user", "session"];

impl Payer {
    /// Which of [`PAYERS`], and who.
    fn parts(self) -> (u8, u128) {
        match self {
            Self::Address(address) => (0, ClientNetwork::of(address).bits()),
            Self::User(id) => (1, id.as_u128()),
            Self::Session(id) => (2, id.as_u128()),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::new(Settings::off(), Clock::system())
    }
}

impl Limits {
    /// Allowances that are whole.
    pub fn new(settings: Settings, clock: Clock) -> Self {
        let refused = array::from_fn(|_| array::from_fn(|_| AtomicU64::new(0)));
        Self(Arc::new(Inner { settings, clock, buckets: Buckets::default(), refused }))
    }

    /// How much of a class is allowed, if it is limited.
    pub fn policy(&self, class: Class) -> Option<Policy> {
        self.0.settings.policy(class)
    }

    /// Takes one request from the allowance of `payer`. `None` where nothing is limited. Of several at once exactly as many
    /// are let through as there are left.
    pub fn take(&self, class: Class, payer: Payer) -> Option<Allowance> {
        let shared = &*self.0;
        let policy = shared.settings.policy(class)?;
        let (kind, id) = payer.parts();
        let state = shared.buckets.take(BucketKey { class, kind, id }, policy, shared.clock.elapsed());
        if state.refused.is_some() {
            shared.refused[class as usize][usize::from(kind)].fetch_add(1, Relaxed);
        }
        Some(state)
    }

    /// How many requests were refused: class, kind of payer, number.
    pub fn refused(&self) -> impl Iterator<Item = (&'static str, &'static str, u64)> {
        Class::ALL.into_iter().zip(&self.0.refused).flat_map(|(class, counts)| {
            PAYERS.into_iter().zip(counts).map(move |(payer, count)| (class.name(), payer, count.load(Relaxed)))
        })
    }

    /// How many callers are remembered.
    pub fn remembered(&self) -> usize {
        self.0.buckets.len()
    }
}

#[cfg(test)]
mod tests;
