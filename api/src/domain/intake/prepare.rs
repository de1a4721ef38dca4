//! A file as rows: told what it is, decoded, taken apart, and each row written down as one line of JSON under the names of its members.

use std::{
    collections::HashMap,
    fs::File,
    io::{BufRead, BufReader, Read, Seek as _, SeekFrom},
};

use base::Charge;
use common::{
    collection::Collection,
    field::FieldType,
    import::{
        ColumnAs, ImportQuery, ReadAs,
        columns::{Columns, at},
    },
    json::Exact,
    problem::NON_FIELD,
    record::Record,
    rows::{RowFormat, cell, looks_like_formula},
};
use encoding_rs::Encoding;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    MAX_COLUMNS, Received, Target, Unreadable,
    cells::{Cell, Table},
    convert::{check_formats, convert, with_comma},
    decode::Decoded,
    headings::{self, RowNumbers, Understood},
    json::{Rows, Wrong},
    sniff::{self, Looked},
};
use crate::domain::work;

/// One row, as it is written down.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Row {
    /// Which: see [`common::import::RowFault::row`].
    #[serde(rename = "n")]
    pub number: u64,
    /// What is wrong with it, by member, as far as its text tells.
    #[serde(rename = "f", default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<(String, String)>,
    /// The members.
    #[serde(rename = "r")]
    pub record: Record,
    /// Cells that have no heading.
    #[serde(rename = "x", default, skip_serializing_if = "Vec::is_empty")]
    pub surplus: Vec<String>,
    /// It is written in one commit with the next one: they refer to each other.
    #[serde(rename = "m", default, skip_serializing_if = "std::ops::Not::not")]
    pub goes_on: bool,
    /// How many bytes it takes there.
    #[serde(skip)]
    pub length: u64,
}

impl Row {
    fn new(number: u64) -> Self {
        Self { number, faults: Vec::new(), record: Record::default(), surplus: Vec::new(), goes_on: false, length: 0 }
    }
}

/// How a file of rejected rows is written: as the file was that they came in, so that it can be sent again in the same way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrittenAs {
    /// A comma stands before decimals.
    pub decimal_comma: bool,
    /// What a spreadsheet program would take for a formula has a mark.
    pub spreadsheet: bool,
}

/// A file that was taken apart.
#[derive(Debug)]
pub struct Prepared {
    /// How many rows there are.
    pub count: u64,
    /// The members, in the order of the file.
    pub targets: Vec<Target>,
    /// How it was read.
    pub read: ReadAs,
}

/// What a request says of its file beside the parameters.
#[derive(Debug, Clone, Default)]
pub struct Told {
    /// The format, by the media type.
    pub format: Option<RowFormat>,
    /// The encoding, by `charset`.
    pub charset: Option<String>,
    /// The media type is one of files that are never empty.
    pub has_more: bool,
}

/// What a file is.
pub(super) struct Opened {
    pub format: RowFormat,
    pub delimiter: u8,
    pub encoding: &'static Encoding,
    pub text: Decoded<BufReader<File>>,
}

impl Opened {
    /// The same, as it is told. The columns are not known yet.
    pub(super) fn read_as(&self) -> ReadAs {
        ReadAs {
            format: self.format.word().to_owned(),
            encoding: self.encoding.name().to_owned(),
            delimiter: self.format.is_table().then(|| char::from(self.delimiter).to_string()),
            columns: Vec::new(),
            empty: 0,
        }
    }
}

