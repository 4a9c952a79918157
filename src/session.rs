//! One run of the tests: who measures what and when, so that every test finds its outcome.
//!
//! Exact groups are measured by whoever asks first, side by side. Noisy groups take turns, fork by fork,
//! a few at a time: whichever thread has the turn advances the next group, and goes when its own test
//! is decided. Where every test is a process of its own (nextest), the first one that asks measures
//! the whole group and leaves its outcomes for the others.

mod blank;
mod rehearsal;
mod told;

use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use crate::Error;
use crate::accepted::{AcceptedValues, Unjudged};
use crate::base::Base;
use crate::budget::{Budgets, Subject};
use crate::date::Date;
use crate::enforce::{Asked, Inquiry, Rules, Watched};
use crate::kept::{self, Keep, Kept};
use crate::machine;
use crate::meter::fork::Build;
use crate::meter::plant::Plant;
use crate::meter::{Cause, Unmeasured};
use crate::metric::{Judged, Metric};
use crate::report::progress::Progress;
use crate::shelf::Shelf;
use crate::subject;
use crate::suite::{self, Suite};
use crate::turn::Turns;
use crate::verdict::{Outcome, Run, Verdict};

/// Noisy groups that are measured in turns at any time: enough to spread each over a second, few
/// enough that outcomes come in steadily.
const ABREAST: usize = 4;
/// How long fresh processes keep away from the ones they confirm.
const APART: Duration = Duration::from_secs(1);

/// Everything that the tests of one run share.
pub(crate) struct Session {
    pub(crate) budgets: Budgets,
    pub(crate) suite: Suite,
    /// `target/budgets`.
    pub(crate) results: PathBuf,
    accepted: AcceptedValues,
    base: Option<Base>,
    workloads: Vec<String>,
    selected: OnceLock<Vec<bool>>,
    run: Run,
    shelf: Option<Shelf>,
    /// For each group, its inquiry once there is one; of a list of tests there never is.
    groups: Vec<Mutex<Option<Box<Inquiry>>>>,
    rotation: Mutex<Rotation>,
    /// For each test, its outcome once there is one.
    decided: Mutex<Vec<Option<Box<Outcome>>>>,
    turns: Turns,
    progress: Progress,
}

/// What a measurement is for.
#[derive(Debug, Clone, Copy)]
enum Purpose {
    /// An outcome, with the evidence of earlier runs.
    Judge,
    /// A selftest, which plants this.
    Rehearse(Option<Plant>),
}

/// Whose turn it is among the noisy groups.
#[derive(Default)]
struct Rotation {
    waiting: Vec<usize>,
    next: usize,
    begun: bool,
}

impl Session {
    /// A run of the tests of `budgets`, with these workloads registered.
    ///
    /// # Errors
    /// Where there is no place for results, or `budgets.lock` has mistakes.
    pub(crate) fn new(
        budgets: Budgets,
        workloads: Vec<String>,
        results: PathBuf,
    ) -> Result<Session, Error> {
        // From here on another binary in its place is noticed.
        Build::this().map_err(|why| Error::other(why.text))?;
        let base = Base::of_environment(&budgets.path)?;
        let suite = Suite::of(&budgets, base.is_some());
        let run = machine::run(suite.tests.len());
        let shelf = Shelf::of_this_run(&results, &budgets.path)?;
        let accepted = AcceptedValues::beside(&budgets.path, &run)?;
        let turns = Turns::of_machine(&results)?;
        let decided = Mutex::new(vec![None; suite.tests.len()]);
        let groups = suite.groups.iter().map(|_| Mutex::new(None)).collect();
        Ok(Session {
            budgets,
            suite,
            results,
            accepted,
            base,
            workloads,
            selected: OnceLock::new(),
            run,
            shelf,
            groups,
            rotation: Mutex::default(),
            decided,
            turns,
            progress: Progress::new(),
        })
    }

    /// Says which tests will ask for their outcome; the others cost nothing.
    pub(crate) fn select(&self, selected: Vec<bool>) {
        let _ = self.selected.set(selected);
    }

    /// The outcome of a test, measured now if it has not been.
    pub(crate) fn outcome(&self, test: usize) -> Outcome {
        if let Some(outcome) = self.foregone(test) {
            return outcome;
        }
        let group = self.suite.tests[test].group;
        if let Some(shelf) = &self.shelf {
            return self.shared(shelf, group, test);
        }
        if self.suite.groups[group].exact {
            self.measure_exact(group);
        } else {
            self.take_turns(test);
        }
        self.progress.clear();
        self.decided(test).unwrap_or_else(|| self.lost(test))
    }

    /// Whether a test is skipped, which is known before anything is measured.
    pub(crate) fn skips(&self, test: usize) -> bool {
        let skipped = |outcome: Outcome| outcome.verdict == Verdict::Skipped;
        self.foregone(test).map_or_else(|| self.unjudged(test).is_some(), skipped)
    }

