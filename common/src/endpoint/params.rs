//! The parameters in an endpoint's path.

use std::{fmt, str::FromStr};

/// The parameters in a path, in order.
pub trait Params: Sized {
    /// Reads decoded segments; `None` means that no such thing can exist (404).
    fn from_segments(segments: &[String]) -> Option<Self>;
    /// Writes the segments, not yet encoded.
    fn to_segments(&self) -> Vec<String>;
}

impl Params for () {
    fn from_segments(segments: &[String]) -> Option<Self> {
        segments.is_empty().then_some(())
    }

    fn to_segments(&self) -> Vec<String> {
        Vec::new()
    }
}

impl<A: FromStr + fmt::Display> Params for (A,) {
    fn from_segments(segments: &[String]) -> Option<Self> {
        let [a] = segments else { return None };
        Some((a.parse().ok()?,))
    }

    fn to_segments(&self) -> Vec<String> {
        vec![self.0.to_string()]
    }
}

impl<A: FromStr + fmt::Display, B: FromStr + fmt::Display> Params for (A, B) {
    fn from_segments(segments: &[String]) -> Option<Self> {
        let [a, b] = segments else { return None };
        Some((a.parse().ok()?, b.parse().ok()?))
    }

    fn to_segments(&self) -> Vec<String> {
        vec![self.0.to_string(), self.1.to_string()]
    }
}

impl<A: FromStr + fmt::Display, B: FromStr + fmt::Display, C: FromStr + fmt::Display> Params for (A, B, C) {
    fn from_segments(segments: &[String]) -> Option<Self> {
        let [a, b, c] = segments else { return None };
        Some((a.parse().ok()?, b.parse().ok()?, c.parse().ok()?))
    }

    fn to_segments(&self) -> Vec<String> {
        vec![self.0.to_string(), self.1.to_string(), self.2.to_string()]
    }
}
