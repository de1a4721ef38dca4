//! How long an access token lives, as it says itself.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;

/// What is assumed of a token that does not say: the server's default, in seconds. One that ends sooner is renewed when it is refused.
const USUAL_LIFE: u64 = 300;

#[derive(Deserialize)]
struct Times {
    iat: u64,
    exp: u64,
}

/// Seconds from `iat` to `exp`: this machine's clock may differ from the server's, a span does not.
pub(super) fn life(access: &str) -> u64 {
    let payload = access.split('.').nth(1).and_then(|payload| URL_SAFE_NO_PAD.decode(payload).ok());
    let times = payload.and_then(|payload| serde_json::from_slice::<Times>(&payload).ok());
    times.map_or(USUAL_LIFE, |times| times.exp.saturating_sub(times.iat))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tokens_life_is_read_from_its_claims() {
        let token = |payload: &str| format!("e30.{}.c2lnbmF0dXJl", URL_SAFE_NO_PAD.encode(payload));
        assert_eq!(life(&token(r#"{"token_type":"access","exp":1800000060,"iat":1800000000}"#)), 60);
        for unreadable in ["a1", "", "a.b.c", &token("{}"), &token(r#"{"exp":"soon","iat":0}"#)] {
            assert_eq!(life(unreadable), USUAL_LIFE, "{unreadable}");
        }
        assert_eq!(life(&token(r#"{"exp":1,"iat":5}"#)), 0);
    }
}
