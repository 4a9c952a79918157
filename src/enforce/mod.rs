//! The sentence as one piece: estimate, judge, conclude, for all limits that share a measurement.
//!
//! An [`Inquiry`] takes one reading after another, so that whoever holds several can let them take turns and
//! one burst of noise does not sink one budget. It ends when every limit has its [`Outcome`].

pub(crate) mod accepted;
#[cfg(test)]
mod block_tests;
mod conclude;
mod inquiry;
#[cfg(test)]
mod noise_tests;
mod noise_totals;
mod open;
#[cfg(test)]
mod shape_tests;
#[cfg(test)]
pub(crate) mod tests;

use std::time::Duration;

use crate::budget::{Limit, Unsure};
use crate::date::Date;
use crate::outcome::Outcome;
use crate::verdict::judge::Carried;

pub(crate) use self::inquiry::Inquiry;

/// A limit with everything that its outcome says about where it comes from.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// What is asked.
    pub(crate) limit: Limit,
    /// The outcome before anything is measured: names, file, line, why, run.
    pub(crate) template: Outcome,
    /// What earlier runs of the same build found.
    pub(crate) carried: Carried,
    /// Why the limit cannot be judged, and its factor: the value is measured all the same, so that it
    /// can be accepted.
    pub(crate) unjudged: Option<(String, f64)>,
}

/// Where readings come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// They are measured here and now, as often as it takes.
    Measured,
    /// Another program recorded the only one there is.
    Record,
}

/// How hard an inquiry tries, and how it judges what it cannot settle.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    /// The most measuring time.
    pub(crate) effort: Duration,
    /// Chance of a false red in the whole suite.
    pub(crate) alpha: f64,
    /// How many noisy limits share it.
    pub(crate) noisy: usize,
    /// Beyond this share of a limit, a warning.
    pub(crate) warn_at: f64,
    /// What becomes of what cannot be settled.
    pub(crate) unsure: Unsure,
    /// The day, in UTC, for waivers.
    pub(crate) today: Date,
    /// How often an exact reading is taken; they must agree.
    pub(crate) repeats: usize,
    /// How often each revision was linked that is compared with the base.
    pub(crate) layouts: usize,
}
