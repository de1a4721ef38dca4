//! What the server measured of itself in the last hour: a sample each second, and one each ten seconds, in rings of fixed size.

use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, atomic::Ordering::Relaxed},
    time::Duration,
};

use common::metrics::{Requests, SECONDS_KEPT, Sample, SignIns, TENS_KEPT};
use server::metrics::{Http, Totals};
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::domain::{App, sessions};

/// Between two samples.
const SECOND: Duration = Duration::from_secs(1);
/// Seconds between two samples of the longer ring, and between two looks at what takes longer to look at.
const TEN: u32 = 10;
/// How much longer than counting the sessions the time between two counts is.
const REST: u32 = 100;

/// The samples that are kept, oldest first. [`Samples::default`] has none.
#[derive(Debug, Default)]
pub struct Samples(Mutex<Rings>);

#[derive(Debug, Default)]
struct Rings {
    seconds: VecDeque<Sample>,
    tens: VecDeque<Sample>,
}

impl Samples {
    fn keep(&self, second: Sample, ten: Option<Sample>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        push(&mut kept.seconds, second, SECONDS_KEPT);
        if let Some(ten) = ten {
            push(&mut kept.tens, ten, TENS_KEPT);
        }
    }

    /// What was free on the disk with the data, and how large that is, at the last look; `None` before the first, and where the disk does not say.
    pub(super) fn disk(&self) -> Option<(u64, u64)> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.seconds.back().and_then(|sample| sample.disk_free.zip(sample.disk_size))
    }

    /// Those of both rings that are later than a moment as [`common::validate::format_moment`] writes it, or all of them.
    pub(super) fn later_than(&self, since: Option<&str>) -> (Vec<Sample>, Vec<Sample>) {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (later_than(&kept.seconds, since), later_than(&kept.tens, since))
    }
}

fn push(ring: &mut VecDeque<Sample>, sample: Sample, most: usize) {
    if ring.len() >= most {
        ring.pop_front();
    }
    ring.push_back(sample);
}

/// Where the clock was set back, samples behind the one that was named come, whatever their moments say.
fn later_than(ring: &VecDeque<Sample>, since: Option<&str>) -> Vec<Sample> {
    let Some(since) = since else { return ring.iter().cloned().collect() };
    match ring.iter().rposition(|sample| sample.at == since) {
        Some(at) => ring.iter().skip(at + 1).cloned().collect(),
        None => ring.iter().filter(|sample| moment(&sample.at) > moment(since)).cloned().collect(),
    }
}

/// A moment so that later ones are greater: the digits behind the point may be left out where they are all zero.
pub(super) fn moment(text: &str) -> (&str, &str) {
    let text = text.trim_end_matches('Z');
    text.split_once('.').unwrap_or((text, ""))
}

/// What only rises, as it stood at a moment.
#[derive(Debug, Clone, Default)]
struct Counted {
    at: Option<Instant>,
    http: Totals,
    commits: u64,
    groups: u64,
    sign_ins: SignIns,
}

/// What is looked at each ten seconds.
#[derive(Debug, Clone, Copy, Default)]
struct SampleCounts {
    store_bytes: Option<u64>,
    disk_free: Option<u64>,
    disk_size: Option<u64>,
}

/// Measures for as long as the server runs. `data`: its directory of data.
pub async fn measure(app: App, samples: Arc<Samples>, http: Arc<Http>, data: PathBuf) {
    let mut ticks = interval(SECOND);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut second, mut ten) = (counted(&app, &http), counted(&app, &http));
    let (mut open, mut count_at) = (None, Instant::now());
    let mut looked = SampleCounts::default();
    ticks.tick().await;
    for n in 0_u32.. {
        ticks.tick().await;
        let ends_ten = n % TEN == TEN - 1;
        if n.is_multiple_of(TEN) {
            looked = look(&app, &data).await;
        }
        if Instant::now() >= count_at {
            let begun = Instant::now();
            open = sessions::count(app.core()).await.ok();
            count_at = Instant::now() + (begun.elapsed() * REST).max(SECOND * TEN);
        }
        let now = counted(&app, &http);
        let mut sample = gauges(&app, now.http.connections, looked);
        sample.sessions = open;
        let of_ten = ends_ten.then(|| since(&ten, &now, sample.clone()));
        samples.keep(since(&second, &now, sample), of_ten);
        if ends_ten {
            ten = now.clone();
        }
        second = now;
    }
}

