//! `coffer sign-in` and `coffer sign-out`: the session that later commands and the terminal app use.

use std::{
    io::{self, IsTerminal as _, Write as _},
    path::Path,
};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use coffer_client::{
    profile::{self, Profile, ProfileName, Target},
    session::SessionFile,
};
use common::name::Username;

use super::{
    failed::Failed,
    open::block_on,
    password,
    server::{self, Asked},
};

/// Who signs in, and where.
#[derive(Debug, Args)]
pub(super) struct SignIn {
    #[command(flatten)]
    asked: Asked,
    /// Keep the server under this name: later commands take it for --server. The one called default counts where none is named.
    #[arg(long, value_name = "NAME")]
    profile: Option<ProfileName>,
}

/// Where to sign out.
#[derive(Debug, Args)]
pub(super) struct SignOut {
    #[command(flatten)]
    asked: Asked,
}

impl SignIn {
    /// Does it.
    pub(super) fn run(self) -> Result<()> {
        let target = self.asked.target()?;
        let user = self.user(&target)?;
        let password = password::ask(self.asked.password_stdin, &format!("Password of {user} on {}: ", target.server))?;
        let Some(file) = SessionFile::for_server(&target.server) else {
            bail!("there is no folder to keep the session in; set COFFER_STATE_DIR");
        };
        let path = file.path();
        let client = server::client(&target, Some(file), &self.asked.trust)?;
        block_on(async { server::sign_in(&client, &user, password).await })?;
        if client.take_not_kept() {
            bail!("the session cannot be kept in {}; make its folder writable", path.display());
        }
        if let Some(name) = &self.profile {
            let ca_cert = self.asked.trust.ca_cert.as_deref().map(absolute).transpose()?.or(target.ca_cert);
            let profile = Profile { url: target.server.to_string(), user: Some(user.to_string()), ca_cert };
            profile::keep(name, profile).context("the session is kept, and its profile is not")?;
        }
        let _ = writeln!(io::stderr(), "Signed in to {} as {user}.", target.server);
        Ok(())
    }

    /// Who signs in: as was said, as the profile says, or as is answered.
    fn user(&self, target: &Target) -> Result<Username> {
        if let Some(user) = &self.asked.user {
            return Ok(user.clone());
        }
        let name = match &target.user {
            Some(name) => name.clone(),
            None if self.asked.password_stdin || !io::stdin().is_terminal() => {
                bail!(Failed::Usage("say who signs in: --user NAME".to_owned()))
            }
            None => {
                let mut out = io::stderr();
                write!(out, "User on {}: ", target.server)?;
                out.flush()?;
                let mut line = String::new();
                io::stdin().read_line(&mut line)?;
                line.trim().to_owned()
            }
        };
        name.parse().map_err(|error| Failed::Usage(format!("{name}: {error}")).into())
    }
}

fn absolute(file: &Path) -> Result<std::path::PathBuf> {
    std::path::absolute(file).with_context(|| format!("{} is no path", file.display()))
}

impl SignOut {
    /// Does it. Who is not signed in is signed out already.
    pub(super) fn run(self) -> Result<()> {
        let target = self.asked.target()?;
        let file = SessionFile::for_server(&target.server);
        let client = server::client(&target, file, &self.asked.trust)?;
        let ended = block_on(async { Ok(client.sign_out().await) })?;
        ended.map_err(|error| Failed::of_call(&target.server, &error)).context("the session is forgotten here")?;
        let _ = writeln!(io::stderr(), "Signed out of {}.", target.server);
        Ok(())
    }
}
