//! New names, which cannot be seen by comparing.

use std::{
    collections::BTreeSet,
    io::{self, Write as _},
};

use anyhow::{Context as _, Result, bail};
use common::{
    collection::Collection,
    name::{CollectionName, FieldName},
};

use crate::domain::migrations::{MaybeRename, Renames, State, maybe_renamed};

/// New names: those that were told, that a server knows, and that are asked for.
#[derive(Default)]
pub(in crate::cli) struct Names {
    pub renames: Renames,
    /// What is gone, and no other name.
    kept: BTreeSet<String>,
    is_terminal: bool,
}

impl Names {
    /// Those that are asked for where there is a terminal.
    pub(super) fn asking(is_terminal: bool) -> Self {
        Self { is_terminal, ..Self::default() }
    }

    /// Reads `old=new`, `collection.old=new` or `old=`.
    pub(super) fn tell(&mut self, told: &str, only: Option<&CollectionName>, state: &State) -> Result<()> {
        let (old, new) = told.split_once('=').with_context(|| format!("--rename {told}: write old=new"))?;
        if new.is_empty() {
            self.kept.insert(old.to_owned());
            return Ok(());
        }
        let is_collection = old.parse::<CollectionName>().is_ok_and(|name| state.collections.contains_key(&name));
        if is_collection && only.is_none_or(|only| only.as_str() == old) && !old.contains('.') {
            self.renames.collections.insert(old.parse()?, new.parse()?);
            return Ok(());
        }
        let (collection, field) = if let Some((collection, field)) = old.split_once('.') {
            (collection.parse::<CollectionName>()?, field)
        } else {
            let field: FieldName = old.parse()?;
            let has = state.collections.iter().filter(|(_, it)| it.fields.iter().any(|known| known.name == field));
            let has: Vec<&CollectionName> =
                has.map(|(name, _)| name).filter(|name| only.is_none_or(|only| only == *name)).collect();
            match has.as_slice() {
                [one] => ((*one).clone(), old),
                [] => bail!("--rename {told}: no collection has a field {old} in the files"),
                _ => bail!("--rename {told}: several collections have a field {old}; write collection.{old}={new}"),
            }
        };
        self.renames.fields.insert((collection, field.parse()?), new.parse()?);
        Ok(())
    }

    /// A server's collections and fields answer to the names that they had before.
    pub(in crate::cli) fn of_aliases(&mut self, before: &State, collections: &[Collection]) {
        for collection in collections {
            let had = |name: &CollectionName| before.collections.contains_key(name);
            let is_new = !had(&collection.name);
            let old = collection.aliases.iter().rev().find(|alias| is_new && had(alias)).unwrap_or(&collection.name);
            if *old != collection.name {
                self.renames.collections.insert(old.clone(), collection.name.clone());
            }
            let Some(was) = before.collections.get(old) else { continue };
            let had = |name: &FieldName| was.fields.iter().any(|field| field.name == *name);
            for field in collection.fields.iter().filter(|field| !had(&field.name)) {
                let is_free =
                    |alias: &&FieldName| had(alias) && !collection.fields.iter().any(|other| other.name == **alias);
                if let Some(alias) = field.aliases.iter().rev().find(is_free) {
                    let key = (old.clone(), alias.clone());
                    self.renames.fields.entry(key).or_insert_with(|| field.name.clone());
                }
            }
        }
    }

    /// Asks of what could be new names; without a terminal these have to be told.
    pub(super) fn ask(&mut self, before: &State, after: &State) -> Result<()> {
        loop {
            let open = maybe_renamed(before, after, &self.renames, &self.kept);
            let Some(MaybeRename { collection, old, new }) = open.first() else { return Ok(()) };
            let (what, told) = match collection {
                Some(collection) => (format!("{collection}.{old}"), format!("{collection}.{old}")),
                None => (format!("the collection {old}"), old.clone()),
            };
            if !self.is_terminal {
                bail!(
                    "is {new} the new name of {what}? Say --rename {told}={new}, or --rename {told}= if {what} goes with what it holds"
                );
            }
            let mut out = io::stdout();
            write!(out, "Is {new} the new name of {what}? [y/N] ")?;
            out.flush()?;
            let mut answer = String::new();
            io::stdin().read_line(&mut answer)?;
            if !matches!(answer.trim(), "y" | "Y" | "yes") {
                self.kept.insert(told);
                continue;
            }
            match collection {
                Some(collection) => {
                    self.renames.fields.insert((collection.clone(), old.parse()?), new.parse()?);
                }
                None => drop(self.renames.collections.insert(old.parse()?, new.parse()?)),
            }
        }
    }
}
