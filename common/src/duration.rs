//! Durations as people write them: `90s`, `5m`, `12h`, `90d`, `1h 30m`, `2 weeks`. There is one grammar, for the command line and for requests.
//! The library adds up; what it takes beyond this could be meant in more than one way, or would be of no use.

use core::time::Duration;

use thiserror::Error;

/// The spellings of units. `M` is none: to the library it is a month, and most who write `10M` have minutes in mind.
const UNITS: [&str; 24] = [
    "s", "sec", "secs", "second", "seconds", "m", "min", "mins", "minute", "minutes", "h", "hr", "hrs", "hour",
    "hours", "d", "day", "days", "w", "week", "weeks", "y", "year", "years",
];

/// A longer time is a mistake, and would lead out of the calendar.
const LONGEST: Duration = Duration::from_hours(24 * 365 * 100);

/// A text is no duration.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum DurationError {
    /// A number alone: a unit that is guessed is wrong some day.
    #[error("add the unit: {0}s for seconds, {0}m minutes, {0}h hours, {0}d days")]
    NoUnit(String),
    /// `M`.
    #[error("M is not a unit here: write 10m for minutes, 30d for days")]
    Month,
    /// Not of the form.
    #[error("use a whole number and its unit, such as 90s, 5m, 12h or 90d")]
    Malformed,
    /// No time at all.
    #[error("use at least 1s")]
    Zero,
    /// Out of the calendar.
    #[error("a hundred years are the most")]
    TooLong,
}

/// Reads whole numbers with their units: whole seconds, at least one.
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(DurationError::NoUnit(text.to_owned()));
    }
    let mut rest = text;
    loop {
        let unit = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let has_number = unit.len() < rest.len();
        let unit = unit.strip_prefix(' ').unwrap_or(unit);
        let end = unit.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(unit.len());
        match &unit[..end] {
            "M" if has_number => return Err(DurationError::Month),
            known if has_number && UNITS.contains(&known) => {}
            _ => return Err(DurationError::Malformed),
        }
        rest = &unit[end..];
        if rest.is_empty() {
            break;
        }
        rest = rest.strip_prefix(' ').unwrap_or(rest);
    }
    // What is of the form can only be too long.
    let duration = humantime::parse_duration(text).map_err(|_| DurationError::TooLong)?;
    match duration {
        Duration::ZERO => Err(DurationError::Zero),
        _ if duration > LONGEST => Err(DurationError::TooLong),
        _ => Ok(duration),
    }
}

/// The form of a duration, as a pattern.
#[cfg(feature = "schema")]
pub(crate) fn pattern() -> String {
    let part = format!("[0-9]+ ?({})", UNITS.join("|"));
    format!("^{part}( ?{part})*$")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_with_their_unit() {
        for (text, seconds) in [
            ("5m", 300),
            ("90s", 90),
            ("12h", 43_200),
            ("1d", 86_400),
            ("1h 30m", 5_400),
            ("1h30m", 5_400),
            ("2weeks", 1_209_600),
            ("2 weeks", 1_209_600),
            ("0h 5m", 300),
            ("01d", 86_400),
        ] {
            assert_eq!(parse_duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for unit in UNITS {
            assert!(parse_duration(&format!("3{unit}")).is_ok(), "{unit}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused_with_what_to_write() {
        let bad = [
            "", " ", "m", "5x", "-1s", "+1s", "1.5s", "1.5h", "300ms", "1month", "5é", " 1s", "1s ", "1h  3m", "1 0s",
            "1h 30", "1s,2s",
        ];
        for text in bad {
            assert_eq!(parse_duration(text), Err(DurationError::Malformed), "{text}");
        }
        for text in ["10M", "1h 1M"] {
            assert_eq!(parse_duration(text), Err(DurationError::Month), "{text}");
        }
        for text in ["0s", "0h 0m"] {
            assert_eq!(parse_duration(text), Err(DurationError::Zero), "{text}");
        }
        for text in ["18446744073709551616s", "99999999999d", "101y"] {
            assert_eq!(parse_duration(text), Err(DurationError::TooLong), "{text}");
        }
        let told = parse_duration("90").unwrap_err().to_string();
        assert_eq!(told, "add the unit: 90s for seconds, 90m minutes, 90h hours, 90d days");
    }
}
