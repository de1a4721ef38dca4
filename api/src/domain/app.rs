//! The application: the store with what goes with it, and sign-in.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use auth::{
    keys::{self, KeyRing},
    password::Hasher,
    password_policy::Policy,
    seal::Sealer,
    setup_code::SetupCode,
    throttle::{Throttle, ThrottleSettings},
    token::{Claims, Issuer, TokenError, TokenSettings, TokenType, UnusableKey, Verifier},
};
use base::{Clock, Entropy, IdSource};
use common::{
    endpoints::keys::{Key, KeyState, Keys},
    validate::format_moment,
};
use store::Store;
use tokio::sync::Mutex;

use super::{
    access_claims::AccessClaim, callers::Callers, clock_warning::ClockWarning, core::Core, events::Events,
    refused::RefusedSignIns, rotation::Rotation, sessions, sign_in_counts::SignInCounts,
};

/// Everything that a request needs. Clones are handles to the same.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    parts: Parts,
    draining: AtomicBool,
    events: Events,
}

/// What an [`App`] is made of.
pub struct Parts {
    /// The store, and what goes with reading and changing it.
    pub core: Core,
    /// Sign-in.
    pub auth: Auth,
}

/// What sign-in works with.
pub struct Auth {
    /// Randomness.
    pub entropy: Entropy,
    /// Signs tokens.
    pub issuer: Issuer,
    /// Checks tokens.
    pub verifier: Verifier,
    /// What may be told of the keys.
    pub keys: Keys,
    /// Seals cursors.
    pub sealer: Sealer,
    /// Hashes passwords.
    pub hasher: Hasher,
    /// Which passwords are let in.
    pub policy: Policy,
    /// Slows guessing down.
    pub throttle: Throttle,
    /// Held while a name is compared with all others and given.
    pub naming: Mutex<()>,
    /// The callers of recent requests.
    pub callers: Callers,
    /// The code for the first admin, while there is none.
    pub setup_code: SetupCode,
    /// What a use does to a refresh token.
    pub rotation: Rotation,
    /// What access tokens say of their user beside what every token says.
    pub access_claims: Vec<AccessClaim>,
    /// How many sign-ins there were.
    pub sign_ins: SignInCounts,
    /// Room for refused sign-ins in the journal.
    pub refused: RefusedSignIns,
    /// Says in the log that the clock is behind.
    pub clock_warning: ClockWarning,
    /// How many sessions a user may hold.
    pub max_sessions: usize,
    /// How long a session lives at most.
    pub session_lifetime: Duration,
    /// How long a refresh token lives.
    pub refresh_lifetime: Duration,
}

impl Parts {
    /// The parts over a store, with the usual settings, and no set-up expected.
    pub fn new(
        store: Store,
        clock: Clock,
        entropy: Entropy,
        ring: &KeyRing,
        tokens: TokenSettings,
        hasher: Hasher,
    ) -> Result<Self, UnusableKey> {
        let ids = IdSource::new(clock.clone(), entropy.clone());
        let auth = Auth {
            entropy,
            issuer: Issuer::new(ring, tokens.clone(), clock.clone(), ids.clone())?,
            refresh_lifetime: tokens.refresh_lifetime,
            verifier: Verifier::new(ring, tokens, clock.clone())?,
            keys: keys(ring),
            sealer: Sealer::new(ring),
            hasher,
            policy: Policy::default(),
            naming: Mutex::default(),
            throttle: Throttle::new(ThrottleSettings::default(), clock.clone()),
            callers: Callers::default(),
            setup_code: SetupCode::none(),
            rotation: Rotation::default(),
            access_claims: Vec::new(),
            sign_ins: SignInCounts::default(),
            refused: RefusedSignIns::default(),
            clock_warning: ClockWarning::default(),
            max_sessions: sessions::MAX_SESSIONS,
            session_lifetime: sessions::LIFETIME,
        };
        Ok(Self { core: Core::new(store, clock, ids), auth })
    }
}

/// What may be told of a ring: the key that signs first, the newest of the others before the older ones.
fn keys(ring: &KeyRing) -> Keys {
    let told = |key: &keys::SigningKey| Key {
        kid: key.kid().to_owned(),
        algorithm: key.algorithm().as_str().to_owned(),
        state: match key.state() {
            keys::KeyState::Active => KeyState::Active,
            keys::KeyState::VerifyOnly => KeyState::VerifyOnly,
            keys::KeyState::Retired => KeyState::Retired,
        },
        created_at: format_moment(key.created_at()),
        is_public: key.is_public(),
    };
    let mut results: Vec<Key> = ring.keys().iter().rev().map(told).collect();
    results.sort_by_key(|key| key.state != KeyState::Active);
    Keys { are_given: false, results }
}

impl Auth {
    /// The claims of a token of this type that is good now.
    pub fn verify(&self, core: &Core, token: &str, kind: TokenType) -> Result<Claims, TokenError> {
        self.verifier.verify(token, kind).inspect_err(|error| self.clock_warning.look_at(*error, &core.clock))
    }
}

impl App {
    /// The application over these parts.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(Inner { parts, draining: AtomicBool::new(false), events: Events::default() }))
    }

    /// Who follows what happens.
    pub fn events(&self) -> &Events {
        &self.0.events
    }

    /// The store, and what goes with reading and changing it.
    pub fn core(&self) -> &Core {
        &self.0.parts.core
    }

    /// Sign-in.
    pub fn auth(&self) -> &Auth {
        &self.0.parts.auth
    }

    /// From now on the server finishes what it has and wants nothing new.
    pub fn drain(&self) {
        self.0.draining.store(true, Ordering::Relaxed);
        self.events().hub.stop();
    }

    /// Whether the server is going down.
    pub fn is_draining(&self) -> bool {
        self.0.draining.load(Ordering::Relaxed)
    }
}
