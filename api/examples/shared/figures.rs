//! Figures that several examples take: of a process's memory, of the disk, of many times taken.

#![allow(dead_code, reason = "each example takes some of them")]

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::Path,
    process,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};

/// MiB of memory that this process holds.
pub(crate) fn resident() -> Result<u64> {
    memory(process::id(), "VmRSS")
}

/// A figure about a process's memory, in MiB: `VmRSS` is what it holds, `VmHWM` the most that it held.
pub(crate) fn memory(process: u32, name: &str) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find(|line| line.starts_with(name)).context("no such figure")?;
    let kib: u64 = line.split_whitespace().nth(1).context("no number")?.parse()?;
    Ok(kib >> 10)
}

/// Bytes that the files under `dir` take on the disk.
pub(crate) fn used(dir: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        bytes += if entry.file_type()?.is_dir() { used(&entry.path())? } else { entry.metadata()?.blocks() * 512 };
    }
    Ok(bytes)
}

/// The time that half of `times` runs of `run` stay below.
pub(crate) async fn median(times: usize, mut run: impl AsyncFnMut() -> Result<()>) -> Result<Duration> {
    let mut taken = Vec::with_capacity(times);
    for _ in 0..times {
        let started = Instant::now();
        run().await?;
        taken.push(started.elapsed());
    }
    taken.sort();
    Ok(taken[times / 2])
}
