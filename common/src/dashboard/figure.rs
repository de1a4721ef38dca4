//! The figures of a dashboard: what each says, as of when, and why it is worth a warning.

use super::{History, Line, Span, clock, number, rate, unix_seconds};
use crate::{metrics::Sample, text};

/// Less of the disk free than this is worth a warning.
const DISK_LEFT: f64 = 0.10;
/// A certificate that ends sooner, in days.
const CERTIFICATE_DAYS: f64 = 14.0;
/// A longer wait for a password to be hashed, in milliseconds.
const HASHING_WAIT: f64 = 1000.0;
/// A larger part of the last minute's requests that were answered with 5xx.
const SERVER_ERRORS: f64 = 0.01;
/// So many times the hour's median of the p99.
const SLOWER: f64 = 10.0;
/// Samples of ten seconds that a median is taken of at least.
const ENOUGH: usize = 6;

/// The figures that there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // Their labels say it.
pub enum FigureKind {
    Requests,
    Latency,
    ServerErrors,
    Commits,
    Connections,
    Sessions,
    SignIns,
    EventStreams,
    Hashing,
    Memory,
    Store,
    Disk,
    Certificate,
}

/// One figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// Which it is.
    pub kind: FigureKind,
    /// Its name.
    pub label: &'static str,
    /// The value, with its unit.
    pub value: String,
    /// The time of day, in UTC, of the value, where the newest sample does not say it.
    pub as_of: Option<String>,
    /// Why it is worth a warning; a whole sentence.
    pub warning: Option<String>,
}

impl Figure {
    fn new(kind: FigureKind, label: &'static str, value: impl Into<String>) -> Self {
        Self { kind, label, value: value.into(), as_of: None, warning: None }
    }

    fn warns(self, warning: Option<String>) -> Self {
        Self { warning, ..self }
    }
}

impl FigureKind {
    /// What a sample says of it, for a line beside the figure; `None` where it is no line.
    fn value(self, sample: &Sample) -> Option<f64> {
        Some(match self {
            Self::Requests => rate(sample.requests.total(), sample),
            Self::Latency => sample.p99_ms?,
            Self::ServerErrors => rate(sample.requests.server_error, sample),
            Self::Commits => rate(sample.commits, sample),
            Self::Connections => float(sample.connections),
            Self::Sessions => float(sample.sessions?),
            Self::SignIns => rate(sample.sign_ins.good + sample.sign_ins.bad + sample.sign_ins.locked, sample),
            Self::EventStreams => float(sample.event_streams),
            Self::Hashing => float(sample.hashing_queue),
            Self::Memory => float(sample.memory_held),
            Self::Store => float(sample.store_bytes?),
            Self::Disk => float(sample.disk_free?),
            Self::Certificate => return None,
        })
    }
}

impl History {
    /// What a figure was, over a span.
    pub fn trend(&self, kind: FigureKind, span: Span) -> Line {
        self.line(span, |sample| kind.value(sample))
    }

    /// The figures as of the newest sample; none before there is one.
    pub fn figures(&self) -> Vec<Figure> {
        use FigureKind as Kind;
        let Some(newest) = self.newest() else { return Vec::new() };
        let latency = match (newest.p50_ms, newest.p99_ms) {
            (Some(half), Some(most)) => format!("{} / {} ms", number(half), number(most)),
            _ => "no requests".to_owned(),
        };
        let (errors, share) = self.server_errors();
        let group = match newest.groups {
            0 => String::new(),
            groups => format!(", {} a group", number(per(newest.commits, groups))),
        };
        let sign_ins = self.sign_ins();
        let waits = newest.hashing_wait_ms.unwrap_or(0.0);
        let hashing = format!("{} waiting, {} ms", text::thousands(newest.hashing_queue), number(waits));
        let memory = match newest.memory_limit {
            Some(limit) => format!("{} of {}", text::bytes(newest.memory_held), text::bytes(limit)),
            None => text::bytes(newest.memory_held),
        };
        let mut figures = vec![
            Figure::new(Kind::Requests, "Requests", format!("{}/s", number(rate(newest.requests.total(), newest)))),
            Figure::new(Kind::Latency, "p50 / p99", latency).warns(self.slower()),
            Figure::new(Kind::ServerErrors, "5xx (minute)", errors).warns(share),
            Figure::new(Kind::Commits, "Commits", format!("{}/s{group}", number(rate(newest.commits, newest)))),
            Figure::new(Kind::Connections, "Connections", text::thousands(newest.connections)),
            self.latest(Kind::Sessions, "Sessions", |sample| sample.sessions.map(text::thousands)),
            Figure::new(Kind::SignIns, "Sign-ins (hour)", sign_ins),
            Figure::new(Kind::EventStreams, "Event streams", text::thousands(newest.event_streams)),
            Figure::new(Kind::Hashing, "Hashing", hashing).warns(
                (waits > HASHING_WAIT)
                    .then(|| format!("Passwords wait {} s to be hashed, more than 1 s.", number(waits / 1000.0))),
            ),
            Figure::new(Kind::Memory, "Memory held", memory),
            self.store(),
            self.disk(),
        ];
        figures.extend(self.certificate());
        figures
    }

