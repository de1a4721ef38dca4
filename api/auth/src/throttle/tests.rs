//! The curve, the address limit and the bounds, on a held clock.

use base::ClockHand;

use super::*;

const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

fn throttle_with(change: impl FnOnce(&mut ThrottleSettings)) -> (Throttle, ClockHand) {
    let (clock, hand) = Clock::held(1_800_000_000);
    let mut settings = ThrottleSettings::default();
    change(&mut settings);
    (Throttle::new(settings, clock), hand)
}

fn throttle() -> (Throttle, ClockHand) {
    throttle_with(|_| {})
}

fn fail(throttle: &Throttle, name: &str) -> Result<Option<Locked>, Locked> {
    throttle.admit(Account::Nobody(name), HOME, None).map(Attempt::failed)
}

#[test]
fn p8_the_lock_doubles_from_failure_to_failure_up_to_a_day() {
    let (throttle, hand) = throttle_with(|settings| settings.address_failures = 1_000);
    for free in 0..30 {
        assert_eq!(fail(&throttle, "ann"), Ok(None), "{free}");
    }
    for expected in
        [5, 10, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 5_120, 10_240, 20_480, 40_960, 81_920, 86_400, 86_400]
    {
        let lock = fail(&throttle, "ann").unwrap().unwrap();
        assert_eq!(lock.retry_after.as_secs(), expected);
        assert_eq!(fail(&throttle, "ann"), Err(lock), "locked at once, and for exactly as long");
        hand.advance(Duration::from_secs(expected - 1));
        assert_eq!(throttle.admit(Account::Nobody("ann"), HOME, None).err().unwrap().retry_after.as_secs(), 1);
        hand.advance(Duration::from_secs(1));
    }
}

#[test]
fn p8_a_hundred_and_one_wrong_passwords_lock_the_name_and_no_other() {
    let (throttle, _hand) = throttle();
    let answers: Vec<bool> = (0..101).map(|_| fail(&throttle, "ann").is_ok()).collect();
    assert!(answers[..30].iter().all(|admitted| *admitted));
    assert!(!answers[100]);
    assert!(throttle.admit(Account::Nobody("ann"), HOME, None).is_err(), "the right password has to wait too");
    throttle.admit(Account::Nobody("bob"), HOME, None).unwrap().succeeded();
}

#[test]
fn p8_existing_and_unknown_names_have_the_same_curve() {
    let curve = |name: &str| {
        let (throttle, hand) = throttle();
        let mut curve = Vec::new();
        for _ in 0..200 {
            curve.push(fail(&throttle, name));
            hand.advance(Duration::from_millis(500));
        }
        curve
    };
    assert_eq!(curve("ann"), curve("nobody-at-all"));
}

#[test]
fn p8_success_forgets_the_failures_of_the_name() {
    let (throttle, _hand) = throttle();
    for _ in 0..9 {
        for _ in 0..30 {
            assert_eq!(fail(&throttle, "ann"), Ok(None));
        }
        throttle.admit(Account::Nobody("ann"), HOME, None).unwrap().succeeded();
    }
}

#[test]
fn p8_a_name_left_in_peace_for_a_day_starts_afresh() {
    let (throttle, hand) = throttle();
    for _ in 0..32 {
        let _ = fail(&throttle, "ann");
    }
    hand.advance(Duration::from_hours(24) + Duration::from_secs(5));
    assert_eq!(fail(&throttle, "ann"), Ok(None));
}

#[test]
fn p8_attempts_at_once_cannot_pass_a_hundred_failures() {
    let (throttle, _hand) = throttle();
    let at_once: Vec<_> = (0..500).map(|_| throttle.admit(Account::Nobody("ann"), HOME, None)).collect();
    assert_eq!(at_once.iter().filter(|attempt| attempt.is_ok()).count(), 100);
    for attempt in at_once.into_iter().flatten() {
        let _ = attempt.failed();
    }
    assert_eq!(throttle.admit(Account::Nobody("ann"), HOME, None).err().unwrap().retry_after, Duration::from_hours(24));
}

#[test]
fn sixty_four_good_sign_ins_at_once_are_all_admitted() {
    let (throttle, _hand) = throttle();
    let at_once: Vec<_> = (0..64).map(|_| throttle.admit(Account::Nobody("ann"), HOME, None).unwrap()).collect();
    at_once.into_iter().for_each(Attempt::succeeded);
    assert!(throttle.memory().names.is_empty());
}

#[test]
fn an_attempt_dropped_counts_neither_way() {
    let (throttle, _hand) = throttle();
    for _ in 0..30 {
        assert_eq!(fail(&throttle, "ann"), Ok(None));
    }
    for _ in 0..50 {
        drop(throttle.admit(Account::Nobody("ann"), HOME, None));
    }
    assert!(fail(&throttle, "ann").unwrap().is_some());
    for _ in 0..50 {
        drop(throttle.admit(Account::Nobody("bob"), HOME, None));
    }
    assert_eq!(throttle.memory().names.len(), 1);
}

