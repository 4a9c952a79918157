//! The checked content of `budgets.toml` (budgets, subjects and limits) and of `budgets.lock` (accepted values).
//! Nothing here measures.
//!
//! The text of the file becomes [`Budgets`] in one go. Every mistake is collected and shown with its line and a
//! caret. So the values of these types always make sense: a metric fits its subject, a unit fits its metric, and
//! a reference names a budget that exists.

mod case_filter;
mod command;
pub mod environment;
mod library;
mod load;
pub mod lock;
mod parse;
pub mod processor;
mod settings;
pub mod spelling;
pub mod switches;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use glob::Pattern;
use serde::{Deserialize, Serialize};

use crate::date::Date;
use crate::error::Error;
use crate::metric::{Metric, SubjectKind};
use crate::quantity::{Quantity, Unit};

use self::environment::{Declared, EnvironmentFacts};

pub use self::case_filter::CaseFilter;
pub use self::command::{Cache, Command, Constraint, Ready};
pub use self::library::Library;
pub use self::load::{FASTEST, LONGEST_PERIOD, Load, LoadShape, MOST_IN_PERIOD};
pub use self::parse::file::{load, load_in, names, parse, parse_in};
pub use self::settings::{BaseLimits, CodegenUnits, Inconclusive, Settings};

/// The JSON Schema (2020-12) of `budgets.toml`, for completion and descriptions in editors. It is laxer
/// than the reader, which alone knows references, floors and edit distances.
pub const SCHEMA: &str = include_str!("../../schema/budgets.schema.json");

/// A whole `budgets.toml`.
#[derive(Debug, Clone)]
pub struct Budgets {
    /// The path of the file, as messages and annotations show it.
    pub path: PathBuf,
    /// The directory that relative paths start from, which is the one that the file is in.
    pub root: PathBuf,
    /// The settings for every budget.
    pub settings: Settings,
    /// The budgets, in the order of the file. No two have the same name.
    pub budgets: Vec<Budget>,
    /// The environment that is in force, `[env.NAME]`; `None` if none is.
    pub environment: Option<String>,
    /// All environments, in the order of the file.
    pub environments: Vec<Declared>,
    /// The notes about what is written in an old way, each with its line, a caret and what to write instead.
    pub notes: Vec<String>,
}

impl Budgets {
    /// Checks another text of the file, in the same environment.
    ///
    /// # Errors
    /// The errors are those of [`parse`].
    pub fn reparse(&self, text: &str) -> Result<Budgets, Error> {
        parse_in(text, &self.path, &EnvironmentFacts::of_record(self.environment.as_deref()))
    }
}

/// One `[budget.NAME]`.
#[derive(Debug, Clone)]
pub struct Budget {
    /// The name, which is unique in the file.
    pub name: String,
    /// The subject that is measured.
    pub subject: Subject,
    /// How the subject is built.
    pub build: Build,
    /// The cases: one for each combination of the listed values of parameters. A budget without a list
    /// has exactly one case, whose label is empty.
    pub cases: Vec<Case>,
    /// The limits of every case. There is at least one limit, here or in `scaling`. Tests share these values.
    pub limits: Vec<Arc<Limit>>,
    /// The load, which says when the operations of a workload are due. `None` if an operation is due when the one
    /// before has ended.
    pub load: Option<Load>,
    /// The resources that the processes of a workload may use. Those of a command are part of the command.
    pub constraint: Constraint,
    /// The limits on how metrics grow from case to case.
    pub scaling: Option<Scaling>,
    /// The reason for the budget, which is shown when a limit fails.
    pub why: Option<String>,
    /// The waiver of its limits, if there is one.
    pub waiver: Option<Waiver>,
    /// Whether [`Settings::base`] holds for this budget. It does unless the budget says `base = false`.
    pub base: bool,
    /// Overrides [`Settings::effort`].
    pub effort: Option<Duration>,
    /// Overrides [`Settings::timeout`].
    pub timeout: Option<Duration>,
    /// The line of its table header, from 1.
    pub line: usize,
}

/// One combination of the values of parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// The label, as in `records=1000`. It has only the listed parameters, joined by commas. Empty if none is listed.
    pub label: String,
    /// Every parameter with its value.
    pub params: Vec<(String, Param)>,
}

impl Case {
    /// Returns the text with each `{name}` of a parameter replaced by its value.
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
    /// An integer, as in `ops = 10_000`.
    Int(i64),
    /// A float, as in `load = 0.8`.
    Float(f64),
    /// A text, as in `kind = "text"`.
    Text(String),
    /// A truth value, as in `warm = true`.
    Bool(bool),
}

