//! Parsed names: collections, fields, roles, users. A name that exists as a value of its type is a valid one.

mod marks;

use std::{borrow::Borrow, fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use self::marks::is_mark;

use crate::schema::described_as_text;

/// Why a text is not a name. `Display` is the message for the person who typed it.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum InvalidName {
    /// Not of the form `[a-z][a-z0-9_]{0,62}`.
    #[error("Use a to z, 0 to 9 and _, beginning with a letter, at most 63 characters.")]
    Form,
    /// Two underscores stand between a field and a lookup in a filter.
    #[error("Two underscores in a row are not allowed: they set a filter's lookup apart.")]
    DoubleUnderscore,
    /// A member that the server owns.
    #[error("This name is taken by a member that every record has.")]
    Reserved,
    /// Not a user name.
    #[error("Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters.")]
    Username,
    /// A user name beyond 150 characters.
    #[error("Ensure this field has no more than 150 characters.")]
    UsernameLength,
}

/// Members that the server writes into every record, in the order in which they are sent (`id` first, the rest last).
pub const SERVER_MEMBERS: [&str; 5] = ["id", "owner", "created_at", "updated_at", "revision"];

fn is_identifier(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_lowercase())
        && text.len() <= 63
        && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

fn check_identifier(text: &str) -> Result<(), InvalidName> {
    if is_identifier(text) { Ok(()) } else { Err(InvalidName::Form) }
}

fn check_field(text: &str) -> Result<(), InvalidName> {
    check_identifier(text)?;
    if text.contains("__") || text.ends_with('_') {
        return Err(InvalidName::DoubleUnderscore);
    }
    if SERVER_MEMBERS.contains(&text) {
        return Err(InvalidName::Reserved);
    }
    Ok(())
}

fn check_username(text: &str) -> Result<(), InvalidName> {
    if text.chars().count() > 150 {
        return Err(InvalidName::UsernameLength);
    }
    let is_letter = |c: char| c.is_alphanumeric() || "@.+-_".contains(c);
    let mut before = None;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let is_good = match before {
            None => is_letter(c),
            Some(before) => {
                is_letter(c) || is_mark(c) || rest.peek().is_some_and(|after| is_between(before, c, *after))
            }
        };
        if !is_good {
            return Err(InvalidName::Username);
        }
        before = Some(c);
    }
    if before.is_none() { Err(InvalidName::Username) } else { Ok(()) }
}

/// Whether `c` may stand between these two and nowhere else (UAX 31 §2.3, UTS 55): the dot between syllables of Tibetan, a joiner behind a
/// virama, and a non-joiner between letters of Arabic.
fn is_between(before: char, c: char, after: char) -> bool {
    const VIRAMAS: [char; 10] =
        ['\u{94d}', '\u{9cd}', '\u{a4d}', '\u{acd}', '\u{b4d}', '\u{bcd}', '\u{c4d}', '\u{ccd}', '\u{d4d}', '\u{dca}'];
    let is_tibetan = |c: char| matches!(c, '\u{f40}'..='\u{fbc}');
    let is_arabic = |c: char| c.is_alphabetic() && matches!(c, '\u{620}'..='\u{6ff}' | '\u{750}'..='\u{77f}');
    match c {
        '\u{f0b}' => is_tibetan(before) && is_tibetan(after),
        '\u{200c}' => VIRAMAS.contains(&before) && after.is_alphabetic() || is_arabic(before) && is_arabic(after),
        '\u{200d}' => VIRAMAS.contains(&before) && after.is_alphabetic(),
        _ => false,
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $check:path, $($schema:tt)+) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<Self, InvalidName> {
                $check(text)?;
                Ok(Self(text.to_owned()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidName;

            fn try_from(text: String) -> Result<Self, InvalidName> {
                $check(&text)?;
                Ok(Self(text))
            }
        }

        described_as_text!($name, $($schema)+);

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

name!(/// A collection's name: `[a-z][a-z0-9_]{0,62}`.
    CollectionName, check_identifier, "pattern": "^[a-z][a-z0-9_]{0,62}$");
name!(/// A field's name: as a collection's, without two underscores in a row, and none of [`SERVER_MEMBERS`].
    FieldName, check_field, "pattern": "^[a-z](_?[a-z0-9])*$", "maxLength": 63, "not": {"enum": SERVER_MEMBERS});
name!(/// A role's name: as a collection's.
    RoleName, check_identifier, "pattern": "^[a-z][a-z0-9_]{0,62}$");
name!(/// A user's name: 1 to 150 letters with their marks, digits and `@.+-_`, of any script. The server compares names in a folded form,
    /// and refuses new ones that mix scripts or look like another user's.
    Username, check_username, "pattern": r"^[\p{Alphabetic}\p{N}@.+_-][\p{Alphabetic}\p{N}\p{M}\u0F0B\u200C\u200D@.+_-]*$", "maxLength": 150);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_cross_a_boundary_are_refused() {
        for bad in
            ["", ".", "..", "a/b", "a\0b", "Snacks", "9a", "_a", "CON", "__sled__default", "naïve", "a b", "عربى"]
        {
            assert!(bad.parse::<CollectionName>().is_err(), "{bad:?}");
        }
        assert!("a".repeat(63).parse::<CollectionName>().is_ok());
        assert!("a".repeat(64).parse::<CollectionName>().is_err());
    }

    #[test]
    fn fields_leave_room_for_lookups_and_server_members() {
        assert_eq!("a__b".parse::<FieldName>(), Err(InvalidName::DoubleUnderscore));
        assert_eq!("owner".parse::<FieldName>(), Err(InvalidName::Reserved));
        assert!("page".parse::<FieldName>().is_ok());
    }

    #[test]
    fn user_names_have_no_spaces_or_control_characters() {
        for bad in [
            "",
            "admin ",
            "a\nroot login ok",
            "a\u{200b}b",
            "\u{202e}a",
            "\u{94d}a",
            "a☃",
            "a🙂",
            "a\u{200c}b",
            "ab\u{200d}",
            "क\u{200d}ष",
            "क्\u{200d}",
            "नमी\u{200c}",
            "\u{f0b}",
            "བོད་",
        ] {
            assert!(bad.parse::<Username>().is_err(), "{bad:?}");
        }
        for good in [
            "zoë@example.org",
            "zoe\u{308}",
            "हिन्दी",
            "தமிழ்",
            "ไม่มี",
            "עִבְרִית",
            "Việt",
            "བོད་ཡིག",
            "نمی\u{200c}خواهم",
            "क्\u{200d}ष",
            "ක්\u{200d}ෂ",
        ] {
            assert!(good.parse::<Username>().is_ok(), "{good}");
        }
    }
}
