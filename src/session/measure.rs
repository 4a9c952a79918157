//! How a session measures a group: it prepares the measurement, and takes its turns under the lock of the machine.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use perf_budget_core::budget::{Budget, Subject};
use perf_budget_core::build;
use perf_budget_core::date::Date;
use perf_budget_core::enforce::{Extension, PendingLimit, Purpose as ExtensionPurpose, Rules};
use perf_budget_core::metric::Metric;
use perf_budget_core::outcome::{Cause, Unmeasured};
use perf_budget_core::quantity::{Quantity, Unit};
use perf_budget_core::suite::{Group, Span, Test};

use super::carried::Stored;
use super::measurement::{Measurement, Purpose};
use super::state::Session;
use crate::base::Links;
use crate::meter::{Source, Watched};

impl Session {
    /// Measures a group until every limit has its outcome. `wanted` says which tests are judged.
    pub(super) fn measure(
        &self,
        group: usize,
        wanted: &dyn Fn(usize) -> bool,
        purpose: Purpose,
    ) -> Measurement {
        let mut measurement = self.measurement(group, wanted, purpose);
        while !measurement.is_done() {
            self.step(group, &mut measurement);
        }
        measurement
    }

    /// Takes one turn of a group's measurement, under the lock of the machine.
    pub(super) fn step(&self, group: usize, measurement: &mut Measurement) {
        if measurement.is_done() {
            return;
        }
        if let Some(reason) = self.out_of_time().filter(|_| measurement.is_capped) {
            return measurement.cut_off(&reason);
        }
        std::thread::sleep(measurement.pause());
        self.supply(measurement);
        if measurement.is_done() {
            return;
        }
        let suite_group = &self.suite.groups[group];
        self.progress.show(|| {
            let (spent, processes) = measurement.progress();
            let budget = &self.budgets.budgets[suite_group.budget].name;
            let so_far = format!("measuring {budget}: {processes} processes, {:.1} s", spent.as_secs_f64());
            match (measurement.extended(), measurement.ruling_out_chance()) {
                (Some(extension), _) => format!("{so_far} of at most {}", beyond_effort(&extension)),
                (None, Some(needed)) => format!(
                    "{so_far}; it is over its limit, and it takes {needed} processes until that is no chance"
                ),
                (None, None) => so_far,
            }
        });
        let lock = if suite_group.deterministic {
            self.machine_lock.shared(&self.progress)
        } else {
            self.machine_lock.exclusive(&self.progress)
        };
        match lock {
            Ok(_lock) => measurement.step(),
            Err(reason) => measurement.abandon(&reason),
        }
    }

    /// Makes what is missing for the next turn, while nothing on the machine is measured. This takes no part of any
    /// `effort`. If the lock cannot be taken, the measurement ends, since the turn itself would then make what is
    /// missing.
    fn supply(&self, measurement: &mut Measurement) {
        let Some(what) = measurement.pending_preparation() else { return };
        self.progress.clear();
        self.progress.show(|| what);
        let _lock = match self.machine_lock.exclusive(&self.progress) {
            Ok(lock) => lock,
            Err(reason) => return measurement.abandon(&reason),
        };
        measurement.prepare();
        self.progress.clear();
    }

    /// Returns the reason why nothing more is measured, if `total` in `[settings]` is used up.
    pub(super) fn out_of_time(&self) -> Option<Unmeasured> {
        let total = self.budgets.settings.total?;
        let spent = time_spent(self.began.elapsed(), self.first_began, SystemTime::now());
        (spent >= total).then(|| {
            let total = Quantity::new(total.as_secs_f64(), Unit::Seconds);
            let text = format!(
                "it was not measured: `total = \"{total}\"` in [settings] was used up before; allow more, or \
                 measure in several jobs by `--shard`"
            );
            Unmeasured::new(Cause::OutOfTime, text)
        })
    }

