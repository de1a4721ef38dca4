//! What a dashboard shows of a server: its last hour as figures and as lines of a plot, what is worth a warning and why, and the newest
//! changes. Both clients draw the same.

mod feed;
mod figure;
mod notable;
mod plot;
mod tail;
mod traffic;

use std::collections::VecDeque;

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

pub use self::{
    feed::{Entry, Feed},
    figure::{Figure, FigureKind},
    notable::Notable,
    plot::{Bar, Plot, PlotRow, Series, Tone, Unit, ago_text, bars},
    tail::LogTail,
    traffic::{Route, Traffic},
};
use crate::metrics::{Metrics, SECONDS_KEPT, Sample, TENS_KEPT};

/// How far back a plot goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Span {
    /// Two minutes, second by second.
    #[default]
    Minutes,
    /// An hour, in steps of ten seconds.
    Hour,
}

impl Span {
    /// In seconds.
    pub const fn seconds(self) -> u32 {
        match self {
            Self::Minutes => 120,
            Self::Hour => 3600,
        }
    }

    /// Seconds between two samples.
    pub const fn step(self) -> f64 {
        match self {
            Self::Minutes => 1.0,
            Self::Hour => 10.0,
        }
    }

    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Minutes => Self::Hour,
            Self::Hour => Self::Minutes,
        }
    }

    /// Its two ends and its middle, as an axis of time says them.
    pub const fn labels(self) -> [&'static str; 3] {
        match self {
            Self::Minutes => ["2 min ago", "1 min", "now"],
            Self::Hour => ["60 min ago", "30 min", "now"],
        }
    }
}

/// A line of a plot: seconds before the newest sample, which are negative, and values.
pub type Line = Vec<(f64, f64)>;

/// The samples of a server that were taken so far.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    seconds: VecDeque<Sample>,
    tens: VecDeque<Sample>,
    certificate_ends_at: Option<String>,
    noted: notable::Noted,
}

impl History {
    /// Takes what is later than what was taken so far.
    pub fn take(&mut self, metrics: Metrics) {
        for (ring, new, most) in
            [(&mut self.seconds, metrics.seconds, SECONDS_KEPT), (&mut self.tens, metrics.tens, TENS_KEPT)]
        {
            ring.extend(new);
            ring.drain(..ring.len().saturating_sub(most));
        }
        self.certificate_ends_at = metrics.certificate_ends_at;
        self.noted.take(metrics.failures, metrics.slow);
    }

    /// The newest sample.
    pub fn newest(&self) -> Option<&Sample> {
        self.seconds.back()
    }

    /// The moment that samples are wanted since.
    pub fn since(&self) -> Option<String> {
        self.newest().map(|sample| sample.at.clone())
    }

    /// A line of what each sample says. What a sample does not say, and what its clock puts out of the span, is left out.
    pub fn line(&self, span: Span, value: impl Fn(&Sample) -> Option<f64>) -> Line {
        let ring = self.ring(span);
        let Some(end) = ring.back().and_then(|sample| unix_seconds(&sample.at)) else { return Line::new() };
        let from = -f64::from(span.seconds());
        let points = ring.iter().filter_map(|sample| Some((unix_seconds(&sample.at)? - end, value(sample)?)));
        points.filter(|(x, _)| (from..=0.0).contains(x)).collect()
    }

    fn ring(&self, span: Span) -> &VecDeque<Sample> {
        match span {
            Span::Minutes => &self.seconds,
            Span::Hour => &self.tens,
        }
    }
}

/// How often something happened in a second, where a sample counted it so often.
#[allow(clippy::cast_precision_loss, reason = "counts of a few seconds")]
pub fn rate(count: u64, sample: &Sample) -> f64 {
    count as f64 * 1000.0 / sample.milliseconds.max(1) as f64
}

/// The greatest value of lines, or a bit more: a number that an axis ends at and its half are easy to read.
pub fn ceiling(lines: &[&Line]) -> f64 {
    let most = lines.iter().flat_map(|line| line.iter()).map(|(_, y)| *y).fold(0.0, f64::max);
    let mut step = 1e-3;
    while step < 1e15 {
        for factor in [1.0, 2.0, 4.0] {
            if most <= step * factor {
                return (step * factor).max(1.0);
            }
        }
        step *= 10.0;
    }
    most
}

/// A number as an axis or a figure says it: three digits where it is small.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is neither negative nor too large")]
pub fn number(value: f64) -> String {
    let value = value.max(0.0);
    if value >= 99.95 {
        return crate::text::thousands(value.round() as u64);
    }
    let text = if value >= 9.995 { format!("{value:.1}") } else { format!("{value:.2}") };
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[allow(clippy::cast_precision_loss, reason = "microseconds since 1970 fit")]
fn unix_seconds(moment: &str) -> Option<f64> {
    let moment = OffsetDateTime::parse(moment, &Rfc3339).ok()?;
    Some(moment.unix_timestamp() as f64 + f64::from(moment.microsecond()) / 1e6)
}

/// The time of day of a moment, to the second, in UTC.
pub fn clock(moment: &str) -> String {
    moment.get(11..19).unwrap_or(moment).to_owned()
}

#[cfg(test)]
mod tests;
