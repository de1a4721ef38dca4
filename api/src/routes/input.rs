//! Reading a request as its endpoint's type says: the caller, the path, the query, the body, in this order. What does not
//! fit is refused here, before a handler sees it.

use std::{net::IpAddr, pin::Pin};

use bytes::{Bytes, BytesMut};
use common::{
    Access, Endpoint, Object, Problem,
    access::Caller,
    endpoint::Params,
    endpoints::{records, sessions::BROWSER_HEADER},
    id::Revision,
    json,
    query::{Query, decode},
    reader::Body,
};
use futures_util::{Stream, StreamExt};
use http::{HeaderMap, Method, header};
use memchr::memchr2;
use serde_json::Value;

use super::{
    Context,
    error::Refusal,
    limited::{self, RefreshToken},
    media_type,
};
use crate::{
    auth::token::Claims,
    domain::{
        Error,
        error::AuthError,
        records::Precondition,
        sessions::Authenticated,
        sign_in::{self, Origin},
    },
    limits::{Payer, Standing},
    server::{Connection, Notes, RequestId},
};

/// Bytes of a body at most.
const MAX_BODY: usize = 1024 * 1024 - 1;
/// Bytes of a body that may hold many records.
const MAX_LARGE_BODY: usize = 10 * 1024 * 1024;
/// Characters of a user agent that are kept.
const MAX_USER_AGENT: usize = 200;

/// A request as it came.
pub struct Raw {
    /// The path's parameters, decoded.
    pub segments: Vec<String>,
    /// The query string, not decoded.
    pub query: String,
    /// All headers.
    pub headers: HeaderMap,
    /// The connection it came on.
    pub connection: Option<Connection>,
    /// Its id in the log.
    pub request_id: Option<RequestId>,
    /// Where the log learns of it.
    pub notes: Notes,
    /// The body, not read yet.
    pub body: Pin<Box<dyn Stream<Item = Result<Bytes, warp::Error>> + Send>>,
}

/// A request as its endpoint reads it.
pub struct Input<E: Endpoint> {
    /// Who asks.
    pub caller: Caller,
    /// The session of the access token, where one came and the endpoint looks at it.
    session: Option<Authenticated>,
    /// The refresh token, where the endpoint looks for one.
    refresh: Option<RefreshToken>,
    /// The path's parameters.
    pub params: E::Params,
    /// The query string.
    pub query: E::Query,
    /// The query string as it came, for links to other pages.
    pub raw_query: String,
    /// The body.
    pub body: E::Request,
    /// All headers.
    pub headers: HeaderMap,
    /// It came over TLS.
    is_secure: bool,
    /// Where it came from.
    pub origin: Origin,
}

impl<E: Endpoint> Input<E> {
    /// Reads a request, and takes it from its caller's allowance; `standing` is how much is left, also where this fails.
    pub async fn read(context: &Context, mut raw: Raw, standing: &mut Option<Standing>) -> Result<Self, Refusal> {
        let address = raw.connection.as_ref().map_or(IpAddr::from([0, 0, 0, 0]), |connection| connection.client);
        let is_secure = raw.connection.is_some_and(|connection| connection.is_secure);
        let session = match E::ACCESS {
            Access::Anyone | Access::Proof => None,
            Access::Cookie => {
                check_browser(&raw.headers, is_secure)?;
                None
            }
            Access::SignedIn | Access::Admin | Access::Rules => {
                let found = authenticate(context, &raw.headers, address).await;
                if found.is_err() {
                    limited::charge::<E>(context, Payer::Address(address), standing)?;
                }
                found?
            }
        };
        if E::PATH == "/api/session/" && E::METHOD == Method::POST {
            check_browser(&raw.headers, is_secure)?;
        }
        if let Some(session) = &session {
            raw.notes.user(&session.user);
        }
        if !limited::pays_by_token::<E>() {
            limited::charge::<E>(context, limited::payer(session.as_ref(), address), standing)?;
        }
        match (E::ACCESS, &session) {
            (Access::SignedIn | Access::Admin, None) => return Err(Error::from(AuthError::Missing).into()),
            (Access::Admin, Some(session)) if !session.user.is_admin => return Err(Error::Denied.into()),
            _ => {}
        }
        let params = E::Params::from_segments(&raw.segments).ok_or_else(|| match (E::ACCESS, &session) {
            (Access::Rules, None) => Error::from(AuthError::Missing),
            _ => Error::NotFound,
        })?;
        check_utf8(raw.query.as_bytes(), "query string")?;
        let query = E::Query::from_pairs(decode(&raw.query)).map_err(Problem::validation)?;
        let body = if E::Request::EXPECTED { read_body::<E>(&mut raw).await } else { Ok(Value::Null) };
        let mut refresh = None;
        if limited::pays_by_token::<E>() {
            refresh = limited::refresh_token::<E>(context, &raw.headers, body.as_ref().ok());
            limited::charge::<E>(context, limited::payer_by_token(refresh.as_ref(), address), standing)?;
        }
        let body = body?;
        let body = E::Request::from_json(body).map_err(Problem::validation)?;
        let caller = session.as_ref().map_or(Caller::Anonymous, |session| session.caller.clone());
        let user_agent = raw.headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
        let user_agent = user_agent.chars().take(MAX_USER_AGENT).collect();
        let origin = Origin { address, user_agent };
        Ok(Self {
            caller,
            session,
            refresh,
            params,
            query,
            raw_query: raw.query,
            body,
            headers: raw.headers,
            is_secure,
            origin,
        })
    }

