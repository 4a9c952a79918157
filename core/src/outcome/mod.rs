//! Outcomes: everything there is to say about one limit in one run, as data. Every report is a rendering of it.
//!
//! An outcome is written as one line of `outcomes.jsonl` and read back by the command, so its fields are
//! a format: fields are only ever added.

use serde::{Deserialize, Serialize};

mod accepted;
mod blame;
mod calls;
mod change;
mod changed;
mod counted;
mod holdable;
mod inlined;
mod layout;
mod no_limit;
pub mod noise;
mod proven;
mod sampled;
mod sides;
pub mod system_calls;
mod unmeasured;
pub mod versus_accepted;
mod waived;
pub mod words;

pub use self::accepted::Accepted;
pub use self::blame::{Blame, Blamed, Counter, Site, SystemCaller};
pub use self::calls::{CallTree, Frame};
pub use self::change::Change;
pub use self::changed::CodeChanges;
pub use self::counted::{Counted, RULE};
pub use self::holdable::{ClosestLimits, LONGEST, MORE, MOST_TRIED, Needs};
pub use self::inlined::{Counts, Inlined};
pub use self::no_limit::{BENCHMARKS, NO_BUDGET};
pub use self::noise::Noise;
pub use self::proven::{ComparisonMethod, Proven, short};
pub use self::sampled::Sampled;
pub use self::sides::{Side, Sides};
pub use self::system_calls::SystemCall;
pub use self::unmeasured::{Cause, Fault, Unmeasured};
pub use self::waived::{Effect, Waived};
use crate::budget::{Bound, Inconclusive};
use crate::quantity::{Quantity, Unit};
use crate::stats::Bin;
use crate::verdict::Verdict;

/// The outcome of one limit. The default is that of a limit that nobody has measured, which is red.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The test's name: `merge::p99`, `records::records=1000::rss`.
    pub test: String,
    /// The budget's name.
    pub budget: String,
    /// The listed parameters of its case: `records=1000`; empty if there are none.
    pub case: String,
    /// The metric's name.
    pub metric: String,
    /// The subject in words: an artifact's path, a command line, a workload's name.
    pub subject: String,
    /// The verdict on the limit.
    pub verdict: Verdict,
    /// The sentence that explains the verdict, with numbers.
    pub reason: String,
    /// The limit that the value was held against; `None` if it is not known.
    pub against: Option<Against>,
    /// The reference of a relative limit: `base`, or another budget's name.
    pub relative_to: Option<String>,
    /// The measured value; `None` if nothing was measured.
    pub estimate: Option<Estimate>,
    /// How strong the evidence is; `None` for deterministic metrics, which are compared.
    pub evidence: Option<Evidence>,
    /// How the values are distributed; `None` if there is a single value.
    pub shape: Option<Distribution>,
    /// Both sides of a ratio; `None` for a limit on a quantity, and if an older record does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sides: Option<Sides>,
    /// The largest share by which memory layout can change a ratio to the base; less than 25 % if the operation waits for part of
    /// its time. `None` if nothing was compared by links, and if the time on the processor is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout: Option<f64>,
    /// What it takes to see the limit broken, where `effort` cannot be extended to that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs: Option<Needs>,
    /// The doubt that kept the evidence from settling the limit; `None` if it was settled.
    pub doubt: Option<Doubt>,
    /// The treatment of an inconclusive verdict: a warning or red. Older records do not say; there it was red.
    #[serde(default = "inconclusive_before_warnings")]
    pub inconclusive: Inconclusive,
    /// The noise: what else the machine did meanwhile; `None` for deterministic metrics, which noise does not change.
    #[serde(alias = "ledger")]
    pub noise: Option<Noise>,
    /// Why the limit holds without a measurement; `None` if it was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proven: Option<Proven>,
    /// How instructions were counted; `None` if something else was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted: Option<Counted>,
    /// How often single system calls were made: the most frequent ones, and those that changed most. Empty if something
    /// else was measured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub system_calls: Vec<SystemCall>,
    /// The cause of a red; `None` if it was not profiled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blame: Option<Box<Blame>>,
    /// The samples of a red whose functions the command has not named yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sampled: Option<Box<Sampled>>,
    /// The changes since the base in the code that a red runs; `None` if they are not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed: Option<CodeChanges>,
    /// Why there is no reading, or why measuring ended before the limit was settled: the name of a [`Cause`].
    pub cause: Option<String>,
    /// The end of the output of the process, if it failed.
    pub output: Option<String>,
    /// The notes that a reader must know: how it was timed, what was left out, what would settle a doubt.
    pub notes: Vec<String>,
    /// The value that was last accepted, if there is one in the limit's unit.
    pub accepted: Option<Accepted>,
    /// The limit's waiver, if it affects the verdict or is not needed.
    pub waived: Option<Waived>,
    /// Why the limit exists, as `budgets.toml` says.
    pub why: Option<String>,
    /// The file that sets the limit. Its line follows, counted from 1.
    pub file: String,
    /// The line of `file`.
    pub line: usize,
    /// The environment of the file that sets the limit, `[env.NAME]`; `None` if the limit holds in all of them, and in
    /// older records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The seconds that it took to reach the verdict, other limits of the same measurement included.
    pub seconds: f64,
    /// The run that the outcome belongs to.
    pub run: Run,
}

