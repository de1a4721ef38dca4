//! Every endpoint's JSON Schemas are there, and say what its reader does: values made after a schema are read, and what is read the
//! schema accepts. That answers fit theirs is looked at where every endpoint is called (`contract.rs`).

use std::collections::BTreeSet;

use common::{ENDPOINTS, endpoint::EndpointInfo, problem::FieldErrors, reader::watched};
use proptest::{
    collection::{btree_set, vec},
    prelude::*,
    sample::{Index, select},
    string::string_regex,
    test_runner::{TestCaseError, TestRunner},
};
use serde_json::{Map, Value, json};

use crate::support::schema::Judge;

/// What readers ask beyond a schema, which tells of one member at a time: the last part of the field's name, and the code.
const BEYOND: [(&str, &str); 22] = [
    // Some characters stand only beside certain others.
    ("username", "invalid"),
    // The password a second time.
    ("password2", "invalid"),
    // A parameter of a path, and a member of what it sends, stands once.
    ("path", "invalid"),
    ("members", "invalid"),
    // Another field has the name.
    ("name", "unique"),
    // Values of some types are too large for keys, and longer texts too.
    ("unique", "invalid"),
    ("indexed", "invalid"),
    ("searchable", "invalid"),
    // Records are called by one field, of some types.
    ("display", "invalid"),
    ("display", "unique"),
    ("max_length", "max_value"),
    // A value can only become null where it may be.
    ("on_delete", "invalid"),
    // A pattern has to be one, and not take too long.
    ("pattern", "invalid"),
    // The upper bound lies above the lower one; a decimal has 28 digits at most.
    ("max", "invalid"),
    ("min", "invalid"),
    // A pattern of days has all of its parts, and only choices can be renamed.
    ("convert", "invalid"),
    ("rename", "invalid"),
    // A default is a value of the field.
    ("default", "invalid"),
    ("default", "min_value"),
    ("default", "max_value"),
    ("default", "invalid_choice"),
    ("default", "not_a_list"),
];

fn is_beyond(errors: &FieldErrors) -> bool {
    errors.0.iter().all(|(name, errors)| {
        let (parent, member) = name.rsplit_once('.').unwrap_or(("", name));
        if ["older_than", "history.age"].contains(&name.as_str()) {
            // The pattern has any number: nothing at all, and more than the calendar has, are looked at by the reader.
            return errors.iter().all(|error| ["min_value", "max_value"].contains(&error.code.as_ref()));
        }
        // Of a definition's fields, or of one that is sent by itself.
        let is_of_a_field = parent.starts_with("fields.") || parent.is_empty();
        is_of_a_field
            && errors.iter().all(|error| member == "default" || BEYOND.contains(&(member, error.code.as_ref())))
    })
}

#[test]
fn every_endpoint_describes_its_request_and_its_response() {
    for info in ENDPOINTS {
        let request = Judge::of_request(info);
        assert_eq!(request.is_none(), info.body.is_nothing() || info.body.is_upload(), "{info:?}");
        assert_eq!(Judge::of_response(info).is_none(), info.media_type.is_empty(), "{info:?}");
        if let Some(judge) = request {
            assert!(judge.faults(&json!(3)).is_some(), "{info:?} reads no number");
        }
    }
}

#[test]
fn what_is_made_after_a_schema_is_read() {
    for (info, judge) in requests() {
        let made = values(&judge.schema, &judge.schema);
        run(info, made, |value| {
            prop_assume!(judge.faults(&value).is_none());
            match (info.check_request)(value.clone()) {
                Err(errors) if !is_beyond(&errors) => {
                    Err(TestCaseError::fail(format!("{value} is refused: {errors:?}")))
                }
                _ => Ok(()),
            }
        });
    }
}

#[test]
fn what_is_read_fits_the_schema() {
    for (info, judge) in requests() {
        let changes = vec((any::<Index>(), any::<Index>(), 0..3_u8), 0..4);
        let made = (values(&judge.schema, &judge.schema), changes).prop_map(|(mut value, changes)| {
            for (place, sample, how) in changes {
                change(&mut value, place, sample, how);
            }
            value
        });
        run(info, made, |value| match judge.faults(&value) {
            Some(faults) if (info.check_request)(value.clone()).is_ok() => {
                Err(TestCaseError::fail(format!("{value} is read, but does not fit: {faults}")))
            }
            _ => Ok(()),
        });
    }
}

