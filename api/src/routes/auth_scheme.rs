//! The schemes of `Authorization` that bring an access token: `Bearer` (RFC 6750 §2.1), and others that clients of Django REST Framework
//! use for the same.

use std::{str::FromStr, sync::Arc};

use http::HeaderValue;

/// The schemes that are taken, in any case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthSchemes(Arc<[AuthScheme]>);

/// One scheme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthScheme(String);

impl FromStr for AuthScheme {
    type Err = String;

    /// A token of RFC 9110 §5.6.2.
    fn from_str(text: &str) -> Result<Self, String> {
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if text.is_empty() || text.len() > 32 || !text.bytes().all(is_token) {
            return Err("name schemes such as Bearer or JWT, with commas between them".to_owned());
        }
        if text.eq_ignore_ascii_case("basic") {
            return Err("Basic brings a name and a password, no token; use Bearer, JWT or a name like them".to_owned());
        }
        Ok(Self(text.to_owned()))
    }
}

impl Default for AuthSchemes {
    fn default() -> Self {
        Self::new(["Bearer", "JWT"].map(|name| AuthScheme(name.to_owned())).into())
    }
}

impl AuthSchemes {
    /// These.
    pub fn new(schemes: Vec<AuthScheme>) -> Self {
        Self(schemes.into())
    }

    /// A challenge that names the first of these, where it names another.
    pub(super) fn challenge(&self, challenge: &HeaderValue) -> Option<HeaderValue> {
        let first = self.0.first()?.0.as_str();
        let rest = challenge.to_str().ok()?.strip_prefix("Bearer")?;
        if first == "Bearer" { None } else { HeaderValue::from_str(&format!("{first}{rest}")).ok() }
    }

    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|scheme| scheme.0.eq_ignore_ascii_case(name))
    }
}

/// What a line of `Authorization` brings.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Credentials<'a> {
    /// An access token, which may be any text.
    Token(&'a str),
    /// Another scheme: as good as nothing.
    Nothing,
    /// The scheme is one of ours, and what follows is not one token after one or more spaces (RFC 9110 §11.4).
    Malformed,
}

impl AuthSchemes {
    /// Reads a line that is ASCII.
    pub(super) fn read<'a>(&self, line: &'a str) -> Credentials<'a> {
        let line = line.trim_ascii();
        let end = line.find([' ', '\t']).unwrap_or(line.len());
        let (scheme, rest) = line.split_at(end);
        if !self.has(scheme) {
            return Credentials::Nothing;
        }
        let token = rest.trim_start_matches(' ');
        // Whole slices at a time: a token is long, and comes with each request.
        if token.is_empty() || memchr::memchr2(b' ', b'\t', token.as_bytes()).is_some() {
            return Credentials::Malformed;
        }
        Credentials::Token(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scheme_is_followed_by_spaces_and_one_token() {
        let schemes = AuthSchemes::default();
        for line in ["Bearer a.b.c", "bearer a.b.c", "JWT   a.b.c", "jwt a.b.c", "BEARER a.b.c "] {
            assert_eq!(schemes.read(line), Credentials::Token("a.b.c"), "{line:?}");
        }
        for line in ["Bearer", "Bearer ", "JWT\ta.b.c", "Bearer \ta.b.c", "Bearer a b", "Bearer a\tb"] {
            assert_eq!(schemes.read(line), Credentials::Malformed, "{line:?}");
        }
        for line in ["", "Token a.b.c", "Bearera.b.c", "Basic YTpi", "Bearer,JWT a"] {
            assert_eq!(schemes.read(line), Credentials::Nothing, "{line:?}");
        }
    }

    #[test]
    fn the_operator_names_schemes() {
        let schemes = AuthSchemes::new(vec!["Token".parse().unwrap()]);
        assert_eq!(schemes.read("token x"), Credentials::Token("x"));
        assert_eq!(schemes.read("Bearer x"), Credentials::Nothing);
        let challenge = HeaderValue::from_static("Bearer realm=\"api\"");
        assert_eq!(schemes.challenge(&challenge).unwrap(), "Token realm=\"api\"");
        assert_eq!(AuthSchemes::default().challenge(&challenge), None);
        for bad in ["", "a b", "Bearer ", "Bäcker", "Basic", "basic", &"x".repeat(33)] {
            assert!(bad.parse::<AuthScheme>().is_err(), "{bad:?}");
        }
    }
}
