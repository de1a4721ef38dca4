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
    for wrong in [json!(true), json!([]), json!({})] {
        assert_eq!(message(title(), &wrong), "Not a valid string.");
    }
    assert_eq!(message(title(), &json!(null)), "This field may not be null.");
    assert_eq!(message(title(), &json!("  ")), "This field may not be blank.");
    assert_eq!(message(title(), &json!("abcd")), "Ensure this field has no more than 3 characters.");
    assert_eq!(message(title(), &json!("a")), "Ensure this field has at least 2 characters.");
    assert_eq!(message(title(), &json!("a1")), "This value does not match the required pattern.");
    assert_eq!(message(title(), &json!("a\u{0}")), "Null characters are not allowed.");
    accepts(title(), json!("éa"), json!("éa"));
    accepts(title(), json!(" \u{3000}éaé\n"), json!("éaé"));
}

#[test]
fn text_is_kept_as_it_was_typed_between_its_ends() {
    let odd = "\u{202e}../../etc/passwd\tשלום 👩‍👩‍👧";
    accepts(json!({"name": "t", "type": "text"}), json!(format!(" {odd}\u{a0}")), json!(odd));
    let lines = json!(" a\n  b \n");
    accepts(json!({"name": "t", "type": "text", "multiline": true}), lines.clone(), lines);
}

#[test]
fn numbers_are_texts_by_the_digits_that_were_sent() {
    let field = field(json!({"name": "t", "type": "text"}));
    for (value, digits, text) in
        [(json!(3), None, "3"), (json!(1.1), Some("1.10"), "1.10"), (json!(1000.0), Some("1e3"), "1e3")]
    {
        assert_eq!(check(&field, Member { value: &value, text: digits }), Ok(json!(text)));
    }
    accepts(json!({"name": "c", "type": "choice", "choices": ["1", "1.5"]}), json!(1), json!("1"));
    accepts(json!({"name": "c", "type": "choice", "choices": ["1"], "many": true}), json!([1, "1"]), json!(["1"]));
    for kind in ["email", "url"] {
        assert!(message(json!({"name": "f", "type": kind}), &json!(3)).starts_with("Enter a valid"));
    }
}

#[test]
fn truth_has_the_words_of_django_rest_framework() {
    let good = || json!({"name": "g", "type": "boolean"});
    for (words, truth) in
        [("t T true TRUE True y Y yes YES on ON On 1 tRUE", true), ("f F false False n N no NO off OFF 0 oFF", false)]
    {
        for word in words.split(' ') {
            accepts(good(), json!(word), json!(truth));
        }
    }
    for (number, truth) in [(json!(1), true), (json!(1.0), true), (json!(0), false), (json!(0.0), false)] {
        accepts(good(), number, json!(truth));
    }
    for wrong in [json!(""), json!("null"), json!("2"), json!(2), json!([]), json!("ja")] {
        assert_eq!(message(good(), &wrong), "Must be a valid boolean.", "{wrong}");
    }
}

#[test]
fn an_empty_text_is_null_where_nothing_else_is_empty() {
    for kind in ["integer", "decimal", "boolean", "date", "datetime"] {
        let nullable = json!({"name": "f", "type": kind, "nullable": true});
        accepts(nullable, json!(""), Value::Null);
        assert!(check(&field(json!({"name": "f", "type": kind})), &json!("")).is_err(), "{kind}");
    }
    accepts(json!({"name": "f", "type": "choice", "choices": ["a"], "nullable": true}), json!(""), Value::Null);
    accepts(
        json!({"name": "f", "type": "choice", "choices": ["a"], "many": true, "nullable": true}),
        json!(""),
        Value::Null,
    );
    accepts(json!({"name": "f", "type": "reference", "collection": "c", "nullable": true}), json!(""), Value::Null);
    accepts(json!({"name": "f", "type": "boolean", "nullable": true}), json!("null"), Value::Null);
    for kind in ["text", "email", "url", "json"] {
        accepts(json!({"name": "f", "type": kind, "nullable": true}), json!(""), json!(""));
    }
}

