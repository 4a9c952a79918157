//! Verdicts: what follows from a limit and its evidence. This is pure: there is no clock, no file, no process.
//!
//! [`hypothesis`] turns a limit into plain numbers, with how far beyond it a value still passes. A
//! [`Judge`](judge::Judge) takes the values of one process after another and says when the evidence is enough.

pub mod beyond;
mod greatest;
pub mod hypothesis;
pub mod judge;
#[cfg(test)]
mod links_tests;
pub mod power;
#[cfg(test)]
mod share_tests;
#[cfg(test)]
mod simulated_tests;

use serde::{Deserialize, Serialize};

/// The verdict on one limit.
#[derive(Default, Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The limit was shown to hold.
    Pass,
    /// The limit holds, but the value deserves a look.
    Warn,
    /// The limit was shown to be broken.
    Fail,
    /// The evidence did not suffice. This is a warning, and red where `inconclusive = "fail"` says so.
    #[serde(alias = "unsure")]
    Inconclusive,
    /// There is no reading, which is red.
    #[default]
    Unmeasured,
    /// The limit was not judged, for a stated reason that is nobody's mistake.
    Skipped,
}

impl Verdict {
    /// Every verdict, in the order in which reports count them.
    pub const ALL: [Verdict; 6] = [
        Verdict::Pass,
        Verdict::Warn,
        Verdict::Fail,
        Verdict::Inconclusive,
        Verdict::Unmeasured,
        Verdict::Skipped,
    ];

    /// Whether the verdict is red whatever the settings say. For an outcome, ask
    /// [`Outcome::is_red`](crate::outcome::Outcome::is_red).
    pub fn is_red(self) -> bool {
        matches!(self, Verdict::Fail | Verdict::Unmeasured)
    }

    /// Returns how urgently a reader must look at the verdict: the greatest number is the worst. A limit that was shown
    /// to be broken comes before one that could not be measured, and that before one that the evidence did not settle.
    pub fn severity(self) -> u8 {
        match self {
            Verdict::Fail => 5,
            Verdict::Unmeasured => 4,
            Verdict::Inconclusive => 3,
            Verdict::Warn => 2,
            Verdict::Pass => 1,
            Verdict::Skipped => 0,
        }
    }

    /// Returns the word for the verdict in every report.
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
