//! The first admin: made once, ever, with a code that only who started the server has seen (`docs/security.md`, P12).

use std::{fmt, net::IpAddr, sync::Mutex, time::Duration};

use base::{Clock, Entropy};
use common::{
    access::Caller,
    endpoints::{setup::SetUp, users::NewUser},
    name::Username,
    problem::{FieldError, FieldErrors},
    user::User,
};
use sha2::{Digest, Sha256};

use super::{App, Error, Result, journal::Actor, keyspace, users};
use crate::store::{CommitError, Expect, Scan, Store};

/// How long a code holds. After that the server has to be started again.
pub const CODE_LIFETIME: Duration = Duration::from_hours(1);

/// The one-time code. Its text is shown once, by [`SetupCode::new`]'s caller; only a digest is kept.
pub struct SetupCode(Mutex<Option<Pending>>);

struct Pending {
    digest: [u8; 32],
    made: Duration,
}

impl fmt::Debug for SetupCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SetupCode(…)")
    }
}

impl SetupCode {
    /// No code: there is an admin already.
    pub fn none() -> Self {
        Self(Mutex::new(None))
    }

    /// A new code and its text: 20 characters that cannot be mistaken for each other, 100 bits.
    pub fn new(entropy: &Entropy, clock: &Clock) -> (Self, String) {
        const ALPHABET: &[u8; 32] = b"23456789abcdefghjkmnpqrstuvwxyzk";
        let text: String =
            entropy.bytes::<20>().iter().map(|byte| char::from(ALPHABET[usize::from(byte & 31)])).collect();
        let pending = Pending { digest: Sha256::digest(text.as_bytes()).into(), made: clock.elapsed() };
        (Self(Mutex::new(Some(pending))), text)
    }

    /// Whether `code` is the one. Digests are compared, so time tells nothing of the text; at 100 bits nobody guesses it, and
    /// a limit on tries would let a stranger use them up.
    fn matches(&self, code: &str, clock: &Clock) -> bool {
        let mut slot = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let Some(pending) = slot.as_ref() else { return false };
        if clock.elapsed().saturating_sub(pending.made) > CODE_LIFETIME {
            *slot = None;
            return false;
        }
        let digest: [u8; 32] = Sha256::digest(code.trim().as_bytes()).into();
        digest == pending.digest
    }
}

/// Whether the first admin is still to be made.
pub async fn required(store: &Store) -> Result<bool> {
    if store.get(&keyspace::set_up()).await?.is_some() {
        return Ok(false);
    }
    Ok(store.scan(Scan::prefix(&keyspace::users()).limit(1)).await?.is_empty())
}

/// Makes the first admin. Of several at once one wins.
pub async fn create(app: &App, body: SetUp, address: IpAddr) -> Result<User> {
    if !required(&app.store).await? {
        return Err(already_done());
    }
    if !app.setup.matches(&body.code, &app.clock) {
        let message =
            "This code does not hold. Use the link that the server printed; start the server again for a new one.";
        return Err(FieldErrors::of("code", FieldError::new("invalid", message)).into());
    }
    first_admin(app, Actor::at(&Caller::Anonymous, address), body.username, &body.password).await
}

/// Makes the first admin without a code: `by` has shown one, or has the machine itself.
pub async fn first_admin(app: &App, by: Actor<'_>, username: Username, password: &str) -> Result<User> {
    let hash = users::hash(app, "password", &username, password).await?;
    let new = NewUser { username, password: String::new(), roles: Vec::new(), is_admin: true, is_active: true };
    let (user, batch) = users::stage_create(app, by, new, &hash)?;
    let batch = batch.expect(keyspace::set_up(), Expect::Absent).put(keyspace::set_up(), user.id.to_string());
    match app.store.commit(batch).await {
        Ok(_) => Ok(user),
        Err(CommitError::Conflict { .. }) => Err(already_done()),
        Err(error) => Err(error.into()),
    }
}

fn already_done() -> Error {
    Error::Conflict("Set-up is done already. Sign in with the account that was made then.".to_owned())
}