fn counted(app: &App, http: &Http) -> Counted {
    let (stats, sign_ins) = (app.core().store.stats(), &app.auth().sign_ins);
    Counted {
        at: Some(Instant::now()),
        http: http.totals(),
        commits: stats.committed.load(Relaxed),
        groups: stats.groups.load(Relaxed),
        sign_ins: SignIns {
            good: sign_ins.good.load(Relaxed),
            bad: sign_ins.bad.load(Relaxed),
            locked: sign_ins.locked.load(Relaxed),
        },
    }
}

async fn look(app: &App, data: &std::path::Path) -> SampleCounts {
    let (store, data) = (app.core().store.clone(), data.to_owned());
    let looked = tokio::task::spawn_blocking(move || SampleCounts {
        store_bytes: store.disk_bytes().ok(),
        disk_free: store::free_bytes(&data),
        disk_size: store::size_bytes(&data),
    });
    looked.await.unwrap_or_default()
}

/// A sample with what there is now, and nothing counted.
fn gauges(app: &App, connections: u64, looked: SampleCounts) -> Sample {
    let (memory, hashing) = (&app.core().memory, app.auth().hasher.stats());
    let limit = memory.limit();
    Sample {
        at: app.core().timestamp(),
        hashing_queue: hashing.waiting.load(Relaxed) as u64,
        hashing_wait_ms: hashing.wait().map(|wait| wait.as_secs_f64() * 1000.0),
        connections,
        event_streams: app.events().counts().open,
        memory_held: memory.held(),
        memory_limit: (limit != u64::MAX).then_some(limit),
        store_bytes: looked.store_bytes,
        disk_free: looked.disk_free,
        disk_size: looked.disk_size,
        ..Sample::default()
    }
}

/// The sample with what was counted between two moments.
fn since(before: &Counted, now: &Counted, sample: Sample) -> Sample {
    let time = now.at.zip(before.at).map(|(now, before)| now - before).unwrap_or_default();
    let grown = |class: usize| now.http.outcomes[class].saturating_sub(before.http.outcomes[class]);
    let all = now.http.timed.saturating_sub(before.http.timed);
    let earlier = before.http.times.iter().map(|(_, count)| *count).chain(std::iter::repeat(0));
    let times: Vec<(u64, u64)> =
        now.http.times.iter().zip(earlier).map(|((b, n), e)| (*b, n.saturating_sub(e))).collect();
    Sample {
        milliseconds: u64::try_from(time.as_millis()).unwrap_or(u64::MAX),
        requests: Requests {
            success: grown(0) + grown(1),
            redirection: grown(2),
            client_error: grown(3),
            server_error: grown(4),
            left: grown(5),
        },
        p50_ms: quantile(&times, all, 50),
        p99_ms: quantile(&times, all, 99),
        commits: now.commits.saturating_sub(before.commits),
        groups: now.groups.saturating_sub(before.groups),
        sign_ins: SignIns {
            good: now.sign_ins.good.saturating_sub(before.sign_ins.good),
            bad: now.sign_ins.bad.saturating_sub(before.sign_ins.bad),
            locked: now.sign_ins.locked.saturating_sub(before.sign_ins.locked),
        },
        ..sample
    }
}

