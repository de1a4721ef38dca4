//! Who pays for a request, out of which allowance, and how the answer tells (`RateLimit` fields, draft-ietf-httpapi-ratelimit-headers).
//! The allowances themselves are in [`crate::limits`].

use std::{io::Write as _, net::IpAddr};

use common::{Access, Endpoint, Problem, endpoints::tokens};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::Value;

use super::{Context, browser, error::Refusal};
use crate::{
    auth::token::{Claims, TokenError, TokenType},
    domain::sessions::Authenticated,
    limits::{Class, Limits, Payer, Standing},
};

/// What became of verifying a refresh token.
pub type RefreshToken = Result<Claims, TokenError>;

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// What an endpoint's requests count as. `None` is free: supervisors ask often, and nobody else has a reason to.
pub fn class<E: Endpoint>() -> Option<Class> {
    match (E::METHOD, E::PATH) {
        (_, "/healthz" | "/readyz") => None,
        // It changes nothing, costs no hash, and gateways ask it for each of their requests.
        (_, tokens::Verify::PATH) => Some(Class::Reads),
        (_, "/api/users/me/password/") => Some(Class::Credentials),
        (Method::GET | Method::OPTIONS, _) => Some(Class::Reads),
        _ if matches!(E::ACCESS, Access::Proof | Access::Cookie) => Some(Class::Credentials),
        _ => Some(Class::Writes),
    }
}

/// Whether a refresh token says who pays. Its session then pays, and not the address: else strangers at the same address could keep
/// others from refreshing and from signing out.
pub const fn pays_by_token<E: Endpoint>() -> bool {
    matches!(E::PATH.as_bytes(), b"/api/token/refresh/" | b"/api/token/blacklist/")
        || matches!(E::ACCESS, Access::Cookie)
}

/// The refresh token in the body or the cookie, verified: its claims, or why it is none of ours. `None` where none came.
pub fn refresh_token<E: Endpoint>(
    context: &Context,
    headers: &HeaderMap,
    body: Option<&Value>,
) -> Option<RefreshToken> {
    let token = match E::ACCESS {
        Access::Cookie => browser::cookie(headers, &context.options)?,
        _ => body?.get("refresh")?.as_str()?,
    };
    Some(context.app.auth().verifier.verify(token, TokenType::Refresh))
}

/// The payer where nobody is signed in: the session of a refresh token that we signed, or the address.
pub fn payer_by_token(token: Option<&RefreshToken>, address: IpAddr) -> Payer {
    match token {
        Some(Ok(claims)) => Payer::Session(claims.session.uuid()),
        _ => Payer::Address(address),
    }
}

/// The payer otherwise: the user, or the address.
pub fn payer(session: Option<&Authenticated>, address: IpAddr) -> Payer {
    session.map_or(Payer::Address(address), |session| Payer::User(session.user.id.uuid()))
}

/// Takes a request of `E` from the allowance of `payer`; `standing` then says how much is left.
pub fn charge<E: Endpoint>(context: &Context, payer: Payer, standing: &mut Option<Standing>) -> Result<(), Refusal> {
    let Some(class) = class::<E>() else { return Ok(()) };
    // What names a session proves more than a guess could: using it is a write like others.
    let class = if matches!(payer, Payer::Session(_)) { Class::Writes } else { class };
    *standing = context.options.limits.take(class, payer);
    match *standing {
        Some(standing) if standing.refused.is_some() => Err(Refusal::TooFast(standing)),
        _ => Ok(()),
    }
}

/// What a refused caller reads, and when they may come back, in seconds.
pub fn problem(standing: &Standing) -> (Problem, u64) {
    let seconds = round_up(standing.refused.unwrap_or_default());
    let unit = if seconds == 1 { "second" } else { "seconds" };
    let detail = format!("These are more requests than this server takes from one caller. Go on in {seconds} {unit}.");
    let mut problem = Problem::too_many_requests(detail).with_code("rate_limited");
    problem.title = "Too many requests".into();
    (problem.with("violated-policies", vec![Value::from(standing.class.name())]), seconds)
}

/// What `RateLimit-Policy` says of each class, where it is limited.
pub type Policies = [Option<HeaderValue>; Class::ALL.len()];

/// The same for all answers.
pub fn policies(limits: &Limits) -> Policies {
    Class::ALL.map(|class| {
        let policy = limits.policy(class)?;
        HeaderValue::try_from(format!("\"{}\";q={};w={}", class.name(), policy.quota(), policy.window())).ok()
    })
}

/// Tells how much is left.
pub fn tell(standing: &Standing, policies: &Policies, headers: &mut HeaderMap) {
    // Room for the longest name and two numbers; on the stack, since every answer has one.
    let mut buffer = [0; 64];
    let mut rest = &mut buffer[..];
    let written = write!(rest, "\"{}\";r={};t={}", standing.class.name(), standing.remaining, round_up(standing.reset));
    let unused = rest.len();
    if written.is_ok()
        && let Ok(left) = HeaderValue::from_bytes(&buffer[..buffer.len() - unused])
    {
        headers.insert(LIMIT, left);
    }
    headers.extend(policies[standing.class as usize].clone().map(|policy| (POLICY, policy)));
}

fn round_up(time: std::time::Duration) -> u64 {
    (time.as_secs() + u64::from(time.subsec_nanos() > 0)).max(1)
}
