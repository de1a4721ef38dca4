//! One server, and the session with it. Tokens are attached, renewed when `common::renewal` says so, and stored before they are used; they never
//! leave this module but to the session's file. `send` has what goes over the line.

mod send;
mod token;

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::SystemTime,
};

use common::{
    Call, CallError, Endpoint, Reply,
    endpoint::DEVICE_HEADER,
    endpoints::tokens::{Blacklist, Credentials, Inspect, InspectedToken, Obtain, Refresh, RefreshToken, Tokens},
    inspection::Inspection,
    renewal::{AccessToken, Next, Outcome, Renewal},
};
use tokio::sync::Mutex;

pub(crate) use self::send::certificates;
pub use self::send::{EventPieces, Pieces};
use crate::{
    failure::{Answer, Failure},
    server::Server,
    session::{Session, SessionFile},
};

/// What the terminal app calls itself.
const TERMINAL_APP: &str = concat!("coffer-tui/", env!("CARGO_PKG_VERSION"));

/// One server, and the session with it.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    server: Server,
    file: Option<SessionFile>,
    session: Mutex<State>,
    /// Counts renewals that failed, so that those who waited for one share its failure.
    failures: AtomicU64,
    not_kept: AtomicBool,
    /// `User-Agent`.
    agent: &'static str,
    takes_anyone: bool,
}

/// The session, and whether its file has it too. Held while the token is renewed, so that only one renewal is under way.
#[derive(Default)]
struct State {
    session: Option<Session>,
    kept: bool,
    renewal: Renewal<String>,
    /// Why the last renewal failed.
    failure: Option<CallError>,
}

impl State {
    /// Takes a session that is good as it stands.
    fn begin(&mut self, session: Session) {
        self.renewal.begin(session.token());
        self.session = Some(session);
    }

    fn end(&mut self) -> Option<Session> {
        self.renewal.end();
        self.session.take()
    }
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").field("signed_in", &self.session.is_some()).finish_non_exhaustive()
    }
}

impl Client {
    /// A client for a server, with the session that was kept. `trusted`: certificates in PEM form that are believed beside the machine's.
    pub fn new(server: Server, file: Option<SessionFile>, trusted: Option<&[u8]>) -> Result<Self, CallError> {
        let http = send::http(&server, trusted)?;
        let session = file.as_ref().and_then(SessionFile::load);
        let mut state = State { kept: session.is_some(), ..State::default() };
        if let Some(session) = session {
            state.begin(session);
        }
        let session = Mutex::new(state);
        let (failures, not_kept) = (AtomicU64::new(0), AtomicBool::new(false));
        Ok(Self { http, server, file, session, failures, not_kept, agent: TERMINAL_APP, takes_anyone: false })
    }

    /// The same under another name, which the server keeps with its sessions.
    #[must_use]
    pub fn named(self, agent: &'static str) -> Self {
        Self { agent, ..self }
    }

    /// Somebody who is not signed in asks too, for what anyone may see.
    #[must_use]
    pub fn open_to_anyone(self) -> Self {
        Self { takes_anyone: true, ..self }
    }

    /// Which server it is.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// A session was kept from an earlier run.
    pub fn has_session(&mut self) -> bool {
        self.session.get_mut().session.is_some()
    }

    /// Keeps where somebody is, beside the session's file.
    pub fn keep_place(&self, place: &[u8]) -> std::io::Result<()> {
        self.file.as_ref().map_or(Ok(()), |file| file.store_place(place))
    }

    /// Says once that the session could not be written to its file.
    pub fn take_not_kept(&self) -> bool {
        self.not_kept.swap(false, Ordering::Relaxed)
    }

    /// Has a token explained; without one, the session's own access token, which goes nowhere else.
    pub async fn inspect(&self, token: Option<String>) -> Answer<Inspection> {
        let token = match token {
            Some(token) => token,
            None => self.token(None).await?,
        };
        self.send(&Call::<Inspect>::new((), InspectedToken { token })).await
    }

    /// Calls an endpoint, with a token where it takes one, and gives the body of its answer.
    pub async fn send<E: Endpoint>(&self, call: &Call<E>) -> Answer<E::Response> {
        self.reply(call).await.map(|reply| reply.body)
    }

    /// Calls an endpoint, with a token where it takes one.
    pub async fn reply<E: Endpoint>(&self, call: &Call<E>) -> Answer<Reply<E::Response>> {
        if !E::ACCESS.takes_token() {
            return self.exchange(call, None).await.map_err(Failure::Call);
        }
        let Some(token) = self.token_of_someone().await? else {
            return self.exchange(call, None).await.map_err(signed_out);
        };
        match self.exchange(call, Some(&token)).await {
            Err(error) if error.status() == 401 => {}
            answer => return answer.map_err(Failure::Call),
        }
        let token = self.token(Some(&token)).await?;
        self.exchange(call, Some(&token)).await.map_err(signed_out)
    }

    /// A token; `None` where nobody is signed in and anyone may ask.
    async fn token_of_someone(&self) -> Answer<Option<String>> {
        if self.takes_anyone && self.session.lock().await.session.is_none() {
            return Ok(None);
        }
        self.token(None).await.map(Some)
    }

