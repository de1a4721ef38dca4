//! How a problem document becomes an answer: the one place for routes and server alike. What a problem says is `common`'s;
//! which status and headers a failure needs beyond these is its maker's (`WWW-Authenticate`, `Retry-After`, `Allow`).

use bytes::Bytes;
use common::Problem;
use http::{HeaderMap, HeaderValue, StatusCode, header};

/// The content type of every error (RFC 9457 §3).
pub const CONTENT_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");

/// Status, headers and body of the answer that carries `problem`.
pub fn response_parts(problem: &Problem) -> (StatusCode, HeaderMap, Bytes) {
    let mut headers = HeaderMap::with_capacity(8);
    headers.insert(header::CONTENT_TYPE, CONTENT_TYPE);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // A problem is strings, numbers and maps with text keys; should one ever not be writable, the status still says what matters.
    let body = serde_json::to_vec(problem).unwrap_or_default();
    (problem.status_code(), headers, body.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_answered_with_its_status_and_is_never_cached() {
        let mut problem = Problem::not_found("There is no such thing.");
        problem.request_id = "0192".to_owned();
        let (status, headers, body) = response_parts(&problem);
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert_eq!(headers[header::CONTENT_TYPE], "application/problem+json");
        assert_eq!(headers[header::CACHE_CONTROL], "no-store");
        assert_eq!(serde_json::from_slice::<Problem>(&body).unwrap(), problem);
    }
}
