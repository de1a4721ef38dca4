//! `coffer import`: files of records into a running server's collection. The server reads them; what it says is told in lines. A file is sent with a key
//! made of its digest, so that the same command twice adds nothing twice.

mod create;
mod rejected;
mod told;

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};
use coffer_client::upload::Upload;
use common::{
    Call, Problem,
    endpoints::{operations, records},
    id::OperationId,
    import::{Import as Imported, ImportQuery, OnConflict, OnError, once::REPLAYED, parse_delimiter, parse_mapping},
    name::CollectionName,
    operation::{Operation, OperationState},
    rows::RowFormat,
    text::count,
    words::many::import_progress,
};
use http::StatusCode;
use tokio::time::sleep;

use super::{
    open::block_on,
    progress,
    server::{Asked, Session},
};
use create::Made;
use rejected::{Marks, Rejected};

/// How often it is asked how far an import is.
const LOOK: Duration = Duration::from_millis(300);

/// Which files, and how they are read.
#[derive(Debug, Args)]
pub(super) struct Import {
    /// The files: CSV, TSV, a JSON array, or JSON lines. `-` is standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The collection.
    #[arg(long, value_name = "COLLECTION")]
    to: CollectionName,
    /// Write nothing; tell what would be.
    #[arg(long)]
    dry_run: bool,
    /// Rows find records that are there by this field: a unique one, or id.
    #[arg(long, value_name = "FIELD")]
    key: Option<String>,
    /// What becomes of a row that finds one.
    #[arg(long, value_name = "WORD", value_enum, default_value_t = Conflict::Fail, requires = "key")]
    on_conflict: Conflict,
    /// Take a heading for a field, such as 'Wort=word', or leave its column out: 'Notes='. May be given several times.
    #[arg(long, value_name = "HEADING=FIELD", value_parser = parse_mapping)]
    map: Vec<(String, Option<String>)>,
    /// csv, tsv, json or ndjson, where the file does not look like it.
    #[arg(long, value_name = "FORMAT")]
    format: Option<RowFormat>,
    /// The encoding, such as windows-1252, where it is told wrongly.
    #[arg(long, value_name = "NAME")]
    encoding: Option<String>,
    /// What stands between cells, where it is told wrongly: one character, or comma, semicolon, tab.
    #[arg(long, value_name = "CHAR", value_parser = parse_delimiter)]
    delimiter: Option<char>,
    /// A comma stands before decimals: 1.234,50.
    #[arg(long)]
    decimal_comma: bool,
    /// How days and moments are written, such as DD.MM.YYYY or '%d.%m.%Y %H:%M'. Several with commas between them.
    #[arg(long, value_name = "FORMATS", value_delimiter = ',')]
    dates: Vec<String>,
    /// Take off the marks that an export for a spreadsheet puts before formulas. Files named *.spreadsheet.csv are read so by themselves.
    #[arg(long)]
    from_spreadsheet: bool,
    /// Empty cells are null where a field may be, in quotation marks too.
    #[arg(long)]
    empty_is_null: bool,
    /// Write the rows that fit, and the others into this file, to be mended and sent again.
    #[arg(long, value_name = "FILE")]
    rejected: Option<PathBuf>,
    /// Make the collection first, with fields guessed from the file. They are shown before.
    #[arg(long)]
    create: bool,
    /// Do not ask.
    #[arg(long, requires = "create")]
    yes: bool,
    /// Import a file that was imported before.
    #[arg(long)]
    again: bool,
    #[command(flatten)]
    server: Asked,
}

/// What becomes of a row that finds a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Conflict {
    /// Nothing is written.
    Fail,
    /// The record stays as it is.
    Skip,
    /// The record is changed to what the row says.
    Update,
}

impl Import {
    /// Does it.
    pub(super) fn run(self) -> Result<()> {
        let server = self.server.named()?;
        if self.create && self.files.iter().any(|file| is_stdin(file)) {
            bail!("fields are guessed from a file; save what comes on standard input first");
        }
        block_on(async {
            let session = server.sign_in().await?;
            let done = self.all(&session).await;
            session.sign_out().await;
            done
        })
    }

    async fn all(&self, session: &Session) -> Result<()> {
        if let Some(rejected) =
            self.rejected.as_ref().filter(|rejected| self.files.iter().any(|file| is_same(file, rejected)))
        {
            bail!(
                "--rejected names {}, which is imported; name another file for the rows that are left out",
                rejected.display()
            );
        }
        let mut query = self.query();
        let made = match self.files.first().filter(|_| self.create) {
            Some(first) => Some(self.define(session, first, &mut query).await?),
            None => None,
        };
        let (mut left_out, mut rejected) = (0, Rejected::default());
        for (i, file) in self.files.iter().enumerate() {
            match (self.one(session, file, &query, made.as_ref(), &mut rejected).await, &made) {
                (Ok(rows), _) => left_out += rows,
                (Err(error), Some(made)) if i == 0 => return Err(made.take_back(session, error).await),
                (Err(error), _) => return Err(error),
            }
        }
        if left_out > 0 && self.rejected.is_some() {
            bail!("{} left out; mend and send {}", were(left_out), rejected.names());
        }
        Ok(())
    }

