//! Imports: what is said of a file of records, and what became of it.

pub mod columns;
pub mod once;
pub mod preview;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    answer::JsonAnswer,
    field::Field,
    id::OperationId,
    operation::OperationState,
    problem::FieldErrors,
    query::{Pairs, Query, unknown_parameter},
    reader::invalid,
    rows::RowFormat,
};

/// The headings that a file of rejected rows has before those of the records. An import passes over them.
pub const REJECTED_HEADINGS: [&str; 3] = ["_row", "_field", "_reason"];

/// What becomes of a row whose key a record has already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnConflict {
    /// It is a fault.
    #[default]
    Fail,
    /// The record stays as it is.
    Skip,
    /// The record is changed to what the row says.
    Update,
}

impl OnConflict {
    /// Every word.
    pub const WORDS: [(&'static str, Self); 3] = [("fail", Self::Fail), ("skip", Self::Skip), ("update", Self::Update)];
}

/// What becomes of the others where some rows do not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnError {
    /// Nothing is written.
    #[default]
    Abort,
    /// The others are written, and those that do not fit are kept to be mended.
    Skip,
}

/// The parameters of an import.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ImportQuery {
    /// How the rows are written; what the file looks like, where it is left out.
    #[serde(skip)]
    pub format: Option<RowFormat>,
    /// Nothing is written; what would be is told.
    pub dry_run: bool,
    /// The field by which rows find records that are there: a unique one, or `id`.
    pub key: Option<String>,
    /// What becomes of a row that finds one.
    pub on_conflict: OnConflict,
    /// What becomes of the others where some rows do not fit.
    pub on_error: OnError,
    /// Members by headings, or nothing for headings that are left out.
    pub map: Vec<(String, Option<String>)>,
    /// The encoding of the text, by its name on the web; what it looks like, where it is left out.
    pub encoding: Option<String>,
    /// What stands between cells; what it looks like, where it is left out.
    pub delimiter: Option<char>,
    /// A comma stands before decimals, and points or spaces between thousands.
    pub decimal_comma: bool,
    /// How days and moments are written beside the usual ways: `DD.MM.YYYY`, `%d.%m.%Y %H:%M`.
    pub dates: Vec<String>,
    /// It comes from a spreadsheet program, with marks before what would be formulas.
    pub spreadsheet: bool,
    /// Empty cells are null where a field may be, in quotation marks too.
    pub empty_is_null: bool,
}

fn flag(value: &str) -> Result<bool, &'static str> {
    match value {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err("This is true or false."),
    }
}

/// A delimiter as it is typed.
pub fn parse_delimiter(text: &str) -> Result<char, String> {
    match text {
        "comma" => Ok(','),
        "semicolon" => Ok(';'),
        "tab" | "\\t" => Ok('\t'),
        _ => {
            let mut chars = text.chars();
            match (chars.next(), chars.next()) {
                (Some(c), None) if c.is_ascii() && !matches!(c, '"' | '\n' | '\r') && !c.is_alphanumeric() => Ok(c),
                _ => Err("Use one character, or comma, semicolon or tab.".to_owned()),
            }
        }
    }
}

/// A mapping as it is typed: `Wort=word`, `#1=word` for the first column, or `Notes=` for one that is left out.
pub fn parse_mapping(text: &str) -> Result<(String, Option<String>), String> {
    let (heading, member) =
        text.rsplit_once('=').ok_or("Use heading=field, or heading= for a column that is left out.")?;
    if heading.trim().is_empty() {
        return Err(
            "Say which heading: heading=field. A column without one is called by its position: #1=field.".to_owned()
        );
    }
    Ok((heading.trim().to_owned(), Some(member.trim().to_owned()).filter(|member| !member.is_empty())))
}

impl Query for ImportQuery {
    const READS_FORMAT: bool = true;

