//! What the operating system says of this process, from `/proc`. Where there is none, nothing is said.

use std::fs;

use rustix::param::{clock_ticks_per_second, page_size};

use super::text::{Kind, Text};

/// One look at the process.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Process {
    cpu_seconds: Option<f64>,
    threads: Option<u64>,
    started: Option<f64>,
    resident_bytes: Option<u64>,
    open_files: Option<usize>,
}

impl Process {
    /// Looks.
    pub fn look() -> Self {
        let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
        let system = fs::read_to_string("/proc/stat").unwrap_or_default();
        let open_files = fs::read_dir("/proc/self/fd").map(Iterator::count).ok();
        // The listing takes one itself.
        Self { open_files: open_files.map(|files| files.saturating_sub(1)), ..Self::parse(&stat, &system) }
    }

    /// `/proc/<id>/stat` has its fields behind the name, which may be anything in parentheses; see proc(5).
    #[allow(clippy::cast_precision_loss, reason = "hundredths of seconds since 1970 fit")]
    fn parse(stat: &str, system: &str) -> Self {
        let fields: Vec<&str> = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_ascii_whitespace().collect();
        // Numbered from 1 there; the name is the second.
        let field = |n: usize| fields.get(n - 3)?.parse::<u64>().ok();
        let ticks = clock_ticks_per_second() as f64;
        let boot = system.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse::<u64>().ok());
        Self {
            cpu_seconds: field(14).zip(field(15)).map(|(user, system)| (user + system) as f64 / ticks),
            threads: field(20),
            started: field(22).zip(boot).map(|(after, boot)| boot as f64 + after as f64 / ticks),
            resident_bytes: field(24).map(|pages| pages * page_size() as u64),
            open_files: None,
        }
    }

    /// All of it, under the names that Prometheus' own clients use.
    pub fn write(&self, text: &mut Text) {
        if let Some(seconds) = self.cpu_seconds {
            text.single("process_cpu_seconds_total", Kind::Counter, "Time on processors.", seconds);
        }
        if let Some(bytes) = self.resident_bytes {
            text.single("process_resident_memory_bytes", Kind::Gauge, "Memory in use.", bytes);
        }
        if let Some(files) = self.open_files {
            text.single("process_open_fds", Kind::Gauge, "Open files and connections.", files);
        }
        if let Some(threads) = self.threads {
            text.single("process_threads", Kind::Gauge, "Threads.", threads);
        }
        if let Some(started) = self.started {
            text.single("process_start_time_seconds", Kind::Gauge, "When it began, in seconds since 1970.", started);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::cast_precision_loss, reason = "a hundred ticks a second")]
    fn a_name_with_parentheses_and_spaces_is_no_field() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 1 0 0 0 150 50 0 0 20 0 9 0 300 1000 12 0";
        let process = Process::parse(stat, "cpu 1 2\nbtime 1800000000\nprocesses 3\n");
        let ticks = clock_ticks_per_second() as f64;
        assert_eq!(process.cpu_seconds, Some(200.0 / ticks));
        assert_eq!(process.threads, Some(9));
        assert_eq!(process.started, Some(1_800_000_000.0 + 300.0 / ticks));
        assert_eq!(process.resident_bytes, Some(12 * page_size() as u64));
        assert_eq!(Process::parse("", ""), Process::default());
    }
}
