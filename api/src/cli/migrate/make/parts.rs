//! The files of what changed: which steps go into which, what each stands on, and what it is called.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use common::{
    Object,
    migration::{Migration, MigrationId, MigrationName},
    name::CollectionName,
};
use serde_json::Value;

use crate::{
    cli::migrate::{
        applied::after,
        folder::{Come, Folder},
    },
    domain::migrations::{CollectionSteps, Step},
};

/// The longest name that is made of steps.
const MAX_WORDS: usize = 60;

/// The files of some parts: those of one folder that follow each other are one.
pub(in crate::cli) fn files_for(
    folder: &Folder,
    come: &Come,
    parts: &[CollectionSteps],
    name: Option<&str>,
) -> Result<Vec<Migration>> {
    let mut made: Vec<(Migration, Vec<Step>)> = Vec::new();
    let mut folders = come.folders.clone();
    for part in parts {
        let own = folders.get(&part.collection).unwrap_or(&part.collection).clone();
        for step in &part.steps {
            if let Step::Change(old, change) = step
                && let Some(new) = &change.name
            {
                folders.remove(old);
                folders.insert(new.clone(), own.clone());
            }
        }
        // What it speaks of has to be there.
        let mut targets: BTreeSet<CollectionName> = BTreeSet::new();
        for step in &part.steps {
            targets.extend(mentions(step).iter().map(|name| folders.get(name).unwrap_or(name).clone()));
        }
        let is_deletion = part.steps.iter().any(|step| matches!(step, Step::Delete(_)));
        let last = |collection: &CollectionName, made: &[(Migration, Vec<Step>)]| -> Result<Vec<MigrationId>> {
            match made.iter().rev().find(|(migration, _)| migration.collection == *collection) {
                Some((migration, _)) => Ok(vec![migration.id()]),
                None => after(folder, collection),
            }
        };
        let mut stands_on: Vec<MigrationId> = Vec::new();
        for target in targets.iter().filter(|target| **target != own) {
            stands_on.extend(last(target, &made)?);
        }
        if is_deletion {
            stands_on.extend(made.iter().map(|(migration, _)| migration.id()).filter(|id| id.collection != own));
        }
        if let Some((migration, steps)) = made.last_mut()
            && migration.collection == own
        {
            steps.extend(part.steps.clone());
            migration.after.extend(stands_on);
            migration.after.sort();
            migration.after.dedup();
            continue;
        }
        stands_on.extend(last(&own, &made)?);
        stands_on.sort();
        stands_on.dedup();
        let earlier = made.iter().filter(|(migration, _)| migration.collection == own).count();
        let number = folder.next_number(&own) + u32::try_from(earlier).unwrap_or_default();
        let migration = Migration {
            collection: own,
            name: MigrationName::new(number, "made")?,
            after: stands_on,
            steps: Vec::new(),
        };
        made.push((migration, part.steps.clone()));
    }
    let is_one = made.len() == 1;
    let finished = made.into_iter().map(|(mut migration, steps)| {
        let words = name.map_or_else(|| words_of(&steps), str::to_owned);
        let number = migration.name.number();
        let named = MigrationName::new(number, &words);
        let before = migration.id();
        migration.name =
            if name.is_some() && is_one { named? } else { named.or_else(|_| MigrationName::new(number, "changes"))? };
        migration.steps = steps.iter().map(Step::to_json).collect();
        Ok((before, migration))
    });
    let mut finished = finished.collect::<Result<Vec<(MigrationId, Migration)>>>()?;
    // They stand on each other by the names that they have now.
    let names: BTreeMap<MigrationId, MigrationId> =
        finished.iter().map(|(before, migration)| (before.clone(), migration.id())).collect();
    for (_, migration) in &mut finished {
        for id in &mut migration.after {
            if let Some(now) = names.get(id) {
                id.clone_from(now);
            }
        }
    }
    Ok(finished.into_iter().map(|(_, migration)| migration).collect())
}

/// The collections that a step's fields refer to.
fn mentions(step: &Step) -> Vec<CollectionName> {
    let of = |members: &Object| members.get("collection").and_then(Value::as_str).and_then(|name| name.parse().ok());
    match step {
        Step::Create(_, definition) => {
            let fields = definition.get("fields").and_then(Value::as_array).into_iter().flatten();
            fields.filter_map(Value::as_object).filter_map(of).collect()
        }
        Step::Change(_, change) => change.add.iter().chain(change.alter.values()).filter_map(of).collect(),
        Step::Publish(_, members) | Step::Republish(_, members) => of(members).into_iter().collect(),
        _ => Vec::new(),
    }
}

/// A name for steps.
fn words_of(steps: &[Step]) -> String {
    let mut words: Vec<String> = Vec::new();
    for step in steps {
        match step {
            Step::Create(..) => words.push("initial".to_owned()),
            Step::Delete(_) => words.push("delete".to_owned()),
            Step::Update(..) | Step::DeleteRecords(..) => words.push("records".to_owned()),
            Step::Publish(..) | Step::Republish(..) | Step::Unpublish(_) => words.push("paths".to_owned()),
            Step::Change(_, change) => {
                words.extend(change.name.iter().map(|name| format!("name_{name}")));
                words.extend(change.add.iter().filter_map(|it| Some(format!("add_{}", it.get("name")?.as_str()?))));
                words.extend(change.rename.iter().map(|(old, new)| format!("rename_{old}_{new}")));
                words.extend(change.drop.iter().map(|name| format!("drop_{name}")));
                words.extend(change.alter.keys().map(|name| format!("alter_{name}")));
                words.extend(
                    (!change.add_indexes.is_empty() || !change.drop_indexes.is_empty()).then(|| "indexes".to_owned()),
                );
                words.extend((!change.access.is_empty()).then(|| "access".to_owned()));
                words.extend((!change.order.is_empty()).then(|| "order".to_owned()));
                words.extend(change.description.iter().map(|_| "description".to_owned()));
                words.extend(change.ids.iter().map(|_| "ids".to_owned()));
                words.extend(change.history.iter().map(|_| "history".to_owned()));
            }
        }
    }
    words.dedup();
    let mut name = String::new();
    for word in &words {
        if !name.is_empty() && name.len() + word.len() > MAX_WORDS {
            name.push_str("_and_more");
            break;
        }
        if !name.is_empty() {
            name.push('_');
        }
        name.push_str(word);
    }
    name
}
