//! What this system does for a process, under one name for each thing.

use std::process::ExitCode;
use std::time::Duration;

use super::door::{self, Shut};
use super::usage::Living;

#[cfg(not(target_os = "linux"))]
pub(super) use super::portable::{End, Handle, start};
#[cfg(target_os = "linux")]
pub(super) use super::{linux::Handle, start::start, supervisor::End};

/// What the tree of a process holds; `None` where its root has ended, or where the platform does not tell.
pub(super) fn living(handle: &Handle) -> Option<Living> {
    #[cfg(target_os = "linux")]
    return Living::read(handle.id(), handle.supervisor());
    #[cfg(not(target_os = "linux"))]
    return handle.living();
}

/// Whether a process is at work rather than waiting for something, or has ended; true where the platform does not
/// tell.
pub(super) fn is_busy(handle: &Handle) -> bool {
    #[cfg(target_os = "linux")]
    return !crate::os::proc::sleeps(handle.id());
    #[cfg(not(target_os = "linux"))]
    return handle.id() > 0;
}

/// The processor time of a process since it started; `None` where the platform does not tell.
pub(super) fn used(handle: &Handle) -> Option<Duration> {
    #[cfg(target_os = "linux")]
    return crate::os::proc::processor_time(handle.id());
    #[cfg(not(target_os = "linux"))]
    return handle.living().map(|living| living.cpu);
}

/// How often the kernel has killed for want of memory since it started; `None` where the platform does not tell.
pub(super) fn memory_kills() -> Option<u64> {
    #[cfg(target_os = "linux")]
    return crate::os::proc::memory_kills();
    #[cfg(not(target_os = "linux"))]
    None
}

/// Does the work of a relay or of what a selftest injects into a command, if this process was started as one, and
/// says how to exit. To be called first by every program that measures commands.
///
/// # Errors
/// Where the environment asks for such a process, and no harness does.
pub(crate) fn helper() -> Result<Option<ExitCode>, Shut> {
    door::retired()?;
    #[cfg(target_os = "linux")]
    {
        super::relay::relay()?;
        super::inject::injected()
    }
    #[cfg(not(target_os = "linux"))]
    Ok(None)
}
