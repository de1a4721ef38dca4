//! Comparing two answers: ids and revisions stand for each other once they stood in the same place.

use std::collections::HashMap;

use common::event::parser::{Parser, Read};
use serde_json::Value;

use crate::support::Answer;

/// What an answer tells: its status, its headers, its body.
pub(super) type Told = Value;

/// Of every answer its own.
const OWN_HEADERS: [&str; 4] = ["date", "x-request-id", "content-length", "connection"];
/// Members that hold a revision.
const REVISIONS: [&str; 5] = ["revision", "previous", "next", "after", "before"];

/// An answer as it is compared, its server's address taken out.
pub(super) fn told(answer: &Answer, base: &str) -> Told {
    let without = |text: &str| text.replace(base, "");
    // The weak tag of a list is a digest of its body, which is compared itself.
    let is_digest = |value: &[u8]| value.starts_with(b"W/\"");
    let headers = answer
        .headers
        .iter()
        .filter(|(name, value)| !OWN_HEADERS.contains(&name.as_str()) && !is_digest(value.as_bytes()));
    let mut headers: Vec<String> =
        headers.map(|(name, value)| format!("{name}: {}", without(value.to_str().unwrap()))).collect();
    headers.sort();
    let body = match serde_json::from_slice(&answer.body) {
        _ if answer.header("content-type") == "text/event-stream" => events(&answer.body),
        Ok(body) => body,
        Err(_) => rows(answer).unwrap_or_else(|| Value::String(without(&answer.text()))),
    };
    let mut body: Value = serde_json::from_str(&without(&body.to_string())).unwrap();
    if let Some(members) = body.as_object_mut() {
        members.remove("request_id");
    }
    serde_json::json!([answer.status, headers, body])
}

/// A file of rows, each an object: its revisions and ids are compared as those of other answers.
fn rows(answer: &Answer) -> Option<Value> {
    let text = answer.text();
    let separator = match answer.header("content-type").split(';').next()? {
        "application/x-ndjson" => {
            return text
                .lines()
                .map(|line| serde_json::from_str(line).ok())
                .collect::<Option<Vec<Value>>>()
                .map(Value::Array);
        }
        "text/csv" => ',',
        "text/tab-separated-values" => '\t',
        _ => return None,
    };
    let mut lines = text.split_terminator(['\n']).map(|line| cells(line.trim_end_matches('\r'), separator));
    let names = lines.next()?;
    let row = |cells: Vec<String>| {
        let cell = |(name, cell): (&String, String)| match cell.parse::<u64>() {
            Ok(number) if name == "revision" => (name.clone(), number.into()),
            _ => (name.clone(), Value::String(cell)),
        };
        names.iter().zip(cells).map(cell).collect::<Value>()
    };
    Some(serde_json::json!([names, lines.map(row).collect::<Value>()]))
}

/// The cells of a line; no value of the worlds has a line's end in it.
fn cells(line: &str, separator: char) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut is_quoted = false;
    for c in line.chars() {
        match c {
            '"' => is_quoted = !is_quoted,
            c if c == separator && !is_quoted => cells.push(String::new()),
            c => cells.last_mut().unwrap().push(c),
        }
    }
    cells
}

/// The events that a stream began with. Their ids are revisions.
fn events(bytes: &[u8]) -> Value {
    let read = Parser::default().push(bytes).unwrap();
    let told = read.into_iter().map(|read| match read {
        Read::Event(event) => {
            // Of what is no record's event the place is how far the store is.
            let is_of_record = ["create", "update", "delete", "gone"].contains(&event.name.as_str());
            let revision = event.id.filter(|_| is_of_record).map(|id| id.revision);
            let mut data: Value = serde_json::from_str(&event.text).unwrap();
            data.as_object_mut().unwrap().remove("since");
            serde_json::json!({"event": event.name, "revision": revision, "data": data})
        }
        other => Value::String(format!("{other:?}")),
    });
    told.collect()
}

/// Which id or revision of the right store stands for which of the left.
#[derive(Default)]
pub(super) struct Renaming {
    right_of: HashMap<String, String>,
    left_of: HashMap<String, String>,
}

