//! The server's address as a client wrote it, which absolute links begin with.

use http::{HeaderMap, HeaderValue, header};

/// What it is made of. Most answers have no link, so it is put together where one is wanted.
pub(super) struct BaseUrl {
    host: Option<HeaderValue>,
    is_secure: bool,
    prefix: &'static str,
}

impl BaseUrl {
    /// Of a request with these headers. `prefix` stands before the addresses of links.
    pub(super) fn of(headers: &HeaderMap, is_secure: bool, prefix: &'static str) -> Self {
        Self { host: headers.get(header::HOST).cloned(), is_secure, prefix }
    }

    /// `http://localhost:8000`
    pub(super) fn text(&self) -> String {
        let host = self.host.as_ref().and_then(|host| host.to_str().ok()).unwrap_or("localhost");
        format!("{}://{host}{}", if self.is_secure { "https" } else { "http" }, self.prefix)
    }
}