/// Looks at a file, and gives its text.
pub(super) fn open(mut file: File, how: &ImportQuery, told: &Told) -> Result<Opened, Unreadable> {
    check_formats(&how.dates)?;
    let looked = Looked::at(&mut file)?;
    let named = match how.encoding.as_deref().or(told.charset.as_deref()) {
        None => None,
        Some(name) => Some(Encoding::for_label(name.as_bytes()).ok_or_else(|| {
            Unreadable::at("encoding", "There is no encoding of this name. utf-8, windows-1252 and utf-16 are some.")
        })?),
    };
    // Of JSON lines there may be none; anything else has brackets, or headings.
    let mut said = how.format.or(told.format);
    if looked.is_empty() {
        if said.map_or(told.has_more, |said| said != RowFormat::JsonLines) {
            return Err(Unreadable::whole("The file is empty."));
        }
        said = Some(RowFormat::JsonLines);
    }
    looked.refuse_others(named)?;
    let encoding = if let Some(encoding) = named {
        encoding
    } else {
        looked.refuse_mixed()?;
        looked.encoding()
    };
    let head = looked.text(encoding);
    let (seen, delimiter) = sniff::format_of(&head);
    let format = said.unwrap_or(seen);
    let delimiter = match (how.delimiter, format) {
        (Some(delimiter), _) => u8::try_from(delimiter).unwrap_or(b','),
        (None, RowFormat::Tsv) => b'\t',
        (None, _) if seen.is_table() => delimiter,
        (None, _) => sniff::delimiter_of(&head),
    };
    file.seek(SeekFrom::Start(0))?;
    let mut text = Decoded::new(BufReader::new(file), encoding);
    if format.is_table() && sniff::told_delimiter(&head).is_some() {
        pass_line(&mut text)?;
    }
    Ok(Opened { format, delimiter, encoding, text })
}

/// Passes over the first line.
fn pass_line(text: &mut impl Read) -> std::io::Result<()> {
    let mut byte = [0];
    while text.read(&mut byte)? == 1 && byte[0] != b'\n' {}
    Ok(())
}

/// Takes a file apart, into `rows`. Each row is charged to `held` in turn.
pub fn prepare(
    file: File,
    rows: &mut Received,
    held: &mut Charge,
    collection: &Collection,
    how: &ImportQuery,
    told: &Told,
) -> Result<Prepared, Unreadable> {
    let opened = open(file, how, told)?;
    let read = opened.read_as();
    if opened.format.is_table() {
        table(opened, rows, held, collection, how, read)
    } else {
        objects(opened, rows, held, collection, how, read)
    }
}

/// Looks at the first row of a file: how it is read, unless its headings are wrong.
pub fn look(
    file: File,
    held: &mut Charge,
    collection: &Collection,
    how: &ImportQuery,
    told: &Told,
) -> Result<ReadAs, Unreadable> {
    let opened = open(file, how, told)?;
    let read = opened.read_as();
    if !opened.format.is_table() {
        return Ok(read);
    }
    let Understood { columns, .. } = columns(&mut Table::new(opened.text, opened.delimiter, held), collection, how)?;
    Ok(ReadAs { columns, ..read })
}

/// What the columns of a table are, by its first row.
fn columns<R: Read>(
    table: &mut Table<'_, R>,
    collection: &Collection,
    how: &ImportQuery,
) -> Result<Understood, Unreadable> {
    let Some(first) = table.next() else { return Err(Unreadable::whole("The file has no headings.")) };
    let headings: Vec<String> = first?.into_iter().map(|cell| cell.text).collect();
    let understood = headings::read(collection, &Columns::of(&headings), &how.map)?;
    if understood.targets.iter().all(|target| *target == Target::Nothing) {
        return Err(Unreadable::whole("None of the headings is a field."));
    }
    Ok(understood)
}

fn put(rows: &mut Received, row: &Row) -> Result<(), Unreadable> {
    let mut line = serde_json::to_vec(row).map_err(|error| Unreadable::Io(error.into()))?;
    line.push(b'\n');
    rows.push(&line)
}

fn table(
    opened: Opened,
    rows: &mut Received,
    held: &mut Charge,
    collection: &Collection,
    how: &ImportQuery,
    read: ReadAs,
) -> Result<Prepared, Unreadable> {
    let mut table = Table::new(opened.text, opened.delimiter, held);
    let Understood { targets, columns, unnamed } = columns(&mut table, collection, how)?;
    let mut row_numbers = RowNumbers::default();
    let (mut count, mut number, mut empty) = (0, 1, 0);
    for cells in table {
        let cells = cells?;
        number += 1;
        if cells.iter().all(Cell::is_nothing) {
            empty += 1;
            continue;
        }
        let mut row = Row::new(number);
        for (i, cell) in cells.iter().enumerate() {
            match targets.get(i) {
                Some(Target::Nothing) if !unnamed.contains(&i) || cell.text.trim().is_empty() => {}
                Some(Target::Nothing) if i == 0 && row_numbers.go_on(&cell.text) => {}
                Some(Target::Nothing) => {
                    let by = at(i + 1);
                    let message = format!(
                        "Something stands in column {}, which has no heading. Map it to a field ({by}=field), or to nothing ({by}=).",
                        i + 1
                    );
                    row.faults.push((NON_FIELD.to_owned(), message));
                }
                Some(target) => member(collection, target, cell, how, &mut row),
                None if cell.text.trim().is_empty() => {}
                None => {
                    let message = "There are more cells than headings. Is the delimiter right, and does every text with one in it stand in quotation marks?";
                    row.faults.push((NON_FIELD.to_owned(), message.to_owned()));
                    row.surplus = cells.iter().skip(i).map(|cell| cell.text.clone()).collect();
                    break;
                }
            }
        }
        put(rows, &row)?;
        count += 1;
    }
    Ok(Prepared { count, targets, read: ReadAs { columns, empty, ..read } })
}

