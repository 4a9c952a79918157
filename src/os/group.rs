//! The control groups that this process is in: what a container may use of memory and of processes, and what its limits did.
//!
//! A process is in groups within groups, and the limit of each of them holds. Both versions of control groups are read;
//! what a kernel or a container does not show is `None`.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use procfs_core::process::MountInfo;
use procfs_core::{FromBufRead, ProcessCGroups};

/// From this number on, version 1 means that there is no limit: it rounds the largest number down to a page.
const UNLIMITED: u64 = i64::MAX as u64 - (1 << 20);

/// A limit of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Limit {
    pub(crate) group: PathBuf,
    /// How much the group may have: bytes, or processes and threads.
    pub(crate) most: u64,
}

/// The groups' counts of memory until a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Memory {
    /// How many processes of this process's own group the kernel has killed for lack of memory.
    kills: Option<u64>,
    /// How often each group was at its limit, the nearest first.
    full: Vec<(PathBuf, Option<u64>)>,
}

/// The lack of memory in the groups between two moments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MemoryShortage {
    /// Whether the kernel has killed a process of this process's own group for lack of memory; `None` if the group does
    /// not count it.
    pub(crate) killed: Option<bool>,
    /// The limit that was reached meanwhile, the nearest of several.
    pub(crate) limit: Option<Limit>,
}

impl Memory {
    /// Reads the groups of this process.
    pub(crate) fn now() -> Memory {
        static GROUPS: OnceLock<Vec<PathBuf>> = OnceLock::new();
        Memory::read(GROUPS.get_or_init(|| own_directories("memory")))
    }

    fn read(groups: &[PathBuf]) -> Memory {
        let kills = groups.first().and_then(|group| {
            // Version 2, and version 1.
            let files = ["memory.events", "memory.oom_control"];
            files.iter().find_map(|file| field(&group.join(file), "oom_kill"))
        });
        let full = |group: &PathBuf| {
            let second = field(&group.join("memory.events"), "oom");
            (group.clone(), second.or_else(|| number(&group.join("memory.failcnt"))))
        };
        Memory { kills, full: groups.iter().map(full).collect() }
    }

    /// Compares this moment with an earlier one.
    pub(crate) fn since(&self, before: &Memory) -> MemoryShortage {
        let killed = self.kills.zip(before.kills).map(|(now, then)| now > then);
        let pairs = self.full.iter().zip(&before.full);
        let mut reached = pairs.filter(|((_, now), (_, then))| now > then).map(|(now, _)| &now.0);
        let limit = reached.find_map(|group| {
            let most = ["memory.max", "memory.limit_in_bytes"]
                .iter()
                .find_map(|file| number(&group.join(file)))?;
            (most < UNLIMITED).then(|| Limit { group: group.clone(), most })
        });
        MemoryShortage { killed, limit }
    }
}

/// Returns the smallest number of processes and threads that a group of this process may have.
pub(crate) fn most_processes() -> Option<Limit> {
    smallest(own_directories("pids"), "pids.max")
}

fn smallest(groups: Vec<PathBuf>, file: &str) -> Option<Limit> {
    let limits = groups.into_iter().filter_map(|group| {
        let most = number(&group.join(file))?;
        Some(Limit { group, most })
    });
    limits.min_by_key(|limit| limit.most)
}

/// Returns the number that is the whole content of a file.
fn number(file: &Path) -> Option<u64> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

/// Returns the number of the line with this name.
fn field(file: &Path, name: &str) -> Option<u64> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().filter_map(|line| line.split_once(' ')).find(|line| line.0 == name)?;
    line.1.trim().parse().ok()
}

/// Returns the directories of the groups of this process that `controller` is for, its own first.
pub(crate) fn own_directories(controller: &str) -> Vec<PathBuf> {
    let text = |file: &str| fs::read_to_string(file).unwrap_or_default();
    directories(controller, &text("/proc/self/cgroup"), &text("/proc/self/mountinfo"))
}

/// Returns the same from a process's `cgroup` and `mountinfo`. The directories need not exist.
fn directories(controller: &str, cgroup: &str, mountinfo: &str) -> Vec<PathBuf> {
    // Each line is parsed by itself, so that a line that is not understood hides no other.
    let groups = || {
        let groups = cgroup.lines().map(|line| ProcessCGroups::from_buf_read(line.as_bytes()));
        groups.flatten().flatten()
    };
    let mounts = || mountinfo.lines().filter_map(|line| MountInfo::from_line(line).ok());
    // On a mixed system, version 1 has the controller if it has it at all.
    let first = groups().find(|group| group.controllers.iter().any(|name| name == controller));
    let second = groups().find(|group| group.hierarchy == 0);
    let has_controller = |mount: &MountInfo| {
        mount.fs_type == "cgroup" && mount.super_options.contains_key(controller)
    };
    let found = first
        .zip(mounts().find(has_controller))
        .or_else(|| second.zip(mounts().find(|mount| mount.fs_type == "cgroup2")));
    let Some((group, mount)) = found else { return Vec::new() };
    // In a container the mount may begin at the container's own group, and then the group's name begins with it. If
    // the name does not, the mount is seen from elsewhere, and what is mounted is all there is.
    let root = unescaped(mount.root.as_bytes());
    let below = Path::new(&group.pathname).strip_prefix(root).unwrap_or(Path::new(""));
    let point = PathBuf::from(unescaped(mount.mount_point.as_os_str().as_bytes()));
    below.ancestors().map(|group| point.join(group)).collect()
}

/// Decodes a name. The kernel writes blanks, backslashes and line ends of names as a backslash and three octal
/// digits, which procfs-core leaves as they are.
fn unescaped(name: &[u8]) -> OsString {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name;
    while let [first, after @ ..] = rest {
        let escaped = match rest {
            [b'\\', digits @ ..] => digits.get(..3).and_then(octal),
            _ => None,
        };
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &after[3..] } else { after };
    }
    OsString::from_vec(bytes)
}

fn octal(digits: &[u8]) -> Option<u8> {
    let digits = std::str::from_utf8(digits).ok()?;
    u8::from_str_radix(digits, 8).ok()
}

#[cfg(test)]
#[path = "group_tests.rs"]
mod tests;