/// The subject of a budget: what is measured.
#[derive(Debug, Clone, PartialEq)]
pub enum Subject {
    /// Files: paths, globs, directories or an image archive, relative to the file's directory.
    /// `{bin:NAME}` stands for the path of a binary that cargo builds, `{wasm:NAME}` for that of a module.
    Artifact(Vec<String>),
    /// A command, which is started as a process.
    Command(Command),
    /// A workload: the name of a function that is registered in the harness.
    Workload(String),
    /// A benchmark of a library that is run: its name as the library prints it, `group/function/value`. A name with `*` is a
    /// pattern for all benchmarks whose names match; see [`Budget::pattern`].
    Benchmark(Library, String),
    /// A Criterion benchmark that was run before: what `cargo bench` recorded of it.
    Record(String),
}

/// How a subject is built before it is measured.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Build {
    /// All features of `{bin:NAME}` and `{wasm:NAME}`. The default ones are on only if `default` is in the list. `None`
    /// for the default features.
    pub features: Option<Vec<String>>,
    /// The profile of `{bin:NAME}` and `{wasm:NAME}`. `None` for `release`.
    pub profile: Option<String>,
    /// The arguments of wasm-opt, which is run on a `{wasm:NAME}`. Empty if it is not run.
    pub wasm_opt: Vec<String>,
    /// The program that builds what cargo does not build, and its arguments. Empty if there is none.
    pub command: Vec<String>,
    /// Overrides [`Settings::build_timeout`].
    pub timeout: Option<Duration>,
}

impl Build {
    /// The longest time that one build may take, if neither the budget nor the settings limit it.
    pub const TIMEOUT: Duration = Duration::from_secs(60 * 60);

    /// Returns the features in order, each once, so that the same features in another order are the same build.
    pub(crate) fn sorted_features(&self) -> Option<Vec<String>> {
        let mut features = self.features.clone()?;
        features.sort_unstable();
        features.dedup();
        Some(features)
    }
}

/// One limit, which is one test for each case.
#[derive(Debug, Clone, PartialEq)]
pub struct Limit {
    /// The metric that is limited.
    pub metric: Metric,
    /// The cases that it is for.
    pub cases: CaseFilter,
    /// Whether the value may not be greater or may not be smaller than the target.
    pub bound: Bound,
    /// The target that the value is compared with.
    pub target: Target,
    /// The value beyond which there is a warning. `None` if [`Limit::warns_by_default`] decides it.
    pub warn: Option<Quantity>,
    /// The reason for this limit. `None` for the reason of the budget.
    pub why: Option<String>,
    /// The waiver of this limit. `None` for the waiver of the budget.
    pub waiver: Option<Waiver>,
    /// The last part of the test's name, which is unique in the budget. For a quantity it is `p99`, for a reference
    /// `p99::x_base`, and for a slope `scaling_rss`. If a metric has both a `max` and a `min` of these, it is
    /// `size::max` and `size::min`, or `size::max::x_base` and `size::min::x_base`.
    pub label: String,
    /// The environment that sets the limit, `[env.NAME]`. `None` for a limit of `[budget.NAME]`.
    pub environment: Option<Arc<str>>,
    /// The line that the limit is written on, from 1.
    pub line: usize,
}

/// A waiver, as in `waive = { until = "2027-01-31", owner = "ann", why = "…" }`. Until that day a limit that is
/// broken is only a warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiver {
    /// The last day, in UTC, on which the waiver holds.
    pub until: Date,
    /// The person or team that answers for the broken limit.
    pub owner: String,
    /// The reason why the limit may be broken until then.
    pub why: String,
}

/// The side from which a limit bounds a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Bound {
    /// The value may not be greater.
    Max,
    /// The value may not be smaller.
    Min,
}

impl Bound {
    /// Returns the key of a budget that has limits of this side.
    pub fn side(self) -> &'static str {
        match self {
            Bound::Max => "max",
            Bound::Min => "min",
        }
    }

    /// Returns 1 if a value over the limit is a larger one, and -1 if it is a smaller one.
    pub fn sign(self) -> f64 {
        match self {
            Bound::Max => 1.0,
            Bound::Min => -1.0,
        }
    }
}

/// The target of a limit, which a value is compared with.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// A quantity, in the metric's unit.
    Absolute(Quantity),
    /// A multiple of another value, as in `1.5 x other`.
    Relative {
        /// The factor, which is positive.
        factor: f64,
        /// The other value, which is of the same metric.
        reference: Reference,
    },
}

