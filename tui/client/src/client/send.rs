//! What goes over the line: requests, answers as a whole or as they come, files. A time-out is for silence, not for slowness: a line of a
//! hundred bytes a second brings its answer, late.

use std::{
    io::{self, Write as _},
    time::Duration,
};

use bytes::Bytes;
use common::{
    Call, CallError, Endpoint, Reply,
    endpoint::{DEVICE_HEADER, own_address},
    endpoints::events::Stream,
    event::{EventId, EventQuery, HEARTBEAT_SECONDS},
    import::once::KEY,
};
use flate2::write::GzDecoder;
use futures_util::stream;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body::Frame;
use http_body_util::StreamBody;
use reqwest::{RequestBuilder, Response};
use tokio::time::timeout;

use super::{Client, TERMINAL_APP, signed_out};
use crate::{
    failure::{Answer, Failure},
    reason::{ANSWER_TOO_LONG, BROKEN_OFF, NO_CERTIFICATE, TIMED_OUT, reason},
    server::Server,
};

/// The longest answer that is read as a whole.
const MAX_ANSWER: usize = 64 << 20;
/// How long to wait for a connection, its TLS handshake included.
const CONNECT: Duration = Duration::from_secs(15);
/// How long nothing may come.
const SILENCE: Duration = Duration::from_secs(30);
/// Bytes a second at which a body is sent at least: so much longer its answer may take.
const SLOWEST: usize = 100;

/// What sends, for this server. `trusted`: certificates in PEM form that are believed beside the machine's.
pub(super) fn http(server: &Server, trusted: Option<&[u8]>) -> Result<reqwest::Client, CallError> {
    let mut builder = reqwest::Client::builder().connect_timeout(CONNECT).redirect(reqwest::redirect::Policy::none());
    if server.is_loopback() {
        builder = builder.no_proxy();
    }
    if !server.is_encrypted() {
        // No certificate will be looked at, so a machine without a certificate store is no obstacle.
        builder = builder.tls_certs_only([]);
    } else if let Some(pem) = trusted {
        builder = builder.tls_certs_merge(certificates(pem)?);
    }
    builder.build().map_err(|error| unreachable(&error))
}

/// The certificates in a PEM text.
pub(crate) fn certificates(pem: &[u8]) -> Result<Vec<reqwest::Certificate>, CallError> {
    let found = reqwest::Certificate::from_pem_bundle(pem).unwrap_or_default();
    if found.is_empty() { Err(CallError::Unreachable(NO_CERTIFICATE.to_owned())) } else { Ok(found) }
}

fn unreachable(error: &reqwest::Error) -> CallError {
    CallError::Unreachable(reason(error))
}

/// An answer as it comes.
#[derive(Debug)]
pub struct Pieces {
    status: StatusCode,
    headers: HeaderMap,
    response: Response,
    silence: Duration,
    unpack: Option<GzDecoder<Vec<u8>>>,
}

impl Pieces {
    fn of(response: Response) -> Self {
        let is_packed = response.headers().get(header::CONTENT_ENCODING).is_some_and(|how| how == "gzip");
        Self {
            status: response.status(),
            headers: response.headers().clone(),
            response,
            silence: SILENCE,
            unpack: is_packed.then(|| GzDecoder::new(Vec::new())),
        }
    }

    /// Its status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Its headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// What comes next; `None` at the end. Pieces may be empty.
    pub async fn next(&mut self) -> Result<Option<Bytes>, CallError> {
        let piece = timeout(self.silence, self.response.chunk()).await;
        let piece = piece.map_err(|_| CallError::Unreachable(TIMED_OUT.to_owned()))?;
        let piece = piece.map_err(|error| unreachable(&error))?;
        let Some(unpack) = &mut self.unpack else { return Ok(piece) };
        let broken = |_| CallError::Unreachable(BROKEN_OFF.to_owned());
        let Some(piece) = piece else {
            let Some(unpack) = self.unpack.take() else { return Ok(None) };
            let rest = unpack.finish().map_err(broken)?;
            return Ok((!rest.is_empty()).then(|| rest.into()));
        };
        unpack.write_all(&piece).map_err(broken)?;
        unpack.flush().map_err(broken)?;
        Ok(Some(std::mem::take(unpack.get_mut()).into()))
    }

    /// All of it.
    pub async fn whole(&mut self) -> Result<Vec<u8>, CallError> {
        let mut body = Vec::new();
        while let Some(piece) = self.next().await? {
            if body.len() + piece.len() > MAX_ANSWER {
                return Err(CallError::Unreachable(ANSWER_TOO_LONG.to_owned()));
            }
            body.extend_from_slice(&piece);
        }
        Ok(body)
    }
}

/// A stream of events as its bytes come.
pub struct EventPieces(Pieces);

impl EventPieces {
    /// The next bytes; `None` at the end, and where the connection broke.
    pub async fn next(&mut self) -> Option<Vec<u8>> {
        self.0.next().await.ok().flatten().map(Into::into)
    }
}

