use serde_json::{Value, json};

use super::*;
use crate::{
    change::Changes,
    id::Revision,
    metrics::{Requests, SignIns},
};

/// A second of the server, `n` seconds after eight.
fn second(n: u64) -> Sample {
    Sample {
        at: format!("2026-11-28T08:{:02}:{:02}Z", n / 60, n % 60),
        milliseconds: 1000,
        requests: Requests { success: 20, ..Requests::default() },
        p50_ms: Some(0.5),
        p99_ms: Some(4.0),
        commits: 6,
        groups: 3,
        connections: 2,
        sessions: Some(7),
        memory_held: 2_000_000,
        memory_limit: Some(256_000_000),
        store_bytes: Some(1_000_000),
        disk_free: Some(40_000_000_000),
        disk_size: Some(100_000_000_000),
        ..Sample::default()
    }
}

/// Two minutes of it, after a change of the seconds and of the tens.
fn history(change: impl Fn(u64, &mut Sample), end: Option<&str>) -> History {
    let sample = |n| {
        let mut sample = second(n);
        change(n, &mut sample);
        sample
    };
    let mut history = History::default();
    history.take(Metrics {
        seconds: (1..=120).map(sample).collect(),
        tens: (1..=12).map(|n| sample(n * 10)).collect(),
        certificate_ends_at: end.map(str::to_owned),
        ..Metrics::default()
    });
    history
}

fn figure(history: &History, kind: FigureKind) -> Figure {
    history.figures().into_iter().find(|figure| figure.kind == kind).unwrap()
}

#[test]
fn figures_say_their_units_and_a_server_that_is_well_has_no_warning() {
    let history = history(|_, _| (), Some("2027-03-01T00:00:00Z"));
    let figures = history.figures();
    assert!(figures.iter().all(|figure| figure.warning.is_none() && figure.as_of.is_none()), "{figures:#?}");
    let value = |kind| figure(&history, kind).value;
    assert_eq!(value(FigureKind::Requests), "20/s");
    assert_eq!(value(FigureKind::Latency), "0.5 / 4 ms");
    assert_eq!(value(FigureKind::Commits), "6/s, 2 a group");
    assert_eq!(value(FigureKind::Disk), "40 GB, 40 %");
    assert_eq!(value(FigureKind::Certificate), "2027-03-01, in 92 days");
    assert_eq!(History::default().figures(), []);
}

#[test]
fn each_threshold_warns_and_says_why() {
    let warning = |history: &History, kind| figure(history, kind).warning.unwrap_or_default();
    let full = history(|_, sample| sample.disk_free = Some(9_900_000_000), None);
    assert_eq!(warning(&full, FigureKind::Disk), "9.9 % of the disk is left, less than 10 %.");
    let enough = history(|_, sample| sample.disk_free = Some(10_000_000_000), None);
    assert_eq!(warning(&enough, FigureKind::Disk), "");

    let failing = |failed| {
        history(move |n, sample| sample.requests.server_error = if n > 60 && n % 10 == 0 { failed } else { 0 }, None)
    };
    assert!(warning(&failing(3), FigureKind::ServerErrors).starts_with("1.48 % of the last minute's requests"));
    assert_eq!(warning(&failing(2), FigureKind::ServerErrors), "", "0.99 %");

    let slow = |ms| history(move |n, sample| sample.p99_ms = Some(if n == 120 { ms } else { 4.0 }), None);
    assert!(warning(&slow(41.0), FigureKind::Latency).contains("41 ms, is over 10 × the hour's median of 4 ms"));
    assert_eq!(warning(&slow(40.0), FigureKind::Latency), "");

    let hashing = |ms| history(move |_, sample| sample.hashing_wait_ms = Some(ms), None);
    assert_eq!(warning(&hashing(1500.0), FigureKind::Hashing), "Passwords wait 1.5 s to be hashed, more than 1 s.");
    assert_eq!(warning(&hashing(1000.0), FigureKind::Hashing), "");

    for (end, why) in [
        ("2026-12-12T08:01:59Z", "The certificate ends on 2026-12-12, in less than 14 days."),
        ("2026-11-27T00:00:00Z", "The certificate ended on 2026-11-27: clients do not connect any more."),
        ("2026-12-12T08:02:00Z", ""),
    ] {
        assert_eq!(warning(&history(|_, _| (), Some(end)), FigureKind::Certificate), why);
    }
}

#[test]
fn what_a_source_does_not_say_any_more_is_told_with_its_time() {
    let silent = history(
        |n, sample| {
            if n > 100 {
                (sample.sessions, sample.disk_free) = (None, None);
            }
            sample.store_bytes = None;
        },
        None,
    );
    let sessions = figure(&silent, FigureKind::Sessions);
    assert_eq!((sessions.value.as_str(), sessions.as_of.as_deref()), ("7", Some("08:01:40")));
    assert_eq!(figure(&silent, FigureKind::Disk).as_of.as_deref(), Some("08:01:40"));
    let store = figure(&silent, FigureKind::Store);
    assert_eq!((store.value.as_str(), store.as_of.as_deref()), ("not known", Some("never")));
}

