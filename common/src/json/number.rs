//! Numbers by their digits: the literals of a JSON text, and what each of them is worth.

use serde_json::Number;

/// A number as it was written, taken apart: an integer of digits without outer zeros, times a power of ten. Equal numbers are equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Literal {
    /// Below zero.
    pub negative: bool,
    /// The digits from the first to the last that is not zero; none for zero.
    pub digits: String,
    /// The power of ten that the last digit stands for.
    pub exponent: i64,
}

impl Literal {
    /// Reads a number as JSON writes it, and as people do: `+5`, `.5` and `5.` are numbers too. `None` for what is none.
    pub fn read(text: &str) -> Option<Self> {
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let negative = mantissa.starts_with('-');
        let mantissa = mantissa.strip_prefix(['-', '+']).unwrap_or(mantissa);
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}");
        let exponent_digits = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !is_digits(&digits) || !is_digits(exponent_digits) {
            return None;
        }
        let significant = digits.trim_start_matches('0').trim_end_matches('0');
        if significant.is_empty() {
            return Some(Self { negative: false, digits: String::new(), exponent: 0 });
        }
        let dropped = digits.len() - digits.trim_end_matches('0').len();
        // Beyond any number of digits that is kept anywhere.
        let exponent = exponent.parse::<i64>().unwrap_or(if exponent.starts_with('-') { i64::MIN } else { i64::MAX });
        let shift = i64::try_from(dropped).unwrap_or(0) - i64::try_from(fraction.len()).unwrap_or(0);
        Some(Self { negative, digits: significant.to_owned(), exponent: exponent.saturating_add(shift) })
    }

    /// Whether there is nothing after the point.
    pub fn is_whole(&self) -> bool {
        self.exponent >= 0
    }

    /// The number, where it is a 64-bit integer.
    pub fn to_i64(&self) -> Option<i64> {
        if self.digits.is_empty() {
            return Some(0);
        }
        let zeros = usize::try_from(self.exponent).ok().filter(|zeros| self.digits.len() + zeros <= 19)?;
        format!("{}{}{:0<zeros$}", if self.negative { "-" } else { "" }, self.digits, "").parse().ok()
    }

    /// The number in plain notation with this many digits after the point, or as many as it needs. `None` where it needs more, or has
    /// more than `max` digits in all.
    pub fn to_plain(&self, max: usize) -> Option<String> {
        let scale = usize::try_from(self.exponent.min(0).unsigned_abs()).ok()?;
        let zeros = usize::try_from(self.exponent.max(0)).ok()?;
        if scale > max || self.digits.len().checked_add(zeros)? > max {
            return None;
        }
        let whole_and_fraction = format!("{:0>width$}{:0<zeros$}", self.digits, "", width = scale + 1);
        let (whole, fraction) = whole_and_fraction.split_at(whole_and_fraction.len() - scale);
        let whole = if whole.is_empty() { "0" } else { whole };
        let (sign, point) = (if self.negative { "-" } else { "" }, if fraction.is_empty() { "" } else { "." });
        Some(format!("{sign}{whole}{point}{fraction}"))
    }
}

/// The number literals of a JSON text, in order. What is no JSON around them is left to the parser.
pub fn literals(text: &str) -> impl Iterator<Item = &str> {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < bytes.len() {
            match bytes[at] {
                b'"' => {
                    at += 1;
                    while at < bytes.len() && bytes[at] != b'"' {
                        at += if bytes[at] == b'\\' { 2 } else { 1 };
                    }
                    at += 1;
                }
                b'-' | b'0'..=b'9' => {
                    let start = at;
                    while at < bytes.len() && matches!(bytes[at], b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9') {
                        at += 1;
                    }
                    return text.get(start..at);
                }
                _ => at += 1,
            }
        }
        None
    })
}

/// Whether a [`Number`] is what the literal says, so that nothing is lost with its digits: an integer of 64 bits, or a shortest form of
/// a double. (Some have several, of which writers choose differently: 1888570120608320.2 and …0.3 are as near.)
pub fn is_kept(literal: &str) -> bool {
    if literal.parse::<i64>().is_ok() || literal.parse::<u64>().is_ok() {
        return true;
    }
    let Some(number) = literal.parse().ok().and_then(Number::from_f64) else { return false };
    match (Literal::read(literal), Literal::read(&number.to_string())) {
        (Some(sent), Some(shortest)) if sent.to_i64().is_some() => sent == shortest,
        (Some(sent), Some(shortest)) => sent.digits.len() <= shortest.digits.len() && !shortest.digits.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_what_their_digits_say() {
        for (text, plain) in [
            ("0", "0"),
            ("-0", "0"),
            ("-0.0e5", "0"),
            ("1e3", "1000"),
            ("1.50", "1.5"),
            ("+5", "5"),
            (".5", "0.5"),
            ("5.", "5"),
            ("-1E-7", "-0.0000001"),
            ("12.34e1", "123.4"),
            ("0.00012e+2", "0.012"),
        ] {
            assert_eq!(Literal::read(text).unwrap().to_plain(28).as_deref(), Some(plain), "{text}");
        }
        for wrong in ["", ".", "e5", "1e", "1e+", "--1", "+-1", "1_0", "0x1", "NaN", "inf", "1.2.3", " 1", "٣", "1e5.0"]
        {
            assert_eq!(Literal::read(wrong), None, "{wrong}");
        }
        for (text, integer) in [
            ("9223372036854775807", Some(i64::MAX)),
            ("-9223372036854775808.0", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("1e18", Some(1_000_000_000_000_000_000)),
            ("1e19", None),
            ("1e999999999999999999999", None),
            ("1.5", None),
            ("0e999", Some(0)),
        ] {
            assert_eq!(Literal::read(text).unwrap().to_i64(), integer, "{text}");
        }
        assert_eq!(Literal::read("1e-999999999999999999999").unwrap().to_plain(28), None);
        assert_eq!(Literal::read("1e28").unwrap().to_plain(28), None);
    }

    #[test]
    fn a_number_is_kept_where_binary_floating_point_has_its_shortest_form() {
        for kept in [
            "12.917521550408111",
            "0.1",
            "1e21",
            "1e-7",
            "1.7976931348623157e308",
            "5e-324",
            "100.0",
            "18446744073709551615",
            "-0",
        ] {
            assert!(is_kept(kept), "{kept}");
        }
        for lost in ["0.10000000000000001", "123456789012345678901234567890", "9007199254740993.0", "1e400", "1e-400"] {
            assert!(!is_kept(lost), "{lost}");
        }
    }

    #[test]
    fn numbers_inside_texts_are_none() {
        let text = r#"{"a1":"9 \" 8","b":[-1.5e3,2],"c":7}"#;
        assert_eq!(literals(text).collect::<Vec<_>>(), ["-1.5e3", "2", "7"]);
    }
}
