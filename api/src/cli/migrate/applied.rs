//! The files and what they are held against: which are applied, and which are to be.

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::{Result, bail};
use clap::Args;
pub(in crate::cli) use coffer_client::migrations::DIR;
use common::{
    migration::{AppliedMigration, Migration, MigrationId, MigrationState},
    name::CollectionName,
};

use super::{
    folder::{Come, Folder},
    target::{Target, Where},
};
use crate::{cli::open::block_on, domain::migrations};

/// Where the files are.
#[derive(Debug, Args)]
pub(super) struct Files {
    /// The folder of the files: in it a folder for each collection.
    #[arg(long, env = "COFFER_MIGRATIONS", default_value = DIR, value_name = "DIR")]
    pub dir: PathBuf,
}

/// Opens what is migrated, and closes it afterwards.
pub(super) fn with<T>(on: &Where, work: impl AsyncFnOnce(&mut Target) -> Result<T>) -> Result<T> {
    block_on(async {
        let mut target = on.open().await?;
        let done = work(&mut target).await;
        target.close().await;
        done
    })
}

/// What was applied, by name.
pub(super) type Known = BTreeMap<MigrationId, AppliedMigration>;

/// What a server says was applied, in order and by name.
pub(super) async fn known(target: &mut Target) -> Result<(Vec<AppliedMigration>, Known)> {
    let all = target.known().await?;
    let by_id = all.iter().map(|known| (known.migration.id(), known.clone())).collect();
    Ok((all, by_id))
}

/// Files that were changed after they were applied.
pub(super) fn changed_files<'a>(folder: &'a Folder, known: &'a Known) -> impl Iterator<Item = &'a MigrationId> {
    known.iter().filter_map(|(id, known)| {
        let file = folder.get(id)?;
        (migrations::digest(file) != known.digest).then_some(id)
    })
}

/// The migrations that are to be applied, in order. Branches and changed files are errors.
pub(super) fn to_apply<'a>(
    folder: &'a Folder,
    known: &Known,
    collection: Option<&CollectionName>,
    target: Option<&str>,
) -> Result<Vec<&'a Migration>> {
    if let Some(id) = changed_files(folder, known).next() {
        bail!(
            "the file of {id} was changed after it was applied; put back what it said, and make a further migration of what is to change"
        );
    }
    let wanted = match (collection, target) {
        (Some(collection), Some(target)) => Some(folder.down_from([folder.named(collection, target)?])),
        (Some(collection), None) => {
            let leaves = folder.leaves(collection);
            if leaves.is_empty() {
                bail!("{} has no folder {collection}", folder.dir().display());
            }
            Some(folder.down_from(leaves))
        }
        (None, _) => None,
    };
    if target.is_none() {
        let mut branches = folder.branches().into_iter();
        let is_meant = |name: &CollectionName| collection.is_none_or(|collection| collection == name);
        if let Some((name, leaves)) = branches.find(|(name, _)| is_meant(name)) {
            bail!("{}; run: coffer migrate make {name} --merge", told_branches(&leaves));
        }
    }
    let is_meant = |migration: &&Migration| wanted.as_ref().is_none_or(|wanted| wanted.contains(&migration.id()));
    let is_open = |id: &MigrationId| known.get(id).is_none_or(|known| known.state == MigrationState::Applying);
    Ok(folder.order()?.into_iter().filter(|migration| is_open(&migration.id())).filter(is_meant).collect())
}

/// Branches that nobody joined, for people.
pub(super) fn told_branches(leaves: &[MigrationId]) -> String {
    let names: Vec<String> = leaves.iter().map(ToString::to_string).collect();
    format!("these are branches, none of which stands on the other: {}", names.join(", "))
}

/// What was applied comes to: as the files say it, where there are any.
pub(in crate::cli) fn applied(folder: &Folder, all: &[AppliedMigration]) -> Result<Come> {
    let done = all.iter().filter(|one| one.state != MigrationState::Applying);
    let migrations: Vec<&Migration> =
        done.map(|one| folder.get(&one.migration.id()).unwrap_or(&one.migration)).collect();
    // Records of their order may differ from server to server; what stands on what does not.
    let mut left = migrations;
    let mut ordered = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let is_free = |one: &&Migration| !left.iter().any(|other| one.after.contains(&other.id()));
        let at = left.iter().position(is_free).unwrap_or(0);
        ordered.push(left.remove(at));
    }
    Come::to(ordered)
}

/// What a new file in a folder stands on.
pub(super) fn after(folder: &Folder, collection: &CollectionName) -> Result<Vec<MigrationId>> {
    let leaves = folder.leaves(collection);
    if leaves.len() > 1 {
        bail!("{}; join them first: coffer migrate make {collection} --merge", told_branches(&leaves));
    }
    Ok(leaves)
}
