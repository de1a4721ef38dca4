//! `coffer import-drf`: definitions and published paths for the API of a project of Django REST Framework, out of its OpenAPI document or of
//! what its view answers `OPTIONS` with. They are written as migrations, to be looked at before they are applied.

mod document;
mod fields;
mod options;
mod propose;
mod source;

use std::{
    fs,
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, anyhow, bail};
use clap::Args;
use serde_json::Value;

use self::{document::Document, propose::Proposal};
use super::migrate::{Come, Folder, files_for};
use crate::domain::migrations::{Renames, diff};

/// A larger file is no description of an API.
const MAX_BYTES: u64 = 32 * 1024 * 1024;

/// Propose collections and published paths for a project of Django REST Framework, as migrations.
#[derive(Debug, Args)]
#[command(
    after_help = "Make the file in the project: python manage.py spectacular --format openapi-json --file schema.json
Look at what is written, then: coffer migrate plan, and coffer migrate apply."
)]
pub(super) struct ImportDrf {
    /// An OpenAPI document in JSON, or what a list's address answers OPTIONS with to who may create; - reads standard input.
    file: PathBuf,
    /// The address that OPTIONS was asked of: /api/v1/snacks/.
    #[arg(long, value_name = "PATH")]
    path: Option<String>,
    /// The folder of the migrations that are written.
    #[arg(long, env = "COFFER_MIGRATIONS", default_value = super::migrate::DIR, value_name = "DIR")]
    dir: PathBuf,
}

impl ImportDrf {
    /// Does it.
    pub(super) fn run(self) -> Result<()> {
        let value = read(&self.file)?;
        let document = self.document(value)?;
        let mut folder = Folder::read(&self.dir)?;
        let come = Come::to(folder.order()?)?;
        let proposal = Proposal::of(&document, come.state.clone())?;
        let parts = diff(&come.state, &proposal.state, &Renames::default(), false);
        let mut out = io::stdout();
        for migration in &files_for(&folder, &come, &parts, None)? {
            let path = folder.write(migration)?;
            writeln!(out, "Wrote {}.", path.display())?;
        }
        if parts.is_empty() {
            writeln!(out, "Nothing is to be made: the files say all of it.")?;
        }
        for (subject, told) in &proposal.collections {
            writeln!(out, "{subject}: {told}")?;
        }
        if !proposal.notes.is_empty() {
            writeln!(out, "Look at these, since the file does not say all of it:")?;
            for note in &proposal.notes {
                writeln!(out, "  {note}")?;
            }
        }
        Ok(())
    }

    fn document(&self, value: Value) -> Result<Document> {
        let is_openapi = value.get("openapi").is_some() || value.get("swagger").is_some();
        match (&self.path, is_openapi) {
            (Some(_), true) => bail!("--path belongs to an answer to OPTIONS, and this is an OpenAPI document"),
            (_, true) => Document::read(value),
            (Some(path), false) => options::document(&value, path),
            (None, false) if value.get("actions").is_some() => {
                bail!("this is an answer to OPTIONS: say of which address with --path /api/…/")
            }
            (None, false) => bail!("this is neither an OpenAPI document nor an answer to OPTIONS"),
        }
    }
}

fn read(file: &Path) -> Result<Value> {
    let mut text = String::new();
    let name = if file.as_os_str() == "-" { "standard input".to_owned() } else { file.display().to_string() };
    let cannot = || format!("cannot read {name}");
    if file.as_os_str() == "-" {
        io::stdin().lock().take(MAX_BYTES).read_to_string(&mut text).with_context(cannot)?;
    } else {
        let open = fs::File::open(file).with_context(cannot)?;
        if open.metadata().with_context(cannot)?.len() > MAX_BYTES {
            bail!("{name} is larger than 32 MiB, which no description of an API is");
        }
        open.take(MAX_BYTES).read_to_string(&mut text).with_context(cannot)?;
    }
    let text = text.trim_start_matches('\u{feff}');
    serde_json::from_str(text).map_err(|error| {
        if text.trim_start().starts_with(['{', '[']) {
            anyhow!("{name} is no JSON: {error}")
        } else {
            anyhow!(
                "{name} is not written as JSON; make it so with: python manage.py spectacular --format openapi-json --file schema.json"
            )
        }
    })
}
