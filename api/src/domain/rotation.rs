//! Refresh tokens follow each other in one chain for each session, and never branch: what is stored of a session names the token that
//! is current, and the one successor that its uses are answered with. Only ids and times are stored, never a token's text: a token with
//! the same id and times, signed again, is the same token.

use std::{net::IpAddr, time::Duration};

use auth::token::{Claims, Issuer, TokenType};
use base::ClientNetwork;
use common::id::SessionId;
use serde::{Deserialize, Serialize};
use store::{Batch, Version};
use uuid::Uuid;

use super::{
    core::Core,
    error::{AuthError, Result},
    keyspace,
    sessions::{self, StoredSession, StoredToken},
};

/// How long a token is good after its successor was used, unless the operator says otherwise.
pub const GRACE: Duration = Duration::from_secs(10);

/// Addresses that are noted of one token, and of one session.
const MAX_ADDRESSES: usize = 8;

/// What a use does to a refresh token (`--rotation`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotation {
    /// It is good until its successor is used, and for so long after that; every use gives the same successor. Two tabs, a retry after
    /// a lost answer, and a client that keeps its first token go on.
    Adopted {
        /// For how long after that.
        grace: Duration,
    },
    /// It is good for one use.
    Strict,
    /// It is good until it expires, and has no successor.
    Off,
}

impl Default for Rotation {
    fn default() -> Self {
        Self::Adopted { grace: GRACE }
    }
}

/// What is stored of a token whose successor was used. In strict rotation nothing is: there it is spent by its own use.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Superseded {
    next: StoredToken,
    /// When the successor was first used: milliseconds since 1970.
    at: i64,
    /// Where the token was used until then.
    #[serde(default)]
    used_from: Vec<IpAddr>,
}

/// What a refresh token is to its session.
#[derive(Debug, Clone)]
pub(super) enum TokenState {
    /// The newest that was used, or that the sign-in gave.
    Current,
    /// The successor that the current one was answered with. Nobody has used it yet.
    Successor(StoredToken),
    /// Its successor was used a moment ago.
    InGrace {
        /// The successor.
        next: StoredToken,
        /// Where the token was used until then.
        used_from: Vec<IpAddr>,
    },
}

/// What a token that was signed right, and has not expired, is to its session. A token that the session never gave out is an error, and
/// so is one that is spent ([`AuthError::Ended`]).
pub(super) async fn standing(
    core: &Core,
    rotation: Rotation,
    session: &StoredSession,
    claims: &Claims,
) -> Result<TokenState> {
    if claims.id == session.refresh {
        return match (rotation, session.successor) {
            // Given out before the server was told to be strict.
            (Rotation::Strict, Some(_)) => Err(AuthError::Ended.into()),
            _ => Ok(TokenState::Current),
        };
    }
    if let Some(successor) = session.successor.filter(|successor| successor.id == claims.id) {
        return Ok(TokenState::Successor(successor));
    }
    let Some(entry) = core.store.get(&keyspace::spent(claims.session, claims.id)).await? else {
        return Err(AuthError::NEVER_ISSUED.into());
    };
    if entry.value.is_empty() || rotation == Rotation::Strict {
        return Err(AuthError::Ended.into());
    }
    let Superseded { next, at, used_from } = serde_json::from_slice(&entry.value)?;
    let grace = match rotation {
        Rotation::Adopted { grace } => grace,
        Rotation::Strict | Rotation::Off => GRACE,
    };
    // A clock that was put back makes nothing good for longer than the grace.
    let since = u128::from((milliseconds(core) - at).unsigned_abs());
    if since < grace.as_millis() { Ok(TokenState::InGrace { next, used_from }) } else { Err(AuthError::Ended.into()) }
}

fn milliseconds(core: &Core) -> i64 {
    i64::try_from(core.clock.now().unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX)
}

/// A use of a refresh token: what is stored of its session after it, and the token that answers it. `None` is the token that came.
pub(super) struct Use {
    /// The session after the use.
    pub session: StoredSession,
    /// The token that answers it.
    pub answer: Option<StoredToken>,
    /// Tokens that this use spends, and what is stored of each.
    spent: Vec<(Uuid, Vec<u8>)>,
}

impl Use {
    /// A use of a token that is good, from `address`.
    pub(super) fn of(
        core: &Core,
        issuer: &Issuer,
        rotation: Rotation,
        session: &StoredSession,
        claims: &Claims,
        standing: TokenState,
        address: IpAddr,
    ) -> Result<Self> {
        let mut after = Self { session: session.clone(), answer: None, spent: Vec::new() };
        match standing {
            TokenState::InGrace { next, used_from } => {
                after.session.note_shared(used_from, address);
                after.answer = Some(next);
                return Ok(after);
            }
            TokenState::Successor(token) => {
                let used_from = std::mem::take(&mut after.session.used_from);
                let superseded = Superseded { next: token, at: milliseconds(core), used_from };
                after.spent.push((after.session.refresh, serde_json::to_vec(&superseded)?));
                after.session.refresh = token.id;
                after.session.successor = None;
            }
            TokenState::Current => {}
        }
        after.session.note_use(address);
        if rotation == Rotation::Off {
            return Ok(after);
        }
        let session = &mut after.session;
        let successor = session.successor.unwrap_or_else(|| {
            let end = Some(session.expires_at);
            StoredToken::of(&issuer.claims(TokenType::Refresh, session.user, claims.session, end))
        });
        after.answer = Some(successor);
        session.idle_until = session.idle_until.max(successor.expires_at);
        if rotation == Rotation::Strict {
            after.spent.push((session.refresh, Vec::new()));
            (session.refresh, session.used_from) = (successor.id, Vec::new());
        } else {
            session.successor = Some(successor);
        }
        Ok(after)
    }

    /// Stages the use; `None` where nothing is to be written, since all of it was a moment ago. `version` is that of `before`.
    pub(super) fn batch(&self, id: SessionId, version: Version, before: &StoredSession) -> Result<Option<Batch>> {
        if self.session == *before {
            return Ok(None);
        }
        let mut batch = Batch::new();
        sessions::stage_change(&mut batch, id, version, &self.session)?;
        for (token, stored) in &self.spent {
            batch.put(keyspace::spent(id, *token), stored.clone());
        }
        Ok(Some(batch))
    }
}

impl StoredSession {
    /// Notes where its current token is used.
    fn note_use(&mut self, address: IpAddr) {
        let used_from = self.used_from.clone();
        if !contains(&used_from, address) && used_from.len() < MAX_ADDRESSES {
            self.used_from.push(address);
        }
        self.note_shared(used_from, address);
    }

    /// Notes that one and the same token is used from `address` and was used from others, if so.
    fn note_shared(&mut self, used_from: Vec<IpAddr>, address: IpAddr) {
        if used_from.is_empty() || contains(&used_from, address) {
            return;
        }
        for address in used_from.into_iter().chain([address]) {
            if !contains(&self.shared_by, address) && self.shared_by.len() < MAX_ADDRESSES {
                self.shared_by.push(address);
            }
        }
    }
}

/// Whether an address is among these, or of the same client's network as one of them.
fn contains(addresses: &[IpAddr], address: IpAddr) -> bool {
    addresses.iter().any(|other| ClientNetwork::of(*other) == ClientNetwork::of(address))
}
