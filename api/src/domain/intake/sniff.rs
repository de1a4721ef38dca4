//! What a file is, told by looking: its kind, its encoding, and what stands between its cells. Whoever sends it may say so instead.

use std::io::{self, Read};

use common::rows::RowFormat;
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::Unreadable;

/// As much is looked at of the beginning.
const HEAD: usize = 64 * 1024;

/// The beginning of a file, and how much of all of it is UTF-8.
pub(super) struct Looked {
    head: Vec<u8>,
    /// Characters of several bytes.
    characters: u64,
    /// Bytes that are part of no character.
    strays: u64,
    /// Where the first of them stands.
    first_stray: u64,
    /// Bytes that are zero.
    zeros: u64,
    length: u64,
}

impl Looked {
    /// Reads a file to its end.
    pub(super) fn at(mut file: impl Read) -> io::Result<Self> {
        let mut looked = Self { head: Vec::new(), characters: 0, strays: 0, first_stray: 0, zeros: 0, length: 0 };
        let (mut buffer, mut kept, mut at) = (vec![0; HEAD], 0, 0);
        loop {
            let read = file.read(&mut buffer[kept..])?;
            let end = kept + read;
            let room = HEAD - looked.head.len();
            looked.head.extend(buffer[kept..end].iter().take(room));
            looked.zeros += zeros_in(&buffer[kept..end]);
            looked.length += read as u64;
            let taken = looked.count(&buffer[..end], at, read == 0);
            buffer.copy_within(taken..end, 0);
            kept = end - taken;
            at += taken as u64;
            if read == 0 {
                return Ok(looked);
            }
        }
    }

    /// Counts in a piece that begins `at` so many bytes. Gives how many bytes were looked at: a character may go on in the next piece.
    fn count(&mut self, piece: &[u8], at: u64, is_end: bool) -> usize {
        let mut taken = 0;
        loop {
            let (valid, strays) = match std::str::from_utf8(&piece[taken..]) {
                Ok(text) => (text.len(), 0),
                Err(error) if error.error_len().is_none() && !is_end => (error.valid_up_to(), 0),
                Err(error) => {
                    let rest = piece.len() - taken - error.valid_up_to();
                    (error.valid_up_to(), error.error_len().unwrap_or(rest))
                }
            };
            let begins = piece[taken..taken + valid].iter().filter(|byte| **byte >= 0xc0).count();
            self.characters += begins as u64;
            taken += valid;
            if strays == 0 {
                return taken;
            }
            if self.strays == 0 {
                self.first_stray = at + taken as u64;
            }
            self.strays += strays as u64;
            taken += strays;
        }
    }

    /// What is no text at all is refused with what to do instead. `named` is the encoding where that was said.
    pub(super) fn refuse_others(&self, named: Option<&'static Encoding>) -> Result<(), Unreadable> {
        let encoding = named.unwrap_or_else(|| self.encoding());
        let begins = |bytes: &[u8]| self.head.starts_with(bytes);
        let message = if begins(b"PK\x03\x04") {
            "This is a workbook (.xlsx) or another packed file. In the spreadsheet program choose Save as, CSV UTF-8, and send that."
        } else if begins(b"\xd0\xcf\x11\xe0") {
            "This is an old workbook (.xls). In the spreadsheet program choose Save as, CSV UTF-8, and send that."
        } else if begins(b"\x1f\x8b") || begins(b"BZh") || begins(b"\xfd7zXZ") || begins(b"\x28\xb5\x2f\xfd") {
            "This is compressed. Unpack it first, and send the text."
        } else if begins(b"%PDF") {
            "This is a PDF, which has no rows. Send CSV or JSON."
        } else if self.is_utf_32() {
            "This is UTF-32, which is not read. Save it as UTF-8."
        } else if (encoding == UTF_8 && self.head.contains(&0))
            || (!is_utf_16(encoding) && encoding != UTF_8 && self.zeros > 0)
        {
            "This is no text: it has zero bytes in it. If it is UTF-16, save it as UTF-8, or say so: encoding=utf-16le, or utf-16be."
        } else {
            return Ok(());
        };
        Err(Unreadable::whole(message))
    }

