//! `coffer export`: a running server's records as a file. It appears under its name when it is whole, not before.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::PathBuf,
};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use common::{
    Call,
    condition::Condition,
    endpoints::records,
    name::CollectionName,
    query::{ListQuery, OrderBy},
    rows::{ExportQuery, RowFormat},
};

use super::{
    backup::with_suffix,
    events::parse_filter,
    open::block_on,
    progress,
    server::{Asked, Session},
};

/// Which records, and how they are written.
#[derive(Debug, Args)]
pub(super) struct Export {
    /// The collection.
    collection: CollectionName,
    /// The file to write, instead of standard output. One that is there is replaced when the new one is whole.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// csv, tsv, json or ndjson; without it, what the file's name ends in, or csv.
    #[arg(long, value_name = "FORMAT")]
    format: Option<RowFormat>,
    /// Only records that match this condition, such as 'price < 3'.
    #[arg(long, value_name = "CONDITION", value_parser = parse_filter)]
    filter: Option<Condition>,
    /// The order, such as -price,title.
    #[arg(long, value_name = "FIELDS", value_delimiter = ',', allow_hyphen_values = true)]
    ordering: Vec<String>,
    /// Only these members.
    #[arg(long, value_name = "FIELDS", value_delimiter = ',')]
    fields: Vec<String>,
    /// Records in place of the ids that refer to them, such as maker,owner.
    #[arg(long, value_name = "FIELDS", value_delimiter = ',')]
    expand: Vec<String>,
    /// For a spreadsheet program: what it would take for a formula is marked as text.
    #[arg(long)]
    for_spreadsheet: bool,
    #[command(flatten)]
    server: Asked,
}

impl Export {
    /// Does it.
    pub(super) fn run(self) -> Result<()> {
        let server = self.server.named()?;
        let part = self.output.as_ref().map(|file| with_suffix(file, ".part"));
        let taken = block_on(async {
            let session = server.sign_in().await?;
            let taken = match &part {
                Some(part) => {
                    let cannot = || format!("cannot write {}", part.display());
                    let mut out = File::create(part).with_context(cannot)?;
                    let taken = self.take(&session, &mut out, true).await;
                    taken.and_then(|()| out.sync_all().with_context(cannot))
                }
                None => self.take(&session, &mut io::stdout().lock(), false).await,
            };
            session.sign_out().await;
            taken
        });
        let (Some(file), Some(part)) = (&self.output, part) else { return taken };
        let kept =
            taken.and_then(|()| fs::rename(&part, file).with_context(|| format!("cannot write {}", file.display())));
        if kept.is_err() {
            let _ = fs::remove_file(part);
        }
        kept
    }

    fn query(&self) -> Result<ExportQuery> {
        let ending = self.output.as_ref().and_then(|file| file.extension()?.to_str());
        let format = self.format.or_else(|| ending?.to_ascii_lowercase().parse().ok()).unwrap_or(RowFormat::Csv);
        if self.for_spreadsheet && !format.is_table() {
            bail!("a spreadsheet reads csv or tsv; leave --for-spreadsheet out, or say --format csv");
        }
        let order = |text: &String| match text.strip_prefix('-') {
            Some(field) => OrderBy { field: field.to_owned(), descending: true },
            None => OrderBy { field: text.clone(), descending: false },
        };
        let records = ListQuery {
            filter: self.filter.clone(),
            ordering: self.ordering.iter().map(order).collect(),
            fields: self.fields.clone(),
            expand: self.expand.clone(),
            ..ListQuery::default()
        };
        Ok(ExportQuery { records, format: Some(format), spreadsheet: self.for_spreadsheet })
    }

    async fn take(&self, session: &Session, out: &mut impl Write, shows: bool) -> Result<()> {
        let call = Call::<records::Export>::new((self.collection.clone(),), ()).query(self.query()?);
        let mut response = session.send(&call).await?;
        let bar = shows.then(|| progress::receiving("Receiving"));
        while let Some(piece) = response.next().await.context("the server broke the export off; try again")? {
            match out.write_all(&piece) {
                Ok(()) => {}
                // Somebody who read it has seen enough.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
                Err(error) => return Err(error.into()),
            }
            if let Some(bar) = &bar {
                bar.inc(piece.len() as u64);
            }
        }
        if let Some(bar) = bar {
            bar.finish_and_clear();
        }
        Ok(out.flush()?)
    }
}
