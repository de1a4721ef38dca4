//! A server under measurement: started, looked at through `/proc`, and ended with everything that it started.

use std::{
    fs,
    net::TcpListener,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};

/// A running server. Ends with this value.
#[derive(Debug)]
pub(crate) struct Process(Child);

/// Resident memory in bytes, over all its processes. What they share is counted in each.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Resident {
    /// Right now.
    pub now: u64,
    /// The most that each ever had.
    pub peak: u64,
}

impl Process {
    /// Starts it. Where it writes to is the command's affair.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let child = command.stdin(Stdio::null()).spawn();
        Ok(Self(child.with_context(|| format!("cannot start {}", command.get_program().display()))?))
    }

    /// The process as the standard library has it.
    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.0
    }

    /// It and everything that it started.
    pub(crate) fn ids(&self) -> Result<Vec<u32>> {
        let mut ids = vec![self.0.id()];
        let mut at = 0;
        while let Some(id) = ids.get(at) {
            let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children"))?;
            ids.extend(children.split_whitespace().filter_map(|id| id.parse::<u32>().ok()));
            at += 1;
        }
        Ok(ids)
    }

    /// How much memory it holds.
    pub(crate) fn memory(&self) -> Result<Resident> {
        let mut memory = Resident { now: 0, peak: 0 };
        for id in self.ids()? {
            let status = fs::read_to_string(format!("/proc/{id}/status"))?;
            let kib = |name: &str| {
                let line = status.lines().find_map(|line| line.strip_prefix(name));
                line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok()).unwrap_or_default()
            };
            memory.now += kib("VmRSS:") * 1024;
            memory.peak += kib("VmHWM:") * 1024;
        }
        Ok(memory)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Asked first, so that it ends what it started; then made to.
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let deadline = Instant::now() + Duration::from_secs(15);
        while matches!(self.0.try_wait(), Ok(None)) && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(20));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// An address on loopback that nobody listens on, for servers that do not tell which port they took.
pub(crate) fn free_address() -> Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}
