//! The request to a pair: its two sides, what is measured of them, and where they run.

use std::time::Duration;

#[cfg(unix)]
use perf_budget_core::outcome::{Cause, Unmeasured};

#[cfg(unix)]
use crate::os::affinity;
use crate::worker::build::Build;
use crate::worker::wire::Request;

/// One of the two sides of a comparison.
#[derive(Debug, Clone)]
#[cfg_attr(
    all(not(unix), not(feature = "internals")),
    expect(dead_code, reason = "no pair runs on this system, so its settings are not read")
)]
pub struct Side {
    /// The binary that contains the workload.
    pub build: Build,
    /// The request to its process.
    pub request: Request,
    /// Its role in the comparison, for messages about what went wrong, such as "the base".
    pub role: Option<String>,
}

impl Side {
    /// Fails if the side asks for more processors than there are. A pair on one processor would not notice.
    #[cfg(unix)]
    pub(super) fn check_processors(&self) -> Result<(), Unmeasured> {
        let allowed = affinity::allowed().len();
        match self.request.constraint.processors {
            Some(wanted) if wanted as usize > allowed => {
                let text = format!(
                    "`processors = {wanted}` is more than there are: only {allowed} processors may be used here"
                );
                Err(Unmeasured::new(Cause::Unsupported, text))
            }
            _ => Ok(()),
        }
    }

    /// Adds the side's role to what went wrong.
    #[cfg(unix)]
    pub(super) fn with_role(&self, why: Unmeasured) -> Unmeasured {
        why.of_role(self.role.as_deref())
    }
}

/// The properties of an operation that the rounds measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Requirements {
    /// The time of single operations.
    pub singles: bool,
    /// The mean time of a batch.
    pub batches: bool,
    /// The fewest single operations of each side, for an extreme percentile.
    pub fewest: usize,
}

/// The settings of a pair.
#[cfg_attr(
    all(not(unix), not(feature = "internals")),
    expect(dead_code, reason = "no pair runs on this system, so its settings are not read")
)]
pub struct Terms<'a> {
    /// The properties that the rounds measure.
    pub wants: Requirements,
    /// How long rounds are measured, without the warm-up.
    pub slice: Duration,
    /// Where both processes run.
    pub place: Place,
    /// How long each process may live.
    pub timeout: Duration,
    /// The directory of requests and replies.
    pub scratch: &'a std::path::Path,
}

/// Where the two processes run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// On one processor, which they share in turns: the one with this number, modulo their count, among those that
    /// this process may use.
    Core(usize),
    /// On all processors that this process may use: work of several threads behaves differently on one.
    Free,
}
