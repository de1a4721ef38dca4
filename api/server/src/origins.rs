//! Pages of other origins (the Fetch standard, "CORS protocol"): which of them a browser may let read answers, and what it is told. This keeps nobody out: programs are asked for no
//! origin. Tokens do. What is read from a cookie stays with pages of this server, whatever is allowed here.

use std::str::FromStr;

use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, header};
use thiserror::Error;

use crate::headers;

/// What a browser may send where it asked first. HEAD and GET need no asking.
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
/// Seconds that an answer to the first question is good for: what Chromium keeps it for at most. Answers to requests are decided each time.
const MAX_AGE: HeaderValue = HeaderValue::from_static("7200");
/// What a page may read of an answer's head beside what it always may.
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "Allow, Coffer-Device, Date, ETag, Errors-Omitted, Link, Location, Not-Restored, Operation, Preference-Applied, RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate, X-Request-Id",
);

/// An origin that an operator allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowedOrigin {
    /// `*`: every page.
    Any,
    /// This one, as browsers write it.
    One(String),
}

/// The text names no origin.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum AllowedOriginError {
    /// There is more than an origin, or less.
    #[error(
        "use scheme, host and port as the browser shows them, such as https://app.example or http://localhost:3000, or * for any"
    )]
    Malformed,
    /// Names below one are not one origin.
    #[error("name each origin: a star stands for all of them or for none")]
    Wildcard,
    /// Every sandboxed frame and every file has this one.
    #[error(
        "null is the origin of every file and every sandboxed frame, whoever made it; serve the page over HTTP and name that origin"
    )]
    Null,
}

impl FromStr for AllowedOrigin {
    type Err = AllowedOriginError;

    fn from_str(text: &str) -> Result<Self, AllowedOriginError> {
        let text = text.trim();
        match text {
            "*" => return Ok(Self::Any),
            "null" => return Err(AllowedOriginError::Null),
            _ if text.contains('*') => return Err(AllowedOriginError::Wildcard),
            _ => {}
        }
        let url = url::Url::parse(text).map_err(|_| AllowedOriginError::Malformed)?;
        let is_bare = url.username().is_empty()
            && url.password().is_none()
            && matches!(url.path(), "" | "/")
            && url.query().is_none()
            && url.fragment().is_none();
        // `localhost:3000` is a URL of the scheme `localhost`.
        let Some(host) = url.host_str().filter(|host| is_bare && !host.is_empty() && text.contains("://")) else {
            return Err(AllowedOriginError::Malformed);
        };
        // Apps have schemes of their own (capacitor://localhost), whose origins browsers write the same way.
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        Ok(Self::One(format!("{}://{}{port}", url.scheme(), host.to_ascii_lowercase())))
    }
}

/// The origins that a browser may let read answers.
#[derive(Debug, Clone, Default)]
pub struct AllowedOrigins {
    any: bool,
    origins: Vec<String>,
}

impl AllowedOrigins {
    /// These.
    pub fn new(origins: Vec<AllowedOrigin>) -> Self {
        let mut allowed = Self::default();
        for origin in origins {
            match origin {
                AllowedOrigin::Any => allowed.any = true,
                AllowedOrigin::One(origin) => allowed.origins.push(origin),
            }
        }
        allowed
    }

    /// There are any.
    fn is_on(&self) -> bool {
        self.any || !self.origins.is_empty()
    }

    /// What to say of the page that `headers` come from.
    pub(super) fn decide(&self, headers: &HeaderMap, is_own_only: impl FnOnce() -> bool) -> CrossOrigin {
        if !self.is_on() {
            return CrossOrigin::Off;
        }
        let mut sent = headers.get_all(header::ORIGIN).iter();
        match (sent.next(), sent.next()) {
            (Some(origin), None) if !is_own_only() => {
                if self.origins.iter().any(|known| known.as_bytes() == origin.as_bytes()) {
                    CrossOrigin::Named(origin.clone())
                } else if self.any {
                    CrossOrigin::Any
                } else {
                    CrossOrigin::Refused
                }
            }
            _ => CrossOrigin::Refused,
        }
    }
}

/// What an answer says to a page of another origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CrossOrigin {
    /// Nothing: no origin is allowed.
    Off,
    /// Nothing, though it could be another answer for another page.
    Refused,
    /// Every page may read it. No browser sends what it keeps for us along then.
    Any,
    /// This page may.
    Named(HeaderValue),
}

