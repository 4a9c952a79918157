//! A search while it runs: it chooses an entry, measures until the answer is settled, and stores what it knows.

use std::time::Duration;

use perf_budget_core::outcome::{Doubt, Outcome};
use perf_budget_core::report::terminal::interval_text;

use super::evidence;
use super::search::{Answer, Search, SearchResult};
use super::searched::SearchedEntry;
use super::series::Series;
use super::state::State;
use super::step::{Comparison, TestResult};
use crate::clock::now;
use crate::failure::Failure;
use crate::text::{counted, short, value_shown};

/// The most runs for one commit. Each run takes some time, so without this bound a search that gets no evidence would
/// not end.
const MOST_RUNS: u32 = 200;

/// A search while it runs.
pub(super) struct Running<'a> {
    /// The chance of a wrong answer in the whole search.
    pub(super) alpha: f64,
    /// The most time for measuring one comparison.
    pub(super) effort: Duration,
    pub(super) comparison: Comparison<'a>,
    pub(super) series: &'a dyn Series,
    /// The commit that every entry is compared with.
    pub(super) good: &'a str,
    pub(super) state: State,
    /// The most comparisons that the search should take.
    pub(super) most: u32,
    pub(super) tell: &'a dyn Fn(&str),
}

impl Running<'_> {
    /// Checks the good commit, searches the series, and returns what was found.
    pub(super) fn search(&mut self) -> Result<SearchResult, Failure> {
        let entries = self.series.len();
        let holds_a_value = !self.comparison.rules.is_compared;
        self.most = Search::max_comparisons(entries) + u32::from(holds_a_value);
        (self.tell)(&format!(
            "searching {} for what broke `{}` ({}), in about {}",
            counted(entries, self.series.entry_kind()),
            self.comparison.rules.test,
            self.comparison.rules.limit,
            counted(self.most as usize, "comparison")
        ));
        self.series.verify_good(self.comparison.beside)?;
        if holds_a_value {
            self.check_good()?;
        }
        self.run_to_end()
    }

    /// Finds the answers for one entry after the other until the search needs no more, and returns what was found.
    pub(super) fn run_to_end(&mut self) -> Result<SearchResult, Failure> {
        let mut search = Search::new(self.series.len());
        while let Some(at) = search.next() {
            let answer =
                self.answer(&self.series.name(at), &self.series.display_entry(at), Some(at))?;
            search.answer(at, answer);
        }
        Ok(search.result())
    }

    /// Checks that the limit holds at the good commit, if it is a limit on a value.
    fn check_good(&mut self) -> Result<(), Failure> {
        let good = self.good.to_owned();
        let (shown, whose) = match self.series.good() {
            Some(shown) => (format!("{shown} (good)"), format!("with {shown}")),
            None => (format!("{} (good)", short(&good)), format!("at the good commit {good}")),
        };
        match self.answer(&good, &shown, None)? {
            Answer::Green => Ok(()),
            Answer::Red => Err(Failure::usage(format!(
                "`{}` is red {whose} already, so that is not a good one; name an older one, or a step by `--by 3%`",
                self.comparison.rules.test
            ))),
            Answer::Unknown => {
                let why = self.state.known(&good).and_then(|step| step.skipped.as_deref());
                let why = why.unwrap_or_default();
                Err(Failure::unmeasured(format!(
                    "`{}` cannot be judged {whose}: {why}",
                    self.comparison.rules.test
                )))
            }
        }
    }

    /// Returns the answer for an entry: the one at `at` in the series, or for `None` the good commit.
    pub(super) fn answer(
        &mut self,
        name: &str,
        shown: &str,
        at: Option<usize>,
    ) -> Result<Answer, Failure> {
        let known = self.settled(name);
        if known.is_none() {
            let switched = match at {
                Some(at) => self.series.switch(self.comparison.beside, at)?,
                None => self.comparison.beside.switch(self.good).map(Ok)?,
            };
            if let Err(why) = switched {
                self.state.step(name).skipped = Some(why);
            }
        }
        if let (Some(at), None) = (at, self.settled(name)) {
            self.compare_with_neighbours(name, at).map_err(|e| self.explain_interrupt(e))?;
        }
        let answer = loop {
            if let Some(answer) = self.settled(name) {
                break answer;
            }
            self.comparison.interrupt.check().map_err(|e| self.explain_interrupt(e))?;
            let result = self.comparison.run(self.good, name);
            let result = result.map_err(|e| self.explain_interrupt(e))?;
            self.add(name, result);
            self.state.store()?;
        };
        let again = if known.is_some() { " (settled before)" } else { "" };
        (self.tell)(&format!("  {shown}: {}{again}", self.describe_entry(name, answer)));
        Ok(answer)
    }

    /// Checks whether an entry is proven to run the same code as one of the nearest entries whose answers are known. Then it
    /// has the same answer. The comparison itself proves whether it runs the same code as the good commit. For a
    /// deterministic metric nothing is proven here, since measuring is as fast.
    fn compare_with_neighbours(&mut self, name: &str, at: usize) -> Result<(), Failure> {
        let has_evidence = self.state.known(name).is_some_and(|step| step.evidence.runs > 0);
        if self.comparison.rules.is_deterministic || has_evidence {
            return Ok(());
        }
        let series = self.series;
        let is_known = |other: &usize| {
            self.settled(&series.name(*other)).is_some_and(|answer| answer != Answer::Unknown)
        };
        let below = (0..at).rev().find(is_known);
        let above = (at + 1..series.len()).find(is_known);
        for commit in [below, above].into_iter().flatten().filter_map(|at| series.commit(at)) {
            if self.comparison.is_same(commit)? {
                let step = self.state.step(name);
                (step.same, step.at) = (Some(commit.to_owned()), now());
                return self.state.store();
            }
        }
        Ok(())
    }

    /// Returns the failure that ends the search. If the search was interrupted, it says so, and how to go on.
    fn explain_interrupt(&self, failure: Failure) -> Failure {
        if !self.comparison.interrupt.is_requested() {
            return failure;
        }
        let then = if self.state.is_stored() {
            "; the same command goes on where this one ended"
        } else {
            ""
        };
        Failure::unmeasured(format!("interrupted{then}"))
    }

    /// Adds the result of one run to what is known of an entry.
    fn add(&mut self, name: &str, result: TestResult) {
        let next = self.state.next();
        let effort = self.effort.as_secs_f64();
        let step = self.state.step(name);
        step.at = now();
        match result {
            TestResult::Not(why) => step.skipped = Some(why),
            TestResult::Judged(outcome) => {
                let is_certain = evidence::certain_answer(&outcome).is_some();
                if is_certain && (step.evidence.runs == 0 || outcome.proven.is_some()) {
                    step.nth = None;
                } else {
                    step.nth.get_or_insert(next);
                    step.evidence.add(&outcome);
                    let chance = evidence::share(self.alpha, self.most, step.nth.unwrap_or(next));
                    if outcome.evidence.is_none() {
                        step.skipped = Some(outcome.reason.clone());
                    } else if step.evidence.answer(chance).is_none()
                        && (step.evidence.seconds >= effort || step.evidence.runs >= MOST_RUNS)
                    {
                        let seconds = step.evidence.seconds;
                        let why = format!("{seconds:.0} s of measuring did not settle it");
                        // More time does not help if both sides have one link.
                        step.skipped = Some(match outcome.doubt {
                            Some(Doubt::Layout) => format!("{why}: {}", outcome.reason),
                            Some(Doubt::Noise | Doubt::NearLimit | Doubt::Underpowered) | None => {
                                why
                            }
                        });
                    }
                }
                step.outcome = Some(*outcome);
            }
        }
    }

    /// Returns the answer for an entry; `None` if it is not settled yet.
    fn settled(&self, name: &str) -> Option<Answer> {
        let step = self.state.known(name)?;
        if step.skipped.is_some() {
            return Some(Answer::Unknown);
        }
        if let Some(same) = &step.same {
            return self.settled(same);
        }
        let outcome = step.outcome.as_ref()?;
        let Some(nth) = step.nth else { return evidence::certain_answer(outcome) };
        step.evidence.answer(evidence::share(self.alpha, self.most, nth))
    }

    /// Returns what is known of an entry, in words.
    fn describe_entry(&self, name: &str, answer: Answer) -> String {
        let colour = if answer == Answer::Red { "red" } else { "green" };
        let Some(step) = self.state.known(name) else { return colour.to_owned() };
        if let (Answer::Unknown, Some(why)) = (answer, &step.skipped) {
            return format!("skipped, {why}");
        }
        if let Some(same) = &step.same {
            return format!("{colour}, nothing that it runs differs from {}", short(same));
        }
        let Some(outcome) = &step.outcome else { return colour.to_owned() };
        if let Some(proven) = &outcome.proven {
            return format!("{colour}, {}", proven.describe());
        }
        let interval = interval_text(outcome);
        let between = if step.nth.is_some() { format!(" ({interval})") } else { String::new() };
        let runs = match step.evidence.runs {
            0 => String::new(),
            runs => {
                format!(", {} in {:.1} s", counted(runs as usize, "run"), step.evidence.seconds)
            }
        };
        let is_over = outcome
            .against
            .zip(outcome.estimate)
            .is_some_and(|(against, estimate)| against.is_over(estimate.value));
        let within = if answer == Answer::Green && is_over {
            ", over the limit by less than its tolerance"
        } else {
            ""
        };
        format!("{colour}, {}{between}{within}{runs}", value_shown(outcome))
    }

    /// Returns what was tried, in the order of the series.
    pub(super) fn tried(&self) -> Vec<SearchedEntry> {
        let mut tried = Vec::new();
        for at in 0..self.series.len() {
            let name = self.series.name(at);
            let Some((step, answer)) = self.state.known(&name).zip(self.settled(&name)) else {
                continue;
            };
            let mut step = step.clone();
            if let Some(same) = &step.same {
                step.outcome = self.state.known(same).and_then(|same| same.outcome.clone());
            }
            tried.push(SearchedEntry {
                at,
                shown: self.series.display_entry(at),
                answer,
                evidence: step.nth.map(|_| step.evidence),
                outcome: step.outcome,
                skipped: step.skipped,
                same: step.same,
                name,
            });
        }
        tried
    }

    /// Compares the entry that was found with the one right before it, once, so that the report can say what it changed by
    /// itself. No answer depends on the result.
    pub(super) fn compare_with_parent(&mut self, at: usize) -> Result<Option<Outcome>, Failure> {
        if at == 0 || !self.comparison.rules.is_compared {
            return Ok(None);
        }
        let parent = self.series.name(at - 1);
        if self.series.switch(self.comparison.beside, at)?.is_err() {
            return Ok(None);
        }
        (self.tell)("comparing it with the commit before it");
        let name = format!("{}-itself", self.series.name(at));
        let result = self.comparison.run(&parent, &name);
        Ok(match result.map_err(|e| self.explain_interrupt(e))? {
            TestResult::Judged(outcome) => Some(*outcome),
            TestResult::Not(_) => None,
        })
    }
}