    /// Begins a session.
    pub async fn sign_in(&self, credentials: Credentials) -> Result<(), CallError> {
        let (user, asked_at) = (credentials.username.clone(), now());
        let device = self.file.as_ref().and_then(|file| file.device(&user));
        let call = Call::<Obtain>::new((), credentials);
        let (Reply { body: tokens, .. }, headers) = self.exchange_with(&call, None, device.as_deref()).await?;
        if let (Some(file), Some(device)) =
            (&self.file, headers.get(DEVICE_HEADER).and_then(|device| device.to_str().ok()))
            && file.store_device(&user, device).is_err()
        {
            self.not_kept.store(true, Ordering::Relaxed);
        }
        let mut state = self.session.lock().await;
        let _lock = self.lock_file().await;
        self.adopt(&mut state, tokens, user, asked_at);
        Ok(())
    }

    /// Ends the session, here in any case. An error says that the server did not hear of it.
    pub async fn sign_out(&self) -> Result<(), CallError> {
        let mut state = self.session.lock().await;
        let _lock = self.lock_file().await;
        let Some(session) = state.end() else { return Ok(()) };
        let kept = self.kept(state.kept, &session);
        self.forget(&mut state, kept.is_some());
        // Another client of this user may have renewed the token meanwhile; the newest one is in the file.
        let call = Call::<Blacklist>::new((), RefreshToken { refresh: kept.unwrap_or(session).refresh });
        match self.exchange(&call, None).await {
            Err(error) if error.status() != 401 => Err(error),
            _ => Ok(()),
        }
    }

    /// Waits until no token is being renewed, so that a new one is not lost with the process.
    pub async fn settle(&self) {
        drop(self.session.lock().await);
    }

    /// A token that should be good, renewed if it is time; `refused` is the one that the server has just refused.
    async fn token(&self, refused: Option<&str>) -> Answer<String> {
        let failures = self.failures.load(Ordering::Relaxed);
        let mut state = self.session.lock().await;
        let mut session = state.session.clone().ok_or(Failure::SignedOut)?;
        let at_hand = |state: &State| state.renewal.usable(now(), &session.user, refused);
        if failures != self.failures.load(Ordering::Relaxed)
            && let Some(failure) = &state.failure
        {
            return at_hand(&state).ok_or_else(|| Failure::Call(failure.clone()));
        }
        let attempt = match state.renewal.next(now(), refused) {
            Next::Send(token) => return Ok(token),
            Next::Renew(attempt) => attempt,
            // A task that renews the token holds the lock, so there is none now.
            Next::SignedOut | Next::Wait => return Err(Failure::SignedOut),
        };
        let _lock = self.lock_file().await;
        if state.kept {
            // Another client of this user may have renewed the token, or signed out; somebody else may have signed in.
            let Some(kept) = self.kept(true, &session) else {
                state.end();
                return Err(Failure::SignedOut);
            };
            let token = kept.token();
            if refused != Some(&token.text) && now() < token.renew_at {
                state.begin(kept);
                return Ok(token.text);
            }
            session = kept;
        }
        let call = Call::<Refresh>::new((), RefreshToken { refresh: session.refresh.clone() });
        let error = match self.exchange(&call, None).await {
            Ok(tokens) => {
                return Ok(self.adopt(&mut state, tokens.body, session.user, attempt.began_at));
            }
            Err(error) => error,
        };
        let outcome = Outcome::of_error(&error);
        if matches!(outcome, Outcome::Over) {
            self.forget(&mut state, true);
            return Err(Failure::SignedOut);
        }
        state.renewal.finish(attempt, outcome);
        self.failures.fetch_add(1, Ordering::Relaxed);
        let at_hand = state.renewal.usable(now(), &session.user, refused);
        state.failure = Some(error.clone());
        at_hand.ok_or(Failure::Call(error))
    }

    /// The session in the file, if it is still the same user's.
    fn kept(&self, is_kept: bool, session: &Session) -> Option<Session> {
        let kept = self.file.as_ref().filter(|_| is_kept)?.load()?;
        (kept.user == session.user).then_some(kept)
    }

    /// Takes new tokens on: first into the file, then into use.
    fn adopt(&self, state: &mut State, tokens: Tokens, user: String, asked_at: u64) -> String {
        let life = token::life(&tokens.access);
        let token = AccessToken::new(tokens.access, user, life, asked_at);
        let session = Session {
            user: token.user,
            access: token.text.clone(),
            access_until: token.ends_at / 1000,
            renew_at: token.renew_at / 1000,
            refresh: tokens.refresh,
        };
        state.kept = self.file.as_ref().is_some_and(|file| file.store(&session).is_ok());
        if !state.kept {
            self.not_kept.store(true, Ordering::Relaxed);
        }
        state.begin(session);
        token.text
    }

    fn forget(&self, state: &mut State, with_file: bool) {
        state.end();
        if let Some(file) = self.file.as_ref().filter(|_| with_file && state.kept)
            && file.remove().is_err()
        {
            self.not_kept.store(true, Ordering::Relaxed);
        }
        state.kept = false;
    }

    /// Keeps other processes from renewing at the same time. Where there can be no lock file, there is no session file either.
    async fn lock_file(&self) -> Option<std::fs::File> {
        let file = self.file.clone()?;
        tokio::task::spawn_blocking(move || file.lock().ok()).await.ok().flatten()
    }
}

/// Milliseconds on this machine's clock, since 1970.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.ok().and_then(|since| u64::try_from(since.as_millis()).ok()).unwrap_or(0)
}

/// A refusal of a good token, or of none.
fn signed_out(error: CallError) -> Failure {
    match error.status() {
        401 => Failure::SignedOut,
        _ => Failure::Call(error),
    }
}

#[cfg(test)]
mod tests;
