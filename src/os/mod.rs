//! Calls to the operating system, each behind a safe function that knows nothing of measuring.

pub(crate) mod affinity;
pub(crate) mod calls;
pub(crate) mod clock;
#[cfg(target_os = "linux")]
pub(crate) mod counter;
pub(crate) mod emulator;
#[cfg(target_os = "linux")]
pub(crate) mod group;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod interrupted;
#[cfg(windows)]
pub(crate) mod job;
#[cfg(unix)]
pub(crate) mod kernel;
mod locks;
#[cfg(target_os = "macos")]
pub(crate) mod macos;
pub(crate) mod memory;
#[cfg(target_os = "linux")]
pub(crate) mod moment;
#[cfg(target_os = "linux")]
pub(crate) mod page_cache;
pub(crate) mod port;
#[cfg(target_os = "linux")]
pub(crate) mod proc;
pub(crate) mod random;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(crate) mod sampler;
pub(crate) mod threads;
pub(crate) mod traffic;
pub(crate) mod usage;
pub(crate) mod valgrind;

pub(crate) use self::locks::holders as lock_holders;
