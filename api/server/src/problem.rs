//! How a problem becomes an answer: the one place for routes and server alike. What a problem says is `common`'s; which status and
//! headers a failure needs beyond these is its maker's (`WWW-Authenticate`, `Retry-After`, `Allow`).

mod drf;
mod representation;

use bytes::Bytes;
use common::Problem;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

pub use representation::Representation;

/// The media type of problem documents (RFC 9457 §3).
const PROBLEM: &str = "application/problem+json";

/// How many faults an answer leaves out, since it ends after [`common::problem::MAX_FAULTS`].
pub const ERRORS_OMITTED: HeaderName = HeaderName::from_static("errors-omitted");

/// Status, headers and body of the answer that carries `problem`.
pub fn response_parts(problem: &Problem, representation: Representation) -> (StatusCode, HeaderMap, Bytes) {
    let mut headers = HeaderMap::with_capacity(10);
    // A problem is strings, numbers and maps with text keys; should one ever not be writable, the status still says what matters.
    let (media_type, body) = match representation {
        Representation::Problem => (PROBLEM, serde_json::to_vec(problem)),
        Representation::Drf => ("application/json", serde_json::to_vec(&drf::body(problem))),
    };
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::VARY, HeaderValue::from_static("Accept"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if problem.errors.omitted() > 0 {
        headers.insert(ERRORS_OMITTED, HeaderValue::from(problem.errors.omitted()));
    }
    (problem.status_code(), headers, body.unwrap_or_default().into())
}

#[cfg(test)]
mod tests {
    use common::problem::{FieldError, FieldErrors};

    use super::*;

    #[test]
    fn a_problem_is_answered_with_its_status_and_is_never_cached() {
        let mut problem = Problem::not_found("There is no such thing.");
        problem.request_id = "0192".to_owned();
        let (status, headers, body) = response_parts(&problem, Representation::Problem);
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert_eq!(headers[header::CONTENT_TYPE], "application/problem+json");
        assert_eq!(headers[header::CACHE_CONTROL], "no-store");
        assert_eq!(serde_json::from_slice::<Problem>(&body).unwrap(), problem);
        let (status, headers, body) = response_parts(&problem, Representation::Drf);
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert_eq!(headers[header::CONTENT_TYPE], "application/json");
        assert_eq!(body, r#"{"detail":"There is no such thing.","code":"not_found"}"#);
    }

    #[test]
    fn both_representations_say_how_many_faults_are_left_out() {
        let mut errors = FieldErrors::new();
        for n in 0..103 {
            errors.push(format!("m{n}"), FieldError::new("unknown", "There is no field of this name."));
        }
        let problem = Problem::validation(errors);
        for representation in [Representation::Problem, Representation::Drf] {
            let (_, headers, _) = response_parts(&problem, representation);
            assert_eq!([&headers[ERRORS_OMITTED], &headers[header::VARY]], ["3", "Accept"]);
        }
    }
}
