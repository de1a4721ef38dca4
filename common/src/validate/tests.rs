//! Each type's messages and canonical forms.

use serde_json::json;

use super::*;

fn field(definition: Value) -> Field {
    serde_json::from_value(definition).unwrap()
}

fn message(definition: Value, value: &Value) -> String {
    check(&field(definition), value).expect_err("should be refused")[0].message.clone()
}

#[track_caller]
fn accepts(definition: Value, value: impl Into<Value>, canonical: impl Into<Value>) {
    assert_eq!(check(&field(definition), &value.into()).unwrap(), canonical.into());
}

#[test]
fn text_has_drfs_messages() {
    let title = || json!({"name": "title", "type": "text", "required": true, "max_length": 3, "min_length": 2, "pattern": "[a-zé]+"});
    assert_eq!(message(title(), &json!(3)), "Not a valid string.");
    assert_eq!(message(title(), &json!(null)), "This field may not be null.");
    assert_eq!(message(title(), &json!("  ")), "This field may not be blank.");
    assert_eq!(message(title(), &json!("abcd")), "Ensure this field has no more than 3 characters.");
    assert_eq!(message(title(), &json!("a")), "Ensure this field has at least 2 characters.");
    assert_eq!(message(title(), &json!("a1")), "This value does not match the required pattern.");
    assert_eq!(message(title(), &json!("a\u{0}")), "Null characters are not allowed.");
    accepts(title(), json!("éa"), json!("éa"));
}

#[test]
fn text_is_kept_as_it_was_typed() {
    let odd = " \u{202e}../../etc/passwd\tשלום 👩‍👩‍👧 ";
    accepts(json!({"name": "t", "type": "text"}), json!(odd), json!(odd));
}

#[test]
fn integers_are_exact_and_bounded() {
    let price = || json!({"name": "price", "type": "integer", "min": 0, "max": 10});
    for wrong in [json!("3"), json!(1.5), json!(true), json!([1]), json!(9_007_199_254_740_993_i64)] {
        assert_eq!(message(json!({"name": "n", "type": "integer"}), &wrong), "A valid integer is required.");
    }
    assert_eq!(message(price(), &json!(-1)), "Ensure this value is greater than or equal to 0.");
    assert_eq!(message(price(), &json!(11)), "Ensure this value is less than or equal to 10.");
}

#[test]
fn decimals_keep_their_digits() {
    let price = || json!({"name": "price", "type": "decimal", "places": 2, "min": "0", "max": "99.5"});
    accepts(price(), json!("1.5"), json!("1.50"));
    accepts(price(), json!(3), json!("3.00"));
    accepts(price(), json!("1.500"), json!("1.50"));
    accepts(
        json!({"name": "d", "type": "decimal"}),
        json!("1234567890123456789.123456789"),
        json!("1234567890123456789.123456789"),
    );
    accepts(json!({"name": "d", "type": "decimal"}), json!("-0.0"), json!("0"));
    for places in 0..=28_u32 {
        let amount = || json!({"name": "d", "type": "decimal", "places": places});
        let whole = 28 - places as usize;
        let fits = if whole == 0 { "0.5".to_owned() } else { "9".repeat(whole) };
        let stored = check(&field(amount()), &json!(fits)).unwrap();
        accepts(amount(), stored.clone(), stored);
        assert_eq!(
            message(amount(), &json!("1".repeat(whole + 1))),
            "Ensure that there are no more than 28 digits in total."
        );
    }
    let largest = serde_json::from_str("79228162514264337593543950335").unwrap_or(Value::Null);
    assert!(check(&field(json!({"name": "d", "type": "decimal"})), &largest).is_err(), "29 digits");
    assert_eq!(message(price(), &json!("1.505")), "Ensure that there are no more than 2 decimal places.");
    assert_eq!(message(price(), &json!("-1")), "Ensure this value is greater than or equal to 0.");
    assert_eq!(message(price(), &json!("1".repeat(29))), "Ensure that there are no more than 28 digits in total.");
    for wrong in ["", "abc", "1e3", "1.", ".5", "+1", "NaN", "1_000", "--1", "1.2.3"] {
        assert_eq!(message(price(), &json!(wrong)), "A valid number is required.", "{wrong}");
    }
}