    fn query(&self) -> ImportQuery {
        ImportQuery {
            format: self.format,
            dry_run: self.dry_run,
            key: self.key.clone(),
            on_conflict: match self.on_conflict {
                Conflict::Fail => OnConflict::Fail,
                Conflict::Skip => OnConflict::Skip,
                Conflict::Update => OnConflict::Update,
            },
            on_error: if self.rejected.is_some() { OnError::Skip } else { OnError::Abort },
            map: self.map.clone(),
            encoding: self.encoding.clone(),
            delimiter: self.delimiter,
            decimal_comma: self.decimal_comma,
            dates: self.dates.clone(),
            spreadsheet: self.from_spreadsheet,
            empty_is_null: self.empty_is_null,
        }
    }

    /// Imports one file; gives how many rows were left out.
    async fn one(
        &self,
        session: &Session,
        file: &Path,
        query: &ImportQuery,
        made: Option<&Made>,
        kept: &mut Rejected,
    ) -> Result<u64> {
        let name = if is_stdin(file) { "standard input".to_owned() } else { file.display().to_string() };
        let upload = open(file).with_context(|| format!("cannot read {name}"))?;
        let query = ImportQuery { spreadsheet: query.spreadsheet || is_marked(file), ..query.clone() };
        let has_marks = query.spreadsheet;
        let call = Call::<records::Import>::new((self.to.clone(),), ()).query(query);
        let key = (!self.again && !self.dry_run)
            // Into a collection that was only just made nothing came before.
            .then(|| upload.key(&call.path_and_query(), made.map(Made::id).as_deref()))
            .transpose()
            .with_context(|| format!("cannot read {name}"))?;
        let bar = progress::up_to(upload.bytes(), "Sending");
        let mut response = session
            .upload(
                &call,
                key,
                upload.into_pieces({
                    let bar = bar.clone();
                    move |length| {
                        bar.inc(length);
                        Ok(())
                    }
                })?,
            )
            .await?;
        bar.finish_and_clear();
        let (status, replayed) = (response.status(), response.headers().contains_key(REPLAYED));
        if !status.is_success() {
            let problem = response.whole().await.ok().and_then(|body| serde_json::from_slice::<Problem>(&body).ok());
            let Some(problem) = problem else { bail!("the server refuses {name} ({status}); it may not be a Coffer") };
            told::faults(&problem)?;
            bail!("{name} was not imported: {}", told::reason(&problem));
        }
        let mut imported: Imported = serde_json::from_slice(&response.whole().await?)
            .context("the server's answer cannot be read; is it a Coffer of this version?")?;
        // One that was begun before may not be in yet.
        if let Some(id) = imported.operation.filter(|_| status == StatusCode::ACCEPTED) {
            imported = self.wait(session, id, &name).await?;
        }
        if replayed {
            told::before(&name, &imported)?;
            return Ok(0);
        }
        told::done(&name, &imported)?;
        if let (Some(rejected), Some(id)) = (&self.rejected, imported.operation)
            && imported.rejected > 0
        {
            let marks = Marks { has: has_marks, wants: self.from_spreadsheet || is_marked(rejected) };
            kept.keep(session, id, rejected, marks).await?;
        }
        Ok(imported.rejected)
    }

    /// Waits for the end of an import. Ctrl-C stops it.
    async fn wait(&self, session: &Session, id: OperationId, name: &str) -> Result<Imported> {
        let bar = progress::up_to(1, "Importing");
        let mut is_stopping = false;
        loop {
            tokio::select! {
                () = sleep(LOOK) => {}
                _ = tokio::signal::ctrl_c(), if !is_stopping => {
                    is_stopping = true;
                    writeln!(io::stderr(), "coffer: stopping; what was written is taken back")?;
                    session.call(&Call::<operations::Stop>::new((id,), ())).await?;
                }
            }
            let operation: Operation = session.call(&Call::<operations::Get>::new((id,), ())).await?;
            let (done, of, _) = import_progress(&operation);
            bar.set_message(if operation.done > 0 { "Importing" } else { "Checking" });
            bar.set_length(of.unwrap_or(done).max(1));
            bar.set_position(done);
            if !operation.state.is_over() {
                continue;
            }
            bar.finish_and_clear();
            let why = operation.error.clone().unwrap_or_default();
            match (operation.state, operation.import) {
                (OperationState::Done, Some(imported)) => return Ok(*imported),
                (OperationState::Stopped, _) => bail!("the import of {name} was stopped. {why}"),
                (_, imported) => {
                    told::rows(imported.iter().flat_map(|imported| &imported.faults))?;
                    bail!("the import of {name} failed: {why}");
                }
            }
        }
    }
}

/// Opens a file; standard input is kept in one first.
fn open(file: &Path) -> io::Result<Upload> {
    if is_stdin(file) {
        let mut kept = tempfile::tempfile()?;
        io::copy(&mut io::stdin().lock(), &mut kept)?;
        return Upload::of(kept);
    }
    Upload::of(File::open(file)?)
}

/// Whether two paths lead to one file.
fn is_same(file: &Path, other: &Path) -> bool {
    file == other || fs::canonicalize(file).is_ok_and(|file| fs::canonicalize(other).is_ok_and(|other| file == other))
}

/// Whether a file's name says that formulas have a mark in it.
fn is_marked(file: &Path) -> bool {
    file.to_string_lossy().to_ascii_lowercase().contains(".spreadsheet.")
}

fn is_stdin(file: &Path) -> bool {
    file.as_os_str() == "-"
}

fn were(rows: u64) -> String {
    format!("{} {}", count(rows, "row"), if rows == 1 { "was" } else { "were" })
}
