//! `coffer user`: users without a running server. Passwords come from a prompt or from stdin, never from an argument.

mod import;

use std::{io::Write, path::PathBuf};

use anyhow::{Result, anyhow, bail};
use base::MemoryBudget;
use clap::{Args, Subcommand};
use common::{
    access::Caller,
    endpoints::users::{NewUser, ProfilePatch, UserPatch},
    name::{RoleName, Username},
    reader::Body,
};

use super::{
    control,
    open::{AuthSettings, DataDir, Opened, PasswordRules, PepperFiles, block_on},
    password,
};
use crate::domain::{App, Error, journal::Actor, quota::Quota, setup, users};

/// What to do with users.
#[derive(Debug, Args)]
pub(super) struct User {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a user; the password is asked for.
    Add {
        /// What the user will sign in with.
        name: Username,
        /// May do everything.
        #[arg(long)]
        admin: bool,
        /// An address that the user may sign in with too.
        #[arg(long, value_name = "ADDRESS", value_parser = parse_email)]
        email: Option<String>,
        /// A role that access rules may name; can be given several times.
        #[arg(long, value_name = "ROLE")]
        role: Vec<RoleName>,
        #[command(flatten)]
        with: With,
    },
    /// Bring in the users of a Django project, with the passwords that they have.
    Import {
        /// What `manage.py dumpdata auth.user auth.group` wrote. A superuser becomes an admin, and a group a role.
        file: PathBuf,
        /// Tell what would come in, and write nothing.
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        data: DataDir,
    },
    /// List all users.
    List {
        #[command(flatten)]
        data: DataDir,
    },
    /// Set a new password and end the user's sessions; the password is asked for.
    Password {
        /// The user's name.
        name: Username,
        #[command(flatten)]
        with: With,
    },
    /// Let a user sign in again whose name is locked by wrong guesses. For a server that runs.
    Unlock {
        /// The user's name.
        name: Username,
        #[command(flatten)]
        data: DataDir,
    },
    /// Keep a user from signing in, and end their sessions.
    Disable {
        /// The user's name.
        name: Username,
        #[command(flatten)]
        data: DataDir,
    },
}

#[derive(Debug, Args)]
struct With {
    /// Read the password from stdin, up to the end of the line.
    #[arg(long)]
    password_stdin: bool,
    #[command(flatten)]
    passwords: PasswordRules,
    #[command(flatten)]
    peppers: PepperFiles,
    #[command(flatten)]
    data: DataDir,
}

impl With {
    fn settings(&self) -> AuthSettings {
        AuthSettings { passwords: self.passwords.clone(), peppers: self.peppers.clone(), ..AuthSettings::default() }
    }

    fn password(&self) -> Result<String> {
        let password = password::ask(self.password_stdin, "Password: ")?;
        if !self.password_stdin && password::ask(false, "Again: ")? != password {
            bail!("the two passwords differ; try again");
        }
        Ok(password)
    }
}

impl User {
    /// Does it.
    pub(super) fn run(self) -> Result<()> {
        match self.command {
            Command::Add { name, admin, email, role, with } => {
                let email = email.unwrap_or_default();
                let password = with.password()?;
                block_on(async {
                    let Opened { app, .. } =
                        with.data.open(with.settings(), Quota::default(), &MemoryBudget::unlimited()).await?;
                    let new = NewUser { email, roles: role, is_admin: admin, ..NewUser::new(name.clone(), password) };
                    add(&app, new).await?;
                    app.core().store.close().await;
                    say(&format!("{name} can sign in now."))
                })
            }
            Command::Import { file, dry_run, data } => block_on(async {
                let Opened { app, .. } =
                    data.open(no_passwords(), Quota::default(), &MemoryBudget::unlimited()).await?;
                let done = import::run(&app, &file, dry_run).await;
                app.core().store.close().await;
                done
            }),
            Command::List { data } => block_on(async {
                data.expect("store")?;
                let Opened { app, .. } =
                    data.open(no_passwords(), Quota::default(), &MemoryBudget::unlimited()).await?;
                for user in users::all(app.core()).await.map_err(plain)? {
                    let roles = user.roles.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
                    let admin = if user.is_admin { "admin" } else { "" };
                    let active = if user.is_active { "active" } else { "disabled" };
                    say(&format!("{}\t{}\t{active}\t{admin}\t{roles}", user.id, user.username))?;
                }
                Ok(())
            }),
            Command::Password { name, with } => {
                with.data.expect("store")?;
                let password = with.password()?;
                let patch = UserPatch { password: Some(password), ..UserPatch::default() };
                block_on(change(
                    &with.data,
                    // The way out where a pepper is lost.
                    AuthSettings { without_peppers: true, ..with.settings() },
                    &name,
                    patch,
                    "The password is changed, and all sessions have ended.",
                ))
            }
            Command::Unlock { name, data } => say(&control::ask_to_unlock(&data.data, &name)?),
            Command::Disable { name, data } => {
                data.expect("store")?;
                let patch = UserPatch { is_active: Some(false), ..UserPatch::default() };
                block_on(change(&data, no_passwords(), &name, patch, "The user cannot sign in any more."))
            }
        }
    }
}

/// For what neither compares nor hashes a password.
fn no_passwords() -> AuthSettings {
    AuthSettings { without_peppers: true, ..AuthSettings::default() }
}

fn say(line: &str) -> Result<()> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}

async fn add(app: &App, new: NewUser) -> Result<()> {
    let by = Actor::local(&Caller::Anonymous);
    let is_plain_admin = new.is_admin && new.roles.is_empty() && new.email.is_empty();
    let made = if is_plain_admin && setup::required(&app.core().store).await? {
        setup::first_admin(app, by, new.username, &new.password).await
    } else {
        users::create(app, by, new).await
    };
    made.map(|_| ()).map_err(plain)
}

/// An e-mail address as the API takes it.
fn parse_email(text: &str) -> Result<String, String> {
    let patch = serde_json::json!({"email": text});
    match ProfilePatch::from_json(patch) {
        Ok(patch) => Ok(patch.email.unwrap_or_default()),
        Err(errors) => Err(errors.messages("email").next().unwrap_or("this is no e-mail address").to_owned()),
    }
}

async fn change(data: &DataDir, settings: AuthSettings, name: &Username, patch: UserPatch, done: &str) -> Result<()> {
    let Opened { app, .. } = data.open(settings, Quota::default(), &MemoryBudget::unlimited()).await?;
    let (_, stored) = users::by_name(&app.core().store, name.as_str())
        .await?
        .ok_or_else(|| anyhow!("there is no user {name}; coffer user list shows all"))?;
    users::update(&app, Actor::local(&Caller::Anonymous), stored.user.id, patch).await.map_err(plain)?;
    app.core().store.close().await;
    say(done)
}

/// A domain error in one line.
fn plain(error: Error) -> anyhow::Error {
    match error {
        Error::Invalid(errors) | Error::Taken(errors) => {
            let messages = errors.0.values().flatten().map(|error| error.message.as_str()).collect::<Vec<_>>();
            anyhow!("{}", messages.join(" "))
        }
        error => error.into(),
    }
}
