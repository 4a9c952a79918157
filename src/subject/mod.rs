//! Subjects: this module makes the [`Source`] that measures what a budget names.

pub mod artifact;
pub(crate) mod benchmark;
mod build;
mod command;
mod criterion;
mod external;
mod pairs;
mod recorded;
mod request;
mod sources;
mod stale;
mod workload;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use perf_budget_core::budget::{Budget, Budgets, Case, Param, Subject};
use perf_budget_core::metric::{Metric, SampleKind};
use perf_budget_core::outcome::{Cause, Unmeasured};
use perf_budget_core::suite;
use perf_budget_core::suite::{Group, ReadBy, Span};

use crate::base::Base;
use crate::inject::Injection;
use crate::meter::interleaved::{self, Interleaved};
use crate::meter::{Apart, Coin, Source, Sweep, Versus};
use crate::worker::process::Request;
use crate::worker::process::{self, Build};

pub(crate) use self::benchmark::BenchmarkProfile;
use self::benchmark::Benchmarks;
use self::build::Builder;
use self::command::Codes;
use self::external::{ArtifactComparison, ArtifactFiles, CommandRuns, fill};
use self::pairs::{PairSide, SHORTEST_PAIR, WorkloadPairs};
pub(crate) use self::request::explaining;
use self::request::{LONGEST_SLICE, request};
use self::workload::{NamedReference, WorkloadProcesses};

/// Returns the reason why a workload that a budget names cannot be measured.
pub(crate) fn unregistered(name: &str, registered: &[String]) -> String {
    let known = match registered {
        [] => "no workload is registered".to_owned(),
        some => format!("registered are `{}`", some.join("`, `")),
    };
    format!(
        "no workload `{name}` is registered with the harness; {known}; add \
         `.workload(\"{name}\", |run| …)` or fix the name in the budget"
    )
}

/// Returns the cases of a budget, each with its size, for a slope.
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

/// Everything that is needed to make the source of a group.
pub(crate) struct Sources<'a> {
    /// The content of `budgets.toml`.
    pub(crate) budgets: &'a Budgets,
    /// The directory `target/budgets`.
    pub(crate) results: &'a Path,
    /// The base revision, if there is one.
    pub(crate) base: Option<&'a Base>,
    /// The directory that the processes of this run share, if there are several.
    pub(crate) run: Option<&'a Path>,
    /// The effect that a selftest injects into the subject, and never into its reference.
    pub(crate) injection: Option<Injection>,
}

/// In which way a case is measured.
#[derive(Default)]
struct Variant<'a> {
    /// The base whose case this is. `None` if it is a case of this revision.
    base: Option<&'a Base>,
    /// The effect that is injected.
    injection: Option<Injection>,
    /// The coin that draws the lengths to which its processes are padded, if another case is compared with it.
    lengths: Option<Coin>,
}