    fn from_pairs(pairs: Pairs) -> Result<Self, FieldErrors> {
        let (mut query, mut errors, mut seen) = (Self::default(), FieldErrors::new(), Vec::new());
        for (name, value) in pairs {
            if name != "map" && seen.contains(&name) {
                errors.push(name, invalid("This parameter stands twice."));
                continue;
            }
            let read = match name.as_str() {
                "format" => value.parse().map(|format| query.format = Some(format)),
                "dry_run" => flag(&value).map(|flag| query.dry_run = flag).map_err(str::to_owned),
                "empty" if value == "null" => {
                    query.empty_is_null = true;
                    Ok(())
                }
                "empty" => Err("This is null.".to_owned()),
                "for" if value == "spreadsheet" => {
                    query.spreadsheet = true;
                    Ok(())
                }
                "for" => Err("This is spreadsheet.".to_owned()),
                "key" if value.trim().is_empty() => Err("Name a field.".to_owned()),
                "key" => {
                    query.key = Some(value.trim().to_owned());
                    Ok(())
                }
                "on_conflict" => match OnConflict::WORDS.iter().find(|(word, _)| *word == value) {
                    Some((_, chosen)) => {
                        query.on_conflict = *chosen;
                        Ok(())
                    }
                    None => Err("This is update, skip or fail.".to_owned()),
                },
                "on_error" => match value.as_str() {
                    "abort" => Ok(()),
                    "skip" => {
                        query.on_error = OnError::Skip;
                        Ok(())
                    }
                    _ => Err("This is abort or skip.".to_owned()),
                },
                "map" => parse_mapping(&value).map(|pair| query.map.push(pair)),
                "encoding" => {
                    query.encoding = Some(value);
                    Ok(())
                }
                "delimiter" => parse_delimiter(&value).map(|delimiter| query.delimiter = Some(delimiter)),
                "decimal" => match value.as_str() {
                    "point" => Ok(()),
                    "comma" => {
                        query.decimal_comma = true;
                        Ok(())
                    }
                    _ => Err("This is point or comma.".to_owned()),
                },
                "dates" => {
                    query.dates = value.split(',').map(|form| form.trim().to_owned()).collect();
                    if query.dates.iter().any(String::is_empty) {
                        Err("Give a format such as DD.MM.YYYY.".to_owned())
                    } else {
                        Ok(())
                    }
                }
                _ => {
                    errors.push(name, unknown_parameter());
                    continue;
                }
            };
            if let Err(message) = read {
                errors.push(name.clone(), invalid(message));
            }
            seen.push(name);
        }
        if query.on_conflict != OnConflict::Fail && query.key.is_none() && errors.is_empty() {
            errors.push("key", invalid("Say by which field rows find records that are there: a unique one, or id."));
        }
        errors.or(query)
    }

    fn to_pairs(&self) -> Pairs {
        let mut pairs = Pairs::new();
        let mut push = |name: &str, value: String| pairs.push((name.to_owned(), value));
        if let Some(format) = self.format {
            push("format", format.to_string());
        }
        if self.dry_run {
            push("dry_run", "true".to_owned());
        }
        if let Some(key) = &self.key {
            push("key", key.clone());
        }
        if let Some((word, _)) = OnConflict::WORDS.iter().skip(1).find(|(_, conflict)| *conflict == self.on_conflict) {
            push("on_conflict", (*word).to_owned());
        }
        if self.on_error == OnError::Skip {
            push("on_error", "skip".to_owned());
        }
        for (heading, member) in &self.map {
            push("map", format!("{heading}={}", member.as_deref().unwrap_or_default()));
        }
        if let Some(encoding) = &self.encoding {
            push("encoding", encoding.clone());
        }
        if let Some(delimiter) = self.delimiter {
            push("delimiter", delimiter.to_string());
        }
        if self.decimal_comma {
            push("decimal", "comma".to_owned());
        }
        if !self.dates.is_empty() {
            push("dates", self.dates.join(","));
        }
        if self.spreadsheet {
            push("for", "spreadsheet".to_owned());
        }
        if self.empty_is_null {
            push("empty", "null".to_owned());
        }
        pairs
    }
}

