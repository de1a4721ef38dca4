//! What a token says, read for people: its parts, what each claim means, and what is wrong with it in one sentence.

mod given;

pub use self::given::{ALGORITHMS, GivenKey, Signed};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

use crate::{Object, answer::JsonAnswer, text::count, validate::format_moment};

/// A token as the server sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Inspection {
    /// The first segment; null where it cannot be read.
    pub header: Option<Object>,
    /// The second segment; null where it cannot be read.
    pub payload: Option<Object>,
    /// The key of this server that the header names.
    pub key: Option<Key>,
    /// The signature is that key's.
    pub is_signed: bool,
    /// It would be accepted right now, for what it is for.
    pub is_good: bool,
    /// How it stands, in one sentence.
    pub said: String,
    /// The server's clock, in seconds since 1970.
    pub now: i64,
    /// A client checked it by itself, against a key that somebody gave; no answer has it.
    #[serde(skip)]
    pub is_by_given_key: bool,
}

impl JsonAnswer for Inspection {}

/// A key that signs tokens, as far as it may be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Key {
    /// Its id: `kid` in the header of tokens.
    pub kid: String,
    /// How it signs: `HS256`, `EdDSA`, `ES256`, `RS256`.
    pub algorithm: String,
    /// What it is for.
    pub state: KeyState,
    /// When it came into the ring: RFC 3339, UTC.
    #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
    pub created_at: String,
    /// It is a public key, which verifies and cannot sign.
    pub is_public: bool,
}

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum KeyState {
    /// It signs new tokens.
    Active,
    /// It signed once; its tokens are good until they expire.
    VerifyOnly,
    /// Its tokens are refused.
    Retired,
}

impl KeyState {
    /// It in words.
    pub const fn said(self) -> &'static str {
        match self {
            Self::Active => "signs",
            Self::VerifyOnly => "verifies",
            Self::Retired => "retired",
        }
    }
}

/// A member of a header or a payload, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Its name.
    pub name: String,
    /// Its value, as JSON; safe to show.
    pub value: String,
    /// What it means here; empty for what Coffer does not know.
    pub meaning: String,
}

impl Inspection {
    /// What the header says.
    pub fn header_claims(&self) -> Vec<Claim> {
        claims(self.header.as_ref(), |name, value| match (name, &self.key) {
            ("alg", _) => "how it is signed".to_owned(),
            ("typ", _) => "what it is: a JSON Web Token".to_owned(),
            ("kid", Some(key)) => format!("which key signed it: one of this server's, which {} tokens", verb(key)),
            ("kid", None) if self.is_by_given_key => "what its key is called".to_owned(),
            ("kid", None) => "which key signed it: none of this server's".to_owned(),
            _ => not_known(value),
        })
    }

    /// What the payload says.
    pub fn payload_claims(&self) -> Vec<Claim> {
        claims(self.payload.as_ref(), |name, value| {
            let moment = || value.as_i64().map_or_else(|| "no moment".to_owned(), |at| self.moment(at));
            match name {
                "token_type" => match value.as_str() {
                    Some("access") => "it lets requests in".to_owned(),
                    Some("refresh") => "it is traded for new tokens".to_owned(),
                    Some("device") => "it shows that its user has signed in from here before".to_owned(),
                    _ => "none that Coffer gives out".to_owned(),
                },
                "exp" => format!("good until {}", moment()),
                "iat" => format!("signed {}", moment()),
                "nbf" => format!("not good before {}", moment()),
                "jti" => "its own id".to_owned(),
                "user_id" => "whose it is".to_owned(),
                "sid" => "the session that it belongs to: when that ends, so does the token".to_owned(),
                "iss" => "who signed it".to_owned(),
                "aud" => "for whom it was signed".to_owned(),
                _ => not_known(value),
            }
        })
    }

    /// A moment, and how far it is.
    fn moment(&self, at: i64) -> String {
        let Ok(moment) = OffsetDateTime::from_unix_timestamp(at) else { return "no moment".to_owned() };
        format!("{} ({})", format_moment(moment), distance(at.saturating_sub(self.now)))
    }

