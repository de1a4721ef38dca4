//! Reading a request as its endpoint's type says: the caller, the path, the query, the body, in this order. What does not
//! fit is refused here, before a handler sees it.

use std::{
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use auth::token::Claims;
use common::{
    Access, Endpoint, Object, Problem,
    access::{Action, Caller},
    clean::{Manner, no_body},
    endpoint::{AcceptedBody, BROWSER_HEADER, Params, path_and_query},
    endpoints::tokens,
    id::Revision,
    json::Exact,
    name::CollectionName,
    problem::{FieldErrors, NON_FIELD},
    query::decode_for,
};
use http::{HeaderMap, header};
use serde_json::Value;
use server::{
    origins,
    request::{Connection, Notes, RequestId},
};

use super::{
    authorization::authenticate,
    base_url::BaseUrl,
    body::{self, Body, Incoming, check_utf8},
    conditional,
    context::Context,
    error::Refusal,
    leniency,
    published::Published,
    rate_limit::{self, Verified},
};
use crate::{
    domain::{
        Error, error::AuthError, journal::Actor, precondition::Precondition, records, refresh::Origin,
        sessions::Authenticated, work,
    },
    limits::{Allowance, Payer},
};

/// Characters of a user agent that are kept.
const MAX_USER_AGENT: usize = 200;

/// A request as it came.
pub(super) struct Raw {
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
    pub body: Incoming,
    /// What stands before the address in links: [`OWN_PREFIX`] or nothing.
    pub prefix: &'static str,
    /// The published path that it came by.
    pub published: Option<Published>,
    /// Only the head of the answer is wanted.
    pub is_head: bool,
}

impl Raw {
    /// The client's address.
    pub(super) fn address(&self) -> IpAddr {
        address_of(self.connection.as_ref())
    }

    /// Where the client asked.
    pub(super) fn base_url(&self) -> BaseUrl {
        let is_secure = self.connection.as_ref().is_some_and(|connection| connection.is_secure);
        BaseUrl::of(&self.headers, is_secure, self.prefix)
    }
}

/// The client's address at the end of a connection.
pub(super) fn address_of(connection: Option<&Connection>) -> IpAddr {
    connection.map_or(IpAddr::from([0, 0, 0, 0]), |connection| connection.client)
}

/// A request as its endpoint reads it.
pub(super) struct Input<E: Endpoint> {
    /// The caller.
    pub caller: Caller,
    /// The session of the access token, where one came and the endpoint looks at it.
    session: Option<Authenticated>,
    /// The refresh token, where the endpoint looks for one.
    refresh: Option<Verified>,
    /// The path's parameters.
    pub params: E::Params,
    /// The query string.
    pub query: E::Query,
    /// The query string as it came, for links to other pages.
    pub raw_query: String,
    /// The body.
    pub body: E::Request,
    /// What is left of the body: all of it, where the endpoint takes it as it comes.
    incoming: Mutex<Option<Incoming>>,
    /// How the body was sent.
    sent: Sent,
    /// Members that nobody knows are left out of the body.
    ignores_unknown: bool,
    /// All headers.
    pub headers: HeaderMap,
    /// It came over TLS.
    is_secure: bool,
    /// Where it came from.
    pub origin: Origin,
    /// What stands before the address in links.
    prefix: &'static str,
    /// The published path that it came by.
    pub published: Option<Published>,
    /// Only the head of the answer is wanted: nothing may be used up by it.
    pub is_head: bool,
}

impl<E: Endpoint> Input<E> {
    /// Reads a request, and takes it from its caller's allowance; `left` is what is left of that, also where this fails.
    pub(super) async fn read(context: &Context, mut raw: Raw, left: &mut Option<Allowance>) -> Result<Self, Refusal> {
        let address = raw.address();
        let is_secure = raw.connection.is_some_and(|connection| connection.is_secure);
        if E::ACCESS.is_browsers() {
            check_browser(&raw.headers, is_secure).or_else(|refusal| {
                rate_limit::charge_read(context, address, left)?;
                Err(refusal)
            })?;
        }
        let mut session = None;
        if E::ACCESS.takes_token() {
            let found = authenticate(context, &raw.headers, address).await;
            if found.is_err() {
                rate_limit::charge::<E>(context, Payer::Address(address), left)?;
            }
            session = found?;
        }
        if let Some(session) = &session {
            work::is_of(session.user.id);
            raw.notes.user(&session.user);
        }
        if !rate_limit::is_charged_to_session::<E>() {
            rate_limit::charge::<E>(context, rate_limit::user_or_address(session.as_ref(), address), left)?;
        }
        ask_access::<E>(context, session.as_ref())?;
        let caller = session.as_ref().map_or(Caller::Anonymous, |session| session.caller.clone());
        let mut published = raw.published.take();
        if let Some(published) = &mut published {
            let resolved = published.resolve(context, &caller, &mut raw.segments).await;
            if let Err(error) = resolved {
                let refused = ask_rules::<E>(context, &caller, &raw.segments).await.err();
                return Err(refused.unwrap_or_else(|| error.into()));
            }
        }
        let params = E::Params::from_segments(&raw.segments).ok_or_else(|| match (E::ACCESS, &session) {
            (Access::Rules(_), None) => Error::from(AuthError::Missing),
            _ => Error::NotFound,
        })?;
        check_utf8(raw.query.as_bytes(), "query string")?;
        let unknown = context.options.unknown;
        let unknown = published.as_ref().map_or(unknown, |published| published.unknown(unknown));
        let ignores_unknown = leniency::preferred(&raw.headers)
            .unwrap_or_else(|| unknown.ignores_members || leniency::is_form_of_a_page(&raw.headers));
        let pairs = match &mut published {
            Some(published) => published.pairs(decode_for::<E::Query>(&raw.query), &E::METHOD, unknown),
            None => Ok(decode_for::<E::Query>(&raw.query)),
        };
        let query =
            pairs.and_then(|pairs| leniency::read_query(pairs, unknown, &E::METHOD)).map_err(Problem::validation);
        let body = match E::BODY {
            AcceptedBody { kinds: [], .. } => Ok(Some(Body { value: Exact::default(), is_form: false })),
            // It is for the handler to take it as it comes.
            accepted if accepted.is_upload() => {
                body::check_upload(&raw.headers).map(|()| Some(Body { value: Exact::default(), is_form: false }))
            }
            accepted => body::read(&raw.headers, &mut raw.body, accepted).await,
        };
        let mut refresh = None;
        if rate_limit::is_charged_to_session::<E>() {
            refresh = rate_limit::refresh_token::<E>(
                context,
                &raw.headers,
                body.as_ref().ok().and_then(Option::as_ref).map(|body| &*body.value),
            );
            rate_limit::charge::<E>(context, rate_limit::session_or_address(refresh.as_ref(), address), left)?;
        }
        let body = body.map(|body| match &published {
            Some(published) => body.map(|body| published.alias_body(body)),
            None => body,
        });
        let read = conditional::check::<E>(&raw.headers).and_then(|()| Ok(query?));
        let read = read.and_then(|query| Ok((query, read_body::<E>(body?, ignores_unknown)?)));
        let (query, (body, sent)) = match read {
            Ok(read) => read,
            Err(refusal) => return Err(ask_rules::<E>(context, &caller, &raw.segments).await.err().unwrap_or(refusal)),
        };
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
            incoming: Mutex::new(Some(raw.body)),
            sent,
            ignores_unknown,
            headers: raw.headers,
            is_secure,
            origin,
            prefix: raw.prefix,
            published,
            is_head: raw.is_head,
        })
    }

    /// The body as it comes; nothing the second time.
    pub(super) fn incoming(&self) -> Incoming {
        let taken = self.incoming.lock().unwrap_or_else(PoisonError::into_inner).take();
        taken.unwrap_or_else(|| Box::pin(futures_util::stream::empty()))
    }

    /// Who does it: the user of the access token, or nobody, from an address.
    pub(super) fn actor(&self) -> Actor<'_> {
        self.session.as_ref().map_or_else(|| Actor::at(&self.caller, self.origin.address), Authenticated::actor)
    }

    /// Nobody is signed in.
    pub(super) fn is_strangers(&self) -> bool {
        self.session.is_none()
    }

    /// The session of the access token. There is one wherever the endpoint asks for a token.
    pub(super) fn session(&self) -> Result<&Authenticated, Error> {
        self.session.as_ref().ok_or_else(|| AuthError::Missing.into())
    }

    /// The same where there may be none, since something else may prove the caller.
    pub(super) fn session_if_any(&self) -> Option<&Authenticated> {
        self.session.as_ref()
    }

    /// The claims of the refresh token that came, which was verified.
    pub(super) fn refresh_claims(&self) -> Result<Claims, Error> {
        Ok(self.refresh.ok_or(AuthError::Missing)??)
    }

    /// The session that a refresh token of ours names, where the endpoint looks for one.
    pub(super) fn named_session(&self) -> Option<Payer> {
        let claims = self.refresh.as_ref()?.as_ref().ok()?;
        Some(Payer::Session(claims.session.uuid()))
    }

    /// How the body of a record is to be read.
    pub(super) fn manner(&self) -> Manner<'_> {
        Manner {
            is_form: self.sent == Sent::Form,
            is_missing: self.sent == Sent::Nothing,
            ignores_unknown: self.ignores_unknown,
            ..Manner::json(&self.caller)
        }
    }

    /// `If-Match`, where it was sent, or else `If-None-Match` (RFC 9110 §13.2.2).
    pub(super) fn precondition(&self) -> Option<Precondition> {
        match list(&self.headers, &header::IF_MATCH) {
            Some(tags) if tags.trim() == "*" => Some(Precondition::Exists),
            Some(tags) => Some(Precondition::OneOf(revisions(&tags))),
            None => self.if_none_match(),
        }
    }

    fn if_none_match(&self) -> Option<Precondition> {
        let tags = list(&self.headers, &header::IF_NONE_MATCH)?;
        Some(match tags.trim() {
            "*" => Precondition::Absent,
            // Here a weak tag is as good as a strong one (RFC 9110 §13.1.2).
            tags => Precondition::NoneOf(revisions(&tags.replace("W/", ""))),
        })
    }

    /// Whether `If-None-Match` has this entity tag. Weak ones are as good as strong ones here (RFC 9110 §13.1.2).
    pub(super) fn has_etag(&self, etag: &str) -> bool {
        let Some(tags) = list(&self.headers, &header::IF_NONE_MATCH) else { return false };
        let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
        tags.split(',').any(|tag| tag.trim() == "*" || opaque(tag) == opaque(etag))
    }

    /// The absolute address of an endpoint, as the client reached this server.
    pub(super) fn link<T: Endpoint>(&self, params: &T::Params, query: &T::Query) -> String {
        self.base_url() + &path_and_query::<T>(params, query)
    }

    /// The server's address as the client wrote it: `http://localhost:8000`.
    pub(super) fn base_url(&self) -> String {
        BaseUrl::of(&self.headers, self.is_secure, self.prefix).text()
    }
}

