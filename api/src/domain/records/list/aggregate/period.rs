//! Years, months, weeks, days and hours of dates and moments, as groups are made by them.

use common::field::FieldType;
use jiff::{Timestamp, ToSpan as _, civil::Date, tz::TimeZone};
use serde_json::Value;

/// A stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Period {
    Year,
    Month,
    Week,
    Day,
    Hour,
}

impl Period {
    /// What a name asks for behind a field of this type: `created_at__month`.
    pub(super) fn of(word: &str, kind: &FieldType) -> Option<Self> {
        match (word, kind) {
            ("year", FieldType::Date | FieldType::Datetime) => Some(Self::Year),
            ("month", FieldType::Date | FieldType::Datetime) => Some(Self::Month),
            ("week", FieldType::Date | FieldType::Datetime) => Some(Self::Week),
            ("day", FieldType::Date | FieldType::Datetime) | ("date", FieldType::Datetime) => Some(Self::Day),
            ("hour", FieldType::Datetime) => Some(Self::Hour),
            _ => None,
        }
    }

    /// The period of a stored date or moment: `2026`, `2026-11`, `2026-W48`, `2026-11-28`, `2026-11-28T17:00+01:00`. They sort as time goes,
    /// but for the hours in which clocks are set back.
    pub(super) fn label(self, value: &Value, kind: &FieldType, zone: &Zone) -> Value {
        let Some(text) = value.as_str() else { return Value::Null };
        self.label_of(text, kind, zone).map_or(Value::Null, Value::String)
    }

    fn label_of(self, text: &str, kind: &FieldType, zone: &Zone) -> Option<String> {
        let day = text.get(..10)?;
        if *kind == FieldType::Date || zone.is_utc() {
            return Some(match self {
                Self::Year => day[..4].to_owned(),
                Self::Month => day[..7].to_owned(),
                Self::Day => day.to_owned(),
                Self::Week => week(day.parse().ok()?),
                Self::Hour => format!("{}:00Z", text.get(..13)?),
            });
        }
        let there = text.parse::<Timestamp>().ok()?.to_zoned_datetime(zone.0.clone());
        let day = there.date();
        Some(match self {
            Self::Year => format!("{:04}", day.year()),
            Self::Month => format!("{:04}-{:02}", day.year(), day.month()),
            Self::Day => day.to_string(),
            Self::Week => week(day),
            Self::Hour => {
                let seconds = there.offset().seconds();
                let (sign, minutes) = (if seconds < 0 { '-' } else { '+' }, seconds.unsigned_abs() / 60);
                format!("{day}T{:02}:00{sign}{:02}:{:02}", there.hour(), minutes / 60, minutes % 60)
            }
        })
    }

    /// Where the period after that of a value begins, in UTC; `None` where time ends before.
    pub(super) fn next(self, text: &str, kind: &FieldType) -> Option<String> {
        let day: Date = text.get(..10)?.parse().ok()?;
        if self == Self::Hour {
            let hour = format!("{}:00:00Z", text.get(..13)?).parse::<Timestamp>().ok()?.checked_add(1.hour()).ok()?;
            return Some(hour.to_string());
        }
        let next = match self {
            Self::Year => day.first_of_year().checked_add(1.year()),
            Self::Month => day.first_of_month().checked_add(1.month()),
            Self::Week => day.checked_add(i64::from(8 - day.weekday().to_monday_one_offset()).days()),
            Self::Day | Self::Hour => day.checked_add(1.day()),
        };
        let next = next.ok()?;
        Some(if *kind == FieldType::Date { next.to_string() } else { format!("{next}T00:00:00Z") })
    }
}

fn week(day: Date) -> String {
    let week = day.iso_week_date();
    format!("{:04}-W{:02}", week.year(), week.week())
}

/// Where days and hours begin.
pub(super) struct Zone(TimeZone);

impl Zone {
    /// The one of UTC.
    pub(super) fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    /// The zone of a name in the time zone database.
    pub(super) fn named(name: &str) -> Option<Self> {
        if name == "UTC" { Some(Self::utc()) } else { TimeZone::get(name).ok().map(Self) }
    }

    /// Whether it is UTC, whose periods follow one another as moments do. Elsewhere a day may end twice.
    pub(super) fn is_utc(&self) -> bool {
        self.0 == TimeZone::UTC
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_those_of_the_named_place() {
        let label = |period: Period, text: &str, zone: &str| {
            let zone = Zone::named(zone).unwrap();
            period.label(&Value::from(text), &FieldType::Datetime, &zone).as_str().unwrap().to_owned()
        };
        for (period, text, zone, wanted) in [
            (Period::Year, "2025-12-31T23:30:00Z", "UTC", "2025"),
            (Period::Year, "2025-12-31T23:30:00Z", "Europe/Berlin", "2026"),
            (Period::Month, "2026-03-01T03:30:00Z", "America/New_York", "2026-02"),
            (Period::Week, "2027-01-01T12:00:00Z", "UTC", "2026-W53"),
            (Period::Week, "2026-11-29T23:30:00Z", "Europe/Berlin", "2026-W49"),
            (Period::Day, "2026-11-28T23:30:00.123456Z", "Europe/Berlin", "2026-11-29"),
            (Period::Hour, "2026-11-28T23:30:00Z", "UTC", "2026-11-28T23:00Z"),
            (Period::Hour, "2026-10-25T00:30:00Z", "Europe/Berlin", "2026-10-25T02:00+02:00"),
            (Period::Hour, "2026-10-25T01:30:00Z", "Europe/Berlin", "2026-10-25T02:00+01:00"),
            (Period::Hour, "2026-11-28T23:45:00Z", "Asia/Kathmandu", "2026-11-29T05:00+05:45"),
        ] {
            assert_eq!(label(period, text, zone), wanted);
        }
        assert!(Zone::named("Mars/Olympus").is_none());
    }

    #[test]
    fn a_period_ends_where_the_next_begins() {
        for (period, text, next) in [
            (Period::Year, "2026-11-28T16:40:00Z", "2027-01-01T00:00:00Z"),
            (Period::Month, "2026-12-31T16:40:00Z", "2027-01-01T00:00:00Z"),
            (Period::Week, "2026-11-29T16:40:00Z", "2026-11-30T00:00:00Z"),
            (Period::Week, "2026-11-30T00:00:00Z", "2026-12-07T00:00:00Z"),
            (Period::Hour, "2026-12-31T23:40:00Z", "2027-01-01T00:00:00Z"),
        ] {
            assert_eq!(period.next(text, &FieldType::Datetime).as_deref(), Some(next), "{text}");
        }
        assert_eq!(Period::Day.next("2028-02-28", &FieldType::Date).as_deref(), Some("2028-02-29"));
        assert_eq!(Period::Day.next("9999-12-31", &FieldType::Date), None);
    }
}
