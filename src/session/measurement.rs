//! One measurement on its way: a source that gives readings, and the limits that wait for them.

use std::time::{Duration, Instant};

use crate::enforce::source::Source;
use crate::enforce::{Asked, Inquiry, Origin, Rules};
use crate::meter::Unmeasured;
use crate::verdict::Outcome;

/// How long fresh processes keep away from the ones they confirm.
const APART: Duration = Duration::from_secs(1);

/// The limits that share a source. This keeps the only clock of judgement: how long a red waits before fresh
/// processes confirm it.
pub(super) struct Measurement {
    source: Box<dyn Source>,
    inquiry: Inquiry,
    suspect_since: Option<Instant>,
}

impl Measurement {
    /// Nothing measured yet.
    pub(super) fn new(source: Box<dyn Source>, asked: Vec<Asked>, rules: Rules) -> Self {
        let origin = if source.is_recorded() { Origin::Record } else { Origin::Measured };
        Measurement { source, inquiry: Inquiry::new(asked, rules, origin), suspect_since: None }
    }

    /// The outcomes so far, in the order they were reached.
    pub(super) fn outcomes(&self) -> &[Outcome] {
        self.inquiry.outcomes()
    }

    /// Whether every limit has its outcome.
    pub(super) fn is_done(&self) -> bool {
        self.inquiry.is_done()
    }

    /// How long it has measured, and how many readings the most-measured open limit has.
    pub(super) fn progress(&self) -> (Duration, usize) {
        self.inquiry.progress()
    }

    /// How long to wait before the next process may confirm a red; zero otherwise.
    pub(super) fn pause(&self) -> Duration {
        self.suspect_since.map_or(Duration::ZERO, |since| APART.saturating_sub(since.elapsed()))
    }

    /// Gives up: every open limit is unmeasured, for this reason.
    pub(super) fn abandon(&mut self, reason: &Unmeasured) {
        self.inquiry.abandon(reason);
    }

    /// Takes one turn: measures, once or for a burst, and judges after every reading.
    pub(super) fn step(&mut self) {
        let began = self.inquiry.progress().0;
        let burst = self.source.burst();
        loop {
            self.inquiry.add(self.source.fork());
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
