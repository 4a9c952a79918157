//! What is written into the history: a run, and what it measured.

use perf_budget_core::budget::Bound;
use perf_budget_core::metric::{Metric, SubjectKind};
use perf_budget_core::outcome::{Outcome, Run};
use perf_budget_core::quantity::Unit;

use super::revision::Revision;

/// The verdict of a value that no limit was held against: it came from another tool. None of ours has
/// this word, so nothing that reads the history can take it for green.
pub(crate) const NO_VERDICT: &str = "none";

/// What outcomes of the harness come from; imported ones from the tool of that name.
pub(crate) const HARNESS: &str = "perf-budget";

/// A run to be recorded.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    /// The run's id, the same whenever it is recorded.
    pub(crate) id: String,
    /// Seconds since 1970.
    pub(crate) began: i64,
    /// What was measured.
    pub(crate) revision: Revision,
    /// Where.
    pub(crate) environment: String,
    /// Of perf-budget, or of the other tool's format.
    pub(crate) version: String,
    /// `HARNESS`, or the tool that the values were imported from.
    pub(crate) source: String,
    pub(crate) values: Vec<Measured>,
}

/// One value of a run: an outcome without what only one run's report needs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Measured {
    pub(crate) test: String,
    pub(crate) budget: String,
    pub(crate) case: String,
    pub(crate) metric: String,
    pub(crate) unit: Unit,
    /// A verdict's word, or `NO_VERDICT`.
    pub(crate) verdict: String,
    pub(crate) reason: String,
    /// `None` where nothing was measured.
    pub(crate) value: Option<f64>,
    pub(crate) low: Option<f64>,
    pub(crate) high: Option<f64>,
    /// Whether measuring again gives the same.
    pub(crate) exact: bool,
    /// `max` or `min`, and the limit.
    pub(crate) limit: Option<(Bound, f64)>,
}

impl Measured {
    /// What an outcome leaves in the history.
    pub(crate) fn of(outcome: &Outcome) -> Measured {
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
            reason: outcome.reason.clone(),
            value: finite(estimate.map(|estimate| estimate.value)),
            low: finite(estimate.and_then(|estimate| estimate.low)),
            high: finite(estimate.and_then(|estimate| estimate.high)),
            exact: outcome.evidence.is_none(),
            limit: against.map(|against| (against.bound, against.limit)),
        }
    }

    /// A value of another tool: no limit, no verdict.
    #[cfg(feature = "import")]
    pub(crate) fn imported(tool: &str, budget: &str, metric: &str, unit: Unit, value: f64) -> Self {
        Measured {
            test: format!("{budget}::{metric}"),
            budget: budget.to_owned(),
            case: String::new(),
            metric: metric.to_owned(),
            unit,
            verdict: NO_VERDICT.to_owned(),
            reason: format!("imported from {tool}: no limit, no verdict"),
            value: Some(value).filter(|value| value.is_finite()),
            low: None,
            high: None,
            exact: false,
            limit: None,
        }
    }

    /// With the interval that the tool gives.
    #[cfg(feature = "import")]
    pub(crate) fn between(self, low: Option<f64>, high: Option<f64>) -> Self {
        Measured { low, high, ..self }
    }
}

/// Where a run of the harness took place: two values are compared only where this is the same.
pub(crate) fn environment(run: &Run) -> String {
    let processor = if run.processor.is_empty() { "unknown processor" } else { &run.processor };
    format!("{processor}, {} cores, {}, {}", run.cores, run.platform, run.profile)
}

/// This machine, for values that another tool measured here.
#[cfg(feature = "import")]
pub(crate) fn environment_here(tool: &str) -> String {
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo.lines().find(|line| line.starts_with("model name"));
    let processor = model.and_then(|line| line.split_once(':')).map(|(_, name)| name.trim());
    environment(&Run {
        processor: processor.unwrap_or_default().to_owned(),
        cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        platform: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        profile: tool.to_owned(),
        ..Run::default()
    })
}

/// The unit that a metric has by its word, whatever the subject.
fn usual_unit(word: &str) -> Unit {
    [SubjectKind::Workload, SubjectKind::Command, SubjectKind::Artifact]
        .into_iter()
        .find_map(|kind| Metric::of(kind, word)?.unit())
        .unwrap_or(Unit::Number)
}

/// A unit as the history has it: as the record has it.
pub(crate) fn unit_word(unit: Unit) -> String {
    let word = serde_json::to_value(unit).ok();
    word.as_ref().and_then(|word| word.as_str()).unwrap_or("number").to_owned()
}

/// The unit of a word; a plain number for one that a newer version wrote.
pub(crate) fn unit_of(word: &str) -> Unit {
    serde_json::from_value(word.into()).unwrap_or(Unit::Number)
}
