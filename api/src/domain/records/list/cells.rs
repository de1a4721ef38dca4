//! Rows as cells, for CSV and TSV. Null is nothing between two delimiters, and the empty text two quotation marks; so what goes out is told
//! apart when it comes in again. (The `csv` crate writes the two alike.)

use bytes::{BufMut, BytesMut};
use common::{
    record::Record,
    rows::{RowFormat, cell, looks_like_formula},
};

use crate::domain::records::expand::Column;

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// As what.
    pub format: RowFormat,
    /// What a spreadsheet program would take for a formula is marked as text.
    pub spreadsheet: bool,
}

/// What tells spreadsheet programs that a text is UTF-8.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The first line.
pub(super) fn headings(out: &mut BytesMut, shape: Shape, columns: &[Column]) {
    if shape.spreadsheet {
        out.put_slice(BYTE_ORDER_MARK);
    }
    let cells = columns.iter().map(|column| Some(column.path.join(".")));
    line(out, shape, cells);
}

/// The line of a row.
pub(super) fn row(out: &mut BytesMut, shape: Shape, columns: &[Column], record: &Record) {
    let cells = columns.iter().map(|Column { path, is_json, is_number }| {
        let (first, rest) = path.split_first()?;
        let member = record.member(first)?;
        let value = rest.iter().try_fold(member.value, |value, name| value.get(name))?;
        let digits = member.text.filter(|_| rest.is_empty());
        let text = cell(value, digits, *is_json)?;
        Some(if shape.spreadsheet && value.is_string() && !is_number && looks_like_formula(&text) {
            format!("'{text}")
        } else {
            text
        })
    });
    line(out, shape, cells);
}

fn line(out: &mut BytesMut, shape: Shape, cells: impl Iterator<Item = Option<String>>) {
    let delimiter = if shape.format == RowFormat::Tsv { b'\t' } else { b',' };
    let begin = out.len();
    for (i, cell) in cells.enumerate() {
        if i > 0 {
            out.put_u8(delimiter);
        }
        if let Some(text) = cell {
            put(out, &text, delimiter);
        }
    }
    // An empty line would be none.
    if out.len() == begin {
        out.put_u8(delimiter);
    }
    out.put_u8(b'\n');
}

fn put(out: &mut BytesMut, text: &str, delimiter: u8) {
    let is_special = |byte: &u8| *byte == delimiter || matches!(*byte, b'"' | b'\n' | b'\r' | b',' | b';' | b'\t');
    let is_spaced = text.starts_with([' ', '\u{feff}']) || text.ends_with(' ');
    if !text.is_empty() && !is_spaced && !text.as_bytes().iter().any(is_special) {
        out.put_slice(text.as_bytes());
        return;
    }
    out.put_u8(b'"');
    for (i, part) in text.split('"').enumerate() {
        if i > 0 {
            out.put_slice(b"\"\"");
        }
        out.put_slice(part.as_bytes());
    }
    out.put_u8(b'"');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn null_and_the_empty_text_are_told_apart_by_quotation_marks() {
        let columns =
            ["a", "b", "c"].map(|name| Column { path: vec![name.to_owned()], is_json: name == "c", is_number: false });
        let shape = |format| Shape { format, spreadsheet: false };
        let written = |shape: Shape, value: serde_json::Value, columns: &[Column]| {
            let mut out = BytesMut::new();
            row(&mut out, shape, columns, &serde_json::from_value(value).unwrap());
            String::from_utf8(out.to_vec()).unwrap()
        };
        let csv = shape(RowFormat::Csv);
        assert_eq!(written(csv, json!({"a": null, "b": "", "c": "x"}), &columns), ",\"\",\"\"\"x\"\"\"\n");
        assert_eq!(written(csv, json!({"a": "x\r\ny", "b": 1.5, "c": [1]}), &columns), "\"x\r\ny\",1.5,[1]\n");
        assert_eq!(written(csv, json!({"a": null}), &columns[..1]), ",\n");
        assert_eq!(written(shape(RowFormat::Tsv), json!({"a": "x\ty", "b": "=1"}), &columns[..2]), "\"x\ty\"\t=1\n");
        let spreadsheet = Shape { spreadsheet: true, ..csv };
        assert_eq!(written(spreadsheet, json!({"a": "=1", "b": -1}), &columns[..2]), "'=1,-1\n");
    }
}