impl CrossOrigin {
    /// The page may read the answer.
    pub(super) fn is_allowed(&self) -> bool {
        matches!(self, Self::Any | Self::Named(_))
    }

    /// Adds what every answer says.
    pub(super) fn complete(&self, headers: &mut HeaderMap) {
        if *self == Self::Off {
            return;
        }
        headers::vary(headers, "Origin");
        let origin = match self {
            Self::Named(origin) => {
                // Pages that send cookies along are served too: where this stands, no cookie is read.
                headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
                origin.clone()
            }
            Self::Any => HeaderValue::from_static("*"),
            Self::Off | Self::Refused => return,
        };
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }
}

/// Whether a browser asks first whether it may send the page's request.
pub(super) fn is_preflight<B>(request: &Request<B>) -> bool {
    request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ORIGIN)
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// The answer's headers where it may. All headers are allowed that the page wants to send: what a request must not say is decided when it comes.
pub(super) fn preflight(asked: &HeaderMap) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    for names in asked.get_all(header::ACCESS_CONTROL_REQUEST_HEADERS) {
        if is_list_of_names(names) {
            headers.append(header::ACCESS_CONTROL_ALLOW_HEADERS, names.clone());
        }
    }
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    headers::vary(&mut headers, "Access-Control-Request-Method, Access-Control-Request-Headers");
    headers
}

fn is_list_of_names(names: &HeaderValue) -> bool {
    names.to_str().is_ok_and(|names| names.split(',').all(|name| HeaderName::from_str(name.trim()).is_ok()))
}

/// Whether a page of `origin` is this server's own, which is asked for as `host`. Without TLS here the page may still have come over TLS, through a proxy that nobody told us to believe.
pub fn is_own(origin: &str, host: Option<&str>, is_secure: bool) -> bool {
    origin.split_once("://").is_some_and(|(scheme, at)| Some(at) == host && (!is_secure || scheme == "https"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_taken_as_browsers_write_it() {
        for (text, origin) in [
            ("https://app.example", "https://app.example"),
            (" HTTPS://App.Example:443/ ", "https://app.example"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("http://[::1]:5173", "http://[::1]:5173"),
            ("http://127.0.0.1:80", "http://127.0.0.1"),
            ("https://bücher.example", "https://xn--bcher-kva.example"),
            ("capacitor://localhost", "capacitor://localhost"),
            ("chrome-extension://abcdefgh", "chrome-extension://abcdefgh"),
        ] {
            assert_eq!(text.parse(), Ok(AllowedOrigin::One(origin.to_owned())), "{text}");
        }
        assert_eq!("*".parse(), Ok(AllowedOrigin::Any));
        assert_eq!("null".parse::<AllowedOrigin>(), Err(AllowedOriginError::Null));
        for text in ["https://*.example", "*.example", "https://*"] {
            assert_eq!(text.parse::<AllowedOrigin>(), Err(AllowedOriginError::Wildcard), "{text}");
        }
        for text in [
            "",
            "app.example",
            "localhost:3000",
            "localhost",
            "https://app.example/path",
            "https://app.example?x",
            "https://app.example#x",
            "https://me@app.example",
            "https://",
            "file:///page.html",
            "data:text/html,x",
            "http://app.example:99999",
        ] {
            assert_eq!(text.parse::<AllowedOrigin>(), Err(AllowedOriginError::Malformed), "{text}");
        }
    }

    #[test]
    fn b4_only_the_very_origin_is_let_in() {
        let origins = AllowedOrigins::new(vec!["https://app.example".parse().unwrap()]);
        let decide = |origin: &'static str| {
            origins.decide(&HeaderMap::from_iter([(header::ORIGIN, HeaderValue::from_static(origin))]), || false)
        };
        assert!(decide("https://app.example").is_allowed());
        for origin in [
            "null",
            "http://app.example",
            "https://app.example:8443",
            "https://app.example.evil.example",
            "https://evilapp.example",
            "https://a.app.example",
            "https://app.example/",
            "https://APP.example",
            "https://app.example, https://evil.example",
            "",
        ] {
            assert_eq!(decide(origin), CrossOrigin::Refused, "{origin}");
        }
        let mut two = HeaderMap::new();
        two.append(header::ORIGIN, HeaderValue::from_static("https://app.example"));
        two.append(header::ORIGIN, HeaderValue::from_static("https://app.example"));
        assert_eq!(origins.decide(&two, || false), CrossOrigin::Refused);
    }
}
