//! What is told and changes nothing: `plan`, `show`, `check`.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write as _},
};

use anyhow::{Result, bail};
use common::{
    migration::{ApplyQuery, Migration, MigrationAnswer, MigrationId, MigrationPlan, MigrationState},
    name::CollectionName,
    text::count,
};

use super::{
    applied::{applied, changed_files, known, to_apply, told_branches},
    folder::Folder,
    target::Target,
};
use crate::domain::migrations::{self, Step, diff};

pub(super) async fn plan(
    target: &mut Target,
    folder: &Folder,
    collection: Option<&CollectionName>,
    up_to: Option<&str>,
) -> Result<()> {
    let (_, known) = known(target).await?;
    let mut out = io::stdout();
    let open = to_apply(folder, &known, collection, up_to)?;
    if open.is_empty() {
        writeln!(out, "Nothing is to be applied.")?;
    }
    let (mut touched, mut ahead) = (BTreeSet::<CollectionName>::new(), BTreeSet::new());
    for migration in open {
        let steps = Step::read_all(&migration.steps).map_err(|errors| anyhow::anyhow!("{}", errors.in_words()))?;
        let of_it: BTreeSet<CollectionName> = steps.iter().filter_map(|step| step.collection().cloned()).collect();
        writeln!(out, "{}", migration.id())?;
        let answer = if of_it.is_disjoint(&touched) {
            match target.apply(migration, ApplyQuery { dry_run: true, ..ApplyQuery::default() }).await {
                // It may speak of what those ahead of it make.
                Err(_) if migration.after.iter().any(|id| ahead.contains(id)) => None,
                answer => Some(answer?),
            }
        } else {
            None
        };
        if let Some(MigrationAnswer::WouldBe(plan)) = answer {
            tell_plan(&plan)?;
        } else {
            for step in &steps {
                writeln!(out, "  {}", step.in_words())?;
            }
            writeln!(out, "      what this does to records can be told when the ones before it are applied")?;
        }
        ahead.insert(migration.id());
        touched.extend(of_it);
        touched.extend(steps.iter().filter_map(|step| match step {
            Step::Change(_, change) => change.name.clone(),
            _ => None,
        }));
    }
    Ok(())
}

pub(super) fn tell_plan(plan: &MigrationPlan) -> Result<()> {
    let mut out = io::stdout();
    for step in &plan.steps {
        writeln!(out, "  {}", step.step)?;
        for line in step.told() {
            writeln!(out, "      {line}")?;
        }
    }
    Ok(())
}

pub(super) async fn show(target: &mut Target, folder: &Folder, collection: Option<&CollectionName>) -> Result<()> {
    let (_, known) = known(target).await?;
    let mut out = io::stdout();
    let changed: BTreeSet<&MigrationId> = changed_files(folder, &known).collect();
    let without_file = known.keys().filter(|id| folder.get(id).is_none());
    let order = folder.order()?;
    let mut by_folder: BTreeMap<CollectionName, Vec<MigrationId>> = BTreeMap::new();
    for id in order.into_iter().map(Migration::id).chain(without_file.cloned()) {
        by_folder.entry(id.collection.clone()).or_default().push(id);
    }
    for (name, ids) in by_folder.into_iter().filter(|(name, _)| collection.is_none_or(|collection| collection == name))
    {
        writeln!(out, "{name}")?;
        for id in ids {
            let one = known.get(&id);
            let mark = match one.map(|one| one.state) {
                Some(MigrationState::Applied) => 'x',
                Some(MigrationState::Applying | MigrationState::Reverting) => '~',
                None => ' ',
            };
            let mut notes = Vec::new();
            if one.is_some_and(|one| one.recorded) {
                notes.push("noted, not done");
            }
            if changed.contains(&id) {
                notes.push("the file was changed since");
            }
            if folder.get(&id).is_none() {
                notes.push("there is no file");
            }
            let notes = if notes.is_empty() { String::new() } else { format!("  ({})", notes.join("; ")) };
            writeln!(out, " [{mark}] {}{notes}", id.name)?;
        }
    }
    Ok(())
}

pub(super) async fn check(target: &mut Target, folder: &Folder) -> Result<()> {
    let (all, known) = known(target).await?;
    let mut faults: Vec<String> = folder.branches().iter().map(|(_, leaves)| told_branches(leaves)).collect();
    faults.extend(changed_files(folder, &known).map(|id| format!("the file of {id} was changed after it was applied")));
    faults.extend(
        known.keys().filter(|id| folder.get(id).is_none()).map(|id| format!("{id} was applied and has no file")),
    );
    let open = folder.order()?.into_iter().map(Migration::id).filter(|id| !known.contains_key(id));
    faults.extend(open.map(|id| format!("{id} is not applied")));
    let unfinished = known.iter().filter(|(_, one)| one.state != MigrationState::Applied);
    faults.extend(unfinished.map(|(id, _)| format!("{id} was broken off; apply it again, or take it back")));
    let come = applied(folder, &all)?;
    let (state, _) = target.state().await?;
    for part in diff(&come.state, &state, &migrations::Renames::default(), false) {
        faults.extend(part.steps.iter().map(|step| format!("the server has what no file says: {}", step.in_words())));
    }
    let mut out = io::stdout();
    for fault in &faults {
        writeln!(out, "{fault}")?;
    }
    if !faults.is_empty() {
        bail!("files and server differ, in {}", count(faults.len() as u64, "point"));
    }
    writeln!(out, "Files and server are the same.")?;
    Ok(())
}
