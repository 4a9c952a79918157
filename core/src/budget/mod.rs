//! What `budgets.toml` says, checked: budgets, subjects, limits; and the values accepted in `budgets.lock`.
//! Nothing here measures.
//!
//! Text becomes [`Budgets`] in one go, with every mistake collected and shown with its line and a
//! caret. What is in these types is therefore possible: a metric fits its subject, a unit its metric,
//! a reference names a budget that exists.

mod budget_table;
mod build;
mod case;
mod collect;
mod file;
mod key;
mod limit;
mod load;
pub mod lock;
mod metric_name;
mod name;
mod printable;
mod problem;
mod read;
mod reference;
mod scaling;
#[cfg(test)]
mod schema;
mod settings;
mod source;
pub mod spelling;
mod subject;
mod syntax;
mod target;
mod waiver;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::date::Date;
use crate::metric::{Metric, SubjectKind};
use crate::quantity::Quantity;

pub use file::{load, parse};
pub use load::{FASTEST, LONGEST_PERIOD, Load, LoadShape, MOST_IN_PERIOD};
pub use settings::{BaseLimits, CodegenUnits, Inconclusive, Settings};

/// The JSON Schema (2020-12) of `budgets.toml`, for completion and descriptions in editors. It is laxer
/// than the reader, which alone knows references, floors and edit distances.
pub const SCHEMA: &str = include_str!("../../schema/budgets.schema.json");

/// A whole `budgets.toml`.
#[derive(Debug, Clone)]
pub struct Budgets {
    /// The file, as it is shown in messages and annotations.
    pub path: PathBuf,
    /// The directory that relative paths start from: the one the file is in.
    pub root: PathBuf,
    /// What holds for every budget.
    pub settings: Settings,
    /// The budgets, in the order of the file, no two with the same name.
    pub budgets: Vec<Budget>,
    /// What is read although it is written in an old way, each with its line, a caret and what to write instead.
    pub notes: Vec<String>,
}

/// One `[budget.NAME]`.
#[derive(Debug, Clone)]
pub struct Budget {
    /// Its name, unique in the file.
    pub name: String,
    /// What is measured.
    pub subject: Subject,
    /// How it is built.
    pub build: Build,
    /// Its parameters, one case for each combination of the listed values; a budget without a list
    /// has exactly one case with an empty label.
    pub cases: Vec<Case>,
    /// The limits that every case is held to; at least one, here or in `scaling`. Their tests share them.
    pub limits: Vec<Arc<Limit>>,
    /// When the operations of a workload are due; `None`: when the one before has ended.
    pub load: Option<Load>,
    /// Limits on how metrics grow from case to case.
    pub scaling: Option<Scaling>,
    /// Why the budget exists, shown when it breaks.
    pub why: Option<String>,
    /// Who answers for its limits that are broken, and until when.
    pub waiver: Option<Waiver>,
    /// Whether [`Settings::base`] holds for it too: unless it says `base = false`.
    pub base: bool,
    /// Overrides [`Settings::effort`].
    pub effort: Option<Duration>,
    /// Overrides [`Settings::timeout`].
    pub timeout: Option<Duration>,
    /// The line of its table header, from 1.
    pub line: usize,
}

/// One combination of parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// `records=1000`, the listed parameters only, joined by commas; empty where none is listed.
    pub label: String,
    /// Every parameter with its value.
    pub params: Vec<(String, Param)>,
}

impl Case {
    /// The text with each `{name}` of a parameter replaced by its value.
    pub fn fill(&self, text: &str) -> String {
        let fill = |text: String, (name, value): &(String, Param)| {
            text.replace(&format!("{{{name}}}"), &value.to_string())
        };
        self.params.iter().fold(text.to_owned(), fill)
    }
}

/// The value of a parameter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Param {
    /// `ops = 10_000`
    Int(i64),
    /// `load = 0.8`
    Float(f64),
    /// `kind = "text"`
    Text(String),
    /// `warm = true`
    Bool(bool),
}

/// What a budget is about.
#[derive(Debug, Clone, PartialEq)]
pub enum Subject {
    /// Files: paths, globs, directories or an image archive, relative to the file's directory.
    /// `{bin:NAME}` stands for the path of a binary that cargo builds, `{wasm:NAME}` for that of a module.
    Artifact(Vec<String>),
    /// A process.
    Command(Command),
    /// The name of a function registered in the harness.
    Workload(String),
    /// The name of a Criterion benchmark, as Criterion prints it: `group/function/value`.
    Criterion(String),
}

/// How what is measured is built, before it is measured.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Build {
    /// The features of `{bin:NAME}` and `{wasm:NAME}`, all of them: the default ones are among them only as
    /// `default`. `None`: the default ones.
    pub features: Option<Vec<String>>,
    /// Their profile; `None`: `release`.
    pub profile: Option<String>,
    /// The arguments of wasm-opt, which a `{wasm:NAME}` goes through; empty: it does not.
    pub wasm_opt: Vec<String>,
    /// The program that makes what cargo does not build, and its arguments; empty: there is none.
    pub command: Vec<String>,
    /// Overrides [`Settings::build_timeout`].
    pub timeout: Option<Duration>,
}

