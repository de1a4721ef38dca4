//! Stretches of time: the hours, days, months or years that lie between two moments.

use time::{Date, Duration, Month, OffsetDateTime, format_description::well_known::Rfc3339};

use super::zone::Zone;
use crate::validate::format_moment;

/// How a time is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Hour,
    Day,
    Month,
    Year,
}

/// A time, and how it is divided.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stretch {
    from: OffsetDateTime,
    to: OffsetDateTime,
    step: Step,
    is_day: bool,
    zone: Zone,
}

/// One of the parts.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Part {
    /// As an aggregate calls it.
    pub key: String,
    /// As people read it.
    pub label: String,
    /// Where it begins.
    pub from: String,
    /// Where the next one begins.
    pub to: String,
}

/// Parts at most.
const MOST: usize = 200;

impl Stretch {
    /// The time between two moments, or two days. It is divided so that there are neither few parts nor many, as clocks of `zone` divide it.
    pub(super) fn of(from: &str, to: &str, is_day: bool, zone: &Zone) -> Option<Self> {
        let read = |text: &str| {
            let text = if is_day { format!("{text}T00:00:00Z") } else { text.to_owned() };
            OffsetDateTime::parse(&text, &Rfc3339).ok()
        };
        let (from, to) = (read(from)?, read(to)?);
        let days = (to - from).whole_days();
        let step = match days {
            _ if days <= 2 && !is_day => Step::Hour,
            ..=62 => Step::Day,
            63..=1500 => Step::Month,
            _ => Step::Year,
        };
        let zone = if is_day { Zone::utc() } else { zone.clone() };
        Some(Self { from, to, step, is_day, zone })
    }

    /// What the parts are called.
    pub(super) fn word(&self) -> &'static str {
        match self.step {
            Step::Hour => "hour",
            Step::Day => "day",
            Step::Month => "month",
            Step::Year => "year",
        }
    }

    /// Whose clocks divide it; `None` where days are meant that are the same everywhere.
    pub(super) fn zone(&self) -> Option<&Zone> {
        Some(&self.zone).filter(|_| !self.is_day)
    }

    /// The parts, the earliest first.
    pub(super) fn parts(&self) -> Vec<Part> {
        if self.step == Step::Hour { self.hours() } else { self.days() }
    }

    fn hours(&self) -> Vec<Part> {
        let first = self.zone.there(self.from).time();
        let since = Duration::seconds(i64::from(first.minute()) * 60 + i64::from(first.second()));
        let (mut parts, mut from) = (Vec::new(), self.from - since - Duration::nanoseconds(first.nanosecond().into()));
        while from <= self.to && parts.len() < MOST {
            let Some(to) = from.checked_add(Duration::HOUR) else { break };
            let there = self.zone.there(from);
            let (day, hour, ahead) = (there.date(), there.hour(), there.offset());
            let offset = if self.zone.is_utc() {
                "Z".to_owned()
            } else {
                let (hours, minutes, _) = ahead.as_hms();
                let sign = if ahead.is_negative() { '-' } else { '+' };
                format!("{sign}{:02}:{:02}", hours.unsigned_abs(), minutes.unsigned_abs())
            };
            parts.push(Part {
                key: format!("{day}T{hour:02}:00{offset}"),
                label: format!("{day} {hour:02}:00"),
                from: format_moment(from),
                to: format_moment(to),
            });
            from = to;
        }
        parts
    }

    fn days(&self) -> Vec<Part> {
        let last = self.zone.there(self.to).date();
        let (mut parts, mut from) = (Vec::new(), self.start(self.zone.there(self.from).date()));
        while from <= last && parts.len() < MOST {
            let Some(to) = self.next(from) else { break };
            let day = from.to_string();
            let length = match self.step {
                Step::Year => 4,
                Step::Month => 7,
                Step::Hour | Step::Day => 10,
            };
            let label = day.get(..length).unwrap_or(&day).to_owned();
            let bound = |day: Date| {
                if self.is_day { day.to_string() } else { format_moment(self.zone.moment(day.midnight())) }
            };
            parts.push(Part { key: label.clone(), label, from: bound(from), to: bound(to) });
            from = to;
        }
        parts
    }

    /// Where the part begins that a day is in.
    fn start(&self, day: Date) -> Date {
        let first = |year: i32, month: Month| Date::from_calendar_date(year, month, 1).unwrap_or(day);
        match self.step {
            Step::Hour | Step::Day => day,
            Step::Month => first(day.year(), day.month()),
            Step::Year => first(day.year(), Month::January),
        }
    }

    /// Where the next part begins; `None` behind the last year.
    fn next(&self, from: Date) -> Option<Date> {
        let first = |year: i32, month: Month| Date::from_calendar_date(year, month, 1).ok();
        match self.step {
            Step::Hour | Step::Day => from.next_day(),
            Step::Month if from.month() == Month::December => first(from.year() + 1, Month::January),
            Step::Month => first(from.year(), from.month().next()),
            Step::Year => first(from.year() + 1, Month::January),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Berlin in the autumn of 2026: two hours ahead, one from October 25, 1:00 UTC on.
    fn berlin() -> Zone {
        Zone::new("Europe/Berlin".to_owned(), |at| if at < 1_792_890_000 { 7200 } else { 3600 })
    }

    fn parts(from: &str, to: &str, zone: &Zone) -> Vec<(String, String)> {
        let parts = Stretch::of(from, to, false, zone).unwrap().parts();
        parts.into_iter().map(|part| (part.key, part.from)).collect()
    }

    #[test]
    fn days_and_hours_are_those_of_the_viewer() {
        let days = parts("2026-10-23T22:30:00Z", "2026-10-27T12:00:00Z", &berlin());
        let expected = [
            ("2026-10-24", "2026-10-23T22:00:00Z"),
            ("2026-10-25", "2026-10-24T22:00:00Z"),
            ("2026-10-26", "2026-10-25T23:00:00Z"),
            ("2026-10-27", "2026-10-26T23:00:00Z"),
        ];
        assert_eq!(days, expected.map(|(key, from)| (key.to_owned(), from.to_owned())));
        let hours = parts("2026-10-25T00:10:00Z", "2026-10-25T01:50:00Z", &berlin());
        let expected =
            [("2026-10-25T02:00+02:00", "2026-10-25T00:00:00Z"), ("2026-10-25T02:00+01:00", "2026-10-25T01:00:00Z")];
        assert_eq!(hours, expected.map(|(key, from)| (key.to_owned(), from.to_owned())), "the hour that comes twice");
        let utc = parts("2026-10-25T00:10:00Z", "2026-10-25T00:50:00Z", &Zone::utc());
        assert_eq!(utc[0].0, "2026-10-25T00:00Z");
        let kathmandu = Zone::new("Asia/Kathmandu".to_owned(), |_| 20_700);
        let hour = parts("2026-11-28T23:45:00Z", "2026-11-28T23:50:00Z", &kathmandu);
        assert_eq!(hour, [("2026-11-29T05:00+05:45".to_owned(), "2026-11-28T23:15:00Z".to_owned())]);
    }
}
