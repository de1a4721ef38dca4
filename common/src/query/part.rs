//! Parts of dates and moments, which filters and orderings ask for.

use serde_json::Value;
use time::Date;

use crate::{field::FieldType, validate::day_of};

/// A part of a date or of a moment (in UTC), or of what an id stands for, which a filter or an ordering asks for behind its field and
/// two underscores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // Each is what Django's transform of the same name is.
pub enum Part {
    Date,
    Time,
    Year,
    IsoYear,
    Quarter,
    Month,
    /// By ISO 8601, from 1.
    Week,
    Day,
    /// From 1, which is Sunday.
    WeekDay,
    /// From 1, which is Monday.
    IsoWeekDay,
    Hour,
    Minute,
    Second,
    /// The name of the user that a record belongs to: `owner__username`.
    Username,
}

impl Part {
    /// The part that a word asks for, of a field of this type.
    pub(super) fn of(kind: &FieldType, word: &str) -> Option<Self> {
        let is_moment = matches!(kind, FieldType::Datetime);
        let part = match word {
            "date" if is_moment => Self::Date,
            "time" if is_moment => Self::Time,
            "hour" if is_moment => Self::Hour,
            "minute" if is_moment => Self::Minute,
            "second" if is_moment => Self::Second,
            "year" => Self::Year,
            "iso_year" => Self::IsoYear,
            "quarter" => Self::Quarter,
            "month" => Self::Month,
            "week" => Self::Week,
            "day" => Self::Day,
            "week_day" => Self::WeekDay,
            "iso_week_day" => Self::IsoWeekDay,
            _ => return None,
        };
        (is_moment || matches!(kind, FieldType::Date)).then_some(part)
    }

    /// The type by which its values compare. A time of the day is a text, whose order is that of times.
    pub(super) fn kind(self) -> FieldType {
        match self {
            Self::Date => FieldType::Date,
            Self::Time | Self::Username => {
                FieldType::Text { min_length: None, max_length: None, pattern: None, multiline: false }
            }
            _ => FieldType::Integer { min: None, max: None },
        }
    }

    /// The part of a stored date or moment; null of an id, since the server alone knows what it stands for.
    pub fn take(self, value: &Value) -> Value {
        let text = value.as_str().unwrap_or_default();
        let number = |range: std::ops::Range<usize>| {
            text.get(range).and_then(|digits| digits.parse::<i64>().ok()).map_or(Value::Null, Value::from)
        };
        let day = |part: fn(Date) -> i64| text.get(..10).and_then(day_of).map_or(Value::Null, |day| part(day).into());
        match self {
            Self::Date => text.get(..10).map_or(Value::Null, Value::from),
            Self::Time => text.get(11..).map_or(Value::Null, |time| time.trim_end_matches('Z').into()),
            Self::Year => number(0..4),
            Self::IsoYear => day(|day| day.to_iso_week_date().0.into()),
            Self::Quarter => day(|day| (i64::from(u8::from(day.month())) + 2) / 3),
            Self::Month => number(5..7),
            Self::Week => day(|day| day.iso_week().into()),
            Self::Day => number(8..10),
            Self::WeekDay => day(|day| day.weekday().number_from_sunday().into()),
            Self::IsoWeekDay => day(|day| day.weekday().number_from_monday().into()),
            Self::Hour => number(11..13),
            Self::Minute => number(14..16),
            Self::Second => number(17..19),
            Self::Username => Value::Null,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn parts_are_those_of_djangos_transforms() {
        let moment = json!("2024-12-30T01:02:03.250000Z");
        for (word, part) in [
            ("date", json!("2024-12-30")),
            ("time", json!("01:02:03.250000")),
            ("year", json!(2024)),
            ("iso_year", json!(2025)),
            ("quarter", json!(4)),
            ("month", json!(12)),
            ("week", json!(1)),
            ("day", json!(30)),
            ("week_day", json!(2)),
            ("iso_week_day", json!(1)),
            ("hour", json!(1)),
            ("minute", json!(2)),
            ("second", json!(3)),
        ] {
            assert_eq!(Part::of(&FieldType::Datetime, word).unwrap().take(&moment), part, "{word}");
        }
        assert_eq!(Part::of(&FieldType::Date, "week_day").unwrap().take(&json!("2024-02-25")), 1);
        assert_eq!(Part::Time.take(&json!("2024-12-30T01:02:03Z")), "01:02:03");
        for (kind, word) in [(FieldType::Date, "hour"), (FieldType::Date, "date"), (FieldType::Email, "year")] {
            assert_eq!(Part::of(&kind, word), None, "{word}");
        }
        assert_eq!(Part::Week.take(&Value::Null), Value::Null);
    }
}
