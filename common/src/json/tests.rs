//! What is JSON here and what is not.

use super::*;

#[test]
fn n6_numbers_in_any_form_are_read() {
    for good in [
        "0",
        "-0",
        "1.10",
        "0.1",
        "1e3",
        "9007199254740993",
        "-9223372036854775808",
        "18446744073709551615",
        "1.5e-7",
        "100.0",
        "12.917521550408111",
        "0.1000000000000000000001",
        "123456789012345678901234567890",
        "9.9E40",
        "5e-324",
        "1e-400",
    ] {
        assert_eq!(parse(good.as_bytes()).unwrap().to_text(), good);
    }
    assert!(parse(b"1e400").unwrap_err().to_string().contains("out of range"));
}

#[test]
fn n6_numbers_that_would_change_are_refused_where_nobody_keeps_their_digits() {
    for good in
        ["0", "1.10", "1e3", "9007199254740993", "12.917521550408111", "{\"a\":\"0.10000000000000001\",\"b\":1.0}"]
    {
        assert!(parse_value(good.as_bytes()).is_ok(), "{good}");
    }
    for bad in ["0.1000000000000000000001", "123456789012345678901234567890", "[9007199254740993.0]", "{\"a\":1e-400}"]
    {
        let told = parse_value(bad.as_bytes()).unwrap_err().to_string();
        assert!(told.contains("send fewer digits"), "{bad}: {told}");
    }
}

#[test]
fn every_shortest_form_of_a_double_is_one_value() {
    // A linear congruential generator (Knuth, MMIX) of bits, so every exponent.
    let mut bits = 1_u64;
    for _ in 0..20_000 {
        bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let double = f64::from_bits(bits);
        if !double.is_finite() {
            continue;
        }
        for text in [format!("{double:?}"), format!("{double:e}"), Value::from(double).to_string()] {
            assert_eq!(parse_value(text.as_bytes()).unwrap().as_f64(), Some(double), "{text}");
        }
    }
}

#[test]
fn n6_what_the_standard_does_not_allow_is_refused() {
    for bad in [
        "",
        "{bad",
        "NaN",
        "Infinity",
        "[1,]",
        "{\"a\":1,}",
        "01",
        "+1",
        ".5",
        "5.",
        "// c\n1",
        "\"\\ud800\"",
        "\u{feff}1",
        "1 2",
        "'a'",
        "{\"a\":1,\"a\":2}",
        "-",
    ] {
        let error = parse(bad.as_bytes()).expect_err(bad);
        assert!(error.to_string().starts_with("JSON parse error"), "{bad}: {error}");
    }
    assert!(parse(b"\"\xff\"").is_err());
}

#[test]
fn n6_depth_is_bounded() {
    let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
    assert!(parse(nested(MAX_DEPTH).as_bytes()).is_ok());
    assert!(parse(nested(MAX_DEPTH + 1).as_bytes()).is_err());
    assert!(parse(nested(100_000).as_bytes()).is_err());
}

#[test]
fn n6_members_and_values_are_bounded() {
    let object = |n: usize| format!("{{{}}}", (0..n).map(|n| format!("\"{n}\":0")).collect::<Vec<_>>().join(","));
    assert!(parse(object(MAX_MEMBERS).as_bytes()).is_ok());
    assert!(parse(object(MAX_MEMBERS + 1).as_bytes()).is_err());
    // The array is a value too. What is empty takes its place in memory all the same.
    let array = |n: usize| format!("[{}]", vec!["[]"; n].join(","));
    assert!(parse(array(MAX_VALUES - 1).as_bytes()).is_ok());
    assert!(parse(array(MAX_VALUES).as_bytes()).is_err());
}

#[test]
fn what_is_no_number_is_not_called_one() {
    let told = parse(b"[-Infinity]").unwrap_err().to_string();
    assert!(told.contains("invalid number"), "{told}");
}
