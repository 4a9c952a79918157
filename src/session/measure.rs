//! A measurement, from its start to its last outcome: a source of readings, and the limits that are judged by them.

use std::time::{Duration, Instant};

use perf_budget_core::budget::Budget;
use perf_budget_core::build;
use perf_budget_core::date::Date;
use perf_budget_core::enforce::{Asked, Extension, Inquiry, Origin, Rules};
use perf_budget_core::metric::{Judged, Metric};
use perf_budget_core::outcome::{Cause, Outcome, Unmeasured};
use perf_budget_core::quantity::{Quantity, Unit};
use perf_budget_core::suite::Test;

use super::Session;
use super::carried::Stored;
use super::run_cache::RunCache;
use crate::base::Base;
use crate::inject::Injection;
use crate::meter::{Source, Watched};
use crate::subject::Sources;

/// The time between a red and the fresh processes that confirm it.
const CONFIRM_AFTER: Duration = Duration::from_secs(1);

/// A source and the limits that share its readings. The only clock that judgement depends on is here: it tells how long
/// a red waits before fresh processes confirm it.
pub(super) struct Measurement {
    source: Box<dyn Source>,
    inquiry: Inquiry,
    /// When a limit became red that is still to be confirmed.
    suspect_since: Option<Instant>,
    /// Whether `total` in `[settings]` limits the time of this measurement. It does not limit a selftest.
    is_capped: bool,
}

impl Measurement {
    /// Returns a measurement without a reading yet.
    pub(super) fn new(
        source: Box<dyn Source>,
        asked: Vec<Asked>,
        rules: Rules,
        purpose: Purpose,
    ) -> Self {
        let origin = if source.is_recorded() { Origin::Record } else { Origin::Measured };
        let inquiry = Inquiry::new(asked, rules, origin);
        let is_capped = matches!(purpose, Purpose::Judge);
        Measurement { source, inquiry, suspect_since: None, is_capped }
    }

    /// Returns the outcomes so far, in the order in which they were reached.
    pub(super) fn outcomes(&self) -> &[Outcome] {
        self.inquiry.outcomes()
    }

    /// Whether every limit has its outcome.
    pub(super) fn is_done(&self) -> bool {
        self.inquiry.is_done()
    }

    /// Returns how long it has measured, and the number of readings of the open limit that has the most.
    pub(super) fn progress(&self) -> (Duration, usize) {
        self.inquiry.progress()
    }

    /// Returns how long to wait before the next process may confirm a red. Zero if there is nothing to confirm.
    pub(super) fn pause(&self) -> Duration {
        self.suspect_since
            .map_or(Duration::ZERO, |since| CONFIRM_AFTER.saturating_sub(since.elapsed()))
    }

    /// Returns the reason why an open limit is measured beyond its `effort`, if one is.
    fn extended(&self) -> Option<Extension> {
        self.inquiry.extended()
    }

    /// Ends the measurement with the readings so far, because the time for all measurements is used up.
    fn cut_off(&mut self, reason: &Unmeasured) {
        self.inquiry.cut_off(reason);
    }

    /// Ends the measurement, and makes every open limit unmeasured for this reason.
    pub(super) fn abandon(&mut self, reason: &Unmeasured) {
        self.inquiry.abandon(reason);
    }

    /// Takes one turn: measures once, or for a burst, and judges after every reading.
    pub(super) fn step(&mut self) {
        let began = self.inquiry.progress().0;
        let burst = self.source.burst();
        loop {
            self.inquiry.add(self.source.measure_process());
            match (self.inquiry.is_suspect(), self.suspect_since) {
                (true, None) => self.suspect_since = Some(Instant::now()),
                (false, Some(_)) => self.suspect_since = None,
                _ => {}
            }
            let spent = self.inquiry.progress().0.saturating_sub(began);
            if self.is_done() || spent >= burst || self.suspect_since.is_some() {
                return;
            }
        }
    }
}

