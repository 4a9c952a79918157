//! From what a budget names to where its forks come from.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::budget::{Budget, Budgets, Command, Param, Subject};
use crate::enforce::source::{Coin, Source, Sweep, Versus};
use crate::meter::fork::{self, Request};
use crate::meter::{Fork, Unmeasured, artifact, binary, command};
use crate::metric::Metric;
use crate::suite::{self, Group, Reading, Span};

/// How long a fork of a workload measures, set-up and warm-up not counted.
const SLICE: Duration = Duration::from_millis(100);
/// The most that a fork measures, however long its set-up.
const LONGEST_SLICE: Duration = Duration::from_millis(500);
/// Operations of one fork at the most: what a percentile can use.
const MOST_OPERATIONS: usize = 20_000;
/// Runs of a command in one go last about this long, so that turns are worth their lock.
const BURST: Duration = Duration::from_millis(50);

/// What is measured, in words.
pub(crate) fn describe(subject: &Subject) -> String {
    match subject {
        Subject::Artifact(patterns) => format!("artifact {}", patterns.join(", ")),
        Subject::Command(command) => format!("command {}", command.argv.join(" ")),
        Subject::Workload(name) => format!("workload {name}"),
    }
}

/// Why a workload that a budget names cannot be measured.
pub(crate) fn unregistered(name: &str, registered: &[String]) -> String {
    let there = match registered {
        [] => "no workload is registered".to_owned(),
        some => format!("registered are `{}`", some.join("`, `")),
    };
    format!(
        "no workload `{name}` is registered with the harness; {there}; add \
         `.workload(\"{name}\", |run| …)` or mend the name in the budget"
    )
}

/// The cases of a budget with the size of each, for a slope.
fn sizes(budget: &Budget) -> Vec<(usize, f64)> {
    let Some(scaling) = &budget.scaling else { return Vec::new() };
    let size = |params: &[(String, Param)]| {
        let (_, value) = params.iter().find(|(name, _)| *name == scaling.over)?;
        match value {
            Param::Int(value) => Some(*value as f64),
            Param::Float(value) => Some(*value),
            Param::Text(_) | Param::Bool(_) => None,
        }
    };
    let cases = budget.cases.iter().enumerate();
    cases.filter_map(|(i, case)| Some((i, size(&case.params)?))).collect()
}

/// Where the forks of a group come from: one case, two of them in turn, or every case for a slope.
pub(crate) fn source(
    budgets: &Budgets,
    group: &Group,
    metrics: &[Metric],
    results: &Path,
) -> Box<dyn Source> {
    let of = |budget: usize, case: usize, metrics: &[Metric]| {
        of_case(budgets, budget, case, group.reading, metrics, results)
    };
    match (group.span, &group.versus) {
        (Span::Case(case), Some(suite::Versus::Budget(other, other_case))) => Box::new(Versus {
            subject: of(group.budget, case, metrics),
            reference: named(&budgets.budgets[*other].name, of(*other, *other_case, metrics)),
            metrics: metrics.to_vec(),
            coin: Coin::random(),
        }),
        (Span::Case(case), _) => of(group.budget, case, metrics),
        (Span::Sweep, _) => {
            let inner: Vec<Metric> = metrics
                .iter()
                .filter_map(|metric| match metric {
                    Metric::Scaling(of) => Some((**of).clone()),
                    _ => None,
                })
                .collect();
            let points = sizes(&budgets.budgets[group.budget])
                .into_iter()
                .map(|(case, size)| (size, of(group.budget, case, &inner)))
                .collect();
            Box::new(Sweep { points, metrics: inner, coin: Coin::random() })
        }
    }
}

/// A reference that says so where it cannot be measured.
fn named(name: &str, mut source: Box<dyn Source>) -> Box<dyn Source> {
    let name = name.to_owned();
    Box::new(move || {
        source.fork().map_err(|why| Unmeasured {
            text: format!("the reference `{name}` was not measured: {}", why.text),
            ..why
        })
    })
}

