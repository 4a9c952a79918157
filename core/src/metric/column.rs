//! The columns of the table of metrics: for each question that is asked of a metric, its few answers.
//!
//! These are closed: code outside of this folder matches on a column and names every answer, so that the
//! compiler finds the places which another answer must reach. A metric is added with the answers there are.

use super::effect::Effect;
use crate::quantity::Unit;

/// The kind of a subject, as far as metrics care.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SubjectKind {
    /// A file, a directory, an image.
    Artifact,
    /// A process.
    Command,
    /// A function registered in the harness.
    Workload,
    /// What Criterion recorded of a benchmark.
    Criterion,
}

/// The units that limits on a metric are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Units {
    /// This one.
    One(Unit),
    /// Operations a second, or bytes a second: what the workload counts.
    Rate,
    /// Any: only the project knows what its own metric counts.
    Any,
}

/// Which numbers a limit may be, beside those that the unit allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Values {
    /// From 0 on.
    Amount,
    /// From 1 byte on: an empty artifact is an error.
    Size,
    /// Over 0: everything takes some time.
    Time,
    /// From 0 to 100 %.
    Share,
    /// An exit code: whole, from 0 to 255. It is no amount: twice of it, or its slope, is nothing.
    Code,
    /// A slope, which may be negative.
    Slope,
    /// Whatever the project's own metric may be.
    Own,
}

/// Which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// A smaller value is better; a limit is a `max`.
    Lower,
    /// A larger value is better; a limit is a `min`.
    Higher,
    /// Only the project knows: custom metrics, exit codes.
    Either,
}

/// How a value is held against a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judged {
    /// It is the same every time on the same input: compared, once this many processes agree on it.
    Compared {
        /// In how many processes it is read.
        repeats: usize,
    },
    /// It differs every time: judged from evidence, with a tolerance.
    Statistical(Tolerance),
    /// Judged from evidence, until its values prove to be all equal: then compared.
    UntilConstant(Tolerance),
}

/// How far beyond a limit the truth may lie and still pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tolerance {
    /// That of times and rates, of which a debug build says nothing.
    Time,
    /// That of memory, and of what workloads record.
    Memory,
    /// That of what each further operation adds to memory.
    Growth,
    /// That of the share of operations that fail.
    Failures,
    /// That of an exponent.
    Slope,
}

/// What one value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SampleKind {
    /// Files are read as they are.
    File,
    /// The time of one operation. Its `min` is one value for each process.
    Operation,
    /// The mean time of a batch of operations.
    Batch,
    /// The operations, or bytes, a second of a batch.
    Rate,
    /// A 1 for an operation that failed, a 0 for one that did not.
    Failure,
    /// The time of one run of a command.
    Run,
    /// One value for each process.
    Process,
    /// What a workload recorded itself, one value for each process.
    Record,
    /// The slope over one measurement of every size.
    Sweep,
}

/// What to think of a value that is half of the accepted one, or of twice of it where more is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Halved {
    /// Too good: the subject may no longer do its work.
    Suspicious,
    /// Nothing: none of it at all is what is wanted, or no value is the better one.
    Welcome,
}

/// Which effect a selftest has on the subject, so that the metric breaks its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inject {
    /// What raises it over a `max`; `None` where nothing is known.
    pub raises: Option<Effect>,
    /// What lowers it below a `min`; `None` where nothing is known, or less of it is better.
    pub lowers: Option<Effect>,
}

impl Inject {
    pub(super) const NONE: Inject = Inject { raises: None, lowers: None };

    pub(super) const fn raises(effect: Effect) -> Inject {
        Inject { raises: Some(effect), lowers: None }
    }

    pub(super) const fn lowers(effect: Effect) -> Inject {
        Inject { raises: None, lowers: Some(effect) }
    }

    pub(super) const fn both(raises: Effect, lowers: Effect) -> Inject {
        Inject { raises: Some(raises), lowers: Some(lowers) }
    }
}
