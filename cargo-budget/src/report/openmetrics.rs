//! OpenMetrics text, as Prometheus scrapes it; and the format before it, which is all that Prometheus' node
//! exporter takes from a file, its push gateway and `promtool check metrics`.
//!
//! Values are gauges in base units, one family for each unit, since a family has one. The verdict is a state
//! set, so that `perf_budget_verdict{perf_budget_verdict="fail"} == 1` finds what is broken.

use std::fmt::Write as _;

use perf_budget_core::outcome::{Against, Estimate, Outcome};
use perf_budget_core::quantity::Unit;
use perf_budget_core::verdict::Verdict;

use super::Report;
use crate::text;

/// The endings of families, as the format asks of names.
const ENDINGS: [&str; 6] =
    ["bytes", "seconds", "operations_per_second", "bytes_per_second", "ratio", ""];

fn ending(unit: Unit) -> &'static str {
    match unit {
        Unit::Bytes => "bytes",
        Unit::Seconds => "seconds",
        Unit::PerSecond => "operations_per_second",
        Unit::BytesPerSecond => "bytes_per_second",
        // Both are 1 where Prometheus' ratios are.
        Unit::Share | Unit::Ratio => "ratio",
        Unit::Number => "",
    }
}

/// One number of an outcome; `None` where it is not bounded.
type Number = fn(&Estimate, &Against) -> Option<f64>;

/// What is told of each outcome with a value: a word, what it is, and where it comes from.
const NUMBERS: [(&str, &str, Number); 4] = [
    ("value", "The measured value.", |estimate, _| Some(estimate.value)),
    ("low", "Lower end of the 90 % interval.", |estimate, _| estimate.low),
    ("high", "Upper end of the 90 % interval.", |estimate, _| estimate.high),
    ("limit", "What the value is held against.", |_, against| Some(against.limit)),
];

/// Which of the two is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// OpenMetrics 1.0.
    OpenMetrics,
    /// Prometheus' text format 0.0.4: without units, and with gauges for all it has no type for.
    Prometheus,
}

/// The whole exposition, with its end mark if it has one.
pub(super) fn render(report: &Report, dialect: Dialect) -> String {
    let mut text = String::new();
    let head = |text: &mut String, name: &str, kind: &str, unit: &str, help: &str| {
        if dialect == Dialect::OpenMetrics {
            return self::head(text, name, kind, unit, help);
        }
        // A family is called as its samples are.
        let name = if kind == "info" { format!("{name}_info") } else { name.to_owned() };
        self::head(text, &name, "gauge", "", help);
    };
    for (word, help, number) in NUMBERS {
        for ending in ENDINGS {
            let of_unit = report.outcomes.iter().filter_map(|outcome| {
                let (estimate, against) = (outcome.estimate?, outcome.against?);
                let value =
                    number(&estimate, &against).filter(|_| self::ending(against.unit) == ending)?;
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
            head(&mut text, &name, "gauge", ending, help);
            for (outcome, value) in samples {
                let _ = writeln!(text, "{name}{{{}}} {}", labels(outcome), self::value(value));
            }
        }
    }
    head(&mut text, "perf_budget_verdict", "stateset", "", "What became of the limit.");
    for outcome in &report.outcomes {
        for verdict in Verdict::ALL {
            let _ = writeln!(
                text,
                "perf_budget_verdict{{{},perf_budget_verdict=\"{}\"}} {}",
                labels(outcome),
                verdict.name(),
                u8::from(outcome.verdict == verdict)
            );
        }
    }
    head(&mut text, "perf_budget_tests", "gauge", "", "Tests that budgets.toml makes.");
    let _ = writeln!(text, "perf_budget_tests {}", report.tests());
    if let Some(Outcome { run, .. }) = report.outcomes.first() {
        head(&mut text, "perf_budget_run", "info", "", "The run and its machine.");
        let facts = [
            ("id", &run.id),
            ("platform", &run.platform),
            ("processor", &run.processor),
            ("profile", &run.profile),
            ("version", &run.version),
        ];
        let _ = writeln!(text, "perf_budget_run_info{{{}}} 1", pairs(&facts));
        let began = "perf_budget_run_began_timestamp_seconds";
        head(&mut text, began, "gauge", "seconds", "When the run began, since 1970.");
        let _ = writeln!(text, "{began} {}", run.began);
    }
    if dialect == Dialect::OpenMetrics {
        text.push_str("# EOF\n");
    }
    text
}

fn head(text: &mut String, name: &str, kind: &str, unit: &str, help: &str) {
    let _ = writeln!(text, "# TYPE {name} {kind}");
    if !unit.is_empty() {
        let _ = writeln!(text, "# UNIT {name} {unit}");
    }
    let _ = writeln!(text, "# HELP {name} {help}");
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
    let one = |(name, value): &(&str, &String)| {
        // Readers that take a lone CR for the end of a line are common.
        let value =
            text::visible(value).replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        format!("{name}=\"{value}\"")
    };
    labels.iter().map(one).collect::<Vec<_>>().join(",")
}

fn value(value: f64) -> String {
    match value {
        v if v.is_nan() => "NaN".to_owned(),
        f64::INFINITY => "+Inf".to_owned(),
        f64::NEG_INFINITY => "-Inf".to_owned(),
        v => v.to_string(),
    }
}
