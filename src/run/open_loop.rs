//! The loop that starts operations when they are due, by a schedule that does not wait for earlier operations.
//!
//! It is apart from `drive`, whose loop starts an operation when the one before has ended. The inputs are made before
//! the schedule begins, so that making them delays no operation.

use std::hint::spin_loop;
use std::time::{Duration, Instant};

use super::drive::{Failures, Operation, Outcome, hide_from_optimizer};
use crate::instrument::load::arrivals::{Arrivals, Span};

/// The most by which a sleeping thread may wake up late. The last part of a wait, of this length, is spent polling the
/// clock instead.
const OVERSLEPT: Duration = Duration::from_micros(300);

/// The clock of a schedule, in seconds from its beginning; a test scripts it.
pub(super) trait Clock {
    fn now(&self) -> f64;

    /// Waits until `due`; returns at once if that has passed.
    fn wait(&self, due: f64);
}

/// The clock of the machine.
pub(super) struct Monotonic(Instant);

impl Monotonic {
    pub(super) fn start() -> Self {
        Monotonic(Instant::now())
    }

    /// Returns the moment that is `due` seconds after the beginning.
    pub(super) fn instant(&self, due: f64) -> Instant {
        self.0 + Duration::from_secs_f64(due)
    }
}

impl Clock for Monotonic {
    fn now(&self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }

    fn wait(&self, due: f64) {
        let due = self.instant(due);
        let left = due.saturating_duration_since(Instant::now());
        if let Some(early) = left.checked_sub(OVERSLEPT) {
            std::thread::sleep(early);
        }
        while Instant::now() < due {
            spin_loop();
        }
    }
}

/// Runs operations one at a time. An operation that is due before the last one has ended waits for it.
pub(super) fn arrive<K: Outcome<O>, C: Clock, I, O>(
    arrivals: &mut Arrivals,
    failures: &mut Failures,
    start: impl FnOnce() -> C,
    mut setup: impl FnMut() -> I,
    mut op: impl Operation<I, O>,
) {
    let inputs: Vec<I> = (0..arrivals.len()).map(|_| hide_from_optimizer(setup())).collect();
    let clock = start();
    let mut free = 0.0;
    for (n, input) in inputs.into_iter().enumerate() {
        if arrivals.is_overloaded(free) {
            return arrivals.give_up(n, free);
        }
        clock.wait(arrivals.due(n));
        let mut span = Span { free, started: 0.0, ended: 0.0 };
        let before = |span: &mut Span| span.started = clock.now();
        let output = op.run_once(input, &mut span, before, |span| span.ended = clock.now());
        let failed = failures.observe::<K, O>(&output) > 0;
        drop(output);
        arrivals.record(n, span, failed);
        free = clock.now();
        if failures.ended() {
            return;
        }
    }
}

#[cfg(test)]
#[path = "open_loop_tests.rs"]
mod tests;
