//! What the system tells of processes, of files in memory and of the moment: readers that change nothing.

#[cfg(target_os = "linux")]
use std::ffi::CString;
#[cfg(target_os = "linux")]
use std::fs;
#[cfg(target_os = "linux")]
use std::io;
#[cfg(target_os = "linux")]
use std::os::unix::ffi::OsStrExt;
#[cfg(target_os = "linux")]
use std::os::unix::fs::MetadataExt;
#[cfg(target_os = "linux")]
use std::path::Path;
#[cfg(target_os = "linux")]
use std::time::{Duration, Instant};

use memory_stats::memory_stats;

#[cfg(target_os = "linux")]
use super::kernel;

/// What is resident of this process now, in bytes; 0 where the system does not tell.
pub(super) fn resident() -> u64 {
    memory_stats().map_or(0, |stats| stats.physical_mem as u64)
}

/// The highest that was, in bytes, or what is resident now where the system keeps no mark.
pub(super) fn peak() -> u64 {
    high_water().unwrap_or_else(resident)
}

/// Sets the high-water mark to what is resident now; false where that cannot be done.
#[cfg(target_os = "linux")]
pub(super) fn mark() -> bool {
    fs::write("/proc/self/clear_refs", "5").is_ok()
}

/// The high-water mark of resident memory in bytes.
#[cfg(target_os = "linux")]
pub(super) fn high_water() -> Option<u64> {
    Some(Status::of(std::process::id())?.number("VmHWM")? * 1024)
}

/// Nowhere else can it be set.
#[cfg(not(target_os = "linux"))]
pub(super) fn mark() -> bool {
    false
}

/// Nowhere else is it told.
#[cfg(not(target_os = "linux"))]
pub(super) fn high_water() -> Option<u64> {
    None
}

/// Nanoseconds of the clock that `Instant` reads too, and that all processes share.
#[cfg(target_os = "linux")]
pub(super) fn monotonic() -> u64 {
    kernel::clock(kernel::Clock::Monotonic).map_or(0, |time| time.as_nanos() as u64)
}

/// The moment at which [`monotonic`] read so much.
#[cfg(target_os = "linux")]
pub(super) fn instant(nanos: u64) -> Instant {
    let (now, ago) = (Instant::now(), Duration::from_nanos(monotonic().saturating_sub(nanos)));
    now.checked_sub(ago).unwrap_or(now)
}

/// The resident bytes in a `/proc/PID/statm`; more than there are where it cannot be read, so that
/// nothing is taken for the command's own.
#[cfg(target_os = "linux")]
pub(super) fn resident_in(statm: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(statm);
    let pages = text.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok());
    pages.map_or(u64::MAX, |pages| pages * kernel::page_size() as u64)
}

/// How long the main thread waited for a processor: `/proc/PID/schedstat`, which a zombie still has.
#[cfg(target_os = "linux")]
pub(super) fn waited(pid: u32) -> Option<Duration> {
    waited_in(&fs::read(format!("/proc/{pid}/schedstat")).ok()?)
}

/// The same in what was read of it.
#[cfg(target_os = "linux")]
pub(super) fn waited_in(schedstat: &[u8]) -> Option<Duration> {
    let text = str::from_utf8(schedstat).ok()?;
    text.split_ascii_whitespace().nth(1)?.parse().ok().map(Duration::from_nanos)
}

/// Whether the process of this stat waited for children: they have left their page faults in its `cminflt`.
#[cfg(target_os = "linux")]
pub(super) fn had_children_in(stat: &[u8]) -> bool {
    fields(stat).is_some_and(|s| s.split_ascii_whitespace().nth(8).is_some_and(|n| n != "0"))
}

/// `/proc/PID/stat` from its third field, the state: the second is a name and may hold anything.
#[cfg(target_os = "linux")]
pub(super) fn stat(pid: u32) -> Option<String> {
    fields(&fs::read(format!("/proc/{pid}/stat")).ok()?).map(ToOwned::to_owned)
}

#[cfg(target_os = "linux")]
fn fields(stat: &[u8]) -> Option<&str> {
    let after = stat.iter().rposition(|&byte| byte == b')')? + 1;
    Some(str::from_utf8(&stat[after..]).ok()?.trim_start())
}

