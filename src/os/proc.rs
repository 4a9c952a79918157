//! What Linux reports about a process in `/proc`.
//!
//! procfs-core reads what it can. The texts that it refuses are read here by hand: those with a name that is not UTF-8,
//! those of a sandbox that leaves out lines, and those that were cut at the end of a buffer. `proc_tests.rs` has each
//! case. procfs-core also allocates, which is not allowed between fork and exec.

use std::fs::{self, File};
use std::time::Duration;

use procfs_core::process::Stat;
use procfs_core::{FromRead, VmStat};

use super::kernel;

/// The lines of `/proc/PID/status`, each a name and a value as described in proc(5). It is read by hand because
/// procfs-core refuses a name that is not UTF-8, and a sandbox's list of lines.
#[derive(Debug)]
pub(crate) struct Status(String);

impl Status {
    /// Reads the status of a process; returns `None` if there is no such process.
    pub(crate) fn read(pid: u32) -> Option<Status> {
        // The status contains the process's name, which need not be UTF-8.
        let text = fs::read(format!("/proc/{pid}/status")).ok()?;
        Some(Status(String::from_utf8_lossy(&text).into_owned()))
    }

    /// Returns the number of the line with this name, in kB for sizes; `None` if there is no such line, as for the
    /// memory of a process that has ended.
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        let value = self.0.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        value.split_ascii_whitespace().next()?.parse().ok()
    }
}

/// Returns the resident bytes in a `/proc/PID/statm`, which may be cut. If it cannot be read, it returns the largest
/// number, so that nothing is mistaken for the command's own memory.
pub(crate) fn resident_in(statm: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(statm);
    let pages = text.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok());
    pages.map_or(u64::MAX, |pages| pages * kernel::page_size() as u64)
}

/// Returns how long the main thread waited for a processor, from `/proc/PID/schedstat`, which a zombie still has.
pub(crate) fn waited(pid: u32) -> Option<Duration> {
    waited_in(&fs::read(format!("/proc/{pid}/schedstat")).ok()?)
}

/// Reads the same from the content of the file, which may be cut.
pub(crate) fn waited_in(schedstat: &[u8]) -> Option<Duration> {
    let text = str::from_utf8(schedstat).ok()?;
    text.split_ascii_whitespace().nth(1)?.parse().ok().map(Duration::from_nanos)
}

/// Whether the process of this stat, which may be cut, has waited for children: their page faults are then in its
/// `cminflt`.
pub(crate) fn had_children_in(stat: &[u8]) -> bool {
    fields(stat).is_some_and(|s| s.split_ascii_whitespace().nth(8).is_some_and(|n| n != "0"))
}

/// Reads `/proc/PID/stat`.
fn stat(pid: u32) -> Option<Stat> {
    Stat::from_read(File::open(format!("/proc/{pid}/stat")).ok()?).ok()
}

/// Whether a process waits for something, and can be woken.
pub(crate) fn sleeps(pid: u32) -> bool {
    stat(pid).is_some_and(|stat| stat.state == 'S')
}

/// Whether a process is stopped by a signal or a debugger.
pub(crate) fn is_stopped(pid: u32) -> bool {
    stat(pid).is_some_and(|stat| matches!(stat.state, 'T' | 't'))
}

/// Returns a stat from its third field, the state, on: the second field is a name, which may contain anything.
fn fields(stat: &[u8]) -> Option<&str> {
    let after = stat.iter().rposition(|&byte| byte == b')')? + 1;
    Some(str::from_utf8(&stat[after..]).ok()?.trim_start())
}

/// Returns the parent of a process; `None` if the process has ended.
pub(crate) fn parent(pid: u32) -> Option<u32> {
    parent_in(&fs::read(format!("/proc/{pid}/stat")).ok()?)
}

/// Reads the same from the content of a stat. It does not allocate, because it is also called between fork and exec.
pub(crate) fn parent_in(stat: &[u8]) -> Option<u32> {
    let mut fields = fields(stat)?.split_ascii_whitespace();
    let ended = matches!(fields.next()?, "Z" | "X");
    let parent = fields.next()?.parse().ok()?;
    (!ended).then_some(parent)
}

/// Returns the ids of this process's ancestors, the nearest first.
pub(crate) fn ancestors() -> Vec<u32> {
    let nearest = std::os::unix::process::parent_id();
    // The chain may change while it is followed, so its length is limited.
    std::iter::successors(Some(nearest), |&pid| parent(pid))
        .take_while(|&pid| pid > 0)
        .take(1000)
        .collect()
}

/// Returns the clock ticks of user and system time of the children that the process waited for.
pub(crate) fn children_ticks(pid: u32) -> Option<u64> {
    let stat = stat(pid)?;
    u64::try_from(stat.cutime.checked_add(stat.cstime)?).ok()
}

/// Returns the page faults of the process and of the children that it waited for, and how many of them waited for a disk.
pub(crate) fn faults(pid: u32) -> Option<(u64, u64)> {
    let stat = stat(pid)?;
    let major = stat.majflt + stat.cmajflt;
    Some((stat.minflt + stat.cminflt + major, major))
}

/// Returns the user and system time of a living process, of all the threads that it ever had.
pub(crate) fn processor_time(pid: u32) -> Option<Duration> {
    kernel::clock_of(kernel::processor_clock(pid)?)
}

/// Returns how often the kernel has killed a process for lack of memory since it started, in any container.
pub(crate) fn memory_kills() -> Option<u64> {
    let VmStat(counts) = VmStat::from_read(File::open("/proc/vmstat").ok()?).ok()?;
    u64::try_from(*counts.get("oom_kill")?).ok()
}

#[cfg(test)]
#[path = "proc_tests.rs"]
mod tests;