    /// What the newest sample says that says it, and as of when.
    fn latest(&self, kind: FigureKind, label: &'static str, value: impl Fn(&Sample) -> Option<String>) -> Figure {
        let newest = self.newest().map(|sample| &sample.at);
        let mut samples = self.ring(Span::Minutes).iter().rev().chain(self.ring(Span::Hour).iter().rev());
        let known = samples.find_map(|sample| Some((&sample.at, value(sample)?)));
        match known {
            Some((at, value)) => {
                let as_of = (newest != Some(at)).then(|| clock(at));
                Figure { as_of, ..Figure::new(kind, label, value) }
            }
            None => Figure { as_of: Some("never".to_owned()), ..Figure::new(kind, label, "not known") },
        }
    }

    fn server_errors(&self) -> (String, Option<String>) {
        let minute = self.ring(Span::Minutes).iter().rev().take(60);
        let (failed, all) = minute.fold((0, 0), |(failed, all), sample| {
            (failed + sample.requests.server_error, all + sample.requests.total())
        });
        if all == 0 {
            return ("no requests".to_owned(), None);
        }
        let share = per(failed, all);
        let percent = number(share * 100.0);
        let why = format!("{percent} % of the last minute's requests were answered with 5xx, more than 1 %.");
        (format!("{percent} % ({})", text::thousands(failed)), (share > SERVER_ERRORS).then_some(why))
    }

    /// The hour's median of the p99.
    fn median(&self) -> Option<f64> {
        let mut all: Vec<f64> = self.ring(Span::Hour).iter().filter_map(|sample| sample.p99_ms).collect();
        all.sort_by(f64::total_cmp);
        (all.len() >= ENOUGH).then(|| all[all.len() / 2])
    }

    /// A p99 from which on it is worth a warning, in milliseconds, and why.
    pub(super) fn slow_from(&self) -> Option<(f64, String)> {
        self.median().map(|median| (SLOWER * median, format!("10 × the hour's median p99 of {} ms", number(median))))
    }

    fn slower(&self) -> Option<String> {
        let now = self.ring(Span::Hour).back()?.p99_ms?;
        let median = self.median()?;
        (now > SLOWER * median).then(|| {
            format!(
                "The p99 of the last ten seconds, {} ms, is over 10 × the hour's median of {} ms.",
                number(now),
                number(median)
            )
        })
    }

    fn sign_ins(&self) -> String {
        let (mut good, mut bad, mut locked) = (0, 0, 0);
        let hour = self.ring(Span::Hour);
        let told = hour.back().map(|sample| &sample.at);
        // What is newer than the last sample of ten seconds is in those of a second.
        let seconds = self.ring(Span::Minutes);
        let first = told.and_then(|told| seconds.iter().position(|sample| sample.at == *told)).map_or(0, |at| at + 1);
        for sample in hour.iter().chain(seconds.iter().skip(first)) {
            good += sample.sign_ins.good;
            bad += sample.sign_ins.bad;
            locked += sample.sign_ins.locked;
        }
        let locked = if locked == 0 { String::new() } else { format!(", {} locked", text::thousands(locked)) };
        format!("{} good, {} bad{locked}", text::thousands(good), text::thousands(bad))
    }

    fn store(&self) -> Figure {
        let first = self.ring(Span::Hour).iter().find_map(|sample| sample.store_bytes);
        self.latest(FigureKind::Store, "Store", |sample| {
            let size = sample.store_bytes?;
            let grown = match first {
                Some(first) if size > first => format!(", +{} in 1 h", text::bytes(size - first)),
                Some(first) if size < first => format!(", −{} in 1 h", text::bytes(first - size)),
                _ => String::new(),
            };
            Some(format!("{}{grown}", text::bytes(size)))
        })
    }

    fn disk(&self) -> Figure {
        let figure = self.latest(FigureKind::Disk, "Disk left", |sample| {
            let (free, size) = (sample.disk_free?, sample.disk_size?);
            Some(format!("{}, {} %", text::bytes(free), number(per(free, size) * 100.0)))
        });
        let short = self.disk_left().filter(|left| *left < DISK_LEFT);
        figure.warns(short.map(|left| format!("{} % of the disk is left, less than 10 %.", number(left * 100.0))))
    }

    /// The part of the disk that is free, as of the newest sample that says so.
    pub fn disk_left(&self) -> Option<f64> {
        let said = self.ring(Span::Minutes).iter().rev().find_map(|sample| sample.disk_free.zip(sample.disk_size));
        said.map(|(free, size)| per(free, size))
    }

    /// The part of the memory for requests that is held; `None` where there is no limit.
    pub fn memory_held(&self) -> Option<f64> {
        let newest = self.newest()?;
        Some(per(newest.memory_held, newest.memory_limit?))
    }

    fn certificate(&self) -> Option<Figure> {
        let ends = self.certificate_ends_at.as_deref()?;
        let days = (unix_seconds(ends)? - unix_seconds(&self.newest()?.at)?) / 86_400.0;
        let day = ends.get(..10).unwrap_or(ends);
        let why = if days < 0.0 {
            Some(format!("The certificate ended on {day}: clients do not connect any more."))
        } else {
            (days < CERTIFICATE_DAYS).then(|| format!("The certificate ends on {day}, in less than 14 days."))
        };
        let value =
            if days < 0.0 { format!("ended {day}") } else { format!("{day}, in {} days", number(days.floor())) };
        Some(Figure::new(FigureKind::Certificate, "Certificate", value).warns(why))
    }
}

/// How large a part of something is.
fn per(part: u64, whole: u64) -> f64 {
    float(part) / float(whole.max(1))
}

#[allow(clippy::cast_precision_loss, reason = "shown with three digits")]
fn float(number: u64) -> f64 {
    number as f64
}
