use serde_json::json;

use super::*;
use crate::collection::read_field;

fn carried(from: Value, to: Value, convert: Value, value: &Value) -> Result<Value, String> {
    let named = |mut field: Value| {
        field["name"] = json!("f");
        read_field(field).unwrap()
    };
    let convert = if convert.is_null() { Conversion::default() } else { Conversion::read(convert).unwrap() };
    carry_over(&named(from).kind, &named(to), &convert, value.into())
        .map(|value| value.into_parts().0)
        .map_err(|errors| errors[0].code.to_string())
}

#[test]
fn what_loses_nothing_happens_by_itself() {
    for (from, to, value, wanted) in [
        (json!({"type": "integer"}), json!({"type": "text"}), json!(3), json!("3")),
        (json!({"type": "integer"}), json!({"type": "decimal", "places": 2}), json!(3), json!("3.00")),
        (json!({"type": "decimal"}), json!({"type": "integer"}), json!("3.00"), json!(3)),
        (json!({"type": "decimal"}), json!({"type": "decimal", "places": 1}), json!("1.50"), json!("1.5")),
        (json!({"type": "decimal"}), json!({"type": "text"}), json!("1.50"), json!("1.50")),
        (json!({"type": "date"}), json!({"type": "datetime"}), json!("2024-02-29"), json!("2024-02-29T00:00:00Z")),
        (
            json!({"type": "choice", "choices": ["a"]}),
            json!({"type": "choice", "choices": ["a"], "many": true}),
            json!("a"),
            json!(["a"]),
        ),
        (
            json!({"type": "choice", "choices": ["a"], "many": true}),
            json!({"type": "choice", "choices": ["a"]}),
            json!(["a"]),
            json!("a"),
        ),
        (json!({"type": "text"}), json!({"type": "json"}), json!("a"), json!("a")),
        (json!({"type": "text"}), json!({"type": "integer"}), json!("-12"), json!(-12)),
        (json!({"type": "text"}), json!({"type": "integer", "nullable": true}), json!(""), json!(null)),
        (json!({"type": "text"}), json!({"type": "decimal", "places": 2}), json!("1.5"), json!("1.50")),
        (json!({"type": "boolean"}), json!({"type": "text"}), json!(true), json!("true")),
    ] {
        assert_eq!(carried(from, to, Value::Null, &value), Ok(wanted), "{value}");
    }
}

#[test]
fn what_would_lose_something_does_not_fit_unless_it_is_asked_for() {
    let text = || json!({"type": "text"});
    let integer = || json!({"type": "integer", "required": true});
    for value in ["007", " 7", "7.0", "+7", "1e3", "", "x"] {
        assert!(carried(text(), integer(), Value::Null, &json!(value)).is_err(), "{value}");
    }
    assert!(carried(text(), json!({"type": "decimal"}), Value::Null, &json!("01.5")).is_err());
    assert!(carried(json!({"type": "decimal"}), integer(), Value::Null, &json!("1.5")).is_err());
    assert!(carried(integer(), integer(), Value::Null, &Value::Null).is_err(), "null is no 0");
    assert!(
        carried(
            json!({"type": "choice", "choices": ["a", "b"], "many": true}),
            json!({"type": "choice", "choices": ["a", "b"]}),
            Value::Null,
            &json!(["a", "b"])
        )
        .is_err()
    );
    for (convert, value, wanted) in [
        (json!("number"), json!("007"), json!(7)),
        (json!({"number": "point"}), json!("1,234"), json!(1234)),
        (json!({"number": "comma"}), json!("1.234.567"), json!(1_234_567)),
        (json!(["number", {"default": 0}]), json!("many"), json!(0)),
        (json!({"default": 5}), Value::Null, json!(5)),
        (json!({"default": 5}), json!("7"), json!(7)),
        (json!({"map": {"one": 1}}), json!("one"), json!(1)),
        (json!(["trim", "lower", {"map": {"one": 1}}]), json!(" ONE "), json!(1)),
    ] {
        assert_eq!(carried(text(), integer(), convert, &value), Ok(wanted), "{value}");
    }
    let nullable = || json!({"type": "integer", "nullable": true});
    assert_eq!(carried(text(), nullable(), json!("null"), &json!("x")), Ok(Value::Null));
    let decimal = || json!({"type": "decimal", "places": 2});
    for (mark, value, wanted) in [
        ("comma", "1.234,50", Some("1234.50")),
        ("point", "1,234.50", Some("1234.50")),
        ("comma", "12,5", Some("12.50")),
        ("point", "12,5", None),
        ("point", "1234,50", None),
        // A fraction that is too long is not rounded by itself.
        ("comma", "0,125", None),
    ] {
        let read = carried(text(), decimal(), json!({"number": mark}), &json!(value));
        assert_eq!(read.ok(), wanted.map(|wanted| json!(wanted)), "{value}");
    }
    let rounded = carried(text(), decimal(), json!([{"number": "comma"}, "round"]), &json!("-0,125"));
    assert_eq!(rounded, Ok(json!("-0.13")));
    let days = json!({"date": "DD.MM.YYYY"});
    assert_eq!(carried(text(), json!({"type": "date"}), days.clone(), &json!("3.4.2024")), Ok(json!("2024-04-03")));
    assert!(carried(text(), json!({"type": "date"}), days, &json!("31.2.2024")).is_err());
    let moments = json!({"date": "YYYY/MM/DD hh:mm"});
    let read = carried(text(), json!({"type": "datetime"}), moments, &json!("2024/02/29 7:05"));
    assert_eq!(read, Ok(json!("2024-02-29T07:05:00Z")));
}

