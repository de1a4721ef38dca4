//! CSV and TSV by the `csv` crate. It does not tell what stood in quotation marks, and null and the empty text are told apart by that alone; so a
//! letter is put before each cell on its way there, which says so, and is taken off again.

use std::io::{self, Read};

use base::Charge;
use csv::{ByteRecordsIntoIter, ReaderBuilder};

use super::{MAX_COLUMNS, MAX_ROW_BYTES, complaint, hold};

const PIECE: usize = 64 * 1024;
/// What a cell takes beside its text: a quarter of it, since a row is charged four times.
const CELL: usize = 32;
const QUOTED: u8 = b'q';
const BARE: u8 = b'b';

/// One cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cell {
    /// Its text.
    pub text: String,
    /// It stood in quotation marks.
    pub is_quoted: bool,
}

impl Cell {
    /// Nothing stood there.
    pub(super) fn is_nothing(&self) -> bool {
        self.text.is_empty() && !self.is_quoted
    }
}

/// The rows of a table, the headings first.
pub(super) struct Table<'a, R>(ByteRecordsIntoIter<Marked<'a, R>>);

impl<'a, R: Read> Table<'a, R> {
    /// Of UTF-8. A row is charged to `held` while it is read, and until the next one is.
    pub(super) fn new(from: R, delimiter: u8, held: &'a mut Charge) -> Self {
        let marked = Marked {
            from,
            delimiter,
            state: State::Begin,
            input: Vec::new(),
            output: Vec::new(),
            given: 0,
            row: 0,
            cells: 0,
            wide: None,
            rows: 0,
            held,
        };
        let reader = ReaderBuilder::new().delimiter(delimiter).has_headers(false).flexible(true).from_reader(marked);
        Self(reader.into_byte_records())
    }
}

impl<R: Read> Iterator for Table<'_, R> {
    type Item = io::Result<Vec<Cell>>;

    fn next(&mut self) -> Option<Self::Item> {
        let record = match self.0.next()? {
            Ok(record) => record,
            Err(error) => return Some(Err(read_error(error))),
        };
        Some(record.iter().map(cell).collect())
    }
}

fn read_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

fn cell(bytes: &[u8]) -> io::Result<Cell> {
    let (mark, text) = bytes.split_first().unwrap_or((&BARE, &[]));
    let text = String::from_utf8(text.to_vec()).map_err(|_| complaint("A cell is no text."))?;
    Ok(Cell { text, is_quoted: *mark == QUOTED })
}

/// Where in a table a byte stands, as the `csv` crate sees it.
#[derive(Clone, Copy, PartialEq)]
enum State {
    /// At the beginning of a row.
    Begin,
    /// At the beginning of a later cell.
    Cell,
    /// In a cell, outside of quotation marks.
    Bare,
    /// Inside of them.
    Quoted,
    /// Behind a quotation mark inside of them: it is the last, or one of two.
    Closing,
}

struct Marked<'a, R> {
    from: R,
    delimiter: u8,
    state: State,
    input: Vec<u8>,
    output: Vec<u8>,
    given: usize,
    /// Bytes of the row so far, and how many cells end in it.
    row: usize,
    cells: usize,
    /// The first row that has too many.
    wide: Option<u64>,
    rows: u64,
    held: &'a mut Charge,
}

impl<R: Read> Marked<'_, R> {
    fn fill(&mut self) -> io::Result<()> {
        self.input.resize(PIECE, 0);
        let mut input = std::mem::take(&mut self.input);
        let read = self.from.read(&mut input)?;
        // What ends in this piece is prepared before the next one is read.
        let ending: usize = input[..read].iter().map(|byte| usize::from(*byte == self.delimiter)).sum();
        hold(self.held, self.row + read + (self.cells + ending) * CELL)?;
        (self.given, self.row) = (0, self.row + read);
        self.output.clear();
        for &byte in &input[..read] {
            self.push(byte);
        }
        if read == 0 && self.state == State::Cell {
            self.output.push(BARE);
            self.state = State::Bare;
        }
        if read == 0 && self.state == State::Quoted {
            return Err(complaint(format!(
                "A quotation mark in row {} is not closed: the file is not whole, or the mark is text, which is written as two inside of two others.",
                self.rows + 1
            )));
        }
        self.input = input;
        if let Some(row) = self.wide {
            return Err(complaint(format!("Row {row} has more than {MAX_COLUMNS} cells.")));
        }
        if self.row > MAX_ROW_BYTES {
            return Err(complaint(format!(
                "Row {} is larger than {} MiB. Is there a quotation mark that is not closed?",
                self.rows + 1,
                MAX_ROW_BYTES / (1024 * 1024)
            )));
        }
        Ok(())
    }

    fn push(&mut self, byte: u8) {
        let is_end = byte == b'\n' || byte == b'\r';
        if matches!(self.state, State::Begin | State::Cell) {
            let is_empty_line = self.state == State::Begin && is_end;
            if !is_empty_line {
                self.output.extend(if byte == b'"' { &[b'"', QUOTED][..] } else { &[BARE] });
            }
            if byte == b'"' {
                self.state = State::Quoted;
                return;
            }
        }
        self.state = match self.state {
            State::Quoted if byte == b'"' => State::Closing,
            State::Quoted => State::Quoted,
            State::Closing if byte == b'"' => State::Quoted,
            _ if byte == self.delimiter => {
                self.cells += 1;
                if self.cells >= MAX_COLUMNS {
                    self.wide.get_or_insert(self.rows + 1);
                }
                State::Cell
            }
            _ if is_end => {
                (self.row, self.cells, self.rows) = (0, 0, self.rows + 1);
                State::Begin
            }
            _ => State::Bare,
        };
        self.output.push(byte);
    }
}

