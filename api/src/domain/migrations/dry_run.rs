//! What a migration would do, step by step: the numbers of each step's own dry run, as far as the steps ahead of it leave them true.

use std::collections::BTreeSet;

use common::{
    access::Caller,
    collection::{DefinitionAnswer, DefinitionQuery, DryRun},
    history::History,
    migration::{MigrationId, MigrationPlan, StepPlan},
    name::CollectionName,
};

use super::{
    Step,
    run::definition,
    state::{created, published},
};
use crate::domain::{collections, core::Core, error::Result, records};

/// What steps would do. What is wrong with one that can be tried is an error.
pub(super) async fn plan(
    core: &Core,
    caller: &Caller,
    migration: MigrationId,
    steps: &[Step],
) -> Result<MigrationPlan> {
    let (mut told, mut touched) = (Vec::with_capacity(steps.len()), BTreeSet::<CollectionName>::new());
    for step in steps {
        // What a step ahead of it changed is not so yet.
        let is_known = step.collection().is_none_or(|name| !touched.contains(name));
        let dry_run = if is_known { one(core, caller, step).await? } else { None };
        touched.extend(step.collection().cloned());
        if let Step::Change(_, change) = step {
            touched.extend(change.name.clone());
        }
        let irreversible = irreversible(core, caller, step).await?;
        told.push(StepPlan { step: step.in_words(), dry_run, irreversible });
    }
    Ok(MigrationPlan { migration, steps: told })
}

async fn one(core: &Core, caller: &Caller, step: &Step) -> Result<Option<DryRun>> {
    Ok(match step {
        Step::Create(name, members) => {
            created(name, members)?;
            Some(DryRun::of(0))
        }
        Step::Change(name, change) => {
            let (definition, query) = definition(core, caller, step, change, false).await?;
            let query = DefinitionQuery { dry_run: true, ..query };
            match Box::pin(collections::replace(core, caller, name, definition, &query, None)).await? {
                DefinitionAnswer::WouldBe(told) => Some(*told),
                _ => None,
            }
        }
        Step::Delete(name) => {
            let counts = collections::would_delete(core, caller, name, None).await?;
            let count = counts.total().saturating_sub(1);
            let gone = vec![format!("{name}, with {}", common::text::count(count, "record"))];
            Some(DryRun { changed: count, gone, ..DryRun::of(count) })
        }
        Step::Update(..) | Step::DeleteRecords(..) => Some(records::would_change(core, caller, step).await?),
        Step::Publish(path, members) | Step::Republish(path, members) => {
            published(path, members)?;
            None
        }
        Step::Unpublish(_) => None,
    })
}

/// Why a step cannot be taken back later.
async fn irreversible(core: &Core, caller: &Caller, step: &Step) -> Result<Option<String>> {
    let (Step::Update(name, _) | Step::DeleteRecords(name, _) | Step::Delete(name)) = step else { return Ok(None) };
    let snapshot = core.store.snapshot().await?;
    let Some(schema) = core.schemas.load(&snapshot, name).await?.filter(|_| caller.is_admin()) else { return Ok(None) };
    let keeps = schema.collection.history != History::Nothing;
    Ok((!keeps).then(|| format!("{name} keeps no history: this can be taken back for a day only.")))
}
