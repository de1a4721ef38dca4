//! Work in the background: each piece is done once, also by several processes and after a crash; what is stopped stays stopped;
//! requests go on meanwhile.

mod cuts;
mod served;

use std::{sync::Arc, time::Duration};

use base::{Clock, ClockHand, Entropy, IdSource};
use coffer::domain::{
    Core, Error, check,
    idempotency::{self, Answer, Begun},
    journal::{self, Actor},
    keyspace,
    operations::{self, Runner},
};
use common::{
    access::Caller,
    id::OperationId,
    operation::OperationState,
    query::{ListQuery, Query as _},
};
use serde_json::json;
use store::{Batch, Options, Scan, Store, Version, journal as blocks};

const DAY: Duration = Duration::from_hours(24);

/// An entry of long ago, of two kilobytes.
fn aged_entry() -> Vec<u8> {
    let id = "x".repeat(2000);
    let entry = json!({"at": "2020-01-01T00:00:00Z", "by": null, "subject": "user", "id": id, "action": "update"});
    journal::bytes(&serde_json::from_value(entry).unwrap())
}

/// Appends so many entries of long ago.
async fn age(store: &Store, entries: usize) {
    for chunk in vec![aged_entry(); entries].chunks(1000) {
        let mut batch = Batch::new();
        for change in chunk {
            batch.append(change.clone());
        }
        store.commit(batch).await.unwrap();
    }
}

/// How many entries of long ago there are.
async fn old(store: &Store) -> usize {
    let blocks = store.scan(blocks::blocks()).await.unwrap();
    let entries = blocks.iter().flat_map(|(_, entry)| blocks::unpack(&entry.value).unwrap());
    entries.filter(|entry| entry.bytes.windows(10).any(|bytes| bytes == b"2020-01-01")).count()
}

/// A process of its own over a store.
fn process(store: &Store, clock: &Clock) -> Core {
    Core::new(store.clone(), clock.clone(), IdSource::new(clock.clone(), Entropy::system()))
}

async fn aged(entries: usize) -> (Store, Clock, ClockHand) {
    let store = Store::open(Options::memory()).unwrap();
    age(&store, entries).await;
    let (clock, hand) = Clock::held(1_800_000_000);
    (store, clock, hand)
}

async fn begin(core: &Core) -> OperationId {
    let begun = operations::trim_changes(core, Actor::local(&Caller::Anonymous), 90 * DAY).await.unwrap();
    assert!(matches!(begun.state, OperationState::Running | OperationState::Waiting), "{}", begun.state);
    begun.id
}

#[tokio::test]
async fn a_piece_is_bounded_and_done_once_by_whoever_holds_the_lease() {
    let (store, clock, hand) = aged(2000).await;
    let (one, two) = (process(&store, &clock), process(&store, &clock));
    let (first, second) = (Runner::new(&one), Runner::new(&two));
    let id = begin(&one).await;
    let seen = operations::get(&one, id).await.unwrap();
    assert_eq!((seen.state, seen.done, seen.of), (OperationState::Waiting, 0, Some(2000)), "nobody works on it yet");
    assert!(first.one_piece(id).await.unwrap());
    let seen = operations::get(&two, id).await.unwrap();
    assert_eq!(seen.state, OperationState::Running);
    assert!(seen.done > 0 && seen.done <= 600, "{}", seen.done);
    assert_eq!(old(&store).await as u64, 2000 - seen.done, "what is noted as done is done");
    assert!(!second.one_piece(id).await.unwrap(), "the first holds it");
    assert_eq!(operations::get(&two, id).await.unwrap().done, seen.done);
    // The first is not heard of again.
    hand.advance(Duration::from_secs(6));
    assert_eq!(operations::get(&two, id).await.unwrap().state, OperationState::Waiting);
    let mut done = seen.done;
    second.finish(id, &mut |more| done += more).await.unwrap();
    let seen = operations::get(&one, id).await.unwrap();
    assert_eq!((seen.state, seen.done, done), (OperationState::Done, 2000, 2000));
    assert!(seen.ended_at.is_some() && seen.error.is_none());
    assert_eq!(old(&store).await, 0);
    assert!(!first.one_piece(id).await.unwrap(), "what is over is over");
    assert!(check::check(&store, &mut |_| {}).await.unwrap().is_sound());
}