/// What a cell says of a member.
fn member(collection: &Collection, target: &Target, cell: &Cell, how: &ImportQuery, row: &mut Row) {
    let Some(name) = target.member() else { return };
    let field = collection.field(name);
    let text = || cell.text.trim().to_owned();
    match (target, field) {
        (Target::Through(_, by), _) => {
            let is_nothing = cell.text.trim().is_empty();
            let value = if is_nothing { Value::Null } else { json!({by.as_str(): text()}) };
            if !is_nothing || field.is_some_and(|field| field.nullable) {
                row.record.set(name, value);
            }
        }
        (_, Some(field)) => match convert(field, cell, how) {
            Ok(Some(value)) => row.record.set(name, value),
            Ok(None) => {}
            Err(message) => {
                row.faults.push((name.to_owned(), message.to_owned()));
                // It is there to be mended.
                row.record.set(name, cell.text.clone());
            }
        },
        (_, None) if cell.text.trim().is_empty() => {}
        (_, None) => row.record.set(name, text()),
    }
}

fn objects(
    opened: Opened,
    rows: &mut Received,
    held: &mut Charge,
    collection: &Collection,
    how: &ImportQuery,
    read: ReadAs,
) -> Result<Prepared, Unreadable> {
    let mut known: HashMap<String, Target> = HashMap::new();
    let (mut targets, mut columns, mut called) = (Vec::new(), Vec::new(), Columns::default());
    let (mut count, is_array) = (0, opened.format == RowFormat::Json);
    for object in Rows::new(opened.text, is_array, held) {
        count += 1;
        let mut row = Row::new(count);
        match object? {
            Err(Wrong { message, text }) => {
                row.faults.push((NON_FIELD.to_owned(), message));
                row.surplus.push(text);
            }
            Ok(mut object) => {
                let names: Vec<String> = object.as_object().keys().cloned().collect();
                for name in names {
                    let Some(value) = object.take(&name) else { continue };
                    if !known.contains_key(&name) {
                        if known.len() == MAX_COLUMNS {
                            return Err(Unreadable::whole(format!(
                                "Row {count} has one more member of another name, and rows have {MAX_COLUMNS} names at most."
                            )));
                        }
                        let called = called.add(&name);
                        let is_of = |(heading, _): &&(String, Option<String>)| *heading == called.heading;
                        let map: Vec<_> = how.map.iter().filter(is_of).cloned().collect();
                        // What no field is called is refused with the row, as in any other body.
                        let read = headings::read(collection, std::slice::from_ref(&called), &map);
                        let target = match read {
                            Ok(Understood { unnamed, .. }) if !unnamed.is_empty() => Target::Member(name.clone()),
                            Ok(read) => read.targets.into_iter().next().unwrap_or(Target::Nothing),
                            Err(errors) if !map.is_empty() => return Err(errors.into()),
                            Err(_) => Target::Member(name.clone()),
                        };
                        columns.push(ColumnAs { heading: called.heading, member: target.heading() });
                        targets.push(target.clone());
                        known.insert(name.clone(), target);
                    }
                    match known.get(&name) {
                        Some(Target::Member(member)) => row.record.set(member.as_str(), value),
                        Some(Target::Through(member, by)) => {
                            let through: Exact =
                                if value.is_null() { Value::Null.into() } else { json!({by.as_str(): *value}).into() };
                            row.record.set(member.as_str(), through);
                        }
                        Some(Target::Nothing) | None => {}
                    }
                }
            }
        }
        put(rows, &row)?;
    }
    // Of no row nothing is known.
    for (heading, _) in how.map.iter().filter(|_| count > 0) {
        if !columns.iter().any(|column: &ColumnAs| column.heading == *heading) {
            return Err(Unreadable::at("map", format!("No row has a member \"{heading}\".")));
        }
    }
    targets.retain(|target| *target != Target::Nothing);
    Ok(Prepared { count, targets, read: ReadAs { columns, ..read } })
}

