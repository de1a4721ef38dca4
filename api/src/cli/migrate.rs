//! `coffer migrate`: changes of collections as files, kept beside the code that needs them, and applied to every server in order.
//!
//! - `folder`, `toml_file`: the files
//! - `applied`: what of them is applied, and what is to be
//! - `target`: the server or store
//! - `make`: writes files; `tell`: says what there is

mod applied;
mod folder;
mod make;
mod target;
mod tell;
mod toml_file;

use std::{
    collections::BTreeSet,
    io::{self, Write as _},
};

use anyhow::{Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use common::{
    migration::{AppliedMigration, ApplyQuery, MigrationAnswer, MigrationId, MigrationState, RevertMigrationQuery},
    name::CollectionName,
    undo::Changed,
};

pub(in crate::cli) use self::{
    applied::{DIR, applied},
    folder::{Come, Folder},
    make::{Names, files_for},
};
use self::{
    applied::{Files, known, to_apply, with},
    make::Make,
    target::{Target, Where},
    tell::{check, plan, show, tell_plan},
};

/// Changes of collections as files.
#[derive(Debug, Args)]
pub(super) struct Migrate {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write a file of what was changed by hand, or of what a folder of definitions asks for.
    Make(Box<Make>),
    /// Tell what the files would do that are not applied.
    Plan {
        /// Only for this collection, and what its files stand on.
        collection: Option<CollectionName>,
        /// Up to this migration.
        #[arg(requires = "collection")]
        target: Option<String>,
        #[command(flatten)]
        files: Files,
        #[command(flatten)]
        on: Where,
    },
    /// Apply the files that are not applied, in order.
    Apply {
        /// Only for this collection, and what its files stand on.
        collection: Option<CollectionName>,
        /// Up to this migration.
        #[arg(requires = "collection")]
        target: Option<String>,
        /// Note them as applied, and do nothing: what they say was done by hand.
        #[arg(long)]
        record: bool,
        #[command(flatten)]
        files: Files,
        #[command(flatten)]
        on: Where,
    },
    /// List the files, those that are applied with a cross.
    Show {
        /// Only of this collection.
        collection: Option<CollectionName>,
        #[command(flatten)]
        files: Files,
        #[command(flatten)]
        on: Where,
    },
    /// Take back what was applied after a migration, and what stands on that.
    Revert {
        /// The collection's folder.
        collection: CollectionName,
        /// The migration that stays the last one; zero for none.
        target: String,
        /// What becomes of what was changed since.
        #[arg(long, value_name = "WORD", value_enum, default_value_t = Since::Refuse)]
        changed: Since,
        /// Do nothing; tell what would be.
        #[arg(long)]
        plan: bool,
        #[command(flatten)]
        files: Files,
        #[command(flatten)]
        on: Where,
    },
    /// Delete a file that was never applied.
    Remove {
        /// The collection's folder.
        collection: CollectionName,
        /// The migration.
        name: String,
        #[command(flatten)]
        files: Files,
        #[command(flatten)]
        on: Where,
    },
    /// End with 1 where files and server differ, files were changed after they were applied, or branches were not merged.
    Check {
        #[command(flatten)]
        files: Files,
        #[command(flatten)]
        on: Where,
    },
}

/// What becomes of what was changed since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Since {
    /// Nothing is taken back.
    Refuse,
    /// It stays as it is.
    Skip,
    /// It goes back too.
    Overwrite,
}

impl Migrate {
    /// Does it.
    pub(super) fn run(self) -> Result<()> {
        match self.command {
            Command::Make(make) => make.run(),
            Command::Plan { collection, target, files, on } => {
                let folder = Folder::read(&files.dir)?;
                with(&on, async |of| plan(of, &folder, collection.as_ref(), target.as_deref()).await)
            }
            Command::Apply { collection, target, record, files, on } => {
                let folder = Folder::read(&files.dir)?;
                with(&on, async |to| apply(to, &folder, collection.as_ref(), target.as_deref(), record).await)
            }
            Command::Show { collection, files, on } => {
                let folder = Folder::read(&files.dir)?;
                with(&on, async |of| show(of, &folder, collection.as_ref()).await)
            }
            Command::Revert { collection, target, changed, plan, files, on } => {
                let folder = Folder::read(&files.dir)?;
                let changed = match changed {
                    Since::Refuse => Changed::Refuse,
                    Since::Skip => Changed::Skip,
                    Since::Overwrite => Changed::Overwrite,
                };
                let query = RevertMigrationQuery { dry_run: plan, changed };
                with(&on, async |of| revert(of, &folder, &collection, &target, query).await)
            }
            Command::Remove { collection, name, files, on } => {
                let mut folder = Folder::read(&files.dir)?;
                with(&on, async |of| remove(of, &mut folder, &collection, &name).await)
            }
            Command::Check { files, on } => {
                let folder = Folder::read(&files.dir)?;
                with(&on, async |of| check(of, &folder).await)
            }
        }
    }
}