/// A process to run.
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    /// The program and its arguments, at least the program; `{bin:NAME}` as for an artifact.
    pub argv: Vec<String>,
    /// Variables set for it.
    pub env: Vec<(String, String)>,
    /// When it counts as started.
    pub ready: Ready,
    /// Whether its files are in the page cache when it starts.
    pub cache: Cache,
}

/// When a command counts as started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ready {
    /// When it ends, with success.
    Exit,
    /// When this text is on its standard output.
    Stdout(String),
    /// When this text is on its standard error.
    Stderr(String),
    /// When this TCP port of the loopback interface accepts a connection.
    Port(u16),
    /// When this file exists.
    File(PathBuf),
}

/// State of the page cache when a command starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cache {
    /// The program's file has been read before: a first run is thrown away.
    Warm,
    /// The pages of the program's file are dropped before each run.
    Evicted,
}

/// One limit: one test.
#[derive(Debug, Clone, PartialEq)]
pub struct Limit {
    /// What is limited.
    pub metric: Metric,
    /// From which side.
    pub bound: Bound,
    /// To what.
    pub target: Target,
    /// Beyond this it is a warning; `None`: `warn_at` of the limit.
    pub warn: Option<Quantity>,
    /// Why this limit exists; `None`: the budget's reason.
    pub why: Option<String>,
    /// Who answers for it where it is broken, and until when; `None`: whoever does for the budget.
    pub waiver: Option<Waiver>,
    /// The last part of its test's name. Against a quantity `p99`, against a reference `p99::x_base`;
    /// where a metric has both a `max` and a `min` of these, `size::max` and `size::min`,
    /// `size::max::x_base` and `size::min::x_base`; for a slope `scaling_rss`. Unique in its budget.
    pub label: String,
    /// The line it is written on, from 1.
    pub line: usize,
}

/// `waive = { until = "2027-01-31", owner = "ann", why = "…" }`: until then a limit that is broken is a
/// warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiver {
    /// The last day, in UTC, that it holds.
    pub until: Date,
    /// Who answers for it.
    pub owner: String,
    /// Why the limit may be broken until then.
    pub why: String,
}

/// From which side a limit bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Bound {
    /// The value may not be greater.
    Max,
    /// The value may not be smaller.
    Min,
}

/// What a value is held against.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// A quantity, in the metric's unit.
    Absolute(Quantity),
    /// `1.5 x other`: so many times another value.
    Relative {
        /// Times this. Positive.
        factor: f64,
        /// Another value of the same metric.
        reference: Reference,
    },
}

/// Where the value comes from that a relative limit is held against.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reference {
    /// The same budget at the base revision.
    Base,
    /// The value last accepted.
    Lock,
    /// Another budget in the file: of the same kind of subject, and with one case, or with the same
    /// cases as this one.
    Budget(String),
}

/// `scaling = { over = "records", max = { rss = 1.1 } }`.
#[derive(Debug, Clone, PartialEq)]
pub struct Scaling {
    /// The listed, numeric parameter that grows; at least three different positive values.
    pub over: String,
    /// Limits on exponents: metric is a [`slope`](Metric::slope), target a plain number.
    pub limits: Vec<Arc<Limit>>,
}

impl Subject {
    /// Which kind of subject it is.
    pub fn kind(&self) -> SubjectKind {
        match self {
            Subject::Artifact(_) => SubjectKind::Artifact,
            Subject::Command(_) => SubjectKind::Command,
            Subject::Workload(_) => SubjectKind::Workload,
            Subject::Criterion(_) => SubjectKind::Criterion,
        }
    }

    /// The texts in which `{bin:NAME}`, `{wasm:NAME}` and `{param}` stand for something.
    pub fn texts(&self) -> Vec<&String> {
        match self {
            Subject::Artifact(patterns) => patterns.iter().collect(),
            Subject::Command(command) => {
                command.argv.iter().chain(command.env.iter().map(|variable| &variable.1)).collect()
            }
            Subject::Workload(_) | Subject::Criterion(_) => Vec::new(),
        }
    }
}

impl Limit {
    /// What it is held against, unless that is a quantity.
    pub fn reference(&self) -> Option<&Reference> {
        match &self.target {
            Target::Absolute(_) => None,
            Target::Relative { reference, .. } => Some(reference),
        }
    }
}

impl std::fmt::Display for Param {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Param::Int(value) => value.fmt(f),
            Param::Float(value) => value.fmt(f),
            Param::Text(value) => value.fmt(f),
            Param::Bool(value) => value.fmt(f),
        }
    }
}

impl std::fmt::Display for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Reference::Base => f.write_str("base"),
            Reference::Lock => f.write_str("lock"),
            Reference::Budget(name) => f.write_str(name),
        }
    }
}