impl<R: Read> Read for Marked<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.given == self.output.len() {
            self.fill()?;
        }
        let length = out.len().min(self.output.len() - self.given);
        out[..length].copy_from_slice(&self.output[self.given..self.given + length]);
        self.given += length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use base::MemoryBudget;

    use super::*;

    fn held() -> Charge {
        MemoryBudget::unlimited().nothing()
    }

    fn rows(text: &str, delimiter: u8) -> Vec<Vec<String>> {
        let rows: io::Result<Vec<Vec<Cell>>> = Table::new(text.as_bytes(), delimiter, &mut held()).collect();
        let shown = |cell: Cell| if cell.is_quoted { format!("<{}>", cell.text) } else { cell.text };
        rows.unwrap().into_iter().map(|row| row.into_iter().map(shown).collect()).collect()
    }

    #[test]
    fn quoted_cells_are_told_apart_and_read_as_the_crate_reads_them() {
        assert_eq!(rows("a,\"\",\"b\"\"c\",\n", b','), [["a", "<>", "<b\"c>", ""]]);
        assert_eq!(rows("\"two\r\nlines\";x\r\n\r\n\n;\n", b';'), [["<two\r\nlines>", "x"], ["", ""]]);
        assert_eq!(rows("a\"b,\"c\" d,\"e\"f\"\n", b','), [["a\"b", "<c d>", "<ef\">"]]);
        assert_eq!(rows("q,b\nbb,\"q\"", b','), [["q", "b"], ["bb", "<q>"]]);
        assert_eq!(rows("a,", b','), [["a", ""]]);
        assert_eq!(rows("a\rb\r", b','), [["a"], ["b"]]);
        assert!(rows("", b',').is_empty() && rows("\n\n\r\n", b',').is_empty());
        // Cells as the crate has them without the letters.
        for text in ["a,\"b\"\"\"\n\"x\ny\",z\n", "\"a\" ,\" b\"\n", ",,\n\"\",\"\",\n", "é,\"ß\"\n"] {
            let plain = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
            let plain: Vec<Vec<String>> =
                plain.into_records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect();
            let marked: Vec<Vec<String>> = Table::new(text.as_bytes(), b',', &mut held())
                .map(|row| row.unwrap().into_iter().map(|cell| cell.text).collect())
                .collect();
            assert_eq!(marked, plain, "{text:?}");
        }
    }

    #[test]
    fn m1_a_row_has_so_many_cells_and_no_more() {
        let row = |cells: usize| vec!["x"; cells].join(",");
        assert_eq!(rows(&format!("{}\ny\n", row(MAX_COLUMNS)), b',')[0].len(), MAX_COLUMNS);
        for (text, wide) in [
            (row(MAX_COLUMNS + 1), 1),
            (format!("{}\n{}\nx\n", row(3), ",".repeat(MAX_COLUMNS)), 2),
            (format!("x\nx\n{}", row(1_000_000)), 3),
        ] {
            let mut held = held();
            let failed = Table::new(text.as_bytes(), b',', &mut held).find_map(Result::err).unwrap();
            assert_eq!(failed.to_string(), format!("Row {wide} has more than {MAX_COLUMNS} cells."));
        }
        // A delimiter that is text divides nothing.
        assert_eq!(rows(&format!("\"{}\"", ",".repeat(MAX_COLUMNS)), b',').len(), 1);
    }

    #[test]
    fn a_quotation_mark_that_nothing_closes_does_not_take_the_whole_file() {
        let text = format!("a,b\n1,\"{}", "x,y\n".repeat(2 * MAX_ROW_BYTES / 4));
        let failed = Table::new(text.as_bytes(), b',', &mut held()).find_map(Result::err).unwrap();
        assert!(failed.to_string().starts_with("Row 2 is larger"), "{failed}");
        for text in ["a,b\n1,ok\n2,\"open\n3,c\n", "a\nb\n\"", "a,b\n1,2\n\"x\"\"\n"] {
            let failed = Table::new(text.as_bytes(), b',', &mut held()).find_map(Result::err).unwrap();
            assert!(failed.to_string().starts_with("A quotation mark in row 3 is not closed"), "{failed}");
        }
    }
}