impl Sources<'_> {
    /// Returns the source of a group. It measures one case, a case and its reference, or every case for a slope.
    pub(crate) fn source(&self, group: &Group, metrics: &[Metric]) -> Box<dyn Source> {
        match (group.span, &group.versus) {
            (Span::Case(case), Some(suite::Versus::Budget(other, at))) => {
                let name = format!("the reference `{}`", self.budgets.budgets[*other].name);
                self.compared(group, case, metrics, (*other, *at), name, None)
            }
            (Span::Case(case), Some(suite::Versus::Base)) if self.base.is_some() => {
                let at = (group.budget, case);
                self.compared(group, case, metrics, at, "the base".to_owned(), self.base)
            }
            (Span::Case(case), _) => {
                let own = self.own_revision(None);
                self.case_source(group.budget, case, group.reading, metrics, own)
            }
            (Span::Sweep, _) => {
                let inner: Vec<Metric> =
                    metrics.iter().filter_map(Metric::slope_of).cloned().collect();
                let sizes = sizes(&self.budgets.budgets[group.budget]);
                let least = sizes.iter().map(|(_, size)| *size).fold(f64::INFINITY, f64::min);
                let source = |case, size: f64| {
                    let injection = self.injection.map(|injection| injection.tilted(size / least));
                    let own = Variant { injection, ..Variant::default() };
                    self.case_source(group.budget, case, group.reading, &inner, own)
                };
                let points =
                    sizes.into_iter().map(|(case, size)| (size, source(case, size))).collect();
                Box::new(Sweep { points, metrics: inner, coin: Coin::random() })
            }
        }
    }

    /// Returns the source that compares a case with its reference. The reference is the case `other` of this revision
    /// or of `base`, and `name` is its name in messages.
    fn compared(
        &self,
        group: &Group,
        case: usize,
        metrics: &[Metric],
        other: (usize, usize),
        name: String,
        base: Option<&Base>,
    ) -> Box<dyn Source> {
        let (metrics, coin) = (metrics.to_vec(), Coin::random());
        let is_timed = matches!(group.reading, ReadBy::TIME | ReadBy::BENCHMARK);
        if let Some(pairs) = is_timed
            .then(|| self.benchmarks().pairs((group.budget, case), other, &name, &metrics, base))
            .flatten()
        {
            return Box::new(pairs);
        }
        if group.reading == ReadBy::TIME && cfg!(unix) {
            let sides =
                [self.side(group.budget, case, None), self.side(other.0, other.1, Some(name))];
            let [Some(subject), Some(reference)] = sides else {
                let own = self.own_revision(None);
                return self.case_source(group.budget, case, group.reading, &metrics, own);
            };
            let timeout = self.timeout(group.budget).max(self.timeout(other.0));
            let pairs = self.workload_pairs([subject, reference], &metrics, timeout, base);
            return Box::new(Interleaved { pairs: Box::new(pairs), metrics, coin });
        }
        // Both sides draw the same lengths.
        let lengths = Coin::random();
        let own = self.own_revision(Some(lengths.clone()));
        let of_other = Variant { base, injection: None, lengths: Some(lengths) };
        let compared = Versus {
            subject: self.case_source(group.budget, case, group.reading, &metrics, own),
            reference: Box::new(NamedReference {
                name,
                source: self.case_source(other.0, other.1, group.reading, &metrics, of_other),
            }),
            metrics,
            coin,
            apart: base.map(|_| Apart::default()),
        };
        let timeout = self.timeout(group.budget);
        let budget = &self.budgets.budgets[group.budget];
        let Subject::Artifact(patterns) = &budget.subject else { return Box::new(compared) };
        let Some(base) = base else { return Box::new(compared) };
        let case = &budget.cases[case];
        let patterns = patterns.iter().map(|pattern| case.fill(pattern)).collect();
        let builders = [None, Some(base)].map(|base| self.builder(budget, Some(case), base));
        Box::new(ArtifactComparison::new(compared, patterns, builders, timeout))
    }

    /// Returns the pairs of processes that time two workloads in turns.
    fn workload_pairs(
        &self,
        sides: [PairSide; 2],
        metrics: &[Metric],
        timeout: Duration,
        base: Option<&Base>,
    ) -> WorkloadPairs {
        WorkloadPairs {
            sides,
            links: base.map(|base| Arc::clone(base.links())),
            next: 0,
            build_timeout: self.budgets.settings.build_timeout,
            wants: interleaved::requirements(metrics),
            scratch: self.results.join("scratch"),
            timeout,
            place: None,
            slice: SHORTEST_PAIR,
            notes: base.map(|base| base.link_notes.clone()).unwrap_or_default(),
        }
    }

    /// Returns one side of an interleaved comparison. `role` is the side's name in messages if it is the reference.
    /// `None` if the subject is not a workload.
    fn side(&self, budget: usize, case: usize, role: Option<String>) -> Option<PairSide> {
        let budget = &self.budgets.budgets[budget];
        let Subject::Workload(workload) = &budget.subject else { return None };
        // If a limit is on failures, the worker is asked to count them. Otherwise a failure ends the measurement.
        let counted = budget.limits.iter().map(|limit| &limit.metric);
        let counted = counted.filter(|metric| metric.sample() == SampleKind::Failure);
        let metrics = counted.take(1).cloned().collect();
        let injection = self.injection.filter(|_| role.is_none());
        let request = Request { injection, ..request(workload, budget, case, metrics, true) };
        Some(PairSide { request, role, program: None })
    }

    /// Runs the workload of a group once in a build, as if its time were measured, and returns whether the process ran to
    /// its end.
    pub(crate) fn runs_once(&self, group: &Group, build: &Build) -> bool {
        let budget = &self.budgets.budgets[group.budget];
        let (Subject::Workload(workload), Span::Case(case)) = (&budget.subject, group.span) else {
            return false;
        };
        // The longest time that any process of a measurement takes.
        let slice = LONGEST_SLICE;
        let request = Request { slice, ..request(workload, budget, case, Vec::new(), false) };
        let scratch = self.results.join("scratch");
        process::measure_in(build, &request, &scratch, self.timeout(group.budget)).is_ok()
    }

    /// Builds what these texts name, for one case of a budget. Returns the texts with the paths filled in.
    pub(crate) fn built(
        &self,
        budget: &Budget,
        case: usize,
        texts: &[String],
    ) -> Result<Vec<String>, Unmeasured> {
        // A budget that is the reference of another one may have a single case for all cases of that one.
        let case = budget.cases.get(case).or(budget.cases.first());
        let fill = |text: &String| case.map_or_else(|| text.clone(), |case| case.fill(text));
        let texts: Vec<String> = texts.iter().map(fill).collect();
        Ok(self.builder(budget, case, None).build(&texts)?.0)
    }

    /// Returns the build of one case's subject, in this revision or in `base`.
    fn builder(&self, budget: &Budget, case: Option<&Case>, base: Option<&Base>) -> Builder {
        let builder = Builder::for_budget(self.budgets, self.results, self.run, budget, base);
        case.map_or(builder.clone(), |case| builder.filled(case))
    }

    /// Returns what is needed to make the source of a benchmark.
    pub(crate) fn benchmarks(&self) -> Benchmarks<'_> {
        let Sources { budgets, results, base, run, .. } = *self;
        Benchmarks { budgets, results, base, run }
    }

    fn timeout(&self, budget: usize) -> Duration {
        self.budgets.budgets[budget].timeout.unwrap_or(self.budgets.settings.timeout)
    }

    /// Returns the variant of this revision, with the coin that draws lengths if it is compared.
    fn own_revision(&self, lengths: Option<Coin>) -> Variant<'_> {
        Variant { base: None, injection: self.injection, lengths }
    }

    /// Returns the source of one case of a budget, in this revision or in that of a base.
    fn case_source(
        &self,
        budget: usize,
        case: usize,
        reading: ReadBy,
        metrics: &[Metric],
        Variant { base, injection, lengths }: Variant<'_>,
    ) -> Box<dyn Source> {
        let (timeout, index) = (self.timeout(budget), budget);
        let budget = &self.budgets.budgets[budget];
        let metrics = metrics.to_vec();
        match (&budget.subject, reading) {
            (Subject::Artifact(patterns), _) => {
                let patterns =
                    patterns.iter().map(|pattern| budget.cases[case].fill(pattern)).collect();
                let builder = self.builder(budget, Some(&budget.cases[case]), base);
                Box::new(ArtifactFiles { patterns, builder, metrics, timeout, injection })
            }
            (Subject::Command(command), _) => Box::new(CommandRuns {
                command: fill(command, &budget.cases[case]),
                builder: self.builder(budget, Some(&budget.cases[case]), base),
                environment: base.map(|base| base.environment.clone()).unwrap_or_default(),
                codes: Codes::expected(budget, &budget.cases[case]),
                notes: Vec::new(),
                metrics,
                timeout,
                is_built: false,
                is_first: true,
                is_warm: false,
                injection,
                bare_value: None,
                lengths,
                built: Vec::new(),
            }),
            (Subject::Benchmark(..), _) => {
                match self.benchmarks().runs(index, case, metrics, base) {
                    Some(runs) => Box::new(runs),
                    None => Box::new(|| {
                        let text = "a budget on several benchmarks has no case to measure";
                        Err(Unmeasured::new(Cause::NotFound, text))
                    }),
                }
            }
            (Subject::Record(name), _) => recorded::source(name, budget, self.budgets),
            (Subject::Workload(workload), _) => {
                let request =
                    Request { injection, ..request(workload, budget, case, metrics, false) };
                Box::new(WorkloadProcesses {
                    request,
                    build: base.and_then(Base::build).cloned(),
                    scratch: self.results.join("scratch"),
                    timeout,
                })
            }
        }
    }
}
