//! The field that holds what a member of a record is.

use common::{Object, field::Field};
use serde_json::{Value, json};

use super::document::Document;

/// Why a member is left out.
pub(super) const IS_FILE: &str = "is a file, and there are no files: keep its address as a url";

/// A name as fields and collections have it: `bestBefore` is `best_before`.
pub(super) fn snake(name: &str) -> String {
    let mut snake = String::new();
    let mut before = '_';
    for c in name.chars() {
        if c.is_ascii_uppercase() && (before.is_ascii_lowercase() || before.is_ascii_digit()) {
            snake.push('_');
        }
        before = c;
        let c = if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
        if c != '_' || !(snake.is_empty() || snake.ends_with('_')) {
            snake.push(c);
        }
    }
    let snake = snake.trim_matches('_');
    let snake = if snake.starts_with(|c: char| c.is_ascii_digit()) { format!("n{snake}") } else { snake.to_owned() };
    snake.chars().take(63).collect()
}

/// One of several: `categories` is `category`.
pub(super) fn singular(plural: &str) -> String {
    if let Some(stem) = plural.strip_suffix("ies") {
        return format!("{stem}y");
    }
    if let Some(stem) =
        plural.strip_suffix("es").filter(|stem| ["s", "x", "z", "ch", "sh"].iter().any(|end| stem.ends_with(end)))
    {
        return stem.to_owned();
    }
    plural.strip_suffix('s').filter(|stem| !stem.ends_with('s')).unwrap_or(plural).to_owned()
}

/// Whether a schema lets null in, by itself or as one of several.
pub(super) fn is_nullable(document: &Document, schema: &Value) -> bool {
    let lists =
        |schema: &Value, member: &str| schema.get(member).and_then(Value::as_array).cloned().unwrap_or_default();
    let is_null = |part: &Value| {
        let values = lists(document.resolve(part).0, "enum");
        part.get("type").is_some_and(|kind| kind == "null") || values.iter().any(Value::is_null)
    };
    schema.get("nullable").is_some_and(|nullable| *nullable == true)
        || lists(schema, "type").iter().any(|kind| kind == "null")
        || ["oneOf", "anyOf"].iter().any(|word| lists(schema, word).iter().any(is_null))
}

/// The field of a value that refers to nothing: its members but for the name. `told` gets what is to be looked at.
pub(super) fn of_value(
    document: &Document,
    whole: &Value,
    told: &mut Vec<&'static str>,
) -> Result<Object, &'static str> {
    let (schema, _) = document.resolve(whole);
    let kind = match schema.get("type") {
        Some(Value::String(kind)) => kind.as_str(),
        Some(Value::Array(kinds)) => {
            kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").unwrap_or_default()
        }
        _ => "",
    };
    let format = schema.get("format").and_then(Value::as_str).unwrap_or_default();
    let values: Option<Vec<Value>> = schema
        .get("enum")
        .and_then(Value::as_array)
        .map(|values| values.iter().filter(|value| !value.is_null() && **value != "").cloned().collect());
    let limit =
        |member: &str| whole.get(member).or_else(|| schema.get(member)).filter(|limit| !limit.is_null()).cloned();
    let field = match (kind, format, values) {
        ("string", "binary" | "byte", _) => return Err(IS_FILE),
        (_, _, Some(values)) if !values.is_empty() => return Ok(of_choices(&values, told)),
        ("string", "date", _) => json!({"type": "date"}),
        ("string", "date-time", _) => json!({"type": "datetime"}),
        ("string", "email", _) => json!({"type": "email"}),
        ("string", "uri" | "url", _) => json!({"type": "url"}),
        ("string", "decimal", _) => {
            let places = schema.get("pattern").and_then(Value::as_str).and_then(places);
            let mut field = json!({"type": "decimal"});
            if let (Some(places), Value::Object(members)) = (places, &mut field) {
                members.insert("places".to_owned(), json!(places));
            }
            field
        }
        ("string", "uuid", _) => json!({"type": "text", "max_length": 36}),
        ("string", "", _) => {
            json!({"type": "text", "multiline": limit("maxLength").is_none() && limit("pattern").is_none()})
        }
        ("string", _, _) => json!({"type": "text"}),
        ("integer", _, _) => json!({"type": "integer"}),
        ("number", _, _) => {
            told.push("is a float, which json keeps as a number; a decimal can be filtered, and is sent as text");
            json!({"type": "json"})
        }
        ("boolean", _, _) => json!({"type": "boolean"}),
        ("array", _, _) => return Ok(of_array(document, schema, told)),
        _ => json!({"type": "json"}),
    };
    let Value::Object(mut members) = field else { return Ok(Object::new()) };
    members.retain(|_, value| *value != false);
    let limits: &[(&str, &str)] = match (kind, format) {
        ("string", "") => &[("maxLength", "max_length"), ("minLength", "min_length"), ("pattern", "pattern")],
        ("integer", _) => &[("minimum", "min"), ("maximum", "max")],
        _ => &[],
    };
    for (there, here) in limits {
        let value = limit(there).filter(|value| *value != i64::MAX && *value != i64::MIN);
        members.extend(value.map(|value| ((*here).to_owned(), value)));
    }
    if kind != "object" {
        members.extend(limit("default").map(|default| ("default".to_owned(), default)));
    }
    Ok(members)
}

