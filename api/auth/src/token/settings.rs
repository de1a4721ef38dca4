//! The types of tokens, and what their issuer and their verifier must agree on.

use std::time::Duration;

/// What a token is for. One is never taken for the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenType {
    /// Opens the API, for minutes.
    Access,
    /// Buys the next pair.
    Refresh,
    /// Shows that a user has signed in from this device before, and opens nothing: others' wrong guesses do not keep it from trying.
    Device,
}

/// How long a device is known after a sign-in.
const DEVICE_LIFETIME: Duration = Duration::from_hours(24 * 180);

impl TokenType {
    /// The `token_type` claim.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Refresh => "refresh",
            Self::Device => "device",
        }
    }

    pub(super) fn from_claim(text: &str) -> Option<Self> {
        [Self::Access, Self::Refresh, Self::Device].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// What issuer and verifier must agree on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenSettings {
    /// The `iss` claim.
    pub issuer: String,
    /// The `aud` claim.
    pub audience: String,
    /// How long an access token lives, whole seconds. Tokens with a longer life were not given out and are refused.
    pub access_lifetime: Duration,
    /// The same for a refresh token.
    pub refresh_lifetime: Duration,
}

impl Default for TokenSettings {
    fn default() -> Self {
        Self {
            issuer: "coffer".to_owned(),
            audience: "coffer".to_owned(),
            access_lifetime: Duration::from_mins(5),
            refresh_lifetime: Duration::from_hours(24),
        }
    }
}

impl TokenSettings {
    /// The lifetime of one type, in whole seconds.
    pub fn lifetime(&self, kind: TokenType) -> i64 {
        let lifetime = match kind {
            TokenType::Access => self.access_lifetime,
            TokenType::Refresh => self.refresh_lifetime,
            TokenType::Device => DEVICE_LIFETIME,
        };
        i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX)
    }
}
