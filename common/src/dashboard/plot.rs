//! The plots of a dashboard: which lines each has, where its scale ends and what its ticks say, what is told of a moment, and the same as a table for
//! who does not see it.

use super::{History, Line, Span, ceiling, number, rate};
use crate::{metrics::Sample, text};

/// What a line means, and so its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// As it should be.
    Good,
    /// Neither good nor bad.
    Other,
    /// Refused, or slow.
    Refused,
    /// Failed.
    Failed,
}

/// The unit of an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// How often in a second.
    PerSecond,
    /// Milliseconds.
    Milliseconds,
    /// A number of things.
    Count,
    /// Bytes.
    Bytes,
}

impl Unit {
    /// A value with its unit.
    pub fn said(self, value: f64) -> String {
        match self {
            Self::PerSecond => format!("{}/s", number(value)),
            Self::Milliseconds => format!("{} ms", number(value)),
            Self::Count => number(value),
            Self::Bytes => bytes(value),
        }
    }

    /// A value as a tick says it: the heading says the unit, but of bytes, which have several.
    pub fn tick(self, value: f64) -> String {
        if self == Self::Bytes { bytes(value) } else { number(value) }
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is neither negative nor too large")]
fn bytes(value: f64) -> String {
    text::bytes(value.max(0.0).round() as u64)
}

/// One line of a plot.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Its name; empty where the plot has no other.
    pub name: &'static str,
    /// What it means.
    pub tone: Tone,
    /// Its points.
    pub line: Line,
}

impl Series {
    fn new(name: &'static str, tone: Tone, line: Line) -> Self {
        Self { name, tone, line }
    }

    /// The value nearest to a moment, in seconds before the newest sample; `None` where there is none within `step` seconds.
    pub fn at(&self, moment: f64, step: f64) -> Option<f64> {
        let distance = |(x, _): &&(f64, f64)| (x - moment).abs();
        let nearest = self.line.iter().min_by(|a, b| distance(a).total_cmp(&distance(b)))?;
        ((nearest.0 - moment).abs() <= step).then_some(nearest.1)
    }

    /// The stretches without a gap: where samples are missing, nothing is drawn.
    pub fn stretches(&self, step: f64) -> impl Iterator<Item = &[(f64, f64)]> {
        self.line.chunk_by(move |before, after| after.0 - before.0 <= step * 2.5)
    }
}

/// One plot.
#[derive(Debug, Clone, PartialEq)]
pub struct Plot {
    /// What it shows, with its unit.
    pub heading: &'static str,
    /// The unit of its values.
    pub unit: Unit,
    /// How far back it goes.
    pub span: Span,
    /// Its lines.
    pub series: Vec<Series>,
    /// Where its scale ends. It begins at 0.
    pub top: f64,
    /// More than this is worth a warning, and why.
    pub limit: Option<(f64, String)>,
}

/// One row of a plot as a table: when, and what each line says.
pub type PlotRow = (String, Vec<String>);

impl Plot {
    fn new(heading: &'static str, unit: Unit, span: Span, series: Vec<Series>) -> Self {
        let top = ceiling(&series.iter().map(|series| &series.line).collect::<Vec<_>>());
        Self { heading, unit, span, series, top, limit: None }
    }

    /// The values of its ticks, from 0 to its top.
    pub fn ticks(&self) -> [f64; 3] {
        [0.0, self.top / 2.0, self.top]
    }

    /// Where a point is, from the left and from the top, as parts of the whole.
    pub fn place(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let across = 1.0 + x / f64::from(self.span.seconds());
        (across.clamp(0.0, 1.0), 1.0 - (y / self.top).clamp(0.0, 1.0))
    }

    /// The moment at a part of its width, in seconds before the newest sample.
    pub fn moment(&self, across: f64) -> f64 {
        (across.clamp(0.0, 1.0) - 1.0) * f64::from(self.span.seconds())
    }

    /// What its lines say at a moment, by their names.
    pub fn told(&self, moment: f64) -> Vec<(&Series, String)> {
        let said = |series: &Series| {
            series.at(moment, self.span.step()).map_or_else(|| "–".to_owned(), |value| self.unit.said(value))
        };
        self.series.iter().map(|series| (series, said(series))).collect()
    }