    /// Prepares the measurement of a group, without a reading yet. `wanted` says which tests are judged.
    pub(super) fn measurement(
        &self,
        group: usize,
        wanted: &dyn Fn(usize) -> bool,
        purpose: Purpose,
    ) -> Measurement {
        let suite_group = &self.suite.groups[group];
        let budget = &self.budgets.budgets[suite_group.budget];
        let tests = self.suite.tests_of(group);
        let tests: Vec<(usize, &Test)> =
            tests.filter(|&(test, _)| wanted(test) && self.must_be_measured(test)).collect();
        let metrics: Vec<Metric> =
            tests.iter().map(|(_, test)| test.limit.metric.clone()).collect();
        let sources = self.sources(match purpose {
            Purpose::Judge => None,
            Purpose::Selftest(injection) => injection,
        });
        let mut source = Watched(sources.source(suite_group, &metrics));
        let refused = if tests.is_empty() { None } else { self.build(budget, &mut source).err() };
        let limits: Vec<PendingLimit> = tests
            .into_iter()
            .map(|(i, test)| {
                let is_continued = refused.is_none() && matches!(purpose, Purpose::Judge);
                let stored = if is_continued { self.stored(i) } else { None };
                let mut template = self.template(i);
                template.notes.extend(stored.as_ref().map(Stored::note));
                let carried = stored.as_ref().map(Stored::carried).unwrap_or_default();
                PendingLimit { carried, ..self.accepted.pending(template, &test.limit, budget) }
            })
            .collect();
        let settings = &self.budgets.settings;
        let repeats = limits.iter().map(|pending| pending.limit.metric.judged().fewest());
        let effort = budget.effort.unwrap_or(settings.effort);
        let effort_of_base = self.base.as_ref().and_then(|base| base.effort);
        let rules = Rules {
            effort: effort_of_base.map_or(effort, |most| most.min(effort)),
            alpha: settings.alpha,
            statistical: self.suite.statistical(),
            warn_at: settings.warn_at,
            inconclusive: settings.inconclusive,
            today: Date::of_unix(self.run.began),
            repeats: repeats.max().unwrap_or(1),
            links: self.links_of(suite_group).map_or(1, |links| links.max_links()),
        };
        let mut measurement = Measurement::new(Box::new(source), limits, rules, purpose);
        if let Some(reason) = refused {
            measurement.abandon(&reason);
        }
        measurement
    }

    /// Returns the links that a group's times are compared with: those of its benchmark's program, or of the test binary.
    /// `None` if there is one of each side.
    fn links_of(&self, group: &Group) -> Option<&Arc<Links>> {
        let base = self.base.as_ref()?;
        let budget = &self.budgets.budgets[group.budget];
        match (&budget.subject, group.span) {
            (Subject::Benchmark(..), Span::Case(case)) => {
                base.different(budget, case)?.links.as_ref()
            }
            (Subject::Benchmark(..), Span::Sweep) => None,
            (
                Subject::Workload(_)
                | Subject::Command(_)
                | Subject::Artifact(_)
                | Subject::Record(_),
                _,
            ) => Some(base.links()),
        }
    }

    /// Builds what a source measures, while no process of the machine measures anything statistical, since a build
    /// would disturb it. This comes before the evidence of the same build is looked up, and no turn at measuring is
    /// spent on building.
    ///
    /// # Errors
    /// If the lock cannot be taken. Nothing is built then, and nothing may be measured: the first turn would build.
    fn build(&self, budget: &Budget, source: &mut dyn Source) -> Result<(), Unmeasured> {
        let _lock = self.machine_lock.shared(&self.progress)?;
        if build::has_any(budget) {
            self.progress.clear();
            self.progress.show(|| format!("building what {} measures", budget.name));
        }
        source.prepare();
        Ok(())
    }
}

/// Returns the time that a run has taken by `now`. `own` is the time of this process, by a clock that nobody can set. If the run
/// has several processes, the time since the first of them began counts, by the wall clock. If that clock was set back, the
/// time of this process counts.
fn time_spent(own: Duration, first_began: Option<SystemTime>, now: SystemTime) -> Duration {
    let by_all = first_began.and_then(|began| now.duration_since(began).ok());
    by_all.map_or(own, |by_all| by_all.max(own))
}

/// Says how long a limit is measured beyond its `effort`, and why.
fn beyond_effort(extension: &Extension) -> String {
    let (needed, most) = (extension.needed, extension.most.as_secs_f64());
    match extension.purpose {
        ExtensionPurpose::See => {
            format!("{most:.0} s, as any violation takes {needed} processes to be seen")
        }
        ExtensionPurpose::Settle => {
            format!("{most:.0} s, as it is on its way to a verdict, after about {needed} pairs")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_run_of_several_processes_is_timed_by_the_wall_clock() {
        let [second, hour] = [1, 3600].map(Duration::from_secs);
        let now = SystemTime::UNIX_EPOCH + 100 * hour;
        // A run of one process does not ask the wall clock, whatever that was set to.
        assert_eq!(time_spent(second, None, now), second);
        assert_eq!(time_spent(second, Some(now - hour), now), hour);
        assert_eq!(time_spent(second, Some(now + hour), now), second);
    }
}
