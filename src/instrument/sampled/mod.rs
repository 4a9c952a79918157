//! What a process is asked that is sampled, and the instrument where the system has one.

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod thread;

use std::path::PathBuf;
use std::time::Duration;

use perf_budget_core::outcome::Unmeasured;
use serde::{Deserialize, Serialize};

use super::laps::{Instrument, Repeat};

/// Whether a process can be sampled on this system.
pub(crate) const IS_KNOWN: bool =
    cfg!(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")));

/// How a process is sampled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sampling {
    /// The file for the samples.
    pub file: PathBuf,
    /// The number of samples after which it ends.
    pub most: usize,
    /// The time after which it ends.
    pub longest: Duration,
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
    let found = thread::Sampled::new(sampling, repeat).map(|it| Box::new(it) as _);
    #[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
    let found = {
        let _ = (sampling, repeat);
        let text = "a process is sampled on Linux alone, on x86-64 and aarch64";
        Err(Unmeasured::new(perf_budget_core::outcome::Cause::Unsupported, text))
    };
    found
}