#[test]
fn integers_are_exact_and_bounded() {
    let price = || json!({"name": "price", "type": "integer", "min": 0, "max": 10});
    let number = || json!({"name": "n", "type": "integer"});
    for wrong in [
        json!("x"),
        json!("3.5"),
        json!("0x10"),
        json!("1_000"),
        json!(""),
        json!(1.5),
        json!(true),
        json!([1]),
        json!({}),
    ] {
        assert_eq!(message(number(), &wrong), "A valid integer is required.", "{wrong}");
    }
    for (sent, kept) in [
        (json!("3"), 3),
        (json!(" +3 "), 3),
        (json!("-3.00"), -3),
        (json!(3.0), 3),
        (json!(1e3), 1000),
        (json!("1e3"), 1000),
        (json!(i64::MAX), i64::MAX),
        (json!(i64::MIN.to_string()), i64::MIN),
        (json!("9007199254740993"), 9_007_199_254_740_993),
    ] {
        accepts(number(), sent, json!(kept));
    }
    for large in [json!(u64::MAX), json!("9223372036854775808"), json!(1e30), json!("1e999999999999")] {
        assert_eq!(
            message(number(), &large),
            "Ensure this value is less than or equal to 9223372036854775807.",
            "{large}"
        );
    }
    assert_eq!(message(number(), &json!(-1e30)), "Ensure this value is greater than or equal to -9223372036854775808.");
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
        let told = if places == 0 {
            "Ensure that there are no more than 28 digits in total.".to_owned()
        } else {
            format!("Ensure that there are no more than {whole} digits before the decimal point.")
        };
        assert_eq!(message(amount(), &json!("1".repeat(whole + 1))), told);
    }
    let largest = serde_json::from_str("79228162514264337593543950335").unwrap_or(Value::Null);
    assert!(check(&field(json!({"name": "d", "type": "decimal"})), &largest).is_err(), "29 digits");
    assert_eq!(message(price(), &json!("1.505")), "Ensure that there are no more than 2 decimal places.");
    assert_eq!(message(price(), &json!("-1")), "Ensure this value is greater than or equal to 0.");
    assert_eq!(message(price(), &json!("1".repeat(29))), "Ensure that there are no more than 28 digits in total.");
    for wrong in ["", "abc", "NaN", "Infinity", "1_000", "--1", "1.2.3", ".", "1e", "٣"] {
        assert_eq!(message(price(), &json!(wrong)), "A valid number is required.", "{wrong}");
    }
    assert_eq!(message(price(), &json!(true)), "A valid number is required.");
    for (sent, kept) in
        [(".5", "0.50"), ("5.", "5.00"), ("+5", "5.00"), (" 5 ", "5.00"), ("5e1", "50.00"), ("500E-2", "5.00")]
    {
        accepts(price(), json!(sent), json!(kept));
    }
    let exact = || json!({"name": "d", "type": "decimal"});
    accepts(exact(), json!("1E-7"), json!("0.0000001"));
    accepts(exact(), json!("1E+27"), json!(format!("1{}", "0".repeat(27))));
    accepts(exact(), json!("0e999"), json!("0"));
    for large in ["1e28", "1e999999999999", "-1E400"] {
        assert_eq!(
            message(exact(), &json!(large)),
            "Ensure that there are no more than 28 digits in total.",
            "{large}"
        );
    }
    assert_eq!(message(price(), &json!("1e-999999999999")), "Ensure that there are no more than 2 decimal places.");
    let sent = Member { value: &json!(0.1), text: Some("0.1000000000000000055") };
    assert_eq!(check(&field(exact()), sent), Ok(json!("0.1000000000000000055")));
    assert!(
        is_canonical_decimal(&field(price()), &json!("1.50")) && !is_canonical_decimal(&field(price()), &json!("1.5"))
    );
    assert!(!is_canonical_decimal(&field(price()), &json!(format!("{}.00", "9".repeat(28)))));
}

#[test]
fn dates_and_moments_have_one_form() {
    accepts(json!({"name": "d", "type": "date"}), json!("2024-02-29"), json!("2024-02-29"));
    let told = message(json!({"name": "d", "type": "date"}), &json!("2023-02-29"));
    assert!(told.starts_with("Date has wrong format."), "{told}");
    let at = || json!({"name": "at", "type": "datetime"});
    accepts(at(), json!("2024-01-01T12:00:00+02:00"), json!("2024-01-01T10:00:00Z"));
    accepts(at(), json!("2024-01-01 12:00:00.250000Z"), json!("2024-01-01T12:00:00.250000Z"));
    for wrong in [json!("yesterday"), json!(1_704_110_400), json!(true)] {
        assert!(message(at(), &wrong).starts_with("Datetime has wrong format."), "{wrong}");
    }
    for beyond in ["0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "9999-12-31T23:59:59.99990-03"] {
        assert_eq!(message(at(), &json!(beyond)), "Datetime value out of range.", "{beyond}");
    }
}

