//! The data that are written into the history: one run and the values that it measured.

use perf_budget_core::budget::Bound;
use perf_budget_core::metric::{Metric, SubjectKind};
use perf_budget_core::outcome::{Outcome, Run};
use perf_budget_core::quantity::Unit;

use super::revision::Revision;

/// The verdict of an imported value, which was held against no limit. It is not the name of any real verdict, so that
/// no reader of the history can mistake it for a pass.
pub(crate) const NO_VERDICT: &str = "none";

/// The source of outcomes that the harness measured. The source of imported values is the name of their tool.
pub(crate) const HARNESS: &str = "perf-budget";

/// A run that is to be recorded.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    /// The id of the run, which is the same each time it is recorded.
    pub(crate) id: String,
    /// When the run began, in seconds since 1970.
    pub(crate) began: i64,
    /// The commit and branch that were measured.
    pub(crate) revision: Revision,
    /// The machine and profile, as a text. Only values of the same environment are compared.
    pub(crate) environment: String,
    /// The version of perf-budget, or of the other tool's format.
    pub(crate) version: String,
    /// `HARNESS`, or the name of the tool that the values were imported from.
    pub(crate) source: String,
    pub(crate) values: Vec<Measured>,
}

/// One value of a run: what the history keeps of an outcome.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Measured {
    pub(crate) test: String,
    pub(crate) budget: String,
    pub(crate) case: String,
    pub(crate) metric: String,
    pub(crate) unit: Unit,
    /// The name of the verdict, or `NO_VERDICT`.
    pub(crate) verdict: String,
    /// Whether the outcome was red.
    pub(crate) is_red: bool,
    pub(crate) reason: String,
    /// The measured value; `None` where nothing was measured.
    pub(crate) value: Option<f64>,
    pub(crate) low: Option<f64>,
    pub(crate) high: Option<f64>,
    /// Whether the metric is deterministic, so that measuring again gives the same value.
    pub(crate) exact: bool,
    /// Whether the limit is a `max` or a `min`, and the limit itself.
    pub(crate) limit: Option<(Bound, f64)>,
}

impl Measured {
    /// Returns what the history keeps of an outcome.
    pub(crate) fn from_outcome(outcome: &Outcome) -> Measured {
        let finite = |value: Option<f64>| value.filter(|value| value.is_finite());
        let estimate = outcome.estimate.as_ref();
        let against = outcome.against.as_ref();
        Measured {
            test: outcome.test.clone(),
            budget: outcome.budget.clone(),
            case: outcome.case.clone(),
            metric: outcome.metric.clone(),
            unit: against.map_or_else(|| usual_unit(&outcome.metric), |against| against.unit),
            verdict: outcome.verdict.name().to_owned(),
            is_red: outcome.is_red(),
            reason: outcome.reason.clone(),
            value: finite(estimate.map(|estimate| estimate.value)),
            low: finite(estimate.and_then(|estimate| estimate.low)),
            high: finite(estimate.and_then(|estimate| estimate.high)),
            exact: outcome.evidence.is_none(),
            limit: against.map(|against| (against.bound, against.limit)),
        }
    }

    /// Returns a value of another tool, which has no limit and no verdict.
    #[cfg(feature = "import")]
    pub(crate) fn imported(tool: &str, budget: &str, metric: &str, unit: Unit, value: f64) -> Self {
        Measured {
            test: format!("{budget}::{metric}"),
            budget: budget.to_owned(),
            case: String::new(),
            metric: metric.to_owned(),
            unit,
            verdict: NO_VERDICT.to_owned(),
            is_red: false,
            reason: format!("imported from {tool}: no limit, no verdict"),
            value: Some(value).filter(|value| value.is_finite()),
            low: None,
            high: None,
            exact: false,
            limit: None,
        }
    }

    /// Adds the interval that the tool reports.
    #[cfg(feature = "import")]
    pub(crate) fn between(self, low: Option<f64>, high: Option<f64>) -> Self {
        Measured { low, high, ..self }
    }
}

/// Returns the environment of a run of the harness.
pub(crate) fn environment(run: &Run) -> String {
    let processor = if run.processor.is_empty() { "unknown processor" } else { &run.processor };
    format!("{processor}, {} cores, {}, {}", run.cores, run.platform, run.profile)
}

/// Returns the environment of values that another tool measured on this machine.
#[cfg(feature = "import")]
pub(crate) fn environment_here(tool: &str) -> String {
    environment(&Run {
        processor: perf_budget_core::budget::processor::name().unwrap_or_default(),
        cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        platform: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        profile: tool.to_owned(),
        ..Run::default()
    })
}

/// Returns the unit of a metric by its name alone, for whichever subject has this metric.
fn usual_unit(word: &str) -> Unit {
    (SubjectKind::ALL.into_iter().rev())
        .find_map(|kind| Metric::of(kind, word)?.unit())
        .unwrap_or(Unit::Number)
}

/// Returns the name of a unit in the history, which is its name in the record.
pub(crate) fn unit_word(unit: Unit) -> String {
    let word = serde_json::to_value(unit).ok();
    word.as_ref().and_then(|word| word.as_str()).unwrap_or("number").to_owned()
}

/// Returns the unit of that name; a plain number where only a newer version knows the name.
pub(crate) fn unit_of(word: &str) -> Unit {
    serde_json::from_value(word.into()).unwrap_or(Unit::Number)
}
