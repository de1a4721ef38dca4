//! The address of a published path: `/api/v1/posts/{post}/comments/`.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::schema::described_as_text;

/// Parts of a path at most.
const MAX_SEGMENTS: usize = 12;

/// The text is not a path that can be published.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum InvalidPattern {
    /// Its form.
    #[error(
        "Write a path as /api/posts/{{post}}/comments/: parts of letters, digits, hyphens, underscores and dots, or a parameter in braces, 12 at most."
    )]
    Form,
    /// A parameter stands twice.
    #[error("A parameter stands in this path twice. Give each its own name.")]
    Twice,
}

/// One part of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// The same in every address.
    Literal(String),
    /// A parameter, by its name.
    Parameter(String),
}

/// A path in its canonical form: with a slash at both ends.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PathPattern(String);

described_as_text!(PathPattern, "pattern": "^(/([A-Za-z0-9_~-][A-Za-z0-9._~-]{0,62}|\\{[a-z][a-z0-9_]{0,30}\\})){1,12}/?$");

impl PathPattern {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its parts.
    pub fn segments(&self) -> Vec<Segment> {
        self.parts()
            .map(|part| match parameter(part) {
                Some(name) => Segment::Parameter(name.to_owned()),
                None => Segment::Literal(part.to_owned()),
            })
            .collect()
    }

    /// The names of its parameters, in order.
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        self.parts().filter_map(parameter)
    }

    /// The same with every parameter alike: two paths that are the same here are one address.
    pub fn shape(&self) -> String {
        self.parts().map(|part| if parameter(part).is_some() { "{}" } else { part }).collect::<Vec<_>>().join("/")
    }

    fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.trim_matches('/').split('/')
    }
}

fn parameter(part: &str) -> Option<&str> {
    part.strip_prefix('{')?.strip_suffix('}')
}

fn is_part(part: &str) -> bool {
    if let Some(name) = part.strip_prefix('{') {
        let Some(name) = name.strip_suffix('}') else { return false };
        return name.len() <= 31
            && name.starts_with(|first: char| first.is_ascii_lowercase())
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    }
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"_~-.".contains(&byte);
    !part.is_empty() && part.len() <= 63 && !part.starts_with('.') && part.bytes().all(is_letter)
}

impl FromStr for PathPattern {
    type Err = InvalidPattern;

    fn from_str(text: &str) -> Result<Self, InvalidPattern> {
        let inner = text.strip_prefix('/').ok_or(InvalidPattern::Form)?;
        let inner = inner.strip_suffix('/').unwrap_or(inner);
        if inner.split('/').count() > MAX_SEGMENTS || !inner.split('/').all(is_part) {
            return Err(InvalidPattern::Form);
        }
        let path = Self(format!("/{inner}/"));
        let names: Vec<&str> = path.parameters().collect();
        if names.iter().enumerate().any(|(at, name)| names[..at].contains(name)) {
            return Err(InvalidPattern::Twice);
        }
        Ok(path)
    }
}

impl TryFrom<String> for PathPattern {
    type Error = InvalidPattern;

    fn try_from(text: String) -> Result<Self, InvalidPattern> {
        text.parse()
    }
}

impl From<PathPattern> for String {
    fn from(path: PathPattern) -> Self {
        path.0
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