#[test]
fn a_conversion_is_a_step_or_a_list_of_them() {
    for fine in [
        json!("trim"),
        json!(["trim", "lower"]),
        json!({"default": null}),
        json!({"date": "YYYY-MM-DD"}),
        json!(["date", "number", "round", "boolean", "text", "first"]),
        json!({"number": "comma"}),
    ] {
        let read = Conversion::read(fine.clone()).unwrap();
        let steps = if fine.is_array() { fine } else { json!([fine]) };
        assert_eq!(serde_json::to_value(&read).unwrap(), steps);
    }
    for wrong in [
        json!("cut"),
        json!(3),
        json!({"date": "YY"}),
        json!({"date": "DD.MM.YYYY DD"}),
        json!({"map": 3}),
        json!({"trim": 1}),
        json!({"number": "semicolon"}),
        json!("map"),
    ] {
        assert!(Conversion::read(wrong.clone()).is_err(), "{wrong}");
    }
}

#[test]
fn numbers_of_a_field_are_read_in_one_way() {
    let decimal = FieldType::Decimal { min: None, max: None, places: None };
    let integer = FieldType::Integer { min: None, max: None };
    let convert = Conversion::read(json!(["trim", "number"])).unwrap();
    assert!(convert.asks_for_mark() && !convert.clone().with_mark(Mark::Comma).asks_for_mark());
    for (to, values, wanted) in [
        (&decimal, vec!["7", "1 000", "007", ""], Some(Mark::Point)),
        (&decimal, vec!["1,234", "1.5"], Some(Mark::Point)),
        (&decimal, vec!["1,234", "1,5"], Some(Mark::Comma)),
        (&decimal, vec!["1,234"], None),
        (&decimal, vec!["1.234", "12.345"], None),
        (&decimal, vec!["1,5", "1.5"], None),
        (&decimal, vec!["1,234,567", "1.5"], Some(Mark::Point)),
        (&decimal, vec![" 0,125 ", "dear"], Some(Mark::Comma)),
        // A whole number has no fraction.
        (&integer, vec!["1,234"], Some(Mark::Point)),
        (&integer, vec!["1.234", "2"], Some(Mark::Comma)),
        (&integer, vec!["1.234", "1,234"], None),
    ] {
        let mut notation = Notation::default();
        for value in &values {
            convert.note(to, &json!(value), &mut notation);
        }
        assert_eq!(notation.mark(), wanted, "{values:?}");
    }
    // As long as nobody has decided, what could be two numbers is none, whatever stands in for what does not fit.
    let to = || json!({"type": "decimal", "nullable": true});
    for value in ["1,234", "1.5", "12,5"] {
        let refused = carried(json!({"type": "text"}), to(), json!(["number", "null"]), &json!(value));
        assert_eq!(refused, Err("invalid".to_owned()), "{value}");
    }
    assert_eq!(carried(json!({"type": "text"}), to(), json!(["number", "null"]), &json!("x")), Ok(Value::Null));
}

/// A field of each type, and values of it. A choice and a reference can have one or many.
fn kinds() -> Vec<(Value, Vec<Value>)> {
    let ids = ["0190b2b4-0000-7000-8000-000000000001", "0190b2b4-0000-7000-8000-000000000002"];
    let choices = ["a", "b", "true", "2024-02-29"];
    vec![
        (
            json!({"type": "text"}),
            [
                "a",
                "",
                "7",
                "007",
                "1.5",
                "1.50",
                "true",
                "yes",
                "2024-02-29",
                "20240229",
                "2024-02-29T12:00:00Z",
                "2024-02-29T12:00:00+02:00",
                "x@example.org",
                "https://example.org/",
                ids[0],
            ]
            .map(Value::from)
            .to_vec(),
        ),
        (json!({"type": "integer"}), vec![json!(0), json!(1), json!(-7)]),
        (json!({"type": "decimal"}), vec![json!("1.5"), json!("3"), json!("3.00"), json!("1"), json!("1.125")]),
        (json!({"type": "decimal", "places": 2}), vec![json!("1.50"), json!("3.00")]),
        (json!({"type": "boolean"}), vec![json!(true), json!(false)]),
        (json!({"type": "date"}), vec![json!("2024-02-29")]),
        (json!({"type": "datetime"}), vec![json!("2024-02-29T00:00:00Z"), json!("2024-02-29T12:30:00.250000Z")]),
        (json!({"type": "email"}), vec![json!("x@example.org"), json!("")]),
        (json!({"type": "url"}), vec![json!("https://example.org/"), json!("")]),
        (json!({"type": "choice", "choices": choices}), choices.map(Value::from).to_vec()),
        (
            json!({"type": "choice", "choices": choices, "many": true}),
            vec![json!([]), json!(["a"]), json!(["a", "b"]), json!(["true"])],
        ),
        (json!({"type": "reference", "collection": "c"}), vec![json!(ids[0]), json!(7)]),
        (json!({"type": "reference", "collection": "c", "many": true}), vec![json!([]), json!([ids[0]]), json!(ids)]),
        (
            json!({"type": "json"}),
            vec![
                json!("a"),
                json!(7),
                json!(true),
                json!([1]),
                json!({"a": 1}),
                json!("007"),
                json!("yes"),
                json!(["a"]),
            ],
        ),
    ]
}

