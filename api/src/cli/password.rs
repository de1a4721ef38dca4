//! Asking for a password: on the terminal without showing it, or from stdin; never from an argument.

use std::io::{BufRead, IsTerminal};

use anyhow::{Context, Result, bail};

use super::failed::Failed;

/// Asks with `prompt`, or takes the first line of stdin.
pub(super) fn ask(from_stdin: bool, prompt: &str) -> Result<String> {
    if from_stdin {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).context("the password could not be read from stdin")?;
        return Ok(line.trim_end_matches(['\n', '\r']).to_owned());
    }
    if !std::io::stdin().is_terminal() {
        bail!(Failed::Usage(
            "there is no terminal to ask for the password; give it on stdin with --password-stdin".to_owned()
        ));
    }
    Ok(rpassword::prompt_password(prompt)?)
}
