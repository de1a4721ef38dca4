//! The command line.

use std::path::PathBuf;

use clap::{CommandFactory as _, Parser};
use clap_complete::Shell;
use coffer_client::{
    migrations,
    profile::{self, Target},
};
use common::variables;

use crate::{
    config::{self, Refresh, ThemeName},
    words,
};

/// The arguments.
#[derive(Debug, Parser)]
#[command(name = "coffer-tui", version, about = words::ABOUT, long_about = words::LONG_ABOUT, max_term_width = 100)]
pub struct Args {
    /// The server that was named.
    #[arg(long, help = words::SERVER_HELP, value_name = "URL", env = variables::SERVER, value_parser = parse_server)]
    pub server: Option<Target>,
    /// Certificates that are believed beside the machine's.
    #[arg(long, help = words::CA_CERT_HELP, value_name = "FILE", env = variables::CA_CERT)]
    pub ca_cert: Option<PathBuf>,
    /// What a shell completes the options with is to be written.
    #[arg(long, help = words::COMPLETIONS_HELP, value_name = "SHELL", exclusive = true)]
    pub completions: Option<Shell>,
    /// The manual page is to be written.
    #[arg(long, help = words::MAN_HELP, exclusive = true)]
    pub man: bool,
    /// How things look.
    #[arg(long, help = words::THEME_HELP, value_name = "NAME", value_enum)]
    pub theme: Option<ThemeName>,
    /// The mouse stays the terminal's.
    #[arg(long, help = words::NO_MOUSE_HELP)]
    pub no_mouse: bool,
    /// Lines and marks are ASCII.
    #[arg(long, help = words::ASCII_HELP)]
    pub ascii: bool,
    /// Nothing is written.
    #[arg(long, help = words::READONLY_HELP)]
    pub readonly: bool,
    /// The folder of the files of migrations.
    #[arg(long, help = words::MIGRATIONS_HELP, value_name = "DIR", env = "COFFER_MIGRATIONS", default_value = migrations::DIR)]
    pub migrations: PathBuf,
    /// How often the dashboard asks.
    #[arg(long, help = words::REFRESH_HELP, value_name = "TIME|off", value_parser = config::refresh)]
    pub refresh: Option<Refresh>,
}

fn parse_server(text: &str) -> Result<Target, String> {
    profile::resolve(text).map_err(|error| error.to_string())
}

/// The whole command line, for completions and the manual page.
pub fn command() -> clap::Command {
    Args::command()
}
