//! How long a limit is measured if the evidence does not settle it: for its `effort`, and longer if that is too short
//! to see a violation.
//!
//! A run that could not have seen a violation proves nothing by not seeing one. So a limit gets as many processes as it
//! takes to see a total violation, up to a multiple of its `effort`. A limit that needs more says how much it needs.
//!
//! A comparison that is on the way to a verdict gets more time as well. Its evidence is valid whenever one stops, so the
//! additional looks cost nothing of its error rates.

use std::time::Duration;

use super::open::{Judgement, Open};
use super::{Inquiry, Origin};
use crate::outcome::{LONGEST, MOST_TRIED, Needs};
use crate::quantity::{Quantity, Unit};
use crate::stats;
use crate::verdict::judge::Method;
use crate::verdict::{hypothesis, power};

/// How many times its `effort` a limit may take until a red is confirmed.
const TO_CONFIRM: u32 = 2;

/// How many times its `effort` a comparison may take that is on its way to a verdict: the values so far, taken again and again,
/// would settle it within [`LONGEST`] times its `effort`. Fewer would be too few to rely on, since the values so far may be
/// further from the verdict than those to come.
const TO_SETTLE: u32 = 3;

/// The most processes that are repeated to find out how many a limit needs. Twice those that it has are tried in any case.
const MOST_REPEATED: usize = 400;

/// The effort that is named is this many times what the values so far would need, since the values to come differ from them.
const MARGIN: f64 = 1.5;

/// The reason why a limit is measured beyond its `effort`, in figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extension {
    /// How many processes the limit has.
    pub processes: usize,
    /// How many processes it takes.
    pub needed: usize,
    /// What it takes them for.
    pub purpose: Purpose,
    /// The longest time that the limit may take.
    pub most: Duration,
}

/// What a limit is measured beyond its `effort` for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To be able to see any violation.
    See,
    /// To settle a comparison, which so many pairs are likely to do.
    Settle,
}

impl Inquiry {
    /// Whether there is no more time for a limit that is not settled.
    pub(super) fn is_spent_on(&self, open: &Open) -> bool {
        self.is_effort_spent() && self.extension(open).is_none()
    }

    /// Whether the usual time is up.
    pub(super) fn is_effort_spent(&self) -> bool {
        self.origin == Origin::Record || self.seen.spent >= self.rules.effort
    }

    /// Whether a red that waits to be confirmed has waited long enough.
    pub(super) fn is_confirmation_spent(&self, open: &Open) -> bool {
        self.seen.spent >= self.rules.effort * TO_CONFIRM && self.extension(open).is_none()
    }

    /// Returns the extension of an open limit that is measured beyond its `effort`, to report it.
    pub fn extended(&self) -> Option<Extension> {
        if !self.is_effort_spent() {
            return None;
        }
        self.open.iter().find_map(|open| self.extension(open))
    }

    fn extension(&self, open: &Open) -> Option<Extension> {
        self.extension_to_see(open).or_else(|| self.extension_to_settle(open))
    }

    fn extension_to_see(&self, open: &Open) -> Option<Extension> {
        let most = self.rules.effort * LONGEST;
        let (processes, needed) = (open.processes(), self.needed(open)?);
        // There is no point in waiting for a number of processes that cannot be reached.
        let is_extended = processes < needed && self.is_reachable(needed - processes);
        is_extended.then_some(Extension { processes, needed, purpose: Purpose::See, most })
    }

    fn extension_to_settle(&self, open: &Open) -> Option<Extension> {
        let Judgement::Statistical(judge) = &open.judgement else { return None };
        let most = self.rules.effort * TO_SETTLE;
        if !open.is_relative() || self.seen.spent >= most || self.can_only_be_layout(open) {
            return None;
        }
        let processes = judge.processes();
        if open.likely.get() <= processes {
            let longest = (self.rules.effort * LONGEST).as_secs_f64();
            let most = self.processes_within(open, longest);
            open.likely.set(power::processes_to_settle(judge, most).unwrap_or(0));
        }
        let needed = open.likely.get();
        let is_extended = processes < needed;
        is_extended.then_some(Extension { processes, needed, purpose: Purpose::Settle, most })
    }

    /// Whether a ratio is over its limit and more pairs would only show that layout may be the reason.
    fn can_only_be_layout(&self, open: &Open) -> bool {
        let is_over = open.value().is_some_and(|value| open.against().is_over(value));
        is_over && self.may_be_layout(open)
    }

