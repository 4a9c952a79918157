//! Parsers of the kernel's texts. They are pure, so that the texts of other systems can be tested.
//!
//! procfs-core reads groups and mounts. The rest is read here because procfs-core requires what is not everywhere: of
//! a pressure file the line `full`, which the processor's has only since Linux 5.13, and of `/proc/stat` the whole
//! file, which has hundreds of kilobytes on large machines; `tests.rs` shows both. It reads no quotas.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use procfs_core::process::MountInfo;
use procfs_core::{FromBufRead, ProcessCGroups};

use super::{Processors, Throttled};

/// Reads the processor seconds from the line `cpu` of `/proc/stat`. The time of guests is part of the user time
/// already. It returns `None` for a sandbox that shows nothing but zeros.
pub(super) fn processors(stat: &str, ticks_per_second: u64) -> Option<Processors> {
    let line = stat.lines().next()?.strip_prefix("cpu ")?;
    let ticks: Vec<u64> =
        line.split_ascii_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?;
    let [user, nice, system, idle, rest @ ..] = ticks.as_slice() else { return None };
    let at = |n: usize| rest.get(n).copied().unwrap_or(0);
    let (io_wait, irq, soft_irq) = (at(0), at(1), at(2));
    let stolen = rest.get(3).copied();
    let seconds = |ticks: u64| ticks as f64 / ticks_per_second as f64;
    let busy = user + nice + system + irq + soft_irq;
    let idle = idle + io_wait;
    (busy + idle > 0).then(|| Processors {
        busy: seconds(busy),
        idle: seconds(idle),
        stolen: stolen.map(seconds),
    })
}

/// Reads the time in which some task waited, from a file of `/proc/pressure`.
pub(super) fn stalled(pressure: &str) -> Option<Duration> {
    let some = pressure.lines().find_map(|line| line.strip_prefix("some "))?;
    let total = some.split_ascii_whitespace().find_map(|word| word.strip_prefix("total="))?;
    total.parse().ok().map(Duration::from_micros)
}

/// Reads what a quota did, from a group's `cpu.stat` of either version of control groups: version 2 has microseconds,
/// version 1 nanoseconds.
pub(super) fn throttled(cpu_stat: &str) -> Option<Throttled> {
    let field = |name: &str| -> Option<u64> {
        let (_, value) =
            cpu_stat.lines().filter_map(|l| l.split_once(' ')).find(|l| l.0 == name)?;
        value.trim().parse().ok()
    };
    let seconds = match (field("throttled_usec"), field("throttled_time")) {
        (Some(micros), _) => micros as f64 * 1e-6,
        (_, Some(nanos)) => nanos as f64 * 1e-9,
        _ => return None,
    };
    Some(Throttled { periods: field("nr_throttled")?, seconds })
}

/// Returns the paths of `cpu.stat` in the groups that a process is in, its own first, from its `cgroup` and
/// `mountinfo`. The files need not exist.
pub(super) fn quota_files(cgroup: &str, mountinfo: &str) -> Vec<PathBuf> {
    // Each line is parsed by itself, so that a line that is not understood hides no other.
    let groups = || {
        let groups = cgroup.lines().map(|line| ProcessCGroups::from_buf_read(line.as_bytes()));
        groups.flatten().flatten()
    };
    let mounts = || mountinfo.lines().filter_map(|line| MountInfo::from_line(line).ok());
    // On a mixed system, version 1 has the processors if it has them at all.
    let first = groups().find(|group| group.controllers.iter().any(|name| name == "cpu"));
    let second = groups().find(|group| group.hierarchy == 0);
    let has_processors =
        |mount: &MountInfo| mount.fs_type == "cgroup" && mount.super_options.contains_key("cpu");
    let found = first
        .zip(mounts().find(has_processors))
        .or_else(|| second.zip(mounts().find(|mount| mount.fs_type == "cgroup2")));
    let Some((group, mount)) = found else { return Vec::new() };
    // In a container the mount may begin at the container's own group, and then the group's name begins with it. If
    // the name does not, the mount is seen from elsewhere, and what is mounted is all there is.
    let root = unescaped(mount.root.as_bytes());
    let below = Path::new(&group.pathname).strip_prefix(root).unwrap_or(Path::new(""));
    let point = PathBuf::from(unescaped(mount.mount_point.as_os_str().as_bytes()));
    below.ancestors().map(|group| point.join(group).join("cpu.stat")).collect()
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