/// The next rows that were written down, up to so many and so many bytes, and how many bytes they take there. `held` is charged for what they and
/// what is made of them take, in place of what it was charged for before.
pub fn next_rows(
    from: &mut impl BufRead,
    held: &mut Charge,
    most: usize,
    most_bytes: usize,
) -> Result<(Vec<Row>, u64), Unreadable> {
    let (mut rows, mut bytes) = (Vec::<Row>::new(), 0);
    let mut line = String::new();
    held.shrink_to(0);
    while (rows.len() < most && bytes < most_bytes as u64) || rows.last().is_some_and(|row| row.goes_on) {
        line.clear();
        let length = from.read_line(&mut line)?;
        if length == 0 {
            break;
        }
        // Parsed twice, and as it is stored, committed and told by the journal.
        held.grow((4 * length + 2 * work::parsed_size(line.as_bytes())) as u64).map_err(|_| Unreadable::NoMemory)?;
        let row: Row = serde_json::from_str(&line).map_err(std::io::Error::from)?;
        rows.push(Row { length: length as u64, ..row });
        bytes += length as u64;
    }
    Ok((rows, bytes))
}

/// Writes rows that were left out into a file that can be mended and sent again.
pub fn reject(
    out: &mut impl std::io::Write,
    collection: &Collection,
    targets: &[Target],
    written: WrittenAs,
    rows: &[(Row, Vec<(String, String)>)],
    has_headings: bool,
) -> std::io::Result<()> {
    let headings = targets.iter().filter_map(Target::heading);
    if !has_headings {
        line(
            out,
            common::import::REJECTED_HEADINGS.into_iter().map(|name| Some(name.to_owned())).chain(headings.map(Some)),
        )?;
    }
    for (row, faults) in rows {
        let join = |part: fn(&(String, String)) -> &str| faults.iter().map(part).collect::<Vec<_>>().join("; ");
        let before = [row.number.to_string(), join(|(field, _)| field), join(|(_, message)| message)];
        let cells = targets.iter().filter(|target| **target != Target::Nothing).map(|target| {
            let member = row.record.member(target.member()?)?;
            let value = match target {
                Target::Through(_, by) => member.value.get(by).unwrap_or(&Value::Null),
                _ => member.value,
            };
            let is_nested = value.is_object() || value.is_array();
            let text = cell(value, member.text.filter(|_| !matches!(target, Target::Through(..))), is_nested)?;
            let field = collection.fields.iter().find(|field| Some(field.name.as_str()) == target.member());
            let is_number =
                field.is_some_and(|field| matches!(field.kind, FieldType::Integer { .. } | FieldType::Decimal { .. }));
            // As it stands in the file, where it was not taken for a value.
            let is_raw = row.faults.iter().any(|(name, _)| Some(name.as_str()) == target.member());
            Some(match () {
                () if is_raw => text,
                () if is_number && written.decimal_comma => with_comma(text),
                () if !is_number && written.spreadsheet && looks_like_formula(&text) => format!("'{text}"),
                () => text,
            })
        });
        line(out, before.into_iter().map(Some).chain(cells).chain(row.surplus.iter().cloned().map(Some)))?;
    }
    out.flush()
}

