//! Records as files: which formats there are, and what is asked of an export.

use std::{fmt, str::FromStr};

use serde_json::Value;

use crate::{
    answer::{Answer, AnswerKind, Streamed},
    problem::FieldErrors,
    query::{ListQuery, Pairs, Query, unknown_parameter},
    reader::invalid,
};

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RowFormat {
    /// Cells with commas between them (RFC 4180).
    Csv,
    /// Cells with tabs between them, quoted as in CSV.
    Tsv,
    /// One JSON array of objects.
    #[default]
    Json,
    /// One JSON object a line.
    JsonLines,
}

impl RowFormat {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Csv, Self::Tsv, Self::Json, Self::JsonLines];

    /// The word in `format`, which is the end of a file's name too.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Tsv => "tsv",
            Self::Json => "json",
            Self::JsonLines => "ndjson",
        }
    }

    /// The `Content-Type`.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Tsv => "text/tab-separated-values; charset=utf-8",
            Self::Json => "application/json",
            Self::JsonLines => "application/x-ndjson",
        }
    }

    /// Whether it has cells under headings.
    pub const fn is_table(self) -> bool {
        matches!(self, Self::Csv | Self::Tsv)
    }
}

impl fmt::Display for RowFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for RowFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "jsonl" | "jsonlines" => Ok(Self::JsonLines),
            _ => {
                Self::ALL.into_iter().find(|format| format.word() == text).ok_or("Use csv, tsv, json or ndjson.".into())
            }
        }
    }
}

/// The parameters of an export: which records, and how they are written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExportQuery {
    /// Which records, in which order, and what of them.
    pub records: ListQuery,
    /// How they are written; [`RowFormat::Json`], or what `Accept` says, where it is left out.
    pub format: Option<RowFormat>,
    /// For a spreadsheet program: what it would take for a formula is marked as text.
    pub spreadsheet: bool,
}

impl Query for ExportQuery {
    const READS_FORMAT: bool = true;

    fn from_pairs(pairs: Pairs) -> Result<Self, FieldErrors> {
        let (mut query, mut errors, mut rest) = (Self::default(), FieldErrors::new(), Pairs::new());
        for (name, value) in pairs {
            match name.as_str() {
                "format" => match value.parse() {
                    Ok(format) => query.format = Some(format),
                    Err(message) => errors.push(name, invalid(message)),
                },
                "for" if value == "spreadsheet" => query.spreadsheet = true,
                "for" => {
                    errors.push(name, invalid("This is spreadsheet. A field of this name is filtered by for__exact."));
                }
                // All rows are sent, and nothing beside them.
                "page" | "page_size" | "limit" | "offset" | "cursor" | "facets" | "explain" | "highlight" | "named"
                | "count" | "left_join" => {
                    errors.push(name, unknown_parameter());
                }
                _ => rest.push((name, value)),
            }
        }
        match ListQuery::from_pairs(rest) {
            Ok(records) => query.records = records,
            Err(wrong) => errors.append(wrong),
        }
        if query.spreadsheet && query.format.is_some_and(|format| !format.is_table()) {
            errors.push("for", invalid("A spreadsheet reads csv or tsv."));
        }
        errors.or(query)
    }

    fn to_pairs(&self) -> Pairs {
        let mut pairs = self.records.to_pairs();
        if let Some(format) = self.format {
            pairs.push(("format".to_owned(), format.to_string()));
        }
        if self.spreadsheet {
            pairs.push(("for".to_owned(), "spreadsheet".to_owned()));
        }
        pairs
    }
}

/// Rows, made while they are sent. Clients take them from their transport as they come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {}

impl Answer for Rows {
    const KIND: AnswerKind = AnswerKind::File;
    const MEDIA_TYPE: &'static str = RowFormat::Json.media_type();

    fn to_bytes(&self) -> serde_json::Result<Vec<u8>> {
        match *self {}
    }

