//! This project's measurements, in a process such as the harness starts.

use std::process::ExitCode;
use std::time::Duration;

use perf_budget::Run;
use perf_budget::internals::Workload;
use perf_budget::internals::process::{Request, measure};
use perf_budget_core::metric::{Metric, SubjectKind};

use crate::{Row, subjects};

/// Measures a subject, if this process was started to do so.
pub(crate) fn serve() -> Option<ExitCode> {
    let mut workloads: Vec<(String, Workload)> = Vec::new();
    for name in subjects::NAMES {
        let workload = move |run: &mut Run| {
            match name {
                "empty" => run.iter(subjects::empty),
                "hash" => run.iter(subjects::hash),
                _ => {
                    let numbers = subjects::numbers();
                    run.iter_with(|| numbers.clone(), subjects::sort)
                }
            }?;
            run.record("spent", subjects::spent())
        };
        workloads.push((name.to_owned(), Box::new(workload)));
    }
    perf_budget::internals::serve(&workloads)
}

pub(crate) fn batches(subject: &str) -> Row {
    row(subject, metric("mean"))
}

pub(crate) fn singles(subject: &str) -> Row {
    row(subject, metric("p50"))
}

fn metric(word: &str) -> Metric {
    Metric::of(SubjectKind::Workload, word).expect("every word is one")
}

fn row(subject: &str, metric: Metric) -> Row {
    let spent = Metric::recorded("spent");
    let request = Request {
        workload: subject.to_owned(),
        params: Vec::new(),
        metrics: vec![metric, spent.clone()],
        load: None,
        slice: Duration::from_millis(500),
        max_operations: 1_000_000,
        paired: false,
        injection: None,
        counting: None,
        sampling: None,
        constraint: perf_budget_core::budget::Constraint::default(),
    };
    let scratch = std::env::temp_dir().join("perf-budget-peers");
    let process = measure(&request, &scratch, Duration::from_secs(60)).expect("the subjects work");
    let mut times = if process.batches.is_empty() { process.operations } else { process.batches };
    times.sort_by(f64::total_cmp);
    Row { reported: times[times.len() / 2] * 1e9, spent: process.values[&spent] }
}
