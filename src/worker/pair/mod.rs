//! Pairs: two processes of test binaries, alive at once, whose operations take turns on one processor.
//!
//! What is compared runs within microseconds of each other, so that whatever the machine does to the
//! one it does to the other. A coin decides which of the two is started first and which begins, since
//! the place in line is worth a little too; who calls keeps the coin. The figures are in
//! `docs/judgement.md`.

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
    /// The binary that the workload is in.
    pub build: Build,
    /// What it is asked to do.
    pub request: Request,
    /// What it is in the comparison, where that must be said of what went wrong: "the base".
    pub role: Option<String>,
}

/// What of an operation the rounds are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wants {
    /// The time of single operations.
    pub singles: bool,
    /// The mean time of many.
    pub batches: bool,
    /// The fewest single operations of either side, for a percentile far out.
    pub fewest: usize,
}

/// How a pair is run.
#[cfg_attr(
    all(not(unix), not(feature = "internals")),
    expect(
        dead_code,
        reason = "no pair runs on this system, and what is asked of one is not read"
    )
)]
pub struct Terms<'a> {
    /// What the rounds are made of.
    pub wants: Wants,
    /// How long rounds go on, warm-up not counted.
    pub slice: Duration,
    /// Where both run.
    pub place: Place,
    /// How long either process may live.
    pub timeout: Duration,
    /// Where requests and replies are.
    pub scratch: &'a std::path::Path,
}

/// Where the two processes run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// On one processor, which they take in turns: the one with this number among those that this process
    /// may use, counted round.
    Core(usize),
    /// On all processors that this process may use: work of several threads is not itself on one.
    Free,
}

/// What one pair of processes gave.
#[derive(Debug, Default)]
pub struct Pair {
    /// The rounds, in order.
    pub rounds: Vec<Round>,
    /// What an operation of either side counts for in a throughput.
    pub work: [Work; 2],
    /// Operations of one batch; 1 where an operation is as long as a batch.
    pub batch: usize,
    /// How long it took, spawning and set-up included.
    pub elapsed: Duration,
    /// The share of the measured time in which an operation waited for a processor; `None` where unknown.
    pub waited: Option<f64>,
    /// Processor time of other threads and of child processes, as a share of the measured time; `None`
    /// where unknown.
    pub others: Option<f64>,
    /// What the clock that timed it can tell apart.
    pub clock: Option<Clock>,
    /// Whether waiting for a processor was taken off.
    pub timing: Option<Timing>,
    /// The processor that both ran on, where it was one.
    pub processor: Option<usize>,
    /// Which of the links of either side it was measured with, counted from 0.
    pub links: [usize; 2],
    /// What a reader must know of how it was timed.
    pub notes: Vec<String>,
}

/// Each of the two, four times: first, second, second, first, second, first, first, second; or the other way
/// around, as the pair began.
#[derive(Debug, Clone, PartialEq)]
pub struct Round {
    /// Whether its times are of single operations, or one mean of a batch.
    pub single: bool,
    /// Seconds of the first side, turn by turn.
    pub first: Vec<Vec<f64>>,
    /// Of the second.
    pub second: Vec<Vec<f64>>,
}

/// Measures two sides next to each other, started in the order they are given; the second begins each round
/// where `swap` says so.
#[cfg(unix)]
pub fn measure(sides: [&Side; 2], terms: &Terms<'_>, swap: bool) -> Result<Pair, Unmeasured> {
    controller::run(sides, terms, swap)
}

/// Where there is no channel that both ends can wait on.
#[cfg(not(unix))]
pub fn measure(_sides: [&Side; 2], _terms: &Terms<'_>, _swap: bool) -> Result<Pair, Unmeasured> {
    let text = "two builds are compared turn by turn only on Unix; drop the limit that is relative to \
                another time here";
    Err(Unmeasured::new(perf_budget_core::outcome::Cause::Unsupported, text))
}

impl Side {
    /// What went wrong on this side, with its role.
    #[cfg(unix)]
    fn blame(&self, why: Unmeasured) -> Unmeasured {
        match &self.role {
            None => why,
            Some(role) => {
                Unmeasured { text: format!("{role} was not measured: {}", why.text), ..why }
            }
        }
    }
}

impl Pair {
    /// The other way around.
    pub(crate) fn swapped(mut self) -> Pair {
        self.work.swap(0, 1);
        self.links.swap(0, 1);
        for round in &mut self.rounds {
            std::mem::swap(&mut round.first, &mut round.second);
        }
        self
    }
}
