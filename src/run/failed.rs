//! The error of a workload, which `?` makes from any other error.

use std::fmt;

use perf_budget_core::outcome::{Cause, Unmeasured};

/// Why a workload could not be measured: the test is red, with this as its reason. `?` makes it from any error, and
/// `into` from any text:
///
/// ```
/// # use perf_budget::Failed;
/// fn load() -> Result<usize, Failed> {
///     let number = "17".parse::<usize>()?;
///     if number == 0 {
///         return Err("no records".into());
///     }
///     Ok(number)
/// }
/// # assert_eq!(load().unwrap(), 17);
/// ```
///
/// Like `anyhow::Error` it is not a `std::error::Error` itself, because otherwise it could not be made from all of
/// them.
#[derive(Clone)]
pub struct Failed(pub(crate) Unmeasured);

impl<E: fmt::Display> From<E> for Failed {
    /// Formats the error in the alternate form, which for many error types shows the whole chain.
    fn from(error: E) -> Self {
        Failed(Unmeasured::new(Cause::WorkloadFailed, format!("{error:#}")))
    }
}

impl Failed {
    pub(crate) fn new(cause: Cause, text: impl Into<String>) -> Self {
        Failed(Unmeasured::new(cause, text))
    }
}

impl fmt::Debug for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
