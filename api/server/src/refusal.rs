//! What the server answers without asking the service: requests that it must not see, and what is left to say when it
//! failed. Problems of routes and of the domain are theirs.

use common::Problem;
use http::{HeaderName, HeaderValue, Method, Request, StatusCode, Version, header, uri::Scheme};
use hyper::body::Body;

use super::{
    options::{MAX_HEADER_LIST, MAX_HEADERS, ServerOptions},
    request_body::BodyError,
};

/// The methods that some route may have. warp never sees TRACE, which would echo credentials, and CONNECT, on which it panics.
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");

/// Letters of a method's name; answers repeat it.
const MAX_METHOD: usize = 32;

/// A problem that ends an exchange, with the header that its status calls for.
pub(super) struct Refusal {
    pub(super) problem: Problem,
    pub(super) header: Option<(HeaderName, HeaderValue)>,
    /// What else may follow on this connection cannot be trusted, or is not worth reading.
    pub(super) closes: bool,
}

impl Refusal {
    fn closing(problem: Problem) -> Self {
        Self { problem, header: None, closes: true }
    }

    /// Plain HTTP came to a port that speaks TLS. Whatever was in the request has been on the way in plain text already. `host`: the one
    /// that was asked for, if it is the server's.
    pub(super) fn plain(host: Option<&HeaderValue>) -> Self {
        let host = host.and_then(|host| host.to_str().ok()).unwrap_or("this-host");
        Self::closing(Problem::malformed(format!("This port speaks HTTPS. Use https://{host}/")))
    }

    /// The request names no host.
    pub(super) fn no_host() -> Self {
        Self::closing(Problem::malformed(
            "Name the host that the request is for, with or without a port, in a Host header.",
        ))
    }

    /// The request is for a host that is not ours (RFC 9110 §15.5.20). Its name is not repeated.
    pub(super) fn foreign_host() -> Self {
        let detail =
            "This server does not answer under this name or address. Whoever runs it finds in its log how to allow it.";
        Self { problem: Problem::misdirected(detail), header: None, closes: false }
    }

    /// The request's head could not be read.
    pub(super) fn unreadable(status: StatusCode) -> Self {
        let mut problem = Problem::malformed(match status {
            StatusCode::URI_TOO_LONG => "The address is longer than 64 KiB. Put what is long into a body.".to_owned(),
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => {
                format!("The headers are more than {MAX_HEADERS}, or larger than {} KiB.", MAX_HEADER_LIST / 1024)
            }
            _ => "This is no HTTP request that can be read in one way only. In an address, \" is written %22, < is %3C, > is %3E, and a space %20."
                .to_owned(),
        });
        problem.status = status.as_u16();
        Self::closing(problem)
    }

