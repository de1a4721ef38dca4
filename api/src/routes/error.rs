//! Refusals: the only place that knows which status, which headers and which problem a failure gets. `server::problem` writes it
//! as a problem document, or as Django REST Framework would, by what the client accepts; on `/api/token/` it has `SimpleJWT`'s
//! members in either.

use std::time::Duration;

use auth::token::TokenError;
use bytes::Bytes;
use common::{
    Endpoint, Problem,
    access::Action,
    endpoint::{Dialect, path_and_query},
    endpoints::operations,
    id::Revision,
    problem::{FieldErrors, NON_FIELD},
    published::ErrorForm,
};
use http::{HeaderMap, HeaderValue, Method, header};
use serde_json::{Value, json};
use server::{
    problem::{Representation, response_parts},
    request::RequestId,
};

use super::{base_url::BaseUrl, response::Response};
use crate::{
    domain::{
        Error,
        error::{AuthError, Obstacle},
        quota::{MAX_COLLECTIONS, OverQuota},
    },
    limits::Allowance,
};

/// What the answer to a refused request takes from the request.
#[derive(Clone, Copy)]
pub(crate) struct Asked {
    request_id: Option<RequestId>,
    representation: Representation,
}

impl Asked {
    /// The same, and told in this form where the client names none.
    #[must_use]
    pub(super) fn preferring(self, form: Option<ErrorForm>, headers: &HeaderMap) -> Self {
        let representation = match form.filter(|_| Representation::named(headers).is_none()) {
            Some(ErrorForm::Problem) => Representation::Problem,
            Some(ErrorForm::Drf) => Representation::Drf,
            None => self.representation,
        };
        Self { representation, ..self }
    }

    /// Of a request with this id and these headers.
    pub(crate) fn new(request_id: Option<RequestId>, headers: &HeaderMap) -> Self {
        Self { request_id, representation: Representation::of(headers) }
    }
}

/// Why a request is refused.
pub(super) enum Refusal {
    /// The request itself does not fit its endpoint.
    Problem(Box<Problem>),
    /// `Authorization` names the right scheme and is no token.
    MalformedAuthorization,
    /// More than one `Authorization`.
    SeveralAuthorizations,
    /// The caller asks more often than is allowed.
    RateLimited(Allowance),
    /// The domain says no.
    Domain(Error),
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::Problem(Box::new(problem))
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Domain(error)
    }
}

/// Stands in the extensions of a 405, and of what `OPTIONS` answers: what nobody but admins may do in the collection. Which methods are
/// left, the table knows.
#[derive(Debug, Clone)]
pub(super) struct AdminOnlyActions(pub Vec<Action>);

impl Refusal {
    /// The same with other names of members and parameters.
    #[must_use]
    pub(super) fn renamed(self, rename: impl FnMut(&str) -> String) -> Self {
        let problem = match self {
            Self::Problem(problem) if !problem.errors.is_empty() => problem,
            Self::Domain(Error::Invalid(errors)) => return Error::Invalid(errors.renamed(rename)).into(),
            Self::Domain(Error::Taken(errors)) => return Error::Taken(errors.renamed(rename)).into(),
            Self::Domain(Error::HeldBack(errors)) => return Error::HeldBack(errors.renamed(rename)).into(),
            other => return other,
        };
        Problem::validation(problem.errors.renamed(rename)).into()
    }

    /// The answer of `E`.
    pub(super) fn into_response<E: Endpoint>(self, asked: Asked) -> Response {
        if let Self::Domain(Error::NobodyMay(actions)) = self {
            let mut response = method_not_allowed(&E::METHOD, "", asked);
            response.extensions_mut().insert(AdminOnlyActions(actions));
            return response;
        }
        self.answer(E::ACCESS.takes_credentials(), E::ERRORS, asked)
    }

    /// The answer where no endpoint was reached.
    pub(super) fn into_response_of_none(self, asked: Asked) -> Response {
        self.answer(false, Dialect::Drf, asked)
    }

