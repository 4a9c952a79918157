//! What the texts of the kernel say: pure, so that those of other systems can be tested.
//!
//! Groups and mounts are read by procfs. The counters are not: its parser of pressure wants a line
//! `full` that the processor has only since Linux 5.13, the one of `/proc/stat` wants the whole file,
//! which has hundreds of kilobytes on large machines, and it has none for quotas.

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::time::Duration;

use procfs_core::process::MountInfo;
use procfs_core::{FromRead, ProcessCGroups};

use super::{Processors, Throttled};

/// Processor seconds from the line `cpu` of `/proc/stat`. Guests are within user time already. A
/// sandbox that shows nothing but zeros tells nothing.
pub(super) fn processors(stat: &str, ticks_per_second: u64) -> Option<Processors> {
    let line = stat.lines().next()?.strip_prefix("cpu ")?;
    let ticks: Vec<u64> =
        line.split_ascii_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?;
    let [user, nice, system, idle, rest @ ..] = ticks.as_slice() else { return None };
    let [io_wait, irq, soft_irq] = [0, 1, 2].map(|n| rest.get(n).copied().unwrap_or(0));
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

/// Time in which some task waited, from a file of `/proc/pressure`.
pub(super) fn stalled(pressure: &str) -> Option<Duration> {
    let some = pressure.lines().find_map(|line| line.strip_prefix("some "))?;
    let total = some.split_ascii_whitespace().find_map(|word| word.strip_prefix("total="))?;
    total.parse().ok().map(Duration::from_micros)
}

/// What a quota did, from a group's `cpu.stat` of either version: microseconds in the second,
/// nanoseconds in the first.
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

/// The files `cpu.stat` of the groups that a process is in, its own first, from its `cgroup` and
/// `mountinfo`. Whether they are there is not known.
pub(super) fn quota_files(cgroup: &str, mountinfo: &str) -> Vec<PathBuf> {
    let Ok(groups) = ProcessCGroups::from_read(Cursor::new(cgroup)) else { return Vec::new() };
    let mounts: Vec<MountInfo> =
        mountinfo.lines().filter_map(|line| MountInfo::from_line(line).ok()).collect();
    // On a mixed system the first version has the processors, where it has them at all.
    let first = groups.0.iter().find(|group| group.controllers.iter().any(|name| name == "cpu"));
    let second = groups.0.iter().find(|group| group.hierarchy == 0);
    let found = first
        .and_then(|group| Some((group, mounts.iter().find(|mount| has_processors(mount))?)))
        .or_else(|| second.zip(mounts.iter().find(|mount| mount.fs_type == "cgroup2")));
    let Some((group, mount)) = found else { return Vec::new() };
    // In a container the mount may begin at its own group, and then the group's name begins with it.
    // A name that does not is seen from elsewhere: what is mounted is all there is.
    let below = Path::new(&group.pathname).strip_prefix(&mount.root).unwrap_or(Path::new(""));
    below.ancestors().map(|group| mount.mount_point.join(group).join("cpu.stat")).collect()
}

fn has_processors(mount: &MountInfo) -> bool {
    mount.fs_type == "cgroup" && mount.super_options.contains_key("cpu")
}
