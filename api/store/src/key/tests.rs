//! Keys keep the order of their values, come apart again, and never run into each other.

use std::cmp::Ordering;

use proptest::prelude::*;

use super::*;

/// An element with the place of its type in the order.
fn element() -> impl Strategy<Value = Element> {
    // Zeros and the largest bytes are what an encoding stumbles over.
    let awkward = prop::collection::vec(prop::sample::select(vec![0, 1, 0x30, 0x7f, 0xff]), 0..6);
    let text = prop_oneof![any::<String>(), "[\\x00-\\x02a]{0,5}"];
    prop_oneof![
        Just(Element::Null),
        any::<bool>().prop_map(Element::Bool),
        prop_oneof![any::<i64>(), -3..3_i64, -70000..70000_i64, prop::sample::select(vec![i64::MIN, i64::MAX])]
            .prop_map(Element::Int),
        any::<i64>().prop_map(Element::LongInt),
        decimal().prop_map(Element::Decimal),
        text.prop_map(Element::Text),
        prop_oneof![any::<Vec<u8>>(), awkward].prop_map(Element::Bytes),
        any::<u128>().prop_map(|id| Element::Uuid(Uuid::from_u128(id))),
    ]
}

fn decimal() -> impl Strategy<Value = Decimal> {
    let largest = 79_228_162_514_264_337_593_543_950_335_i128;
    let mantissa = prop_oneof![-largest..=largest, -1000..1000_i128, Just(largest)];
    (mantissa, 0..=28_u32).prop_map(|(m, scale)| Decimal::from_i128_with_scale(m, scale))
}

fn key(space: &'static str, elements: &[Element]) -> Key {
    elements.iter().fold(Key::space(space), Key::element)
}

fn place(element: &Element) -> u8 {
    match element {
        Element::Null => 0,
        Element::Bool(false) => 1,
        Element::Bool(true) => 2,
        Element::LongInt(_) => 3,
        Element::Decimal(_) => 4,
        Element::Text(_) => 5,
        Element::Bytes(_) => 6,
        Element::Uuid(_) => 7,
        Element::Int(_) => 8,
        Element::Descending(_) => 9,
    }
}

fn order(a: &Element, b: &Element) -> Ordering {
    match (a, b) {
        (Element::Int(a), Element::Int(b)) | (Element::LongInt(a), Element::LongInt(b)) => a.cmp(b),
        (Element::Decimal(a), Element::Decimal(b)) => a.cmp(b),
        (Element::Text(a), Element::Text(b)) => a.as_bytes().cmp(b.as_bytes()),
        (Element::Bytes(a), Element::Bytes(b)) => a.cmp(b),
        (Element::Uuid(a), Element::Uuid(b)) => a.cmp(b),
        _ => place(a).cmp(&place(b)),
    }
}

