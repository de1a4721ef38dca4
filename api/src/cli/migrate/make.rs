//! `coffer migrate make`: writes files. What was changed on the server by hand is *recorded*: the file is written, and counts there as
//! applied. What a folder of definitions asks for is *planned*: the file is written, and applied later.

mod names;
mod parts;
mod touched;
mod wanted;

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
};

use anyhow::{Result, anyhow, bail};
use clap::Args;
use common::{
    migration::{ApplyQuery, Migration, MigrationAnswer, MigrationId, MigrationName},
    name::CollectionName,
};

pub(in crate::cli) use self::{names::Names, parts::files_for};
use self::{touched::touches, wanted::wanted};
use super::{
    applied::{Files, after, applied, with},
    folder::{Come, Folder},
    target::{Target, Where},
};
use crate::domain::migrations::{CollectionSteps, Step, diff};

/// What is to be written.
#[derive(Debug, Args)]
pub(super) struct Make {
    /// Only of this collection.
    collection: Option<CollectionName>,
    /// What the file is called, behind its number.
    #[arg(long, value_name = "WORDS")]
    name: Option<String>,
    /// Write a file without steps, for steps on records.
    #[arg(long, requires = "collection", conflicts_with_all = ["merge", "definitions", "record"])]
    empty: bool,
    /// Join the branches of a collection's folder.
    #[arg(long, requires = "collection", conflicts_with_all = ["definitions", "record"])]
    merge: bool,
    /// A new name, which cannot be seen by comparing: old=new, or collection.old=new. May be given several times. `old=` says that it
    /// is no new name.
    #[arg(long, value_name = "OLD=NEW")]
    rename: Vec<String>,
    /// The folder of wanted definitions, a file for each collection; definitions beside the files where it is there.
    #[arg(long, value_name = "DIR")]
    definitions: Option<PathBuf>,
    /// Record what the server has, although there is a folder of definitions.
    #[arg(long, conflicts_with = "definitions")]
    record: bool,
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    on: Where,
}

impl Make {
    /// Does it.
    pub(super) fn run(self) -> Result<()> {
        let mut folder = Folder::read(&self.files.dir)?;
        if self.merge {
            return self.merge(&mut folder);
        }
        if let Some(collection) = self.collection.as_ref().filter(|_| self.empty) {
            let come = Come::to(folder.order()?)?;
            let name = self.name.as_deref().unwrap_or("records");
            let collection = come.folder_of(collection);
            let migration = Migration {
                after: after(&folder, &collection)?,
                name: MigrationName::new(folder.next_number(&collection), name)?,
                collection,
                steps: Vec::new(),
            };
            return written(&mut folder, &migration, "add its steps, then: coffer migrate plan");
        }
        let beside =
            self.files.dir.parent().map_or_else(|| PathBuf::from("definitions"), |dir| dir.join("definitions"));
        let definitions = self.definitions.clone().or_else(|| Some(beside).filter(|dir| dir.is_dir() && !self.record));
        if let Some(dir) = definitions {
            return self.plan(&mut folder, &dir);
        }
        let make = &self;
        with(&self.on, async |target| make.record(&mut folder, target).await)
    }

    /// Writes what definitions ask for.
    fn plan(&self, folder: &mut Folder, dir: &Path) -> Result<()> {
        let come = Come::to(folder.order()?)?;
        let mut names = self.names(&come)?;
        let wanted = wanted(dir, &come.state, &mut names)?;
        names.ask(&come.state, &wanted)?;
        let orders = folder.branches().is_empty();
        let parts = self.chosen(diff(&come.state, &wanted, &names.renames, orders));
        let made = files_for(folder, &come, &parts, self.name.as_deref())?;
        for migration in &made {
            written(folder, migration, "look at it, then: coffer migrate plan")?;
        }
        nothing_where(made.is_empty())
    }

