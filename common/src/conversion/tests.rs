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
        (json!("number"), json!("1,234"), json!(1234)),
        (json!("number"), json!("1.234.567"), json!(1_234_567)),
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
    for (value, wanted) in [("1.234,50", "1234.50"), ("1,234.50", "1234.50"), ("12,5", "12.50"), ("0,125", "0.12")] {
        let read = carried(text(), decimal(), json!("number"), &json!(value));
        // A fraction that is too long is not rounded.
        assert!(read == Ok(json!(wanted)) || value == "0,125" && read.is_err(), "{value} {read:?}");
    }
    let days = json!({"date": "DD.MM.YYYY"});
    assert_eq!(carried(text(), json!({"type": "date"}), days.clone(), &json!("3.4.2024")), Ok(json!("2024-04-03")));
    assert!(carried(text(), json!({"type": "date"}), days, &json!("31.2.2024")).is_err());
    let moments = json!({"date": "YYYY/MM/DD hh:mm"});
    let read = carried(text(), json!({"type": "datetime"}), moments, &json!("2024/02/29 7:05"));
    assert_eq!(read, Ok(json!("2024-02-29T07:05:00Z")));
}

#[test]
fn a_conversion_is_a_step_or_a_list_of_them() {
    for fine in [json!("trim"), json!(["trim", "lower"]), json!({"default": null}), json!({"date": "YYYY-MM-DD"})] {
        assert!(Conversion::read(fine.clone()).is_ok(), "{fine}");
    }
    for wrong in [
        json!("cut"),
        json!(3),
        json!({"date": "YY"}),
        json!({"date": "DD.MM.YYYY DD"}),
        json!({"map": 3}),
        json!({"trim": 1}),
    ] {
        assert!(Conversion::read(wrong.clone()).is_err(), "{wrong}");
    }
}
