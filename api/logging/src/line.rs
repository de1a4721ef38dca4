//! An event as a line. Whatever is in it, it stays one line, in which no value can pass for another (CWE-117): control and
//! direction characters, quotes and backslashes are escaped, in both formats alike.

use std::fmt::{self, Write as _};

use base::Clock;
use time::OffsetDateTime;
use tracing::{
    Level,
    field::{Field, Visit},
};

/// What a line looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people: a time, a level, the message, `key=value`.
    Text,
    /// For programs: one object, all members on one level.
    Json,
}

/// How lines are made.
#[derive(Debug, Clone)]
pub(super) struct Lines {
    format: Format,
    clock: Clock,
}

impl Lines {
    pub(super) fn new(format: Format, clock: Clock) -> Self {
        Self { format, clock }
    }

    /// Whether lines are for people.
    pub(super) fn is_text(&self) -> bool {
        self.format == Format::Text
    }

    /// The same lines, for people.
    pub(super) fn as_text(&self) -> Self {
        Self { format: Format::Text, clock: self.clock.clone() }
    }

    /// The moment of a line for people, and what it says behind its level.
    pub(super) fn parts(line: &[u8]) -> Option<(&str, &str)> {
        let line = std::str::from_utf8(line).ok()?;
        let (at, rest) = line.split_at_checked(MOMENT)?;
        Some((at, rest.get(LEVEL..)?.trim()))
    }

    /// A line that says how many others are missing.
    pub(super) fn report_loss(&self, line: &mut Vec<u8>, lost: u64) {
        let mut fields = self.begin(line, Level::WARN, module_path!());
        fields.text("message", "lines of the log were dropped: whoever reads it is too slow");
        fields.plain("lines", itoa::Buffer::new().format(lost));
        self.end(line);
    }

    /// Begins a line: its time, level and target.
    pub(super) fn begin<'a>(&self, line: &'a mut Vec<u8>, level: Level, target: &str) -> Fields<'a> {
        let json = self.format == Format::Json;
        if json {
            line.extend_from_slice(b"{\"timestamp\":\"");
        }
        put_time(line, self.clock.now());
        let mut fields = Fields { line, json };
        if json {
            fields.line.push(b'"');
            fields.text("level", level.as_str());
            fields.text("target", target);
        } else {
            let _ = write!(Raw(fields.line), " {:>5}", level.as_str());
        }
        fields
    }

    /// Ends a line.
    pub(super) fn end(&self, line: &mut Vec<u8>) {
        line.extend_from_slice(if self.format == Format::Json { b"}\n" } else { b"\n" });
    }
}

/// Characters of a line's moment.
const MOMENT: usize = 27;
/// Characters of its level, and of the space before it.
const LEVEL: usize = 6;

/// `2026-11-22T18:29:25.123456Z`
fn put_time(line: &mut Vec<u8>, now: OffsetDateTime) {
    // Of a number its last two digits.
    let mut put = |number: u32, after: &[u8]| {
        let [tens, ones] = [number / 10 % 10, number % 10].map(|digit| b'0' + u8::try_from(digit).unwrap_or_default());
        line.extend_from_slice(&[tens, ones]);
        line.extend_from_slice(after);
    };
    let (year, micros) = (now.year().unsigned_abs(), now.microsecond());
    put(year / 100, b"");
    put(year, b"-");
    put(u8::from(now.month()).into(), b"-");
    put(now.day().into(), b"T");
    put(now.hour().into(), b":");
    put(now.minute().into(), b":");
    put(now.second().into(), b".");
    put(micros / 10_000, b"");
    put(micros / 100, b"");
    put(micros, b"Z");
}

/// The fields of one line, as they are written.
pub(super) struct Fields<'a> {
    line: &'a mut Vec<u8>,
    json: bool,
}