async fn apply(
    target: &mut Target,
    folder: &Folder,
    collection: Option<&CollectionName>,
    up_to: Option<&str>,
    record: bool,
) -> Result<()> {
    let (mut all, by_id) = known(target).await?;
    let open = to_apply(folder, &by_id, collection, up_to)?;
    let mut out = io::stdout();
    if open.is_empty() {
        writeln!(out, "Nothing is to be applied.")?;
    }
    for migration in open {
        let id = migration.id();
        let query = ApplyQuery { record, ..ApplyQuery::default() };
        let mut word = if record { "Noted as applied" } else { "Applied" };
        // Where several begin at once, as on each node of a deployment, one does it, and the others wait for that.
        while let Err(error) = target.apply(migration, query).await {
            let now = target.known().await?;
            if now == all {
                return Err(error);
            }
            all = now;
            if all.iter().any(|one| one.migration.id() == id && one.state == MigrationState::Applied) {
                word = "Applied by somebody else";
            }
        }
        writeln!(out, "{word}: {id}")?;
    }
    Ok(())
}

async fn revert(
    target: &mut Target,
    folder: &Folder,
    collection: &CollectionName,
    to: &str,
    query: RevertMigrationQuery,
) -> Result<()> {
    let (all, known) = known(target).await?;
    let stays = match to {
        "zero" => BTreeSet::new(),
        name => {
            let id = folder.named(collection, name)?;
            if !known.contains_key(&id) {
                bail!("{id} is not applied");
            }
            folder.down_from([id])
        }
    };
    let mut going: BTreeSet<MigrationId> =
        known.keys().filter(|id| id.collection == *collection && !stays.contains(id)).cloned().collect();
    loop {
        let stands = |one: &&AppliedMigration| {
            !going.contains(&one.migration.id()) && one.migration.after.iter().any(|id| going.contains(id))
        };
        let Some(one) = all.iter().find(stands) else { break };
        going.insert(one.migration.id());
    }
    let mut out = io::stdout();
    if going.is_empty() {
        writeln!(out, "Nothing is to be taken back.")?;
    }
    // Whether each can be taken back is looked at before the first one is.
    let order: Vec<&AppliedMigration> = all.iter().rev().filter(|one| going.contains(&one.migration.id())).collect();
    let order = last_first(order);
    let mut refused = Vec::new();
    for one in &order {
        let id = one.migration.id();
        if let MigrationAnswer::WouldBe(plan) =
            target.revert(&id, RevertMigrationQuery { dry_run: true, ..query }).await?
        {
            if query.dry_run {
                writeln!(out, "{id}")?;
                tell_plan(&plan)?;
            }
            let lost = plan
                .steps
                .iter()
                .filter_map(|step| Some(format!("{id}: {}: {}", step.step, step.irreversible.as_ref()?)));
            refused.extend(lost);
        }
    }
    if let Some(first) = refused.first() {
        bail!("not all of it can be taken back, so nothing was: {first}");
    }
    if !query.dry_run {
        for one in order {
            let id = one.migration.id();
            target.revert(&id, query).await?;
            writeln!(out, "Taken back: {id}")?;
        }
    }
    Ok(())
}

/// The same, each before what it stands on.
fn last_first(mut left: Vec<&AppliedMigration>) -> Vec<&AppliedMigration> {
    let mut ordered = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let is_free =
            |one: &&AppliedMigration| !left.iter().any(|other| other.migration.after.contains(&one.migration.id()));
        let at = left.iter().position(is_free).unwrap_or(0);
        ordered.push(left.remove(at));
    }
    ordered
}

async fn remove(target: &mut Target, folder: &mut Folder, collection: &CollectionName, name: &str) -> Result<()> {
    let id = folder.named(collection, name)?;
    let (_, known) = known(target).await?;
    if known.contains_key(&id) {
        bail!("{id} is applied, so its file stays; take it back first: coffer migrate revert");
    }
    if let Some(other) = folder.standing_on(&id).first() {
        bail!("{other} stands on {id}, so its file stays; remove that one first");
    }
    folder.remove(&id)?;
    writeln!(io::stdout(), "Removed {id}. Another server may know it: coffer migrate show tells.")?;
    Ok(())
}