impl Renaming {
    /// Where two answers differ, if they do.
    pub(super) fn compare(&mut self, left: &Value, right: &Value) -> Result<(), String> {
        self.values("", left, right)
    }

    fn values(&mut self, at: &str, left: &Value, right: &Value) -> Result<(), String> {
        match (left, right) {
            (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
                a.iter().zip(b).enumerate().try_for_each(|(n, (a, b))| self.values(&format!("{at}/{n}"), a, b))
            }
            (Value::Object(a), Value::Object(b)) if a.len() == b.len() => {
                a.iter().zip(b).try_for_each(|((name, a), (other, b))| {
                    self.texts(at, name, other)?;
                    self.values(&format!("{at}/{name}"), a, b)
                })
            }
            (Value::Number(a), Value::Number(b)) if REVISIONS.iter().any(|name| at.ends_with(name)) => {
                self.stand_for(at, &format!("#{a}"), &format!("#{b}"))
            }
            (Value::Number(a), Value::Number(b))
                if ["revision__min", "revision__max"].iter().any(|name| at.ends_with(name)) =>
            {
                self.stand_for(at, &format!("#{a}"), &format!("#{b}"))
            }
            // What is reckoned of revisions is as they are.
            (Value::Number(_), Value::Number(_))
                if ["revision__avg", "revision__sum"].iter().any(|name| at.ends_with(name)) =>
            {
                Ok(())
            }
            // Random, and of each server its own.
            (Value::String(a), Value::String(b)) if at.ends_with("/ticket") => self.stand_for(at, a, b),
            (Value::String(a), Value::String(b)) => self.texts(at, a, b),
            _ if left == right => Ok(()),
            _ => Err(format!("at \"{at}\": {left} and {right}")),
        }
    }

    fn texts(&mut self, at: &str, left: &str, right: &str) -> Result<(), String> {
        if let Some((a, b)) = tag(left).zip(tag(right)) {
            return self.stand_for(at, a, b);
        }
        let (a, b) = (parts(left), parts(right));
        if a.len() != b.len() {
            return Err(format!("at \"{at}\": {left:?} and {right:?}"));
        }
        a.into_iter().zip(b).try_for_each(|(a, b)| match (is_id(a), is_id(b)) {
            (true, true) => self.stand_for(at, a, b),
            _ if a == b => Ok(()),
            // A cursor holds the id of a row.
            _ if cursor(a).zip(cursor(b)).is_some_and(|((a, _), (b, _))| a == b) => {
                let cursors = cursor(a).zip(cursor(b)).map(|((_, a), (_, b))| (a, b));
                cursors.map_or(Ok(()), |(a, b)| self.stand_for(at, a, b))
            }
            _ => Err(format!("at \"{at}\": {left:?} and {right:?}")),
        })
    }

    fn stand_for(&mut self, at: &str, left: &str, right: &str) -> Result<(), String> {
        let a = self.right_of.entry(left.to_owned()).or_insert_with(|| right.to_owned());
        let b = self.left_of.entry(right.to_owned()).or_insert_with(|| left.to_owned());
        if a == right && b == left { Ok(()) } else { Err(format!("at \"{at}\": {left} is {a}, {right} is {b}")) }
    }
}

/// The revision of an `ETag` line.
fn tag(header: &str) -> Option<&str> {
    header.strip_prefix("etag: ").filter(|tag| tag.bytes().any(|byte| byte.is_ascii_digit()))
}

/// The address of another page, cut before its cursor.
fn cursor(address: &str) -> Option<(&str, &str)> {
    let at = address.find("cursor=")? + "cursor=".len();
    let (rest, cursor) = address.split_at(at);
    (!cursor.contains('&')).then_some((rest, cursor))
}

const ID: usize = 36;

fn is_id(text: &str) -> bool {
    text.len() == ID
        && text.bytes().enumerate().all(|(n, byte)| match n {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// A text, cut before and after each id.
fn parts(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut from, mut at) = (0, 0);
    while at + ID <= text.len() {
        if text.get(at..at + ID).is_some_and(is_id) {
            parts.extend([&text[from..at], &text[at..at + ID]]);
            at += ID;
            from = at;
        } else {
            at += 1;
        }
    }
    parts.push(&text[from..]);
    parts
}
