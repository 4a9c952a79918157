//! The sentence as one piece: estimate, judge, conclude, for all limits that share a measurement.
//!
//! An [`Inquiry`] takes one reading after another, so that whoever holds several can let them take turns and
//! one burst of noise does not sink one budget. It ends when every limit has its [`Outcome`].

pub mod accepted;
#[cfg(test)]
mod block_tests;
mod conclude;
mod inquiry;
#[cfg(test)]
mod noise_tests;
mod noise_totals;
mod open;
mod patience;
#[cfg(test)]
mod patience_tests;
#[cfg(any(test, feature = "testing"))]
pub mod scripted;
#[cfg(test)]
mod shape_tests;
#[cfg(test)]
pub(crate) mod tests;

use std::time::Duration;

use crate::budget::{Inconclusive, Limit};
use crate::date::Date;
use crate::outcome::Outcome;
use crate::verdict::judge::Carried;

pub use self::inquiry::Inquiry;
pub use self::patience::Extension;

/// A limit with everything that its outcome says about where it comes from.
#[derive(Debug, Clone)]
pub struct Asked {
    /// What is asked.
    pub limit: Limit,
    /// The outcome before anything is measured: names, file, line, why, run.
    pub template: Outcome,
    /// What earlier runs of the same build found.
    pub carried: Carried,
    /// Why the limit cannot be judged, and its factor: the value is measured all the same, so that it
    /// can be accepted.
    pub unjudged: Option<(String, f64)>,
}

/// Where readings come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// They are measured here and now, as often as it takes.
    Measured,
    /// Another program recorded the only one there is.
    Record,
}

/// How hard an inquiry tries, and how it judges what it cannot settle.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// The most measuring time.
    pub effort: Duration,
    /// Chance of a false red in the whole suite.
    pub alpha: f64,
    /// How many statistical limits share it.
    pub statistical: usize,
    /// Beyond this share of a limit, a warning.
    pub warn_at: f64,
    /// What becomes of what cannot be settled.
    pub inconclusive: Inconclusive,
    /// The day, in UTC, for waivers.
    pub today: Date,
    /// How often a deterministic reading is taken; they must agree.
    pub repeats: usize,
    /// How often each revision was linked that is compared with the base.
    pub layouts: usize,
}
