//! The rows that files left out, kept in a file to be mended: those of several files beside each other, as far as they have the same columns.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufRead as _, BufReader, BufWriter, Write as _, copy},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use common::{
    Call,
    endpoints::operations,
    id::OperationId,
    rows::{looks_like_formula, unmarked},
};

use crate::cli::{backup::with_suffix, server::Session};

/// What a file says of texts that a spreadsheet program would take for formulas.
#[derive(Debug, Clone, Copy)]
pub(super) struct Marks {
    /// They have a mark in what the server gives.
    pub has: bool,
    /// They are to have one: the file is imported so by itself, or by the same words.
    pub wants: bool,
}

/// The files that were written, each with its headings.
#[derive(Default)]
pub(super) struct Rejected(Vec<(PathBuf, String)>);

impl Rejected {
    /// Keeps the rows that an import left out in `to`, or beside it where that has rows of other columns.
    pub(super) async fn keep(&mut self, session: &Session, id: OperationId, to: &Path, marks: Marks) -> Result<()> {
        let cannot = || format!("cannot write {}", to.display());
        let part = with_suffix(to, ".part");
        let mut response = session.send(&Call::<operations::Rejected>::new((id,), ())).await?;
        let mut out = File::create(&part).with_context(cannot)?;
        while let Some(piece) = response.next().await.context("the server broke the file off; ask for it again")? {
            out.write_all(&piece).with_context(cannot)?;
        }
        out.sync_all().with_context(cannot)?;
        if marks.has != marks.wants {
            remark(&part, marks).with_context(cannot)?;
        }
        let mut rows = BufReader::new(File::open(&part).with_context(cannot)?);
        let mut headings = String::new();
        rows.read_line(&mut headings).with_context(cannot)?;
        if let Some((known, _)) = self.0.iter().find(|(_, known)| *known == headings) {
            let mut out = OpenOptions::new().append(true).open(known).with_context(cannot)?;
            copy(&mut rows, &mut out).and_then(|_| out.sync_all()).with_context(cannot)?;
            return fs::remove_file(&part).with_context(cannot);
        }
        let to = if self.0.is_empty() { to.to_owned() } else { numbered(to, self.0.len() + 1) };
        fs::rename(&part, &to).with_context(cannot)?;
        self.0.push((to, headings));
        Ok(())
    }

    /// Their names, for people.
    pub(super) fn names(&self) -> String {
        let names: Vec<String> = self.0.iter().map(|(file, _)| file.display().to_string()).collect();
        names.join(" and ")
    }
}

/// Writes a file anew with marks before what looks like formulas, or without them.
fn remark(file: &Path, marks: Marks) -> io::Result<()> {
    let mut rows = BufReader::new(File::open(file)?);
    let other = with_suffix(file, ".part");
    let mut out = BufWriter::new(File::create(&other)?);
    let mut piece = Vec::new();
    // Every cell that has something in it stands in quotation marks, which are two where they are text: pieces between them are in turn outside
    // and inside. Inside, what follows such a pair is not the beginning of its cell.
    let (mut is_inside, mut is_beginning) = (false, true);
    loop {
        piece.clear();
        rows.read_until(b'"', &mut piece)?;
        if piece.is_empty() {
            break;
        }
        let text = String::from_utf8_lossy(&piece);
        if is_inside && is_beginning && marks.wants && looks_like_formula(&text) {
            out.write_all(b"'")?;
        }
        let text = if is_inside && is_beginning && marks.has { unmarked(&text) } else { &text };
        out.write_all(text.as_bytes())?;
        is_inside = !is_inside;
        // Nothing but a mark stands between the two of a pair.
        is_beginning = piece != b"\"";
    }
    out.into_inner()?.sync_all()?;
    fs::rename(other, file)
}

/// `bad.csv` as `bad.2.csv`.
fn numbered(file: &Path, number: usize) -> PathBuf {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let ending = file.extension().map(|ending| format!(".{}", ending.to_string_lossy())).unwrap_or_default();
    file.with_file_name(format!("{stem}.{number}{ending}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_other_columns_are_numbered() {
        assert_eq!(numbered(Path::new("/tmp/bad.csv"), 2), Path::new("/tmp/bad.2.csv"));
        assert_eq!(numbered(Path::new("bad"), 3), Path::new("bad.3"));
    }

    #[test]
    fn marks_come_off_and_go_on_at_the_beginning_of_cells() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("r.csv");
        let plain = "\"_row\",\"a\",\"b\"\n\"2\",\"=1+1\",\"x\"\"=2\"\n\"3\",\"\"\"=3\",,\n\"4\",\"\",\"'-x\ny\"\"\"\n\"5\",\"'y\",\"＝\"\n";
        let marked = "\"_row\",\"a\",\"b\"\n\"2\",\"'=1+1\",\"x\"\"=2\"\n\"3\",\"\"\"=3\",,\n\"4\",\"\",\"''-x\ny\"\"\"\n\"5\",\"'y\",\"'＝\"\n";
        for (from, to, marks) in
            [(plain, marked, Marks { has: false, wants: true }), (marked, plain, Marks { has: true, wants: false })]
        {
            fs::write(&file, from).unwrap();
            remark(&file, marks).unwrap();
            assert_eq!(fs::read_to_string(&file).unwrap(), to);
        }
    }
}