/// A limit as a number.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Against {
    /// Whether the limit is a `max` or a `min`.
    pub bound: Bound,
    /// The limit, in the base unit of `unit`.
    pub limit: f64,
    /// The value beyond which there is a warning.
    pub warn: f64,
    /// How far beyond the limit a value still passes; 0 for deterministic metrics.
    #[serde(alias = "slack")]
    pub tolerance: f64,
    /// The unit of `limit` and of the estimate.
    pub unit: Unit,
}

/// The measured value and its 90 % interval, which covers the true value however often it was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The measured value.
    pub value: f64,
    /// The lower end of the interval; `None` if the evidence does not bound it.
    pub low: Option<f64>,
    /// The upper end of the interval; `None` if the evidence does not bound it.
    pub high: Option<f64>,
}

/// How strong the evidence for a verdict is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The natural logarithm of the odds against "the value is within the limit"; `fail_at` is what a red takes. Both
    /// are 0 if another program recorded the values of one process, for which no odds are known.
    pub fail: f64,
    /// The level of `fail` from which on the limit fails.
    pub fail_at: f64,
    /// The natural logarithm of the odds against "over the limit by more than the tolerance".
    pub pass: f64,
    /// The level of `pass` from which on the limit passes.
    pub pass_at: f64,
    /// The minimum detectable effect: the smallest true value beyond limit and tolerance that such a run would have
    /// failed with a probability of 95 % before its effort was spent.
    pub detectable: Option<f64>,
    /// The same for a run of [`MORE`] times the effort; `None` in older records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detectable_longer: Option<f64>,
    /// The seconds of effort that would settle a limit that this run did not settle, if more values were like these. `None`
    /// also if no tried effort would settle it, for recorded values, and in older records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effort_to_settle: Option<f64>,
    /// The number of fresh processes that were measured.
    #[serde(alias = "forks")]
    pub processes: usize,
    /// The number of values from all of them.
    pub values: usize,
    /// The share of the measured time that was spent waiting for a processor.
    pub waited: Option<f64>,
    /// The number of involuntary context switches.
    pub preempted: Option<u64>,
}

/// The reason why evidence did not settle a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Doubt {
    /// The true value is too near the limit to tell on which side it is.
    #[serde(alias = "near")]
    NearLimit,
    /// The run could not have seen a serious violation.
    #[serde(alias = "blind")]
    Underpowered,
    /// The value is over the limit by the wall clock, on a machine whose other work may be the reason.
    Noise,
    /// The place of functions in the binary. With links that pairs share, it may cause a larger difference than the excess
    /// over the limit; or it varies so much that there were not enough links.
    Layout,
}

/// How the values are distributed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Distribution {
    /// The things that the values describe: "operations", "batches of 1000 operations", "processes".
    pub of: String,
    /// The quantiles that the number of values supports, by name.
    pub quantiles: Vec<(String, f64)>,
    /// The bars of a histogram.
    pub bars: Vec<HistogramBin>,
}

/// The number of bars of a histogram, as many as can be read at a glance.
const BARS: usize = 24;

/// One bar of a histogram.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct HistogramBin {
    /// The value at which the bar begins.
    pub low: f64,
    /// The value at which the bar ends.
    pub high: f64,
    /// The number of values in the bar.
    pub count: u64,
}

impl From<Bin> for HistogramBin {
    fn from(Bin { low, high, count }: Bin) -> Self {
        HistogramBin { low, high, count }
    }
}