fn of_choices(values: &[Value], told: &mut Vec<&'static str>) -> Object {
    let texts: Option<Vec<&str>> = values.iter().map(Value::as_str).collect();
    let numbers: Option<Vec<i64>> = values.iter().map(Value::as_i64).collect();
    let field = match (texts, numbers) {
        (Some(choices), _) => json!({"type": "choice", "choices": choices}),
        (_, Some(numbers)) => {
            told.push("is one of some numbers, of which the least and the greatest are kept; what they are called stays in the front end");
            json!({"type": "integer", "min": numbers.iter().min(), "max": numbers.iter().max()})
        }
        _ => json!({"type": "json"}),
    };
    field.as_object().cloned().unwrap_or_default()
}

fn of_array(document: &Document, schema: &Value, told: &mut Vec<&'static str>) -> Object {
    let items = schema.get("items").and_then(|items| of_value(document, items, &mut Vec::new()).ok());
    match items {
        Some(mut items) if items.get("type").is_some_and(|kind| kind == "choice") => {
            items.insert("many".to_owned(), json!(true));
            items
        }
        _ => {
            told.push("is a list, which json keeps");
            json!({"type": "json"}).as_object().cloned().unwrap_or_default()
        }
    }
}

/// Digits after the point, out of the pattern that stands beside a decimal: `^-?\d{0,4}(?:\.\d{0,2})?$`.
fn places(pattern: &str) -> Option<u32> {
    pattern.rsplit_once("{0,")?.1.split_once('}')?.0.parse().ok()
}

/// A field that is good as it is, or without its limits. `told` gets what was left out.
pub(super) fn checked(mut members: Object, told: &mut Vec<&'static str>) -> Option<Object> {
    let is_good =
        |members: &Object| common::collection::read_field(Value::Object(members.clone())).map(|_: Field| ()).is_ok();
    if is_good(&members) {
        return Some(members);
    }
    for (limits, why) in [
        (&["default"][..], "has a default that does not go with its type, which is left out"),
        (&["pattern"], "has a pattern that cannot be kept, which is left out"),
        (
            &["min", "max", "min_length", "max_length", "places", "help"],
            "has limits that cannot be kept, which are left out",
        ),
    ] {
        if limits.iter().any(|limit| members.contains_key(*limit)) {
            members.retain(|name, _| !limits.contains(&name.as_str()));
            told.push(why);
            if is_good(&members) {
                return Some(members);
            }
        }
    }
    None
}
