//! A folder of migrations: a folder for each collection, called as that was called first, and in it the files. What stands on what makes a
//! graph, in which everything has its place.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, anyhow, bail};
use common::{
    migration::{ENDINGS, Migration, MigrationId, MigrationName, read_file},
    name::CollectionName,
};

use super::toml_file;
use crate::domain::migrations::{State, Step};

/// The files of a folder.
pub(in crate::cli) struct Folder {
    dir: PathBuf,
    files: BTreeMap<MigrationId, Migration>,
}

impl Folder {
    /// Reads a folder. One that is not there is empty.
    pub(in crate::cli) fn read(dir: &Path) -> Result<Self> {
        let mut folder = Self { dir: dir.to_owned(), files: BTreeMap::new() };
        if !dir.exists() {
            return Ok(folder);
        }
        for (name, path) in entries(dir)? {
            if !path.is_dir() || name.starts_with('.') {
                continue;
            }
            let collection: CollectionName =
                name.parse().map_err(|error| anyhow!("{} is named after no collection: {error}", path.display()))?;
            for (name, path) in entries(&path)? {
                folder.read_file(&collection, &name, &path)?;
            }
        }
        for migration in folder.files.values() {
            if let Some(missing) = migration.after.iter().find(|id| !folder.files.contains_key(id)) {
                bail!("{} stands on {missing}, which is not in {}", migration.id(), dir.display());
            }
        }
        folder.order()?;
        Ok(folder)
    }

    fn read_file(&mut self, collection: &CollectionName, name: &str, path: &Path) -> Result<()> {
        let Some((stem, ending)) = name.rsplit_once('.').filter(|(_, ending)| ENDINGS.contains(ending)) else {
            return Ok(());
        };
        let name: MigrationName = stem.parse().map_err(|error| anyhow!("{}: {error}", path.display()))?;
        let id = MigrationId { collection: collection.clone(), name };
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let migration = read_file(&text, ending, &id).map_err(|error| anyhow!("{}: {error}", path.display()))?;
        Step::read_all(&migration.steps).map_err(|errors| anyhow!("{}: {}", path.display(), errors.in_words()))?;
        if self.files.insert(id.clone(), migration).is_some() {
            bail!("{id} is there as TOML and as JSON; remove one of the two");
        }
        Ok(())
    }

    /// Where it is.
    pub(in crate::cli) fn dir(&self) -> &Path {
        &self.dir
    }

    /// A migration.
    pub(in crate::cli) fn get(&self, id: &MigrationId) -> Option<&Migration> {
        self.files.get(id)
    }

    /// All, each behind what it stands on.
    pub(in crate::cli) fn order(&self) -> Result<Vec<&Migration>> {
        let (mut ordered, mut done) = (Vec::with_capacity(self.files.len()), BTreeSet::new());
        while ordered.len() < self.files.len() {
            let is_next = |migration: &&Migration| {
                !done.contains(&migration.id()) && migration.after.iter().all(|id| done.contains(id))
            };
            let Some(next) = self.files.values().find(is_next) else {
                let left = self.files.keys().find(|id| !done.contains(*id));
                let left = left.map(ToString::to_string).unwrap_or_default();
                bail!("{left} stands on itself, by way of others");
            };
            done.insert(next.id());
            ordered.push(next);
        }
        Ok(ordered)
    }

    /// The last ones of a collection's folder; several where it has branches.
    pub(in crate::cli) fn leaves(&self, collection: &CollectionName) -> Vec<MigrationId> {
        let of = |id: &&MigrationId| id.collection == *collection;
        let stood_on: BTreeSet<&MigrationId> = self
            .files
            .values()
            .filter(|migration| migration.collection == *collection)
            .flat_map(|it| &it.after)
            .collect();
        self.files.keys().filter(of).filter(|id| !stood_on.contains(id)).cloned().collect()
    }

    /// The collections that have a folder.
    pub(in crate::cli) fn collections(&self) -> BTreeSet<CollectionName> {
        self.files.keys().map(|id| id.collection.clone()).collect()
    }

    /// Folders with branches, and the last ones of each.
    pub(in crate::cli) fn branches(&self) -> Vec<(CollectionName, Vec<MigrationId>)> {
        let all = self.collections().into_iter().map(|collection| (collection.clone(), self.leaves(&collection)));
        all.filter(|(_, leaves)| leaves.len() > 1).collect()
    }

    /// Those that stand on a migration, directly or by way of others.
    pub(in crate::cli) fn standing_on(&self, id: &MigrationId) -> BTreeSet<MigrationId> {
        let mut found = BTreeSet::from([id.clone()]);
        loop {
            let more: Vec<MigrationId> = self
                .files
                .values()
                .filter(|migration| migration.after.iter().any(|id| found.contains(id)))
                .map(Migration::id)
                .filter(|id| !found.contains(id))
                .collect();
            if more.is_empty() {
                found.remove(id);
                return found;
            }
            found.extend(more);
        }
    }

