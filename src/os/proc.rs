//! What Linux tells of a process in `/proc`.
//!
//! procfs-core reads what it can. What is read here by hand it refuses, each case of which is in `proc_tests.rs`: a name
//! that is no UTF-8, a sandbox that leaves out lines, a file that was cut at the end of a buffer, and it takes memory, which
//! nothing may between fork and exec.

use std::fs::{self, File};
use std::time::Duration;

use procfs_core::process::Stat;
use procfs_core::{CpuInfo, FromRead, VmStat};

use super::kernel;

/// `/proc/PID/status`, lines of a name and a value: what proc(5) says of it. By hand, since a name that is no UTF-8 and a
/// sandbox's list of lines are refused otherwise.
#[derive(Debug)]
pub(crate) struct Status(String);

impl Status {
    /// `None` where there is no such process.
    pub(crate) fn of(pid: u32) -> Option<Status> {
        // A process's name is in it, which need not be UTF-8.
        let text = fs::read(format!("/proc/{pid}/status")).ok()?;
        Some(Status(String::from_utf8_lossy(&text).into_owned()))
    }

    /// The number of the line with this name, in kB for sizes; `None` where there is no such line: a
    /// process that has ended holds no memory.
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        let value = self.0.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        value.split_ascii_whitespace().next()?.parse().ok()
    }
}

/// The resident bytes in a `/proc/PID/statm`, which may be cut; more than there are where it cannot be read, so that
/// nothing is taken for the command's own.
pub(crate) fn resident_in(statm: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(statm);
    let pages = text.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok());
    pages.map_or(u64::MAX, |pages| pages * kernel::page_size() as u64)
}

/// How long the main thread waited for a processor: `/proc/PID/schedstat`, which a zombie still has.
pub(crate) fn waited(pid: u32) -> Option<Duration> {
    waited_in(&fs::read(format!("/proc/{pid}/schedstat")).ok()?)
}

/// The same in what was read of it, which may be cut.
pub(crate) fn waited_in(schedstat: &[u8]) -> Option<Duration> {
    let text = str::from_utf8(schedstat).ok()?;
    text.split_ascii_whitespace().nth(1)?.parse().ok().map(Duration::from_nanos)
}

/// Whether the process of this stat, which may be cut, waited for children: they have left their page faults in its
/// `cminflt`.
pub(crate) fn had_children_in(stat: &[u8]) -> bool {
    fields(stat).is_some_and(|s| s.split_ascii_whitespace().nth(8).is_some_and(|n| n != "0"))
}

/// `/proc/PID/stat`.
fn stat(pid: u32) -> Option<Stat> {
    Stat::from_read(File::open(format!("/proc/{pid}/stat")).ok()?).ok()
}

/// Whether a process waits for something, and can be woken.
pub(crate) fn sleeps(pid: u32) -> bool {
    stat(pid).is_some_and(|stat| stat.state == 'S')
}

/// A stat from its third field, the state: the second is a name and may hold anything.
fn fields(stat: &[u8]) -> Option<&str> {
    let after = stat.iter().rposition(|&byte| byte == b')')? + 1;
    Some(str::from_utf8(&stat[after..]).ok()?.trim_start())
}

/// The parent of a process that has not ended; `None` where it has.
pub(crate) fn parent(pid: u32) -> Option<u32> {
    parent_in(&fs::read(format!("/proc/{pid}/stat")).ok()?)
}

/// The same in a stat. It takes no memory, since it is asked between fork and exec, too.
pub(crate) fn parent_in(stat: &[u8]) -> Option<u32> {
    let mut fields = fields(stat)?.split_ascii_whitespace();
    let ended = matches!(fields.next()?, "Z" | "X");
    let parent = fields.next()?.parse().ok()?;
    (!ended).then_some(parent)
}

/// The ids of this process's ancestors, the nearest first.
pub(crate) fn ancestors() -> Vec<u32> {
    let nearest = std::os::unix::process::parent_id();
    // A chain is no longer than there are processes, and one that changes meanwhile may not be followed for ever.
    std::iter::successors(Some(nearest), |&pid| parent(pid))
        .take_while(|&pid| pid > 0)
        .take(1000)
        .collect()
}

/// Clock ticks of user and system time of the children it waited for.
pub(crate) fn children_ticks(pid: u32) -> Option<u64> {
    let stat = stat(pid)?;
    u64::try_from(stat.cutime.checked_add(stat.cstime)?).ok()
}

/// User and system time of a living process, of all the threads it ever had.
pub(crate) fn processor_time(pid: u32) -> Option<Duration> {
    kernel::clock_of(kernel::processor_clock(pid)?)
}

/// How often the kernel has killed for want of memory since it started, in any container.
pub(crate) fn memory_kills() -> Option<u64> {
    let VmStat(counts) = VmStat::from_read(File::open("/proc/vmstat").ok()?).ok()?;
    u64::try_from(*counts.get("oom_kill")?).ok()
}

/// What the first processor is called.
pub(crate) fn processor() -> Option<String> {
    let known = CpuInfo::from_read(File::open("/proc/cpuinfo").ok()?).ok()?;
    known.model_name(0).map(ToOwned::to_owned)
}

#[cfg(test)]
#[path = "proc_tests.rs"]
mod tests;
