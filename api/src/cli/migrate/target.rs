//! What is migrated: a running server, as one of its admins, or the store of one that is stopped.

use std::time::Duration;

use anyhow::{Result, bail};
use base::{Clock, Entropy, IdSource};
use clap::Args;
use common::{
    Call,
    endpoints::{collections, migrations as endpoints, operations as operation_endpoints, paths as path_endpoints},
    id::OperationId,
    migration::{
        AppliedMigration, ApplyQuery, Migration, MigrationAnswer, MigrationId, MigrationState, RevertMigrationQuery,
    },
    operation::{Operation, OperationState},
};
use tokio::time::sleep;

use super::super::{
    open::DataDir,
    progress,
    server::{FromServer, Session},
};
use crate::domain::{
    self, Core,
    journal::Actor,
    migrations::{self, State},
    operations::{self, Runner},
    paths,
};

/// How often a server is asked how far it is.
const LOOK: Duration = Duration::from_millis(200);
/// How often work is tried that another process held until it died.
const AGAIN: Duration = Duration::from_millis(500);
const ATTEMPTS: usize = 30;

/// Which store.
#[derive(Debug, Args)]
pub(super) struct Where {
    #[command(flatten)]
    server: FromServer,
    #[command(flatten)]
    data: DataDir,
}

/// A server or a store.
pub(super) enum Target {
    Server(Box<Session>),
    Store(Box<Core>),
}

impl Where {
    /// Signs in, or opens the store.
    pub(super) async fn open(&self) -> Result<Target> {
        if let Some(server) = self.server.named()? {
            return Ok(Target::Server(Box::new(server.sign_in().await?)));
        }
        let store = self.data.existing_store().await?;
        let clock = Clock::system();
        Ok(Target::Store(Box::new(Core::new(store, clock.clone(), IdSource::new(clock, Entropy::system())))))
    }
}

impl Target {
    /// Signs out, or closes the store.
    pub(super) async fn close(self) {
        match self {
            Self::Server(session) => session.sign_out().await,
            Self::Store(core) => core.store.close().await,
        }
    }

    /// The migrations that were applied. Those that are under way are waited for first.
    pub(super) async fn known(&mut self) -> Result<Vec<AppliedMigration>> {
        loop {
            let known = match self {
                Self::Server(session) => session.call(&Call::<endpoints::List>::new((), ())).await?.results,
                Self::Store(core) => migrations::list(core).await?.results,
            };
            let under_way = known.iter().find(|known| known.state != MigrationState::Applied);
            let Some((known_one, id)) = under_way.and_then(|one| Some((one, one.operation?))) else { return Ok(known) };
            let operation = self.operation(id).await?;
            if operation.state.is_over() {
                return Ok(known);
            }
            let _ = self.wait(id, &known_one.migration.id()).await;
        }
    }

    /// Collections and published paths.
    pub(super) async fn state(&mut self) -> Result<(State, Vec<common::collection::Collection>)> {
        let (collections, paths) = match self {
            Self::Server(session) => (
                session.call(&Call::<collections::List>::new((), ())).await?.results,
                session.call(&Call::<path_endpoints::List>::new((), ())).await?.results,
            ),
            Self::Store(core) => {
                let collections = domain::collections::list(core, &migrations::operator()).await?.results;
                (collections, paths::list(&core.store).await?.results)
            }
        };
        Ok((State::of_server(collections.clone(), paths), collections))
    }

    /// Applies a migration, notes it or tells what it would do.
    pub(super) async fn apply(&mut self, migration: &Migration, query: ApplyQuery) -> Result<MigrationAnswer> {
        let answer = match self {
            Self::Server(session) => {
                session.call(&Call::<endpoints::Apply>::new((), migration.clone()).query(query)).await?
            }
            Self::Store(core) => {
                let operator = migrations::operator();
                migrations::apply(core, Actor::local(&operator), migration.clone(), query).await.map_err(told)?
            }
        };
        self.settled(answer, &migration.id()).await
    }

    /// Takes a migration back, or tells what that would do.
    pub(super) async fn revert(&mut self, id: &MigrationId, query: RevertMigrationQuery) -> Result<MigrationAnswer> {
        let answer = match self {
            Self::Server(session) => {
                let params = (id.collection.clone(), id.name.clone());
                session.call(&Call::<endpoints::Revert>::new(params, ()).query(query)).await?
            }
            Self::Store(core) => {
                let operator = migrations::operator();
                migrations::revert(core, Actor::local(&operator), id, query).await.map_err(told)?
            }
        };
        self.settled(answer, id).await
    }

    async fn settled(&mut self, answer: MigrationAnswer, id: &MigrationId) -> Result<MigrationAnswer> {
        if let MigrationAnswer::Begun(operation) = &answer {
            self.wait(operation.id, id).await?;
        }
        Ok(answer)
    }

    async fn operation(&mut self, id: OperationId) -> Result<Operation> {
        match self {
            Self::Server(session) => session.call(&Call::<operation_endpoints::Get>::new((id,), ())).await,
            Self::Store(core) => Ok(operations::get(core, id).await?),
        }
    }

    /// Does work to its end, or waits for it. Ctrl-C leaves a server at it.
    async fn wait(&mut self, id: OperationId, migration: &MigrationId) -> Result<()> {
        let bar = progress::counting("Records");
        if let Self::Store(core) = self {
            let mut left = ATTEMPTS;
            while let Err(error) = Runner::new(core).finish(id, &mut |count| bar.inc(count)).await {
                left = left.saturating_sub(1);
                // Another process held it until it died.
                if !matches!(error, domain::Error::Busy) || left == 0 {
                    return Err(told(error));
                }
                sleep(AGAIN).await;
            }
        }
        let operation = loop {
            let operation = self.operation(id).await?;
            bar.set_position(operation.done);
            if operation.state.is_over() {
                break operation;
            }
            sleep(LOOK).await;
        };
        bar.finish_and_clear();
        match operation.state {
            OperationState::Done => Ok(()),
            _ => bail!("{migration}: {}", operation.error.unwrap_or_else(|| "it was stopped".to_owned())),
        }
    }
}

/// An error of the domain, with what is wrong with which member.
fn told(error: domain::Error) -> anyhow::Error {
    match &error {
        domain::Error::Invalid(errors) | domain::Error::Taken(errors) => anyhow::anyhow!("{}", errors.in_words()),
        _ => anyhow::Error::from(error),
    }
}
