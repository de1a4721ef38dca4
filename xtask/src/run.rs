//! `cargo xtask run`: from a fresh clone to a served web app.

use std::{fs, os::unix::process::CommandExt, process::Command};

use anyhow::{Context, Result};

use crate::{
    cluster, spa,
    step::{self, step},
    workspace,
};

/// Builds the web app and the server with it inside, then becomes the server.
pub(crate) fn run(args: &[String]) -> Result<()> {
    if let Err(error) = spa::build() {
        println!("xtask: the API is served without a current web app: {error:#}");
    }
    fs::create_dir_all(workspace::dist())?; // the server's build embeds it, also when there is nothing to embed
    step("server", || step::run(&mut workspace::cargo(&["build", "--release", "--locked", "--package", "coffer"])))?;

    let server = workspace::target().join("release/coffer");
    let flags: Vec<&String> = args.iter().filter(|arg| *arg != "--").collect();
    if let [first, nodes, rest @ ..] = flags.as_slice()
        && *first == "--cluster"
    {
        return cluster::run(&server, nodes, rest);
    }
    // Replaces this process: signals, Ctrl-C among them, reach the server itself, and its exit code is ours.
    let failed = Command::new(&server).arg("serve").args(flags).exec();
    Err(failed).with_context(|| format!("cannot start {}", server.display()))
}
