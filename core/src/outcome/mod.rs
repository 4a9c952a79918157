//! What there is to say about one limit in one run: data first, every report is a rendering of it.
//!
//! An outcome is written as one line of `outcomes.jsonl` and read back by the command, so its fields are
//! a format: they are only added to.

use serde::{Deserialize, Serialize};

mod accepted;
pub mod noise;
mod proven;
mod unmeasured;
pub mod versus_accepted;
mod waived;
pub mod words;

pub use self::accepted::Accepted;
pub use self::noise::Noise;
pub use self::proven::{By, Proven};
pub use self::unmeasured::{Cause, Unmeasured};
pub use self::waived::{Effect, Waived};
use crate::budget::{Bound, Inconclusive};
use crate::quantity::{Quantity, Unit};
use crate::verdict::Verdict;

/// The outcome of one limit. The default is that of a limit nobody has measured: red.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The test's name: `merge::p99`, `records::records=1000::rss`.
    pub test: String,
    /// The budget's name.
    pub budget: String,
    /// The listed parameters of its case: `records=1000`; empty where there are none.
    pub case: String,
    /// The metric's name.
    pub metric: String,
    /// What was measured, in words: an artifact's path, a command line, a workload's name.
    pub subject: String,
    /// What came out.
    pub verdict: Verdict,
    /// One sentence that says so, with numbers.
    pub reason: String,
    /// What the value was held against; `None` where that could not be told.
    pub against: Option<Against>,
    /// What a relative limit is relative to: `base`, or another budget's name.
    pub relative_to: Option<String>,
    /// The measured value; `None` where nothing was measured.
    pub estimate: Option<Estimate>,
    /// How sure that is; `None` for deterministic metrics, which are compared.
    pub evidence: Option<Evidence>,
    /// How the values are distributed; `None` where there is one value.
    pub shape: Option<Distribution>,
    /// What kept the evidence from settling it; `None` where it was settled.
    pub doubt: Option<Doubt>,
    /// What becomes of it where evidence did not settle it. Records that do not say are older: it was red.
    #[serde(default = "red")]
    pub inconclusive: Inconclusive,
    /// What else the machine did meanwhile; `None` for deterministic metrics, which it does not change.
    #[serde(alias = "ledger")]
    pub noise: Option<Noise>,
    /// Why it holds without a measurement; `None` where it was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proven: Option<Proven>,
    /// Why there is no reading: a [`Cause`] by its word.
    pub cause: Option<String>,
    /// The end of what the process wrote, where it failed.
    pub output: Option<String>,
    /// What a reader must know: how it was timed, what was left out, what would settle a doubt.
    pub notes: Vec<String>,
    /// The value that was last accepted, where there is one in the limit's unit.
    pub accepted: Option<Accepted>,
    /// The limit's waiver, where it has to do with the verdict or is not needed.
    pub waived: Option<Waived>,
    /// Why the limit exists, as `budgets.toml` says.
    pub why: Option<String>,
    /// The file that sets the limit, and its line from 1.
    pub file: String,
    /// See `file`.
    pub line: usize,
    /// Seconds it took to reach the verdict, other limits of the same measurement included.
    pub seconds: f64,
    /// The run it belongs to.
    pub run: Run,
}

/// The limit, as a number.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Against {
    /// `max` or `min`.
    pub bound: Bound,
    /// The limit, in the base unit of `unit`.
    pub limit: f64,
    /// Beyond this value, a warning.
    pub warn: f64,
    /// How far beyond the limit still passes; 0 for deterministic metrics.
    #[serde(alias = "slack")]
    pub tolerance: f64,
    /// The unit of `limit` and of the estimate.
    pub unit: Unit,
}

/// The measured value and the interval that covers the truth with 90 %, however long was looked.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The value.
    pub value: f64,
    /// The interval's lower end; `None` where evidence does not bound it.
    pub low: Option<f64>,
    /// The interval's upper end; `None` where evidence does not bound it.
    pub high: Option<f64>,
}