#[test]
fn dates_and_moments_have_one_form() {
    accepts(json!({"name": "d", "type": "date"}), json!("2024-02-29"), json!("2024-02-29"));
    for wrong in ["2023-02-29", "24-1-1", "2024-02-29T00:00:00Z", "+2024-01-01", ""] {
        assert!(
            message(json!({"name": "d", "type": "date"}), &json!(wrong)).starts_with("Date has wrong format."),
            "{wrong}"
        );
    }
    let at = || json!({"name": "at", "type": "datetime"});
    accepts(at(), json!("2024-01-01T12:00:00+02:00"), json!("2024-01-01T10:00:00Z"));
    accepts(at(), json!("2024-01-01T12:00"), json!("2024-01-01T12:00:00Z"));
    accepts(at(), json!("2024-01-01 12:00:00.250000Z"), json!("2024-01-01T12:00:00.25Z"));
    for wrong in [
        "2024-01-01",
        "yesterday",
        "2024-13-01T00:00Z",
        "9999-12-31T23:59:59-23:00",
        "2024-01-01T00:00:00.0000001Z",
        "é",
        "2024-01-01Té",
    ] {
        assert!(message(at(), &json!(wrong)).starts_with("Datetime has wrong format."), "{wrong}");
    }
}

#[test]
fn addresses_are_checked_without_being_changed() {
    for good in ["a@b.co", "first.last+tag@sub.example.org", "zoë@exämple.org"] {
        accepts(json!({"name": "e", "type": "email"}), json!(good), json!(good));
    }
    for wrong in ["a", "a@b", "@b.co", "a b@c.de", "a..b@c.de", "a@-b.co", "a@b..co"] {
        assert_eq!(
            message(json!({"name": "e", "type": "email"}), &json!(wrong)),
            "Enter a valid email address.",
            "{wrong}"
        );
    }
    for good in ["http://localhost:8000/a?b#c", "https://user@example.org", "ftp://[::1]/x"] {
        accepts(json!({"name": "u", "type": "url"}), json!(good), json!(good));
    }
    for wrong in ["example.org", "javascript:alert(1)", "http://", "http://a b", "http://x:99999/", "javascript://x"] {
        assert_eq!(message(json!({"name": "u", "type": "url"}), &json!(wrong)), "Enter a valid URL.", "{wrong}");
    }
}

#[test]
fn choices_references_and_json() {
    let size = || json!({"name": "size", "type": "choice", "choices": ["s", "m"]});
    assert_eq!(message(size(), &json!("xl")), "\"xl\" is not a valid choice.");
    let sizes = || json!({"name": "sizes", "type": "choice", "choices": ["s", "m"], "many": true});
    accepts(sizes(), json!(["m", "s", "m"]), json!(["m", "s"]));
    assert_eq!(message(sizes(), &json!("s")), "Expected a list of items but got type \"str\".");
    let of = || json!({"name": "of", "type": "reference", "collection": "snacks"});
    assert_eq!(message(of(), &json!(7)), "Incorrect type. Expected pk value, received int.");
    assert_eq!(message(of(), &json!("7")), "Invalid pk \"7\" - object does not exist.");
    assert_eq!(
        message(json!({"name": "j", "type": "json", "max_bytes": 3}), &json!([1, 2])),
        "Ensure this value takes no more than 3 bytes as JSON."
    );
}

#[test]
fn d5_a_pattern_takes_time_in_proportion_to_the_text_or_is_refused() {
    let long = "a".repeat(100_000);
    for evil in ["(a+)+", "(a|a)*", "(a|aa)+", "(.*)(.*)(.*)(.*)x", "([a-z]+)*b", "(x+x+)+y"] {
        let regex = compile(evil, None).unwrap();
        assert!(!regex.is_match(&format!("{long}!")), "{evil}");
    }
    // Repetitions of repetitions are a long pattern, and the longer the text may be, the shorter it has to be.
    assert!(compile("(a{1,100}){1,100}", None).is_none() && compile("(a{1,100}){1,100}", Some(5)).is_none());
    assert!(compile("[a-z]{1,500}", None).is_none() && compile("[a-z]{1,500}", Some(500)).is_some());
    assert!(compile(&"(".repeat(1000), None).is_none());
    // What people write is far below.
    for usual in [
        r"[A-Z]{2}-\d{4,6}",
        r"[\w.+-]+@[\w-]+(\.[\w-]+)+",
        r"(?i)[a-f0-9]{64}",
        r"(red|green|blue)( (red|green|blue))*",
    ] {
        assert!(compile(usual, None).is_some(), "{usual}");
    }
    assert!(compile("(?x) a # not the end", None).is_none(), "a pattern is read as it will be used");
}
