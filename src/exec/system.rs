//! The functions of this system that other files need, each under one name.

use std::process::ExitCode;
use std::time::Duration;

use super::exit::MemoryKiller;
use super::handshake::{self, Rejected};
use super::usage::Living;

#[cfg(target_os = "macos")]
pub(super) use super::macos::{Handle, start};
#[cfg(not(target_os = "linux"))]
pub(super) use super::portable::End;
#[cfg(windows)]
pub(super) use super::windows::{Handle, start};
#[cfg(target_os = "linux")]
pub(super) use super::{linux::Handle, start::start, supervisor::End};

/// Returns what the tree of a process holds; `None` if its root has ended, or if the platform does not report it.
pub(super) fn living(handle: &Handle) -> Option<Living> {
    #[cfg(target_os = "linux")]
    return Living::read(handle.id(), handle.supervisor()?, handle.counted_before());
    #[cfg(not(target_os = "linux"))]
    return handle.living();
}

/// Whether a process uses a processor rather than waiting for something, or has ended; true if the platform does not
/// report it.
pub(super) fn is_busy(handle: &Handle) -> bool {
    #[cfg(target_os = "linux")]
    return !crate::os::proc::sleeps(handle.id());
    #[cfg(not(target_os = "linux"))]
    return handle.id() > 0;
}

/// Returns the processor time of a process since it started; `None` if the platform does not report it.
pub(super) fn used(handle: &Handle) -> Option<Duration> {
    #[cfg(target_os = "linux")]
    return crate::os::proc::processor_time(handle.id());
    // Windows counts this time in ticks, which are too long for this.
    #[cfg(not(target_os = "linux"))]
    {
        let _ = handle;
        None
    }
}

/// The kernel's counts of lack of memory until a moment.
#[derive(Debug)]
pub(super) struct MemoryCounts {
    /// How often the kernel has killed a process for lack of memory since the system started.
    #[cfg(target_os = "linux")]
    kills: Option<u64>,
    #[cfg(target_os = "linux")]
    groups: crate::os::group::Memory,
}

impl MemoryCounts {
    pub(super) fn now() -> MemoryCounts {
        MemoryCounts {
            #[cfg(target_os = "linux")]
            kills: crate::os::proc::memory_kills(),
            #[cfg(target_os = "linux")]
            groups: crate::os::group::Memory::now(),
        }
    }

    /// Returns what the kernel's out-of-memory killer has done since this moment.
    pub(super) fn killer_since(&self) -> MemoryKiller {
        #[cfg(target_os = "linux")]
        {
            let now = MemoryCounts::now();
            let anywhere = now.kills.zip(self.kills).map(|(now, then)| now > then);
            let shortage = now.groups.since(&self.groups);
            let limit = shortage.limit.map(|limit| (limit.group, limit.most));
            match (shortage.killed, anywhere) {
                (Some(true), _) | (None, Some(true)) => MemoryKiller::Struck(limit),
                (Some(false), Some(true)) => MemoryKiller::Elsewhere,
                (Some(false), _) | (None, Some(false)) => MemoryKiller::Idle,
                (None, None) => MemoryKiller::Unknown,
            }
        }
        #[cfg(not(target_os = "linux"))]
        MemoryKiller::Unknown
    }
}

/// Returns words on how many processes and threads the control group may have, to follow a sentence; empty if nothing limits it.
pub(super) fn most_processes() -> String {
    #[cfg(target_os = "linux")]
    if let Some(limit) = crate::os::group::most_processes() {
        let group = limit.group.display();
        return format!(
            "; the control group `{group}` may have {} processes and threads",
            limit.most
        );
    }
    String::new()
}

/// Whether a process may become the parent of the orphans below it, without which nothing can be started on Linux.
pub(super) fn can_adopt_orphans() -> bool {
    #[cfg(target_os = "linux")]
    return crate::os::kernel::can_adopt_orphans();
    #[cfg(not(target_os = "linux"))]
    return true;
}

/// Returns why no process can be measured here; `None` if no such reason is known. What a process uses, and which processes
/// it leaves behind, is read in `/proc`.
pub(crate) fn unusable() -> Option<&'static str> {
    let is_missing = cfg!(target_os = "linux") && std::fs::read_link("/proc/self/exe").is_err();
    is_missing.then_some(
        "nothing was measured: /proc is not mounted, in which Linux says what a process uses and what it has left behind; \
         mount it (`mount -t proc proc /proc`)",
    )
}

/// Does the work of a relay, or of a process that becomes a command, if this process was started as one, and returns
/// the exit code. Every program that measures commands has to call it first.
///
/// # Errors
/// If the environment asks for such a process, but not on behalf of a harness.
pub(crate) fn helper() -> Result<Option<ExitCode>, Rejected> {
    handshake::reject_retired()?;
    #[cfg(target_os = "linux")]
    {
        super::relay::relay()?;
        super::inject::injected()
    }
    #[cfg(not(target_os = "linux"))]
    Ok(None)
}
