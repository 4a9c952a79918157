//! The limits that share a measurement, held against one reading after another until each has its outcome.
//!
//! An inquiry takes readings and asks for more. It measures nothing, has no clock, and does not know where a
//! reading comes from; its caller does (`session::measurement` of the harness).

use std::time::Duration;

use super::conclude::{NotesAndTotals, conclude, unmeasured};
use super::ending::{Ending, Revision};
use super::open::{Judgement, Open};
use super::{Origin, PendingLimit, Rules};
use crate::metric::SampleKind;
use crate::outcome::Unmeasured;
use crate::outcome::words;
use crate::outcome::{Doubt, Outcome};
use crate::reading::ProcessRun;
use crate::verdict::Verdict;
use crate::verdict::judge::{BETA, FEWEST_PROCESSES, Finding, Judge, Levels};

/// The share of a limit by which the generator of a load may be late. If it was later, a value over the limit
/// says nothing about the workload.
const LATE: f64 = 0.1;

/// The limits that share a measurement, with their evidence and their outcomes so far.
pub struct Inquiry {
    pub(super) origin: Origin,
    pub(super) rules: Rules,
    pub(super) open: Vec<Open>,
    done: Vec<Outcome>,
    pub(super) seen: NotesAndTotals,
}

impl Inquiry {
    /// Creates an inquiry that has not read anything yet.
    pub fn new(pending: Vec<PendingLimit>, rules: Rules, origin: Origin) -> Self {
        let levels = Levels {
            fail: crate::stats::threshold(rules.alpha, rules.statistical.max(1)),
            pass: crate::stats::threshold(BETA, 1),
        };
        let open =
            pending.into_iter().map(|pending| Open::new(pending, levels, rules.warn_at)).collect();
        Inquiry { origin, rules, open, done: Vec::new(), seen: NotesAndTotals::default() }
    }

    /// Returns the outcomes so far, in the order in which they were reached.
    pub fn outcomes(&self) -> &[Outcome] {
        &self.done
    }

    /// Whether every limit has its outcome.
    pub fn is_done(&self) -> bool {
        self.open.is_empty()
    }

    /// Whether an open limit looks broken and waits for fresh processes to confirm it.
    pub fn is_suspect(&self) -> bool {
        self.open.iter().any(Open::is_suspect)
    }

    /// Returns the time that the readings took, and how many of them the most-measured open limit has, to show
    /// progress.
    pub fn progress(&self) -> (Duration, usize) {
        let processes = self.open.iter().map(Open::processes).max().unwrap_or(0);
        (self.seen.spent, processes)
    }

    /// Returns how many processes it takes until it is no chance that all processes of an open limit on counts are over it.
    pub fn ruling_out_chance(&self) -> Option<usize> {
        self.open.iter().find_map(Open::ruling_out_chance)
    }

    /// Takes one more reading, or the reason why there is none, which leaves every open limit unmeasured.
    pub fn add(&mut self, reading: Result<ProcessRun, Unmeasured>) {
        let process = match reading {
            Ok(process) => process,
            Err(reason) => return self.fail(&reason),
        };
        self.seen.add(&process);
        for mut open in std::mem::take(&mut self.open) {
            match open.add(&process) {
                Ok(()) => self.consider(open),
                Err(reason) => self.close_unmeasured(&open, &reason),
            }
        }
    }

    /// Closes all limits because the time for all measurements is up. A limit that was measured but not settled is
    /// inconclusive, and one that was not measured at all is unmeasured for this reason.
    pub fn cut_off(&mut self, reason: &Unmeasured) {
        for open in std::mem::take(&mut self.open) {
            match &open.judgement {
                Judgement::Statistical(judge) if judge.processes() > 0 && !open.is_unjudged() => {
                    let is_broken = judge.finding() == Finding::Broken;
                    let doubt = is_broken.then(|| self.doubt(&open)).flatten();
                    let ending = self.unsettled(&open, judge, doubt);
                    self.push(&open, &Ending { is_cut_off: true, ..ending });
                }
                Judgement::Deterministic(_) | Judgement::Statistical(_) => {
                    self.close_unmeasured(&open, reason);
                }
            }
        }
    }

    /// Gives up: every open limit becomes unmeasured, for this reason.
    pub fn abandon(&mut self, reason: &Unmeasured) {
        for open in std::mem::take(&mut self.open) {
            self.close_unmeasured(&open, reason);
        }
    }