#[tokio::test]
async fn two_processes_that_take_it_from_each_other_do_each_piece_once() {
    let (store, clock, hand) = aged(3000).await;
    let (one, two) = (process(&store, &clock), process(&store, &clock));
    let id = begin(&one).await;
    let work = async |core: &Core| {
        let (runner, mut done) = (Runner::new(core), 0);
        loop {
            // Every lease ends at once, so that the other may always go on.
            let mut note = |more| {
                hand.advance(Duration::from_secs(6));
                done += more;
            };
            match runner.finish(id, &mut note).await {
                Ok(()) => return done,
                Err(Error::Busy) => hand.advance(Duration::from_secs(6)),
                Err(error) => panic!("{error}"),
            }
        }
    };
    let (by_one, by_two) = tokio::join!(work(&one), work(&two));
    assert_eq!(by_one + by_two, 3000, "{by_one} and {by_two}");
    assert_eq!(operations::get(&one, id).await.unwrap().done, 3000);
    assert_eq!(old(&store).await, 0);
}

#[tokio::test]
async fn what_was_stopped_stays_stopped() {
    let (store, clock, hand) = aged(2000).await;
    let core = process(&store, &clock);
    let id = begin(&core).await;
    let runner = Runner::new(&core);
    assert!(runner.one_piece(id).await.unwrap());
    operations::stop(&core, Actor::local(&Caller::Anonymous), id).await.unwrap();
    operations::stop(&core, Actor::local(&Caller::Anonymous), id).await.unwrap();
    let stopped = operations::get(&core, id).await.unwrap();
    assert_eq!(stopped.state, OperationState::Stopped);
    hand.advance(DAY);
    assert!(!runner.one_piece(id).await.unwrap());
    runner.finish(id, &mut |_| panic!("it goes on")).await.unwrap();
    assert_eq!(operations::get(&core, id).await.unwrap(), stopped);
    assert_eq!(old(&store).await as u64, 2000 - stopped.done);
    // Its record goes when nobody can want it any more.
    hand.advance(31 * DAY);
    runner.sweep().await.unwrap();
    assert!(matches!(operations::get(&core, id).await, Err(Error::NotFound)));
}

#[tokio::test]
async fn answers_that_were_kept_a_day_are_cleared_away_by_one_process_piece_by_piece() {
    let (store, clock, hand) = aged(0).await;
    let (core, other) = (process(&store, &clock), process(&store, &clock));
    let user = serde_json::from_value(json!(core.ids.next_id())).unwrap();
    let keys = || async { store.scan(Scan::prefix(&keyspace::idempotency_keys_of(user))).await.unwrap() };
    let answer = |bytes| Answer { status: 201, headers: Vec::new(), body: "x".repeat(bytes) };
    for n in 0..20 {
        let begun = idempotency::begin(&core, user, &format!("key {n}"), Arc::new(String::new)).await.unwrap();
        let Begun::First(claim) = begun else { panic!("it is new") };
        claim.finish(&core, None, answer(200_000)).await.unwrap();
    }
    Runner::new(&core).sweep().await.unwrap();
    assert_eq!(keys().await.len(), 20, "there is nothing to remove");
    hand.advance(DAY / 2);
    let Begun::Again(kept, _) = idempotency::begin(&core, user, "key 7", Arc::new(String::new)).await.unwrap() else {
        panic!("it was sent before")
    };
    assert_eq!(kept.answer, Some(answer(200_000)));
    let Begun::First(claim) = idempotency::begin(&core, user, "later", Arc::new(String::new)).await.unwrap() else {
        panic!("it is new")
    };
    claim.finish(&core, None, answer(10)).await.unwrap();
    hand.advance(DAY / 2);
    let one = Runner::new(&core);
    let pieces = one.sweep().await.unwrap();
    assert!((20..40).contains(&pieces), "{pieces} pieces for 20 answers of which none fits with another");
    assert_eq!(keys().await.len(), 1, "what is kept half a day stays");
    hand.advance(DAY);
    Runner::new(&other).sweep().await.unwrap();
    assert_eq!(keys().await.len(), 0);
}