    fn from_bytes(_: &[u8]) -> serde_json::Result<Self> {
        Err(serde::de::Error::custom("a file is not read as a whole"))
    }

    #[cfg(feature = "schema")]
    fn schema(_: &mut schemars::SchemaGenerator) -> Option<schemars::Schema> {
        Some(schemars::json_schema!({"type": "array", "items": {"type": "object"}}))
    }
}

impl Streamed for Rows {}

/// Rows as CSV, and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cells {}

impl Answer for Cells {
    const KIND: AnswerKind = AnswerKind::File;
    const MEDIA_TYPE: &'static str = RowFormat::Csv.media_type();

    fn to_bytes(&self) -> serde_json::Result<Vec<u8>> {
        match *self {}
    }

    fn from_bytes(_: &[u8]) -> serde_json::Result<Self> {
        Err(serde::de::Error::custom("a file is not read as a whole"))
    }

    #[cfg(feature = "schema")]
    fn schema(_: &mut schemars::SchemaGenerator) -> Option<schemars::Schema> {
        Some(schemars::json_schema!({"type": "string"}))
    }
}

impl Streamed for Cells {}

/// What a spreadsheet program takes for the beginning of a formula (OWASP, CSV injection), in half and full width.
const FORMULA: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
/// What is no text that people begin with.
const BREAKS: [char; 3] = ['\t', '\r', '\n'];

/// Whether a spreadsheet program would take a text for a formula, or for one that was marked before. Some look for one behind white space, and behind
/// characters that nobody sees.
pub fn looks_like_formula(text: &str) -> bool {
    text.trim_start_matches('\'').starts_with(BREAKS)
        || text.trim_start_matches(|c| c == '\'' || is_unseen(c)).starts_with(FORMULA)
}

/// White space, control characters, and those that say only how others are shown.
fn is_unseen(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Takes the mark off a text that an export for a spreadsheet marked.
pub fn unmarked(text: &str) -> &str {
    text.strip_prefix('\'').filter(|rest| looks_like_formula(rest)).unwrap_or(text)
}

/// A member's value as a cell; `None` for null. `digits` is its JSON text, where that says more. What is `json` is written as JSON, texts too.
pub fn cell(value: &Value, digits: Option<&str>, is_json: bool) -> Option<String> {
    match (value, digits) {
        (Value::Null, _) => None,
        (Value::String(text), _) if !is_json => Some(text.clone()),
        (_, Some(digits)) => Some(digits.to_owned()),
        (value, None) => Some(value.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::{decode, encode};

    #[test]
    fn a_query_reads_back_as_it_was_written() {
        let raw = "price__gte=3&ordering=-price&fields=title&expand=maker&format=csv&for=spreadsheet";
        let query = ExportQuery::from_pairs(decode(raw)).unwrap();
        assert_eq!(encode(&query.to_pairs()), raw);
        assert!(ExportQuery::default().to_pairs().is_empty());
        for bad in ["format=xlsx", "page=2", "limit=3", "cursor=", "for=excel", "format=ndjson&for=spreadsheet"] {
            assert!(ExportQuery::from_pairs(decode(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_mark_comes_off_as_it_was_put_on() {
        let hidden = [
            " =1",
            "\u{a0}=1",
            "\u{3000}+1",
            "\u{b}-1",
            "\0@a",
            "\u{feff}=1",
            "\u{200b}=1",
            " '=1",
            "' =1",
            "\u{85}\u{2028}＝1",
        ];
        let formulas = ["=1+1", "'=1", "''+x", "-3", "@a", "\tx", "＝1", "\t=1", "\r\n=1"];
        for text in hidden.into_iter().chain(formulas) {
            assert!(looks_like_formula(text), "{text:?}");
            assert_eq!(unmarked(&format!("'{text}")), text);
        }
        for text in ["plain", "'plain", " plain", "' plain", "'", "", "  ", "it's = it", "1 =1"] {
            assert!(!looks_like_formula(text), "{text:?}");
            assert_eq!(unmarked(text), text);
        }
    }
}
