//! A server under measurement: started, looked at through `/proc`, and ended with everything that it started.

use std::{
    fs,
    net::TcpListener,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};

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

    /// Waits until it has let go of questions whose askers went away.
    pub(crate) fn wait_until_idle(&self) -> Result<()> {
        let given_up = Instant::now() + Duration::from_mins(5);
        let mut before = self.ticks()?;
        loop {
            thread::sleep(LOOK);
            let now = self.ticks()?;
            if now <= before + IDLE {
                return Ok(());
            }
            before = now;
            ensure!(Instant::now() < given_up, "process {} is still busy after five minutes", self.0.id());
        }
    }

    /// Hundredths of a second for which it has used a processor.
    fn ticks(&self) -> Result<u64> {
        let mut ticks = 0;
        for id in self.ids()? {
            let stat = fs::read_to_string(format!("/proc/{id}/stat"))?;
            // The name, in parentheses, may have spaces; user and system time are the 12th and 13th after it.
            let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
            ticks +=
                rest.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>();
        }
        Ok(ticks)
    }
}

/// How long it is looked at, and so many hundredths of a second of it at most are used by a server that nobody asks.
const LOOK: Duration = Duration::from_millis(200);
const IDLE: u64 = 5;

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
