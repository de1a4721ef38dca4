//! `/api/migrations/`: changes of collections that are kept in files, and which of them were applied.

use super::endpoint;
use crate::{
    migration::{AppliedMigration, ApplyQuery, Migration, MigrationAnswer, MigrationName, RevertMigrationQuery},
    name::CollectionName,
    page::Page,
};

endpoint! {
    /// The migrations that were applied, in the order of their application.
    List: GET "/api/migrations/",
    access Admin, cost Reads(User), errors Drf,
    body () as NOTHING,
    answer Page<AppliedMigration> as OK
}

endpoint! {
    /// Apply a migration; `dry_run=true` tells what it would do, `record=true` notes it as applied. 202 where it takes longer.
    Apply: POST "/api/migrations/",
    access Admin, cost Writes(User), errors Drf,
    query ApplyQuery,
    body Migration as JSON,
    answer MigrationAnswer as OK
}

endpoint! {
    /// Take a migration back. 202 where it takes longer.
    Revert: POST "/api/migrations/{collection}/{name}/revert/",
    access Admin, cost Writes(User), errors Drf,
    params (CollectionName, MigrationName), query RevertMigrationQuery,
    body () as NOTHING,
    answer MigrationAnswer as OK
}
