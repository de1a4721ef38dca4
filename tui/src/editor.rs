//! A text in another program: what `$VISUAL` or `$EDITOR` names, over a file that only its owner can read.

use std::{
    env, fs,
    io::Write as _,
    process::{Command, Stdio},
};

use crate::words;

/// Has a text edited; gives the new one, or why there is none.
pub(crate) fn edit(text: &str) -> Result<String, String> {
    let set = |name: &str| env::var(name).ok().filter(|value| !value.trim().is_empty());
    let editor = set("VISUAL").or_else(|| set("EDITOR")).ok_or(words::NO_EDITOR)?;
    let failed = |error: std::io::Error| words::editor_failed(&error.to_string());
    let mut file = tempfile::Builder::new().prefix("coffer-").suffix(".txt").tempfile().map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.flush()).map_err(failed)?;
    let mut parts = editor.split_whitespace();
    let Some(program) = parts.next() else { return Err(words::NO_EDITOR.to_owned()) };
    let mut command = Command::new(program);
    command.args(parts).arg(file.path()).stdin(Stdio::inherit());
    let status = command.status().map_err(failed)?;
    if !status.success() {
        return Err(words::editor_failed(&status.to_string()));
    }
    let edited = fs::read_to_string(file.path()).map_err(failed)?;
    // Editors end a file with a line break that the text did not have.
    let has_end = text.ends_with('\n');
    Ok(match edited.strip_suffix('\n') {
        Some(rest) if !has_end => rest.to_owned(),
        _ => edited,
    })
}
