//! Fields of a record as arguments, and records in a file.

use std::{
    fs,
    io::{self, IsTerminal as _, Read as _},
    path::Path,
};

use anyhow::{Result, bail};
use common::{
    json::Exact,
    record::{OneOrMany, Record},
};
use serde_json::Value;

use crate::cli::failed::Failed;

/// A field with its value.
#[derive(Debug, Clone)]
pub(super) struct Assigned {
    field: String,
    value: Exact,
}

/// Reads `FIELD=TEXT` or `FIELD:=JSON`.
pub(super) fn parse(text: &str) -> Result<Assigned, String> {
    const FORM: &str = "write FIELD=TEXT or FIELD:=JSON";
    let (field, value) = text.split_once('=').ok_or(FORM)?;
    let (field, value) = match field.strip_suffix(':') {
        Some(field) => {
            let value = serde_json::from_str(value)
                .map_err(|error| format!("{field} has no JSON behind := ({error}); a text is {field}=…"))?;
            (field, value)
        }
        None => (field, Exact::from(Value::from(value))),
    };
    if field.is_empty() {
        return Err(FORM.to_owned());
    }
    Ok(Assigned { field: field.to_owned(), value })
}

/// The records that a file and the arguments say. Arguments stand above what one record's file says.
pub(super) fn gather(file: Option<&Path>, values: &[Assigned]) -> Result<OneOrMany> {
    let mut records = match file {
        Some(file) => read(file)?,
        None if values.is_empty() => bail!(Failed::Usage(
            "say what is in the record: FIELD=TEXT, FIELD:=JSON, or --from FILE with JSON".to_owned()
        )),
        None => OneOrMany::One(Record::default()),
    };
    match &mut records {
        OneOrMany::One(record) => {
            for Assigned { field, value } in values {
                record.set(field.as_str(), value.clone());
            }
        }
        OneOrMany::Many(_) if !values.is_empty() => {
            bail!(Failed::Usage(
                "values beside a list of records would be for all of them; put them into the list".into()
            ))
        }
        OneOrMany::Many(_) => {}
    }
    Ok(records)
}

fn read(file: &Path) -> Result<OneOrMany> {
    let is_stdin = file.as_os_str() == "-";
    let name = if is_stdin { "standard input".to_owned() } else { file.display().to_string() };
    if is_stdin && io::stdin().is_terminal() {
        bail!(Failed::Usage("nothing comes on standard input; pipe JSON into it".to_owned()));
    }
    let mut text = String::new();
    let read = if is_stdin {
        io::stdin().lock().read_to_string(&mut text)
    } else {
        fs::read_to_string(file).map(|all| {
            text = all;
            text.len()
        })
    };
    if let Err(error) = read {
        bail!(Failed::Usage(format!("{name} cannot be read: {error}")));
    }
    records(&text).map_err(|why| Failed::Usage(format!("{name} {why}")).into())
}

/// A JSON object, an array of them, or one after the other.
fn records(text: &str) -> Result<OneOrMany, String> {
    let no_json = |error: serde_json::Error| format!("has no JSON records ({error})");
    if text.trim_start().starts_with('[') {
        return serde_json::from_str(text).map(OneOrMany::Many).map_err(no_json);
    }
    let mut records = serde_json::Deserializer::from_str(text)
        .into_iter::<Record>()
        .collect::<Result<Vec<_>, _>>()
        .map_err(no_json)?;
    match records.len() {
        0 => Err("has no record in it".to_owned()),
        1 => Ok(OneOrMany::One(records.remove(0))),
        _ => Ok(OneOrMany::Many(records)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_texts_or_json_with_all_their_digits() {
        let value = |text: &str| serde_json::to_string(&parse(text).unwrap().value).unwrap();
        assert_eq!(value("a=3"), "\"3\"");
        assert_eq!(value("a=b=c"), "\"b=c\"");
        assert_eq!(value("a="), "\"\"");
        assert_eq!(value("a:=1.10"), "1.10");
        assert_eq!(value("a:=null"), "null");
        assert_eq!(value(r#"a:={"b": [1, 2]}"#), r#"{"b":[1,2]}"#);
        for bad in ["a", "=b", ":=1", "a:=b", "a:="] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_file_has_one_record_or_many() {
        assert!(
            matches!(records("{\"a\": 1.10}\n").unwrap(), OneOrMany::One(record) if record.member("a").unwrap().text == Some("1.10"))
        );
        for many in ["[{\"a\": 1}, {}]", "{\"a\": 1}\n{}\n", "{}{}"] {
            assert!(matches!(records(many).unwrap(), OneOrMany::Many(records) if records.len() == 2), "{many}");
        }
        assert!(matches!(records("[]").unwrap(), OneOrMany::Many(records) if records.is_empty()));
        for bad in ["", "3", "{", "[3]", "{} x"] {
            assert!(records(bad).is_err(), "{bad}");
        }
    }
}