    fn answer(self, takes_credentials: bool, dialect: Dialect, asked: Asked) -> Response {
        let under_way = match &self {
            Self::Domain(Error::ChangeUnderWay(operation) | Error::RemovalUnderWay(operation)) => Some(*operation),
            _ => None,
        };
        let (mut problem, challenge, retry_after) = match self {
            Self::Problem(problem) => (*problem, None, None),
            Self::MalformedAuthorization => {
                let detail = "Authorization header must contain two space-delimited values";
                (Problem::unauthorized(detail).with_code("bad_authorization_header"), Some(INVALID_TOKEN), None)
            }
            Self::SeveralAuthorizations => {
                let problem = Problem::invalid("Send one Authorization header, not several.");
                (problem.with_code("invalid_request"), Some(INVALID_REQUEST), None)
            }
            Self::RateLimited(allowance) => {
                let (problem, seconds) = rate_limited(&allowance);
                (problem, None, Some(seconds))
            }
            Self::Domain(error @ Error::Denied) => (domain(error).0, Some(INSUFFICIENT_SCOPE), None),
            Self::Domain(Error::Unauthenticated(error)) => {
                let (problem, challenge) = if takes_credentials { at_credentials(error) } else { at_resource(error) };
                (problem, Some(challenge), None)
            }
            Self::Domain(error) => domain(error),
        };
        if dialect == Dialect::SimpleJwt && problem.status == 400 {
            simple_jwt_members(&mut problem);
        }
        let mut response = respond(problem, asked);
        if let Some(Ok(location)) = under_way.map(|id| path_and_query::<operations::Get>(&(id,), &()).parse()) {
            response.headers_mut().insert(header::LOCATION, location);
        }
        if let Some(challenge) = challenge {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// Has the address of what is under way begin as the client knows the server.
pub(super) fn complete_location(response: &mut Response, base: &BaseUrl) {
    let headers = response.headers_mut();
    let path = headers.get(header::LOCATION).and_then(|path| path.to_str().ok());
    if let Some(Ok(whole)) = path.map(|path| HeaderValue::try_from(base.text() + path)) {
        headers.insert(header::LOCATION, whole);
    }
}

const CHALLENGE: &str = "Bearer realm=\"api\"";
const INVALID_TOKEN: &str = "Bearer realm=\"api\", error=\"invalid_token\"";
const INVALID_REQUEST: &str = "Bearer realm=\"api\", error=\"invalid_request\"";
const INSUFFICIENT_SCOPE: &str = "Bearer realm=\"api\", error=\"insufficient_scope\"";

/// 401 of the endpoints that take credentials in the body or a cookie.
fn at_credentials(error: AuthError) -> (Problem, &'static str) {
    let (detail, code, challenge) = match error {
        AuthError::Missing => ("You are not signed in.", "not_authenticated", CHALLENGE),
        AuthError::Credentials => {
            ("No active account found with the given credentials", "no_active_account", CHALLENGE)
        }
        AuthError::Token(error) => (error.detail(), "token_not_valid", INVALID_TOKEN),
        AuthError::Ended => ("Token is blacklisted", "token_not_valid", INVALID_TOKEN),
        AuthError::NoUser | AuthError::Inactive => {
            ("No active account found for the given token.", "token_not_valid", INVALID_TOKEN)
        }
    };
    (Problem::unauthorized(detail).with_code(code), challenge)
}

/// 401 of the endpoints that take an access token.
fn at_resource(error: AuthError) -> (Problem, &'static str) {
    let refused = |message: &str| {
        let messages = json!([{"token_class": "AccessToken", "token_type": "access", "message": message}]);
        let problem = Problem::unauthorized("Given token not valid for any token type").with_code("token_not_valid");
        (problem.with("messages", messages), INVALID_TOKEN)
    };
    let plain = |detail: &str, code| (Problem::unauthorized(detail).with_code(code), INVALID_TOKEN);
    match error {
        AuthError::Missing | AuthError::Credentials => {
            (Problem::unauthorized("Authentication credentials were not provided."), CHALLENGE)
        }
        AuthError::Token(error @ TokenError::NoUser) => plain(error.detail(), "token_not_valid"),
        AuthError::Token(error) => refused(error.detail()),
        AuthError::Ended => refused("Token is blacklisted"),
        AuthError::NoUser => plain("User not found", "user_not_found"),
        AuthError::Inactive => plain("User is inactive", "user_inactive"),
    }
}

/// Everything that is not about who asks.
fn domain(error: Error) -> (Problem, Option<&'static str>, Option<u64>) {
    let detail = error.to_string();
    let problem = match error {
        Error::Invalid(errors) => Problem::validation(errors),
        Error::Denied => Problem::forbidden(detail),
        Error::NobodyMay(_) => Problem::method_not_allowed(detail),
        Error::NotFound => Problem::not_found(detail),
        Error::InvalidCursor => Problem::not_found(detail).with_code("invalid_cursor"),
        Error::TooLargeTogether => Problem::invalid(detail).with_code("too_much"),
        Error::NoSuchPage => Problem::not_found(detail).with_code("invalid_page"),
        Error::Taken(errors) => taken(errors),
        Error::TakenUnseen => Problem { detail, ..Problem::taken(FieldErrors::new()) },
        Error::Conflict(detail) => Problem::conflict(detail),
        Error::RecordsDoNotFit { count, errors, examples } => Problem::conflict(detail)
            .with_code("records_do_not_fit")
            .with_errors(errors)
            .with("count", count)
            .with("examples", json!(examples)),
        Error::ChangedSince(since) => {
            let example = |it: &Obstacle| {
                let which = it.id.as_ref().map_or_else(|| ("part", &it.part), |_| ("id", &it.id));
                json!({"collection": it.collection, which.0: which.1, "reason": it.reason, "detail": it.detail})
            };
            let examples: Vec<Value> = since.examples.iter().map(example).collect();
            Problem::conflict(detail).with_code("changed_since").with("count", since.count).with("examples", examples)
        }
        Error::NotRevertible(_) => Problem::conflict(detail).with_code("not_revertible"),
        Error::Trimmed => Problem::gone(detail),
        Error::EventsRemoved(Revision(begin)) => {
            Problem::gone(detail).with_code("trimmed").with("since", begin.to_string())
        }
        Error::TooManyStreams(_) => {
            return (Problem::too_many_requests(detail).with_code("too_many_streams"), None, Some(5));
        }
        Error::ChangeUnderWay(_) => Problem::conflict(detail).with_code("change_under_way"),
        Error::RemovalUnderWay(_) => Problem::conflict(detail).with_code("removal_under_way"),
        Error::HeldBack(errors) => Problem::conflict(detail).with_code("held_back").with_errors(errors),
        Error::WouldDrop(holding) => {
            let records = holding.into_iter().map(|(field, count)| (field.to_string(), json!(count)));
            Problem::conflict(detail).with_code("would_drop").with("records", Value::Object(records.collect()))
        }
        Error::Stale => Problem::stale(detail),
        Error::TooLarge { .. } | Error::FileTooLarge(_) => Problem::too_large(detail),
        Error::TooManyEntries { .. } => Problem::too_large(detail).with_code("too_many_entries"),
        Error::OverQuota(over) => over_quota(detail, &over),
        Error::Locked(after) => return (Problem::too_many_requests(detail), None, Some(whole_seconds(after))),
        Error::BadKey(_) => Problem::invalid(detail).with_code("invalid_idempotency_key"),
        Error::KeyAtWork => {
            return (Problem::conflict(detail).with_code("idempotency_key_in_use"), None, Some(1));
        }
        Error::TooManyKeys(_) => {
            return (Problem::too_many_requests(detail).with_code("too_many_idempotency_keys"), None, Some(3600));
        }
        Error::Busy | Error::Stopped => return (Problem::unavailable(detail), None, Some(1)),
        Error::Unavailable => return (Problem::unavailable(detail).with_code("database_unavailable"), None, Some(1)),
        Error::OutcomeUnknown => return (Problem::unavailable(detail).with_code("outcome_unknown"), None, Some(5)),
        Error::NoMemory => return (Problem::unavailable(detail).with_code("no_memory"), None, Some(1)),
        Error::GivenUp => return (Problem::unavailable(detail).with_code("given_up"), None, Some(5)),
        Error::TooSlow => return (Problem::unavailable(detail).with_code("query_too_slow"), None, Some(60)),
        Error::DiskFull => return (Problem::disk_full(detail), None, Some(60)),
        error @ Error::Internal { .. } => {
            tracing::error!(reason = error.with_causes(), "a request failed");
            Problem::internal(
                "Something went wrong on the server. Try again; if it goes on, give its operator the request id.",
            )
        }
        Error::Unauthenticated(error) => at_resource(error).0,
    };
    (problem, None, None)
}

/// 429, and when the caller may come back, in seconds.
fn rate_limited(allowance: &Allowance) -> (Problem, u64) {
    let seconds = whole_seconds(allowance.refused.unwrap_or_default());
    let unit = if seconds == 1 { "second" } else { "seconds" };
    let detail = format!("These are more requests than this server takes from one caller. Go on in {seconds} {unit}.");
    let mut problem = Problem::too_many_requests(detail).with_code("rate_limited");
    problem.title = "Too many requests".into();
    (problem.with("violated-policies", vec![Value::from(allowance.class.name())]), seconds)
}

/// Seconds as headers tell them: rounded up, and at least one.
pub(crate) fn whole_seconds(time: Duration) -> u64 {
    (time.as_secs() + u64::from(time.subsec_nanos() > 0)).max(1)
}

/// 403: the request was understood and is refused for a reason that has nothing to do with credentials (RFC 9110, 15.5.4), hence
/// without a challenge. It is no 409, which scripts that import take for "is there already" and pass over; no 413, since the
/// request is not too large; and no 507, since nothing is wrong with the server.
fn over_quota(detail: String, over: &OverQuota) -> Problem {
    let problem = Problem::over_quota(detail);
    match over {
        OverQuota::Records { used, limit, .. } => {
            problem.with("quota", "records").with("used", *used).with("limit", *limit)
        }
        OverQuota::Bytes { used, limit, .. } => {
            problem.with("quota", "bytes").with("used", *used).with("limit", *limit)
        }
        OverQuota::Collections => problem.with("quota", "collections").with("limit", MAX_COLLECTIONS),
        OverQuota::Owner | OverQuota::Nobody | OverQuota::History => problem,
    }
}

/// 409, with the first message as the detail, since it names what is taken or in the way.
fn taken(errors: FieldErrors) -> Problem {
    let first = errors.0.values().flatten().next();
    let code = first.map_or_else(|| "unique".into(), |error| error.code.clone());
    let detail = match first {
        Some(error) if error.code != "unique" => error.message.clone(),
        _ => Problem::taken(FieldErrors::new()).detail,
    };
    Problem { code, detail, ..Problem::taken(errors) }
}

/// `SimpleJWT` answers a 400 with a list of messages for each field. A parameter that is called as a problem's own member, which no body of these routes is,
/// stands among the errors alone.
fn simple_jwt_members(problem: &mut Problem) {
    const OWN: [&str; 7] = ["type", "title", "status", "detail", "code", "errors", "request_id"];
    for (field, errors) in problem.errors.0.iter().filter(|(field, _)| !OWN.contains(&field.as_str())) {
        let messages: Vec<Value> = errors.iter().map(|error| error.message.as_str().into()).collect();
        problem.extra.insert(field.clone(), messages.into());
    }
    if let Some(message) = problem.errors.messages(NON_FIELD).next() {
        problem.detail = message.to_owned();
    }
}

/// The refusal of a request that was not read as its endpoint says.
pub(crate) fn of_endpoint<E: Endpoint>(error: Error, asked: Asked) -> Response {
    Refusal::from(error).into_response::<E>(asked)
}

/// 404.
pub(crate) fn not_found(asked: Asked) -> Response {
    respond(Problem::not_found("There is nothing at this address."), asked)
}

/// 405, with what is allowed.
pub(crate) fn method_not_allowed(method: &Method, allow: &str, asked: Asked) -> Response {
    let mut response = respond(Problem::method_not_allowed(format!("Method \"{method}\" not allowed.")), asked);
    if let Ok(allow) = HeaderValue::from_str(allow) {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    response
}

/// 500.
pub(crate) fn internal() -> Response {
    let asked = Asked { request_id: None, representation: Representation::Problem };
    respond(domain(Error::internal("a request matched no filter")).0, asked)
}

fn respond(mut problem: Problem, asked: Asked) -> Response {
    problem.request_id = asked.request_id.map(|id| id.to_string()).unwrap_or_default();
    let (status, headers, body): (_, _, Bytes) = response_parts(&problem, asked.representation);
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}