    /// The session of the access token. There is one wherever the endpoint asks for a token.
    pub fn session(&self) -> Result<&Authenticated, Error> {
        self.session.as_ref().ok_or_else(|| AuthError::Missing.into())
    }

    /// The claims of the refresh token that came, which was verified.
    pub fn refresh_claims(&self) -> Result<Claims, Error> {
        Ok(self.refresh.ok_or(AuthError::Missing)??)
    }

    /// `If-Match`, where it was sent, or else `If-None-Match` (RFC 9110 §13.2.2).
    pub fn precondition(&self) -> Option<Precondition> {
        let revisions = |tags: &str| tags.split(',').filter_map(Revision::from_etag).collect();
        match list(&self.headers, &header::IF_MATCH) {
            Some(tags) if tags.trim() == "*" => Some(Precondition::Exists),
            Some(tags) => Some(Precondition::OneOf(revisions(&tags))),
            None => list(&self.headers, &header::IF_NONE_MATCH).map(|tags| match tags.trim() {
                "*" => Precondition::Absent,
                tags => Precondition::NoneOf(revisions(&tags.replace("W/", ""))),
            }),
        }
    }

    /// `If-Match` as one revision, for what has no list of them.
    pub fn expected_revision(&self) -> Option<Revision> {
        match self.precondition()? {
            Precondition::Exists | Precondition::NoneOf(_) => None,
            Precondition::Absent => Some(Revision(0)),
            Precondition::OneOf(revisions) => Some(revisions.first().copied().unwrap_or(Revision(0))),
        }
    }

    /// Whether `If-None-Match` has this revision.
    pub fn has_current(&self, revision: Revision) -> bool {
        let Some(tags) = list(&self.headers, &header::IF_NONE_MATCH) else { return false };
        let tag = revision.etag();
        tags.trim() == "*" || tags.split(',').any(|known| known.trim().trim_start_matches("W/") == tag)
    }

    /// The server's address as the client wrote it: `http://localhost:8000`.
    pub fn base_url(&self) -> String {
        let host = self.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
        format!("{}://{host}", if self.is_secure { "https" } else { "http" })
    }
}

fn list(headers: &HeaderMap, name: &header::HeaderName) -> Option<String> {
    // What is no text still stands there: an `If-Match` that cannot be read matches nothing, and is not as good as none.
    let values: Vec<_> = headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
    (!values.is_empty()).then(|| values.join(","))
}

