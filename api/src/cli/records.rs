//! `coffer records`, and its short forms: a running server's records for scripts. What is written goes to standard output, in columns that do
//! not change with the values; nothing is asked. The exit codes are in [`Failed`](super::failed::Failed).

mod arguments;
mod cells;
mod form;
mod list;
mod values;

use std::io::{self, Write};

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use common::{
    Call,
    endpoints::records,
    id::{RecordId, Revision},
    query::RecordQuery,
    record::{OneOrMany, Record},
    undo::DeleteQuery,
};
use serde_json::json;

pub(super) use self::arguments::{Create, Delete, Get, List, Update};
use self::form::{Form, unless_closed};
use super::{
    failed::Failed,
    open::block_on,
    server::{Asked, Session},
};

/// Records of a running server.
#[derive(Debug, Args)]
pub(super) struct Records {
    #[command(subcommand)]
    command: RecordsCommand,
}

#[derive(Debug, Subcommand)]
enum RecordsCommand {
    /// Show one record.
    Get(Box<Get>),
    /// Show records: all, or those that match.
    List(Box<List>),
    /// Make a record, or several from a file.
    Create(Box<Create>),
    /// Change some fields of a record.
    Update(Box<Update>),
    /// Delete records.
    Delete(Box<Delete>),
}

impl Records {
    /// Does it.
    pub(super) fn run(self) -> Result<()> {
        match self.command {
            RecordsCommand::Get(command) => command.run(),
            RecordsCommand::List(command) => command.run(),
            RecordsCommand::Create(command) => command.run(),
            RecordsCommand::Update(command) => command.run(),
            RecordsCommand::Delete(command) => command.run(),
        }
    }
}

/// Runs `task` with a session, and ends that where it was begun for it.
fn with_session(asked: &Asked, task: impl AsyncFnOnce(&Session) -> Result<()>) -> Result<()> {
    let server = asked.named()?;
    block_on(async {
        let session = server.sign_in().await?;
        let done = task(&session).await;
        session.sign_out().await;
        done
    })
}

impl Get {
    /// Does it.
    pub(super) fn run(self) -> Result<()> {
        with_session(&self.server, async |session| {
            let query = RecordQuery { fields: self.fields.clone(), expand: self.expand.clone() };
            let call = Call::<records::Get>::new((self.collection.clone(), self.id), ()).query(query);
            let record = cells::ordered(session.call(&call).await?, &self.fields);
            unless_closed(cells::one(&record, self.form.form()))
        })
    }
}

impl List {
    /// Does it.
    pub(super) fn run(self) -> Result<()> {
        with_session(&self.server, async |session| list::run(&self, session).await)
    }
}

impl Create {
    /// Does it.
    pub(super) fn run(self) -> Result<()> {
        let given = values::gather(self.from.as_deref(), &self.values)?;
        with_session(&self.server, async |session| {
            let call = Call::<records::Create>::new((self.collection.clone(),), given);
            let form = self.form.form();
            unless_closed(match session.call(&call).await? {
                OneOrMany::One(record) => cells::one(&record, form),
                OneOrMany::Many(records) => cells::many(&records, form),
            })
        })
    }
}

impl Update {
    /// Does it.
    pub(super) fn run(self) -> Result<()> {
        let OneOrMany::One(changes) = values::gather(self.from.as_deref(), &self.values)? else {
            bail!(Failed::Usage("one record takes one JSON object, and this is a list".to_owned()));
        };
        with_session(&self.server, async |session| {
            let call = Call::<records::Update>::new((self.collection.clone(), self.id), changes);
            let record = session.call(&call.if_match(self.if_revision.map(Revision))).await?;
            unless_closed(cells::one(&record, self.form.form()))
        })
    }
}

impl Delete {
    /// Does it. The first refusal ends it; what was deleted before is told.
    pub(super) fn run(self) -> Result<()> {
        if self.if_revision.is_some() && self.ids.len() > 1 {
            bail!(Failed::Usage("a revision is one record's; delete them one by one".to_owned()));
        }
        with_session(&self.server, async |session| {
            let mut done = Vec::new();
            let mut refused = None;
            for id in &self.ids {
                match self.one(session, *id).await {
                    Ok(record) => done.push(record),
                    Err(error) => {
                        refused = Some(error);
                        break;
                    }
                }
            }
            unless_closed(match self.form.form() {
                Form::Table => told(&done, self.dry_run),
                form => cells::many(&done, form),
            })?;
            refused.map_or(Ok(()), Err)
        })
    }

    async fn one(&self, session: &Session, id: RecordId) -> Result<Record> {
        let (params, revision) = ((self.collection.clone(), id), self.if_revision.map(Revision));
        let mut told = Record::default();
        told.set("id", json!(id));
        if self.dry_run {
            let call = Call::<records::DryDelete>::new(params, ()).query(DeleteQuery { dry_run: true });
            let deletion = session.call(&call.if_match(revision)).await?;
            told.set("would_delete", json!(deletion.count));
        } else {
            let reply = session.reply(&Call::<records::Delete>::new(params, ()).if_match(revision)).await?;
            told.set("operation", json!(reply.operation));
        }
        Ok(told)
    }
}

fn told(done: &[Record], is_dry: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for record in done {
        let member = |name: &str| record.get(name).map(|value| value.to_string().replace('"', "")).unwrap_or_default();
        if is_dry {
            writeln!(out, "{}: {} would go", member("id"), member("would_delete"))?;
        } else {
            writeln!(out, "{} is deleted; operation {}", member("id"), member("operation"))?;
        }
    }
    Ok(())
}
