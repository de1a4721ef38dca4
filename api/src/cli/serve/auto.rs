//! `--auto`: changes of collections that are made in the clients write their file. What the store notes is what is true, and the file is
//! made of it; so a file that a crash left out is written at the next start.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Result, bail};
use clap::Args;
use common::{
    access::Caller,
    migration::{ApplyQuery, MigrationAnswer, MigrationState},
};
use tokio::time::sleep;

use super::super::migrate::{Folder, Names, applied, files_for};
use crate::domain::{
    App, Core, collections,
    journal::Actor,
    keyspace,
    migrations::{self, State, diff},
    paths,
};

/// How often it is looked whether a definition changed.
const LOOK: Duration = Duration::from_millis(500);

/// Files that write themselves.
#[derive(Debug, Clone, Args)]
pub(super) struct Auto {
    /// Write changes of collections that are made in the clients into this folder, as files of migrations.
    #[arg(long, env = "COFFER_AUTO", value_name = "DIR")]
    auto: Option<PathBuf>,
}

impl Auto {
    /// Begins, where that was asked for.
    pub(super) fn begin(&self, app: &App) {
        if let Some(dir) = self.auto.clone() {
            tokio::spawn(follow(app.clone(), dir));
        }
    }
}

async fn follow(app: App, dir: PathBuf) {
    let spaces = [keyspace::COLLECTIONS, keyspace::PATHS, keyspace::MIGRATIONS];
    let mut seen = None;
    while !app.is_draining() {
        let Ok(mark) = app.core().store.watermark(spaces).await else { return };
        if seen != Some(mark.changes) {
            seen = Some(mark.changes);
            if let Err(error) = write(app.core(), &dir).await {
                tracing::warn!(folder = %dir.display(), reason = format!("{error:#}"), "a change of a collection was not written into a file");
            }
        }
        sleep(LOOK).await;
    }
}

/// Writes what no file says yet.
async fn write(core: &Core, dir: &Path) -> Result<()> {
    let known = migrations::list(core).await?.results;
    if known.iter().any(|one| one.state != MigrationState::Applied) {
        // What is under way is looked at when it is done.
        return Ok(());
    }
    let mut folder = Folder::read(dir)?;
    for one in &known {
        if folder.get(&one.migration.id()).is_none() {
            tell(&folder.write(&one.migration)?);
        }
    }
    let open = folder.order()?.into_iter().map(common::migration::Migration::id);
    let open = open.into_iter().find(|id| !known.iter().any(|one| one.migration.id() == *id));
    let files_say = applied(&folder, &known)?;
    let collections = collections::list(core, &migrations::operator()).await?.results;
    let state = State::of_server(collections.clone(), paths::list(&core.store).await?.results);
    let mut names = Names::default();
    names.of_aliases(&files_say.state, &collections);
    let parts = diff(&files_say.state, &state, &names.renames, folder.branches().is_empty());
    if parts.is_empty() {
        return Ok(());
    }
    if let Some(id) = open {
        bail!("{id} is not applied, and a collection was changed by hand; apply it, then: coffer migrate make");
    }
    for migration in files_for(&folder, &files_say, &parts, None)? {
        let by = Actor::local(&Caller::Anonymous);
        let query = ApplyQuery { record: true, complete: true, ..ApplyQuery::default() };
        if let MigrationAnswer::Done(noted) = migrations::apply(core, by, migration, query).await? {
            tell(&folder.write(&noted.migration)?);
        }
    }
    Ok(())
}

fn tell(path: &Path) {
    tracing::info!(file = %path.display(), "a change of a collection was written into a file");
}