fn order_all(a: &[Element], b: &[Element]) -> Ordering {
    let differing = a.iter().zip(b).map(|(a, b)| order(a, b)).find(|order| order.is_ne());
    differing.unwrap_or_else(|| a.len().cmp(&b.len()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn keys_sort_like_their_values(
        a in prop::collection::vec(element(), 0..4),
        b in prop::collection::vec(element(), 0..4),
    ) {
        prop_assert_eq!(key("s", &a).cmp(&key("s", &b)), order_all(&a, &b));
    }

    #[test]
    fn neighbouring_decimals_and_texts_sort_too(a in decimal(), b in decimal(), s in "[\\x00a]{0,3}", t in "[\\x00a]{0,3}") {
        prop_assert_eq!(Key::space("s").decimal(a).cmp(&Key::space("s").decimal(b)), a.cmp(&b));
        let (left, right) = (Key::space("s").text(&s).int(0), Key::space("s").text(&t).int(0));
        prop_assert_eq!(left.cmp(&right), s.cmp(&t));
    }

    #[test]
    fn keys_come_apart_again(elements in prop::collection::vec(element(), 0..6)) {
        let key = key("space", &elements);
        let mut found = key.elements();
        prop_assert_eq!(found.space(), Ok("space"));
        prop_assert_eq!(found.collect::<Result<Vec<_>, _>>(), Ok(elements));
    }

    #[test]
    fn d3_a_prefix_has_exactly_its_children(
        prefix in prop::collection::vec(element(), 0..3),
        other in prop::collection::vec(element(), 0..5),
    ) {
        let (parent, key) = (key("s", &prefix), key("s", &other));
        let is_child = other.len() >= prefix.len() && order_all(&other[..prefix.len()], &prefix).is_eq();
        prop_assert_eq!(key.starts_with(&parent), is_child);
        prop_assert_eq!(parent <= key && key < parent.after_children(), is_child);
    }

    #[test]
    fn bytes_that_are_no_key_are_refused_and_never_panic(bytes in any::<Vec<u8>>()) {
        let key = Key::from_encoded(bytes);
        let mut elements = key.elements();
        if elements.space().is_ok() {
            let _ = elements.count();
        }
        let _ = format!("{key:?}");
    }
}

#[test]
fn d3_a_name_cannot_reach_into_another_space() {
    let intruder = Key::space("a").text("x\0records\0");
    assert!(!intruder.starts_with(&Key::space("records")));
    assert!(!Key::space("records").text("b\0").starts_with(&Key::space("records").text("b")));
    assert!(!Key::space("record").starts_with(&Key::space("records")));
    assert!(!Key::space("records").starts_with(&Key::space("record")));
}

#[test]
fn equal_decimals_make_one_key() {
    let key = |text: &str| Key::space("s").decimal(text.parse().expect("a decimal"));
    assert_eq!(key("1.0"), key("1.00"));
    assert_eq!(key("100"), key("100.0"));
    assert_eq!(key("0"), key("-0.00"));
    assert!(key("-10") < key("-9.99") && key("-0.1") < key("0") && key("9.99") < key("10"));
}

#[test]
fn long_texts_make_keys_that_fit_and_differ() {
    let key = |text: &str| Key::space("unique").uuid(Uuid::nil()).text(&"f".repeat(63)).long_text(text);
    let long = "é\0".repeat(5000);
    assert!(key(&long).as_bytes().len() <= Key::MAX_BYTES);
    assert_ne!(key(&long), key(&format!("{long}x")), "beginnings are equal, texts are not");
    assert!(key(&format!("a{long}")) < key(&format!("b{long}")));
    assert_eq!(key("short"), Key::space("unique").uuid(Uuid::nil()).text(&"f".repeat(63)).text("short"));
}

proptest! {
    #[test]
    fn descending_elements_sort_the_other_way_round_and_come_apart(
        a in element(), b in element(), next in element(), other in element(),
    ) {
        let make = |value: &Element, next: &Element| Key::space("k").descending(|key| key.element(value)).element(next);
        let (first, second) = (make(&a, &next), make(&b, &other));
        if a != b {
            prop_assert_eq!(first.cmp(&second), order(&b, &a), "{:?} {:?}", a, b);
        }
        let mut elements = first.elements();
        elements.space().unwrap();
        prop_assert_eq!(elements.element(), Ok(Element::Descending(Box::new(a))));
        prop_assert_eq!(elements.element(), Ok(next));
    }

    #[test]
    fn a_cut_lies_between_the_same_values_whichever_way_they_sort(
        at in element(), value in element(), next in element(), beginning in "[\\x00a]{0,3}", text in "[\\x00ab]{0,4}",
    ) {
        let cuts = [
            (Cut::start(), true),
            (Cut::end(), false),
            (Cut::before(|key| key.element(&at)), order(&value, &at).is_ge()),
            (Cut::after(|key| key.element(&at)), order(&value, &at).is_gt()),
        ];
        let texts = Element::Text(text.clone());
        let beyond = text.as_str() > beginning.as_str() && !text.starts_with(&beginning);
        let after_texts = (Cut::after_texts(&beginning), beyond);
        let cuts = cuts.into_iter().map(|(cut, is_beyond)| (cut, is_beyond, &value));
        for (cut, is_beyond, value) in cuts.chain([(after_texts.0, after_texts.1, &texts)]) {
            let key = Key::space("k").element(value).element(&next);
            prop_assert_eq!(key >= cut.place(Key::space("k"), false), is_beyond, "{:?} {:?}", cut, value);
            let key = Key::space("k").descending(|key| key.element(value)).element(&next);
            prop_assert_eq!(key < cut.place(Key::space("k"), true), is_beyond, "{:?} {:?} the other way", cut, value);
        }
    }
}
