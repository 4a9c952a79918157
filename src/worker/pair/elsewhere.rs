//! Pairs on a system that is not Unix: none can be measured there.

use perf_budget_core::outcome::{Cause, Unmeasured};

use super::result::Pair;
use super::terms::{Side, Terms};

/// Fails: this system has no channel that both ends can wait on.
pub fn measure(_sides: [&Side; 2], _terms: &Terms<'_>, _swap: bool) -> Result<Pair, Unmeasured> {
    let text = "the times of two builds can be interleaved only on Unix; drop the limit that is relative to \
                another time here";
    Err(Unmeasured::new(Cause::Unsupported, text))
}