#[tokio::test]
async fn the_more_keys_a_user_has_the_less_is_kept_for_each() {
    let (store, clock, _) = aged(0).await;
    let core = process(&store, &clock);
    let user = serde_json::from_value(json!(core.ids.next_id())).unwrap();
    for n in 0..100 {
        let begun = idempotency::begin(&core, user, &format!("key {n}"), Arc::new(String::new)).await.unwrap();
        let Begun::First(claim) = begun else { panic!("it is new") };
        let answer = Answer { status: 201, headers: Vec::new(), body: "x".repeat(400_000) };
        claim.finish(&core, None, answer).await.unwrap();
    }
    let keys = store.scan(Scan::prefix(&keyspace::idempotency_keys_of(user))).await.unwrap();
    let bytes: usize = keys.iter().map(|(_, entry)| entry.value.len()).sum();
    assert_eq!(keys.len(), 100, "each was noted");
    assert!((16_000_000..17_000_000).contains(&bytes), "{bytes} bytes");
}

#[tokio::test]
async fn so_many_operations_are_let_in_at_once_and_no_more() {
    let (store, clock, _) = aged(10).await;
    let (one, two) = (process(&store, &clock), process(&store, &clock));
    let start = |core| operations::trim_changes(core, Actor::local(&Caller::Anonymous), 90 * DAY);
    let begun = futures_util::future::join_all((0..20).map(|n| start(if n % 2 == 0 { &one } else { &two }))).await;
    let (begun, refused): (Vec<_>, Vec<_>) = begun.into_iter().partition(Result::is_ok);
    assert_eq!((begun.len(), refused.len()), (16, 4));
    for refused in refused {
        let Err(Error::Conflict(told)) = refused else { panic!("{refused:?}") };
        assert!(told.contains("stop one"), "{told}");
    }
    let ids: Vec<_> = begun.into_iter().map(|operation| operation.unwrap().id).collect();
    operations::stop(&one, Actor::local(&Caller::Anonymous), ids[3]).await.unwrap();
    start(&two).await.unwrap();
    start(&two).await.unwrap_err();
    for id in ids {
        Runner::new(&one).finish(id, &mut |_| {}).await.unwrap();
    }
    start(&two).await.unwrap();
    assert!(check::check(&store, &mut |_| {}).await.unwrap().is_sound());
}

#[tokio::test]
async fn operations_are_listed_page_by_page_the_newest_first() {
    let (store, clock, hand) = aged(10).await;
    let core = process(&store, &clock);
    let mut ids = Vec::new();
    for _ in 0..5 {
        let id = begin(&core).await;
        Runner::new(&core).finish(id, &mut |_| {}).await.unwrap();
        hand.advance(Duration::from_secs(1));
        ids.insert(0, id);
    }
    for ordering in ["", "&ordering=-started_at", "&state=done"] {
        for (page, expected) in [(1, &ids[0..2]), (2, &ids[2..4]), (3, &ids[4..5])] {
            let pairs =
                form_urlencoded::parse(format!("page={page}&page_size=2{ordering}").as_bytes()).into_owned().collect();
            let query = ListQuery::from_pairs(pairs).unwrap();
            let listed = operations::list(&core, &query).await.unwrap();
            let listed_ids: Vec<_> = listed.results.iter().map(|operation| operation.id).collect();
            assert_eq!((listed.count, listed_ids.as_slice()), (5, expected), "{ordering} {page}");
        }
        let pairs = form_urlencoded::parse(format!("page=4&page_size=2{ordering}").as_bytes()).into_owned().collect();
        let beyond = operations::list(&core, &ListQuery::from_pairs(pairs).unwrap()).await;
        assert!(matches!(beyond, Err(Error::NoSuchPage)), "{ordering}");
    }
}

