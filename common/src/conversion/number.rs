//! Numbers as people write them: `1,234.50`, `1.234,50`, `1 234`, `007`. What `1,234` is worth depends on what stands before a fraction,
//! and that is one thing for all values of a field.

use super::definition::Mark;
use crate::{field::FieldType, json::Literal};

/// Digits of a number that is read at most.
const MAX_DIGITS: usize = 40;

/// What the values of a field say of how their numbers are written, as they are looked at one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Notation {
    has_point: bool,
    has_comma: bool,
    has_either: bool,
}

impl Notation {
    /// Takes a value's word for it.
    pub(super) fn look(&mut self, to: &FieldType, text: &str) {
        match readings(to, text) {
            (Some(point), Some(comma)) => self.has_either |= point != comma,
            (point, comma) => {
                self.has_point |= point.is_some();
                self.has_comma |= comma.is_some();
            }
        }
    }

    /// What stands before a fraction in all of the values; `None` where they do not agree, or none of them tells.
    pub fn mark(self) -> Option<Mark> {
        match (self.has_point, self.has_comma, self.has_either) {
            (true, true, _) | (false, false, true) => None,
            (false, true, _) => Some(Mark::Comma),
            (_, false, _) => Some(Mark::Point),
        }
    }
}

/// Whether a text is another number, or none, by what stands before a fraction.
pub(super) fn says_mark(to: &FieldType, text: &str) -> bool {
    let (point, comma) = readings(to, text);
    point != comma
}

/// A text with a point and with a comma before a fraction. Who makes whole numbers of texts says that they are whole.
fn readings(to: &FieldType, text: &str) -> (Option<String>, Option<String>) {
    let is_right = |read: &String| !matches!(to, FieldType::Integer { .. }) || !read.contains('.');
    let reading = |mark| read(text, mark).filter(is_right);
    (reading(Mark::Point), reading(Mark::Comma))
}

/// A number in plain notation. The other mark, spaces and apostrophes stand between groups of three digits, if at all.
pub(super) fn read(text: &str, mark: Mark) -> Option<String> {
    let compact: String = text.chars().filter(|c| !c.is_whitespace() && !matches!(c, '\'' | '’' | '_')).collect();
    let (fraction_mark, group_mark) = match mark {
        Mark::Point => ('.', ','),
        Mark::Comma => (',', '.'),
    };
    let (whole, fraction) = match compact.split_once(fraction_mark) {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (&compact[..], None),
    };
    let mut groups = whole.trim_start_matches(['-', '+']).split(group_mark);
    let first = groups.next().unwrap_or_default();
    let mut is_grouped = false;
    for group in groups {
        is_grouped = true;
        // Behind the digits there may be a power of ten.
        let digits = group.find(['e', 'E']).map_or(group, |at| &group[..at]);
        if digits.len() != 3 {
            return None;
        }
    }
    if is_grouped && (first.is_empty() || first.len() > 3 || first.starts_with('0')) {
        return None;
    }
    let mut plain = whole.replace(group_mark, "");
    if let Some(fraction) = fraction {
        plain.push('.');
        plain.push_str(fraction);
    }
    Literal::read(plain.strip_prefix('+').unwrap_or(&plain))?.to_plain(MAX_DIGITS)
}
