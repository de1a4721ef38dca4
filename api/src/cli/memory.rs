//! How much memory the server sets out to use: what the operator says, or a part of what the machine or the container has.

use std::{
    fs,
    path::{Path, PathBuf},
};

use auth::password::HasherSettings;
use base::MemoryBudget;
use bytesize::ByteSize;
use clap::Args;
use server::ServerOptions;

use super::units::{Limit, parse_size};

/// With less, a few usual requests at once would be refused.
const LEAST: u64 = 64_000_000;
/// More is of use to nobody who has not asked for it.
const MOST_BY_ITSELF: u64 = 4_000_000_000;
/// A container is there for the server, a machine for others too.
const OF_CONTAINER: u64 = 2;
const OF_MACHINE: u64 = 4;

/// Of three bytes one is left for what the allocator keeps of freed memory: beside hostile callers it kept half as much again as was held.
const IN_USE: (u64, u64) = (2, 3);

/// Parts of the budget.
const CACHE: u64 = 16;
const LARGEST_CACHE: u64 = 16 << 20;
const HASHING: u64 = 4;
const BODIES: u64 = 2;
const HEADS: u64 = 8;
const QUEUE: u64 = 8;

/// How much memory is used.
#[derive(Debug, Clone, Args)]
pub(super) struct MemoryOptions {
    /// How much memory to use, such as 256MB or 2GB: for requests and answers under way, the store's cache, and hashing. What does not fit is
    /// answered 503. Without it half of the container's limit, or a quarter of the machine's memory.
    #[arg(long, env = "COFFER_MEMORY", value_parser = parse_memory, value_name = "SIZE")]
    memory: Option<u64>,
}

impl MemoryOptions {
    /// The budget.
    pub(super) fn budget(&self) -> MemoryBudget {
        let bytes = self.memory.unwrap_or_else(|| by_itself(Path::new("/")));
        let (part, whole) = IN_USE;
        MemoryBudget::new(bytes / whole * part)
    }
}

/// Tells in the log how much it is.
pub(super) fn tell(budget: &MemoryBudget) {
    let (part, whole) = IN_USE;
    let (held, memory) = (ByteSize(budget.limit()), ByteSize((budget.limit() / part).saturating_mul(whole)));
    tracing::info!(%memory, %held, "memory, and how much of it may be held at a time: for requests, answers, the store's cache and hashing");
}

/// Reads `256MB` or `2GB`.
fn parse_memory(text: &str) -> Result<u64, String> {
    match parse_size(text)? {
        Limit(Some(bytes)) if bytes >= LEAST => Ok(bytes),
        Limit(Some(_)) => Err(format!("use {} or more", ByteSize(LEAST))),
        Limit(None) => Err("use a size, such as 256MB or 2GB".to_owned()),
    }
}

/// Bytes for the store's cache of pages.
pub(super) fn cache_bytes(budget: &MemoryBudget) -> u64 {
    (budget.limit() / CACHE).min(LARGEST_CACHE)
}

/// Bytes of commits that may wait.
pub(super) fn queue_bytes(budget: &MemoryBudget) -> usize {
    usize::try_from(budget.limit() / QUEUE).unwrap_or(usize::MAX).min(64 << 20)
}

/// As many threads for hashing as there is memory for.
pub(super) fn hasher(mut settings: HasherSettings, budget: &MemoryBudget) -> HasherSettings {
    let each = (u64::from(settings.cost.memory_kib) * 1024).max(1);
    let fit = usize::try_from(budget.limit() / HASHING / each).unwrap_or(usize::MAX).max(1);
    settings.threads = settings.threads.min(fit);
    settings.memory = budget.clone();
    settings
}

/// What the server may hold of heads and bodies.
pub(super) fn server(options: ServerOptions, budget: &MemoryBudget) -> ServerOptions {
    ServerOptions {
        max_bodies: options.max_bodies.min(budget.limit() / BODIES),
        max_heads: options.max_heads.min(budget.limit() / HEADS),
        memory: budget.clone(),
        ..options
    }
}

/// A part of what there is. `root` is where the system's files are.
fn by_itself(root: &Path) -> u64 {
    let machine = machine(root);
    let part = match container(root) {
        Some(limit) if machine.is_none_or(|machine| limit < machine) => limit / OF_CONTAINER,
        _ => machine.map_or(LEAST * 4, |machine| machine / OF_MACHINE),
    };
    part.clamp(LEAST, MOST_BY_ITSELF)
}

