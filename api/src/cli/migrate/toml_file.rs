//! A migration as a file is written: TOML in a fixed order, so that a change of it is a small difference; or JSON. TOML has no null, so what has
//! one is written as JSON. `common::migration` reads it.

use std::fmt::Write as _;

use anyhow::Result;
use common::{Object, migration::Migration};
use serde_json::{Value, json};

/// Objects of a step that get a heading of their own.
const TABLES: [&str; 6] = ["access", "rename", "alter", "copy", "convert", "set"];
/// Lists of objects that get a heading for each.
const LISTS: [&str; 7] = ["fields", "add", "split", "indexes", "add_indexes", "drop_indexes", "paths"];

/// The text of a file, and how its name ends.
pub(in crate::cli) fn write(migration: &Migration) -> Result<(String, &'static str)> {
    let mut out = String::new();
    if !migration.after.is_empty() {
        out.push_str("after = [\n");
        for id in &migration.after {
            writeln!(out, "    \"{id}\",")?;
        }
        out.push_str("]\n");
    }
    let is_toml = migration.steps.iter().all(|step| {
        if !out.is_empty() {
            out.push('\n');
        }
        table(&mut out, "[[steps]]", "steps", step).is_some()
    });
    if is_toml {
        return Ok((out, "toml"));
    }
    let all = json!({"after": migration.after, "steps": migration.steps});
    Ok((serde_json::to_string_pretty(&all)? + "\n", "json"))
}

/// Writes a table; `None` where it cannot be written.
fn table(out: &mut String, heading: &str, path: &str, members: &Object) -> Option<()> {
    writeln!(out, "{heading}").ok()?;
    let is_table = |name: &str, value: &Value| TABLES.contains(&name) && value.is_object();
    let is_list = |name: &str, value: &Value| {
        let is_list = value.as_array().is_some_and(|items| !items.is_empty() && items.iter().all(Value::is_object));
        LISTS.contains(&name) && is_list
    };
    for (name, value) in members.iter().filter(|(name, value)| !is_table(name, value) && !is_list(name, value)) {
        writeln!(out, "{} = {}", key(name), inline(value)?).ok()?;
    }
    for (name, value) in members.iter().filter(|(name, value)| is_table(name, value)) {
        let Value::Object(inner) = value else { continue };
        let path = format!("{path}.{name}");
        out.push('\n');
        if name != "alter" {
            table(out, &format!("[{path}]"), &path, inner)?;
            continue;
        }
        for (i, (field, value)) in inner.iter().enumerate() {
            if i > 0 {
                out.push('\n');
            }
            let path = format!("{path}.{}", key(field));
            let Value::Object(altered) = value else { return None };
            writeln!(out, "[{path}]").ok()?;
            for (name, value) in altered {
                writeln!(out, "{} = {}", key(name), inline(value)?).ok()?;
            }
        }
    }
    for (name, value) in members.iter().filter(|(name, value)| is_list(name, value)) {
        let path = format!("{path}.{name}");
        for item in value.as_array().into_iter().flatten().filter_map(Value::as_object) {
            writeln!(out, "\n[[{path}]]").ok()?;
            for (name, value) in item {
                writeln!(out, "{} = {}", key(name), inline(value)?).ok()?;
            }
        }
    }
    Some(())
}

fn key(name: &str) -> String {
    let is_bare = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    if is_bare { name.to_owned() } else { toml::Value::String(name.to_owned()).to_string() }
}

/// A value on one line.
fn inline(value: &Value) -> Option<String> {
    Some(match value {
        Value::Null => return None,
        Value::Number(number) => match number.as_i64() {
            Some(number) => number.to_string(),
            None => toml::Value::Float(number.as_f64().filter(|_| !number.is_u64())?).to_string(),
        },
        Value::Array(items) => {
            let items = items.iter().map(inline).collect::<Option<Vec<_>>>()?;
            format!("[{}]", items.join(", "))
        }
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| Some(format!("{} = {}", key(name), inline(value)?)));
            format!("{{{}}}", members.collect::<Option<Vec<_>>>()?.join(", "))
        }
        Value::String(text) => toml::Value::String(text.clone()).to_string(),
        Value::Bool(is_so) => is_so.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use common::{migration::read_file as read, reader::Body as _};

    use super::*;

    fn migration(steps: &Value) -> Migration {
        let body =
            json!({"collection": "snacks", "name": "0002_more", "after": ["snacks/0001_initial"], "steps": steps});
        Migration::from_json(body).unwrap()
    }

    #[test]
    fn what_is_written_reads_back() {
        let steps = json!([
            {"create": "snacks", "description": "Things \"to\" eat\nand drink", "fields": [
                {"name": "title", "type": "text", "required": true}, {"name": "kind", "type": "choice", "choices": ["a b", "c"]}],
             "indexes": [{"fields": ["kind", "-title"], "unique": true}], "access": {"list": ["anyone"]}, "history": {"versions": 3}},
            {"change": "snacks", "rename": {"title": "label"}, "drop": ["old"],
             "alter": {"kind": {"add_choices": ["x"], "convert": {"map": {"1 2": "y"}}}, "n": {"min": -3, "default": 1.5}},
             "add": [{"name": "n", "type": "json", "default": {"a": [1, {"b": true}]}}]},
            {"update": "snacks", "where": "kind = \"a b\" and label ~ 'x'", "set": {"kind": "c"}, "split": [{"field": "label", "into": ["a", "b"]}]}
        ]);
        let before = migration(&steps);
        let (text, ending) = write(&before).unwrap();
        assert_eq!(ending, "toml");
        let after = read(&text, ending, &before.id()).unwrap();
        assert_eq!(crate::domain::migrations::digest(&after), crate::domain::migrations::digest(&before), "{text}");
    }

    #[test]
    fn what_toml_cannot_say_is_json() {
        let before =
            migration(&json!([{"update": "snacks", "set": {"kind": null, "n": 18_446_744_073_709_551_615_u64}}]));
        let (text, ending) = write(&before).unwrap();
        assert_eq!(ending, "json");
        assert_eq!(read(&text, ending, &before.id()).unwrap(), before);
    }

    #[test]
    fn faults_name_their_place() {
        let id = migration(&json!([])).id();
        for (text, told) in
            [("after = [", "array"), ("afer = []", "afer"), ("after = [3]", "after"), ("steps = 3", "steps")]
        {
            let error = read(text, "toml", &id).unwrap_err();
            assert!(error.contains(told), "{text}: {error}");
        }
    }
}
