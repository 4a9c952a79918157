//! The resident memory of this process, and the mark of the highest that it was.

use memory_stats::memory_stats;

/// What is resident now, in bytes; 0 where the system does not tell.
pub(crate) fn resident() -> u64 {
    memory_stats().map_or(0, |stats| stats.physical_mem as u64)
}

/// The highest that was, in bytes, or what is resident now where the system keeps no mark.
pub(crate) fn peak() -> u64 {
    high_water().unwrap_or_else(resident)
}

/// Sets the high-water mark to what is resident now; false where that cannot be done.
#[cfg(target_os = "linux")]
pub(crate) fn mark() -> bool {
    std::fs::write("/proc/self/clear_refs", "5").is_ok()
}

/// The high-water mark of resident memory in bytes.
#[cfg(target_os = "linux")]
pub(crate) fn high_water() -> Option<u64> {
    Some(super::proc::Status::of(std::process::id())?.number("VmHWM")? * 1024)
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn mark() -> bool {
    false
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn high_water() -> Option<u64> {
    None
}