    /// How long it is still good; `None` where that is not said.
    pub fn left(&self) -> Option<String> {
        let at = self.payload.as_ref()?.get("exp")?.as_i64()?;
        Some(distance(at.saturating_sub(self.now)))
    }
}

fn verb(key: &Key) -> &'static str {
    match key.state {
        KeyState::Active => "signs",
        KeyState::VerifyOnly => "still verifies",
        KeyState::Retired => "no longer verifies",
    }
}

fn claims(object: Option<&Object>, meaning: impl Fn(&str, &Value) -> String) -> Vec<Claim> {
    let shown = |text: &str| crate::text::single_line(text).into_owned();
    let claim = |(name, value): (&String, &Value)| Claim {
        name: shown(name),
        value: shown(&value.to_string()),
        meaning: meaning(name, value),
    };
    object.into_iter().flatten().map(claim).collect()
}

fn not_known(_: &Value) -> String {
    "for the token's reader: Coffer does not look at it".to_owned()
}

/// "4 min left", "3 h ago": seconds from now, in one unit.
pub fn distance(seconds: i64) -> String {
    let (size, unit) = match seconds.unsigned_abs() {
        size @ 0..120 => (size, "s"),
        size @ 120..7_200 => (size / 60, "min"),
        size @ 7_200..172_800 => (size / 3_600, "h"),
        size => return format!("{} {}", count(size / 86_400, "day"), if seconds < 0 { "ago" } else { "left" }),
    };
    format!("{size} {unit} {}", if seconds < 0 { "ago" } else { "left" })
}

/// The three segments of a token, or what there is of them, as they are coloured; safe to show.
pub fn segments(token: &str) -> [String; 3] {
    let mut parts = token.trim().splitn(3, '.');
    std::array::from_fn(|_| crate::text::single_line(parts.next().unwrap_or_default()).into_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn inspection(payload: Value) -> Inspection {
        let Value::Object(payload) = payload else { panic!() };
        Inspection {
            header: json!({"alg": "HS256", "kid": "a\u{1b}[2J"}).as_object().cloned(),
            payload: Some(payload),
            key: None,
            is_signed: false,
            is_good: false,
            said: String::new(),
            now: 1_800_000_000,
            is_by_given_key: false,
        }
    }

    #[test]
    fn claims_are_explained_and_moments_say_how_far_they_are() {
        let inspection = inspection(json!({
            "token_type": "access", "exp": 1_800_000_250, "iat": 1_799_990_000, "nbf": "soon", "sid": "x", "tier": {"a": 1}
        }));
        let said: Vec<String> = inspection
            .payload_claims()
            .iter()
            .map(|claim| format!("{} {} {}", claim.name, claim.value, claim.meaning))
            .collect();
        let expected = [
            "token_type \"access\" it lets requests in",
            "exp 1800000250 good until 2027-01-15T08:04:10Z (4 min left)",
            "iat 1799990000 signed 2027-01-15T05:13:20Z (2 h ago)",
            "nbf \"soon\" not good before no moment",
            "sid \"x\" the session that it belongs to: when that ends, so does the token",
            "tier {\"a\":1} for the token's reader: Coffer does not look at it",
        ];
        for line in expected {
            assert!(said.iter().any(|said| said == line), "{line} in {said:#?}");
        }
        assert_eq!(inspection.left().as_deref(), Some("4 min left"));
        let header = inspection.header_claims();
        assert!(header.iter().all(|claim| !claim.value.contains('\u{1b}')), "{header:?}");
    }

    #[test]
    fn distances_have_one_unit() {
        for (seconds, text) in [(0, "0 s left"), (-1, "1 s ago"), (119, "119 s left"), (-7_199, "119 min ago")] {
            assert_eq!(distance(seconds), text);
        }
        for (seconds, text) in [(7_200, "2 h left"), (-172_800, "2 days ago"), (i64::MIN, "106751991167300 days ago")] {
            assert_eq!(distance(seconds).replace('\u{202f}', ""), text);
        }
    }

    #[test]
    fn a_token_has_three_segments_whatever_is_pasted() {
        assert_eq!(segments(" a.b.c \n"), ["a", "b", "c"]);
        assert_eq!(segments("a"), ["a", "", ""]);
        assert_eq!(segments("a.b.c.d"), ["a", "b", "c.d"]);
    }
}