    /// What is wrong with `request`, if the service must not see it.
    pub(super) fn of<B: Body>(request: &Request<B>, options: &ServerOptions) -> Option<Self> {
        let headers = request.headers();
        if matches!(*request.method(), Method::CONNECT | Method::TRACE) {
            let problem = Problem::method_not_allowed("This server neither tunnels nor echoes requests.");
            return Some(Self { problem, header: Some((header::ALLOW, METHODS)), closes: true });
        }
        if request.method().as_str().len() > MAX_METHOD {
            let problem = Problem::method_not_allowed("There is no method with so long a name.");
            return Some(Self { problem, header: Some((header::ALLOW, METHODS)), closes: true });
        }
        // `GET example.org`: no path, on which warp panics.
        if request.uri().path_and_query().is_none() {
            return Some(Self::closing(Problem::malformed(
                "The request line has no path. Send one that begins with a slash.",
            )));
        }
        // RFC 9112 §3.2: exactly one in HTTP/1.1, and never two.
        let hosts = headers.get_all(header::HOST).iter().count();
        if hosts > 1 || hosts == 0 && request.version() == Version::HTTP_11 {
            return Some(Self::closing(Problem::malformed("Send exactly one Host header.")));
        }
        // RFC 9113 §8.3.1: in HTTP/2 neither overrides the other.
        if let (Version::HTTP_2, Some(host), Some(authority)) =
            (request.version(), headers.get(header::HOST), request.uri().authority())
            && !host.as_bytes().eq_ignore_ascii_case(authority.as_str().as_bytes())
        {
            return Some(Self::closing(Problem::malformed("Host and :authority name two hosts. Send one of them.")));
        }
        // What an absolute address or HTTP/2 names beside the host: RFC 9110 §4.2.4 has nobody in it, and nothing else is served here.
        if request.uri().authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Some(Self::closing(Problem::malformed(
                "The address names a user. Send it without what is before the @.",
            )));
        }
        if request.uri().scheme().is_some_and(|scheme| ![Scheme::HTTP, Scheme::HTTPS].contains(scheme)) {
            return Some(Self::closing(Problem::malformed("This server speaks http and https. Ask for one of them.")));
        }
        // It stands in the links that are sent back.
        if headers.get(header::HOST).is_some_and(|host| !is_host(host.as_bytes())) {
            return Some(Self::closing(Problem::malformed("The Host header is no host with or without a port.")));
        }
        // RFC 9112 §6.1: what is packed otherwise, nobody here would unpack, and not every proxy reads a list alike.
        let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
        if codings.next().is_some_and(|coding| !coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked"))
            || codings.next().is_some()
        {
            let detail = "The only Transfer-Encoding that is read is chunked, once.";
            return Some(Self::closing(Problem::malformed(detail)));
        }
        let size: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
        if size > MAX_HEADER_LIST as usize {
            let mut problem = Problem::invalid(format!("The headers are larger than {} KiB.", MAX_HEADER_LIST / 1024));
            problem.status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE.as_u16();
            return Some(Self::closing(problem));
        }
        let is_upload = (options.is_upload)(request.method(), request.uri().path());
        if request.body().size_hint().lower() > options.max_body && !is_upload {
            return Some(Self::body(&BodyError::TooLarge, options));
        }
        None
    }

    /// The body was more, or later, than the server allows, or came when it had no room for it.
    pub(super) fn body(error: &BodyError, options: &ServerOptions) -> Self {
        let problem = match error {
            BodyError::TooLarge => {
                Problem::too_large(format!("A request may have {} bytes. Send less at a time.", options.max_body))
            }
            BodyError::TooLate => {
                let mut problem = Problem::invalid(format!(
                    "The request's body was not complete after {} seconds. Send it again over a better connection, or less at a time.",
                    options.body_timeout.as_secs()
                ));
                problem.status = StatusCode::REQUEST_TIMEOUT.as_u16();
                problem.code = "timeout".into();
                problem
            }
            BodyError::TooMany => {
                let problem = Problem::unavailable("The server is reading as much as it can. Try again in a moment.");
                return Self {
                    header: Some((header::RETRY_AFTER, HeaderValue::from_static("1"))),
                    ..Self::closing(problem)
                };
            }
            BodyError::Broken(_) => Problem::malformed("The request's body could not be read."),
        };
        Self::closing(problem)
    }

    /// The answer does not fit into memory now.
    pub(super) fn no_memory() -> Self {
        let detail = "The server holds as much as it can. Try again in a moment, or ask for less at once.";
        let problem = Problem::unavailable(detail).with_code("no_memory");
        Self { problem, header: Some((header::RETRY_AFTER, HeaderValue::from_static("1"))), closes: false }
    }

    /// The handler panicked.
    pub(super) fn panicked() -> Self {
        let problem = Problem::internal(
            "The server made a mistake. It is in its log under the request id; tell whoever runs the server.",
        );
        Self { problem, header: None, closes: false }
    }

    /// The handler did not answer in time.
    pub(super) fn too_slow() -> Self {
        let problem = Problem::unavailable(
            "The server could not answer in time. Try again in a moment; of a change, look first whether it was made.",
        );
        Self { problem, header: Some((header::RETRY_AFTER, HeaderValue::from_static("5"))), closes: false }
    }
}

/// What RFC 3986 §3.2 lets a host and a port be made of; whose name it is, is not looked at.
fn is_host(host: &[u8]) -> bool {
    host.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:[]%".contains(byte))
}
