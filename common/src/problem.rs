//! Problem documents (RFC 9457): the one shape of every error that leaves the server, and what clients read back.
//! `code` is the machine's word, `detail` the person's. Which status a failure has is written here and nowhere else.

use std::{borrow::Cow, collections::BTreeMap};

use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The member that errors about the body as a whole stand under, as in Django REST Framework.
pub const NON_FIELD: &str = "non_field_errors";

/// One thing wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// The machine's word, such as `required` or `max_length`.
    pub code: Cow<'static, str>,
    /// The sentence for a person.
    pub message: String,
}

impl FieldError {
    /// An error with this code and message.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code: Cow::Borrowed(code), message: message.into() }
    }
}

/// Errors by field name. Members of nested values are joined with dots: `fields.2.name`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FieldErrors(pub BTreeMap<String, Vec<FieldError>>);

impl FieldErrors {
    /// No errors.
    pub fn new() -> Self {
        Self::default()
    }

    /// The errors of one field only.
    pub fn of(field: impl Into<String>, error: FieldError) -> Self {
        let mut errors = Self::new();
        errors.push(field, error);
        errors
    }

    /// Adds an error.
    pub fn push(&mut self, field: impl Into<String>, error: FieldError) {
        self.0.entry(field.into()).or_default().push(error);
    }

    /// Adds all of `other`, each name behind `prefix` and a dot.
    pub fn nest(&mut self, prefix: &str, other: Self) {
        for (field, errors) in other.0 {
            self.0.entry(format!("{prefix}.{field}")).or_default().extend(errors);
        }
    }

    /// Nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `value` where nothing is wrong, otherwise the errors.
    pub fn or<T>(self, value: T) -> Result<T, Self> {
        if self.is_empty() { Ok(value) } else { Err(self) }
    }

    /// The messages of one field.
    pub fn messages<'a>(&'a self, field: &str) -> impl Iterator<Item = &'a str> {
        self.0.get(field).into_iter().flatten().map(|error| error.message.as_str())
    }
}

/// An error answer: RFC 9457's members, ours (`code`, `errors`, `request_id`) and on `/api/token/*` those of `SimpleJWT`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// A relative reference that names the kind of problem, such as `/problems/validation`.
    #[serde(rename = "type")]
    pub kind: Cow<'static, str>,
    /// The kind in words.
    pub title: Cow<'static, str>,
    /// The same number as the status line's.
    pub status: u16,
    /// What happened, and where it helps what to do next.
    pub detail: String,
    /// The machine's word.
    pub code: Cow<'static, str>,
    /// What is wrong with which field.
    #[serde(default, skip_serializing_if = "FieldErrors::is_empty")]
    pub errors: FieldErrors,
    /// Finds the request in the server's log.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub request_id: String,
    /// Further members: `messages` of a refused token, a count and examples of a refused change.
    #[serde(flatten)]
    pub extra: BTreeMap<String, Value>,
}

