//! The command line: what can be asked for, and how the parts are put together for it. Exit codes: 0 done, 1 failed with
//! one line on stderr, 2 wrong usage, 3 the store is in use, 4 the store is damaged. Commands that do nothing but ask a running server have codes of their
//! own, for scripts: `failed`.

mod backup;
mod check;
mod compact;
mod control;
#[cfg(feature = "postgres")]
mod database;
#[cfg(feature = "postgres")]
mod database_options;
#[cfg(not(feature = "postgres"))]
#[path = "cli/no_database_options.rs"]
mod database_options;
mod demo;
mod events;
mod export;
mod failed;
mod health;
mod import;
mod import_drf;
mod init;
mod journal;
mod keys;
mod listen;
mod memory;
mod migrate;
mod open;
mod openapi;
mod password;
mod progress;
mod records;
mod remote;
mod restore;
mod salvage;
mod serve;
mod server;
mod shell;
mod sign_in;
mod systemd;
mod units;
mod user;

use std::{io::Write, process::ExitCode};

use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand, error::ErrorKind, parser::ValueSource};
use common::{endpoints::settings::Setting, variables::TERMINAL_APP};
use store::OpenError;

/// A locked box for records: an authenticated JSON API, a web app and a terminal app, in one process.
#[derive(Debug, Parser)]
#[command(name = "coffer", version, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start the server.
    Serve(Box<serve::Serve>),
    /// Write a folder with settings, unit files, compose.yaml and proxy configurations to start from.
    Init(init::Init),
    /// Make, list, disable users and set passwords, while the server is stopped; unlock one while it runs.
    User(user::User),
    /// Fill an empty store with demo collections and a demo admin; the password is printed.
    Demo(demo::Demo),
    /// Write everything in the store into one file, also while the server runs.
    Backup(backup::Backup),
    /// Make a new store of a backup.
    Restore(restore::Restore),
    /// Write what can still be read of a damaged store into a backup.
    Salvage(salvage::Salvage),
    /// Verify that everything in the store fits together, while the server is stopped.
    Check(check::Check),
    /// Make the tables of a store in a PostgreSQL database.
    #[cfg(feature = "postgres")]
    Database(database::Database),
    /// Forget old changes.
    Journal(journal::Journal),
    /// Keep a session with a running server for later commands and the terminal app.
    SignIn(Box<sign_in::SignIn>),
    /// End that session.
    SignOut(Box<sign_in::SignOut>),
    /// Show, make, change and delete a running server's records.
    #[command(after_help = CODES)]
    Records(records::Records),
    /// Show one record: short for `coffer records get`.
    #[command(after_help = CODES)]
    Get(Box<records::Get>),
    /// Show records: short for `coffer records list`.
    #[command(after_help = CODES)]
    List(Box<records::List>),
    /// Make a record: short for `coffer records create`.
    #[command(after_help = CODES)]
    Create(Box<records::Create>),
    /// Change a record: short for `coffer records update`.
    #[command(after_help = CODES)]
    Update(Box<records::Update>),
    /// Delete records: short for `coffer records delete`.
    #[command(after_help = CODES)]
    Delete(Box<records::Delete>),
    /// Follow a running server's changes as they are made.
    Events(Box<events::Events>),
    /// Write a running server's records into a file: CSV, TSV, JSON or JSON lines.
    Export(Box<export::Export>),
    /// Put files of records into a running server's collection: CSV, TSV, JSON or JSON lines.
    Import(Box<import::Import>),
    /// Propose collections and published paths for a project of Django REST Framework.
    #[command(name = "import-drf")]
    ImportDrf(import_drf::ImportDrf),
    /// Keep changes of collections as files, and apply them to a running server or a stopped one.
    Migrate(Box<migrate::Migrate>),
    /// Give disk space that the store does not need any more back to the system.
    Compact(compact::Compact),
    /// List, add and retire the keys that tokens are signed with.
    Keys(keys::Keys),
    /// Write an OpenAPI document of what is defined, while the server is stopped; a running one has it at /api/schema/.
    #[command(name = "openapi")]
    OpenApi(openapi::OpenApi),
    /// Ask a running server whether it is ready: exit code 0 for yes.
    Health(health::Health),
    /// Write what a shell completes this program's options with.
    Completions(shell::Completions),
    /// Write a manual page of each command into a folder.
    Man(shell::Man),
}

