//! A measurement, from its start to its last outcome: a source of readings, and the limits that are judged by them.

use std::time::{Duration, Instant};

use perf_budget_core::enforce::{Extension, Inquiry, Origin, PendingLimit, Rules};
use perf_budget_core::outcome::{Outcome, Unmeasured};

use crate::inject::Injection;
use crate::meter::Source;

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
    pub(super) is_capped: bool,
}

impl Measurement {
    /// Returns a measurement without a reading yet.
    pub(super) fn new(
        source: Box<dyn Source>,
        limits: Vec<PendingLimit>,
        rules: Rules,
        purpose: Purpose,
    ) -> Self {
        let origin = if source.is_recorded() { Origin::Record } else { Origin::Measured };
        let inquiry = Inquiry::new(limits, rules, origin);
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
    pub(super) fn extended(&self) -> Option<Extension> {
        self.inquiry.extended()
    }

    /// Returns how many processes are needed to rule out that an open limit on counts is exceeded by chance; `None` if no such
    /// limit is open.
    pub(super) fn ruling_out_chance(&self) -> Option<usize> {
        self.inquiry.ruling_out_chance()
    }

    /// Ends the measurement with the readings so far, because the time for all measurements is used up.
    pub(super) fn cut_off(&mut self, reason: &Unmeasured) {
        self.inquiry.cut_off(reason);
    }

    /// Ends the measurement, and makes every open limit unmeasured for this reason.
    pub(super) fn abandon(&mut self, reason: &Unmeasured) {
        self.inquiry.abandon(reason);
    }

    /// Returns what has to be made before the next turn, in words. `None` if nothing is missing.
    pub(super) fn pending_preparation(&self) -> Option<String> {
        self.source.pending_preparation()
    }

    /// Makes what `pending_preparation` names.
    pub(super) fn prepare(&mut self) {
        self.source.prepare();
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