#[test]
fn p9_an_address_is_limited_over_all_names_and_recovers_at_its_pace() {
    let (throttle, hand) = throttle();
    for name in 0..300 {
        assert_eq!(fail(&throttle, &format!("name-{name}")), Ok(None));
    }
    assert_eq!(throttle.admit(Account::Nobody("ann"), HOME, None).err().unwrap().retry_after.as_secs(), 2);
    assert!(throttle.admit_address(HOME).is_err());
    throttle.admit(Account::Nobody("ann"), "192.0.2.7".parse().unwrap(), None).unwrap().succeeded();
    hand.advance(Duration::from_secs(2));
    assert_eq!(fail(&throttle, "ann"), Ok(None));
    assert!(throttle.admit(Account::Nobody("ann"), HOME, None).is_err(), "one was forgiven, and one came");
    hand.advance(Duration::from_mins(20));
    for name in 0..300 {
        assert_eq!(fail(&throttle, &format!("later-{name}")), Ok(None));
    }
}

#[test]
fn p9_success_does_not_forgive_the_address() {
    let (throttle, _hand) = throttle_with(|settings| settings.address_failures = 3);
    for name in ["a", "b", "c"] {
        throttle.admit(Account::Nobody("own"), HOME, None).unwrap().succeeded();
        assert_eq!(fail(&throttle, name), Ok(None));
    }
    assert!(throttle.admit(Account::Nobody("own"), HOME, None).is_err());
}

#[test]
fn p9_an_ipv6_network_is_one_address_and_mapped_ipv4_is_ipv4() {
    let network_of = |text: &str| ClientNetwork::of(text.parse().unwrap());
    assert_eq!(network_of("2001:db8:1:2::1"), network_of("2001:db8:1:2:ffff::9"));
    assert_ne!(network_of("2001:db8:1:2::1"), network_of("2001:db8:1:3::1"));
    assert_eq!(network_of("::ffff:192.0.2.1"), network_of("192.0.2.1"));
    assert_ne!(network_of("192.0.2.1"), network_of("192.0.2.2"));
}

#[test]
fn memory_is_bounded_and_the_longest_locks_are_kept() {
    let (throttle, _hand) = throttle_with(|settings| {
        settings.remembered = 100;
        settings.address_failures = u32::MAX;
        settings.address_pace = Duration::from_nanos(1);
    });
    for _ in 0..35 {
        let _ = fail(&throttle, "ann");
    }
    for round in 0..10_000_u32 {
        let address = IpAddr::V4(round.into());
        let _ = throttle.admit(Account::Nobody(&format!("name-{round}")), address, None).unwrap().failed();
    }
    assert!(throttle.memory().names.len() <= 100);
    assert!(throttle.memory().addresses.len() <= 100);
    assert!(throttle.admit(Account::Nobody("ann"), HOME, None).is_err(), "others cannot wash a lock away");
}

#[test]
fn a_conformance_run_from_one_address_is_not_locked_out() {
    let (throttle, hand) = throttle();
    for case in 0..200 {
        for name in ["user", "admin"] {
            throttle.admit(Account::Nobody(name), HOME, None).unwrap().succeeded();
        }
        if case % 13 == 0 {
            for name in ["user", "inactive", "admin"] {
                assert_eq!(fail(&throttle, name), Ok(None), "case {case}");
            }
        }
        hand.advance(Duration::from_millis(50));
    }
}

#[test]
fn p8_a_device_that_signed_in_before_is_not_kept_out_by_strangers_guesses() {
    let (clock, _hand) = Clock::held(0);
    let throttle = Throttle::new(ThrottleSettings { free_failures: 2, ..ThrottleSettings::default() }, clock);
    let (ann, laptop, phone) =
        (Account::User(UserId::from_uuid(Uuid::from_u128(1))), Uuid::from_u128(2), Uuid::from_u128(3));
    for _ in 0..3 {
        let _ = throttle.admit(ann, HOME, None).unwrap().failed();
    }
    assert!(throttle.admit(ann, HOME, None).is_err());
    for _ in 0..3 {
        let _ = throttle.admit(ann, HOME, Some(laptop)).unwrap().failed();
    }
    assert!(throttle.admit(ann, HOME, Some(laptop)).is_err(), "a device has a lock of its own");
    throttle.admit(ann, HOME, Some(phone)).unwrap().succeeded();
    assert!(throttle.admit(ann, HOME, None).is_err(), "which forgives strangers nothing");
}

#[test]
fn p8_a_lock_is_taken_away_by_an_admin() {
    let (clock, _hand) = Clock::held(0);
    let throttle = Throttle::new(ThrottleSettings { free_failures: 2, ..ThrottleSettings::default() }, clock);
    let [ann, bob] = [1, 2].map(|number| Account::User(UserId::from_uuid(Uuid::from_u128(number))));
    for account in [ann, bob] {
        for _ in 0..3 {
            let _ = throttle.admit(account, HOME, None).unwrap().failed();
        }
    }
    throttle.unlock(ann);
    assert!(throttle.admit(ann, HOME, None).is_ok());
    assert!(throttle.admit(bob, HOME, None).is_err());
}