/// The parent of a process that has not ended; `None` where it has.
#[cfg(target_os = "linux")]
pub(super) fn parent(pid: u32) -> Option<u32> {
    parent_in(&fs::read(format!("/proc/{pid}/stat")).ok()?)
}

/// The same in a stat. It takes no memory, since it is asked between fork and exec, too.
#[cfg(target_os = "linux")]
pub(super) fn parent_in(stat: &[u8]) -> Option<u32> {
    let mut fields = fields(stat)?.split_ascii_whitespace();
    let ended = matches!(fields.next()?, "Z" | "X");
    let parent = fields.next()?.parse().ok()?;
    (!ended).then_some(parent)
}

/// The ids of this process's ancestors, the nearest first.
#[cfg(target_os = "linux")]
pub(crate) fn ancestors() -> Vec<u32> {
    let nearest = std::os::unix::process::parent_id();
    // A chain is no longer than there are processes, and one that changes meanwhile may not be followed for ever.
    std::iter::successors(Some(nearest), |&pid| parent(pid))
        .take_while(|&pid| pid > 0)
        .take(1000)
        .collect()
}

/// Clock ticks of user and system time of the children it waited for.
#[cfg(target_os = "linux")]
pub(super) fn children_ticks(pid: u32) -> Option<u64> {
    let stat = stat(pid)?;
    let mut fields = stat.split_ascii_whitespace().skip(13).map(|field| field.parse::<u64>().ok());
    Some(fields.next()?? + fields.next()??)
}

/// `/proc/PID/status`, lines of a name and a value: what proc(5) says of it.
#[cfg(target_os = "linux")]
#[derive(Debug)]
pub(super) struct Status(String);

#[cfg(target_os = "linux")]
impl Status {
    /// `None` where there is no such process.
    pub(super) fn of(pid: u32) -> Option<Status> {
        // A process's name is in it, which need not be UTF-8.
        let text = fs::read(format!("/proc/{pid}/status")).ok()?;
        Some(Status(String::from_utf8_lossy(&text).into_owned()))
    }

    /// The number of the line with this name, in kB for sizes; `None` where there is no such line: a
    /// process that has ended holds no memory.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        let value = self.0.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        value.split_ascii_whitespace().next()?.parse().ok()
    }
}

/// User and system time of a living process, of all the threads it ever had.
#[cfg(target_os = "linux")]
pub(super) fn processor_time(pid: u32) -> Option<Duration> {
    kernel::clock_of(kernel::processor_clock(pid)?)
}

/// How often the kernel has killed for want of memory since it started, in any container.
#[cfg(target_os = "linux")]
pub(super) fn memory_kills() -> Option<u64> {
    let text = fs::read_to_string("/proc/vmstat").ok()?;
    text.lines().find_map(|line| line.strip_prefix("oom_kill ")?.parse().ok())
}

/// Only Linux counts them where everyone can read it.
#[cfg(not(target_os = "linux"))]
pub(super) fn memory_kills() -> Option<u64> {
    None
}

/// How many pages of a file are in the page cache, and how many it has. `None` where the kernel does
/// not tell: it shows only who may write the file, so that nobody watches what others read.
#[cfg(target_os = "linux")]
pub(super) fn resident_pages(path: &Path) -> io::Result<Option<(usize, usize)>> {
    let file = fs::File::open(path)?;
    let metadata = file.metadata()?;
    let user = kernel::user();
    let told = user == 0
        || metadata.uid() == user
        || kernel::may_write(&CString::new(path.as_os_str().as_bytes())?);
    if !told {
        return Ok(None);
    }
    let length = usize::try_from(metadata.len()).map_err(io::Error::other)?;
    if length == 0 {
        return Ok(Some((0, 0)));
    }
    let mut pages = vec![0_u8; length.div_ceil(kernel::page_size())];
    kernel::mincore(&file, length, &mut pages)?;
    Ok(Some((pages.iter().filter(|&&page| page & 1 == 1).count(), pages.len())))
}
