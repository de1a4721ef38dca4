//! Compares an answer with what a step wants, and with what holds for every answer. Says what is wrong in one line.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{
    case::{Expect, Step},
    make,
};

/// Members that differ from answer to answer.
const VARYING: [&str; 4] = ["instance", "request_id", "trace_id", "timestamp"];

/// What came back. `None` where the connection was closed instead.
pub(crate) struct Answer(pub Option<Received>);

pub(crate) struct Received {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
    pub json: Option<Value>,
}

impl Answer {
    pub(crate) fn json(&self) -> Option<&Value> {
        self.0.as_ref()?.json.as_ref()
    }
}

impl Received {
    /// All lines of one header, joined; `None` where there is none.
    fn header(&self, name: &str) -> Option<String> {
        let lines: Vec<&str> = self
            .headers
            .iter()
            .filter(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
            .collect();
        (!lines.is_empty()).then(|| lines.join(", "))
    }
}

/// Everything that is wrong with the answers to one step.
pub(crate) fn faults(step: &Step, answers: &[Answer], earlier: &[Answer]) -> Vec<String> {
    let mut faults = Vec::new();
    for answer in answers {
        match &answer.0 {
            None if step.expect.may_close => {}
            None => faults.push("the connection was closed without an answer".to_owned()),
            Some(received) => {
                faults.extend(always(received, &step.expect));
                faults.extend(wanted(received, &step.expect, earlier));
            }
        }
    }
    for (status, wanted) in step.expect.counts.iter().flatten() {
        let count = answers.iter().flat_map(|answer| &answer.0).filter(|one| one.status.to_string() == *status).count();
        if count != *wanted {
            faults.push(format!("{count} of {} answers have status {status}, and {wanted} should", answers.len()));
        }
    }
    faults
}

/// What holds for every answer.
fn always(received: &Received, expect: &Expect) -> Vec<String> {
    let mut faults = Vec::new();
    let content_type = received.header("content-type").unwrap_or_default();
    if received.body.trim_start().starts_with('<') || content_type.contains("html") {
        faults.push("the body is HTML".to_owned());
    }
    if expect.body.as_deref() != Some("any") {
        if content_type.split(';').next() != Some("application/json") {
            faults.push(format!("the content type is {content_type:?}, not JSON"));
        }
        match &received.json {
            None => faults.push("the body is not JSON".to_owned()),
            Some(body) if received.status >= 400 && !body.is_object() => {
                faults.push("the body of an error is no object".to_owned());
            }
            Some(_) => {}
        }
    }
    if received.status == 401 && !received.header("www-authenticate").is_some_and(|value| value.starts_with("Bearer")) {
        faults.push("a 401 without a Bearer challenge".to_owned());
    }
    if received.status == 405 && !received.header("allow").is_some_and(|value| value.contains("POST")) {
        faults.push("a 405 that does not allow POST".to_owned());
    }
    faults
}

fn wanted(received: &Received, expect: &Expect, earlier: &[Answer]) -> Vec<String> {
    let mut faults = Vec::new();
    let statuses: Vec<&Value> =
        expect.status.as_array().map_or_else(|| vec![&expect.status], |list| list.iter().collect());
    if !statuses.iter().any(|status| **status == received.status) {
        faults.push(format!("status {}, not {}", received.status, expect.status));
    }
    if let Some(json) = &expect.json {
        faults.extend(superset("body", json, received.json.as_ref()));
    }
    for (name, value) in expect.headers.iter().filter_map(Value::as_object).flatten() {
        faults.extend(superset(name, value, received.header(name).map(Value::String).as_ref()));
    }
    for (member, claims) in expect.claims.iter().flatten() {
        let token = received.json.as_ref().and_then(|body| body[member].as_str()).unwrap_or_default();
        let [_, payload] = make::decode(token);
        faults.extend(superset(&format!("claims of {member}"), claims, Some(&Value::Object(payload))));
    }
    if let Some(step) = expect.same_as {
        match &earlier[step].0 {
            Some(before) if is_same(received, before) => {}
            _ => faults.push(format!("the answer is not that of step {step}")),
        }
    }
    let whole = received.headers.iter().fold(received.body.clone(), |text, (name, value)| text + name + value);
    faults
        .extend(expect.absent.iter().filter(|text| whole.contains(*text)).map(|text| format!("{text:?} is repeated")));
    faults
}

/// What keeps `actual` from being a superset of `expected`.
fn superset(at: &str, expected: &Value, actual: Option<&Value>) -> Option<String> {
    let wrong = || Some(format!("{at} is {}, not {expected}", actual.unwrap_or(&Value::Null)));
    let text = actual.and_then(Value::as_str);
    match expected {
        Value::String(marker) if marker.starts_with('<') && marker.ends_with('>') => {
            let fits = match marker.as_str() {
                "<jwt>" => text.is_some_and(|text| text.split('.').count() == 3),
                "<str>" => text.is_some(),
                "<int>" => actual.is_some_and(|value| value.is_i64() || value.is_u64()),
                "<page>" => actual.is_some_and(|value| value.is_array() || value.is_object()),
                "<any>" => actual.is_some(),
                other => panic!("{other} is not known"),
            };
            if fits { None } else { wrong() }
        }
        Value::Object(members) => match single(members) {
            Some(("$starts", part)) if text.is_some_and(|text| text.starts_with(part)) => None,
            Some(("$contains", part)) if text.is_some_and(|text| text.contains(part)) => None,
            Some(("$lacks", part)) if text.is_none_or(|text| !text.contains(part)) => None,
            Some((name, _)) if name.starts_with('$') => wrong(),
            _ if !actual.is_some_and(Value::is_object) => wrong(),
            _ => members.iter().find_map(|(name, member)| {
                superset(&format!("{at}.{name}"), member, actual.and_then(|actual| actual.get(name)))
            }),
        },
        Value::Array(items) => match actual.and_then(Value::as_array) {
            Some(list) if list.len() == items.len() => items
                .iter()
                .zip(list)
                .enumerate()
                .find_map(|(n, (item, one))| superset(&format!("{at}[{n}]"), item, Some(one))),
            _ => wrong(),
        },
        plain if actual == Some(plain) => None,
        _ => wrong(),
    }
}

fn single(members: &Map<String, Value>) -> Option<(&str, &str)> {
    let (name, value) = members.iter().next().filter(|_| members.len() == 1)?;
    Some((name, value.as_str()?))
}

fn is_same(one: &Received, other: &Received) -> bool {
    let body = |received: &Received| {
        let mut body = received.json.clone();
        if let Some(Value::Object(members)) = &mut body {
            members.retain(|name, _| !VARYING.contains(&name.as_str()));
        }
        body
    };
    let names =
        |received: &Received| received.headers.iter().map(|(name, _)| name.to_lowercase()).collect::<BTreeSet<_>>();
    one.status == other.status && body(one) == body(other) && names(one) == names(other)
}