/// The run that an outcome belongs to, and where it ran.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// The identifier that all outcomes of one run of the tests share.
    pub id: String,
    /// When the run began, in seconds since 1970.
    pub began: u64,
    /// How many tests `budgets.toml` makes, whether or not they were selected.
    pub tests: usize,
    /// How many budgets these tests belong to; 0 if an older record does not say.
    #[serde(default)]
    pub budgets: usize,
    /// The build profile: `release` or `debug`.
    pub profile: String,
    /// The system and the architecture: `linux x86_64`.
    pub platform: String,
    /// The processor's name, if the system reports it.
    pub processor: String,
    /// The number of processors that the process may use.
    pub cores: usize,
    /// The version of this library.
    pub version: String,
    /// The package that the budgets belong to, since a workspace has one record for all of its packages;
    /// empty where cargo does not report it.
    #[serde(default)]
    pub package: String,
    /// The package's test target that ran; empty if an older record does not say.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub target: String,
    /// The place of the project, as [`paths::checkout`](crate::paths::checkout) names it, since several checkouts may
    /// share a record; empty if an older record does not say.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub checkout: String,
    /// The environment of the file that was in force, `[env.NAME]`; `None` if none was, and in older records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The commit that was checked out, whatever had been changed since; `None` if git does not report it.
    pub commit: Option<String>,
    /// The branch that was checked out; `None` if git does not report it, and if an older record does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// The base that limits are compared with; `None` if there is none, or it is not known by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<BaseRevision>,
}

/// The base revision, as people know it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaseRevision {
    /// The revision that was asked for, such as `main`.
    pub name: String,
    /// The full hash of the commit that was compared with: the merge base of that revision and of what is checked out.
    pub commit: String,
}

impl BaseRevision {
    /// Returns its name for a sentence: that of a branch without its remote, and a hash by its first digits.
    pub fn short_name(&self) -> &str {
        let name = self.name.strip_prefix("refs/heads/").unwrap_or(&self.name);
        let name = name.strip_prefix("origin/").unwrap_or(name);
        let is_hash = name.len() > 12 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_hash || name.is_empty() { short(&self.commit) } else { name }
    }
}

/// Returns the treatment of an inconclusive limit in records from before it could be a warning.
fn inconclusive_before_warnings() -> Inconclusive {
    Inconclusive::Fail
}

impl Outcome {
    /// Whether the outcome turns its test red.
    pub fn is_red(&self) -> bool {
        let fails = self.inconclusive == Inconclusive::Fail;
        self.verdict.is_red() || (self.verdict == Verdict::Inconclusive && fails)
    }

    /// Returns the place of the limit for a reader: `budgets.toml:7`, or `budgets.toml:7, [env.ci]`.
    pub fn place(&self) -> String {
        let environment = self.environment.as_ref();
        let environment = environment.map_or(String::new(), |name| format!(", [env.{name}]"));
        format!("{}:{}{environment}", self.file, self.line)
    }

    /// Whether the outcome is a warning: its test is ok, but it deserves a look.
    pub fn is_warning(&self) -> bool {
        let looks = matches!(self.verdict, Verdict::Warn | Verdict::Inconclusive);
        looks && !self.is_red()
    }

    /// Returns the worst value that the evidence does not rule out, as in "as high as 5 ms". `None` if there is too
    /// little to bound it.
    pub(crate) fn worst(&self) -> Option<(&'static str, Quantity)> {
        let (estimate, against) = self.estimate.zip(self.against)?;
        let (word, end) = match against.bound {
            Bound::Max => ("high", estimate.high),
            Bound::Min => ("low", estimate.low),
        };
        Some((word, against.quantity(end?)))
    }
}

impl Evidence {
    /// Whether another program recorded the values, all of one process, so that there are no odds.
    pub fn is_recorded(&self) -> bool {
        self.fail_at == 0.0 && self.pass_at == 0.0
    }
}

impl Against {
    /// Returns a value in the limit's unit.
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

    /// Whether `value` is near enough to the limit for a warning. A limit of 0 (an exit code, no leak at all) must be
    /// met exactly, so nothing is near it.
    pub fn warns(&self, value: f64) -> bool {
        match self.bound {
            _ if self.limit == 0.0 => false,
            Bound::Max => value > self.warn,
            Bound::Min => value < self.warn,
        }
    }

    /// Returns the share of the limit that `value` uses. More than 1 is over the limit, for either bound.
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