#[test]
fn sign_ins_of_the_hour_are_counted_once() {
    let history =
        history(|n, sample| sample.sign_ins = SignIns { good: u64::from(n % 10 == 0), bad: 1, locked: 0 }, None);
    // Twelve samples of ten seconds; nothing is newer than the last of them.
    assert_eq!(figure(&history, FigureKind::SignIns).value, "12 good, 12 bad");
    let mut history = history;
    history.take(Metrics {
        seconds: vec![Sample { sign_ins: SignIns { good: 2, bad: 0, locked: 1 }, ..second(121) }],
        ..Metrics::default()
    });
    assert_eq!(figure(&history, FigureKind::SignIns).value, "14 good, 12 bad, 1 locked");
}

#[test]
fn lines_lie_where_their_moments_do_and_the_rings_stay_as_long_as_they_are() {
    let mut history = history(|_, _| (), None);
    assert_eq!(history.since().as_deref(), Some("2026-11-28T08:02:00Z"));
    history.take(Metrics { seconds: vec![second(150)], ..Metrics::default() });
    let line = history.line(Span::Minutes, |sample| Some(rate(sample.commits, sample)));
    assert_eq!(line.last(), Some(&(0.0, 6.0)));
    assert_eq!(line.first(), Some(&(-120.0, 6.0)), "what is older is out of the span");
    assert_eq!(line[line.len() - 2], (-30.0, 6.0), "a gap stays one");
    assert_eq!(history.line(Span::Hour, |sample| sample.p99_ms).len(), 12);
    assert_eq!(history.seconds.len(), SECONDS_KEPT);
}

#[test]
fn axes_end_at_numbers_that_are_easy_to_read() {
    for (most, end) in [(0.0, 1.0), (0.3, 1.0), (1.0, 1.0), (1.1, 2.0), (3.0, 4.0), (4.1, 10.0), (950.0, 1000.0)] {
        assert!((ceiling(&[&vec![(0.0, most)]]) - end).abs() < 1e-9, "{most}");
    }
    for (value, text) in
        [(0.0, "0"), (0.256, "0.26"), (4.0, "4"), (12.345, "12.3"), (99.96, "100"), (1234.4, "1\u{202f}234")]
    {
        assert_eq!(number(value), text);
    }
}

fn changes(of: Value) -> Changes {
    serde_json::from_value(of).unwrap()
}

const ADA: &str = "01920000-0000-7000-8000-000000000001";
const BOB: &str = "01920000-0000-7000-8000-0000000000b0";

fn change(revision: u64, action: &str, more: &Value) -> Value {
    let mut change = json!({
        "revision": revision, "at": "2026-11-28T08:00:07.123456Z", "by": ADA, "subject": "record", "id": BOB,
        "collection": "snacks", "action": action, "after": {"id": BOB, "title": "Pop\u{1b}corn"}
    });
    change.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
    change
}

#[test]
fn the_feed_says_who_did_what_and_what_one_request_did_to_many_is_one_line() {
    let mut feed = Feed::default();
    assert_eq!(feed.next(), None);
    feed.begin(Revision(100));
    assert_eq!(feed.next().unwrap().after, Some(Revision(40)));
    let operation = json!({"operation": BOB});
    feed.take(changes(json!({"next": null, "results": [
        change(41, "create", &json!({})),
        change(42, "delete", &operation),
        change(42, "delete", &operation),
        change(42, "delete", &operation),
        change(43, "sign_in_refused", &json!({"by": null, "subject": "user", "address": "192.0.2.7", "collection": null})),
        change(44, "update", &json!({"by": null, "subject": "collection", "id": "snacks"})),
    ]})));
    assert_eq!(feed.unknown().len(), 2);
    feed.know(ADA.parse().unwrap(), Some("ada".to_owned()));
    feed.know(BOB.parse().unwrap(), None);
    assert_eq!(feed.unknown(), []);
    let lines: Vec<String> = feed.lines().map(|(entry, text)| format!("{} {text}", clock(&entry.at))).collect();
    assert_eq!(
        lines,
        [
            "08:00:07 the command line changed the collection snacks",
            "08:00:07 192.0.2.7 was refused a sign-in as user …0000b0",
            "08:00:07 ada deleted 3 records in snacks",
            "08:00:07 ada created \"Pop\u{fffd}corn\" in snacks",
        ]
    );
    assert_eq!(feed.next().unwrap().after, Some(Revision(44)));
    feed.begin(Revision(50));
    assert_eq!(feed.next().unwrap().after, Some(Revision(44)), "it goes on where it was");
    feed.take(changes(
        json!({"next": "http://x/api/changes/?after=44&place=200", "results": [change(44, "update", &json!({}))]}),
    ));
    assert_eq!((feed.next().unwrap().after, feed.next().unwrap().place), (Some(Revision(44)), Some(200)));
    feed.begin(Revision(9));
    assert_eq!((feed.next().unwrap().after, feed.lines().count()), (Some(Revision(0)), 0), "another store");
}
