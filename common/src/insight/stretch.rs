//! Stretches of time: the hours, days, months or years that lie between two moments.

use time::{Date, Duration, Month, OffsetDateTime, Time, format_description::well_known::Rfc3339};

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
pub struct Stretch {
    from: OffsetDateTime,
    to: OffsetDateTime,
    step: Step,
    is_day: bool,
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
    /// The time between two moments, or two days. It is divided so that there are neither few parts nor many.
    pub(super) fn of(from: &str, to: &str, is_day: bool) -> Option<Self> {
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
        Some(Self { from, to, step, is_day })
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

    /// The parts, the earliest first.
    pub(super) fn parts(&self) -> Vec<Part> {
        let (mut parts, mut from) = (Vec::new(), self.start(self.from));
        while from <= self.to && parts.len() < MOST {
            let Some(to) = self.next(from) else { break };
            let (day, moment) = (from.date().to_string(), format_moment(from));
            let (key, label) = match self.step {
                Step::Hour => {
                    (format!("{}:00Z", moment.get(..13).unwrap_or(&moment)), format!("{day} {:02}:00", from.hour()))
                }
                Step::Day => (day.clone(), day.clone()),
                Step::Month => (day.get(..7).unwrap_or(&day).to_owned(), day.get(..7).unwrap_or(&day).to_owned()),
                Step::Year => (day.get(..4).unwrap_or(&day).to_owned(), day.get(..4).unwrap_or(&day).to_owned()),
            };
            let bound = |at: OffsetDateTime| if self.is_day { at.date().to_string() } else { format_moment(at) };
            parts.push(Part { key, label, from: bound(from), to: bound(to) });
            from = to;
        }
        parts
    }

    /// Where the part begins that a moment is in.
    fn start(&self, moment: OffsetDateTime) -> OffsetDateTime {
        let date = moment.date();
        let first = |year: i32, month: Month| Date::from_calendar_date(year, month, 1).unwrap_or(date);
        let (date, hour) = match self.step {
            Step::Hour => (date, moment.hour()),
            Step::Day => (date, 0),
            Step::Month => (first(date.year(), date.month()), 0),
            Step::Year => (first(date.year(), Month::January), 0),
        };
        date.with_time(Time::from_hms(hour, 0, 0).unwrap_or(Time::MIDNIGHT)).assume_utc()
    }

    /// Where the next part begins; `None` behind the last year.
    fn next(&self, from: OffsetDateTime) -> Option<OffsetDateTime> {
        let date = from.date();
        let first =
            |year: i32, month: Month| Some(Date::from_calendar_date(year, month, 1).ok()?.midnight().assume_utc());
        match self.step {
            Step::Hour => from.checked_add(Duration::HOUR),
            Step::Day => from.checked_add(Duration::DAY),
            Step::Month if date.month() == Month::December => first(date.year() + 1, Month::January),
            Step::Month => first(date.year(), date.month().next()),
            Step::Year => first(date.year() + 1, Month::January),
        }
    }
}
