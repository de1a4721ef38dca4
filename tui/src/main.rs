//! The `coffer-tui` command: reads its arguments, takes the terminal over, and gives it back.

use std::{fs, io::Write as _, path::Path, process::ExitCode};

use anyhow::{Context as _, anyhow};
use clap::{CommandFactory as _, Parser};
use coffer_client::{Client, profile, session::SessionFile};
use coffer_tui::{
    app::{self, End},
    arguments::Args,
    config::{self, Config},
    output::Output,
    style::Theme,
    terminal, words,
};

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
    let config = Config::load().map_err(|why| anyhow!(why))?;
    let target = args.server.clone().map_or_else(profile::usual, Ok)?;
    let file = SessionFile::for_server(&target.server);
    let trusted = match args.ca_cert.as_ref().or(target.ca_cert.as_ref()) {
        Some(file) => Some(read(file).with_context(|| format!("{} {}", words::NO_CA_CERT, file.display()))?),
        None => None,
    };
    let client = Client::new(target.server.clone(), file.clone(), trusted.as_deref())?;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|_| anyhow!(words::NO_RUNTIME))?;
    let place = file.as_ref().and_then(SessionFile::place).and_then(|place| serde_json::from_slice(&place).ok());
    let is_ascii = args.ascii || config.ascii.unwrap_or(false);
    let options = app::Options {
        theme: Theme::new(args.theme.or(config.theme).unwrap_or_default(), is_ascii),
        has_mouse: !args.no_mouse && config.mouse.unwrap_or(true),
        is_read_only: args.readonly || config.readonly.unwrap_or(false),
        migrations: args.migrations.clone(),
        refresh: args.refresh.or(config.refresh).unwrap_or(Some(config::REFRESH)),
        place,
    };
    let mut output = Output::new();
    terminal::open(&mut output, options.has_mouse).map_err(|_| anyhow!(words::NO_TERMINAL))?;
    let end = runtime.block_on(app::run(&mut output, &target.server, client, options));
    terminal::leave(&mut output);
    // A call that still waits for an answer must not keep the process.
    runtime.shutdown_background();
    let (end, place) = end.map_err(|_| anyhow!(words::TERMINAL_GONE))?;
    if let (Some(file), Some(place)) = (file, place) {
        // Where it cannot be written, the next start begins at the beginning.
        drop(serde_json::to_vec(&place).map(|place| file.store_place(&place)));
    }
    Ok(end)
}