    /// Writes what a server has that no file says. It counts there as applied.
    async fn record(&self, folder: &mut Folder, target: &mut Target) -> Result<()> {
        let all = target.known().await?;
        for one in &all {
            // The server's record is what is true; a file may have been lost between the two.
            if folder.get(&one.migration.id()).is_none() {
                written(folder, &one.migration, "it was applied, and had no file")?;
            }
        }
        let open =
            folder.order()?.into_iter().map(Migration::id).find(|id| !all.iter().any(|one| one.migration.id() == *id));
        if let Some(id) = open {
            bail!(
                "the files are ahead of the server: {id} is not applied; apply it first, or make a definition of what is to be (--definitions)"
            );
        }
        let come = applied(folder, &all)?;
        let (state, collections) = target.state().await?;
        let mut names = self.names(&come)?;
        names.of_aliases(&come.state, &collections);
        names.ask(&come.state, &state)?;
        let parts = self.chosen(diff(&come.state, &state, &names.renames, !has_merges(folder)));
        let made = files_for(folder, &come, &parts, self.name.as_deref())?;
        let query = ApplyQuery { record: true, complete: true, ..ApplyQuery::default() };
        for migration in &made {
            // What the server noted is what the file says.
            let MigrationAnswer::Done(noted) = target.apply(migration, query).await? else { continue };
            written(folder, &noted.migration, "the server has it already, so it counts there as applied")?;
        }
        nothing_where(made.is_empty())
    }

    /// Joins branches that touch different things.
    fn merge(&self, folder: &mut Folder) -> Result<()> {
        let Some(collection) = &self.collection else {
            bail!("name the collection: coffer migrate make COLLECTION --merge")
        };
        let collection =
            Come::to(folder.order()?).map_or_else(|_| collection.clone(), |come| come.folder_of(collection));
        let leaves = folder.leaves(&collection);
        if leaves.len() < 2 {
            bail!("{collection} has no branches, so there is nothing to join");
        }
        let common: BTreeSet<MigrationId> = leaves
            .iter()
            .map(|leaf| folder.down_from([leaf.clone()]))
            .reduce(|a, b| a.intersection(&b).cloned().collect())
            .unwrap_or_default();
        let mut touched: BTreeMap<String, Vec<&MigrationId>> = BTreeMap::new();
        for leaf in &leaves {
            let own = folder.down_from([leaf.clone()]);
            let mut of_branch = BTreeSet::new();
            for migration in own.difference(&common).filter_map(|id| folder.get(id)) {
                for step in Step::read_all(&migration.steps).map_err(|errors| anyhow!("{}", errors.in_words()))? {
                    of_branch.extend(touches(&step));
                }
            }
            for part in of_branch {
                touched.entry(part).or_default().push(leaf);
            }
        }
        let both: Vec<String> = touched
            .iter()
            .filter(|(_, leaves)| leaves.len() > 1)
            .map(|(part, leaves)| {
                let leaves: Vec<String> = leaves.iter().map(ToString::to_string).collect();
                format!("{part}, in {}", leaves.join(" and "))
            })
            .collect();
        if !both.is_empty() {
            for part in &both {
                writeln!(io::stdout(), "{part}")?;
            }
            bail!(
                "these branches change the same, so people have to decide: take one back, remove its file, and make it again behind the other"
            );
        }
        let migration = Migration {
            name: MigrationName::new(folder.next_number(&collection), self.name.as_deref().unwrap_or("merge"))?,
            collection,
            after: leaves,
            steps: Vec::new(),
        };
        written(folder, &migration, "the branches touch different things")
    }

    fn names(&self, come: &Come) -> Result<Names> {
        let mut names = Names::asking(io::stdin().is_terminal());
        for told in &self.rename {
            names.tell(told, self.collection.as_ref(), &come.state)?;
        }
        Ok(names)
    }

    fn chosen(&self, parts: Vec<CollectionSteps>) -> Vec<CollectionSteps> {
        let is_meant = |part: &CollectionSteps| self.collection.as_ref().is_none_or(|name| *name == part.collection);
        parts.into_iter().filter(is_meant).collect()
    }
}

fn nothing_where(is_so: bool) -> Result<()> {
    if is_so {
        writeln!(io::stdout(), "Nothing is to be made: the files say all of it.")?;
    }
    Ok(())
}

fn written(folder: &mut Folder, migration: &Migration, then: &str) -> Result<()> {
    let path = folder.write(migration)?;
    let mut out = io::stdout();
    writeln!(out, "Wrote {}: {then}.", path.display())?;
    for step in Step::read_all(&migration.steps).unwrap_or_default() {
        writeln!(out, "  {}", step.in_words())?;
    }
    Ok(())
}

/// Whether any file joins branches: then the order of fields differs from server to server.
fn has_merges(folder: &Folder) -> bool {
    let of_own =
        |migration: &Migration| migration.after.iter().filter(|id| id.collection == migration.collection).count();
    folder.order().unwrap_or_default().into_iter().any(|migration| of_own(migration) > 1)
}