#[test]
fn what_happens_by_itself_comes_back_as_it_was() {
    for (from, values) in kinds() {
        for (to, _) in kinds() {
            for value in values.iter().filter(|value| value.as_str() != Some("")) {
                // Nothing is chosen, and nothing is referred to, where there is nothing.
                let nullable = |field: &Value| {
                    let mut field = field.clone();
                    field["nullable"] = json!(field["many"].is_null());
                    field
                };
                let (from, to) = (nullable(&from), nullable(&to));
                let Ok(there) = carried(from.clone(), to.clone(), Value::Null, value) else { continue };
                let back = carried(to.clone(), from.clone(), Value::Null, &there);
                let digits = |value: &Value| {
                    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    crate::validate::parse_decimal(&text)
                };
                let is_midnight = there.as_str() == value.as_str().map(|day| format!("{day}T00:00:00Z")).as_deref();
                let is_same = back.as_ref() == Ok(value)
                    || to["type"] == "datetime" && is_midnight
                    || [&from, &to].iter().any(|field| field["type"] == "decimal")
                        && back.as_ref().is_ok_and(|back| digits(back).is_some() && digits(back) == digits(value));
                assert!(is_same, "{value} of {from} is {there} of {to}, and {back:?} again");
            }
        }
    }
}

#[test]
fn what_does_not_fit_another_type_is_told_what_to_do() {
    let told = |from: &Value, to: &Value, value: &Value| {
        let named = |field: &Value| {
            let mut field = field.clone();
            field["name"] = json!("f");
            read_field(field).unwrap()
        };
        carry_over(&named(from).kind, &named(to), &Conversion::default(), value.into())
    };
    for (from, values) in kinds() {
        for (to, _) in
            kinds().into_iter().filter(|(to, _)| (&to["type"], &to["many"]) != (&from["type"], &from["many"]))
        {
            for value in values.iter().chain([&Value::Null]) {
                let Err(errors) = told(&from, &to, value) else { continue };
                let message = &errors[0].message;
                assert!(message.contains("onvert"), "{value} of {from} to {to}: {message}");
            }
        }
    }
}

#[test]
fn what_loses_something_is_done_where_it_is_asked_for() {
    let many = json!({"type": "choice", "choices": ["a", "b"], "many": true});
    for (from, to, convert, value, wanted) in [
        (
            json!({"type": "datetime"}),
            json!({"type": "date"}),
            json!("date"),
            json!("2024-02-29T23:59:59.500000Z"),
            json!("2024-02-29"),
        ),
        (
            json!({"type": "text"}),
            json!({"type": "date"}),
            json!("date"),
            json!("2024-02-29T23:30:00-02:00"),
            json!("2024-03-01"),
        ),
        (
            json!({"type": "text"}),
            json!({"type": "datetime"}),
            json!("date"),
            json!("2024-02-29T23:30:00-02:00"),
            json!("2024-03-01T01:30:00Z"),
        ),
        (json!({"type": "decimal"}), json!({"type": "integer"}), json!("round"), json!("-2.5"), json!(-3)),
        (
            json!({"type": "decimal", "places": 3}),
            json!({"type": "decimal", "places": 1}),
            json!("round"),
            json!("1.250"),
            json!("1.3"),
        ),
        (json!({"type": "text"}), json!({"type": "boolean"}), json!("boolean"), json!("Off"), json!(false)),
        (json!({"type": "integer"}), json!({"type": "boolean"}), json!("boolean"), json!(5), json!(true)),
        (json!({"type": "decimal"}), json!({"type": "boolean"}), json!("boolean"), json!("2.50"), json!(true)),
        (many.clone(), json!({"type": "choice", "choices": ["a", "b"]}), json!("first"), json!(["b", "a"]), json!("b")),
        (many, json!({"type": "text"}), json!("text"), json!(["b", "a"]), json!("b, a")),
        (json!({"type": "json"}), json!({"type": "text"}), json!("text"), json!({"a": [1]}), json!("{\"a\":[1]}")),
    ] {
        assert!(carried(from.clone(), to.clone(), Value::Null, &value).is_err(), "{value} of {from} to {to}");
        assert_eq!(carried(from, to, convert, &value), Ok(wanted), "{value}");
    }
}