#[test]
fn addresses_lose_nothing_but_the_spaces_around_them() {
    accepts(json!({"name": "e", "type": "email"}), json!(" A@B.co "), json!("A@B.co"));
    accepts(
        json!({"name": "u", "type": "url"}),
        json!("\thttp://localhost:8000/a?b#c"),
        json!("http://localhost:8000/a?b#c"),
    );
    assert_eq!(message(json!({"name": "e", "type": "email"}), &json!("a@b")), "Enter a valid email address.");
    for no_text in [json!(true), json!(3), json!([]), json!({"a": 1})] {
        assert_eq!(
            message(json!({"name": "e", "type": "email"}), &no_text),
            "Enter a valid email address.",
            "{no_text}"
        );
        assert_eq!(message(json!({"name": "u", "type": "url"}), &no_text), "Enter a valid URL.", "{no_text}");
    }
    assert_eq!(message(json!({"name": "u", "type": "url"}), &json!("http://..")), "Enter a valid URL.");
}

#[test]
fn choices_references_and_json() {
    let size = || json!({"name": "size", "type": "choice", "choices": ["s", "m"]});
    assert_eq!(message(size(), &json!("xl")), "\"xl\" is not a valid choice.");
    assert_eq!(message(size(), &json!({"a": true})), "\"{\"a\":true}\" is not a valid choice.");
    assert!(!message(size(), &json!("x\n\u{7}l")).contains(['\n', '\u{7}']));
    let sizes = || json!({"name": "sizes", "type": "choice", "choices": ["s", "m"], "many": true});
    accepts(sizes(), json!(["m", "s", "m"]), json!(["m", "s"]));
    assert_eq!(message(sizes(), &json!("s")), "Expected a list of items but got type \"str\".");
    let of = || json!({"name": "of", "type": "reference", "collection": "snacks"});
    for wrong in [json!(true), json!(7.5), json!({"id": 7})] {
        assert!(message(of(), &wrong).starts_with("Incorrect type. Expected pk value, received "), "{wrong}");
    }
    accepts(of(), json!(7.0), json!(7));
    assert!(message(of(), &json!(1_180_591_620_717_411_303_424.0)).ends_with("object does not exist."));
    let rating = || json!({"name": "rating", "type": "integer", "min": 1, "max": 5});
    for (beyond, told) in
        [("9223372036854775808", "less than or equal to 5"), ("-9223372036854775809", "greater than or equal to 1")]
    {
        assert_eq!(message(rating(), &json!(beyond)), format!("Ensure this value is {told}."));
    }
    for wrong in [json!(0), json!(-7), json!("007")] {
        let text = wrong.as_str().map_or_else(|| wrong.to_string(), str::to_owned);
        assert_eq!(message(of(), &wrong), format!("Invalid pk \"{text}\" - object does not exist."));
    }
    for seven in [json!(7), json!("7"), json!(" 7 ")] {
        accepts(of(), seven, 7);
    }
    let many = || json!({"name": "of", "type": "reference", "collection": "snacks", "many": true});
    accepts(many(), json!([7, "3", 7]), json!([7, 3]));
    accepts(many(), json!([]), json!([]));
    assert_eq!(message(many(), &json!(7)), "Expected a list of items but got type \"int\".");
    assert_eq!(message(many(), &json!([null])), "Incorrect type. Expected pk value, received NoneType.");
    assert_eq!(message(many(), &json!([7, "x"])), "Invalid pk \"x\" - object does not exist.");
    let many: Vec<i64> = (1..=1001).collect();
    let list = json!({"name": "of", "type": "reference", "collection": "snacks", "many": true, "required": true});
    assert_eq!(message(list.clone(), &json!(many)), "Ensure this field has no more than 1000 elements.");
    assert_eq!(message(list, &json!([])), "This list may not be empty.");
    assert_eq!(message(of(), &json!("x7")), "Invalid pk \"x7\" - object does not exist.");
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
