//! The rows that files left out, kept in a file to be mended: those of several files beside each other, as far as they have the same columns.

use std::{
    fs::{self, File, OpenOptions},
    io::{BufRead as _, BufReader, Write as _, copy},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use common::{Call, endpoints::operations, id::OperationId};

use crate::cli::{backup::with_suffix, server::Session};

/// The files that were written, each with its headings.
#[derive(Default)]
pub(super) struct Rejected(Vec<(PathBuf, String)>);

impl Rejected {
    /// Keeps the rows that an import left out in `to`, or beside it where that has rows of other columns.
    pub(super) async fn keep(&mut self, session: &Session, id: OperationId, to: &Path) -> Result<()> {
        let cannot = || format!("cannot write {}", to.display());
        let part = with_suffix(to, ".part");
        let mut response = session.send(&Call::<operations::Rejected>::new((id,), ())).await?;
        let mut out = File::create(&part).with_context(cannot)?;
        while let Some(piece) = response.next().await.context("the server broke the file off; ask for it again")? {
            out.write_all(&piece).with_context(cannot)?;
        }
        out.sync_all().with_context(cannot)?;
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
}
