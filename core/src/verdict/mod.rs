//! Verdicts: what a limit and its evidence come to. Pure: no clock, no file, no process.
//!
//! [`hypothesis`] makes plain numbers of a limit, with how far beyond it still passes; [`judge`](judge::Judge)
//! takes the values of one process after another and says when the evidence is enough.

mod greatest;
pub mod hypothesis;
pub mod judge;
pub mod power;
#[cfg(test)]
mod simulated_tests;

use serde::{Deserialize, Serialize};

/// What became of one limit.
#[derive(
    Default, Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Shown to hold.
    Pass,
    /// Holds, and deserves a look.
    Warn,
    /// Shown to be broken.
    Fail,
    /// The evidence did not suffice: a warning, and red where `inconclusive = "fail"` says so.
    #[serde(alias = "unsure")]
    Inconclusive,
    /// There is no reading: red.
    #[default]
    Unmeasured,
    /// Not judged, for a stated reason that is nobody's fault.
    Skipped,
}

impl Verdict {
    /// Every verdict, best first.
    pub const ALL: [Verdict; 6] = [
        Verdict::Pass,
        Verdict::Warn,
        Verdict::Fail,
        Verdict::Inconclusive,
        Verdict::Unmeasured,
        Verdict::Skipped,
    ];

    /// Whether it is red whatever the settings say. Of an outcome, ask [`Outcome::is_red`](crate::outcome::Outcome::is_red).
    pub fn is_red(self) -> bool {
        matches!(self, Verdict::Fail | Verdict::Unmeasured)
    }

    /// Its word in every report.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Warn => "warn",
            Verdict::Fail => "fail",
            Verdict::Inconclusive => "inconclusive",
            Verdict::Unmeasured => "unmeasured",
            Verdict::Skipped => "skipped",
        }
    }
}