    /// Makes every open limit unmeasured because a process failed, and says how many did not fail before it.
    fn fail(&mut self, reason: &Unmeasured) {
        let first = self.done.len();
        self.abandon(reason);
        let note = words::not_the_first(self.seen.readings);
        for outcome in &mut self.done[first..] {
            outcome.notes.extend(note.clone());
        }
    }

    /// Returns what else than the code may be why a limit was shown to be broken, if anything.
    fn doubt(&self, open: &Open) -> Option<Doubt> {
        if self.is_excused(open) {
            return Some(Doubt::Noise);
        }
        self.may_be_layout(open).then_some(Doubt::Layout)
    }

    /// Closes a limit if its evidence is enough or its time is up, and keeps it open otherwise. Without any values it
    /// stays open, until enough processes had none.
    fn consider(&mut self, open: Open) {
        if open.processes() == 0 {
            return self.open.push(open);
        }
        // A record is a single reading, so there is nothing to wait for.
        let recorded = self.origin == Origin::Record;
        let spent_up = self.is_effort_spent();
        if open.is_unjudged() {
            let enough = open.suffices(self.rules.repeats) || spent_up;
            return if enough { self.close_unjudged(&open) } else { self.open.push(open) };
        }
        match &open.judgement {
            Judgement::Deterministic(_) if open.is_read(self.rules.repeats) => self.compare(&open),
            Judgement::Deterministic(_) => self.open.push(open),
            Judgement::Statistical(judge) if recorded => match judge.finding_of_one() {
                Finding::Broken => self.close(&open, Verdict::Fail, None),
                Finding::Held => self.close_held(&open),
                Finding::Open | Finding::Suspect => self.close_unsettled(&open, None),
            },
            Judgement::Statistical(judge) => match judge.finding() {
                Finding::Broken => match self.doubt(&open) {
                    None => self.close_broken(&open),
                    doubt @ Some(Doubt::Layout) if open.stays_within_layout() => {
                        self.close_unsettled(&open, doubt);
                    }
                    doubt if spent_up => self.close_unsettled(&open, doubt),
                    // The measurement goes on: the other work may go away, and more pairs may show a larger difference
                    // than layout can cause.
                    Some(_) => self.open.push(open),
                },
                finding @ (Finding::Held | Finding::Open) if open.is_constant() => {
                    self.consider_constant(open, finding);
                }
                Finding::Held if self.is_too_long_on_the_whole(&open) => {
                    if self.is_without_more(&open) {
                        self.close_too_long(&open);
                    } else {
                        self.open.push(open);
                    }
                }
                Finding::Held => self.close_held(&open),
                Finding::Open if self.is_out_of_links(&open) => {
                    self.close_unsettled(&open, Some(Doubt::Layout));
                }
                Finding::Open if self.is_spent_on(&open) => self.close_unsettled(&open, None),
                // The attempt to confirm a red with fresh processes is limited too.
                Finding::Suspect if self.is_confirmation_spent(&open) => {
                    self.close_unsettled(&open, None);
                }
                Finding::Open | Finding::Suspect => self.open.push(open),
            },
        }
    }

    /// Considers a limit whose value has not varied so far: it is compared, once that is unlikely to be chance.
    fn consider_constant(&mut self, open: Open, finding: Finding) {
        let is_within = || open.value().is_none_or(|value| !open.against().is_over(value));
        if open.never_varies() {
            self.compare(&open);
        } else if !self.is_spent_on(&open) {
            self.open.push(open);
        } else if finding == Finding::Held && is_within() {
            self.close_held(&open);
        } else {
            self.close_unsettled(&open, None);
        }
    }

    /// Closes a limit that was shown to be broken. It fails, unless the generator of its load was late itself.
    fn close_broken(&mut self, open: &Open) {
        let metric = &open.pending.limit.metric;
        let of_operations = matches!(metric.sample(), SampleKind::Operation | SampleKind::Batch);
        let Some(statistic) = metric.statistic().filter(|_| of_operations) else {
            return self.close(open, Verdict::Fail, None);
        };
        let limit = open.against();
        let lag = self.seen.noise_totals.lag(statistic).filter(|lag| *lag > LATE * limit.limit);
        let mut ending = self.ending(open, Verdict::Fail, None);
        if let Some(lag) = lag.filter(|_| !open.is_relative()) {
            ending.revision = Some(Revision::Noise(words::late_generator(statistic, lag, &limit)));
        }
        self.push(open, &ending);
    }

