//! `coffer import`: files of records into a running server's collection. The server reads them; what it says is told in lines. A file is sent with a key
//! made of its digest, so that the same command twice adds nothing twice.

mod rejected;
mod told;

use std::{
    fs::{self, File},
    io::{self, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use base::MemoryBudget;
use clap::{Args, ValueEnum};
use coffer_client::upload::Upload;
use common::{
    Call, Problem,
    collection::Definition,
    endpoints::{collections, operations, records},
    field::Field,
    id::OperationId,
    import::{Import as Imported, ImportQuery, OnConflict, OnError, once::REPLAYED, parse_delimiter, parse_mapping},
    name::CollectionName,
    operation::{Operation, OperationState},
    reader::Body as _,
    rows::RowFormat,
    text::count,
};
use http::StatusCode;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    open::block_on,
    progress,
    server::{Asked, Session},
};
use crate::domain::{
    Error,
    intake::{Told, Unreadable, guess},
};
use rejected::Rejected;

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
        if self.create
            && let Some(first) = self.files.first()
        {
            query.map.extend(self.define(session, first, &query).await?);
        }
        let (mut left_out, mut rejected) = (0, Rejected::default());
        for file in &self.files {
            left_out += self.one(session, file, &query, &mut rejected).await?;
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

    /// Makes the collection that a file looks like. Gives the fields of its headings.
    async fn define(
        &self,
        session: &Session,
        file: &Path,
        query: &ImportQuery,
    ) -> Result<Vec<(String, Option<String>)>> {
        let opened = File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
        let mut held = MemoryBudget::unlimited().nothing();
        let guessed =
            guess::guess(opened, query, &Told::default(), &mut held).map_err(|error| unreadable(file, &error))?;
        let mut out = io::stdout();
        writeln!(out, "{} would have these fields:", self.to)?;
        let columns = guessed.read.columns.iter().filter(|column| column.member.is_some());
        for (column, field) in columns.clone().zip(&guessed.fields) {
            writeln!(out, "  {}  from \"{}\"", briefly(field)?, common::text::single_line(&column.heading))?;
        }
        if self.dry_run {
            bail!("nothing was made; leave --dry-run out to make the collection");
        }
        if !self.yes {
            if !io::stdin().is_terminal() {
                bail!("say --yes to make the collection so");
            }
            write!(out, "Make the collection so? [y/N] ")?;
            out.flush()?;
            let mut answer = String::new();
            io::stdin().read_line(&mut answer)?;
            if !matches!(answer.trim(), "y" | "Y" | "yes") {
                bail!("nothing was made; define the collection yourself, and import without --create");
            }
        }
        let definition = Definition::from_json(json!({"name": self.to, "fields": guessed.fields}));
        let definition =
            definition.map_err(|errors| anyhow::anyhow!("no collection can be made so: {}", errors.in_words()))?;
        session.call(&Call::<collections::Create>::new((), definition)).await.context("the collection was not made")?;
        let is_free = |pair: &(String, Option<String>)| !query.map.iter().any(|(heading, _)| *heading == pair.0);
        Ok(columns.map(|column| (column.heading.clone(), column.member.clone())).filter(is_free).collect())
    }

    /// Imports one file; gives how many rows were left out.
    async fn one(&self, session: &Session, file: &Path, query: &ImportQuery, kept: &mut Rejected) -> Result<u64> {
        let name = if is_stdin(file) { "standard input".to_owned() } else { file.display().to_string() };
        let upload = open(file).with_context(|| format!("cannot read {name}"))?;
        let is_marked = file.to_string_lossy().to_ascii_lowercase().contains(".spreadsheet.");
        let query = ImportQuery { spreadsheet: query.spreadsheet || is_marked, ..query.clone() };
        let call = Call::<records::Import>::new((self.to.clone(),), ()).query(query);
        let key = (!self.again && !self.dry_run)
            .then(|| upload.key(&call.path_and_query(), None))
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
            kept.keep(session, id, rejected).await?;
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
            bar.set_length(operation.of.unwrap_or(operation.done).max(1));
            bar.set_position(operation.done);
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

/// A field's definition, without what is as usual.
fn briefly(field: &Field) -> Result<Value> {
    let mut field = serde_json::to_value(field)?;
    if let Value::Object(members) = &mut field {
        members.retain(|_, value| {
            !matches!(value, Value::Null | Value::Bool(false)) && *value != "" && *value != json!([])
        });
    }
    Ok(field)
}

/// Whether two paths lead to one file.
fn is_same(file: &Path, other: &Path) -> bool {
    file == other || fs::canonicalize(file).is_ok_and(|file| fs::canonicalize(other).is_ok_and(|other| file == other))
}

fn is_stdin(file: &Path) -> bool {
    file.as_os_str() == "-"
}

fn were(rows: u64) -> String {
    format!("{} {}", count(rows, "row"), if rows == 1 { "was" } else { "were" })
}

fn unreadable(file: &Path, error: &Unreadable) -> anyhow::Error {
    let told = match error {
        Unreadable::File(errors) => errors.in_words(),
        Unreadable::Io(error) => error.to_string(),
        Unreadable::NoMemory => Error::NoMemory.to_string(),
    };
    anyhow::anyhow!("{} cannot be read: {told}", file.display())
}
