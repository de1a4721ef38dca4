//! A folder of definitions: what is to be.

use std::{collections::BTreeMap, io, path::Path};

use anyhow::{Context as _, Result, anyhow, bail};
use common::{
    Object,
    field::FieldType,
    migration::{ENDINGS, read_object},
    name::CollectionName,
};
use serde_json::{Value, json};

use super::Names;
use crate::domain::migrations::{State, Step, created, normal};

/// The state that a folder of definitions asks for: those that it has no file of stay as they are.
pub(super) fn wanted(dir: &Path, before: &State, names: &mut Names) -> Result<State> {
    let mut wanted = before.clone();
    let mut found = std::fs::read_dir(dir)
        .with_context(|| format!("cannot read the folder {}", dir.display()))?
        .collect::<io::Result<Vec<_>>>()?;
    found.sort_by_key(std::fs::DirEntry::file_name);
    let mut read: BTreeMap<CollectionName, Object> = BTreeMap::new();
    for entry in found {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        let Some((stem, ending)) = name.rsplit_once('.').filter(|(_, ending)| ENDINGS.contains(ending)) else {
            continue;
        };
        let told = || path.display().to_string();
        let collection: CollectionName = stem.parse().map_err(|error| anyhow!("{}: {error}", told()))?;
        let text = std::fs::read_to_string(&path).with_context(told)?;
        let members = read_object(&text, ending).map_err(|error| anyhow!("{}: {error}", told()))?;
        read.insert(collection, members);
    }
    // A collection that is called otherwise now goes on under its new name.
    for (old, new) in &names.renames.collections {
        if read.contains_key(new) && !read.contains_key(old) {
            wanted.collections.remove(old);
            for field in wanted.collections.values_mut().flat_map(|definition| &mut definition.fields) {
                if let FieldType::Reference { collection: Some(target), .. } = &mut field.kind
                    && target == old
                {
                    target.clone_from(new);
                }
            }
        }
    }
    for (collection, mut members) in read {
        let told =
            |errors: common::problem::FieldErrors| anyhow!("{}/{collection}: {}", dir.display(), errors.in_words());
        let own = |wanted: &State| -> Vec<String> {
            let of = wanted.paths.iter().filter(|(_, path)| path.collection.as_ref() == Some(&collection));
            of.map(|(path, _)| path.clone()).collect()
        };
        if let Some(Value::Array(paths)) = members.shift_remove("paths") {
            for path in own(&wanted) {
                wanted.paths.remove(&path);
            }
            for path in paths {
                let Value::Object(mut path) = path else {
                    bail!("{}/{collection}: a path is an object", dir.display())
                };
                path.entry("collection").or_insert_with(|| json!(collection));
                let address = path.shift_remove("path").and_then(|it| it.as_str().map(str::to_owned));
                let address = address.with_context(|| format!("{}/{collection}: a path has a path", dir.display()))?;
                let step = Step::Publish(address.clone(), path);
                let mut one = State::default();
                one.apply(&step).map_err(told)?;
                wanted.paths.extend(one.paths);
            }
        }
        // What goes without saying stays as it is.
        let known = before.collections.get(&collection);
        let says = |member: &str| members.contains_key(member);
        let (says_access, says_history, says_ids) = (says("access"), says("history"), says("ids"));
        let mut definition = normal(created(&collection, &members).map_err(told)?);
        if let Some(known) = known {
            if !says_access {
                definition.access.clone_from(&known.access);
            }
            if !says_ids {
                definition.ids = known.ids;
            }
            if !says_history {
                definition.history = known.history;
            }
        }
        wanted.collections.insert(collection.clone(), definition);
    }
    Ok(wanted)
}
