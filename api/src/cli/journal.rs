//! `coffer journal`: keeping the journal small.

use std::{io::Write, time::Duration};

use anyhow::{Context, Result, bail};
use base::{Clock, Entropy, IdSource};
use clap::{Args, Subcommand};
use common::{
    Call,
    duration::parse_duration,
    endpoints::{changes, operations as endpoints},
    operation::{Operation, OperationState, TrimChanges},
};

use super::{
    open::{DataDir, block_on},
    progress,
    server::{FromServer, Named, Session},
};
use crate::domain::{core::Core, operations};

/// How often a server is asked how far it is.
const LOOK: Duration = Duration::from_millis(200);

/// What to do with the journal.
#[derive(Debug, Args)]
pub(super) struct Journal {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Forget old changes. Histories begin later then, and what was deleted before cannot be put back any more.
    Trim {
        /// Keep what is younger than this, such as 90d.
        #[arg(long, allow_hyphen_values = true, value_parser = parse_duration, value_name = "TIME")]
        older_than: Duration,
        #[command(flatten)]
        server: FromServer,
        #[command(flatten)]
        data: DataDir,
    },
}

impl Journal {
    /// Does it.
    pub(super) fn run(self) -> Result<()> {
        let Command::Trim { older_than, server, data } = self.command;
        let until = common::validate::format_moment(Clock::system().now() - older_than);
        let operation = match server.named()? {
            Some(server) => block_on(on_server(server, older_than, &until))?,
            None => block_on(on_store(&data, older_than, &until))?,
        };
        let mut out = std::io::stdout();
        let forgot = common::text::count(operation.done, "change");
        match (operation.state, operation.error) {
            (OperationState::Done, _) => writeln!(out, "Forgot {forgot} from before {until}.")?,
            (OperationState::Stopped, _) => bail!("somebody stopped it; {forgot} were forgotten"),
            (_, error) => bail!("{}; {forgot} were forgotten", error.unwrap_or_default()),
        }
        Ok(())
    }
}

/// Says what is about to be forgotten.
fn announce(count: Option<u64>, until: &str) {
    let changes = count.map_or_else(|| "changes".to_owned(), |count| common::text::count(count, "change"));
    let _ = writeln!(std::io::stdout(), "Forgetting {changes} from before {until}; histories begin later then.");
}

async fn on_store(data: &DataDir, older_than: Duration, until: &str) -> Result<Operation> {
    let store = data.existing_store().await?;
    let clock = Clock::system();
    let core = Core::new(store, clock.clone(), IdSource::new(clock, Entropy::system()));
    announce(operations::count_changes(&core, older_than).await?, until);
    let bar = progress::counting("Forgetting, entries");
    let operation = operations::trim_changes_now(&core, older_than, &mut |count| bar.inc(count)).await;
    bar.finish_and_clear();
    core.store.close().await;
    Ok(operation?)
}

/// Has the server do it, and watches. It goes on if nobody watches any more.
async fn on_server(server: Named<'_>, older_than: Duration, until: &str) -> Result<Operation> {
    let session = server.sign_in().await?;
    let ended = watch(&session, older_than, until).await;
    session.sign_out().await;
    ended
}

async fn watch(session: &Session, older_than: Duration, until: &str) -> Result<Operation> {
    let begun = session.call(&Call::<changes::Trim>::new((), TrimChanges { older_than })).await?;
    announce(begun.of, until);
    let id = begun.id;
    follow(session, begun).await.with_context(|| {
        let path = Call::<endpoints::Get>::new((id,), ()).to_request().into_parts().0.uri;
        format!(
            "the trim has begun, and goes on without this command, also after a restart of the server; an admin sees at {path} how far it is"
        )
    })
}

/// Asks how far the trim is until it is over.
async fn follow(session: &Session, mut operation: Operation) -> Result<Operation> {
    let bar = match operation.of {
        Some(of) => progress::up_to(of, "Forgetting"),
        None => progress::counting("Forgetting, entries"),
    };
    while !operation.state.is_over() {
        tokio::time::sleep(LOOK).await;
        operation = session.call(&Call::<endpoints::Get>::new((operation.id,), ())).await?;
        bar.set_position(operation.done);
    }
    bar.finish_and_clear();
    Ok(operation)
}