/// The session of the bearer token (RFC 6750 §2.1), if one came. Another scheme is as good as none.
async fn authenticate(
    context: &Context,
    headers: &HeaderMap,
    address: IpAddr,
) -> Result<Option<Authenticated>, Refusal> {
    let mut lines = headers.get_all(header::AUTHORIZATION).iter();
    let Some(line) = lines.next() else { return Ok(None) };
    if lines.next().is_some() {
        return Err(Refusal::SeveralAuthorizations);
    }
    // Whole slices at a time, and not byte by byte as `to_str` and `split_whitespace` go: a token is long, and comes with each request.
    let Some(line) = str::from_utf8(line.as_bytes()).ok().filter(|line| line.is_ascii()) else {
        return Err(Error::from(AuthError::Token(crate::auth::token::TokenError::Invalid("not ASCII"))).into());
    };
    let line = line.trim_ascii();
    let (scheme, token) = line.split_once([' ', '\t']).unwrap_or((line, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Ok(None);
    }
    let token = token.trim_ascii_start();
    if token.is_empty() || memchr2(b' ', b'\t', token.as_bytes()).is_some() {
        return Err(Refusal::MalformedAuthorization);
    }
    Ok(Some(sign_in::authenticate(&context.app, token, address).await?))
}

/// A cookie is sent by the browser whoever asked for the request, so these are taken only from our own page: it alone can
/// set the header, and the browser says where a request comes from.
fn check_browser(headers: &HeaderMap, is_secure: bool) -> Result<(), Refusal> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let site = text("sec-fetch-site").is_none_or(|site| site == "same-origin");
    let origin = text("origin").is_none_or(|origin| {
        let Some((scheme, host)) = origin.split_once("://") else { return false };
        // Without TLS here the page may still have come over TLS, through a proxy that nobody told us to believe.
        Some(host) == text("host") && (!is_secure || scheme == "https")
    });
    if site && origin && text(BROWSER_HEADER) == Some("1") {
        return Ok(());
    }
    Err(Problem::forbidden("This address is for the web app of this server only. Programs use /api/token/.")
        .with_code("cross_site")
        .into())
}

/// Whether what a query string or a form says, once decoded, is text. Its reader would put another character in place of what is
/// not, and so make one password or filter of many.
fn check_utf8(encoded: &[u8], what: &str) -> Result<(), Refusal> {
    match percent_encoding::percent_decode(encoded).decode_utf8() {
        Ok(_) => Ok(()),
        Err(_) => Err(Problem::malformed(format!("The {what} is not UTF-8.")).into()),
    }
}

/// Reads a body, strictly. None at all counts as an object without members.
async fn read_body<E: Endpoint>(raw: &mut Raw) -> Result<Value, Refusal> {
    let limit = if E::PATH == records::Create::PATH { MAX_LARGE_BODY } else { MAX_BODY };
    let too_large = || Problem::too_large(format!("The body may take {limit} bytes. Send less at once."));
    let mut body = BytesMut::new();
    let mut length = 0;
    while let Some(chunk) = raw.body.next().await {
        let Ok(chunk) = chunk else { return Err(Problem::invalid("The body ended early. Send it again.").into()) };
        length += chunk.len();
        if length <= limit {
            body.extend_from_slice(&chunk);
        }
    }
    // The rest was read too, as far as the server lets it come: who is answered while still sending may lose the answer,
    // and the next request on that connection with it.
    if length > limit {
        return Err(too_large().into());
    }
    // Nothing is unpacked, so what it holds takes no more than it did on the way.
    let codings = list(&raw.headers, &header::CONTENT_ENCODING).unwrap_or_default();
    if codings.split(',').any(|coding| !matches!(coding.trim().to_ascii_lowercase().as_str(), "" | "identity")) {
        let detail = "Bodies are read as they are, not compressed. Send it without Content-Encoding.";
        return Err(Problem::unsupported_media_type(detail).into());
    }
    let (kind, charset) = media_type(&raw.headers).unwrap_or_default();
    if body.is_empty() && kind.is_empty() {
        return Ok(Value::Object(Object::new()));
    }
    let utf8 = charset.as_deref().is_none_or(|charset| charset == "utf-8" || charset == "utf8");
    let shown = || raw.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    match kind.as_str() {
        "application/json" if utf8 && body.is_empty() => Ok(Value::Object(Object::new())),
        "application/json" if utf8 => json::parse(&body).map_err(|error| Problem::malformed(error.to_string()).into()),
        "application/x-www-form-urlencoded" if utf8 && E::PATH.starts_with("/api/token/") => {
            check_utf8(&body, "form")?;
            let mut members = Object::new();
            for (name, value) in form_urlencoded::parse(&body).into_owned() {
                if members.insert(name, Value::String(value)).is_some() {
                    return Err(Problem::malformed("A name stands twice in the form.").into());
                }
            }
            Ok(Value::Object(members))
        }
        _ => {
            let shown = common::text::single_line(shown()).into_owned();
            Err(Problem::unsupported_media_type(format!("Unsupported media type \"{shown}\" in request.")).into())
        }
    }
}