    /// Closes a limit that was shown to hold, with a warning if the value is near it.
    fn close_held(&mut self, open: &Open) {
        let value = open.value().unwrap_or(f64::NAN);
        let warn = open.against();
        let verdict = if warn.warns(value) { Verdict::Warn } else { Verdict::Pass };
        self.close(open, verdict, None);
    }

    /// Closes a limit that holds for the usual operation, while rare long ones make the mean of all too large.
    fn close_too_long(&mut self, open: &Open) {
        self.close(open, Verdict::Inconclusive, Some(Doubt::Underpowered));
        if let (Some(outcome), Some(why)) = (self.done.last_mut(), open.too_long_on_the_whole()) {
            outcome.reason = why;
        }
    }

    /// Closes a limit by comparing its values, which are deterministic or did not vary.
    fn compare(&mut self, open: &Open) {
        let against = open.against();
        let values = open.readings();
        let over = values.iter().filter(|&&value| against.is_over(value)).count();
        let verdict = match over {
            0 if values.iter().any(|&value| against.warns(value)) => Verdict::Warn,
            0 => Verdict::Pass,
            over if open.may_be_chance() && (over < values.len() || !open.is_certain()) => {
                Verdict::Inconclusive
            }
            _ => Verdict::Fail,
        };
        self.close(open, verdict, None);
    }

    /// Closes a limit as inconclusive, because the effort is spent and the evidence is not enough. `doubt` says why
    /// where that is known.
    fn close_unsettled(&mut self, open: &Open, doubt: Option<Doubt>) {
        let Judgement::Statistical(judge) = &open.judgement else { return self.compare(open) };
        let is_explained = matches!(doubt, Some(Doubt::Noise | Doubt::Layout));
        let effort = if is_explained { None } else { self.effort_to_settle(open) };
        let ending = self.unsettled(open, judge, doubt);
        self.push(open, &Ending { effort, ..ending });
        if is_explained {
            return;
        }
        let (shortfall, needs) = (self.shortfall(open), self.unreachable(open));
        let Some(outcome) = self.done.last_mut() else { return };
        outcome.needs = needs;
        // If the limit is wider than the narrowest one that could be held, the usual differences between values did not
        // prevent a verdict. A few values far from the others did, and they do not tell which limit could be held.
        let is_closer =
            outcome.holdable().zip(outcome.against).is_some_and(|(held, own)| held.is_beyond(&own));
        let held_here = || outcome.held_here().filter(|_| is_closer);
        if let Some(helps) = shortfall.or_else(held_here) {
            outcome.reason = format!("{}; {helps}", outcome.reason);
        }
    }

    /// Returns how a limit ends that is not settled. `doubt` says why where that is known.
    fn unsettled(&self, open: &Open, judge: &Judge, doubt: Option<Doubt>) -> Ending {
        let few = judge.processes() < FEWEST_PROCESSES && self.origin == Origin::Measured;
        let underpowered = judge.is_underpowered() || few;
        let known = if underpowered { Doubt::Underpowered } else { Doubt::NearLimit };
        self.ending(open, Verdict::Inconclusive, Some(doubt.unwrap_or(known)))
    }

    /// Closes a limit that cannot be judged; its value can still be accepted.
    fn close_unjudged(&mut self, open: &Open) {
        self.close(open, Verdict::Skipped, None);
    }

    /// Turns a limit into its outcome. `doubt` says why the evidence did not settle it; `None` if it did.
    fn close(&mut self, open: &Open, verdict: Verdict, doubt: Option<Doubt>) {
        let ending = self.ending(open, verdict, doubt);
        self.push(open, &ending);
    }

    fn ending(&self, open: &Open, verdict: Verdict, doubt: Option<Doubt>) -> Ending {
        Ending::of(open, self.seen.work(), self.seen.counted(), verdict, doubt)
    }

    fn push(&mut self, open: &Open, ending: &Ending) {
        self.done.push(conclude(open, ending, &self.seen, &self.rules, self.origin));
    }

    fn close_unmeasured(&mut self, open: &Open, reason: &Unmeasured) {
        self.done.push(unmeasured(open, reason, &self.seen));
    }
}
