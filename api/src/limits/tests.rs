use std::{net::Ipv4Addr, thread, time::Duration};

use base::ClockHand;

use super::*;

fn limits(settings: &str) -> (Limits, ClockHand) {
    let (clock, hand) = Clock::held(1_800_000_000);
    (Limits::new(settings.parse().unwrap(), clock), hand)
}

fn address(text: &str) -> Payer {
    Payer::Address(text.parse().unwrap())
}

fn somebody() -> Payer {
    address("192.0.2.1")
}

fn take(limits: &Limits, payer: Payer) -> Allowance {
    limits.take(Class::Reads, payer).unwrap()
}

#[test]
fn a_burst_is_let_through_then_the_pace() {
    let (limits, hand) = limits("reads=10/5s");
    for left in (0..10).rev() {
        let allowance = take(&limits, somebody());
        assert_eq!((allowance.remaining, allowance.refused), (left, None));
    }
    let refused = take(&limits, somebody());
    assert_eq!((refused.remaining, refused.refused), (0, Some(Duration::from_millis(500))));
    assert_eq!(refused.reset, Duration::from_secs(5));
    // Being refused costs nothing: who keeps asking is not kept out for longer.
    for _ in 0..100 {
        assert_eq!(take(&limits, somebody()), refused);
    }
    hand.advance(Duration::from_millis(499));
    assert_eq!(take(&limits, somebody()).refused, Some(Duration::from_millis(1)));
    hand.advance(Duration::from_millis(1));
    assert_eq!(take(&limits, somebody()).refused, None);
    assert!(take(&limits, somebody()).refused.is_some());
    // A pause gives the burst back, and no more than that.
    hand.advance(Duration::from_hours(1));
    let let_through = (0..100).filter(|_| take(&limits, somebody()).refused.is_none()).count();
    assert_eq!(let_through, 10);
}

#[test]
fn of_many_at_once_exactly_as_many_are_let_through_as_there_are_left() {
    for quota in [1, 7, 1_000] {
        let (limits, _hand) = limits(&format!("reads={quota}/3s"));
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let limits = limits.clone();
                thread::spawn(move || (0..500).filter(|_| take(&limits, somebody()).refused.is_none()).count())
            })
            .collect();
        let let_through: usize = tasks.into_iter().map(|task| task.join().unwrap()).sum();
        assert_eq!(let_through, quota);
        let refused: u64 = limits.refused().map(|(_, _, count)| count).sum();
        assert_eq!(refused, 4_000 - quota as u64);
    }
}

#[test]
fn callers_and_classes_have_allowances_of_their_own() {
    let (limits, _hand) = limits("reads=1/s,writes=1/s,credentials=off");
    let id = Uuid::from_u128(7);
    for payer in [somebody(), address("192.0.2.2"), Payer::User(id), Payer::Session(id)] {
        for class in [Class::Reads, Class::Writes] {
            assert_eq!(limits.take(class, payer).unwrap().refused, None);
            assert!(limits.take(class, payer).unwrap().refused.is_some());
        }
        assert_eq!(limits.take(Class::Credentials, payer), None);
    }
    let counted: Vec<_> = limits.refused().filter(|(_, _, count)| *count > 0).collect();
    assert!(counted.contains(&("reads", "address", 2)) && counted.contains(&("writes", "session", 1)), "{counted:?}");
}

#[test]
fn an_ipv6_network_is_one_caller_and_mapped_ipv4_is_ipv4() {
    let (limits, _hand) = limits("reads=1/s");
    for (first, second) in [("2001:db8:0:1::1", "2001:db8:0:1:ffff::2"), ("192.0.2.9", "::ffff:192.0.2.9")] {
        assert_eq!(take(&limits, address(first)).refused, None);
        assert!(take(&limits, address(second)).refused.is_some());
    }
    assert_eq!(take(&limits, address("2001:db8:0:2::1")).refused, None);
}

#[test]
fn a_flood_of_addresses_takes_bounded_memory_and_frees_nobody_who_is_held_back() {
    let (limits, hand) = limits("reads=100/10s");
    let held_back = somebody();
    while take(&limits, held_back).refused.is_none() {}
    for n in 0..300_000 {
        take(&limits, Payer::Address(Ipv4Addr::from_bits(0x0a00_0000 + n).into()));
    }
    assert!(limits.remembered() <= 65_536, "{}", limits.remembered());
    assert!(take(&limits, held_back).refused.is_some());
    // A caller whose allowance is whole again is forgotten first.
    hand.advance(Duration::from_secs(1));
    for n in 0..300_000 {
        take(&limits, Payer::Address(Ipv4Addr::from_bits(0x0b00_0000 + n).into()));
    }
    assert!(limits.remembered() <= 65_536, "{}", limits.remembered());
    assert_eq!(take(&limits, held_back).remaining, 9, "the pace, and no new allowance");
}

#[test]
fn nothing_is_limited_unless_it_was_said() {
    for class in Class::ALL {
        assert_eq!(Limits::default().take(class, somebody()), None);
    }
}
