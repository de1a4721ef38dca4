//! `coffer keys`: the ring of signing keys. No command prints a secret.

use std::{io::Write, path::PathBuf};

use anyhow::{Context, Result};
use auth::keys::{Algorithm, KeyRing, SigningKey};
use base::{Clock, Entropy};
use clap::{Args, Subcommand};
use store::Owner;

use super::open::DataDir;

/// What to do with keys.
#[derive(Debug, Args)]
pub(super) struct Keys {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List all keys: id, algorithm, state, age.
    List {
        #[command(flatten)]
        data: DataDir,
    },
    /// Make a key, or take one from a file. It signs from the server's next start on; the one before it still verifies. A public key only
    /// verifies.
    Add {
        /// HS256, `EdDSA`, ES256 or RS256.
        #[arg(long, default_value = "HS256", value_parser = parse_algorithm, value_name = "ALG")]
        algorithm: Algorithm,
        /// Take the keys in this file: a private or public key as PEM, DER, JWK or JWK set, or a secret of 32 or more random bytes.
        #[arg(long, value_name = "FILE", conflicts_with = "algorithm")]
        from: Option<PathBuf>,
        #[command(flatten)]
        data: DataDir,
    },
    /// Retire a key: its tokens are refused from the server's next start on, and its secret is wiped.
    Retire {
        /// The key's id.
        kid: String,
        #[command(flatten)]
        data: DataDir,
    },
}

fn parse_algorithm(name: &str) -> Result<Algorithm, String> {
    Algorithm::from_name(name).ok_or_else(|| {
        let known = Algorithm::ALL.map(Algorithm::as_str).join(", ");
        format!("use one of {known}")
    })
}

impl Keys {
    /// Does it.
    pub(super) fn run(self) -> Result<()> {
        let (clock, entropy) = (Clock::system(), Entropy::system());
        let (Command::List { data } | Command::Add { data, .. } | Command::Retire { data, .. }) = &self.command;
        data.refuse_database(
            "servers over a database sign with the keys of --signing-key-file, which are files of yours",
        )?;
        let keys = data.data.join("keys");
        let owner = Owner::of(&keys);
        let done = self.command.run(&clock, &entropy);
        owner.keep(&keys).context("the keys could not be given to the owner of the data directory")?;
        done
    }
}

impl Command {
    fn run(self, clock: &Clock, entropy: &Entropy) -> Result<()> {
        match self {
            Self::List { data } => {
                data.expect("keys")?;
                for key in KeyRing::open(&data.private()?, clock, entropy)?.keys() {
                    print(key)?;
                }
                Ok(())
            }
            Self::Add { from: Some(file), data, .. } => {
                KeyRing::import(&data.private()?, &file, clock, entropy)?.iter().try_for_each(print)
            }
            Self::Add { algorithm, data, .. } => print(&KeyRing::add(&data.private()?, algorithm, clock, entropy)?),
            Self::Retire { kid, data } => {
                data.expect("keys")?;
                print(&KeyRing::retire(&data.private()?, &kid)?)
            }
        }
    }
}

fn print(key: &SigningKey) -> Result<()> {
    let made = common::validate::format_moment(key.created_at());
    writeln!(std::io::stdout(), "{}\t{}\t{}\t{made}", key.kid(), key.algorithm().as_str(), key.state().as_str())
        .context("the list could not be written")
}