    /// Whether there is time for so many more processes.
    fn is_reachable(&self, more: usize) -> bool {
        let seconds = self.seen.shortest.as_secs_f64() * more as f64;
        let most = self.rules.effort * LONGEST;
        self.seen.spent.as_secs_f64() + seconds <= most.as_secs_f64()
    }

    /// Returns what it takes to see an open limit broken, where it cannot be measured for so long.
    pub(super) fn unreachable(&self, open: &Open) -> Option<Needs> {
        let (needed, _) = self.lacking(open)?;
        // By the shortest process: those of this run may have been slow by chance.
        let seconds = self.seen.shortest.as_secs_f64() * needed as f64;
        let most = self.rules.effort * LONGEST;
        (seconds > most.as_secs_f64()).then_some(Needs { processes: needed, seconds })
    }

    /// Returns how many processes it takes to see a violation, or to compare a value that has not varied; `None` for a
    /// value that is deterministic or recorded.
    pub(super) fn needed(&self, open: &Open) -> Option<usize> {
        let Judgement::Statistical(judge) = &open.judgement else { return None };
        if self.origin == Origin::Record || judge.processes() == 0 {
            return None;
        }
        if let Some(needed) = open.needed_to_compare() {
            return Some(needed);
        }
        let values = judge.values().len() / judge.processes();
        let fewest = || {
            let hypothesis = hypothesis::of_limit(&open.pending.limit, judge.levels());
            let to_pass =
                if hypothesis.method == Method::Share { stats::FEWEST_TO_PASS } else { 0 };
            let fewest = power::fewest_processes(hypothesis, open.pending.carried, values)?;
            Some(fewest.max(to_pass))
        };
        *open.fewest.get_or_init(fewest)
    }

    /// Returns the effort in seconds that would settle an open limit, if the values to come are like those so far. At most
    /// [`MOST_TRIED`] times the effort of the run is tried. `None` if none of these would settle it, or if no more processes
    /// can be measured.
    pub(super) fn effort_to_settle(&self, open: &Open) -> Option<f64> {
        let Judgement::Statistical(judge) = &open.judgement else { return None };
        let processes = judge.processes();
        if self.origin == Origin::Record || processes == 0 {
            return None;
        }
        if let Some((_, effort)) = self.lacking(open) {
            return Some(effort);
        }
        let longest = self.rules.effort.as_secs_f64() * MOST_TRIED as f64;
        let reachable = self.processes_within(open, longest);
        let most = reachable.clamp(processes, MOST_REPEATED.max(2 * processes));
        let needed = power::processes_to_settle(judge, most)?;
        let own = self.seconds_of_process(open);
        Some((own * needed as f64 * MARGIN).max(self.rules.effort.as_secs_f64()).ceil())
    }

    /// Returns how many processes of a limit so many seconds are enough for, as far as there are links for them.
    fn processes_within(&self, open: &Open, seconds: f64) -> usize {
        let processes = (seconds / self.seconds_of_process(open)) as usize;
        processes.min(self.seen.links.most_pairs(self.rules.links))
    }

    /// Returns how long a process of a limit took on average.
    fn seconds_of_process(&self, open: &Open) -> f64 {
        self.seen.spent.as_secs_f64() / open.processes().max(1) as f64
    }

    /// Returns how many processes a limit needs if it had too few to see any violation, and the effort in seconds that brings
    /// them; `None` if it had enough.
    fn lacking(&self, open: &Open) -> Option<(usize, f64)> {
        let needed = self.needed(open).filter(|&needed| open.processes() < needed)?;
        let seconds = self.seconds_of_process(open) * needed as f64;
        Some((needed, (seconds / f64::from(LONGEST)).ceil().max(1.0)))
    }

    /// Returns a sentence about the processes that a limit lacks if it had too few to see any violation; `None` if it had
    /// enough.
    pub(super) fn shortfall(&self, open: &Open) -> Option<String> {
        let (needed, effort) = self.lacking(open)?;
        Some(format!(
            "any violation takes {needed} processes to be seen, and at {} each there was time for {}: \
             give it `effort = \"{effort} s\"` or more, or a shorter operation",
            Quantity::new(self.seconds_of_process(open), Unit::Seconds),
            open.processes(),
        ))
    }
}
