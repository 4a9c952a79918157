//! The resident memory of this process, now and at its peak.

use memory_stats::memory_stats;

/// Returns the resident memory now, in bytes; `None` if the system does not report it. An emulator may report 0 for the program
/// that it runs. That is no answer, since a process always holds something.
pub(crate) fn resident() -> Option<u64> {
    memory_stats().map(|stats| stats.physical_mem as u64).filter(|&bytes| bytes > 0)
}

/// Returns the highest resident memory so far, in bytes, or the resident memory now if the system keeps no high-water
/// mark; 0 if it reports neither.
pub(crate) fn peak() -> u64 {
    high_water().or_else(resident).unwrap_or(0)
}

/// Resets the high-water mark to the resident memory now; returns false if that cannot be done.
#[cfg(target_os = "linux")]
pub(crate) fn mark() -> bool {
    std::fs::write("/proc/self/clear_refs", "5").is_ok()
}

/// Returns the high-water mark of the resident memory, in bytes.
#[cfg(target_os = "linux")]
pub(crate) fn high_water() -> Option<u64> {
    Some(super::proc::Status::read(std::process::id())?.number("VmHWM")? * 1024)
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn mark() -> bool {
    false
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn high_water() -> Option<u64> {
    None
}
