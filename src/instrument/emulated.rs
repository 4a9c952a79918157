//! Refusals to measure a program that an emulator runs, where the emulator would be measured with it.

use perf_budget_core::outcome::{Cause, Unmeasured};

use crate::os::emulator::emulator;

/// Refuses to measure something if an emulator runs this program. `what` is what was to be read, `metrics` are the limits that
/// need it, and `instead` says what would be measured in its place.
///
/// # Errors
/// The refusal, if an emulator runs this program.
pub(crate) fn refuse(what: &str, metrics: &str, instead: &str) -> Result<(), Unmeasured> {
    emulator().map_or(Ok(()), |kernel| Err(refusal(what, metrics, instead, kernel)))
}

/// Refuses to read resident memory if an emulator runs this program.
pub(crate) fn refuse_resident_memory() -> Result<(), Unmeasured> {
    let instead = "the emulator's own memory is part of the process";
    refuse("read resident memory", "rss, peak_rss and rss_growth", instead)
}

fn refusal(what: &str, metrics: &str, instead: &str, kernel: &str) -> Unmeasured {
    let program = std::env::consts::ARCH;
    let text = format!(
        "failed to {what}: an emulator runs this program for {program} on {kernel}, and {instead}; measure on {program} itself, \
         or drop the limit on {metrics} here"
    );
    Unmeasured::new(Cause::Unsupported, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_what_to_do() {
        let why = refusal("count", "`instructions`", "its own would be counted", "z80");
        let end = "or drop the limit on `instructions` here";
        assert!(why.text.ends_with(end) && why.text.contains(" on z80, and its own"), "{why}");
        assert_eq!(why.cause, Cause::Unsupported);
    }
}