/// The body, and whether there was one. Of records one that is missing is as good as one without members, as in Django REST Framework.
fn read_body<E: Endpoint>(body: Option<Body>, ignores_unknown: bool) -> Result<(E::Request, Sent), Refusal> {
    let sent = match &body {
        None => Sent::Nothing,
        Some(Body { is_form: true, .. }) => Sent::Form,
        Some(_) => Sent::Json,
    };
    // What it lacks says more than that there is none.
    let nothing = || Body { value: Value::Object(Object::new()).into(), is_form: false };
    let body = leniency::read_body(body.unwrap_or_else(nothing).value, ignores_unknown).map_err(Problem::validation)?;
    if sent == Sent::Nothing && !matches!(E::ACCESS, Access::Rules(_)) {
        return Err(Problem::validation(FieldErrors::of(NON_FIELD, no_body())).into());
    }
    Ok((body, sent))
}

/// How a body was sent.
#[derive(Clone, Copy, PartialEq)]
enum Sent {
    Nothing,
    Json,
    Form,
}

/// Whether the caller may learn what a path is for, and what nobody may do there. Callers without a token are asked to sign in; a collection in
/// which the caller may do nothing is 404.
pub(super) async fn admit(
    context: &Context,
    headers: &HeaderMap,
    address: IpAddr,
    segments: &[String],
    accesses: &[Access],
) -> Result<Vec<Action>, Refusal> {
    if !accesses.iter().all(|access| access.takes_token()) {
        return Ok(Vec::new());
    }
    let session = authenticate(context, headers, address).await?;
    let is_by_rules = accesses.iter().any(|access| matches!(access, Access::Rules(_)));
    match &session {
        None if !is_by_rules => return Err(Error::from(AuthError::Missing).into()),
        Some(session) if !session.user.is_admin && accesses.iter().all(|access| *access == Access::Admin) => {
            return Err(Error::Denied.into());
        }
        _ => {}
    }
    let name = segments.first().and_then(|name| name.parse::<CollectionName>().ok());
    let Some(name) = name.filter(|_| is_by_rules) else { return Ok(Vec::new()) };
    let caller = session.map_or(Caller::Anonymous, |session| session.caller);
    Ok(records::may_know(context.app.core(), &caller, &name).await?)
}

