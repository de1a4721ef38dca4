//! Who asks, by the `Authorization` header.

use std::net::IpAddr;

use common::access::Caller;
use http::{HeaderMap, header};

use super::{auth_scheme::Credentials, context::Context, error::Refusal};
use crate::domain::{Error, error::AuthError, sessions::Authenticated, sign_in};

/// Who asks, where that is wanted before it is known for what.
pub(super) async fn caller(context: &Context, headers: &HeaderMap, address: IpAddr) -> Result<Caller, Refusal> {
    let session = authenticate(context, headers, address).await?;
    Ok(session.map_or(Caller::Anonymous, |session| session.caller))
}

/// The session of the access token, if one came.
pub(super) async fn authenticate(
    context: &Context,
    headers: &HeaderMap,
    address: IpAddr,
) -> Result<Option<Authenticated>, Refusal> {
    let mut lines = headers.get_all(header::AUTHORIZATION).iter();
    let Some(line) = lines.next() else { return Ok(None) };
    if lines.next().is_some() {
        return Err(Refusal::SeveralAuthorizations);
    }
    // Not byte by byte as `to_str` goes: a token is long, and comes with each request.
    let Some(line) = str::from_utf8(line.as_bytes()).ok().filter(|line| line.is_ascii()) else {
        return Err(Error::from(AuthError::Token(auth::token::TokenError::Invalid("not ASCII"))).into());
    };
    let token = match context.options.auth_schemes.read(line) {
        Credentials::Token(token) => token,
        Credentials::Nothing => return Ok(None),
        Credentials::Malformed => return Err(Refusal::MalformedAuthorization),
    };
    Ok(Some(sign_in::authenticate(&context.app, token, address).await?))
}