/// One fault of one row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RowFault {
    /// The row, as a spreadsheet counts it: the one under the headings is 2. In JSON the first is 1.
    pub row: u64,
    /// The field; `non_field_errors` for the row as a whole.
    pub field: String,
    /// What is wrong, for programs.
    pub code: String,
    /// What is wrong, for people.
    pub message: String,
}

impl fmt::Display for RowFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "row {}, {}: {}", self.row, self.field, self.message)
    }
}

/// How a file was read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReadAs {
    /// `csv`, `tsv`, `json` or `ndjson`.
    pub format: String,
    /// The encoding, by its name on the web: `UTF-8`, `windows-1252`.
    pub encoding: String,
    /// What stands between cells; null in JSON.
    pub delimiter: Option<String>,
    /// The columns, and the member that each is; null for one that is left out.
    pub columns: Vec<ColumnAs>,
    /// Rows of a table in which nothing stands, and which are passed over.
    #[serde(default)]
    pub empty: u64,
}

/// What a collection for a file could be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Guess {
    /// A field for each column, of the narrowest type that all of its cells have. A first column without a heading that only counts rows is none, and
    /// neither is one without a heading or a value.
    pub fields: Vec<Field>,
    /// How the file was read; its columns, with the field of each.
    pub read: ReadAs,
}

impl JsonAnswer for Guess {}

/// What a heading was taken for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ColumnAs {
    /// As it stands in the file; the position, `#3`, where none stands there or another column before it has the same.
    pub heading: String,
    /// The member, or null.
    pub member: Option<String>,
}

/// What became of an import, or would.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Import {
    /// The operation that it is: reverting it takes the import back. Null where nothing was written.
    pub operation: Option<OperationId>,
    /// `done`; or `running` or `waiting` where it goes on in the background: `/api/operations/{operation}/` tells how far it is.
    pub state: OperationState,
    /// Nothing was written.
    pub dry_run: bool,
    /// When it began: RFC 3339, UTC.
    #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
    pub started_at: String,
    /// How many rows the file has. A dry run looks at as many of the first as it can in 15 seconds: what it counts are those. 0 while a large
    /// file is still taken apart.
    pub rows: u64,
    /// How many of them were looked at in the background, before the first is written.
    #[serde(default)]
    pub checked: u64,
    /// How many records were made; while it runs, so far.
    pub created: u64,
    /// How many were changed.
    pub updated: u64,
    /// How many said already what their row says, or stayed as `on_conflict` asks.
    pub unchanged: u64,
    /// How many rows do not fit, and were left out.
    pub rejected: u64,
    /// What is wrong with the first of them.
    pub faults: Vec<RowFault>,
    /// How the file was read.
    pub read: ReadAs,
}

impl JsonAnswer for Import {}

impl Import {
    /// How many rows it tells of: all, but for a dry run that had no time for all of them, and an import that goes on.
    pub fn looked_at(&self) -> u64 {
        self.created.saturating_add(self.updated).saturating_add(self.unchanged).saturating_add(self.rejected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::{decode, encode};

    #[test]
    fn a_query_reads_back_as_it_was_written() {
        let raw = "format=csv&dry_run=true&key=word&on_conflict=update&on_error=skip&map=Wort%3Dword&map=a%3Db%3D&encoding=utf-8&delimiter=%3B&decimal=comma&dates=DD.MM.YYYY&for=spreadsheet&empty=null";
        let query = ImportQuery::from_pairs(decode(raw)).unwrap();
        assert_eq!(encode(&query.to_pairs()), raw);
        assert_eq!(query.map, [("Wort".to_owned(), Some("word".to_owned())), ("a=b".to_owned(), None)]);
        assert!(ImportQuery::default().to_pairs().is_empty());
        for bad in [
            "format=xlsx",
            "on_conflict=update",
            "on_conflict=replace&key=a",
            "key=",
            "key=a&key=b",
            "map=x",
            "map=%3Dx",
            "delimiter=ab",
            "delimiter=a",
            "decimal=x",
            "dry_run=maybe",
            "dates=",
            "zzz=1",
        ] {
            assert!(ImportQuery::from_pairs(decode(bad)).is_err(), "{bad}");
        }
    }
}
