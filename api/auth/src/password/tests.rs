//! Hashes, comparisons and the pool under load and hang-ups.

use std::{
    future::{Future as _, poll_fn},
    task::Poll,
    time::{Duration, Instant},
};

use super::{
    compute::{MAX_MEMORY_KIB, MAX_PASSES},
    *,
};

fn hasher() -> Hasher {
    Hasher::new(
        HasherSettings { cost: Cost::default(), threads: 1, queue: 4, ..HasherSettings::default() },
        Peppers::default(),
        Entropy::system(),
    )
    .unwrap()
}

fn password(text: &str) -> Password {
    Password::new(text).unwrap()
}

fn with_params(params: &str) -> PasswordHash {
    let salt = "c29tZXNhbHRzb21lc2E";
    let hash = "RdescudvJCsgt3ub+b4dWRWJTmaaJObGzuSNGdmhkPQ";
    PasswordHash::from_stored(format!("{params}${salt}${hash}"))
}

#[tokio::test]
async fn p1_a_hash_is_argon2id_at_the_floor_with_a_salt_of_its_own() {
    let hasher = hasher();
    let first = hasher.hash(password("kelp vast ember quince")).await.unwrap();
    let second = hasher.hash(password("kelp vast ember quince")).await.unwrap();
    assert!(first.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", first.as_str());
    let salt = Phc::new(first.as_str()).unwrap().salt.unwrap();
    assert_eq!(salt.len(), SALT_BYTES);
    assert_ne!(first, second);
    for hash in [first, second] {
        assert_eq!(
            hasher.verify(Some(&hash), password("kelp vast ember quince")).await,
            Ok(Verdict::Right { rehash: false })
        );
        assert_eq!(hasher.verify(Some(&hash), password("kelp vast ember quincf")).await, Ok(Verdict::Wrong));
    }
}

#[test]
fn p1_parameters_below_the_floor_or_above_the_ceiling_are_refused() {
    let floor = Cost::default();
    for cost in [
        Cost { memory_kib: floor.memory_kib - 1, ..floor },
        Cost { passes: 1, ..floor },
        Cost { lanes: 0, ..floor },
        Cost { memory_kib: MAX_MEMORY_KIB + 1, ..floor },
        Cost { passes: MAX_PASSES + 1, ..floor },
    ] {
        let settings = HasherSettings { cost, threads: 1, queue: 1, ..HasherSettings::default() };
        assert!(
            matches!(Hasher::new(settings, Peppers::default(), Entropy::system()), Err(HasherError::Cost(refused)) if refused == cost)
        );
    }
}

#[tokio::test]
async fn p1_a_hash_of_another_cost_matches_and_asks_to_be_made_anew() {
    let weak = hasher().hash(password("kelp vast ember quince")).await.unwrap();
    let cost = Cost { passes: 3, ..Cost::default() };
    let stronger = Hasher::new(
        HasherSettings { cost, threads: 1, queue: 4, ..HasherSettings::default() },
        Peppers::default(),
        Entropy::system(),
    )
    .unwrap();
    let verdict = stronger.verify(Some(&weak), password("kelp vast ember quince")).await;
    assert_eq!(verdict, Ok(Verdict::Right { rehash: true }));
    let strong = stronger.hash(password("kelp vast ember quince")).await.unwrap();
    let verdict = hasher().verify(Some(&strong), password("kelp vast ember quince")).await;
    assert_eq!(verdict, Ok(Verdict::Right { rehash: true }), "a dearer one too");
    // As Django makes them: eight lanes over 100 MiB.
    let django = Cost { memory_kib: 102_400, passes: 2, lanes: 8 };
    let settings = HasherSettings { cost: django, threads: 1, queue: 4, ..HasherSettings::default() };
    let django = Hasher::new(settings, Peppers::default(), Entropy::system()).unwrap();
    let stored = django.hash(password("kelp vast ember quince")).await.unwrap();
    let verdict = hasher().verify(Some(&stored), password("kelp vast ember quince")).await;
    assert_eq!(verdict, Ok(Verdict::Right { rehash: true }));
}

#[tokio::test]
async fn p2_a_planted_hash_is_not_computed() {
    let hasher = hasher();
    for planted in [
        with_params("$argon2id$v=19$m=4194304,t=2,p=1"),
        with_params("$argon2id$v=19$m=19456,t=4000000000,p=1"),
        with_params("$argon2id$v=19$m=19456,t=2,p=1000"),
        with_params("$argon2i$v=19$m=19456,t=2,p=1"),
        with_params("$argon2id$v=16$m=19456,t=2,p=1"),
        PasswordHash::from_stored("$argon2id$v=19$m=19456,t=2,p=1".to_owned()),
        PasswordHash::from_stored("kelp vast ember quince".to_owned()),
        PasswordHash::from_stored(String::new()),
    ] {
        assert_eq!(hasher.verify(Some(&planted), password("kelp vast ember quince")).await, Ok(Verdict::Wrong));
    }
}

#[test]
fn p4_length_is_checked_before_anything_else_and_nothing_is_cut() {
    assert!(Password::new(&"x".repeat(1024)).is_ok());
    let begun = Instant::now();
    assert_eq!(Password::new(&"x".repeat(1_000_000)).unwrap_err(), PasswordTooLong);
    assert!(begun.elapsed() < Duration::from_millis(50));
}

#[tokio::test]
async fn p4_every_byte_counts() {
    let hasher = hasher();
    let long = "x".repeat(72);
    let hash = hasher.hash(password(&long)).await.unwrap();
    assert_eq!(hasher.verify(Some(&hash), password(&format!("{long}y"))).await, Ok(Verdict::Wrong));
    let nul = hasher.hash(password("before\u{0}after")).await.unwrap();
    assert_eq!(hasher.verify(Some(&nul), password("before")).await, Ok(Verdict::Wrong));
    assert_eq!(hasher.verify(Some(&nul), password("before\u{0}after")).await, Ok(Verdict::Right { rehash: false }));
    let spaced = hasher.hash(password(" Kelp ")).await.unwrap();
    for other in ["Kelp", " kelp ", " Kelp"] {
        assert_eq!(hasher.verify(Some(&spaced), password(other)).await, Ok(Verdict::Wrong), "{other:?}");
    }
}

#[tokio::test]
async fn p4_the_same_text_from_another_keyboard_matches() {
    let hasher = hasher();
    let hash = hasher.hash(password("caf\u{e9}")).await.unwrap();
    assert_eq!(hasher.verify(Some(&hash), password("cafe\u{301}")).await, Ok(Verdict::Right { rehash: false }));
}

#[tokio::test]
async fn p6_an_unknown_user_costs_one_comparison_and_never_matches() {
    let hasher = hasher();
    let dummy = Phc::new(hasher.dummy.as_str()).unwrap();
    assert_eq!(Params::try_from(&dummy).unwrap().m_cost(), hasher.params.m_cost());
    assert_eq!(Params::try_from(&dummy).unwrap().t_cost(), hasher.params.t_cost());
    // Nobody has its password, and even who had would not get in.
    for text in ["", "kelp vast ember quince"] {
        assert_eq!(hasher.verify(None, password(text)).await, Ok(Verdict::Wrong));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p10_a_full_queue_says_busy_at_once_and_recovers() {
    let hasher = hasher();
    let all: Vec<_> = (0..20)
        .map(|_| {
            let hasher = hasher.clone();
            tokio::spawn(async move { hasher.verify(None, password("x")).await })
        })
        .collect();
    let mut answers = Vec::new();
    for one in all {
        answers.push(one.await.unwrap());
    }
    let busy = answers.iter().filter(|answer| matches!(answer, Err(HashError::Busy))).count();
    assert!(busy > 0, "one thread and a queue of four took twenty at once");
    assert!(busy < 20);
    assert_eq!(hasher.verify(None, password("x")).await, Ok(Verdict::Wrong));
}

#[tokio::test]
async fn p10_clients_that_hang_up_leak_no_room() {
    let hasher = hasher();
    for _ in 0..50 {
        let mut attempt = Box::pin(hasher.verify(None, password("x")));
        // Polled once, so that the work is queued, and then dropped as a server drops a request whose client has gone.
        let _ = poll_fn(|context| Poll::Ready(attempt.as_mut().poll(context))).await;
        drop(attempt);
    }
    // Whatever is queued is skipped or finishes; then there is room for all again.
    loop {
        match hasher.verify(None, password("x")).await {
            Err(HashError::Busy) => tokio::task::yield_now().await,
            answer => break assert_eq!(answer, Ok(Verdict::Wrong)),
        }
    }
    let (a, b, c) = tokio::join!(
        hasher.verify(None, password("x")),
        hasher.verify(None, password("x")),
        hasher.verify(None, password("x")),
    );
    assert_eq!([a, b, c], [Ok(Verdict::Wrong); 3]);
}

#[tokio::test]
async fn l5_nothing_prints_a_password_or_a_hash() {
    let hash = hasher().hash(password("kelp vast ember quince")).await.unwrap();
    let shown = format!("{:?} {hash:?} {:?}", password("kelp vast ember quince"), Password::new(&"x".repeat(2000)));
    assert!(!shown.contains("kelp") && !shown.contains("argon2") && !shown.contains("xx"), "{shown}");
}