/// Where the forks of one case of a budget come from.
fn of_case(
    budgets: &Budgets,
    budget: usize,
    case: usize,
    reading: Reading,
    metrics: &[Metric],
    results: &Path,
) -> Box<dyn Source> {
    let root = budgets.root.clone();
    let what = &budgets.budgets[budget];
    let timeout = what.timeout.unwrap_or(budgets.settings.timeout);
    let metrics = metrics.to_vec();
    match (&what.subject, reading) {
        (Subject::Artifact(patterns), _) => {
            files(patterns.clone(), root, metrics, results.join("compressed"))
        }
        (Subject::Command(command), _) => Box::new(Runs {
            command: with_params(command, &what.cases[case].params),
            root,
            metrics,
            timeout,
            expanded: false,
            warm: false,
        }),
        (Subject::Workload(workload), _) => {
            let request = Request {
                workload: workload.clone(),
                params: what.cases[case].params.clone(),
                metrics,
                slice: SLICE,
                max_operations: MOST_OPERATIONS,
            };
            Box::new(Forks { request, scratch: results.join("scratch"), timeout })
        }
    }
}

/// Forks of a workload.
struct Forks {
    request: Request,
    scratch: PathBuf,
    timeout: Duration,
}

impl Source for Forks {
    fn fork(&mut self) -> Result<Fork, Unmeasured> {
        let fork = fork::measure(&self.request, &self.scratch, self.timeout)?;
        // A workload that prepares for long is measured for longer: else preparing would be most of
        // what its effort goes into.
        let around = fork.elapsed.saturating_sub(self.request.slice);
        self.request.slice = (around * 2).clamp(SLICE, LONGEST_SLICE);
        Ok(fork)
    }
}

/// The command with each `{name}` of a parameter replaced by its value.
fn with_params(command: &Command, params: &[(String, Param)]) -> Command {
    let mut command = command.clone();
    let words = command.argv.iter_mut().chain(command.env.iter_mut().map(|(_, value)| value));
    for word in words {
        for (name, value) in params {
            *word = word.replace(&format!("{{{name}}}"), &value.to_string());
        }
    }
    command
}

fn files(
    patterns: Vec<String>,
    root: PathBuf,
    metrics: Vec<Metric>,
    cache: PathBuf,
) -> Box<dyn Source> {
    Box::new(move || {
        let expand = |pattern: &String| binary::expand(pattern, &root);
        let patterns = patterns.iter().map(expand).collect::<Result<Vec<_>, _>>()?;
        let began = std::time::Instant::now();
        let mut fork = Fork::default();
        for (metric, reading) in artifact::measure(&patterns, &root, &metrics, &cache) {
            match reading {
                Ok(reading) => {
                    fork.values.insert(metric.clone(), reading.value);
                    fork.remarks.insert(metric, reading.notes);
                }
                Err(reason) => {
                    fork.unmeasured.insert(metric, reason);
                }
            }
        }
        fork.elapsed = began.elapsed();
        Ok(fork)
    })
}

/// Runs of a command, each a fork.
struct Runs {
    command: Command,
    root: PathBuf,
    metrics: Vec<Metric>,
    timeout: Duration,
    expanded: bool,
    warm: bool,
}

impl Source for Runs {
    fn fork(&mut self) -> Result<Fork, Unmeasured> {
        if !self.expanded {
            for word in &mut self.command.argv {
                *word = binary::expand(word, &self.root)?;
            }
            self.expanded = true;
        }
        if !self.warm && command::first_run_warms(&self.command) {
            command::measure(&self.command, &self.root, &self.metrics, self.timeout)?;
        }
        self.warm = true;
        command::measure(&self.command, &self.root, &self.metrics, self.timeout)
    }

    fn burst(&self) -> Duration {
        BURST
    }
}
