//! The `coffer-tui` command: reads its arguments, takes the terminal over, and gives it back.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, anyhow};
use clap::{CommandFactory as _, Parser};
use clap_complete::Shell;
use coffer_tui::{
    app::{self, End},
    client::Client,
    server::Server,
    session::SessionFile,
    style::Theme,
    terminal, words,
};
use common::variables;

/// The arguments.
#[derive(Debug, Parser)]
#[command(name = "coffer-tui", version, about = words::ABOUT, long_about = words::LONG_ABOUT, max_term_width = 100)]
struct Args {
    #[arg(long, help = words::SERVER_HELP, value_name = "URL", env = variables::SERVER, default_value = "http://127.0.0.1:8000")]
    server: Server,
    #[arg(long, help = words::CA_CERT_HELP, value_name = "FILE", env = variables::CA_CERT)]
    ca_cert: Option<PathBuf>,
    #[arg(long, help = words::COMPLETIONS_HELP, value_name = "SHELL", exclusive = true)]
    completions: Option<Shell>,
    #[arg(long, help = words::MAN_HELP, exclusive = true)]
    man: bool,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(End::Quit) => ExitCode::SUCCESS,
        Ok(End::Signal(number)) => ExitCode::from(128 + number),
        Err(error) => {
            eprintln!("coffer-tui: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Reads a file; a pipe, a device or a socket is none, and would keep the app waiting.
fn read(file: &Path) -> std::io::Result<Vec<u8>> {
    if fs::metadata(file)?.is_file() { fs::read(file) } else { Err(std::io::Error::other("this is no file")) }
}

/// What packages hold beside the program, made of its options.
fn write_about(args: &Args) -> anyhow::Result<()> {
    let mut about = Vec::new();
    match args.completions {
        Some(shell) => clap_complete::generate(shell, &mut Args::command(), "coffer-tui", &mut about),
        None => clap_mangen::Man::new(Args::command()).render(&mut about)?,
    }
    Ok(std::io::stdout().write_all(&about)?)
}

fn run(args: &Args) -> anyhow::Result<End> {
    if args.man || args.completions.is_some() {
        return write_about(args).map(|()| End::Quit);
    }
    let file = SessionFile::for_server(&args.server);
    let trusted = match &args.ca_cert {
        Some(file) => Some(read(file).with_context(|| format!("{} {}", words::NO_CA_CERT, file.display()))?),
        None => None,
    };
    let client = Client::new(args.server.clone(), file, trusted.as_deref())?;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|_| anyhow!(words::NO_RUNTIME))?;
    let mut terminal = terminal::open().map_err(|_| anyhow!(words::NO_TERMINAL))?;
    let end = runtime.block_on(app::run(&mut terminal, &args.server, client, Theme::from_env()));
    terminal::close();
    // A call that still waits for an answer must not keep the process.
    runtime.shutdown_background();
    end.map_err(|_| anyhow!(words::TERMINAL_GONE))
}