/// What scripts go by.
const CODES: &str = "Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 not signed in, 4 no server answers, 5 not there, 6 changed meanwhile or taken.";

/// The whole command line, for completions and the manual page.
pub fn command() -> clap::Command {
    Cli::command()
}

impl Command {
    /// It does nothing but ask a running server, and has the exit codes of that.
    fn is_for_scripts(&self) -> bool {
        matches!(
            self,
            Self::SignIn(_)
                | Self::SignOut(_)
                | Self::Records(_)
                | Self::Get(_)
                | Self::List(_)
                | Self::Create(_)
                | Self::Update(_)
                | Self::Delete(_)
                | Self::Events(_)
                | Self::Export(_)
                | Self::Import(_)
        )
    }
}

/// Runs the command that the arguments ask for.
pub fn run() -> ExitCode {
    // New files are for their owner only, whatever the shell says.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let matches = Cli::command().get_matches();
    if let Some(ignored) = ignored_beside_server(&matches) {
        let told = format!(
            "the argument '--server <URL>' cannot be used with '--{ignored}': the server that is asked has its own"
        );
        Cli::command().error(ErrorKind::ArgumentConflict, told).exit();
    }
    #[cfg(feature = "postgres")]
    if let Some(told) = typed_database_url(&matches).and_then(|url| database_options::refused_on_command_line(&url)) {
        Cli::command().error(ErrorKind::ValueValidation, told).exit();
    }
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    warn_about_unknown_variables();
    let is_for_scripts = cli.command.is_for_scripts();
    let outcome = match cli.command {
        Command::Serve(command) => command.run(settings_of_server(&matches)),
        Command::Init(command) => command.run(),
        Command::User(command) => command.run(),
        Command::Demo(command) => command.run(),
        Command::Backup(command) => command.run(),
        Command::Restore(command) => command.run(),
        Command::Salvage(command) => command.run(),
        Command::Check(command) => command.run(),
        #[cfg(feature = "postgres")]
        Command::Database(command) => command.run(),
        Command::Journal(command) => command.run(),
        Command::SignIn(command) => command.run(),
        Command::SignOut(command) => command.run(),
        Command::Records(command) => command.run(),
        Command::Get(command) => command.run(),
        Command::List(command) => command.run(),
        Command::Create(command) => command.run(),
        Command::Update(command) => command.run(),
        Command::Delete(command) => command.run(),
        Command::Events(command) => command.run(),
        Command::Export(command) => command.run(),
        Command::Import(command) => command.run(),
        Command::ImportDrf(command) => command.run(),
        Command::Migrate(command) => command.run(),
        Command::Compact(command) => command.run(),
        Command::Keys(command) => command.run(),
        Command::OpenApi(command) => command.run(),
        Command::Health(command) => command.run(),
        Command::Completions(command) => command.run(Cli::command()),
        Command::Man(command) => command.run(Cli::command()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "coffer: {}", in_one_line(&error));
            let asked = error.downcast_ref::<failed::Failed>().filter(|_| is_for_scripts);
            ExitCode::from(asked.map_or_else(|| exit_code(&error), failed::Failed::exit_code))
        }
    }
}

/// What admins are told of the options that the server was started with.
fn settings_of_server(matches: &ArgMatches) -> Vec<Setting> {
    let cli = Cli::command();
    let serve = cli.find_subcommand("serve").zip(matches.subcommand_matches("serve"));
    serve.map(|(command, matches)| serve::settings(command, matches)).unwrap_or_default()
}

/// Whether these arguments are understood, for `fuzz/`. Nothing is run.
#[doc(hidden)]
pub fn understands(arguments: impl Iterator<Item = std::ffi::OsString>) -> bool {
    Cli::try_parse_from(arguments).is_ok()
}