    /// What is known without measuring: a subject nobody registered, a reference that is not there.
    fn foregone(&self, test: usize) -> Option<Outcome> {
        let asked = &self.suite.tests[test];
        if let Subject::Workload(name) = &self.budgets.budgets[asked.budget].subject
            && !self.workloads.contains(name)
        {
            let words = subject::unregistered(name, &self.workloads);
            return Some(self.unmeasured(test, &Unmeasured::new(Cause::NotFound, words)));
        }
        let strict =
            std::env::var("PERF_BUDGET_STRICT").is_ok_and(|v| !matches!(v.as_str(), "" | "0"));
        let unjudged = self.unjudged(test);
        if let Some(Unjudged::Unsuitable(words)) = &unjudged {
            return Some(
                self.unmeasured(test, &Unmeasured::new(Cause::Unsuitable, words.as_str())),
            );
        }
        let name = &self.budgets.budgets[asked.budget].name;
        let reason = asked.set_aside(self.base.as_ref().map(|base| base.has(name)));
        let reason = match (reason, unjudged) {
            (Some(reason), _) => reason.to_owned(),
            // It is measured all the same, so that it can be accepted.
            (None, Some(Unjudged::SetAside(reason))) if strict => reason,
            _ => return None,
        };
        if strict && reason != suite::NEW {
            let words = format!("{reason}; PERF_BUDGET_STRICT lets nothing be skipped");
            return Some(self.unmeasured(test, &Unmeasured::new(Cause::Unsupported, words)));
        }
        let mut outcome = self.blank(test);
        outcome.verdict = Verdict::Skipped;
        outcome.reason = reason;
        Some(outcome)
    }

    /// Why a test against an accepted value cannot be judged.
    fn unjudged(&self, test: usize) -> Option<Unjudged> {
        self.accepted.unjudged(&self.blank(test), &self.suite.tests[test].limit)
    }

    fn decided(&self, test: usize) -> Option<Outcome> {
        lock(&self.decided)[test].as_deref().cloned()
    }

    fn shared(&self, shelf: &Shelf, group: usize, test: usize) -> Outcome {
        let name = &self.suite.tests[test].name;
        let kept = shelf.outcomes(&self.key(group), || {
            let inquiry = self.measure(group, &|_| true, Purpose::Judge);
            self.progress.clear();
            let remembered = |outcome: &Outcome| {
                Some(self.remembered(self.named(group, &outcome.test)?, outcome))
            };
            inquiry.outcomes().iter().filter_map(remembered).collect()
        });
        match kept {
            Ok(outcomes) => outcomes
                .into_iter()
                .find(|outcome| outcome.test == *name)
                .unwrap_or_else(|| self.lost(test)),
            Err(error) => {
                self.unmeasured(test, &Unmeasured::new(Cause::Harness, error.to_string()))
            }
        }
    }

    fn measure_exact(&self, group: usize) {
        let mut slot = lock(&self.groups[group]);
        if slot.is_none() {
            let inquiry = self.measure(group, &|test| self.is_selected(test), Purpose::Judge);
            self.keep(group, &inquiry);
            *slot = Some(Box::new(inquiry));
        }
    }

    /// A group measured from the start to its last outcome.
    fn measure(&self, group: usize, wanted: &dyn Fn(usize) -> bool, purpose: Purpose) -> Inquiry {
        let mut inquiry = self.inquiry(group, wanted, purpose);
        while !inquiry.is_done() {
            self.step(group, &mut inquiry);
        }
        inquiry
    }

    fn take_turns(&self, test: usize) {
        while self.decided(test).is_none() {
            let mut rotation = lock(&self.rotation);
            if self.decided(test).is_some() {
                return;
            }
            if !rotation.begun {
                rotation.begun = true;
                rotation.waiting = self.noisy_groups();
            }
            let Some(at) = self.next(&mut rotation) else { return };
            let group = rotation.waiting[at];
            let mut slot = lock(&self.groups[group]);
            let wanted = |test| self.is_selected(test);
            let inquiry =
                slot.get_or_insert_with(|| Box::new(self.inquiry(group, &wanted, Purpose::Judge)));
            self.step(group, inquiry);
            self.keep(group, inquiry);
            if inquiry.is_done() {
                rotation.waiting.remove(at);
                rotation.next = at;
            } else {
                rotation.next = at + 1;
            }
        }
    }

    /// The next of the few groups abreast that need not wait to confirm; all waiting: the one that
    /// waits least, after its wait.
    fn next(&self, rotation: &mut Rotation) -> Option<usize> {
        let abreast = rotation.waiting.len().min(ABREAST);
        if abreast == 0 {
            return None;
        }
        let pause = |at: usize| {
            let slot = lock(&self.groups[rotation.waiting[at]]);
            slot.as_deref().map_or(Duration::ZERO, Inquiry::pause)
        };
        let start = rotation.next % abreast;
        let turns = (0..abreast).map(|i| (start + i) % abreast);
        turns.map(|at| (pause(at), at)).min_by_key(|&(pause, _)| pause).map(|(pause, at)| {
            // Nothing else is due. Sleeping here keeps the turn, so nobody measures meanwhile.
            std::thread::sleep(pause);
            at
        })
    }

