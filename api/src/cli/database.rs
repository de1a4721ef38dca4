//! `coffer database`: the tables of a store in a PostgreSQL database.

use std::io::Write;

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use store::Store;

use super::{database_options::DatabaseOptions, open::block_on};

/// What to do with the database.
#[derive(Debug, Args)]
pub(super) struct Database {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make Coffer's tables in the database of --database-url, as their owner. What is there stays as it is.
    Init {
        #[command(flatten)]
        database: DatabaseOptions,
    },
}

impl Database {
    /// Does it.
    pub(super) fn run(self) -> Result<()> {
        let Command::Init { database } = self.command;
        let Some(options) = database.options()? else { bail!("name the database with --database-url") };
        block_on(async { Ok(Store::create(&options).await?) })?;
        let schema = &options.schema;
        writeln!(
            std::io::stdout(),
            "The schema {schema} of {} is ready. Another role that the server runs as needs no more than this:\n  grant usage on schema {schema} to \
             ROLE;\n  grant select, insert, update, delete on all tables in schema {schema} to ROLE;",
            options.url.place()
        )?;
        Ok(())
    }
}
