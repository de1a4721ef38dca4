//! What Coffer does, without HTTP: sessions, users, collections, records. Functions here take and return `common`'s types
//! and [`Error`]; they have never heard of a status code. All state is in the store, behind [`App`].

pub mod backup;
pub mod check;
pub mod collections;
pub mod deadline;
pub mod demo;
pub mod error;
pub mod journal;
pub mod keyspace;
pub mod records;
pub mod sessions;
pub mod setup;
mod tries;
pub mod usage;
pub mod users;
pub mod walk;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use base::{Clock, Entropy, IdSource};

use crate::{
    auth::{
        keys::KeyRing,
        password::Hasher,
        password_policy::Policy,
        throttle::{Throttle, ThrottleSettings},
        token::{Issuer, TokenSettings, UnusableKey, Verifier},
    },
    store::Store,
};

pub use error::{Error, Result};

/// Everything that a request needs. Clones are handles to the same.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// What an [`App`] is made of.
pub struct Parts {
    /// Where all state is.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// Randomness.
    pub entropy: Entropy,
    /// New ids.
    pub ids: IdSource,
    /// Signs tokens.
    pub issuer: Issuer,
    /// Checks tokens.
    pub verifier: Verifier,
    /// Hashes passwords.
    pub hasher: Hasher,
    /// Which passwords are let in.
    pub policy: Policy,
    /// Slows guessing down.
    pub throttle: Throttle,
    /// Parsed collections, by the version they were read at.
    pub collections: collections::Cache,
    /// Who asked lately, by the version they were read at.
    pub kept: sessions::Kept,
    /// The code for the first admin, while there is none.
    pub setup: setup::SetupCode,
    /// How much a user may own.
    pub quota: usage::Quota,
    /// A refresh token is spent by its use.
    pub rotation: bool,
    /// How long a session lives at most.
    pub session_lifetime: Duration,
    /// How long a refresh token lives.
    pub refresh_lifetime: Duration,
    /// How long requests may go on reading, and how many at once.
    pub reading: deadline::Reading,
    /// The server is going down: it finishes what it has and wants nothing new.
    pub draining: AtomicBool,
}

impl Parts {
    /// The parts over a store, with nothing set otherwise than usual, and no set-up expected.
    pub fn new(
        store: Store,
        (clock, entropy): (Clock, Entropy),
        ring: &KeyRing,
        tokens: TokenSettings,
        hasher: Hasher,
    ) -> std::result::Result<Self, UnusableKey> {
        let ids = IdSource::new(clock.clone(), entropy.clone());
        Ok(Self {
            issuer: Issuer::new(ring, tokens.clone(), clock.clone(), ids.clone())?,
            refresh_lifetime: tokens.refresh_lifetime,
            verifier: Verifier::new(ring, tokens, clock.clone())?,
            hasher,
            policy: Policy::default(),
            throttle: Throttle::new(ThrottleSettings::default(), clock.clone()),
            collections: collections::Cache::default(),
            kept: sessions::Kept::default(),
            setup: setup::SetupCode::none(),
            quota: usage::Quota::default(),
            rotation: true,
            session_lifetime: sessions::LIFETIME,
            reading: deadline::Reading::default(),
            draining: AtomicBool::new(false),
            store,
            clock,
            entropy,
            ids,
        })
    }
}

impl App {
    /// The application over these parts.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// Whether the server is going down.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// The time, as it is written into records.
    pub fn timestamp(&self) -> String {
        common::validate::format_moment(truncated(self.clock.now()))
    }
}

impl std::ops::Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// A moment to the microsecond: what the contract's times can say.
fn truncated(moment: time::OffsetDateTime) -> time::OffsetDateTime {
    moment.replace_nanosecond(moment.nanosecond() / 1000 * 1000).unwrap_or(moment)
}
