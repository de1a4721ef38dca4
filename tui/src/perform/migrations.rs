//! What the page of migrations asks for: the server's, beside the files of a folder here.

use std::path::Path;

use coffer_client::{Client, migrations as files};
use common::{
    Call,
    endpoints::{migrations, operations},
    migration::{ApplyQuery, Listed, Migration, MigrationAnswer, MigrationId, RevertMigrationQuery, listed},
};

use crate::{
    message::{Answer, Failure},
    migrating::{Migrating, MigrationsTold, Planned},
    words,
};

/// Asks, and then for the list.
pub(super) async fn ask(client: &Client, dir: &Path, what: Migrating) -> Answer<MigrationsTold> {
    let mut told = MigrationsTold { rows: Vec::new(), plan: None, under_way: None, done: None, fault: None };
    match act(client, what).await {
        Ok((plan, done)) => (told.plan, told.done) = (plan, done),
        Err(Failure::SignedOut) => return Err(Failure::SignedOut),
        Err(failure) => told.fault = Some(words::failure(&failure)),
    }
    let known = client.send(&Call::<migrations::List>::new((), ())).await?.results;
    let there = files::read_all(dir).unwrap_or_else(|fault| {
        told.fault.get_or_insert(fault);
        None
    });
    told.rows = listed(known, there.as_deref());
    if let Some(operation) = told.rows.iter().find_map(Listed::under_way) {
        told.under_way = client.send(&Call::<operations::Get>::new((operation,), ())).await.ok();
    }
    Ok(told)
}

async fn act(client: &Client, what: Migrating) -> Answer<(Option<Planned>, Option<String>)> {
    let (is_back, id, answer) = match what {
        Migrating::List => return Ok((None, None)),
        Migrating::Stop(operation) => {
            client.send(&Call::<operations::Stop>::new((operation,), ())).await?;
            return Ok((None, Some(words::MIGRATION_STOPPING.to_owned())));
        }
        Migrating::Plan(migration) => (false, migration.id(), apply(client, *migration, true).await?),
        Migrating::Apply(migration) => (false, migration.id(), apply(client, *migration, false).await?),
        Migrating::PlanBack(id) => (true, id.clone(), revert(client, id, true).await?),
        Migrating::Revert(id) => (true, id.clone(), revert(client, id, false).await?),
    };
    Ok(match answer {
        MigrationAnswer::WouldBe(plan) => (Some(Planned { is_back, plan: *plan }), None),
        MigrationAnswer::Begun(_) => (None, Some(words::migration_begun(&id))),
        MigrationAnswer::Done(_) if is_back => (None, Some(words::migration_reverted(&id))),
        MigrationAnswer::Done(_) => (None, Some(words::migration_applied(&id))),
    })
}

async fn apply(client: &Client, migration: Migration, dry_run: bool) -> Answer<MigrationAnswer> {
    let query = ApplyQuery { dry_run, ..ApplyQuery::default() };
    client.send(&Call::<migrations::Apply>::new((), migration).query(query)).await
}

async fn revert(client: &Client, id: MigrationId, dry_run: bool) -> Answer<MigrationAnswer> {
    let query = RevertMigrationQuery { dry_run, ..RevertMigrationQuery::default() };
    client.send(&Call::<migrations::Revert>::new((id.collection, id.name), ()).query(query)).await
}
