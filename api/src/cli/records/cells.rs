//! Records on standard output: as a table for people, and in forms for programs.

use std::io::{self, IsTerminal as _, Write};

use common::{record::Record, rows::cell, text::single_line};
use csv::{Terminator, WriterBuilder};
use unicode_width::UnicodeWidthStr as _;

use super::form::Form;

/// A column of a table for a terminal has so many characters at most.
const WIDEST: usize = 40;
/// Rows that widths are measured by: what comes later is written as it comes.
pub(super) const MEASURED: usize = 100;

/// The record with these members first, in this order.
pub(super) fn ordered(mut record: Record, fields: &[String]) -> Record {
    let mut ordered = Record::default();
    for field in fields {
        if let Some(value) = record.take(field) {
            ordered.set(field.as_str(), value);
        }
    }
    ordered.extend(record);
    ordered
}

/// One record.
pub(super) fn one(record: &Record, form: Form) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match form {
        Form::Json => {
            serde_json::to_writer_pretty(&mut out, record)?;
            writeln!(out)?;
        }
        Form::Table => {
            let widest = record.as_object().keys().map(|name| name.width()).max().unwrap_or_default();
            for name in record.as_object().keys() {
                let line = format!("{}  {}", padded(name, widest), text(record, name));
                writeln!(out, "{}", line.trim_end())?;
            }
        }
        _ => return many(std::slice::from_ref(record), form),
    }
    out.flush()
}

/// Several records, that have the same members.
pub(super) fn many(records: &[Record], form: Form) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match form {
        Form::Json => {
            serde_json::to_writer_pretty(&mut out, records)?;
            writeln!(out)?;
        }
        Form::JsonLines => {
            for record in records {
                serde_json::to_writer(&mut out, record)?;
                writeln!(out)?;
            }
        }
        Form::Csv => separated(&mut out, records, b',')?,
        Form::Tsv => separated(&mut out, records, b'\t')?,
        Form::Table => {
            let mut table = Table::default();
            for record in records {
                table.push(&mut out, record.clone())?;
            }
            table.finish(&mut out)?;
        }
    }
    out.flush()
}

fn separated(out: &mut impl Write, records: &[Record], delimiter: u8) -> io::Result<()> {
    let Some(first) = records.first() else { return Ok(()) };
    let names: Vec<&String> = first.as_object().keys().collect();
    let mut out = WriterBuilder::new().delimiter(delimiter).terminator(Terminator::Any(b'\n')).from_writer(out);
    out.write_record(&names)?;
    for record in records {
        out.write_record(names.iter().map(|name| whole(record, name)))?;
    }
    out.flush()
}

/// A member's value as a cell.
fn whole(record: &Record, name: &str) -> String {
    let member = record.member(name);
    member.and_then(|member| cell(member.value, member.text, false)).unwrap_or_default()
}

/// The same for people, on one line.
fn text(record: &Record, name: &str) -> String {
    single_line(&whole(record, name)).into_owned()
}

fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}

/// A table whose columns are those of its first row, as wide as its first rows need.
#[derive(Default)]
pub(super) struct Table {
    /// Rows that are not written yet.
    waiting: Vec<Record>,
    columns: Vec<Column>,
}

struct Column {
    name: String,
    width: usize,
    is_number: bool,
}

impl Table {
    /// Takes a row, and writes it where the widths are known.
    pub(super) fn push(&mut self, out: &mut impl Write, row: Record) -> io::Result<()> {
        if !self.columns.is_empty() {
            return self.write(out, &row);
        }
        self.waiting.push(row);
        if self.waiting.len() == MEASURED { self.begin(out) } else { Ok(()) }
    }

    /// Writes what waits.
    pub(super) fn finish(&mut self, out: &mut impl Write) -> io::Result<()> {
        if self.columns.is_empty() { self.begin(out) } else { Ok(()) }
    }

    fn begin(&mut self, out: &mut impl Write) -> io::Result<()> {
        let rows = std::mem::take(&mut self.waiting);
        let Some(first) = rows.first() else { return Ok(()) };
        let most = if io::stdout().is_terminal() { WIDEST } else { usize::MAX };
        for name in first.as_object().keys() {
            let widest = rows.iter().map(|row| text(row, name).width()).max().unwrap_or_default();
            // Decimals are texts in JSON, and no less numbers.
            let filled = rows.iter().map(|row| text(row, name)).filter(|cell| !cell.is_empty());
            let is_number = filled.clone().all(|cell| looks_like_number(&cell)) && filled.count() > 0;
            self.columns.push(Column { name: name.clone(), width: widest.max(name.width()).min(most), is_number });
        }
        let heads: Vec<_> = self.columns.iter().map(|column| column.name.clone()).collect();
        self.line(out, &heads)?;
        for row in &rows {
            self.write(out, row)?;
        }
        Ok(())
    }

    fn write(&self, out: &mut impl Write, row: &Record) -> io::Result<()> {
        let cells: Vec<_> = self.columns.iter().map(|column| text(row, &column.name)).collect();
        self.line(out, &cells)
    }

    fn line(&self, out: &mut impl Write, cells: &[String]) -> io::Result<()> {
        let is_cut = io::stdout().is_terminal();
        let mut line = String::new();
        for (column, cell) in self.columns.iter().zip(cells) {
            if !line.is_empty() {
                line.push_str("  ");
            }
            let cell = if is_cut { cut(cell, column.width) } else { cell.clone() };
            let room = column.width.saturating_sub(cell.width());
            let room = " ".repeat(room);
            line.extend(if column.is_number { [room.as_str(), cell.as_str()] } else { [cell.as_str(), room.as_str()] });
        }
        writeln!(out, "{}", line.trim_end())
    }
}

fn looks_like_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    digits.starts_with(|c: char| c.is_ascii_digit()) && digits.bytes().all(|c| c.is_ascii_digit() || c == b'.')
}

/// The beginning of a text that fits.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut kept = String::new();
    for c in text.chars() {
        kept.push(c);
        if kept.width() >= width {
            kept.pop();
            break;
        }
    }
    kept.push('…');
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(text: &str) -> Record {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_table_has_its_columns_from_the_first_rows_and_keeps_them() {
        let (mut table, mut out) = (Table::default(), Vec::new());
        table.push(&mut out, record(r#"{"title": "Nuts", "price": 3.50, "note": null}"#)).unwrap();
        let hostile = serde_json::json!({"title": "日本\n\u{1b}[2J", "price": "12.00", "note": "x"});
        table.push(&mut out, record(&hostile.to_string())).unwrap();
        table.finish(&mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "title      price  note\nNuts        3.50\n日本 \u{fffd}[2J  12.00  x\n");
    }

    #[test]
    fn nothing_is_a_table_without_a_line() {
        let (mut table, mut out) = (Table::default(), Vec::new());
        table.finish(&mut out).unwrap();
        assert!(out.is_empty());
    }

    #[test]
    fn a_text_is_cut_where_it_does_not_fit() {
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut("abcd", 4), "abcd");
        assert_eq!(cut("日本語", 5), "日本…");
        assert_eq!(cut("日本語", 4), "日…");
    }
}
