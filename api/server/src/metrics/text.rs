//! Numbers in Prometheus' text format 0.0.4. Names and labels are the program's own, so nothing in them has to be escaped.

use std::fmt::{Display, Write as _};

use base::Histogram;

/// A document in the making.
#[derive(Debug, Default)]
pub struct Text {
    text: String,
    family: &'static str,
}

/// How the numbers of a family are to be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only rises, until the process ends.
    Counter,
    /// Rises and falls.
    Gauge,
    /// Counts by bucket.
    Histogram,
}

/// Labels and their values.
type Labels<'a> = &'a [(&'static str, &'a str)];

impl Text {
    /// Begins the samples of `name`.
    pub fn family(&mut self, name: &'static str, kind: Kind, help: &str) {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        self.family = name;
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// One number of the family, `suffix` behind its name.
    pub fn sample(&mut self, suffix: &str, labels: Labels<'_>, value: impl Display) {
        self.text.push_str(self.family);
        self.text.push_str(suffix);
        for (i, (name, value)) in labels.iter().enumerate() {
            let _ = write!(self.text, "{}{name}=\"{value}\"", if i == 0 { '{' } else { ',' });
        }
        let _ = writeln!(self.text, "{} {value}", if labels.is_empty() { "" } else { "}" });
    }

    /// A family of one number.
    pub fn single(&mut self, name: &'static str, kind: Kind, help: &str, value: impl Display) {
        self.family(name, kind, help);
        self.sample("", &[], value);
    }

    /// A histogram of nanoseconds, in seconds.
    pub fn seconds(&mut self, labels: Labels<'_>, histogram: &Histogram) {
        self.histogram(labels, histogram, 1e9);
    }

    /// A histogram of sizes.
    pub fn sizes(&mut self, labels: Labels<'_>, histogram: &Histogram) {
        self.histogram(labels, histogram, 1.0);
    }

    #[allow(clippy::cast_precision_loss, reason = "a sum that is rounded in the sixteenth digit is right enough")]
    fn histogram(&mut self, labels: Labels<'_>, histogram: &Histogram, unit: f64) {
        let (counts, total) = histogram.cumulative();
        for (bound, count) in counts {
            let bound = (bound as f64 / unit).to_string();
            self.sample("_bucket", &[labels, &[("le", bound.as_str())]].concat(), count);
        }
        self.sample("_bucket", &[labels, &[("le", "+Inf")]].concat(), total);
        self.sample("_sum", labels, histogram.sum() as f64 / unit);
        self.sample("_count", labels, total);
    }

    /// The document.
    pub fn finish(self) -> String {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_is_written_as_prometheus_reads_it() {
        let histogram = Histogram::new(&[500_000, 10_000_000_000]);
        histogram.observe(400_000);
        histogram.observe(2_000_000_000);
        let mut text = Text::default();
        text.family("time_seconds", Kind::Histogram, "How long.");
        text.seconds(&[("route", "/a/")], &histogram);
        let expected = r#"# HELP time_seconds How long.
# TYPE time_seconds histogram
time_seconds_bucket{route="/a/",le="0.0005"} 1
time_seconds_bucket{route="/a/",le="10"} 2
time_seconds_bucket{route="/a/",le="+Inf"} 2
time_seconds_sum{route="/a/"} 2.0004
time_seconds_count{route="/a/"} 2
"#;
        assert_eq!(text.finish(), expected);
    }
}
