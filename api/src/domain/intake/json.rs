//! Rows in JSON: an array of objects, or one object a line. A row is read when its text is whole, by the strict reader of all JSON.

use std::io::{self, BufRead, BufReader, Read};

use base::Charge;
use common::{
    json::{self, Exact},
    record::Record,
};

use super::{MAX_ROW_BYTES, complaint, hold};
use crate::domain::work;

/// What a row takes is charged as often as it is longer by so much.
const STEP: usize = 64 * 1024;
/// What opens and closes a text.
const QUOTE: u8 = 0x22;

/// A row that is no record.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub message: String,
    /// As it stands in the file.
    pub text: String,
}

/// The rows of a file.
pub(super) struct Rows<'a, R> {
    from: BufReader<R>,
    is_array: bool,
    /// The bracket that opens the array was read, and the one that closes it.
    has_begun: bool,
    is_over: bool,
    count: u64,
    held: &'a mut Charge,
}

impl<'a, R: Read> Rows<'a, R> {
    /// Of UTF-8. A row is charged to `held` while it is read, and until the next one is.
    pub(super) fn new(from: R, is_array: bool, held: &'a mut Charge) -> Self {
        Self { from: BufReader::with_capacity(STEP, from), is_array, has_begun: false, is_over: false, count: 0, held }
    }

    /// The text of the next row.
    fn text(&mut self) -> io::Result<Option<Vec<u8>>> {
        if self.is_array { self.item() } else { self.line() }
    }

    fn line(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            let mut line = Vec::new();
            let mut is_whole = false;
            while !is_whole {
                let piece = self.from.fill_buf()?;
                let end = piece.iter().position(|byte| *byte == b'\n').map(|at| at + 1);
                let used = end.unwrap_or(piece.len());
                is_whole = end.is_some() || used == 0;
                line.extend_from_slice(&piece[..used]);
                self.from.consume(used);
                self.is_of(line.len())?;
            }
            if line.is_empty() {
                return Ok(None);
            }
            if !line.trim_ascii().is_empty() {
                return Ok(Some(line));
            }
        }
    }

    /// The next item of the array: up to the comma or bracket behind it, outside of texts and of what nests.
    fn item(&mut self) -> io::Result<Option<Vec<u8>>> {
        if self.is_over {
            return Ok(None);
        }
        let (mut item, mut depth, mut in_text, mut is_escaped) = (Vec::new(), 0_usize, false, false);
        loop {
            let piece = self.from.fill_buf()?;
            if piece.is_empty() {
                return Err(complaint("The array does not end: the file is not whole."));
            }
            let mut used = 0;
            let mut is_whole = false;
            for &byte in piece {
                used += 1;
                if !self.has_begun {
                    match byte {
                        b'[' => self.has_begun = true,
                        byte if byte.is_ascii_whitespace() => {}
                        _ => return Err(complaint("This is no array of objects.")),
                    }
                    continue;
                }
                match byte {
                    _ if is_escaped => is_escaped = false,
                    b'\\' => is_escaped = in_text,
                    QUOTE => in_text = !in_text,
                    _ if in_text => {}
                    b',' if depth == 0 => is_whole = true,
                    b']' if depth == 0 => (is_whole, self.is_over) = (true, true),
                    b'[' | b'{' => depth += 1,
                    b']' | b'}' => depth = depth.saturating_sub(1),
                    _ => {}
                }
                if is_whole {
                    break;
                }
                item.push(byte);
            }
            self.from.consume(used);
            self.is_of(item.len())?;
            if is_whole {
                break;
            }
        }
        if self.is_over {
            let mut rest = Vec::new();
            (&mut self.from).take(1024).read_to_end(&mut rest)?;
            if !rest.trim_ascii().is_empty() {
                return Err(complaint("Something stands behind the array."));
            }
            if item.trim_ascii().is_empty() && self.count == 0 {
                return Ok(None);
            }
        }
        Ok(Some(item))
    }

    /// The row has so many bytes so far.
    fn is_of(&mut self, bytes: usize) -> io::Result<()> {
        if bytes > MAX_ROW_BYTES {
            let mib = MAX_ROW_BYTES / (1024 * 1024);
            return Err(complaint(format!("Row {} is larger than {mib} MiB.", self.count + 1)));
        }
        if bytes > STEP { hold(self.held, bytes) } else { Ok(()) }
    }
}

impl<R: Read> Iterator for Rows<'_, R> {
    /// A record, or what is wrong with the row.
    type Item = io::Result<Result<Record, Wrong>>;

    fn next(&mut self) -> Option<Self::Item> {
        let text = match self.text() {
            Ok(text) => text?,
            Err(error) => return Some(Err(error)),
        };
        self.count += 1;
        // Twice as text, and twice parsed.
        if let Err(error) = hold(self.held, usize::midpoint(text.len(), work::parsed_size(&text))) {
            return Some(Err(error));
        }
        let read = json::parse(text.trim_ascii()).map_err(|error| error.to_string()).and_then(|exact: Exact| {
            if !exact.is_object() {
                return Err(format!("This is {}, and no object.", json::type_name(&exact)));
            }
            serde_json::from_str(&exact.to_text()).map_err(|error| error.to_string())
        });
        // Where one begins and ends cannot be told any more.
        match read {
            Err(message) if self.is_array && message.starts_with("JSON parse error") => {
                Some(Err(complaint(format!("Row {}: {message}", self.count))))
            }
            read => Some(Ok(read
                .map_err(|message| Wrong { message, text: String::from_utf8_lossy(text.trim_ascii()).into_owned() }))),
        }
    }
}

#[cfg(test)]
mod tests;
