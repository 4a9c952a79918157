//! The sources of a budget's benchmarks: of which revision they are, where their list comes from, and how they are built.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use perf_budget_core::budget::{Budget, Budgets, Limit, Reference, Subject, Target};
use perf_budget_core::build::BenchBuild;
use perf_budget_core::metric::{Metric, Units};
use perf_budget_core::quantity::Unit;
use perf_budget_core::suite::Test;

use super::compared::{BenchmarkPairs, Revisions};
use super::runs::BenchmarkRuns;
use super::side::{Origin, Side, Terms};
use crate::base::Base;
use crate::subject::build::Builder;
use crate::subject::request::request;

/// Everything that is needed to make the source of a benchmark.
#[derive(Clone, Copy)]
pub(crate) struct Benchmarks<'a> {
    /// The content of `budgets.toml`.
    pub(crate) budgets: &'a Budgets,
    /// The directory `target/budgets`.
    pub(crate) results: &'a Path,
    /// The base revision, if there is one.
    pub(crate) base: Option<&'a Base>,
    /// The directory that the processes of this run share, if there are several.
    pub(crate) run: Option<&'a Path>,
}

impl Benchmarks<'_> {
    /// Returns the source of one case of a budget, in this revision or in `base`. `None` if its subject is not a benchmark that
    /// is run.
    pub(in crate::subject) fn runs(
        &self,
        budget: usize,
        case: usize,
        metrics: Vec<Metric>,
        base: Option<&Base>,
    ) -> Option<BenchmarkRuns> {
        let side = self.side((budget, case), None, (base.is_some(), base))?;
        Some(BenchmarkRuns::new(side, base.is_some(), self.terms((budget, case), metrics)))
    }

    /// Returns the source that compares a case with the case `other` of this revision or of `base`, whose name in
    /// messages is `name`. `None` if they are not benchmarks that are run.
    pub(in crate::subject) fn pairs(
        &self,
        subject: (usize, usize),
        other: (usize, usize),
        name: &str,
        metrics: &[Metric],
        base: Option<&Base>,
    ) -> Option<BenchmarkPairs> {
        let sides = [
            self.side(subject, None, (false, base))?,
            self.side(other, Some(name), (base.is_some(), base))?,
        ];
        let budget = &self.budgets.budgets[subject.0];
        let built = base.and_then(|base| base.benchmarks(budget));
        let mut notes = built.map(|built| built.notes().to_vec()).unwrap_or_default();
        let different = base.and_then(|base| base.different(budget, subject.1));
        notes.extend(different.iter().flat_map(|own| &own.notes).cloned());
        let links = different.and_then(|own| own.links.clone());
        let terms = self.terms(subject, metrics.to_vec());
        let build_timeout = self.budgets.settings.build_timeout;
        let revisions = base.map(|_| Revisions { notes, links });
        Some(BenchmarkPairs::new(sides, terms, revisions, build_timeout))
    }

    /// Returns one benchmark: of the base or of this revision, in a comparison with `base` if there is one. `role` is its
    /// name in messages.
    pub(super) fn side(
        &self,
        (budget, case): (usize, usize),
        role: Option<&str>,
        (is_of_base, base): (bool, Option<&Base>),
    ) -> Option<Side> {
        let budget = &self.budgets.budgets[budget];
        let Subject::Benchmark(library, _) = budget.subject else { return None };
        let name = budget.benchmark(budget.cases.get(case)?)?.to_owned();
        let of_base = base.filter(|_| is_of_base);
        let environment = of_base.map(|base| base.environment.clone()).unwrap_or_default();
        let origin = self.origin(budget, is_of_base, base);
        Some(Side { name, role: role.map(str::to_owned), library, origin, environment })
    }

    /// Returns where the benchmarks of a budget with a pattern are listed. If all its limits are against the base, this revision
    /// is only built as the comparison needs it.
    pub(crate) fn of_pattern(&self, budget: &Budget) -> Origin {
        let against_base = |limit: &Arc<Limit>| limit.reference() == Some(&Reference::Base);
        let is_handed = |base: &&Base| base.benchmarks(budget).is_some();
        let base = self.base.filter(is_handed).filter(|_| budget.limits.iter().all(against_base));
        self.origin(budget, false, base)
    }

    /// Returns the program with the benchmark of a test, for each revision that is measured. `None` if one is unknown.
    pub(crate) fn programs(&self, budget: &Budget, test: &Test) -> Option<Vec<PathBuf>> {
        let case = budget.cases.get(test.case).or(budget.cases.first())?;
        let name = budget.benchmark(case)?;
        let Subject::Benchmark(library, _) = budget.subject else { return None };
        let against_base = test.limit.reference() == Some(&Reference::Base);
        let base = self.base.filter(|_| against_base);
        let sides: &[bool] = if base.is_some() { &[false, true] } else { &[false] };
        let program = |&is_reference: &bool| {
            let list = self.origin(budget, is_reference, base).list().ok()?;
            Some(list.find(library, name).ok()?.program.binary.clone())
        };
        sides.iter().map(program).collect()
    }

    /// Returns where the benchmarks of a budget are listed: those of `base` or of this revision in a comparison with
    /// `base`, or those of this revision as `cargo bench` builds them.
    fn origin(&self, budget: &Budget, is_reference: bool, base: Option<&Base>) -> Origin {
        let built = base.and_then(|base| base.benchmarks(budget)?.list(is_reference));
        if let Some(file) = built {
            return Origin::File(file.clone());
        }
        // Without the command, both revisions are built as cargo builds them.
        let builder = Builder::for_budget(
            self.budgets,
            self.results,
            self.run,
            budget,
            base.filter(|_| is_reference),
        );
        Origin::Build(Arc::new(builder), BenchBuild::of(&budget.subject, &budget.build))
    }

    pub(super) fn terms(&self, (budget, case): (usize, usize), metrics: Vec<Metric>) -> Terms {
        let budget = &self.budgets.budgets[budget];
        let timeout: Duration = budget.timeout.unwrap_or(self.budgets.settings.timeout);
        let scratch = self.results.join("scratch");
        let request = request("", budget, case, metrics.clone(), false);
        Terms { metrics, rate: rate(budget), scratch, timeout, request }
    }
}

/// Returns the unit of the limit on the throughput, if there is such a limit.
pub(in crate::subject) fn rate(budget: &Budget) -> Option<Unit> {
    budget.limits.iter().find_map(|limit| match &limit.target {
        Target::Absolute(quantity) if limit.metric.units() == Units::Rate => Some(quantity.unit),
        Target::Absolute(_) | Target::Relative { .. } => None,
    })
}