/// The purpose of a measurement.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    /// To judge limits, with the evidence of earlier runs.
    Judge,
    /// A selftest, which injects this effect.
    Selftest(Option<Injection>),
}

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
        if let Some(reason) = self.out_of_time().filter(|_| measurement.is_capped) {
            return measurement.cut_off(&reason);
        }
        std::thread::sleep(measurement.pause());
        let what = &self.suite.groups[group];
        self.progress.show(|| {
            let (spent, processes) = measurement.progress();
            let budget = &self.budgets.budgets[what.budget].name;
            let so_far = format!("measuring {budget}: {processes} processes, {:.1} s", spent.as_secs_f64());
            match measurement.extended() {
                None => so_far,
                Some(Extension { needed, most, .. }) => format!(
                    "{so_far} of at most {:.0} s, as any violation takes {needed} processes to be seen",
                    most.as_secs_f64()
                ),
            }
        });
        let lock = if what.deterministic {
            self.machine_lock.shared()
        } else {
            self.machine_lock.exclusive()
        };
        match lock {
            Ok(_lock) => measurement.step(),
            Err(e) => measurement.abandon(&Unmeasured::new(
                Cause::Harness,
                format!("failed to take the lock of the machine: {e}"),
            )),
        }
    }

    /// Returns the reason why nothing more is measured, if `total` in `[settings]` is used up.
    fn out_of_time(&self) -> Option<Unmeasured> {
        let total = self.budgets.settings.total?;
        // If the clock was set back, no time counts as spent.
        let spent = self.started.elapsed().unwrap_or_default();
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
        let what = &self.suite.groups[group];
        let budget = &self.budgets.budgets[what.budget];
        let tests = self.suite.tests_of(group);
        let tests: Vec<(usize, &Test)> = tests
            .filter(|&(test, _)| wanted(test) && self.decided_unmeasured(test).is_none())
            .collect();
        let metrics: Vec<Metric> =
            tests.iter().map(|(_, test)| test.limit.metric.clone()).collect();
        let sources = self.sources(match purpose {
            Purpose::Judge => None,
            Purpose::Selftest(injection) => injection,
        });
        let mut source = Watched(sources.of(what, &metrics));
        if !tests.is_empty() {
            self.build(budget, &mut source);
        }
        let asked: Vec<Asked> = tests
            .into_iter()
            .map(|(i, test)| {
                let (stored, mut template) = (self.stored(i), self.template(i));
                let stored = stored.filter(|_| matches!(purpose, Purpose::Judge));
                template.notes.extend(stored.as_ref().map(Stored::note));
                let carried = stored.as_ref().map(Stored::carried).unwrap_or_default();
                Asked { carried, ..self.accepted.asked(template, &test.limit, budget) }
            })
            .collect();
        let settings = &self.budgets.settings;
        let repeats = asked.iter().map(|asked| match asked.limit.metric.judged() {
            Judged::Compared { repeats } => repeats,
            Judged::Statistical(_) | Judged::UntilConstant(_) => 1,
        });
        let rules = Rules {
            effort: budget.effort.unwrap_or(settings.effort),
            alpha: settings.alpha,
            statistical: self.suite.statistical(),
            warn_at: settings.warn_at,
            inconclusive: settings.inconclusive,
            today: Date::of_unix(self.run.began),
            repeats: repeats.max().unwrap_or(1),
            layouts: self.base.as_ref().map_or(1, Base::layouts),
        };
        Measurement::new(Box::new(source), asked, rules, purpose)
    }

    /// Builds what a source measures, while no process of the machine measures anything statistical, since a build
    /// would disturb it. This comes before the evidence of the same build is looked up, and no turn at measuring is
    /// spent on building. If the lock cannot be taken, the first turn reports it.
    fn build(&self, budget: &Budget, source: &mut dyn Source) {
        let Ok(_lock) = self.machine_lock.shared() else { return };
        if build::has_any(budget) {
            self.progress.clear();
            self.progress.show(|| format!("building what {} measures", budget.name));
        }
        source.prepare();
    }

    /// Returns what is needed to make sources, with this effect to inject.
    pub(super) fn sources(&self, injection: Option<Injection>) -> Sources<'_> {
        Sources {
            budgets: &self.budgets,
            results: &self.results,
            base: self.base.as_ref(),
            run: self.run_cache.as_ref().map(RunCache::directory),
            injection,
        }
    }
}
