//! The enforcement of limits: it estimates, judges and concludes, for all limits that share a measurement.
//!
//! An [`Inquiry`] takes one reading after another. So its caller can alternate between several inquiries, and a burst of
//! noise does not spoil a single budget. An inquiry ends when every limit has its [`Outcome`].

pub mod accepted;
mod agreed;
#[cfg(test)]
mod block_tests;
mod conclude;
mod ending;
mod excuse;
mod inquiry;
mod layout;
mod links;
#[cfg(test)]
mod links_tests;
#[cfg(test)]
mod noise_tests;
mod noise_totals;
mod on_the_whole;
mod open;
mod patience;
#[cfg(test)]
mod patience_tests;
mod resolution;
#[cfg(any(test, feature = "testing"))]
pub mod scripted;
#[cfg(test)]
mod shape_tests;
#[cfg(test)]
mod system_calls_tests;
#[cfg(test)]
pub(crate) mod tests;
mod totals;
#[cfg(test)]
mod totals_tests;
mod untold;
mod without_layout;

use std::time::Duration;

use crate::budget::{Inconclusive, Limit};
use crate::date::Date;
use crate::outcome::Outcome;
use crate::verdict::judge::Carried;

pub use self::inquiry::Inquiry;
pub use self::patience::{Extension, Purpose};

/// A limit that is to be judged, with everything that its outcome says about where it comes from.
#[derive(Debug, Clone)]
pub struct PendingLimit {
    /// The limit.
    pub limit: Limit,
    /// The outcome before anything is measured: names, file, line, reason for the limit, run.
    pub template: Outcome,
    /// The evidence of earlier runs of the same build.
    pub carried: Carried,
    /// Why the limit cannot be judged, and its factor. The value is measured all the same, so that it
    /// can be accepted.
    pub unjudged: Option<(String, f64)>,
}

/// The origin of readings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// They are measured here and now, as often as necessary.
    Measured,
    /// Another program recorded a single one.
    Record,
}

/// The settings by which an inquiry measures and judges.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// The most measuring time, if nothing extends it.
    pub effort: Duration,
    /// The chance of a false red in the whole suite.
    pub alpha: f64,
    /// How many statistical limits share `alpha`.
    pub statistical: usize,
    /// The share of a limit beyond which a value is a warning.
    pub warn_at: f64,
    /// The treatment of an inconclusive limit: a warning or red.
    pub inconclusive: Inconclusive,
    /// The current day in UTC, for waivers.
    pub today: Date,
    /// The fewest processes in which a deterministic value is read. If they differ, the worst counts, or the value that two agree
    /// on.
    pub repeats: usize,
    /// The most links of each revision that there can be for the comparison with the base.
    pub links: usize,
}
