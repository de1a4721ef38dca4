//! `cargo xtask bench store-size`: bytes that a record takes, on the disk and under the keys of each kind of entry, beside what 0.1.0 took.
//! `api/examples/store_size.rs` writes the store.

use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::{step::step, workspace};

/// Bytes of a record on the disk: of 0.1.0, measured by the same example, and what is held to now.
const ON_DISK: [(&str, u64, u64); 2] = [("groups created", 3_197, 1_150), ("groups updated", 6_079, 1_700)];

/// Measures, prints, and fails where a record takes more than it may.
pub(crate) fn store_size() -> Result<()> {
    let _one_at_a_time = workspace::lock()?;
    let told = step("records by 64 writers, and by a lone one", || {
        let mut run = workspace::cargo(&["run", "--locked", "--package", "coffer", "--example", "store_size"]);
        read(&mut run)
    })?;
    println!("\n{:<18}{:<20}{:>14}{:>10}", "after", "kind of entry", "B a record", "0.1.0");
    let mut broken = Vec::new();
    for line in told.lines() {
        let mut parts = line.split('\t');
        let (Some(after), Some(what), Some(bytes)) = (parts.next(), parts.next(), parts.next()) else { continue };
        let bytes: u64 = bytes.parse().with_context(|| format!("no figure in \"{line}\""))?;
        let pinned = ON_DISK.iter().find(|(known, ..)| (*known, "on disk") == (after, what));
        let before = pinned.map(|(_, before, _)| before.to_string()).unwrap_or_default();
        println!("{after:<18}{what:<20}{bytes:>14}{before:>10}");
        if let Some((_, _, most)) = pinned.filter(|(_, _, most)| bytes > *most) {
            broken.push(format!("{after}: {bytes} B a record, and {most} are the most"));
        }
    }
    ensure!(told.contains("groups updated\ton disk"), "the example told nothing");
    ensure!(broken.is_empty(), "{}", broken.join("; "));
    Ok(())
}

fn read(command: &mut Command) -> Result<String> {
    let output = command.stderr(std::process::Stdio::inherit()).output()?;
    ensure!(output.status.success(), "the example failed");
    Ok(String::from_utf8(output.stdout)?)
}