/// A reader that asks for a member that the schema does not name is found however few bodies have it.
#[test]
fn a_schema_names_every_member_that_its_reader_asks_for() {
    for (info, judge) in requests() {
        let mut named = BTreeSet::new();
        property_names(&judge.schema, &mut named);
        let asked = watched::during(|| {
            let made = values(&judge.schema, &judge.schema);
            run(info, made, |value| {
                // Refused or not.
                let _ = (info.check_request)(value);
                Ok(())
            });
            let _ = (info.check_request)(json!({}));
        });
        let missing: Vec<_> = asked.difference(&named).collect();
        assert!(missing.is_empty(), "{} {}: the schema does not name {missing:?}", info.method, info.path);
    }
}

fn property_names(schema: &Value, names: &mut BTreeSet<String>) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::Object(properties)) = members.get("properties") {
                names.extend(properties.keys().cloned());
            }
            members.values().for_each(|inner| property_names(inner, names));
        }
        Value::Array(items) => items.iter().for_each(|inner| property_names(inner, names)),
        _ => {}
    }
}

fn requests() -> impl Iterator<Item = (&'static EndpointInfo, Judge)> {
    ENDPOINTS.iter().filter_map(|info| Some((info, Judge::of_request(info)?)))
}

fn run(info: &EndpointInfo, made: impl Strategy<Value = Value>, check: impl Fn(Value) -> Result<(), TestCaseError>) {
    let config = ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() };
    if let Err(error) = TestRunner::new(config).run(&made, check) {
        panic!("{} {}: {error}", info.method, info.path);
    }
}

/// Values that fit a schema, as far as it is made of what is understood here; the rest is left to be thrown away.
fn values(schema: &Value, root: &Value) -> BoxedStrategy<Value> {
    let Some(members) = schema.as_object() else { return anything() };
    if let Some(name) = members.get("$ref") {
        let pointer = name.as_str().unwrap().strip_prefix('#').unwrap();
        return values(root.pointer(pointer).unwrap(), root);
    }
    if let Some(value) = members.get("const") {
        return Just(value.clone()).boxed();
    }
    if let Some(Value::Array(choices)) = members.get("enum") {
        return select(choices.clone()).boxed();
    }
    if let Some((word, Value::Array(choices))) =
        members.iter().find(|(word, _)| ["oneOf", "anyOf"].contains(&word.as_str()))
    {
        let mut rest = members.clone();
        rest.remove(word);
        let choices: Vec<_> = choices.iter().map(|choice| values(&merged(&rest, choice, root), root)).collect();
        return proptest::strategy::Union::new(choices).boxed();
    }
    match members.get("type") {
        Some(Value::Array(kinds)) => {
            let one = |kind: &Value| {
                let mut members = members.clone();
                members.insert("type".to_owned(), kind.clone());
                values(&Value::Object(members), root)
            };
            proptest::strategy::Union::new(kinds.iter().map(one).collect::<Vec<_>>()).boxed()
        }
        Some(Value::String(kind)) => of_type(kind, members, root),
        _ => anything(),
    }
}

/// A schema and one of its alternatives as one.
fn merged(rest: &Map<String, Value>, choice: &Value, root: &Value) -> Value {
    if let Some(name) = choice.get("$ref") {
        return merged(rest, root.pointer(name.as_str().unwrap().strip_prefix('#').unwrap()).unwrap(), root);
    }
    let mut merged = rest.clone();
    for (word, value) in choice.as_object().unwrap() {
        match (merged.get_mut(word), value) {
            (Some(Value::Object(known)), Value::Object(more)) => known.extend(more.clone()),
            (Some(Value::Array(known)), Value::Array(more)) => known.extend(more.clone()),
            _ => drop(merged.insert(word.clone(), value.clone())),
        }
    }
    Value::Object(merged)
}