/// Whether the endpoint is for who asks, as far as that is known without the rules of a collection.
fn ask_access<E: Endpoint>(context: &Context, session: Option<&Authenticated>) -> Result<(), Refusal> {
    match (E::ACCESS, session) {
        (Access::SignUp, None) if !context.options.sign_up.is_off() => Ok(()),
        (Access::SignedIn | Access::Admin | Access::SignUp, None) => Err(Error::from(AuthError::Missing).into()),
        (Access::Admin | Access::SignUp, Some(session)) if !session.user.is_admin => Err(Error::Denied.into()),
        _ => Ok(()),
    }
}

/// Access rules are asked before faults of the query or the body are told.
async fn ask_rules<E: Endpoint>(context: &Context, caller: &Caller, segments: &[String]) -> Result<(), Refusal> {
    let Access::Rules(actions) = E::ACCESS else { return Ok(()) };
    let Some(name) = segments.first().and_then(|name| name.parse::<CollectionName>().ok()) else { return Ok(()) };
    for action in actions {
        records::authorize(context.app.core(), caller, &name, *action).await?;
    }
    Ok(())
}

fn revisions(tags: &str) -> Vec<Revision> {
    tags.split(',').filter_map(Revision::from_etag).collect()
}

fn list(headers: &HeaderMap, name: &header::HeaderName) -> Option<String> {
    // A header that is not text still counts: an unreadable `If-Match` matches nothing.
    let values: Vec<_> = headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
    (!values.is_empty()).then(|| values.join(","))
}

/// A cookie is sent by the browser whoever asked for the request, so these are taken only from our own page: it alone can
/// set the header, and the browser says where a request comes from.
fn check_browser(headers: &HeaderMap, is_secure: bool) -> Result<(), Refusal> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let site = text("sec-fetch-site").is_none_or(|site| site == "same-origin");
    let origin = text("origin").is_none_or(|origin| origins::is_own(origin, text("host"), is_secure));
    if site && origin && text(BROWSER_HEADER) == Some("1") {
        return Ok(());
    }
    let detail = format!("This address is for the web app of this server only. Programs use {}.", tokens::Obtain::PATH);
    Err(Problem::forbidden(detail).with_code("cross_site").into())
}