    /// Nothing is in it.
    pub(super) fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Whether it looks like UTF-32: by its mark, or since three of four bytes are zero.
    fn is_utf_32(&self) -> bool {
        let head = &self.head[..self.head.len().min(1024) & !3];
        let is_zero = |at: usize| !head.is_empty() && head.iter().skip(at).step_by(4).all(|byte| *byte == 0);
        let is_marked = head.starts_with(b"\xff\xfe\0\0") || head.starts_with(b"\0\0\xfe\xff");
        // Of three zeros beside each other the outer two would be half of a letter in UTF-16.
        is_marked || (is_zero(2) && is_zero(3) && is_zero(1)) || (is_zero(0) && is_zero(1) && is_zero(2))
    }

    /// The encoding: what a byte order mark says, UTF-16 where zero bytes stand as they do in that, UTF-8 where it is, or else Windows-1252.
    pub(super) fn encoding(&self) -> &'static Encoding {
        if let Some((encoding, _)) = Encoding::for_bom(&self.head) {
            return encoding;
        }
        match self.utf_16() {
            Some(encoding) => encoding,
            None if self.strays == 0 => UTF_8,
            None => WINDOWS_1252,
        }
    }

    /// Which UTF-16 it is, where it is one without a mark. Every table has delimiters and ends of lines, whose zero bytes stand on one side of each pair of
    /// bytes, whatever script the rest is in: it is read both ways, and the one that has no nonsense and more ASCII is taken.
    fn utf_16(&self) -> Option<&'static Encoding> {
        let head = &self.head[..self.head.len() & !1];
        let zeros = zeros_in(head);
        // In text of one byte a letter, zeros are errors.
        let is_of_bytes = self.strays == 0
            && zeros * 5 <= head.len() as u64
            && !head.iter().any(|byte| is_nonsense(u32::from(*byte)) && *byte != 0);
        if zeros == 0 || is_of_bytes || self.length % 2 == 1 {
            return None;
        }
        let little = ascii_in(head.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])));
        let big = ascii_in(head.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])));
        match (little.unwrap_or(0), big.unwrap_or(0)) {
            (little, big) if little > big => Some(UTF_16LE),
            (little, big) if big > little => Some(UTF_16BE),
            _ => None,
        }
    }

    /// Refuses what is UTF-8 but for a few bytes: read as anything else, all other letters beyond ASCII would be wrong ones.
    pub(super) fn refuse_mixed(&self) -> Result<(), Unreadable> {
        if self.encoding() != WINDOWS_1252 || self.characters < self.strays {
            return Ok(());
        }
        Err(Unreadable::whole(format!(
            "The file is UTF-8 but for some bytes, the first of them after {} others. Save it as UTF-8 anew, or say which encoding it has: encoding=….",
            self.first_stray
        )))
    }

    /// The beginning as text.
    pub(super) fn text(&self, encoding: &'static Encoding) -> String {
        encoding.decode(&self.head).0.into_owned()
    }
}

fn zeros_in(bytes: &[u8]) -> u64 {
    bytes.iter().map(|byte| u64::from(*byte == 0)).sum()
}

fn is_utf_16(encoding: &'static Encoding) -> bool {
    encoding == UTF_16LE || encoding == UTF_16BE
}

/// How many characters are ASCII; `None` where some are none, or stand in no text. The last may be cut off.
fn ascii_in(units: impl ExactSizeIterator<Item = u16>) -> Option<usize> {
    let (mut left, mut ascii) = (units.len(), 0);
    for character in char::decode_utf16(units) {
        left = left.saturating_sub(1);
        match character {
            Ok(c) if is_nonsense(u32::from(c)) => return None,
            Ok(c) => {
                left = left.saturating_sub(c.len_utf16() - 1);
                ascii += usize::from(c.is_ascii());
            }
            Err(_) if left == 0 => {}
            Err(_) => return None,
        }
    }
    Some(ascii)
}