impl Fields<'_> {
    /// The field's name, and what separates it from the field before and from its value.
    fn name(&mut self, name: &str) {
        if self.json {
            self.line.extend_from_slice(b",\"");
            let _ = Escaped(self.line).write_str(name);
            self.line.extend_from_slice(b"\":");
        } else if name == "message" {
            self.line.push(b' ');
        } else {
            self.line.push(b' ');
            let _ = Escaped(self.line).write_str(name);
            self.line.push(b'=');
        }
    }

    /// A value that could be anything.
    fn text(&mut self, name: &str, value: impl fmt::Display) {
        self.name(name);
        let start = self.line.len();
        if self.json {
            self.line.push(b'"');
        }
        let _ = write!(Escaped(self.line), "{value}");
        let is_plain = |value: &[u8]| !value.is_empty() && ![b' ', b'=', b'\\'].iter().any(|byte| value.contains(byte));
        if self.json {
            self.line.push(b'"');
        } else if name != "message" && !is_plain(&self.line[start..]) {
            self.line.insert(start, b'"');
            self.line.push(b'"');
        }
    }

    /// A text that needs no escapes, and no quotes where the line is text.
    pub(super) fn plain_text(&mut self, name: &str, value: &str) {
        self.name(name);
        let quote: &[u8] = if self.json { b"\"" } else { b"" };
        self.line.extend_from_slice(quote);
        self.line.extend_from_slice(value.as_bytes());
        self.line.extend_from_slice(quote);
    }

    /// A value that needs no quotes and no escapes.
    fn plain(&mut self, name: &str, value: &str) {
        self.name(name);
        self.line.extend_from_slice(value.as_bytes());
    }
}

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // What the `log` crate's events carry about themselves; their level and message are here already.
        if !field.name().starts_with("log.") {
            self.text(field.name(), format_args!("{value:?}"));
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        // Most are: ids, words of the program, addresses. They need no escapes, and as text no quotes.
        let is_bare =
            !value.is_empty() && all(value, |byte| matches!(byte, b'!' | b'#'..=b'<' | b'>'..=b'[' | b']'..=b'~'));
        match field.name() {
            name if name.starts_with("log.") => {}
            name if is_bare => self.plain_text(name, value),
            name => self.text(name, value),
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if value.is_finite() {
            self.name(field.name());
            let _ = write!(Raw(self.line), "{value}");
        } else {
            self.text(field.name(), value);
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.plain(field.name(), itoa::Buffer::new().format(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() != "log.line" {
            self.plain(field.name(), itoa::Buffer::new().format(value));
        }
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.plain(field.name(), if value { "true" } else { "false" });
    }
}

/// Whether all bytes are so. It looks at each of them in any case, which the compiler turns into a few wide instructions.
fn all(text: &str, is_so: impl Fn(u8) -> bool) -> bool {
    text.bytes().fold(true, |all, byte| all & is_so(byte))
}

/// Writes text as it is.
struct Raw<'a>(&'a mut Vec<u8>);

impl fmt::Write for Raw<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

/// Writes text with JSON's escapes for everything that is not safe to show on one line.
struct Escaped<'a>(&'a mut Vec<u8>);

impl fmt::Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if all(text, |byte| matches!(byte, b' ' | b'!' | b'#'..=b'[' | b']'..=b'~')) {
            self.0.extend_from_slice(text.as_bytes());
            return Ok(());
        }
        for c in text.chars() {
            match c {
                '"' | '\\' => {
                    self.0.push(b'\\');
                    self.0.push(c as u8);
                }
                '\n' => self.0.extend_from_slice(b"\\n"),
                '\r' => self.0.extend_from_slice(b"\\r"),
                '\t' => self.0.extend_from_slice(b"\\t"),
                // Some viewers begin a new line at these two.
                c if common::text::is_unsafe(c) || matches!(c, '\u{2028}' | '\u{2029}') => {
                    write!(Raw(self.0), "\\u{:04x}", u32::from(c))?;
                }
                c => self.0.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn line(format: Format, write: impl Fn(&mut Fields)) -> String {
        let lines = Lines::new(format, Clock::held(1_800_000_000).0);
        let mut line = Vec::new();
        write(&mut lines.begin(&mut line, Level::INFO, "coffer::access"));
        lines.end(&mut line);
        String::from_utf8(line).unwrap()
    }

    const HOSTILE: &str = "ada\nroot=1 \"ok\"\r\t\\\u{1b}[2J\u{202e}\u{2028}\u{85}\0é";

    #[test]
    fn l2_a_line_stays_one_line_whatever_is_in_it() {
        let text = line(Format::Text, |fields| {
            fields.text("message", HOSTILE);
            fields.text("user", HOSTILE);
            fields.text("plain", "ada");
            fields.text("empty", "");
            fields.plain("status", "200");
        });
        let shown = r#"ada\nroot=1 \"ok\"\r\t\\\u001b[2J\u202e\u2028\u0085\u0000é"#;
        let expected =
            format!("2027-01-15T08:00:00.000000Z  INFO {shown} user=\"{shown}\" plain=ada empty=\"\" status=200\n");
        assert_eq!(text, expected);
    }

    #[test]
    fn l2_json_lines_give_back_what_was_written() {
        let text = line(Format::Json, |fields| {
            fields.text("message", HOSTILE);
            fields.text(HOSTILE, "odd");
            fields.plain("status", "200");
        });
        assert_eq!(text.lines().count(), 1);
        assert!(!text.trim_end().contains(char::is_control), "{text:?}");
        let read: Value = serde_json::from_str(&text).unwrap();
        let expected = json!({
            "timestamp": "2027-01-15T08:00:00.000000Z", "level": "INFO", "target": "coffer::access",
            "message": HOSTILE, HOSTILE: "odd", "status": 200
        });
        assert_eq!(read, expected);
    }
}
