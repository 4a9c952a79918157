//! The instrument that samples a process, where the system has it.

mod sampling;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod thread;

use perf_budget_core::outcome::{Cause, Unmeasured};

pub(crate) use self::sampling::Sampling;
use super::laps::{Instrument, Repeat};

/// Whether a process can be sampled on this system.
pub(crate) const IS_KNOWN: bool =
    cfg!(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")));

/// Returns the reason why a process cannot be sampled on this system.
pub(crate) fn unsupported() -> Unmeasured {
    Unmeasured::new(
        Cause::Unsupported,
        "a process is sampled on Linux alone, on x86-64 and aarch64",
    )
}

/// Returns the instrument.
///
/// # Errors
/// If this system has none.
pub(super) fn instrument(
    sampling: &Sampling,
    repeat: Repeat,
) -> Result<Box<dyn Instrument>, Unmeasured> {
    #[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
    let found = thread::Sampled::new(sampling, repeat).map(|sampled| Box::new(sampled) as _);
    #[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
    let found = {
        let _ = (sampling, repeat);
        Err(unsupported())
    };
    found
}
