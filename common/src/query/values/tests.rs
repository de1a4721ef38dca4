use serde_json::json;

use super::{
    super::filter::{Read, read_filter},
    *,
};

fn typed(field: Value, name: &str, value: &str) -> Result<Typed, String> {
    let field: Field = serde_json::from_value(field).unwrap();
    let (Read::Condition(filter) | Read::Empty(filter)) = read_filter(name, value);
    filter.typed(&field, None, None).map_err(|error| error.message)
}

fn values(field: Value, name: &str, value: &str) -> Result<Vec<Value>, String> {
    typed(field, name, value).map(|typed| typed.values)
}

#[test]
fn values_with_commas_stand_in_quotes() {
    let text = || json!({"name": "t", "type": "text"});
    for (list, wanted) in [
        ("a,b", vec!["a", "b"]),
        ("\"a,b\"", vec!["a,b"]),
        ("\"a,b\",c", vec!["a,b", "c"]),
        ("c,\"a,b\"", vec!["c", "a,b"]),
        ("c, \" a,b \" ", vec!["c", " a,b "]),
        ("\"say \"\"hi\"\"\",x", vec!["say \"hi\"", "x"]),
        ("5\" pipe,x", vec!["5\" pipe", "x"]),
        ("a, b", vec!["a", "b"]),
        ("a,,b", vec!["a", "b"]),
        ("a,", vec!["a"]),
        (",", vec![]),
        ("\"\"", vec![""]),
        // Quotation marks that are none.
        ("\"", vec!["\""]),
        ("\"a", vec!["\"a"]),
        ("\"a\"b,c", vec!["\"a\"b", "c"]),
    ] {
        assert_eq!(values(text(), "t__in", list), Ok(wanted.iter().map(|value| json!(value)).collect()), "{list}");
        let read: Vec<_> = split_values(&join_values(wanted.iter().copied())).into_iter().flatten().collect();
        assert_eq!(read, wanted);
    }
    assert_eq!(values(text(), "t__range", "\"a,b\",c"), Ok(vec![json!("a,b"), json!("c")]));
    assert!(values(text(), "t__range", "a,b,c").unwrap_err().contains("two values"));
    // The empty text is an end of a range of texts; of numbers there is no such end, and nothing is within it.
    for (open, ends) in [("a,", ["a", ""]), (",b", ["", "b"]), (",", ["", ""])] {
        assert_eq!(values(text(), "t__range", open), Ok(ends.map(|end| json!(end)).to_vec()), "{open}");
    }
    let number = json!({"name": "n", "type": "integer"});
    for open in ["1,", ",1", ","] {
        assert_eq!(typed(number.clone(), "n__range", open), Ok(Typed { lookup: Lookup::In, values: vec![] }), "{open}");
    }
}

#[test]
fn a_choice_that_there_is_not_is_refused() {
    let size = |many: bool| json!({"name": "s", "type": "choice", "choices": ["s", "a,b"], "many": many});
    for many in [false, true] {
        for name in ["s", "s__exact", "s__ne", "s__in"] {
            let told = values(size(many), name, "xl").unwrap_err();
            assert_eq!(told, "Select a valid choice. xl is not one of the available choices.", "{name}");
        }
        assert!(values(size(many), "s__in", "s,\"a,b\"").is_ok());
    }
    assert!(values(size(false), "s__icontains", "x").is_ok());
    assert!(values(json!({"name": "s", "type": "choice", "choices": [], "many": true}), "s", "cook").is_ok());
}

