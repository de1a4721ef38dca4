//! A server within the test, whose clock stands until the test moves it.

use std::time::Duration;

use auth::{
    keys::KeyRing,
    password::{Hasher, HasherSettings, Peppers},
    setup_code::SetupCode,
    throttle::{Throttle, ThrottleSettings},
    token::TokenSettings,
};
use base::{Clock, ClockHand, Entropy};
use coffer::{
    assets::Assets,
    domain::{App, Parts, access_claims::AccessClaim, deadline::Reading, rotation::Rotation, sessions},
    limits::{self, Limits},
    routes,
};
use server::{Server, ServerOptions, TrustedProxy};
use store::{Options, Store};
use tempfile::TempDir;

use super::furnish;
use crate::support::{Client, server::http_client};

/// What a test may want otherwise.
pub(crate) struct Settings {
    pub throttle: ThrottleSettings,
    pub hasher: HasherSettings,
    pub peppers: Peppers,
    pub rotation: Rotation,
    pub session_lifetime: Duration,
    pub access_claims: Vec<AccessClaim>,
    pub max_sessions: usize,
    pub reading: Reading,
    pub store: Store,
    pub trusted_proxies: Vec<TrustedProxy>,
    pub limits: limits::Settings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            throttle: ThrottleSettings::default(),
            hasher: HasherSettings::default(),
            peppers: Peppers::default(),
            rotation: Rotation::default(),
            session_lifetime: sessions::LIFETIME,
            access_claims: Vec::new(),
            max_sessions: sessions::MAX_SESSIONS,
            reading: Reading::default(),
            store: Store::open(Options::memory()).unwrap(),
            trusted_proxies: Vec::new(),
            // Its clock gives nothing back.
            limits: limits::Settings::off(),
        }
    }
}

/// The server; it ends with the test's runtime.
pub(crate) struct Held {
    pub app: App,
    pub hand: ClockHand,
    pub setup_code: String,
    base: String,
    _keys: TempDir,
}

impl Held {
    /// Starts a server without an admin.
    pub(crate) fn start(settings: Settings) -> Self {
        let keys = tempfile::tempdir().unwrap();
        let entropy = Entropy::system();
        let (clock, hand) = Clock::held(1_800_000_000);
        let ring = KeyRing::open(keys.path(), &clock, &entropy).unwrap();
        let (setup, setup_code) = SetupCode::new(&entropy, &clock);
        let hasher = Hasher::new(settings.hasher, settings.peppers, entropy.clone()).unwrap();
        let throttle = Throttle::new(settings.throttle, clock.clone());
        let mut parts = Parts::new(settings.store, clock, entropy, &ring, TokenSettings::default(), hasher).unwrap();
        parts.core.reading = settings.reading;
        parts.auth.throttle = throttle;
        parts.auth.rotation = settings.rotation;
        parts.auth.session_lifetime = settings.session_lifetime;
        parts.auth.access_claims = settings.access_claims;
        parts.auth.max_sessions = settings.max_sessions;
        parts.auth.setup_code = setup;
        let app = App::new(parts);
        let options = ServerOptions {
            listen: vec!["127.0.0.1:0".parse().unwrap()],
            trusted_proxies: settings.trusted_proxies,
            ..ServerOptions::default()
        };
        let server = Server::bind(options).unwrap();
        let base = format!("http://{}", server.addresses().unwrap()[0]);
        let limits = Limits::new(settings.limits, app.core().clock.clone());
        let filter =
            routes::filter(app.clone(), Assets::embedded(), routes::Options { limits, ..routes::Options::default() });
        tokio::spawn(server.run(warp::service(filter), std::future::pending()));
        Self { app, hand, setup_code, base, _keys: keys }
    }

    /// Starts a server with an admin, who is signed in.
    pub(crate) async fn with_admin(settings: Settings) -> (Self, Client) {
        let held = Self::start(settings);
        let admin = furnish(&held.stranger(), &held.setup_code).await;
        (held, admin)
    }

    /// Somebody without a token.
    pub(crate) fn stranger(&self) -> Client {
        let http = http_client().build().unwrap();
        Client { http, base: self.base.clone(), access: None, id: String::new() }
    }
}
