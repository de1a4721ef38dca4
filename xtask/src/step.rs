//! One step of a command: said before it starts, timed, and named when it fails. And programs that a step runs.

use std::{
    iter,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

/// Says what is about to happen, does it, and says how long it took.
pub(crate) fn step<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    println!("xtask: {name} ...");
    let started = Instant::now();
    let done = work();
    let seconds = started.elapsed().as_secs_f32();
    match &done {
        Ok(_) => println!("xtask: {name}: done in {seconds:.1} s"),
        Err(_) => println!("xtask: {name}: FAILED after {seconds:.1} s"),
    }
    done.with_context(|| format!("{name} failed"))
}

/// Runs a program to its end, its output on the terminal; a failure names the command line.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {}", line(command)))?;
    if !status.success() {
        bail!("`{}` ended with {status}", line(command));
    }
    Ok(())
}

/// Like [`run`], but gives up after `limit`: for the steps that wait on a network which may swallow packets.
pub(crate) fn run_within(limit: Duration, command: &mut Command) -> Result<()> {
    let mut child = command.spawn().with_context(|| format!("cannot start {}", line(command)))?;
    let deadline = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait()? {
            if status.success() {
                return Ok(());
            }
            bail!("`{}` ended with {status}", line(command));
        }
        if Instant::now() >= deadline {
            child.kill()?;
            child.wait()?;
            bail!("`{}` took more than {} s", line(command), limit.as_secs());
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// A program's standard output, or `None` if it is missing or fails: for questions such as `--version`.
pub(crate) fn answer(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The command as one would type it.
fn line(command: &Command) -> String {
    let program = Path::new(command.get_program());
    iter::once(program.file_name().unwrap_or(program.as_os_str()))
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}
