//! Pairs: two processes of test binaries that are alive at the same time, and whose operations are interleaved on one
//! processor.
//!
//! What is compared runs within microseconds of each other, so that whatever the machine does to one it also does to
//! the other. The caller tosses a coin for which of the two is started first and which begins, because the order is
//! worth a little too. The figures are in `docs/judgement.md`.

#[cfg(unix)]
mod controller;
#[cfg(unix)]
mod protocol;
#[cfg(unix)]
mod responder;

use std::time::Duration;

use perf_budget_core::outcome::Unmeasured;
use perf_budget_core::reading::{Clock, Timing, Work};

use super::build::Build;
use super::wire::Request;

#[cfg(unix)]
pub(crate) use self::responder::Responder;

/// One of the two that are compared.
#[derive(Debug, Clone)]
#[cfg_attr(
    all(not(unix), not(feature = "internals")),
    expect(
        dead_code,
        reason = "no pair runs on this system, and what is asked of one is not read"
    )
)]
pub struct Side {
    /// The binary that contains the workload.
    pub build: Build,
    /// The request to its process.
    pub request: Request,
    /// Its role in the comparison, for messages about what went wrong, such as "the base".
    pub role: Option<String>,
}

/// What the rounds measure of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wants {
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
    expect(
        dead_code,
        reason = "no pair runs on this system, and what is asked of one is not read"
    )
)]
pub struct Terms<'a> {
    /// What the rounds measure.
    pub wants: Wants,
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

/// The result of one pair of processes.
#[derive(Debug, Default)]
pub struct Pair {
    /// The rounds, in order.
    pub rounds: Vec<Round>,
    /// What an operation of each side counts for in a throughput.
    pub work: [Work; 2],
    /// The operations of one batch; 1 if an operation is as long as a batch.
    pub batch: usize,
    /// How long the pair took, with starting and set-up.
    pub elapsed: Duration,
    /// The share of the measured time in which an operation waited for a processor; `None` if unknown.
    pub waited: Option<f64>,
    /// The processor time of other threads and of child processes, as a share of the measured time; `None` if
    /// unknown.
    pub others: Option<f64>,
    /// The cost and the resolution of the clock.
    pub clock: Option<Clock>,
    /// Whether the wait for a processor was subtracted.
    pub timing: Option<Timing>,
    /// The processor that both ran on, if it was one.
    pub processor: Option<usize>,
    /// Which link of each side was measured, counted from 0; `None` if the sides are not links of two revisions.
    pub links: Option<[usize; 2]>,
    /// Remarks for the reader about how it was timed.
    pub notes: Vec<String>,
}

/// Four turns of each side: first, second, second, first, second, first, first, second; or the other way around,
/// depending on how the pair began.
#[derive(Debug, Clone, PartialEq)]
pub struct Round {
    /// Whether the times are those of single operations; otherwise each is one mean of a batch.
    pub single: bool,
    /// The seconds of the first side, one list for each of its turns.
    pub first: Vec<Vec<f64>>,
    /// The seconds of the second side, one list for each of its turns.
    pub second: Vec<Vec<f64>>,
}

/// Measures two sides next to each other, started in the given order. The second side begins each round if `swap` is
/// true.
#[cfg(unix)]
pub fn measure(sides: [&Side; 2], terms: &Terms<'_>, swap: bool) -> Result<Pair, Unmeasured> {
    controller::run(sides, terms, swap)
}

/// Fails: this system has no channel that both ends can wait on.
#[cfg(not(unix))]
pub fn measure(_sides: [&Side; 2], _terms: &Terms<'_>, _swap: bool) -> Result<Pair, Unmeasured> {
    let text = "the times of two builds can be interleaved only on Unix; drop the limit that is relative to \
                another time here";
    Err(Unmeasured::new(perf_budget_core::outcome::Cause::Unsupported, text))
}

impl Side {
    /// Adds the side's role to what went wrong.
    #[cfg(unix)]
    fn with_role(&self, why: Unmeasured) -> Unmeasured {
        match &self.role {
            None => why,
            Some(role) => {
                Unmeasured { text: format!("{role} was not measured: {}", why.text), ..why }
            }
        }
    }
}

impl Pair {
    /// Returns the pair with its sides exchanged.
    pub(crate) fn swapped(mut self) -> Pair {
        self.work.swap(0, 1);
        self.links = self.links.map(|[first, second]| [second, first]);
        for round in &mut self.rounds {
            std::mem::swap(&mut round.first, &mut round.second);
        }
        self
    }
}
