//! The measurements, and their medians.

use std::time::Duration;

use super::{
    generator::Measured,
    workload::{CEILING_SHARE, Target, Workload},
};

/// The servers that are measured, in the order of [`Figures::rounds`].
pub(crate) const NAMES: [&str; 3] = ["Coffer", "reference", "bare warp"];
pub(crate) const COFFER: usize = 0;
pub(crate) const REFERENCE: usize = 1;
pub(crate) const CEILING: usize = 2;

/// All rounds of one workload.
#[derive(Debug)]
pub(crate) struct Figures {
    pub workload: &'static Workload,
    /// By server. The ceiling has rounds in one workload only.
    pub rounds: [Vec<Measured>; 3],
}

/// Bytes of resident memory, Coffer's and the reference's.
#[derive(Debug)]
pub(crate) struct Memory {
    /// Coffer's over an empty store.
    pub empty: u64,
    /// Over the filled store, before the first request.
    pub idle: [u64; 2],
    /// The most during all workloads.
    pub peak: [u64; 2],
}

/// A whole run.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub figures: Vec<Figures>,
    /// From the start of the process on an empty store to the first answer.
    pub start_ms: f64,
    pub memory: Memory,
    pub rounds: usize,
    pub seconds: f64,
    pub took: Duration,
}

/// A target beside what came of it.
pub(crate) struct Verdict {
    pub what: String,
    pub wanted: String,
    pub measured: String,
    pub reached: bool,
}

/// The middle one; of an even number the mean of the two in the middle.
pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    match (values.len(), values.len() / 2) {
        (0, _) => f64::NAN,
        (count, middle) if count % 2 == 1 => values[middle],
        (_, middle) => f64::midpoint(values[middle - 1], values[middle]),
    }
}

impl Figures {
    pub(crate) fn new(workload: &'static Workload) -> Self {
        Self { workload, rounds: Default::default() }
    }

    /// The median of something over one server's rounds.
    pub(crate) fn median(&self, server: usize, of: impl Fn(&Measured) -> f64) -> f64 {
        median(self.rounds[server].iter().map(of))
    }

    /// Requests per second.
    pub(crate) fn per_second(&self, server: usize) -> f64 {
        self.median(server, |one| one.per_second)
    }

    /// How many times the requests per second of the reference.
    pub(crate) fn ratio(&self) -> f64 {
        self.per_second(COFFER) / self.per_second(REFERENCE)
    }

    pub(crate) fn errors(&self) -> usize {
        self.rounds.iter().flatten().map(|one| one.errors).sum()
    }
}

impl Outcome {
    /// Every target that this run says something about.
    pub(crate) fn verdicts(&self) -> Vec<Verdict> {
        let mut verdicts = Vec::new();
        let mut say = |what: &str, wanted: String, measured: String, reached: bool| {
            verdicts.push(Verdict { what: what.to_owned(), wanted, measured, reached });
        };
        for (n, figures) in self.figures.iter().enumerate() {
            let (title, ratio) = (figures.workload.title, figures.ratio());
            if figures.workload.has_ceiling {
                let share = figures.per_second(COFFER) / figures.per_second(CEILING);
                let wanted = format!("at least {CEILING_SHARE} of bare warp");
                say(title, wanted, format!("{share:.2}"), share >= CEILING_SHARE);
            }
            match figures.workload.target {
                Target::Times(times) => {
                    say(title, format!("at least {times} × the reference"), format!("{ratio:.1} ×"), ratio >= times);
                }
                Target::Equal(within) => {
                    let wanted = format!("at least {} × the reference", 1.0 - within);
                    say(title, wanted, format!("{ratio:.2} ×"), ratio >= 1.0 - within);
                }
                Target::P99(times) => {
                    let Some(alone) = n.checked_sub(1).map(|before| &self.figures[before]) else { continue };
                    let p99 = |figures: &Figures| figures.median(COFFER, |one| one.p99_us);
                    let ratio = p99(figures) / p99(alone);
                    let wanted = format!("a p99 of at most {times} × the p99 alone");
                    say(title, wanted, format!("{ratio:.1} ×"), ratio <= times);
                }
                Target::None => {}
            }
        }
        let mut below = |what: &str, value: f64, limit: f64, unit: &str| {
            say(what, format!("under {limit} {unit}"), format!("{value:.0} {unit}"), value < limit);
        };
        below("Memory, idle, empty store", megabytes(self.memory.empty), 40.0, "MB");
        below("Memory, idle, filled store", megabytes(self.memory.idle[COFFER]), 40.0, "MB");
        below("Memory, the most under load", megabytes(self.memory.peak[COFFER]), 150.0, "MB");
        below("Start on an empty store", self.start_ms, 200.0, "ms");
        verdicts
    }
}

/// Millions of bytes.
#[allow(clippy::cast_precision_loss)] // Memory is far below 2^52 bytes.
pub(crate) fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_one() {
        assert!((median([3.0, 1.0, 2.0].into_iter()) - 2.0).abs() < f64::EPSILON);
        assert!((median([4.0, 1.0, 2.0, 3.0].into_iter()) - 2.5).abs() < f64::EPSILON);
        assert!(median(std::iter::empty()).is_nan());
    }
}