/// The reference of a relative limit: where the other value comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reference {
    /// The same budget at the base revision.
    Base,
    /// The value that was last accepted, in `budgets.lock`.
    Lock,
    /// Another budget in the file. It has the same kind of subject, and either one case or the same
    /// cases as this one.
    Budget(String),
}

/// The limits on growth, as in `scaling = { over = "records", max = { rss = 1.1 } }`.
#[derive(Debug, Clone, PartialEq)]
pub struct Scaling {
    /// The parameter that grows. It is numeric, and its list has at least three different positive values.
    pub over: String,
    /// The limits on exponents. Each metric is a [`slope`](Metric::slope), and each target is a plain number.
    pub limits: Vec<Arc<Limit>>,
}

impl Subject {
    /// Returns the kind of the subject.
    pub fn kind(&self) -> SubjectKind {
        match self {
            Subject::Artifact(_) => SubjectKind::Artifact,
            Subject::Command(_) => SubjectKind::Command,
            Subject::Workload(_) => SubjectKind::Workload,
            Subject::Benchmark(library, _) => library.kind(),
            Subject::Record(_) => SubjectKind::Record,
        }
    }

    /// Returns the texts in which `{bin:NAME}`, `{wasm:NAME}` and `{param}` are replaced.
    pub fn texts(&self) -> Vec<&String> {
        match self {
            Subject::Artifact(patterns) => patterns.iter().collect(),
            Subject::Command(command) => command.texts().collect(),
            Subject::Workload(_) | Subject::Benchmark(..) | Subject::Record(_) => Vec::new(),
        }
    }
}

/// The parameter of a case that has the name of its benchmark, if the budget is about several.
pub const BENCHMARK: &str = "benchmark";

impl Budget {
    /// Returns the name of the benchmark of one case. `None` if the subject is no benchmark that is run.
    pub fn benchmark<'b>(&'b self, case: &'b Case) -> Option<&'b str> {
        let Subject::Benchmark(_, name) = &self.subject else { return None };
        let own = case.params.iter().find(|(name, _)| name == BENCHMARK);
        Some(match own {
            Some((_, Param::Text(name))) => name,
            _ => name,
        })
    }

    /// Returns the pattern of the names of the budget's benchmarks; `None` if the budget names one benchmark, or is about
    /// something else. A budget with a pattern has one case for each benchmark. These are only known once the programs are
    /// built: see [`benchmarks`](crate::benchmarks).
    pub fn pattern(&self) -> Option<Pattern> {
        let Subject::Benchmark(_, name) = &self.subject else { return None };
        let parts: Vec<String> = name.split('*').map(Pattern::escape).collect();
        // Escaped parts always make a valid pattern, so `ok` discards no error.
        (parts.len() > 1).then(|| Pattern::new(&parts.join("*")).ok()).flatten()
    }
}

impl Limit {
    /// Returns the number of the limit, with its unit: the target in the metric's base unit, or the factor of a
    /// relative limit.
    pub fn number(&self) -> (f64, Unit) {
        match &self.target {
            Target::Absolute(quantity) => (quantity.value, quantity.unit),
            Target::Relative { factor, .. } => (*factor, Unit::Ratio),
        }
    }

    /// Returns the value beyond which the limit warns. `warn_at` is [`Settings::warn_at`].
    pub fn warns_beyond(&self, warn_at: f64) -> f64 {
        let (limit, unit) = self.number();
        let by_default = || Limit::warns_by_default(limit, unit, self.bound, warn_at);
        self.warn.map_or_else(by_default, |warn| warn.value)
    }

    /// Returns the value beyond which a limit of this number and unit warns, if it has no `warn` of its own. It is the
    /// limit itself if nothing warns before the limit is reached.
    pub fn warns_by_default(limit: f64, unit: Unit, bound: Bound, warn_at: f64) -> f64 {
        match bound {
            // Counts, exponents and ratios are often exactly at their limit, as is meant: at most three allocations, linear
            // growth, as fast as another budget.
            _ if matches!(unit, Unit::Number | Unit::Ratio) => limit,
            // There is not much room above a minimum such as 98 %.
            Bound::Min if unit == Unit::Share => limit,
            Bound::Max => limit * warn_at,
            Bound::Min => limit / warn_at,
        }
    }

    /// Returns the reference that the limit is relative to. `None` if its target is a quantity.
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
