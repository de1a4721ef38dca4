//! Takes a request from the allowance that its endpoint's cost names, and tells in the answer how much is left (`RateLimit` fields,
//! draft-ietf-httpapi-ratelimit-headers). The allowances themselves are in [`crate::limits`].

use std::{io::Write as _, net::IpAddr};

use auth::token::{Claims, TokenError, TokenType};
use common::{
    Access, Endpoint,
    endpoint::{ChargedTo, Cost},
    endpoints::tokens::RefreshToken,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use super::{
    context::Context,
    cookie,
    error::{Refusal, whole_seconds},
};
use crate::{
    domain::{Error, sessions::Authenticated},
    limits::{Allowance, Class, Limits, Payer},
};

/// What became of verifying a refresh token.
pub(crate) type Verified = Result<Claims, TokenError>;

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// Whether the session of a refresh token is charged: then the body has to be read first.
pub(crate) const fn is_charged_to_session<E: Endpoint>() -> bool {
    matches!(
        E::COST,
        Cost::Reads(ChargedTo::Session) | Cost::Writes(ChargedTo::Session) | Cost::Credentials(ChargedTo::Session)
    )
}

/// The refresh token in the body or the cookie, verified: its claims, or why it is none of ours. `None` where none came.
pub(super) fn refresh_token<E: Endpoint>(
    context: &Context,
    headers: &HeaderMap,
    body: Option<&Value>,
) -> Option<Verified> {
    let token = match E::ACCESS {
        Access::Cookie => cookie::get(headers, &context.options)?,
        _ => body.and_then(|body| body.get(RefreshToken::member(body)))?.as_str()?,
    };
    Some(context.app.auth().verify(context.app.core(), token, TokenType::Refresh))
}

/// The payer where nobody is signed in: the session of a refresh token that we signed, or the address.
pub(crate) fn session_or_address(token: Option<&Verified>, address: IpAddr) -> Payer {
    match token {
        Some(Ok(claims)) => Payer::Session(claims.session.uuid()),
        _ => Payer::Address(address),
    }
}

/// The payer otherwise: the user, or the address.
pub(crate) fn user_or_address(session: Option<&Authenticated>, address: IpAddr) -> Payer {
    session.map_or(Payer::Address(address), |session| Payer::User(session.user.id.uuid()))
}

/// Takes a request of `E` from the allowance of `payer`; `left` then says what is left of it.
pub(crate) fn charge<E: Endpoint>(
    context: &Context,
    payer: Payer,
    left: &mut Option<Allowance>,
) -> Result<(), Refusal> {
    let class = match (E::COST, payer) {
        (Cost::Free, _) => return Ok(()),
        // Whoever signs in at this address does not pay for it.
        (Cost::Credentials(ChargedTo::Session), Payer::Address(_)) => Class::UnknownTokens,
        (_, Payer::Address(_)) if E::ACCESS == Access::SignUp && !context.options.sign_up.is_off() => Class::SignUps,
        // What names a session proves more than a guess could: using it is a write like others.
        (Cost::Writes(_), _) | (_, Payer::Session(_)) => Class::Writes,
        (Cost::Reads(_), _) => Class::Reads,
        (Cost::Credentials(_), _) => Class::Credentials,
        (Cost::Inspections(_), _) => Class::Inspections,
    };
    take(context, class, payer, left)
}

/// What a refused use of a refresh token is answered with: so many times that it is refused, and then that its client has to wait. A client
/// that tries again and again what cannot succeed is slowed down so, and nobody else: what is good is never refused for it.
pub(super) fn slowed_down(
    context: &Context,
    session: Payer,
    refusal: Refusal,
    left: &mut Option<Allowance>,
) -> Refusal {
    match refusal {
        Refusal::Domain(Error::Unauthenticated(_)) => {
            take(context, Class::Refusals, session, left).err().unwrap_or(refusal)
        }
        refusal => refusal,
    }
}

/// Takes a request that comes to no endpoint, or must not, from the allowance of its address: like a read, which is the least that it costs.
pub(super) fn charge_read(context: &Context, address: IpAddr, left: &mut Option<Allowance>) -> Result<(), Refusal> {
    take(context, Class::Reads, Payer::Address(address), left)
}

fn take(context: &Context, class: Class, payer: Payer, left: &mut Option<Allowance>) -> Result<(), Refusal> {
    *left = context.options.limits.take(class, payer);
    match *left {
        Some(allowance) if allowance.refused.is_some() => Err(Refusal::RateLimited(allowance)),
        _ => Ok(()),
    }
}

/// What `RateLimit-Policy` says of each class, where it is limited.
pub(crate) type Policies = [Option<HeaderValue>; Class::ALL.len()];

/// The same for all answers.
pub(crate) fn policies(limits: &Limits) -> Policies {
    Class::ALL.map(|class| {
        let policy = limits.policy(class)?;
        HeaderValue::try_from(format!("\"{}\";q={};w={}", class.name(), policy.quota(), policy.window())).ok()
    })
}

/// Tells how much is left.
pub(crate) fn tell(left: &Allowance, policies: &Policies, headers: &mut HeaderMap) {
    // Room for the longest name and two numbers; on the stack, since every answer has one.
    let mut buffer = [0; 64];
    let mut rest = &mut buffer[..];
    let written = write!(rest, "\"{}\";r={};t={}", left.class.name(), left.remaining, whole_seconds(left.reset));
    let unused = rest.len();
    if written.is_ok()
        && let Ok(value) = HeaderValue::from_bytes(&buffer[..buffer.len() - unused])
    {
        headers.insert(LIMIT, value);
    }
    headers.extend(policies[left.class as usize].clone().map(|policy| (POLICY, policy)));
}
