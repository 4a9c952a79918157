//! The report for Prometheus: OpenMetrics text, which Prometheus scrapes, or its older text format, which is all that
//! its node exporter, its push gateway and `promtool check metrics` accept.
//!
//! Values are gauges in base units. There is one family for each unit, since a family can have only one. The verdict
//! is a state set, so that `perf_budget_verdict{perf_budget_verdict="fail"} == 1` finds the broken limits.

use std::fmt::Write as _;

use perf_budget_core::outcome::{Against, Estimate, Outcome, Run};
use perf_budget_core::quantity::Unit;
use perf_budget_core::verdict::Verdict;

use super::Report;
use crate::text;

/// The suffixes of the families' names, as the format demands.
const ENDINGS: [&str; 6] =
    ["bytes", "seconds", "operations_per_second", "bytes_per_second", "ratio", ""];

fn ending(unit: Unit) -> &'static str {
    match unit {
        Unit::Bytes => "bytes",
        Unit::Seconds => "seconds",
        Unit::PerSecond => "operations_per_second",
        Unit::BytesPerSecond => "bytes_per_second",
        // For both, 1 means the same as for Prometheus' ratios.
        Unit::Share | Unit::Ratio => "ratio",
        Unit::Number => "",
    }
}

/// Returns one number of an outcome; `None` where it is not bounded.
type Number = fn(&Estimate, &Against) -> Option<f64>;

/// The numbers of each outcome with a value: the name, its help text, and how to get it.
const NUMBERS: [(&str, &str, Number); 4] = [
    ("value", "The measured value.", |estimate, _| Some(estimate.value)),
    ("low", "Lower end of the 90 % interval.", |estimate, _| estimate.low),
    ("high", "Upper end of the 90 % interval.", |estimate, _| estimate.high),
    ("limit", "The limit of the value.", |_, against| Some(against.limit)),
];

/// The format that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// OpenMetrics 1.0.
    OpenMetrics,
    /// Prometheus' text format 0.0.4, which has no units, and a gauge where it has no other type.
    Prometheus,
}

/// Renders the whole text, with its end mark where the format has one.
pub(super) fn render(report: &Report, dialect: Dialect) -> String {
    let mut text = Text { text: String::new(), dialect };
    text.numbers(report);
    text.verdicts(report);
    if let Some(outcome) = report.outcomes.first() {
        text.run(&outcome.run);
    }
    if dialect == Dialect::OpenMetrics {
        text.text.push_str("# EOF\n");
    }
    text.text
}

/// The text while it is written.
struct Text {
    text: String,
    dialect: Dialect,
}

impl Text {
    /// Writes the families of the measured values and their limits, one for each unit.
    fn numbers(&mut self, report: &Report) {
        for (word, help, number) in NUMBERS {
            for ending in ENDINGS {
                let of_unit = report.outcomes.iter().filter_map(|outcome| {
                    let (estimate, against) = (outcome.estimate?, outcome.against?);
                    let value = number(&estimate, &against)
                        .filter(|_| self::ending(against.unit) == ending)?;
                    Some((outcome, value))
                });
                let samples: Vec<(&Outcome, f64)> = of_unit.collect();
                if samples.is_empty() {
                    continue;
                }
                let name = match ending {
                    "" => format!("perf_budget_{word}"),
                    ending => format!("perf_budget_{word}_{ending}"),
                };
                self.head(&name, "gauge", ending, help);
                for (outcome, value) in samples {
                    let labels = labels(outcome);
                    let _ = writeln!(self.text, "{name}{{{labels}}} {}", self::value(value));
                }
            }
        }
    }

    /// Writes the state set of the verdicts, and how many tests there are.
    fn verdicts(&mut self, report: &Report) {
        self.head("perf_budget_verdict", "stateset", "", "The verdict on the limit.");
        for outcome in &report.outcomes {
            for verdict in Verdict::ALL {
                let _ = writeln!(
                    self.text,
                    "perf_budget_verdict{{{},perf_budget_verdict=\"{}\"}} {}",
                    labels(outcome),
                    verdict.name(),
                    u8::from(outcome.verdict == verdict)
                );
            }
        }
        self.head("perf_budget_tests", "gauge", "", "Tests that budgets.toml makes.");
        let _ = writeln!(self.text, "perf_budget_tests {}", report.tests());
    }

    /// Writes what is known of the run.
    fn run(&mut self, run: &Run) {
        self.head("perf_budget_run", "info", "", "The run and its machine.");
        let facts = [
            ("id", &run.id),
            ("platform", &run.platform),
            ("processor", &run.processor),
            ("profile", &run.profile),
            ("version", &run.version),
        ];
        let _ = writeln!(self.text, "perf_budget_run_info{{{}}} 1", pairs(&facts));
        let began = "perf_budget_run_began_timestamp_seconds";
        self.head(began, "gauge", "seconds", "When the run began, since 1970.");
        let _ = writeln!(self.text, "{began} {}", run.began);
    }

    /// Writes the head of a family.
    fn head(&mut self, name: &str, kind: &str, unit: &str, help: &str) {
        // In Prometheus' own format a family has the same name as its samples.
        let (name, kind, unit) = match (self.dialect, kind) {
            (Dialect::OpenMetrics, _) => (name.to_owned(), kind, unit),
            (Dialect::Prometheus, "info") => (format!("{name}_info"), "gauge", ""),
            (Dialect::Prometheus, _) => (name.to_owned(), "gauge", ""),
        };
        let _ = writeln!(self.text, "# TYPE {name} {kind}");
        if !unit.is_empty() {
            let _ = writeln!(self.text, "# UNIT {name} {unit}");
        }
        let _ = writeln!(self.text, "# HELP {name} {help}");
    }
}

fn labels(outcome: &Outcome) -> String {
    pairs(&[
        ("budget", &outcome.budget),
        ("case", &outcome.case),
        ("metric", &outcome.metric),
        ("test", &outcome.test),
    ])
}

fn pairs(labels: &[(&str, &String)]) -> String {
    let pair = |(name, value): &(&str, &String)| {
        // Many readers take a lone CR for the end of a line, so it is made visible.
        let value =
            text::visible(value).replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        format!("{name}=\"{value}\"")
    };
    labels.iter().map(pair).collect::<Vec<_>>().join(",")
}

fn value(value: f64) -> String {
    match value {
        v if v.is_nan() => "NaN".to_owned(),
        f64::INFINITY => "+Inf".to_owned(),
        f64::NEG_INFINITY => "-Inf".to_owned(),
        v => v.to_string(),
    }
}
