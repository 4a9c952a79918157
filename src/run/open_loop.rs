//! The loops that start operations when they are due, whatever became of those before: one at a time,
//! plain and asynchronous, and several in flight.
//!
//! Apart from `drive`, whose loops start an operation when the one before has ended. Inputs are made
//! before the schedule begins, so that making them delays no operation.

use std::future::poll_fn;
use std::hint::{black_box, spin_loop};
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use super::drive::{Failures, Outcome, opaque};
use super::in_flight::InFlight;
use crate::meter::arrivals::{Arrivals, Span};

/// A thread that sleeps may wake up so much later, and works through that instead.
const OVERSLEPT: Duration = Duration::from_micros(300);

/// The clock of a schedule, in seconds from its beginning; a test scripts it.
pub(super) trait Clock {
    fn now(&self) -> f64;

    /// Returns at `due`, or at once where that is past.
    fn wait(&self, due: f64);
}

/// The machine's.
pub(super) struct Monotonic(Instant);

impl Monotonic {
    pub(super) fn start() -> Self {
        Monotonic(Instant::now())
    }

    pub(super) fn at(&self, due: f64) -> Instant {
        self.0 + Duration::from_secs_f64(due)
    }
}

impl Clock for Monotonic {
    fn now(&self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }

    fn wait(&self, due: f64) {
        let due = self.at(due);
        let left = due.saturating_duration_since(Instant::now());
        if let Some(early) = left.checked_sub(OVERSLEPT) {
            std::thread::sleep(early);
        }
        while Instant::now() < due {
            spin_loop();
        }
    }
}

/// Runs operations one at a time: one that is due before the last has ended waits for it.
pub(super) fn arrive<K: Outcome<O>, C: Clock, I, O>(
    arrivals: &mut Arrivals,
    failures: &mut Failures,
    start: impl FnOnce() -> C,
    mut setup: impl FnMut() -> I,
    mut op: impl FnMut(I) -> O,
) {
    let inputs: Vec<I> = (0..arrivals.len()).map(|_| opaque(setup())).collect();
    let clock = start();
    let mut free = 0.0;
    for (n, input) in inputs.into_iter().enumerate() {
        if arrivals.is_hopeless(free) {
            return arrivals.give_up(n, free);
        }
        clock.wait(arrivals.due(n));
        let started = clock.now();
        let output = black_box(op(input));
        let ended = clock.now();
        let failed = failures.take::<K, O>(&output) > 0;
        drop(output);
        arrivals.record(n, Span { free, started, ended }, failed);
        free = clock.now();
        if failures.ended() {
            return;
        }
    }
}

/// The same for asynchronous operations.
pub(super) async fn arrive_async<K: Outcome<O>, I, O>(
    arrivals: &mut Arrivals,
    failures: &mut Failures,
    mut setup: impl AsyncFnMut() -> I,
    mut op: impl AsyncFnMut(I) -> O,
) {
    let mut inputs = Vec::with_capacity(arrivals.len());
    for _ in 0..arrivals.len() {
        inputs.push(opaque(setup().await));
    }
    let clock = Monotonic::start();
    let mut free = 0.0;
    for (n, input) in inputs.into_iter().enumerate() {
        if arrivals.is_hopeless(free) {
            return arrivals.give_up(n, free);
        }
        super::until(clock.at(arrivals.due(n))).await;
        let started = clock.now();
        let output = black_box(op(input).await);
        let ended = clock.now();
        let failed = failures.take::<K, O>(&output) > 0;
        drop(output);
        arrivals.record(n, Span { free, started, ended }, failed);
        free = clock.now();
        if failures.ended() {
            return;
        }
    }
}

/// Runs operations beside each other, as many as may be in flight: one that is due while there is no
/// room waits until one has ended.
pub(super) async fn arrive_beside<K: Outcome<O>, O>(
    arrivals: &mut Arrivals,
    failures: &mut Failures,
    op: impl AsyncFn() -> O,
) {
    let clock = Monotonic::start();
    let (clock, op) = (&clock, &op);
    // It holds what borrows the clock.
    let mut in_flight = InFlight::new(arrivals.concurrency());
    let (mut next, mut free) = (0, 0.0);
    while !failures.ended() {
        if next < arrivals.len() && arrivals.is_hopeless(clock.now()) {
            arrivals.give_up(next, clock.now());
            next = arrivals.len();
        }
        let due = (next < arrivals.len()).then(|| clock.at(arrivals.due(next)));
        if due.is_none() && in_flight.is_empty() {
            return;
        }
        let due = due.filter(|_| in_flight.has_room());
        let mut pause = pin!(async {
            match due {
                Some(due) => super::until(due).await,
                None => std::future::pending().await,
            }
        });
        let ended = poll_fn(|cx| match pause.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(None),
            Poll::Pending => in_flight.poll_ended(cx).map(Some),
        });
        match ended.await {
            None => {
                let (n, free) = (next, free);
                next += 1;
                in_flight.start(async move {
                    let started = clock.now();
                    let output = black_box(op().await);
                    (n, Span { free, started, ended: clock.now() }, output)
                });
            }
            Some((n, span, output)) => {
                let failed = failures.take::<K, O>(&output) > 0;
                drop(output);
                arrivals.record(n, span, failed);
                if in_flight.was_full() {
                    free = clock.now();
                }
            }
        }
    }
}

#[cfg(test)]
#[path = "open_loop_tests.rs"]
mod tests;