macro_rules! problems {
    ($($(#[$doc:meta])* $name:ident($status:ident, $kind:literal, $title:literal, $code:literal);)*) => {
        $(
            $(#[$doc])*
            pub fn $name(detail: impl Into<String>) -> Self {
                Self {
                    kind: Cow::Borrowed(concat!("/problems/", $kind)),
                    title: Cow::Borrowed($title),
                    status: StatusCode::$status.as_u16(),
                    detail: detail.into(),
                    code: Cow::Borrowed($code),
                    errors: FieldErrors::new(),
                    request_id: String::new(),
                    extra: BTreeMap::new(),
                }
            }
        )*
    };
}

impl Problem {
    problems! {
        /// 400: the body is not JSON, or not the JSON that RFC 8259 allows.
        malformed(BAD_REQUEST, "malformed", "The request could not be read", "parse_error");
        /// 400: a parameter or header that does not fit.
        invalid(BAD_REQUEST, "validation", "The request is not valid", "invalid");
        /// 401: no credentials, or none that count.
        unauthorized(UNAUTHORIZED, "unauthorized", "Sign in first", "not_authenticated");
        /// 403: known, and not allowed.
        forbidden(FORBIDDEN, "forbidden", "Not allowed", "permission_denied");
        /// 403: a quota is used up. Members: `quota` (`records`, `bytes` or `collections`), `used` and `limit`, where they are the
        /// caller's to know.
        over_quota(FORBIDDEN, "quota-exceeded", "Quota used up", "quota_exceeded");
        /// 404: not there, or not for this caller; the two look the same.
        not_found(NOT_FOUND, "not-found", "Not found", "not_found");
        /// 405: the path is right, the method is not.
        method_not_allowed(METHOD_NOT_ALLOWED, "method-not-allowed", "Method not allowed", "method_not_allowed");
        /// 409: a unique value is taken, or a reference is in use.
        conflict(CONFLICT, "conflict", "This conflicts with what is stored", "conflict");
        /// 412: the record has changed since the caller read it.
        stale(PRECONDITION_FAILED, "stale", "Changed by someone else", "stale");
        /// 413: the body is larger than the route takes.
        too_large(PAYLOAD_TOO_LARGE, "too-large", "Too large", "too_large");
        /// 414: the address is longer than the server reads.
        uri_too_long(URI_TOO_LONG, "uri-too-long", "Address too long", "uri_too_long");
        /// 415: the body's content type is not one that the route reads.
        unsupported_media_type(UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "Unsupported media type", "unsupported_media_type");
        /// 421: the request is for a host that is not this server's. The host is not repeated.
        misdirected(MISDIRECTED_REQUEST, "misdirected", "Not this server's address", "misdirected");
        /// 429: too many tries; `Retry-After` says when to come back.
        too_many_requests(TOO_MANY_REQUESTS, "too-many-requests", "Too many tries", "throttled");
        /// 500: our fault. The log knows more under the request id.
        internal(INTERNAL_SERVER_ERROR, "internal", "Something went wrong", "error");
        /// 503: not now; `Retry-After` says when to come back.
        unavailable(SERVICE_UNAVAILABLE, "unavailable", "Not available right now", "unavailable");
        /// 507: the disk is full.
        disk_full(INSUFFICIENT_STORAGE, "disk-full", "No space left", "disk_full");
    }

    /// 400 with errors by field. `detail` counts them.
    pub fn validation(errors: FieldErrors) -> Self {
        let detail = match errors.0.len() {
            1 => "1 field is not valid.".to_owned(),
            n => format!("{n} fields are not valid."),
        };
        let mut problem = Self::invalid(detail);
        problem.title = Cow::Borrowed("Some fields need attention");
        problem.errors = errors;
        problem
    }

    /// 409 for a unique value that is taken.
    pub fn taken(errors: FieldErrors) -> Self {
        let mut problem = Self::conflict("Another record has this value already. Choose a different one.");
        problem.code = Cow::Borrowed("unique");
        problem.errors = errors;
        problem
    }

    /// The same problem with another machine's word.
    #[must_use]
    pub fn with_code(mut self, code: &'static str) -> Self {
        self.code = Cow::Borrowed(code);
        self
    }

    /// The same problem with errors by field.
    #[must_use]
    pub fn with_errors(mut self, errors: FieldErrors) -> Self {
        self.errors = errors;
        self
    }

    /// The same problem with one more member.
    #[must_use]
    pub fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.extra.insert(member.to_owned(), value.into());
        self
    }

    /// The status line's code; 500 where the number is none.
    pub fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl From<FieldErrors> for Problem {
    fn from(errors: FieldErrors) -> Self {
        Self::validation(errors)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_reads_back_as_it_was_written() {
        let errors = FieldErrors::of("title", FieldError::new("required", "This field is required."));
        let problem = Problem::validation(errors).with("count", 3);
        let text = serde_json::to_string(&problem).unwrap();
        assert_eq!(serde_json::from_str::<Problem>(&text).unwrap(), problem);
        assert!(text.contains(r#""errors":{"title":[{"code":"required","message":"This field is required."}]}"#));
    }
}