fn line(out: &mut impl std::io::Write, cells: impl Iterator<Item = Option<String>>) -> std::io::Result<()> {
    for (i, cell) in cells.enumerate() {
        if i > 0 {
            out.write_all(b",")?;
        }
        if let Some(text) = cell {
            write!(out, "\"{}\"", text.replace('"', "\"\""))?;
        }
    }
    out.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use base::MemoryBudget;

    use super::*;
    use crate::domain::intake::Spool;

    fn collection() -> Collection {
        serde_json::from_value(json!({
            "id": "01920000-0000-7000-8000-000000000001", "name": "c", "created_at": "", "updated_at": "", "revision": 1,
            "fields": [{"name": "word", "type": "text", "required": true}, {"name": "note", "type": "text", "nullable": true},
                {"name": "price", "type": "decimal", "nullable": true}, {"name": "maker", "type": "reference", "collection": "makers"}],
            "access": {"list": [], "view": [], "create": [], "update": [], "delete": []}
        }))
        .unwrap()
    }

    fn prepared(bytes: &[u8], how: &ImportQuery) -> Result<(Prepared, Vec<Value>), Unreadable> {
        let spool = std::sync::Arc::new(Spool::default());
        let (mut raw, mut rows) = (spool.receive().unwrap(), spool.receive().unwrap());
        raw.push(bytes).unwrap();
        let mut held = MemoryBudget::unlimited().nothing();
        let prepared = prepare(raw.rewound().unwrap(), &mut rows, &mut held, &collection(), how, &Told::default())?;
        let read = next_rows(&mut BufReader::new(rows.rewound().unwrap()), &mut held, 100, 1 << 20).unwrap().0;
        assert_eq!(read.len() as u64, prepared.count);
        Ok((prepared, read.iter().map(|row| serde_json::to_value(row).unwrap()).collect()))
    }

    #[test]
    fn tables_become_rows_whatever_wrote_them() {
        let comma = ImportQuery { decimal_comma: true, ..ImportQuery::default() };
        let excel = b"\xef\xbb\xbfWord;Note;Price;Maker.name\r\nfond;\"\";1,50;ACME\r\n;;;\r\nodd;;x;\r\n";
        let (made, rows) = prepared(excel, &comma).unwrap();
        assert_eq!((made.read.encoding.as_str(), made.read.delimiter.as_deref()), ("UTF-8", Some(";")));
        assert_eq!(
            rows,
            [
                json!({"n": 2, "r": {"word": "fond", "note": "", "price": "1.50", "maker": {"name": "ACME"}}}),
                json!({"n": 4, "r": {"word": "odd", "note": null, "price": "x"}}),
            ]
        );
        let (made, rows) = prepared(b"word,note\nGr\xf6\xdfe,a,b\nx\n", &ImportQuery::default()).unwrap();
        assert_eq!((made.read.encoding.as_str(), rows.len()), ("windows-1252", 2));
        assert_eq!(rows[0]["r"]["word"], "Größe");
        assert!(rows[0]["f"][0][1].as_str().unwrap().contains("more cells"));
        let (_, rows) = prepared(b"[{\"Word\":\"a\",\"price\":1.10},{\"zzz\":1}]", &ImportQuery::default()).unwrap();
        assert_eq!(rows[0]["r"], json!({"word": "a", "price": 1.10}));
        assert_eq!(rows[1]["r"], json!({"zzz": 1}));
        let (_, rows) = prepared(b"sep=|\nword|note\n\"a|b\"|c\n", &ImportQuery::default()).unwrap();
        assert_eq!(rows[0]["r"], json!({"word": "a|b", "note": "c"}));
        // Of lines there may be none.
        assert_eq!(prepared(b"", &ImportQuery::default()).unwrap().0.count, 0);
        for bad in [&b"nothing,else\n1,2\n"[..], b"PK\x03\x04", b"\n\n"] {
            assert!(prepared(bad, &ImportQuery::default()).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn rejected_rows_can_be_sent_again() {
        let (made, rows) = prepared(b"word,note,maker.name\n\"a\"\"b\",,ACME\n", &ImportQuery::default()).unwrap();
        let row: Row = serde_json::from_value(rows[0].clone()).unwrap();
        let mut file = Vec::new();
        let faults = vec![("word".to_owned(), "No, \"this\" is not it.".to_owned())];
        reject(&mut file, &collection(), &made.targets, WrittenAs::default(), &[(row, faults)], false).unwrap();
        let text = String::from_utf8(file.clone()).unwrap();
        assert!(text.ends_with("\"2\",\"word\",\"No, \"\"this\"\" is not it.\",\"a\"\"b\",,\"ACME\"\n"), "{text}");
        let (_, again) = prepared(&file, &ImportQuery::default()).unwrap();
        assert_eq!(again[0]["r"], rows[0]["r"]);
    }
}