/// An error with its causes. Some errors tell their cause themselves; it is not told twice.
fn in_one_line(error: &anyhow::Error) -> String {
    let mut told = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if told.is_empty() {
            told = cause;
        } else if !told.ends_with(&cause) {
            told.extend([": ", &cause]);
        }
    }
    told
}

/// An option on the command line that says where the store or server of this machine is, where another server is asked: it would be ignored
/// without a word. A variable may stay; it is there for other commands.
fn ignored_beside_server(matches: &ArgMatches) -> Option<&'static str> {
    if let Some((_, matches)) = matches.subcommand() {
        return ignored_beside_server(matches);
    }
    let is_typed = |name: &str| {
        let is_known = matches.ids().any(|id| id.as_str() == name);
        is_known && matches.value_source(name) == Some(ValueSource::CommandLine)
    };
    let options = ["data", "accept_data_loss", "listen", "tls_cert", "database_url", "database_url_file"];
    let ignored = options.into_iter().find(|option| is_typed("server") && is_typed(option))?;
    Some(match ignored {
        "accept_data_loss" => "accept-data-loss",
        "tls_cert" => "tls-cert",
        "database_url" => "database-url",
        "database_url_file" => "database-url-file",
        other => other,
    })
}

#[cfg(feature = "postgres")]
/// The URL of the database, if it stands on the command line.
fn typed_database_url(matches: &ArgMatches) -> Option<String> {
    if let Some((_, matches)) = matches.subcommand() {
        return typed_database_url(matches);
    }
    let is_known = matches.ids().any(|id| id.as_str() == "database_url");
    let is_typed = is_known && matches.value_source("database_url") == Some(ValueSource::CommandLine);
    if is_typed { matches.get_one::<String>("database_url").cloned() } else { None }
}

fn exit_code(error: &anyhow::Error) -> u8 {
    if error.is::<check::Damaged>() {
        return 4;
    }
    match error.downcast_ref::<OpenError>() {
        Some(OpenError::InUse { .. }) => 3,
        Some(OpenError::Damaged { .. } | OpenError::TooNew { .. } | OpenError::LostCommits { .. }) => 4,
        Some(OpenError::Io { .. } | OpenError::Foreign { .. } | OpenError::Database { .. }) | None => 1,
    }
}

/// A misspelt variable would otherwise be a setting that silently does nothing.
fn warn_about_unknown_variables() {
    let known = known_variables();
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("COFFER_") && !known.contains(&name) {
            let _ = writeln!(
                std::io::stderr(),
                "coffer: warning: the environment variable {name} is not known and does nothing"
            );
        }
    }
}

/// The variables of all commands, and of the terminal app.
fn known_variables() -> Vec<String> {
    let mut known = TERMINAL_APP.map(str::to_owned).to_vec();
    let mut commands = vec![Cli::command()];
    while let Some(command) = commands.pop() {
        let names = command.get_arguments().filter_map(clap::Arg::get_env);
        known.extend(names.map(|name| name.to_string_lossy().into_owned()));
        commands.extend(command.get_subcommands().cloned());
    }
    known
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said of `coffer serve` wherever its options are explained.
    #[test]
    fn every_option_of_the_server_is_an_environment_variable_but_the_one_for_a_single_start() {
        let cli = Cli::command();
        let serve = cli.find_subcommand("serve").unwrap();
        for argument in serve.get_arguments() {
            let option = argument.get_long().unwrap();
            let variable = argument.get_env().map(|name| name.to_str().unwrap().to_owned());
            let expected = format!("COFFER_{}", option.to_uppercase().replace('-', "_"));
            assert_eq!(variable, (option != "accept-data-loss").then_some(expected), "--{option}");
        }
    }

    #[test]
    fn the_variables_of_both_programs_are_known() {
        let known = known_variables();
        for name in ["COFFER_DATA", "COFFER_MIN_PASSWORD_LENGTH", "COFFER_STATE_DIR", "COFFER_SERVER"] {
            assert!(known.iter().any(|known| known == name), "{name}");
        }
    }
}