    fn noisy_groups(&self) -> Vec<usize> {
        let wanted = |group: usize| {
            self.suite
                .tests_of(group)
                .any(|(test, _)| self.is_selected(test) && self.foregone(test).is_none())
        };
        (0..self.groups.len()).filter(|&g| !self.suite.groups[g].exact && wanted(g)).collect()
    }

    /// One fork of a group, with the machine's turn.
    fn step(&self, group: usize, inquiry: &mut Inquiry) {
        std::thread::sleep(inquiry.pause());
        let what = &self.suite.groups[group];
        self.progress.show(|| {
            let (spent, forks) = inquiry.progress();
            let budget = &self.budgets.budgets[what.budget].name;
            format!("measuring {budget}: {forks} forks, {:.1} s", spent.as_secs_f64())
        });
        let turn = if what.exact { self.turns.beside() } else { self.turns.alone() };
        match turn {
            Ok(_turn) => inquiry.step(),
            Err(e) => inquiry.abandon(&Unmeasured::new(
                Cause::Harness,
                format!("failed to take a turn at measuring: {e}"),
            )),
        }
    }

    fn keep(&self, group: usize, inquiry: &Inquiry) {
        let mut decided = lock(&self.decided);
        for outcome in inquiry.outcomes() {
            if let Some(test) = self.named(group, &outcome.test) {
                decided[test].get_or_insert_with(|| Box::new(self.remembered(test, outcome)));
            }
        }
    }

    /// The test of a group that has this name.
    fn named(&self, group: usize, name: &str) -> Option<usize> {
        self.suite.tests_of(group).find(|(_, test)| test.name == name).map(|(at, _)| at)
    }

    /// What earlier runs of the same build found of a test.
    fn kept(&self, test: usize) -> Option<Kept> {
        let test = &self.suite.tests[test];
        let identity = kept::identity(&self.budgets, self.base.as_ref(), test)?;
        Keep::new(&self.results).load(&test.name, identity)
    }

    /// The outcome, once the next run of the same build will know of its evidence.
    fn remembered(&self, test: usize, outcome: &Outcome) -> Outcome {
        let mut outcome = outcome.clone();
        let test = Some(&self.suite.tests[test]).filter(|test| !test.is_exact());
        let identity = |test| kept::identity(&self.budgets, self.base.as_ref(), test);
        if let Some(identity) = test.and_then(identity) {
            let keep = Keep::new(&self.results);
            let before = keep.load(&outcome.test, identity);
            if let Err(error) = keep.keep(&outcome, identity, before.as_ref()) {
                outcome.notes.push(format!("the next run cannot continue this test: {error}"));
            }
        }
        outcome
    }

    fn is_selected(&self, test: usize) -> bool {
        self.selected.get().is_none_or(|selected| selected[test])
    }

    fn inquiry(&self, group: usize, wanted: &dyn Fn(usize) -> bool, purpose: Purpose) -> Inquiry {
        let tests = self.suite.tests_of(group);
        let what = &self.suite.groups[group];
        let budget = &self.budgets.budgets[what.budget];
        let asked: Vec<Asked> = tests
            .filter(|&(test, _)| wanted(test) && self.foregone(test).is_none())
            .map(|(i, test)| {
                let (kept, mut blank) = (self.kept(i), self.blank(i));
                let kept = kept.filter(|_| matches!(purpose, Purpose::Judge));
                blank.notes.extend(kept.as_ref().map(Kept::note));
                let carried = kept.as_ref().map(Kept::carried).unwrap_or_default();
                Asked { carried, ..self.accepted.asked(blank, &test.limit, budget) }
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
            noisy: self.suite.noisy(),
            warn_at: settings.warn_at,
            unsure: settings.unsure,
            apart: APART,
            today: Date::of_unix(self.run.began),
            repeats: repeats.max().unwrap_or(1),
            layouts: self.base.as_ref().map_or(1, Base::layouts),
        };
        let metrics: Vec<Metric> = asked.iter().map(|asked| asked.limit.metric.clone()).collect();
        let sources = subject::Sources {
            budgets: &self.budgets,
            results: &self.results,
            base: self.base.as_ref(),
            plant: match purpose {
                Purpose::Judge => None,
                Purpose::Rehearse(plant) => plant,
            },
        };
        Inquiry::new(Box::new(Watched(sources.of(what, &metrics))), asked, rules)
    }

    /// A name for a group that is the same in every process of this run.
    fn key(&self, group: usize) -> String {
        let what = &self.suite.groups[group];
        format!("{}-{group}", self.budgets.budgets[what.budget].name)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // What a panicking test leaves behind is still what was measured.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
