//! Tickets: what opens one stream in place of an access token, for programs that can send no headers, such as a browser's `EventSource`. A ticket
//! is good once and for half a minute, so that an address with one in it is worth nothing to who finds it later.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use base::{Clock, Entropy};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use common::{
    event::TICKET_SECONDS,
    id::{SessionId, UserId},
};
use sha2::{Digest as _, Sha256};

use crate::domain::error::{AuthError, Error, Result};

/// Tickets that may be good at once.
const MAX_TICKETS: usize = 20_000;

/// The tickets that are good, by their digests.
#[derive(Debug, Default)]
pub(in crate::domain) struct Tickets(Mutex<HashMap<[u8; 32], Issued>>);

#[derive(Debug, Clone, Copy)]
struct Issued {
    session: SessionId,
    user: UserId,
    until: Duration,
}

impl Tickets {
    /// A ticket for this session.
    pub(in crate::domain) fn issue(
        &self,
        clock: &Clock,
        entropy: &Entropy,
        session: SessionId,
        user: UserId,
    ) -> Result<String> {
        let ticket = URL_SAFE_NO_PAD.encode(entropy.bytes::<32>());
        let now = clock.elapsed();
        let mut tickets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if tickets.len() >= MAX_TICKETS {
            tickets.retain(|_, issued| issued.until > now);
        }
        if tickets.len() >= MAX_TICKETS {
            return Err(Error::Busy);
        }
        let until = now + Duration::from_secs(TICKET_SECONDS);
        tickets.insert(digest(&ticket), Issued { session, user, until });
        Ok(ticket)
    }

    /// Uses a ticket up: whose session it is of.
    pub(in crate::domain) fn redeem(&self, clock: &Clock, ticket: &str) -> Result<(SessionId, UserId)> {
        let issued = self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&digest(ticket));
        whose(issued, clock)
    }

    /// Whose session it is of, which stays good.
    pub(in crate::domain) fn look_at(&self, clock: &Clock, ticket: &str) -> Result<(SessionId, UserId)> {
        let issued = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&digest(ticket)).copied();
        whose(issued, clock)
    }
}

fn digest(ticket: &str) -> [u8; 32] {
    Sha256::digest(ticket).into()
}

fn whose(issued: Option<Issued>, clock: &Clock) -> Result<(SessionId, UserId)> {
    let issued = issued.filter(|issued| issued.until > clock.elapsed()).ok_or(AuthError::Ended)?;
    Ok((issued.session, issued.user))
}