    /// What a migration stands on, directly or by way of others, and itself.
    pub(in crate::cli) fn down_from(&self, ids: impl IntoIterator<Item = MigrationId>) -> BTreeSet<MigrationId> {
        let (mut found, mut left) = (BTreeSet::new(), ids.into_iter().collect::<Vec<_>>());
        while let Some(id) = left.pop() {
            if found.insert(id.clone()) {
                left.extend(self.files.get(&id).into_iter().flat_map(|migration| migration.after.clone()));
            }
        }
        found
    }

    /// The next number in a collection's folder.
    pub(in crate::cli) fn next_number(&self, collection: &CollectionName) -> u32 {
        let of = self.files.keys().filter(|id| id.collection == *collection);
        of.map(|id| id.name.number()).max().unwrap_or(0) + 1
    }

    /// The migration that a person names: by its whole name, or by a beginning that no other has.
    pub(in crate::cli) fn named(&self, collection: &CollectionName, text: &str) -> Result<MigrationId> {
        let of: Vec<&MigrationId> = self.files.keys().filter(|id| id.collection == *collection).collect();
        if let Some(id) = of.iter().find(|id| id.name.as_str() == text) {
            return Ok((*id).clone());
        }
        let found: Vec<&&MigrationId> = of.iter().filter(|id| id.name.as_str().starts_with(text)).collect();
        match found.as_slice() {
            [one] => Ok((**one).clone()),
            [] => bail!("there is no migration {collection}/{text} in {}", self.dir.display()),
            several => {
                let names: Vec<String> = several.iter().map(ToString::to_string).collect();
                bail!("{text} could be {}; write more of it", names.join(" or "))
            }
        }
    }

    /// Writes a migration, and has it among the others. A file is there whole or not at all.
    pub(in crate::cli) fn write(&mut self, migration: &Migration) -> Result<PathBuf> {
        let (text, ending) = toml_file::write(migration)?;
        let dir = self.dir.join(migration.collection.as_str());
        fs::create_dir_all(&dir).with_context(|| format!("cannot make the folder {}", dir.display()))?;
        let path = dir.join(format!("{}.{ending}", migration.name));
        let cannot = || format!("cannot write {}", path.display());
        let mut file = tempfile::Builder::new().prefix(".migration").tempfile_in(&dir).with_context(cannot)?;
        file.write_all(text.as_bytes()).with_context(cannot)?;
        file.as_file().sync_all().with_context(cannot)?;
        file.persist_noclobber(&path).map_err(|error| error.error).with_context(cannot)?;
        self.files.insert(migration.id(), migration.clone());
        Ok(path)
    }

    /// Removes a file.
    pub(in crate::cli) fn remove(&mut self, id: &MigrationId) -> Result<()> {
        for ending in ENDINGS {
            let path = self.dir.join(id.collection.as_str()).join(format!("{}.{ending}", id.name));
            if path.exists() {
                fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
            }
        }
        self.files.remove(id);
        Ok(())
    }
}

/// What is in a folder, by name.
fn entries(dir: &Path) -> Result<Vec<(String, PathBuf)>> {
    let cannot = || format!("cannot read the folder {}", dir.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).with_context(cannot)? {
        let entry = entry.with_context(cannot)?;
        found.push((entry.file_name().to_string_lossy().into_owned(), entry.path()));
    }
    found.sort();
    Ok(found)
}

/// What migrations come to, and the folder of each collection.
pub(in crate::cli) struct Come {
    /// Collections and paths.
    pub state: State,
    /// The folder of each collection, by the name that it has.
    pub folders: BTreeMap<CollectionName, CollectionName>,
}

impl Come {
    /// Of migrations, in order.
    pub(in crate::cli) fn to<'a>(migrations: impl IntoIterator<Item = &'a Migration>) -> Result<Self> {
        let mut come = Self { state: State::default(), folders: BTreeMap::new() };
        for migration in migrations {
            come.add(migration)?;
        }
        Ok(come)
    }

    fn add(&mut self, migration: &Migration) -> Result<()> {
        let told = |errors: common::problem::FieldErrors| anyhow!("{}: {}", migration.id(), errors.in_words());
        let steps = Step::read_all(&migration.steps).map_err(told)?;
        for step in &steps {
            self.state.apply(step).map_err(told)?;
            match step {
                Step::Create(name, _) => drop(self.folders.insert(name.clone(), migration.collection.clone())),
                Step::Change(name, change) => {
                    if let (Some(new), Some(folder)) = (&change.name, self.folders.remove(name)) {
                        self.folders.insert(new.clone(), folder);
                    } else {
                        self.folders.insert(name.clone(), migration.collection.clone());
                    }
                }
                Step::Delete(name) => drop(self.folders.remove(name)),
                _ => {}
            }
        }
        Ok(())
    }

    /// The folder of a collection.
    pub(in crate::cli) fn folder_of(&self, collection: &CollectionName) -> CollectionName {
        self.folders.get(collection).unwrap_or(collection).clone()
    }
}