/// So many of a hundred values are at most this, in milliseconds. Between the bounds of a bucket its values are taken to lie evenly; of those
/// above the last bound that bound is said.
#[allow(clippy::cast_precision_loss, reason = "nanoseconds of a request, and how many there were")]
fn quantile(times: &[(u64, u64)], all: u64, of_hundred: u64) -> Option<f64> {
    let rank = (all * of_hundred).div_ceil(100);
    let (last, _) = times.last().filter(|_| rank > 0)?;
    let (mut lower, mut below) = (0, 0);
    for (bound, count) in times {
        if *count >= rank {
            let part = (rank - below) as f64 / (count - below) as f64;
            return Some((lower as f64 + part * (bound - lower) as f64) / 1e6);
        }
        (lower, below) = (*bound, *count);
    }
    Some(*last as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(moment: &str) -> Sample {
        Sample { at: moment.to_owned(), ..Sample::default() }
    }

    #[test]
    fn the_rings_hold_so_many_samples_in_less_than_four_megabytes_and_tell_what_is_later() {
        let samples = Samples::default();
        for n in 0..4000 {
            let sample = at(&format!("2026-11-28T{:02}:{:02}:{:02}.250000Z", n / 3600, n / 60 % 60, n % 60));
            samples.keep(sample.clone(), (n % 10 == 9).then_some(sample));
        }
        let (seconds, tens) = samples.later_than(None);
        assert_eq!((seconds.len(), tens.len()), (SECONDS_KEPT, TENS_KEPT));
        assert_eq!(seconds.last(), tens.last());
        assert!((SECONDS_KEPT + TENS_KEPT) * (size_of::<Sample>() + 64) < 4 << 20);
        let (seconds, tens) = samples.later_than(Some("2026-11-28T01:06:29.250000Z"));
        assert_eq!((seconds.len(), tens.len()), (10, 1));
        assert_eq!(samples.later_than(Some("2026-11-28T01:06:38Z")).0.len(), 2, "between two samples");
        assert_eq!(samples.later_than(Some("2027-01-01T00:00:00Z")).0, []);
    }

    #[test]
    fn a_clock_that_is_set_back_hides_no_sample() {
        let samples = Samples::default();
        for moment in ["2026-11-28T10:00:00Z", "2026-11-28T10:00:01.5Z", "2026-11-28T09:00:00Z"] {
            samples.keep(at(moment), None);
        }
        assert_eq!(samples.later_than(Some("2026-11-28T10:00:01.5Z")).0, [at("2026-11-28T09:00:00Z")]);
        assert_eq!(samples.later_than(Some("2026-11-28T10:00:01Z")).0, [at("2026-11-28T10:00:01.5Z")]);
    }

    #[test]
    fn quantiles_lie_where_the_values_do() {
        let times = [(1_000_000, 50), (2_000_000, 98), (10_000_000, 99)];
        assert_eq!(quantile(&times, 100, 50), Some(1.0));
        assert_eq!(quantile(&times, 100, 99), Some(10.0));
        assert_eq!(quantile(&times, 100, 25), Some(0.5));
        assert_eq!(quantile(&[(1_000_000, 0), (2_000_000, 0)], 1, 99), Some(2.0), "above the last bound");
        assert_eq!(quantile(&times, 0, 99), None);
        assert_eq!(quantile(&[], 3, 99), None);
    }

    #[test]
    fn a_sample_is_what_was_counted_since_the_one_before() {
        let begun = Instant::now();
        let before = Counted { at: Some(begun), commits: 7, groups: 5, ..Counted::default() };
        let now = Counted {
            at: Some(begun + Duration::from_millis(1_004)),
            http: Totals { outcomes: [1, 5, 2, 3, 4, 6], times: vec![(1_000_000, 20)], timed: 20, connections: 2 },
            commits: 10,
            groups: 6,
            sign_ins: SignIns { good: 1, bad: 2, locked: 3 },
        };
        let sample = since(&before, &now, at("x"));
        let requests = Requests { success: 6, redirection: 2, client_error: 3, server_error: 4, left: 6 };
        assert_eq!((sample.requests, sample.requests.total()), (requests, 21));
        assert_eq!((sample.milliseconds, sample.commits, sample.groups), (1_004, 3, 1));
        assert_eq!((sample.sign_ins, sample.p50_ms), (now.sign_ins, Some(0.5)));
    }
}
