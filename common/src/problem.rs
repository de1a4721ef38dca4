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

/// Faults that are told at most. What comes after them is only counted, so that a body of many faults takes no more memory, and
/// gets no longer answer, than one of a few.
pub const MAX_FAULTS: usize = 100;

/// Errors by field name. Members of nested values are joined with dots: `fields.2.name`; where the body was an array, the first
/// part is the item's number. It holds [`MAX_FAULTS`] at most.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FieldErrors(pub BTreeMap<String, Vec<FieldError>>, #[serde(skip)] Extent);

/// What there is to say of errors beside the errors.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Extent {
    /// Items of the array that the body was.
    items: Option<usize>,
    /// Faults beyond those that are told.
    omitted: usize,
}

impl FieldErrors {
    /// No errors.
    pub fn new() -> Self {
        Self::default()
    }

    /// No errors of an array's items yet.
    pub fn of_items(items: usize) -> Self {
        Self(BTreeMap::new(), Extent { items: Some(items), omitted: 0 })
    }

    /// The errors of one field only.
    pub fn of(field: impl Into<String>, error: FieldError) -> Self {
        let mut errors = Self::new();
        errors.push(field, error);
        errors
    }

    /// Adds an error.
    pub fn push(&mut self, field: impl Into<String>, error: FieldError) {
        self.add(field.into(), vec![error]);
    }

    /// Adds the errors of one field.
    pub fn add(&mut self, field: String, mut errors: Vec<FieldError>) {
        let room = MAX_FAULTS - self.told().min(MAX_FAULTS);
        self.1.omitted += errors.len().saturating_sub(room);
        errors.truncate(room);
        if !errors.is_empty() {
            self.0.entry(field).or_default().extend(errors);
        }
    }

    /// Adds all of `other`.
    pub fn append(&mut self, other: Self) {
        self.1.omitted += other.1.omitted;
        for (field, errors) in other.0 {
            self.add(field, errors);
        }
    }

    /// Whether all that is wrong with a member or parameter is that nobody knows it.
    pub fn is_unknown(&self, field: &str) -> bool {
        self.0.get(field).is_some_and(|errors| errors.iter().all(|error| error.code == "unknown"))
    }

    /// Adds all of `other`, each name behind `prefix` and a dot.
    pub fn nest(&mut self, prefix: &str, other: Self) {
        self.1.omitted += other.1.omitted;
        for (field, errors) in other.0 {
            self.add(format!("{prefix}.{field}"), errors);
        }
    }

    /// The same under other names.
    #[must_use]
    pub fn renamed(self, mut rename: impl FnMut(&str) -> String) -> Self {
        let mut renamed = Self(BTreeMap::new(), self.1);
        for (field, errors) in self.0 {
            renamed.0.entry(rename(&field)).or_default().extend(errors);
        }
        renamed
    }

    fn told(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }

    /// How many items the array had that these errors are about; `None` where they are about one object.
    pub fn items(&self) -> Option<usize> {
        self.1.items
    }

    /// How many faults there are beyond those that are told.
    pub fn omitted(&self) -> usize {
        self.1.omitted
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

    /// The first fault with its place, and how many more there are.
    pub fn in_words(&self) -> String {
        // Of an array the item that comes first, and not the one whose number sorts first as a text.
        let number = |name: &str| name.split('.').next().and_then(|item| item.parse::<usize>().ok());
        let first = match self.1.items {
            Some(_) => self.0.iter().min_by_key(|(name, _)| number(name)),
            None => self.0.iter().next(),
        };
        let Some((name, [error, ..])) = first.map(|(name, errors)| (name, errors.as_slice())) else {
            return String::new();
        };
        let mut words = if name == NON_FIELD { String::new() } else { format!("{name}: ") };
        words.push_str(&error.message);
        match self.told() + self.1.omitted - 1 {
            0 => {}
            1 => words.push_str(" There is 1 more fault."),
            more => words.extend([" There are ", &more.to_string(), " more faults."]),
        }
        words
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
        /// 410: it was there, and is no more for anybody.
        gone(GONE, "gone", "Gone", "gone");
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
        /// 422: it could be read, and contradicts what was said before.
        unprocessable(UNPROCESSABLE_ENTITY, "unprocessable", "This contradicts an earlier request", "unprocessable");
        /// 429: too many tries; `Retry-After` says when to come back.
        too_many_requests(TOO_MANY_REQUESTS, "too-many-requests", "Too many tries", "throttled");
        /// 500: our fault. The log knows more under the request id.
        internal(INTERNAL_SERVER_ERROR, "internal", "Something went wrong", "error");
        /// 503: not now; `Retry-After` says when to come back.
        unavailable(SERVICE_UNAVAILABLE, "unavailable", "Not available right now", "unavailable");
        /// 507: the disk is full.
        disk_full(INSUFFICIENT_STORAGE, "disk-full", "No space left", "disk_full");
    }

    /// 400 with errors by field. `detail` says the first of them.
    pub fn validation(errors: FieldErrors) -> Self {
        let mut problem = Self::invalid(errors.in_words());
        problem.title = Cow::Borrowed("Some fields need attention");
        problem.with_errors(errors)
    }

    /// 409 for a unique value that is taken.
    pub fn taken(errors: FieldErrors) -> Self {
        let mut problem = Self::conflict("Another record has this value already. Choose a different one.");
        problem.code = Cow::Borrowed("unique");
        problem.with_errors(errors)
    }

    /// The same problem with another machine's word.
    #[must_use]
    pub fn with_code(mut self, code: &'static str) -> Self {
        self.code = Cow::Borrowed(code);
        self
    }

    /// The same problem with errors by field, and where they are too many to be told, how many are left out.
    #[must_use]
    pub fn with_errors(mut self, errors: FieldErrors) -> Self {
        if errors.omitted() > 0 {
            self.extra.insert("errors_omitted".to_owned(), errors.omitted().into());
        }
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
        assert_eq!(problem.detail, "title: This field is required.");
    }

    #[test]
    fn the_first_fault_is_said_in_words() {
        let fault = || FieldError::new("invalid", "A valid integer is required.");
        assert_eq!(FieldErrors::of(NON_FIELD, fault()).in_words(), "A valid integer is required.");
        let mut errors = FieldErrors::of_items(20);
        errors.nest("10", FieldErrors::of("n", fault()));
        errors.nest("9", FieldErrors::of("n", fault()));
        assert_eq!(errors.in_words(), "9.n: A valid integer is required. There is 1 more fault.");
    }

    #[test]
    fn faults_beyond_the_hundredth_are_counted_only() {
        let mut errors = FieldErrors::of_items(1000);
        for item in 0..1000 {
            let mut faults = FieldErrors::new();
            for member in 0..498 {
                faults.push(format!("m{member}"), FieldError::new("unknown", "There is no field of this name."));
            }
            errors.nest(&item.to_string(), faults);
        }
        assert_eq!((errors.0.len(), errors.omitted()), (MAX_FAULTS, 498_000 - MAX_FAULTS));
        let problem = Problem::validation(errors);
        assert_eq!(problem.extra["errors_omitted"], 497_900);
        assert!(problem.detail.ends_with("There are 497999 more faults."), "{}", problem.detail);
    }
}
