//! The columns of the table of metrics: the possible answers to each question about a metric.
//!
//! The answers are closed enums: code outside of this folder matches on a column and names every answer, so that the
//! compiler finds the places that a new answer must reach. A new metric uses the answers that exist.

use super::effect::Effect;
use crate::quantity::Unit;

/// The kind of a subject, as far as metrics depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SubjectKind {
    /// A file, a directory or an image.
    Artifact,
    /// A process.
    Command,
    /// A function registered in the harness.
    Workload,
    /// A Criterion benchmark, whose program is run.
    Criterion,
    /// A Divan benchmark, whose program is run.
    Divan,
    /// A benchmark of libtest, `#[bench]`, whose program is run.
    Libtest,
    /// A benchmark that Criterion has recorded.
    Record,
}

impl SubjectKind {
    /// Every kind, in the order of the documentation.
    pub const ALL: [SubjectKind; 7] = [
        SubjectKind::Artifact,
        SubjectKind::Command,
        SubjectKind::Workload,
        SubjectKind::Criterion,
        SubjectKind::Divan,
        SubjectKind::Libtest,
        SubjectKind::Record,
    ];

    /// Whether it is a benchmark that is run.
    pub fn is_benchmark(self) -> bool {
        matches!(self, SubjectKind::Criterion | SubjectKind::Divan | SubjectKind::Libtest)
    }
}

/// The units that limits on a metric are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Units {
    /// One unit.
    One(Unit),
    /// Operations per second or bytes per second, depending on what the workload counts.
    Rate,
    /// Any unit: only the project knows what its own metric counts.
    Any,
}

/// The numbers that a limit may be, as far as the unit allows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Values {
    /// 0 or more.
    Amount,
    /// 1 byte or more: an empty artifact is an error.
    Size,
    /// More than 0: everything takes some time.
    Time,
    /// From 0 to 100 %.
    Share,
    /// An exit code: a whole number from 0 to 255. It is not an amount, so twice its value, or its slope, has no meaning.
    Code,
    /// A slope, which may be negative.
    Slope,
    /// Any number that the project's own metric may be.
    Own,
}

/// Which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// A smaller value is better; a limit is a `max`.
    Lower,
    /// A larger value is better; a limit is a `min`.
    Higher,
    /// Only the project knows, as for custom metrics and exit codes.
    Either,
}

/// The way in which a value is judged against a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judged {
    /// It is the same every time for the same input, and is compared once it was read in this many processes, of which the worst
    /// counts.
    Compared {
        /// The number of processes in which it is read.
        repeats: usize,
    },
    /// It is the same for the same input if the counter is exact, and is compared once two processes agree on it. If no
    /// two agree, the spread of their values is compared.
    Agreed {
        /// The most processes in which it is read.
        most: usize,
    },
    /// It differs every time, and is judged from evidence, with a tolerance.
    Statistical(Tolerance),
    /// It is judged from evidence until its values prove to be all equal, and is then compared.
    UntilConstant(Tolerance),
}

impl Judged {
    /// Whether its values may differ from process to process, so that a few of them over a limit may be chance. A file is the
    /// same for every process that reads it, and an exit code has the same meaning each time.
    pub fn may_differ(self) -> bool {
        match self {
            Judged::Compared { repeats } => repeats > 1,
            Judged::Agreed { .. } | Judged::Statistical(_) | Judged::UntilConstant(_) => true,
        }
    }

    /// Returns the fewest processes in which it is read.
    pub fn fewest(self) -> usize {
        match self {
            Judged::Compared { repeats } => repeats,
            Judged::Agreed { .. } => 2,
            Judged::Statistical(_) | Judged::UntilConstant(_) => 1,
        }
    }
}

/// The tolerance: how far beyond a limit the true value may lie and still pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tolerance {
    /// The tolerance of times and rates, about which a debug build says nothing.
    Time,
    /// The tolerance of memory, and of what workloads record.
    Memory,
    /// The tolerance of what each further operation adds to memory.
    Growth,
    /// The tolerance of what the system counts, such as page faults, if it is not the same every time.
    Count,
    /// The tolerance of the share of operations that fail.
    Failures,
    /// The tolerance of an exponent.
    Slope,
}

/// The kind of a value of a metric: what one value describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SampleKind {
    /// A property of files, which are read as they are.
    File,
    /// The time of one operation. Its `min` is one value for each process.
    Operation,
    /// The mean time of a batch of operations.
    Batch,
    /// The operations, or bytes, per second of a batch.
    Rate,
    /// 1 for an operation that failed, and 0 for one that did not.
    Failure,
    /// The time of one run of a command.
    Run,
    /// One value for each process.
    Process,
    /// A value that a workload recorded itself, one for each process.
    Record,
    /// The slope over one measurement of every size.
    Sweep,
}

/// How to regard a value that is half of the accepted one, or twice that if more is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Halved {
    /// It is too good: the subject may no longer do its work.
    Suspicious,
    /// It is fine: the best value is 0, or neither direction is better.
    Welcome,
}

/// The effects by which a selftest makes the metric break its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inject {
    /// The effect that raises it over a `max`; `None` if none is known.
    pub raises: Option<Effect>,
    /// The effect that lowers it below a `min`; `None` if none is known, or if a lower value is better.
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

/// The facts about an instrument of workloads, besides what it reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InstrumentRow {
    /// How the process that it watches is started.
    pub starts: Starts,
    /// What explains a red of its metrics.
    pub explained_by: ExplainedBy,
}

/// How the process of a workload is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Starts {
    /// As any other program.
    Plain,
    /// Under Valgrind's tool callgrind, unless the processor counts instructions.
    Counted,
    /// Under a tracer, which stops it at each system call.
    InTracer,
}

/// What explains a red.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExplainedBy {
    /// Nothing that can be profiled.
    Nothing,
    /// The functions that run more instructions.
    Functions,
    /// The places that allocate more.
    Allocations,
    /// The functions that call the system more often.
    SystemCalls,
}

/// The systems that tell a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MeasuredOn {
    /// Those that tell it of a command.
    pub command: Systems,
    /// Those that tell it of the process of a workload or benchmark.
    pub workload: Systems,
}

/// Some of the systems Linux, macOS and Windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Systems {
    /// Every system.
    All,
    /// Linux and macOS.
    Unix,
    /// Linux and Windows.
    LinuxAndWindows,
    /// Linux alone.
    Linux,
}

impl Systems {
    /// Whether it has the system with this name, as Rust calls it: `linux`, `macos`, `windows`.
    pub fn has(self, system: &str) -> bool {
        match self {
            Systems::All => true,
            Systems::Unix => matches!(system, "linux" | "macos"),
            Systems::LinuxAndWindows => matches!(system, "linux" | "windows"),
            Systems::Linux => system == "linux",
        }
    }

    /// Returns its names, for a sentence.
    pub fn names(self) -> &'static str {
        match self {
            Systems::All => "Linux, macOS and Windows",
            Systems::Unix => "Linux and macOS",
            Systems::LinuxAndWindows => "Linux and Windows",
            Systems::Linux => "Linux",
        }
    }
}