/// Control characters that no text has, and what is no character.
fn is_nonsense(character: u32) -> bool {
    (character < 0x20 && !matches!(character, 0x09..=0x0d))
        || character & 0xfffe == 0xfffe
        || (0xfdd0..=0xfdef).contains(&character)
}

/// The format of a text by its beginning, and for a table what stands between its cells.
pub(super) fn format_of(text: &str) -> (RowFormat, u8) {
    match text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']).chars().next() {
        Some('[') => (RowFormat::Json, b','),
        Some('{') => (RowFormat::JsonLines, b','),
        _ => match delimiter_of(text) {
            b'\t' => (RowFormat::Tsv, b'\t'),
            other => (RowFormat::Csv, other),
        },
    }
}

/// What a first line says of spreadsheet programs' own: `sep=;`.
pub(super) fn told_delimiter(text: &str) -> Option<u8> {
    let line = text.trim_start_matches('\u{feff}').lines().next()?;
    let told = line.trim_matches('"').strip_prefix("sep=")?;
    told.as_bytes().first().copied().filter(|_| told.len() == 1)
}

/// What may stand between cells.
const KNOWN: [char; 4] = [',', ';', '\t', '|'];

/// What stands between the cells of a text: what comes most often in its first line, outside of quotation marks.
pub(super) fn delimiter_of(text: &str) -> u8 {
    if let Some(told) = told_delimiter(text) {
        return told;
    }
    let (mut counts, mut in_quotes) = ([0; 4], false);
    for c in text.trim_start_matches(['\u{feff}', '\r', '\n']).chars() {
        match c {
            '"' => in_quotes = !in_quotes,
            '\n' | '\r' if !in_quotes => break,
            c if !in_quotes => {
                if let Some(known) = KNOWN.iter().position(|known| *known == c) {
                    counts[known] += 1;
                }
            }
            _ => {}
        }
    }
    // Of several that are as frequent the first.
    let best = (0..KNOWN.len()).rev().max_by_key(|at| counts[*at]).unwrap_or(0);
    u8::try_from(KNOWN[best]).unwrap_or(b',')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looked(bytes: &[u8]) -> Looked {
        Looked::at(bytes).unwrap()
    }

    #[test]
    fn encodings_are_told_by_their_bytes() {
        let utf_16 = |text: &str, to: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(to).collect::<Vec<u8>>();
        for (bytes, name) in [
            (b"word,meaning".to_vec(), "UTF-8"),
            ("Größe;ß".as_bytes().to_vec(), "UTF-8"),
            ("\u{feff}Größe".as_bytes().to_vec(), "UTF-8"),
            (b"Gr\xf6\xdfe;\x80".to_vec(), "windows-1252"),
            (utf_16("\u{feff}Größe\tx", u16::to_le_bytes), "UTF-16LE"),
            (utf_16("\u{feff}Größe\tx", u16::to_be_bytes), "UTF-16BE"),
            (utf_16("Groesse\tx", u16::to_le_bytes), "UTF-16LE"),
            (utf_16("Groesse\tx", u16::to_be_bytes), "UTF-16BE"),
            (b"a,b\0cd".to_vec(), "UTF-8"),
            (b"Gr\xf6\xdfe\0;b".to_vec(), "windows-1252"),
        ] {
            assert_eq!(looked(&bytes).encoding().name(), name, "{bytes:?}");
        }
        // Whatever script it is, and where letters have a zero byte on the other side.
        for text in [
            "a;b\nДа;Нет\nМир;Лес\n",
            "a;b\n日本;中国\n",
            "a;b\nZoë;😀\n",
            "a,b\n1,\"日本,語\"\n",
            "имя;город\r\nДа;Нет\r\n",
            "όνομα,πόλη\nΖωή,Αθήνα\n",
            "שם;עיר\n",
            "一;丁\n",
            "Ā;Ȁ\n一一一一\n",
            "名\n",
            "x\n",
        ] {
            for (to, name) in [(u16::to_le_bytes as fn(u16) -> [u8; 2], "UTF-16LE"), (u16::to_be_bytes, "UTF-16BE")] {
                let bytes = utf_16(&text.repeat(1 + 3 * HEAD / text.len()), to);
                for bytes in [&bytes[..], &utf_16(text, to)] {
                    assert_eq!(looked(bytes).encoding().name(), name, "{text:?}");
                    assert!(looked(bytes).refuse_others(None).is_ok(), "{text:?}");
                }
            }
        }
        // It is believed where it is said.
        let cut = utf_16("名😀", u16::to_le_bytes);
        assert!(looked(&cut).refuse_others(Some(UTF_16LE)).is_ok());
        assert!(looked(b"a\0b\0").refuse_others(Some(WINDOWS_1252)).is_err());
        // Far behind what is looked at, and across two pieces.
        let mut long = vec![b'a'; 3 * HEAD - 1];
        long.extend("é".as_bytes());
        assert_eq!(looked(&long).encoding().name(), "UTF-8");
        assert!(looked(&long).refuse_mixed().is_ok());
        long.push(0xe9);
        assert_eq!(looked(&long).encoding().name(), "windows-1252");
        assert!(looked(&long).refuse_mixed().is_err());
        let mixed = [&b"M\xfcller, "[..], "Müller, Größe".as_bytes()].concat();
        let Err(Unreadable::File(errors)) = looked(&mixed).refuse_mixed() else { panic!("it is taken") };
        assert!(errors.in_words().contains("after 1 others"), "{}", errors.in_words());
        // A pair of letters that happens to be a character.
        assert!(looked(b"\xc3\xbc and M\xfcller and Gr\xf6\xdfe").refuse_mixed().is_ok());
    }

    #[test]
    fn what_is_no_text_is_refused_with_what_to_do() {
        for (bytes, word) in [
            (&b"PK\x03\x04rest"[..], ".xlsx"),
            (b"\xd0\xcf\x11\xe0rest", ".xls"),
            (b"\x1f\x8brest", "Unpack"),
            (b"\xff\xfe\0\0a\0\0\0", "UTF-32"),
            (b"\0\0\xfe\xff\0\0\0a", "UTF-32"),
            (b"a\0\0\0,\0\0\0", "UTF-32"),
            (b"\0\0\0a\0\0\0,", "UTF-32"),
            (b"a,b\0c", "zero bytes"),
            (b"M\xfcller\0", "encoding=utf-16le"),
        ] {
            let Err(Unreadable::File(errors)) = looked(bytes).refuse_others(None) else { panic!("{bytes:?}") };
            assert!(errors.in_words().contains(word), "{errors:?}");
        }
        assert!(looked(b"a,b\n").refuse_others(None).is_ok());
    }

    #[test]
    fn delimiters_are_told_by_the_first_line() {
        for (text, delimiter) in [
            ("a,b,c\n1;2;3;4;5\n", b','),
            ("a;b\n", b';'),
            ("a\tb,c\td\n", b'\t'),
            ("\"x,y,z\";b;c\n", b';'),
            ("\"two\nlines,\";b\n", b';'),
            ("sep=;\na,b,c\n", b';'),
            ("\u{feff}sep=|\na,b\n", b'|'),
            ("single\n", b','),
            ("", b','),
        ] {
            assert_eq!(delimiter_of(text), delimiter, "{text:?}");
        }
        assert_eq!(format_of(" \n[{}]").0, RowFormat::Json);
        assert_eq!(format_of("{\"a\":1}\n").0, RowFormat::JsonLines);
        assert_eq!(format_of("a\tb\n").0, RowFormat::Tsv);
    }
}
