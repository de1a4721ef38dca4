//! `coffer openapi`.

use std::io::Write as _;

use anyhow::Result;
use base::MemoryBudget;
use clap::Args;
use common::{access::Caller, id::UserId};
use uuid::Uuid;

use super::open::{AuthSettings, DataDir, Opened, block_on};
use crate::domain::{openapi, quota::Quota};

/// Writes the OpenAPI document of an instance, as an admin sees it, to stdout.
#[derive(Debug, Args)]
pub(super) struct OpenApi {
    /// The address of the server in the document.
    #[arg(long, default_value = "http://127.0.0.1:8000", value_name = "URL")]
    url: String,
    #[command(flatten)]
    data: DataDir,
}

impl OpenApi {
    /// Does it.
    pub(super) fn run(self) -> Result<()> {
        block_on(async {
            self.data.expect("store")?;
            let settings = AuthSettings { without_peppers: true, ..AuthSettings::default() };
            let Opened { app, .. } = self.data.open(settings, Quota::default(), &MemoryBudget::unlimited()).await?;
            let caller = Caller::User { id: UserId::from_uuid(Uuid::nil()), is_admin: true, roles: Vec::new() };
            let document = openapi::document(app.core(), &caller, &self.url, env!("CARGO_PKG_VERSION")).await;
            app.core().store.close().await;
            writeln!(std::io::stdout(), "{:#}", document?)?;
            Ok(())
        })
    }
}