#[test]
fn values_are_converted_as_in_bodies_and_trimmed() {
    for (kind, value, wanted) in [
        ("integer", "3.0", json!(3)),
        ("integer", " 3 ", json!(3)),
        ("decimal", ".50", json!("0.5")),
        ("boolean", "yes", json!(true)),
        ("boolean", "Off", json!(false)),
        ("datetime", "2024-01-01", json!("2024-01-01T00:00:00Z")),
        ("date", "2024-1-1", json!("2024-01-01")),
        ("date", "02/29/2024", json!("2024-02-29")),
        ("date", "2/1/24", json!("2024-02-01")),
        ("date", "Feb 2 2024", json!("2024-02-02")),
        ("date", "2 february, 2024", json!("2024-02-02")),
        ("text", " a ", json!("a")),
        ("email", " a@b.co ", json!("a@b.co")),
    ] {
        assert_eq!(values(json!({"name": "f", "type": kind}), "f", value), Ok(vec![wanted]), "{kind} {value}");
    }
    for kind in ["integer", "decimal", "boolean", "date", "datetime"] {
        assert!(values(json!({"name": "f", "type": kind, "nullable": true}), "f__exact", "").is_err(), "{kind}");
    }
    for wrong in ["02/30/2024", "30/2/2024", "2/2/024", "Feb 2024", "Foo 2 2024", "2024 Feb 2"] {
        assert!(values(json!({"name": "f", "type": "date"}), "f", wrong).is_err(), "{wrong}");
    }
    assert_eq!(values(json!({"name": "f", "type": "date"}), "f__isnull", "t"), Ok(vec![json!(true)]));
    let field = json!({"name": "r", "type": "reference", "collection": "c"});
    let id = "01920000-0000-7000-8000-0000000000ab";
    assert_eq!(values(field, "r", "019200000000700080000000000000AB"), Ok(vec![json!(id)]));
    let at: Field = serde_json::from_value(json!({"name": "f", "type": "text"})).unwrap();
    let (Read::Condition(filter) | Read::Empty(filter)) = read_filter("f__gte", "1:02");
    assert_eq!(filter.typed(&at, Some(Part::Time), None).unwrap().values, [json!("01:02:00")]);
}

#[test]
fn numbers_that_no_field_can_hold_are_compared_with_as_they_are() {
    use Lookup::{Exact, Gt, Gte, In, Lt, Lte, Ne, Range};
    let (nines, most, least) = ("9".repeat(28), i64::MAX, i64::MIN);
    let long = "1.00000000000000000000000000000000000005";
    for (kind, name, value, lookup, wanted) in [
        ("integer", "n__gt", "10.5", Gt, vec![json!(10)]),
        ("integer", "n__gte", "10.5", Gt, vec![json!(10)]),
        ("integer", "n__lt", "10.5", Lte, vec![json!(10)]),
        ("integer", "n__lte", "-10.5", Lt, vec![json!(-10)]),
        ("integer", "n__gte", "-10.5", Gte, vec![json!(-10)]),
        ("integer", "n__gt", "-0.5", Gte, vec![json!(0)]),
        ("integer", "n__gt", "1e-99", Gt, vec![json!(0)]),
        ("integer", "n__lt", "1e30", Lte, vec![json!(most)]),
        ("integer", "n__gt", "99999999999999999999", Gt, vec![json!(most)]),
        ("integer", "n__gt", "-1e99999999999999999999", Gte, vec![json!(least)]),
        ("integer", "n", "10.5", Exact, vec![]),
        ("integer", "n__ne", "1e30", Ne, vec![]),
        ("integer", "n__in", "10.5,10,1e1", In, vec![json!(10), json!(10)]),
        ("integer", "n__range", "9.5,11.5", Range, vec![json!(10), json!(11)]),
        ("integer", "n__range", "-11.5,-9.5", Range, vec![json!(-11), json!(-10)]),
        ("integer", "n__range", "1e30,1e31", In, vec![]),
        ("integer", "n__range", "-1e30,1e30", Range, vec![json!(least), json!(most)]),
        ("decimal", "n__gt", "1e100", Gt, vec![json!(nines)]),
        ("decimal", "n__gt", "-1e100", Gte, vec![json!(format!("-{nines}"))]),
        ("decimal", "n__gte", long, Gt, vec![json!("1")]),
        ("decimal", "n__lt", "-1e-50", Lt, vec![json!("0")]),
        ("decimal", "n", long, Exact, vec![]),
    ] {
        let field = json!({"name": "n", "type": kind});
        assert_eq!(typed(field, name, value), Ok(Typed { lookup, values: wanted }), "{name} {value}");
    }
    for wrong in ["abc", "1,000", "NaN", "Infinity", "1e", "--1"] {
        assert!(typed(json!({"name": "n", "type": "integer"}), "n__gt", wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_choice_of_true_or_false_that_nobody_made_asks_for_nothing() {
    let is_either = |kind: &str, name: &str, value: &str| {
        let field: Field = serde_json::from_value(json!({"name": "f", "type": kind})).unwrap();
        let (Read::Condition(filter) | Read::Empty(filter)) = read_filter(name, value);
        filter.is_either(&field)
    };
    for (kind, name, value) in [
        ("boolean", "f", "null"),
        ("boolean", "f", "Unknown"),
        ("boolean", "f", "undefined"),
        ("integer", "f__isnull", "null"),
    ] {
        assert!(is_either(kind, name, value), "{name}={value}");
    }
    for (kind, name, value) in [("boolean", "f", "abc"), ("text", "f", "null"), ("boolean", "f", "false")] {
        assert!(!is_either(kind, name, value), "{name}={value}");
    }
}