/// All memory of the machine (`MemTotal` in `proc_meminfo(5)`).
fn machine(root: &Path) -> Option<u64> {
    let text = fs::read_to_string(root.join("proc/meminfo")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

/// The lowest limit of the control groups that this process is in (`cgroups(7)`). Each group has its limit, and those above it count as well.
fn container(root: &Path) -> Option<u64> {
    let groups = fs::read_to_string(root.join("proc/self/cgroup")).ok()?;
    groups.lines().filter_map(|line| limit_of(root, line)).min()
}

fn limit_of(root: &Path, line: &str) -> Option<u64> {
    let mut parts = line.splitn(3, ':').skip(1);
    let (controllers, path) = (parts.next()?, parts.next()?);
    let mounted = root.join("sys/fs/cgroup");
    if controllers.is_empty() {
        // Where both versions are in use, the second one is mounted beside the first.
        let places = [mounted.clone(), mounted.join("unified")];
        return places.iter().filter_map(|mount| lowest(mount, path, &["memory.max", "memory.high"])).min();
    }
    let is_memory = controllers.split(',').any(|controller| controller == "memory");
    is_memory.then(|| lowest(&mounted.join("memory"), path, &["memory.limit_in_bytes"])).flatten()
}

/// The lowest limit of a group and those above it. A container may see its own group where the root is mounted, under no path.
fn lowest(mount: &Path, path: &str, files: &[&str]) -> Option<u64> {
    let inside: PathBuf = Path::new(path.trim_start_matches('/')).components().filter(|part| !is_up(*part)).collect();
    let all = inside.ancestors().map(|group| mount.join(group));
    all.flat_map(|group| files.iter().filter_map(move |file| read_limit(&group.join(file)))).min()
}

fn is_up(part: std::path::Component<'_>) -> bool {
    part == std::path::Component::ParentDir
}

/// A limit; `None` for none, which the first version writes as a number near 2⁶³.
fn read_limit(file: &Path) -> Option<u64> {
    let limit: u64 = fs::read_to_string(file).ok()?.trim().parse().ok()?;
    (limit < 1 << 60).then_some(limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine_with(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let meminfo = ("proc/meminfo", "MemTotal:        8000000 kB\nMemFree:  1 kB\n");
        for (name, text) in files.iter().chain([&meminfo]) {
            let file = root.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        root
    }

    fn found(files: &[(&str, &str)]) -> u64 {
        by_itself(machine_with(files).path())
    }

    #[test]
    fn m1_without_a_container_it_is_a_quarter_of_the_machine() {
        assert_eq!(found(&[]), 8_000_000 * 1024 / 4);
        assert_eq!(
            found(&[("proc/self/cgroup", "0::/user.slice\n"), ("sys/fs/cgroup/user.slice/memory.max", "max\n")]),
            2_048_000_000
        );
        assert_eq!(by_itself(tempfile::tempdir().unwrap().path()), 256_000_000, "nothing is known");
    }

    #[test]
    fn m1_in_a_container_it_is_half_of_the_lowest_limit_up_the_tree() {
        let group = ("proc/self/cgroup", "0::/pods/pod1/box\n");
        let above = ("sys/fs/cgroup/pods/memory.max", "400000000\n");
        let own = ("sys/fs/cgroup/pods/pod1/box/memory.max", "900000000\n");
        assert_eq!(found(&[group, above, own]), 200_000_000);
        assert_eq!(found(&[group, own, ("sys/fs/cgroup/pods/pod1/memory.high", "300000000\n")]), 150_000_000);
        // A container with a namespace of its own sees its group as the root.
        assert_eq!(found(&[("proc/self/cgroup", "0::/\n"), ("sys/fs/cgroup/memory.max", "512000000\n")]), 256_000_000);
        assert_eq!(
            found(&[("proc/self/cgroup", "0::/../x\n"), ("sys/fs/cgroup/memory.max", "512000000\n")]),
            256_000_000
        );
    }

    #[test]
    fn m1_the_first_version_of_control_groups_is_read_too() {
        let groups = ("proc/self/cgroup", "5:cpu,cpuacct:/a\n4:memory:/docker/1\n0::/docker/1\n");
        let none = ("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
        assert_eq!(found(&[groups, none]), 2_048_000_000);
        assert_eq!(
            found(&[groups, none, ("sys/fs/cgroup/memory/docker/1/memory.limit_in_bytes", "300000000\n")]),
            150_000_000
        );
        let hybrid = ("sys/fs/cgroup/unified/docker/1/memory.max", "200000000\n");
        assert_eq!(found(&[groups, none, hybrid]), 100_000_000);
    }

    #[test]
    fn m1_a_limit_above_the_machine_is_none_and_a_tiny_one_leaves_the_least() {
        let group = ("proc/self/cgroup", "0::/\n");
        assert_eq!(found(&[group, ("sys/fs/cgroup/memory.max", "99000000000\n")]), 2_048_000_000);
        assert_eq!(found(&[group, ("sys/fs/cgroup/memory.max", "64000000\n")]), LEAST);
    }

    #[test]
    fn a_size_has_a_unit_and_is_enough_to_work_with() {
        assert_eq!(parse_memory("256MB"), Ok(256_000_000));
        for bad in ["", "off", "256", "1MB", "-1GB", "many"] {
            assert!(parse_memory(bad).is_err(), "{bad}");
        }
    }
}
