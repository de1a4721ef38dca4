//! Counts and sizes on the command line. The library reads the units; what is refused here could be meant in more than one way, or would
//! be of no use.

use auth::password_policy::{HIGHEST_MIN_LENGTH, LOWEST_MIN_LENGTH};
use bytesize::ByteSize;

/// How much of something there may be; `None` for any number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limit(pub(super) Option<u64>);

/// Reads `10000` or `off`.
pub(super) fn parse_count(text: &str) -> Result<Limit, String> {
    match text {
        "off" => Ok(Limit(None)),
        _ if is_number(text) => counted(text.parse().ok()).ok_or_else(|| "use a smaller number, or off".to_owned()),
        _ => Err("use a number, such as 10000, or off".to_owned()),
    }
}

/// Reads `500MB`, `10GB` (thousands), `10GiB` (1024s) or `off`. Nobody means the few bytes that a number without a unit would be.
pub(super) fn parse_size(text: &str) -> Result<Limit, String> {
    if text == "off" {
        return Ok(Limit(None));
    }
    if is_number(text) {
        return Err(format!("add the unit: {text}MB, {text}GB or {text}B for bytes"));
    }
    // The library would take a sign.
    let size = text.starts_with(|c: char| c.is_ascii_digit()).then(|| text.parse::<ByteSize>().ok()).flatten();
    counted(size.map(|size| size.as_u64()))
        .ok_or_else(|| "use a number and its unit, such as 500MB or 10GB, of at most 9 EB, or off".to_owned())
}

/// Reads the least number of characters of a password.
pub(super) fn parse_min_length(text: &str) -> Result<usize, String> {
    let in_range = |length: &usize| (LOWEST_MIN_LENGTH..=HIGHEST_MIN_LENGTH).contains(length);
    let length = text.parse().ok().filter(in_range);
    length.ok_or_else(|| format!("use a number from {LOWEST_MIN_LENGTH} to {HIGHEST_MIN_LENGTH}"))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Counters have a sign.
fn counted(number: Option<u64>) -> Option<Limit> {
    number.filter(|number| i64::try_from(*number).is_ok()).map(|number| Limit(Some(number)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d7_quotas_are_read_with_their_unit() {
        assert_eq!(parse_count("10000"), Ok(Limit(Some(10_000))));
        assert_eq!(parse_size("500MB"), Ok(Limit(Some(500_000_000))));
        assert_eq!(parse_size("10kb"), Ok(Limit(Some(10_000))));
        assert_eq!(parse_size("10KiB"), Ok(Limit(Some(10_240))));
        assert_eq!(parse_size("0B"), Ok(Limit(Some(0))));
        for parse in [parse_count, parse_size] {
            assert_eq!(parse("off"), Ok(Limit(None)));
            for bad in ["", "-1", "+1", "1.5", "MB", "10XB", "9223372036854775808", "99999999999TB", "-1GB", "5é"] {
                assert!(parse(bad).is_err(), "{bad}");
            }
        }
        assert!(parse_count("1kB").is_err());
        assert!(parse_size("500").unwrap_err().contains("500MB"), "nobody means so few bytes");
    }
}
