//! How long a limit is measured that nothing settles: `effort`, and longer where that is too short to see anything.
//!
//! A limit that could not have been seen broken says nothing when it is not. So it has as many processes as a total
//! violation needs, up to so many times its `effort`; one that needs more says how much.

use std::time::Duration;

use super::open::{Judgement, Open};
use super::{Inquiry, Origin};
use crate::quantity::{Quantity, Unit};
use crate::verdict::{hypothesis, power};

/// So many times its `effort` a limit has to see a violation.
const LONGEST: u32 = 6;

/// So many times its `effort` a red has to be confirmed.
const TO_CONFIRM: u32 = 2;

/// What a limit waits for beyond its `effort`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extension {
    /// So many processes it has.
    pub processes: usize,
    /// So many a violation needs to be seen.
    pub needed: usize,
    /// So long it may take.
    pub most: Duration,
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

    /// What is said while an open limit has more than its `effort`.
    pub fn extended(&self) -> Option<Extension> {
        if !self.is_effort_spent() {
            return None;
        }
        self.open.iter().find_map(|open| self.extension(open))
    }

    fn extension(&self, open: &Open) -> Option<Extension> {
        let most = self.rules.effort * LONGEST;
        let (processes, needed) = (open.processes(), self.needed(open)?);
        // What cannot be reached is not waited for.
        let rest = u32::try_from(needed.saturating_sub(processes)).ok()?;
        let reachable = self.seen.spent + self.seen.shortest * rest <= most;
        (processes < needed && reachable).then_some(Extension { processes, needed, most })
    }

    /// How many processes it takes to see a violation; `None` of what is compared, or recorded.
    fn needed(&self, open: &Open) -> Option<usize> {
        let Judgement::Statistical(judge) = &open.judgement else { return None };
        if self.origin == Origin::Record || judge.processes() == 0 {
            return None;
        }
        let values = judge.values().len() / judge.processes();
        let hypothesis = || hypothesis::of(&open.asked.limit, judge.levels());
        let fewest = || power::fewest_processes(hypothesis(), open.asked.carried, values);
        *open.fewest.get_or_init(fewest)
    }

    /// What a limit would need that had too few processes to see any violation; `None` where it had enough.
    pub(super) fn shortfall(&self, open: &Open) -> Option<String> {
        let (processes, needed) = (open.processes(), self.needed(open)?);
        if processes >= needed {
            return None;
        }
        let seconds = self.seen.shortest.as_secs_f64();
        let effort = (seconds * needed as f64 / f64::from(LONGEST)).ceil().max(1.0);
        Some(format!(
            "any violation takes {needed} processes to be seen, and at {} each there was time for {processes}: \
             give it `effort = \"{effort} s\"` or more, or a shorter operation",
            Quantity::new(seconds, Unit::Seconds),
        ))
    }
}
