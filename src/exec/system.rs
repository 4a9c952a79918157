//! The functions of this system that other files need, each under one name.

use std::process::ExitCode;
use std::time::Duration;

use super::handshake::{self, Rejected};
use super::usage::Living;

#[cfg(not(target_os = "linux"))]
pub(super) use super::portable::{End, Handle, start};
#[cfg(target_os = "linux")]
pub(super) use super::{linux::Handle, start::start, supervisor::End};

/// Returns what the tree of a process holds; `None` if its root has ended, or if the platform does not report it.
pub(super) fn living(handle: &Handle) -> Option<Living> {
    #[cfg(target_os = "linux")]
    return Living::read(handle.id(), handle.supervisor(), handle.counted_before());
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
    #[cfg(not(target_os = "linux"))]
    return handle.living().map(|living| living.cpu);
}

/// Returns how often the kernel has killed a process for lack of memory since the system started; `None` if the
/// platform does not report it.
pub(super) fn memory_kills() -> Option<u64> {
    #[cfg(target_os = "linux")]
    return crate::os::proc::memory_kills();
    #[cfg(not(target_os = "linux"))]
    None
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
