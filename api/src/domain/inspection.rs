//! What is told of a token that somebody brings: its parts, and in one sentence how it stands and what to do. It is looked at and forgotten.

use auth::token::{Inspected, TokenError, TokenType};
use common::{
    endpoints::keys::{Key, KeyState},
    inspection::{Inspection, distance},
};

use super::{
    App,
    error::{AuthError, Error, Result},
    refresh,
};

/// Reads a token.
pub async fn inspect(app: &App, token: &str) -> Result<Inspection> {
    let (core, auth) = (app.core(), app.auth());
    let token = token.trim();
    let Inspected { header, payload, kid, is_signed, claims } = auth.verifier.inspect(token);
    let now = core.clock.unix_seconds();
    let key = kid.and_then(|kid| auth.keys.results.iter().find(|key| key.kid == kid)).cloned();
    let said = match &claims {
        Ok(claims) => match stands(app, token, claims.token_type).await? {
            None => Ok(good(claims.token_type, claims.expires_at - now)),
            Some(error) => Err(refused(&error)),
        },
        Err(error) => {
            let expired_at = payload.as_ref().and_then(|payload| payload.get("exp")?.as_i64());
            Err(wrong(*error, key.as_ref(), expired_at.map(|at| at.saturating_sub(now))))
        }
    };
    let is_good = said.is_ok();
    let (Ok(said) | Err(said)) = said;
    Ok(Inspection { header, payload, key, is_signed, is_good, said, now, is_by_given_key: false })
}

/// Why its session does not take it, where that is so.
async fn stands(app: &App, token: &str, kind: TokenType) -> Result<Option<AuthError>> {
    if kind == TokenType::Device {
        return Ok(None);
    }
    match refresh::verify(app, token).await {
        Ok(()) => Ok(None),
        Err(Error::Unauthenticated(error)) => Ok(Some(error)),
        Err(other) => Err(other),
    }
}

fn good(kind: TokenType, left: i64) -> String {
    let what = match kind {
        TokenType::Access => "It is an access token, and would be let in now",
        TokenType::Refresh => "It is a refresh token, and would be traded now",
        TokenType::Device => "It shows that its user has signed in from here before, and lets nobody in",
    };
    format!("{what}: {}.", distance(left))
}

fn refused(error: &AuthError) -> String {
    match error {
        AuthError::Ended => "It was good, but its session has ended, or it was traded for another: sign in again.",
        AuthError::NoUser => "It was good, but its user is gone.",
        AuthError::Inactive => "It was good, but its user is disabled: an admin can change that.",
        AuthError::Missing | AuthError::Credentials | AuthError::Token(_) => {
            "It is signed by this server, but no session here gave it out: it may be of a store before a restore. Sign in again."
        }
    }
    .to_owned()
}

/// What is wrong with a token, and what to do.
fn wrong(error: TokenError, key: Option<&Key>, left: Option<i64>) -> String {
    let because = match error {
        TokenError::Expired => {
            return match left {
                Some(left) => {
                    format!("It expired {}: trade the refresh token for a new one, or sign in.", distance(left))
                }
                None => "It has expired: trade the refresh token for a new one, or sign in.".to_owned(),
            };
        }
        TokenError::Early { seconds } => {
            return format!(
                "It begins {seconds} seconds in the future: a clock is behind, here or where it was signed."
            );
        }
        TokenError::Invalid("kid names no key") if key.is_some_and(|key| key.state == KeyState::Retired) => {
            return "The key that signed it is retired: sign in again.".to_owned();
        }
        TokenError::Invalid("kid names no key") => {
            return "No key of this server signed it: it is another server's, or the keys were changed.".to_owned();
        }
        TokenError::Invalid("the signature does not match") => {
            return "The signature is not that key's: the token was changed, or signed with another key.".to_owned();
        }
        TokenError::Invalid("not three segments") => {
            return "It is no token: one has three parts with points between them. Paste all of it, without \"Bearer\".".to_owned();
        }
        TokenError::Invalid(because) => because,
        TokenError::NoExpiry => "it does not say when it expires (exp)",
        TokenError::NoId => "it has no id (jti)",
        TokenError::NoType => "it does not say what it is for (token_type)",
        TokenError::WrongType => "its token_type is none that Coffer gives out",
        TokenError::NoUser => "it does not say whose it is (user_id)",
    };
    format!("It is refused: {because}.")
}
