//! `coffer list`: rows as they come. The server writes them in one pass over one state of its store, so that a list of many pages leaves nothing out
//! and has nothing twice.

use std::io::{self, BufWriter, ErrorKind, Write};

use anyhow::Result;
use common::{
    Call,
    endpoints::{collections, records},
    query::ListQuery,
    record::Record,
    rows::{ExportQuery, RowFormat},
};

use super::{
    arguments::List,
    cells::{self, Table},
    form::{Form, unless_closed},
};
use crate::cli::server::Session;

/// Rows that are shown where nothing is said.
const USUAL_LIMIT: u64 = 100;

/// Writes the rows.
pub(super) async fn run(asked: &List, session: &Session) -> Result<()> {
    let form = asked.form.form();
    let format = match form {
        Form::Csv => RowFormat::Csv,
        Form::Tsv => RowFormat::Tsv,
        Form::Table | Form::Json | Form::JsonLines => RowFormat::JsonLines,
    };
    let fields = if asked.fields.is_empty() { all_members(asked, session).await } else { asked.fields.clone() };
    let records = ListQuery {
        filter: asked.filter.clone(),
        search: asked.search.clone().unwrap_or_default(),
        ordering: asked.ordering.clone(),
        fields: fields.clone(),
        expand: asked.expand.clone(),
        ..ListQuery::default()
    };
    let query = ExportQuery { records, format: Some(format), spreadsheet: false };
    let call = Call::<records::Export>::new((asked.collection.clone(),), ()).query(query);
    let mut pieces = session.send(&call).await?;
    let left = if asked.all { u64::MAX } else { asked.limit.unwrap_or(USUAL_LIMIT) };
    let mut shown = Shown {
        form,
        fields: &fields,
        left: if format.is_table() { left.saturating_add(1) } else { left },
        lines: Lines { has_quotes: format.is_table(), ..Lines::default() },
        table: Table::default(),
        is_first: true,
        out: BufWriter::new(io::stdout().lock()),
    };
    let mut has_more = false;
    let broken = |error| session.failed(coffer_client::Failure::Call(error));
    while let Some(piece) = pieces.next().await.map_err(broken)? {
        match shown.take(&piece) {
            Ok(has_room) if has_room => {}
            Ok(_) => {
                has_more = true;
                break;
            }
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
    unless_closed(shown.finish())?;
    if has_more && asked.limit.is_none() {
        let _ = writeln!(io::stderr(), "coffer: these are the first {USUAL_LIMIT}; --all lists all of them");
    }
    Ok(())
}

/// The members of a record as the server shows one: an export leaves out what an import would not take. Nothing where who asks may not know the
/// definition: then the server chooses.
async fn all_members(asked: &List, session: &Session) -> Vec<String> {
    let call = Call::<collections::Get>::new((asked.collection.clone(),), ());
    let Ok(collection) = session.call(&call).await else { return Vec::new() };
    let own = collection.fields.iter().map(|field| field.name.to_string());
    let server = ["owner", "created_at", "updated_at", "revision"].map(str::to_owned);
    std::iter::once("id".to_owned()).chain(own).chain(server).collect()
}

struct Shown<'a, W> {
    form: Form,
    fields: &'a [String],
    /// Lines that may be written yet.
    left: u64,
    lines: Lines,
    table: Table,
    is_first: bool,
    out: W,
}

impl<W: Write> Shown<'_, W> {
    /// Writes what is whole; whether more may come.
    fn take(&mut self, piece: &[u8]) -> io::Result<bool> {
        for line in self.lines.push(piece) {
            if self.left == 0 {
                return Ok(false);
            }
            self.left -= 1;
            self.line(&line)?;
        }
        self.out.flush()?;
        Ok(true)
    }

    fn line(&mut self, line: &[u8]) -> io::Result<()> {
        match self.form {
            Form::Csv | Form::Tsv => self.out.write_all(line)?,
            Form::JsonLines => {
                self.object(line)?;
                self.out.write_all(b"\n")?;
            }
            Form::Json => {
                self.out.write_all(if self.is_first { b"[\n" } else { b",\n" })?;
                self.object(line)?;
            }
            Form::Table => {
                let record: Record = serde_json::from_slice(line)?;
                self.table.push(&mut self.out, cells::ordered(record, self.fields))?;
            }
        }
        self.is_first = false;
        Ok(())
    }

    /// A record as JSON, its members in the order that was asked for.
    fn object(&mut self, line: &[u8]) -> io::Result<()> {
        let record: Record = serde_json::from_slice(line)?;
        Ok(serde_json::to_writer(&mut self.out, &cells::ordered(record, self.fields))?)
    }

    fn finish(&mut self) -> io::Result<()> {
        match self.form {
            Form::Json if self.is_first => self.out.write_all(b"[]\n")?,
            Form::Json => self.out.write_all(b"\n]\n")?,
            Form::Table => self.table.finish(&mut self.out)?,
            Form::Csv | Form::Tsv | Form::JsonLines => {}
        }
        self.out.flush()
    }
}

/// Cuts what comes into lines, each with its end. Where cells may be in quotation marks, a line may have line breaks in them.
#[derive(Default)]
struct Lines {
    has_quotes: bool,
    is_quoted: bool,
    begun: Vec<u8>,
}

impl Lines {
    fn push(&mut self, piece: &[u8]) -> Vec<Vec<u8>> {
        let mut whole = Vec::new();
        for &byte in piece {
            self.begun.push(byte);
            match byte {
                b'"' if self.has_quotes => self.is_quoted = !self.is_quoted,
                b'\n' if !self.is_quoted => whole.push(std::mem::take(&mut self.begun)),
                _ => {}
            }
        }
        whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(form: Form, left: u64, pieces: &[&str]) -> (String, bool) {
        let mut out = Vec::new();
        let lines = Lines { has_quotes: form == Form::Csv, ..Lines::default() };
        let mut shown =
            Shown { form, fields: &[], left, lines, table: Table::default(), is_first: true, out: &mut out };
        let is_all = pieces.iter().all(|piece| shown.take(piece.as_bytes()).unwrap());
        shown.finish().unwrap();
        (String::from_utf8(out).unwrap(), is_all)
    }

    #[test]
    fn rows_are_cut_wherever_the_pieces_end() {
        let csv = "title,note\na,\"one\ntwo \"\"x\"\"\"\nb,\nc,\n";
        for cut in 1..csv.len() {
            assert_eq!(
                shown(Form::Csv, 3, &[&csv[..cut], &csv[cut..]]).0,
                "title,note\na,\"one\ntwo \"\"x\"\"\"\nb,\n"
            );
        }
        assert!(shown(Form::Csv, 4, &[csv]).1 && !shown(Form::Csv, 3, &[csv]).1);
    }

    #[test]
    fn a_list_in_json_is_an_array_of_any_length() {
        assert_eq!(shown(Form::Json, 9, &[]).0, "[]\n");
        assert_eq!(shown(Form::Json, 9, &["{\"a\":1.10}\n"]).0, "[\n{\"a\":1.10}\n]\n");
        assert_eq!(shown(Form::Json, 2, &["{}\n{", "}\n{}\n"]).0, "[\n{},\n{}\n]\n");
        assert_eq!(shown(Form::JsonLines, 1, &["{}\n{}\n"]).0, "{}\n");
    }
}
