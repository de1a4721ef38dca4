//! HTTP, and the session that goes with it: the only place that names reqwest. Tokens are attached, renewed when
//! `common::renewal` says so, and stored before they are used; they never leave this module but to the session's file.

mod token;

use std::{
    error::Error,
    io,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::{Duration, SystemTime},
};

use common::{
    Call, CallError, Endpoint, Reply,
    endpoint::{DEVICE_HEADER, own_address},
    endpoints::{
        events::Stream,
        tokens::{Blacklist, Credentials, Obtain, Refresh, RefreshToken, Tokens},
    },
    event::{EventId, EventQuery},
    renewal::{AccessToken, Next, Outcome, Renewal},
};
use reqwest::header::HeaderMap;
use tokio::sync::Mutex;

use crate::{
    message::{Answer, Failure},
    server::Server,
    session::{Session, SessionFile},
    words,
};

/// The longest answer that is read.
const MAX_ANSWER: usize = 64 << 20;

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
        let mut state = State { kept: session.is_some(), ..State::default() };
        if let Some(session) = session {
            state.begin(session);
        }
        let session = Mutex::new(state);
        Ok(Self { http, server, file, session, failures: AtomicU64::new(0), not_kept: AtomicBool::new(false) })
    }

    /// A session was kept from an earlier run.
    pub fn has_session(&mut self) -> bool {
        self.session.get_mut().session.is_some()
    }

    /// Says once that the session could not be written to its file.
    pub fn take_not_kept(&self) -> bool {
        self.not_kept.swap(false, Ordering::Relaxed)
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

    /// Opens the stream of events, after `since` where that is known.
    pub async fn events(&self, since: Option<EventId>) -> Answer<EventPieces> {
        let call = Call::<Stream>::new((), ()).query(EventQuery { since, ..EventQuery::default() });
        let mut refused: Option<String> = None;
        loop {
            let token = self.token(refused.as_deref()).await?;
            let url = self.server.at(&own_address(&call.path_and_query()));
            // It lasts; that it is alive is seen by its heartbeats.
            let request = self.http.get(url).bearer_auth(&token).timeout(Duration::MAX);
            let response = request.send().await;
            let response = response.map_err(|error| Failure::Call(CallError::Unreachable(reason(&error))))?;
            match response.status().as_u16() {
                200 => return Ok(EventPieces(response)),
                401 if refused.is_none() => refused = Some(token),
                401 => return Err(Failure::SignedOut),
                status => {
                    let (headers, code) = (response.headers().clone(), response.status());
                    let body = response.bytes().await.unwrap_or_default();
                    let error = call.read(code, &headers, &body).err();
                    return Err(Failure::Call(error.unwrap_or(CallError::Unreachable(status.to_string()))));
                }
            }
        }
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

    async fn exchange<E: Endpoint>(
        &self,
        call: &Call<E>,
        token: Option<&str>,
    ) -> Result<Reply<E::Response>, CallError> {
        self.exchange_with(call, token, None).await.map(|(reply, _)| reply)
    }

    async fn exchange_with<E: Endpoint>(
        &self,
        call: &Call<E>,
        token: Option<&str>,
        device: Option<&str>,
    ) -> Result<(Reply<E::Response>, HeaderMap), CallError> {
        let request = call.to_request();
        let mut builder =
            self.http.request(request.method().clone(), self.server.at(&own_address(&call.path_and_query())));
        builder = builder.headers(request.headers().clone()).body(request.into_body());
        if let Some(token) = token {
            builder = builder.bearer_auth(token);
        }
        if let Some(device) = device {
            builder = builder.header(DEVICE_HEADER, device);
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
        call.read(status, &headers, &body).map(|reply| (reply, headers))
    }
}

/// A stream of events as its bytes come.
pub struct EventPieces(reqwest::Response);

impl EventPieces {
    /// The next bytes; `None` at the end, and where the connection broke.
    pub async fn next(&mut self) -> Option<Vec<u8>> {
        self.0.chunk().await.ok().flatten().map(Into::into)
    }
}

/// Milliseconds on this machine's clock, since 1970.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.ok().and_then(|since| u64::try_from(since.as_millis()).ok()).unwrap_or(0)
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