    /// The plot as a table: a row for each twelfth of its span, the newest first.
    pub fn rows(&self) -> Vec<PlotRow> {
        let part = self.span.seconds() / 12;
        (0..12)
            .map(|n| {
                let ago = part * n;
                let told = self.told(-f64::from(ago)).into_iter().map(|(_, said)| said).collect();
                (ago_text(ago), told)
            })
            .collect()
    }
}

/// "now", "40 s ago", "5 min ago".
pub fn ago_text(seconds: u32) -> String {
    match seconds {
        0 => "now".to_owned(),
        1..120 => format!("{seconds} s ago"),
        _ => format!("{} min ago", seconds / 60),
    }
}

impl History {
    /// The plots: requests, how long they take, commits, sign-ins, connections, memory.
    pub fn plots(&self, span: Span) -> Vec<Plot> {
        let line = |value: &dyn Fn(&Sample) -> Option<f64>| self.line(span, value);
        let rated = |count: fn(&Sample) -> u64| line(&|sample| Some(rate(count(sample), sample)));
        let counted = |count: fn(&Sample) -> u64| line(&|sample| Some(float(count(sample))));
        let mut classes = vec![
            Series::new("2xx", Tone::Good, rated(|sample| sample.requests.success)),
            Series::new("3xx", Tone::Other, rated(|sample| sample.requests.redirection)),
            Series::new("4xx", Tone::Refused, rated(|sample| sample.requests.client_error)),
            Series::new("5xx", Tone::Failed, rated(|sample| sample.requests.server_error)),
        ];
        // A class that nothing was in says nothing.
        classes.retain(|class| class.name == "2xx" || class.line.iter().any(|(_, y)| *y > 0.0));
        let took = vec![
            Series::new("p50", Tone::Good, line(&|sample| sample.p50_ms)),
            Series::new("p99", Tone::Refused, line(&|sample| sample.p99_ms)),
        ];
        let commits = vec![Series::new("", Tone::Good, rated(|sample| sample.commits))];
        let sign_ins = vec![
            Series::new("good", Tone::Good, rated(|sample| sample.sign_ins.good)),
            Series::new("wrong", Tone::Refused, rated(|sample| sample.sign_ins.bad)),
            Series::new("locked", Tone::Failed, rated(|sample| sample.sign_ins.locked)),
        ];
        let connections = vec![
            Series::new("connections", Tone::Good, counted(|sample| sample.connections)),
            Series::new("event streams", Tone::Other, counted(|sample| sample.event_streams)),
        ];
        let memory = vec![Series::new("", Tone::Good, counted(|sample| sample.memory_held))];
        let slow = self.slow_from();
        let latency = Plot::new("Answers take, in ms", Unit::Milliseconds, span, took);
        vec![
            Plot::new("Requests a second", Unit::PerSecond, span, classes),
            Plot { limit: slow, ..latency },
            Plot::new("Commits a second", Unit::PerSecond, span, commits),
            Plot::new("Sign-ins a second", Unit::PerSecond, span, sign_ins),
            Plot::new("Connections", Unit::Count, span, connections),
            Plot::new("Memory held for requests", Unit::Bytes, span, memory),
        ]
    }
}

#[allow(clippy::cast_precision_loss, reason = "shown with three digits")]
fn float(count: u64) -> f64 {
    count as f64
}

/// Values beside each other, as bars of one length at most.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar<T> {
    /// What it is of.
    pub of: T,
    /// Its length, as a part of the longest.
    pub part: f64,
}

/// Bars, the longest first.
pub fn bars<T>(of: impl IntoIterator<Item = T>, value: impl Fn(&T) -> u64) -> Vec<Bar<T>> {
    let mut all: Vec<(u64, T)> = of.into_iter().map(|of| (value(&of), of)).collect();
    all.sort_by_key(|(value, _)| std::cmp::Reverse(*value));
    let most = all.first().map_or(1, |(value, _)| (*value).max(1));
    all.into_iter().map(|(value, of)| Bar { of, part: float(value) / float(most) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(line: Line) -> Plot {
        Plot::new("Requests a second", Unit::PerSecond, Span::Minutes, vec![Series::new("2xx", Tone::Good, line)])
    }

    #[test]
    fn points_lie_within_the_plot_and_the_scale_ends_at_a_round_number() {
        let plot = plot(vec![(-120.0, 0.0), (-60.0, 30.0), (0.0, 15.0)]);
        assert_eq!(plot.ticks().map(number), ["0", "20", "40"]);
        assert_eq!(plot.place((-120.0, 0.0)), (0.0, 1.0));
        assert_eq!(plot.place((-60.0, 40.0)), (0.5, 0.0));
        assert_eq!(plot.place((5.0, 90.0)), (1.0, 0.0), "what a clock put out of the span stays inside");
        assert_eq!(number(-plot.moment(0.5)), "60");
    }

    #[test]
    fn a_gap_is_not_drawn_over_and_says_nothing() {
        let plot = plot(vec![(-100.0, 1.0), (-99.0, 2.0), (-50.0, 3.0), (0.0, 4.0)]);
        let stretches: Vec<usize> = plot.series[0].stretches(1.0).map(<[_]>::len).collect();
        assert_eq!(stretches, [2, 1, 1]);
        assert_eq!(plot.told(-49.5)[0].1, "3/s");
        assert_eq!(plot.told(-70.0)[0].1, "–");
        let rows = plot.rows();
        assert_eq!((rows.len(), rows[0].0.as_str(), rows[5].0.as_str()), (12, "now", "50 s ago"));
        assert_eq!((rows[0].1[0].as_str(), rows[5].1[0].as_str(), rows[3].1[0].as_str()), ("4/s", "3/s", "–"));
    }

    #[test]
    fn bars_are_parts_of_the_longest() {
        let bars = bars(["a", "bbbb", ""], |word| word.len() as u64);
        let shown: Vec<_> = bars.iter().map(|bar| (bar.of, bar.part)).collect();
        assert_eq!(shown, [("bbbb", 1.0), ("a", 0.25), ("", 0.0)]);
        assert!(self::bars([0_u64], |n| *n)[0].part.abs() < f64::EPSILON);
    }

    #[test]
    fn ticks_of_bytes_say_their_unit() {
        assert_eq!((Unit::Bytes.tick(2e6), Unit::Milliseconds.tick(2.5)), ("2 MB".to_owned(), "2.5".to_owned()));
        assert_eq!(Unit::Milliseconds.said(2.5), "2.5 ms");
        assert_eq!((ago_text(119), ago_text(300)), ("119 s ago".to_owned(), "5 min ago".to_owned()));
    }
}