impl Client {
    /// Calls an endpoint, with a token where it takes one, and gives the answer as it comes. A refusal is an error.
    pub async fn open<E: Endpoint>(&self, call: &Call<E>) -> Answer<Pieces> {
        let token = if E::ACCESS.takes_token() { self.token_of_someone().await? } else { None };
        match self.begin(call, token.as_deref()).await {
            Err(Failure::SignedOut) if token.is_some() => {
                let token = self.token(token.as_deref()).await?;
                self.begin(call, Some(&token)).await
            }
            answer => answer,
        }
    }

    async fn begin<E: Endpoint>(&self, call: &Call<E>, token: Option<&str>) -> Answer<Pieces> {
        let mut pieces = self.ask(call, token, None).await?;
        if pieces.status.is_success() {
            return Ok(pieces);
        }
        let (status, headers) = (pieces.status, pieces.headers.clone());
        let body = pieces.whole().await?;
        Err(signed_out(call.read(status, &headers, &body).err().unwrap_or(CallError::Unreadable(status))))
    }

    /// Sends a file, in pieces, under a key where it is to be taken once. The answer is given whatever its status: it says what is wrong with the file.
    pub async fn upload<E: Endpoint>(
        &self,
        call: &Call<E>,
        key: Option<String>,
        file: impl Iterator<Item = io::Result<Bytes>> + Send + Sync + 'static,
    ) -> Answer<Pieces> {
        let token = self.token_of_someone().await?;
        let body = StreamBody::new(stream::iter(file.map(|piece| piece.map(Frame::data))));
        let mut builder = self.request(call, token.as_deref(), false).body(reqwest::Body::wrap(body));
        if let Some(key) = key {
            builder = builder.header(KEY, key);
        }
        let response = builder.send().await.map_err(|error| unreachable(&error))?;
        match response.status() {
            StatusCode::UNAUTHORIZED => Err(Failure::SignedOut),
            _ => Ok(Pieces::of(response)),
        }
    }

    /// Opens the stream of events, after `since` where that is known.
    pub async fn events(&self, since: Option<EventId>) -> Answer<EventPieces> {
        self.follow(EventQuery { since, ..EventQuery::default() }).await
    }

    /// Opens a stream of events. It lasts; that it is alive is seen by its heartbeats.
    pub async fn follow(&self, query: EventQuery) -> Answer<EventPieces> {
        let call = Call::<Stream>::new((), ()).query(query);
        let pieces = self.open(&call).await?;
        Ok(EventPieces(Pieces { silence: Duration::from_secs(3 * HEARTBEAT_SECONDS), ..pieces }))
    }

    pub(super) async fn exchange<E: Endpoint>(
        &self,
        call: &Call<E>,
        token: Option<&str>,
    ) -> Result<Reply<E::Response>, CallError> {
        self.exchange_with(call, token, None).await.map(|(reply, _)| reply)
    }

    pub(super) async fn exchange_with<E: Endpoint>(
        &self,
        call: &Call<E>,
        token: Option<&str>,
        device: Option<&str>,
    ) -> Result<(Reply<E::Response>, HeaderMap), CallError> {
        let mut pieces = self.ask(call, token, device).await?;
        let (status, headers) = (pieces.status, pieces.headers.clone());
        let body = pieces.whole().await?;
        call.read(status, &headers, &body).map(|reply| (reply, headers))
    }

    /// Sends a request, and waits for the head of its answer.
    async fn ask<E: Endpoint>(
        &self,
        call: &Call<E>,
        token: Option<&str>,
        device: Option<&str>,
    ) -> Result<Pieces, CallError> {
        let mut builder = self.request(call, token, true);
        let body = call.to_request().into_body();
        let patience = SILENCE + Duration::from_secs(u64::try_from(body.len() / SLOWEST).unwrap_or(u64::MAX));
        if let Some(device) = device {
            builder = builder.header(DEVICE_HEADER, device);
        }
        match timeout(patience, builder.body(body).send()).await {
            Ok(response) => response.map(Pieces::of).map_err(|error| unreachable(&error)),
            Err(_) => Err(CallError::Unreachable(TIMED_OUT.to_owned())),
        }
    }

    /// A request without its body. What the body of a file is, the server sees.
    fn request<E: Endpoint>(&self, call: &Call<E>, token: Option<&str>, is_json: bool) -> RequestBuilder {
        let (mut parts, _) = call.to_request().into_parts();
        if !is_json {
            parts.headers.remove(header::CONTENT_TYPE);
        }
        // What people look at may come through a tunnel, whose end is on the server's machine: there nothing is compressed unless it has to be.
        let packed = if self.agent == TERMINAL_APP { "gzip, identity;q=0" } else { "gzip" };
        parts.headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(packed));
        parts.headers.insert(header::USER_AGENT, HeaderValue::from_static(self.agent));
        let builder = self.http.request(parts.method, self.server.at(&own_address(&call.path_and_query())));
        let builder = builder.headers(parts.headers);
        match token {
            Some(token) => builder.bearer_auth(token),
            None => builder,
        }
    }
}