/// How sure a judged verdict is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Natural logarithm of the odds against "the limit is held", and what it takes to be red; both 0
    /// where the values are of one process that another program recorded, from which no odds are known.
    pub fail: f64,
    /// See `fail`.
    pub fail_at: f64,
    /// Natural logarithm of the odds against "over by more than the tolerance", and what it takes to pass.
    pub pass: f64,
    /// See `pass`.
    pub pass_at: f64,
    /// The minimum detectable effect: the smallest true value beyond limit and tolerance that such a run would have
    /// failed with 95 % probability before its effort was spent.
    pub detectable: Option<f64>,
    /// Fresh processes that were measured.
    #[serde(alias = "forks")]
    pub processes: usize,
    /// Values from all of them.
    pub values: usize,
    /// Share of the measured time spent waiting for a processor.
    pub waited: Option<f64>,
    /// Involuntary context switches.
    pub preempted: Option<u64>,
}

/// Why evidence did not settle a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Doubt {
    /// The truth is too near the limit to tell on which side it is.
    #[serde(alias = "near")]
    NearLimit,
    /// The run could not have seen a serious violation.
    #[serde(alias = "blind")]
    Underpowered,
    /// Over the limit by the wall clock, on a machine whose other work may be why.
    Noise,
}

/// How the values are distributed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Distribution {
    /// What one value is: "operations", "batches of 1000 operations", "processes".
    pub of: String,
    /// Quantiles that the number of values supports, by name.
    pub quantiles: Vec<(String, f64)>,
    /// A histogram.
    pub bars: Vec<HistogramBin>,
}

/// One bar of a histogram.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct HistogramBin {
    /// From this value,
    pub low: f64,
    /// to this one,
    pub high: f64,
    /// so many.
    pub count: u64,
}

/// The run that an outcome belongs to, and where it ran.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// The same for all outcomes of one run of the tests.
    pub id: String,
    /// When the run began, in seconds since 1970.
    pub began: u64,
    /// How many tests `budgets.toml` makes, whether or not they were selected.
    pub tests: usize,
    /// Of how many budgets these are; 0 where an older record does not say.
    #[serde(default)]
    pub budgets: usize,
    /// `release` or `debug`.
    pub profile: String,
    /// `linux x86_64`.
    pub platform: String,
    /// The processor's name, where the system tells.
    pub processor: String,
    /// Processors that the process may use.
    pub cores: usize,
    /// The version of this library.
    pub version: String,
    /// The package whose budgets they are, since a workspace has one record for all of its packages;
    /// empty where cargo does not tell.
    #[serde(default)]
    pub package: String,
    /// The commit that was checked out, whatever had been changed since; `None` where git does not tell.
    pub commit: Option<String>,
}

/// What became of an unsettled limit before it could be a warning.
fn red() -> Inconclusive {
    Inconclusive::Fail
}

impl Outcome {
    /// Whether it turns its test red.
    pub fn is_red(&self) -> bool {
        let fails = self.inconclusive == Inconclusive::Fail;
        self.verdict.is_red() || (self.verdict == Verdict::Inconclusive && fails)
    }

    /// Whether it is a warning: its test is ok, and it deserves a look.
    pub fn is_warning(&self) -> bool {
        let looks = matches!(self.verdict, Verdict::Warn | Verdict::Inconclusive);
        looks && !self.is_red()
    }
}

impl Evidence {
    /// Whether the values are of one process that another program recorded, so that there are no odds.
    pub fn is_recorded(&self) -> bool {
        self.fail_at == 0.0 && self.pass_at == 0.0
    }
}

impl Against {
    /// A value in the limit's unit.
    pub fn quantity(&self, value: f64) -> Quantity {
        Quantity::new(value, self.unit)
    }

    /// Whether `value` is beyond the limit.
    pub fn is_over(&self, value: f64) -> bool {
        match self.bound {
            Bound::Max => value > self.limit,
            Bound::Min => value < self.limit,
        }
    }

    /// Whether `value` is near enough to the limit for a warning. A limit that must be met to the
    /// digit (an exit code, no leak at all) has nothing to warn of.
    pub fn warns(&self, value: f64) -> bool {
        match self.bound {
            _ if self.limit == 0.0 => false,
            Bound::Max => value > self.warn,
            Bound::Min => value < self.warn,
        }
    }

    /// The share of the limit that `value` uses: over 1 is over the limit, from either side.
    pub fn used(&self, value: f64) -> f64 {
        match self.bound {
            Bound::Max if self.limit == 0.0 => {
                if value > 0.0 {
                    f64::INFINITY
                } else {
                    1.0
                }
            }
            Bound::Max => value / self.limit,
            Bound::Min if value == 0.0 => f64::INFINITY,
            Bound::Min => self.limit / value,
        }
    }
}
