//! What Linux tells of a process in `/proc`.

use std::fs;
use std::time::Duration;

use super::kernel;

/// `/proc/PID/status`, lines of a name and a value: what proc(5) says of it.
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

/// The resident bytes in a `/proc/PID/statm`; more than there are where it cannot be read, so that
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

/// The same in what was read of it.
pub(crate) fn waited_in(schedstat: &[u8]) -> Option<Duration> {
    let text = str::from_utf8(schedstat).ok()?;
    text.split_ascii_whitespace().nth(1)?.parse().ok().map(Duration::from_nanos)
}

/// Whether the process of this stat waited for children: they have left their page faults in its `cminflt`.
pub(crate) fn had_children_in(stat: &[u8]) -> bool {
    fields(stat).is_some_and(|s| s.split_ascii_whitespace().nth(8).is_some_and(|n| n != "0"))
}

/// `/proc/PID/stat` from its third field, the state: the second is a name and may hold anything.
pub(crate) fn stat(pid: u32) -> Option<String> {
    fields(&fs::read(format!("/proc/{pid}/stat")).ok()?).map(ToOwned::to_owned)
}

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
    let mut fields = stat.split_ascii_whitespace().skip(13).map(|field| field.parse::<u64>().ok());
    Some(fields.next()?? + fields.next()??)
}

/// User and system time of a living process, of all the threads it ever had.
pub(crate) fn processor_time(pid: u32) -> Option<Duration> {
    kernel::clock_of(kernel::processor_clock(pid)?)
}

/// How often the kernel has killed for want of memory since it started, in any container.
pub(crate) fn memory_kills() -> Option<u64> {
    let text = fs::read_to_string("/proc/vmstat").ok()?;
    text.lines().find_map(|line| line.strip_prefix("oom_kill ")?.parse().ok())
}
