//! HTTP, and the session that goes with it: the only place that names reqwest. Tokens are attached, refreshed ahead of
//! their end or after a 401, and stored before they are used; they never leave this module but to the session's file.

use std::{
    error::Error,
    io,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, SystemTime},
};

use common::{
    Call, CallError, Endpoint,
    endpoints::tokens::{Blacklist, Credentials, Obtain, Refresh, RefreshToken, Tokens},
};
use tokio::sync::Mutex;

use crate::{
    message::{Answer, Failure},
    server::Server,
    session::{Session, SessionFile},
    words,
};

/// An access token with less than this to live is traded before it is used.
const MARGIN: u64 = 10;
/// The longest answer that is read.
const MAX_ANSWER: usize = 64 << 20;

/// One server, and the session with it.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    server: Server,
    file: Option<SessionFile>,
    session: Mutex<State>,
    not_kept: AtomicBool,
}

/// The session, and whether its file has it too. Held while tokens are traded, so that only one trade is under way.
#[derive(Default)]
struct State {
    session: Option<Session>,
    kept: bool,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").field("signed_in", &self.session.is_some()).finish_non_exhaustive()
    }
}

impl Client {
    /// A client for a server, with the session that was kept. `trusted`: certificates in PEM form that are believed beside the machine's.
    pub fn new(server: Server, file: Option<SessionFile>, trusted: Option<&[u8]>) -> Result<Self, CallError> {
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("coffer-tui/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_secs(5))
            .timeout(Duration::from_secs(30))
            .redirect(reqwest::redirect::Policy::none());
        if server.is_loopback() {
            builder = builder.no_proxy();
        }
        if !server.is_encrypted() {
            // No certificate will be looked at, so a machine without a certificate store is no obstacle.
            builder = builder.tls_certs_only([]);
        } else if let Some(pem) = trusted {
            let certificates = reqwest::Certificate::from_pem_bundle(pem).unwrap_or_default();
            if certificates.is_empty() {
                return Err(CallError::Unreachable(words::NO_CERTIFICATE_IN_IT.to_owned()));
            }
            builder = builder.tls_certs_merge(certificates);
        }
        let http = builder.build().map_err(|error| CallError::Unreachable(reason(&error)))?;
        let session = file.as_ref().and_then(SessionFile::load);
        let state = State { kept: session.is_some(), session };
        Ok(Self { http, server, file, session: Mutex::new(state), not_kept: AtomicBool::new(false) })
    }

    /// A session was kept from an earlier run.
    pub fn has_session(&mut self) -> bool {
        self.session.get_mut().session.is_some()
    }

    /// Says once that the session could not be written to its file.
    pub fn take_not_kept(&self) -> bool {
        self.not_kept.swap(false, Ordering::Relaxed)
    }

    /// Calls an endpoint, with a token where it takes one.
    pub async fn send<E: Endpoint>(&self, call: &Call<E>) -> Answer<E::Response> {
        if !E::ACCESS.takes_token() {
            return self.exchange(call, None).await.map_err(Failure::Call);
        }
        let token = self.token(None).await?;
        match self.exchange(call, Some(&token)).await {
            Err(error) if error.status() == 401 => {}
            answer => return answer.map_err(Failure::Call),
        }
        let token = self.token(Some(&token)).await?;
        self.exchange(call, Some(&token)).await.map_err(|error| match error.status() {
            401 => Failure::SignedOut,
            _ => Failure::Call(error),
        })
    }

    /// Begins a session.
    pub async fn sign_in(&self, credentials: Credentials) -> Result<(), CallError> {
        let user = credentials.username.clone();
        let tokens = self.exchange(&Call::<Obtain>::new((), credentials), None).await?;
        let mut state = self.session.lock().await;
        let _lock = self.lock_file().await;
        self.adopt(
            &mut state,
            tokens,
            Session { user, access: String::new(), access_until: 0, refresh: String::new() },
        );
        Ok(())
    }

    /// Ends the session, here in any case. An error says that the server did not hear of it.
    pub async fn sign_out(&self) -> Result<(), CallError> {
        let mut state = self.session.lock().await;
        let _lock = self.lock_file().await;
        let Some(session) = state.session.take() else { return Ok(()) };
        let kept = self.kept(state.kept, &session);
        self.forget(&mut state, kept.is_some());
        // Another client of this user may have traded the token meanwhile; the newest one is in the file.
        let call = Call::<Blacklist>::new((), RefreshToken { refresh: kept.unwrap_or(session).refresh });
        match self.exchange(&call, None).await {
            Err(error) if error.status() != 401 => Err(error),
            _ => Ok(()),
        }
    }

    /// Waits until no token is being traded, so that a new one is not lost with the process.
    pub async fn settle(&self) {
        drop(self.session.lock().await);
    }

    /// A token that should be good: not the refused one, and not about to end.
    async fn token(&self, refused: Option<&str>) -> Answer<String> {
        let mut state = self.session.lock().await;
        let mut session = state.session.clone().ok_or(Failure::SignedOut)?;
        if is_good(&session, refused) {
            return Ok(session.access);
        }
        let _lock = self.lock_file().await;
        if state.kept {
            // Another client of this user may have traded the token, or signed out; somebody else may have signed in.
            let Some(kept) = self.kept(true, &session) else {
                state.session = None;
                return Err(Failure::SignedOut);
            };
            session = kept;
            state.session = Some(session.clone());
            if is_good(&session, refused) {
                return Ok(session.access);
            }
        }
        let call = Call::<Refresh>::new((), RefreshToken { refresh: session.refresh.clone() });
        match self.exchange(&call, None).await {
            Ok(tokens) => Ok(self.adopt(&mut state, tokens, session)),
            Err(error) if matches!(error.status(), 400 | 401) => {
                self.forget(&mut state, true);
                Err(Failure::SignedOut)
            }
            Err(error) => Err(Failure::Call(error)),
        }
    }

    /// What the file has now, if that is still the same user's.
    fn kept(&self, is_kept: bool, session: &Session) -> Option<Session> {
        let kept = self.file.as_ref().filter(|_| is_kept)?.load()?;
        (kept.user == session.user).then_some(kept)
    }

    /// Takes new tokens on: first into the file, then into use. With rotation off the refresh token stays.
    fn adopt(&self, state: &mut State, tokens: Tokens, before: Session) -> String {
        let session = Session {
            user: before.user,
            access: tokens.access.clone(),
            access_until: now() + tokens.expires_in,
            refresh: tokens.refresh.unwrap_or(before.refresh),
        };
        state.kept = self.file.as_ref().is_some_and(|file| file.store(&session).is_ok());
        if !state.kept {
            self.not_kept.store(true, Ordering::Relaxed);
        }
        state.session = Some(session);
        tokens.access
    }

    fn forget(&self, state: &mut State, with_file: bool) {
        state.session = None;
        if let Some(file) = self.file.as_ref().filter(|_| with_file && state.kept)
            && file.remove().is_err()
        {
            self.not_kept.store(true, Ordering::Relaxed);
        }
        state.kept = false;
    }

    /// Keeps other processes from trading tokens. Where there can be no lock file, there is no session file either.
    async fn lock_file(&self) -> Option<std::fs::File> {
        let file = self.file.clone()?;
        tokio::task::spawn_blocking(move || file.lock().ok()).await.ok().flatten()
    }

    async fn exchange<E: Endpoint>(&self, call: &Call<E>, token: Option<&str>) -> Result<E::Response, CallError> {
        let request = call.to_request();
        let mut builder = self.http.request(request.method().clone(), self.server.at(&call.path_and_query()));
        builder = builder.headers(request.headers().clone()).body(request.into_body());
        if let Some(token) = token {
            builder = builder.bearer_auth(token);
        }
        let unreachable = |error: reqwest::Error| CallError::Unreachable(reason(&error));
        let mut response = builder.send().await.map_err(unreachable)?;
        let (status, headers) = (response.status(), response.headers().clone());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > MAX_ANSWER {
                return Err(CallError::Unreachable(words::ANSWER_TOO_LONG.to_owned()));
            }
            body.extend_from_slice(&chunk);
        }
        call.read(status, &headers, &body).map(|reply| reply.body)
    }
}

fn is_good(session: &Session, refused: Option<&str>) -> bool {
    refused != Some(&session.access) && session.access_until > now() + MARGIN
}

fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Why nothing came back, in a few words of our own: a library's error text is no answer for a person.
fn reason(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return words::TIMED_OUT.to_owned();
    }
    let mut cause: Option<&dyn Error> = Some(error);
    while let Some(current) = cause {
        if let Some(kind) = current.downcast_ref::<io::Error>().map(io::Error::kind)
            && let Some(words) = words::unreachable(kind)
        {
            return words.to_owned();
        }
        let text = current.to_string().to_ascii_lowercase();
        if let Some(words) = common::certificate::explain(&text) {
            return words.to_owned();
        }
        if text.contains("dns error") || text.contains("lookup address") {
            return words::NO_SUCH_HOST.to_owned();
        }
        cause = current.source();
    }
    if error.is_connect() { words::NO_CONNECTION.to_owned() } else { words::BROKEN_OFF.to_owned() }
}

#[cfg(test)]
mod tests;