#[tokio::test]
async fn of_operations_over_the_same_entries_each_counts_what_it_did() {
    let (store, clock, hand) = aged(3000).await;
    let (one, two) = (process(&store, &clock), process(&store, &clock));
    let (first, second) = (begin(&one).await, begin(&two).await);
    let finish = async |core: &Core, id| {
        let (runner, mut done) = (Runner::new(core), 0);
        loop {
            let mut note = |more| done += more;
            match runner.finish(id, &mut note).await {
                Ok(()) => return done,
                Err(Error::Busy) => hand.advance(Duration::from_secs(6)),
                Err(error) => panic!("{error}"),
            }
        }
    };
    let (by_first, by_second) = tokio::join!(finish(&one, first), finish(&two, second));
    assert_eq!(by_first + by_second, 3000, "{by_first} and {by_second}");
    for (id, done) in [(first, by_first), (second, by_second)] {
        let ended = operations::get(&one, id).await.unwrap();
        assert_eq!((ended.state, ended.done, ended.of), (OperationState::Done, done, Some(done)));
    }
    // One that waited is told what is left for it.
    let (late, later) = (begin(&one).await, begin(&one).await);
    Runner::new(&one).finish(late, &mut |_| {}).await.unwrap();
    assert_eq!(operations::get(&one, later).await.unwrap().of, Some(0));
    assert_eq!(old(&store).await, 0);
}

#[tokio::test]
async fn what_cannot_go_on_says_so_and_keeps_the_reason_for_the_log() {
    let (store, clock, _) = aged(10).await;
    let torn = vec![blocks::Appended {
        at: blocks::Position { version: Version::new(1), place: 0 },
        bytes: "no change".into(),
    }];
    let (key, _) = store.scan(blocks::blocks().limit(1)).await.unwrap().remove(0);
    store.commit(Batch::with(|batch| batch.put(key, blocks::pack(&torn)))).await.unwrap();
    let core = process(&store, &clock);
    // Counting looks at a few entries, and at this one not.
    let id = begin(&core).await;
    assert!(Runner::new(&core).finish(id, &mut |_| {}).await.is_err());
    let failed = operations::get(&core, id).await.unwrap();
    assert_eq!((failed.state, failed.done), (OperationState::Failed, 0));
    assert_eq!(failed.error.as_deref(), Some("Something went wrong on the server; its log says what."));
}

#[tokio::test]
async fn a_tombstone_that_is_newer_than_what_is_trimmed_stays() {
    let (store, clock, hand) = aged(3).await;
    let core = process(&store, &clock);
    let tombstone = |n: u128| {
        let id = uuid::Uuid::from_u128(n);
        keyspace::tombstone(coffer::domain::numbers::CollectionNumber(1), common::id::RecordId::from_uuid(id))
    };
    store.commit(Batch::with(|batch| batch.put(tombstone(1), Vec::new()))).await.unwrap();
    age(&store, 1).await;
    store.commit(Batch::with(|batch| batch.put(tombstone(2), Vec::new()))).await.unwrap();
    let id = begin(&core).await;
    Runner::new(&core).finish(id, &mut |_| hand.advance(Duration::from_secs(1))).await.unwrap();
    assert!(store.get(&tombstone(1)).await.unwrap().is_none());
    assert!(store.get(&tombstone(2)).await.unwrap().is_some());
}