fn of_type(kind: &str, members: &Map<String, Value>, root: &Value) -> BoxedStrategy<Value> {
    let number = |word: &str| members.get(word).and_then(Value::as_i64);
    match kind {
        "null" => Just(Value::Null).boxed(),
        "boolean" => any::<bool>().prop_map(Value::from).boxed(),
        "integer" => {
            let (min, max) = (number("minimum").unwrap_or(-1 << 53), number("maximum").unwrap_or(1 << 53));
            prop_oneof![min..=max, min.max(-3)..=max.min(40)].prop_map(Value::from).boxed()
        }
        "number" => (-1_000_000..1_000_000_i32).prop_map(|number| json!(f64::from(number) / 8.0)).boxed(),
        "string" if members.get("format") == Some(&json!("email")) => {
            "[a-z0-9]{1,8}([.+][a-z]{1,4})?@[a-z]{1,8}[.][a-z]{2,4}".prop_map(Value::from).boxed()
        }
        "string" => {
            let pattern = members.get("pattern").and_then(Value::as_str).unwrap_or(".{0,12}");
            let pattern = pattern.trim_start_matches('^').trim_end_matches('$');
            string_regex(pattern).unwrap().prop_map(Value::from).boxed()
        }
        "array" => {
            let least = usize::try_from(number("minItems").unwrap_or(0)).unwrap();
            let items = members.get("items").map_or_else(anything, |items| values(items, root));
            vec(items, least..least + 3).prop_map(Value::from).boxed()
        }
        "object" => {
            let required: Vec<&str> = members
                .get("required")
                .into_iter()
                .flat_map(|names| names.as_array().unwrap())
                .filter_map(Value::as_str)
                .collect();
            let properties = members.get("properties").and_then(Value::as_object).into_iter().flatten();
            let mut made: BoxedStrategy<Map<String, Value>> = Just(Map::new()).boxed();
            for (name, schema) in properties {
                let member = if required.contains(&name.as_str()) {
                    values(schema, root).prop_map(Some).boxed()
                } else {
                    proptest::option::of(values(schema, root)).boxed()
                };
                let name = name.clone();
                made = (made, member)
                    .prop_map(move |(mut made, member)| {
                        made.extend(member.map(|value| (name.clone(), value)));
                        made
                    })
                    .boxed();
            }
            let is_closed = ["additionalProperties", "unevaluatedProperties"]
                .iter()
                .any(|word| members.get(*word) == Some(&json!(false)));
            if !is_closed {
                let more = (btree_set("[a-z]{6,8}", 0..3), vec(anything(), 3));
                made = (made, more)
                    .prop_map(|(mut made, (names, values))| {
                        made.extend(names.into_iter().zip(values));
                        made
                    })
                    .boxed();
            }
            made.prop_map(Value::Object).boxed()
        }
        _ => panic!("values of type {kind} are not made yet"),
    }
}

/// Values that readers stumble over.
fn samples() -> Vec<Value> {
    vec![
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(1_i64 << 53),
        json!(""),
        json!("x"),
        json!("a\u{0}"),
        json!("a\nb"),
        json!("1.50"),
        json!("owner"),
        json!("role:cook"),
        json!("set_null"),
        json!("json"),
        json!("text"),
        json!("a b"),
        json!("Zoë"),
        json!("01920000-0000-7000-8000-000000000001"),
        json!([]),
        json!(["x", "x"]),
        json!([null]),
        json!({}),
        json!({"zzz": 1}),
    ]
}

fn anything() -> BoxedStrategy<Value> {
    select(samples()).boxed()
}

/// Puts another value in some place, takes a member off there, or adds one.
fn change(value: &mut Value, place: Index, sample: Index, how: u8) {
    let mut places = vec![String::new()];
    let mut at = 0;
    while at < places.len() {
        let here = places[at].clone();
        match value.pointer(&here) {
            Some(Value::Object(members)) => places.extend(members.keys().map(|name| format!("{here}/{name}"))),
            Some(Value::Array(items)) => places.extend((0..items.len()).map(|i| format!("{here}/{i}"))),
            _ => {}
        }
        at += 1;
    }
    let target = value.pointer_mut(&places[place.index(places.len())]).unwrap();
    let sample = sample.get(&samples()).clone();
    match (how, target) {
        (0, Value::Object(members)) if !members.is_empty() => {
            let name = members.keys().nth(place.index(members.len())).unwrap().clone();
            members.remove(&name);
        }
        (1, Value::Object(members)) => drop(members.insert("zzz".to_owned(), sample)),
        (1, Value::Array(items)) => items.push(sample),
        (_, target) => *target = sample,
    }
}
