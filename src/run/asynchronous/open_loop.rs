//! The loops that start asynchronous operations when they are due: one at a time, and several in flight.

use std::future::poll_fn;
use std::hint::black_box;
use std::pin::pin;
use std::task::Poll;

use super::in_flight::InFlight;
use super::timer::until;
use crate::instrument::load::arrivals::{Arrivals, Span};
use crate::run::drive::{Failures, Outcome, hide_from_optimizer};
use crate::run::open_loop::{Clock as _, Monotonic};

/// Runs operations one after the other, each when it is due.
pub(super) async fn arrive<K: Outcome<O>, I, O>(
    arrivals: &mut Arrivals,
    failures: &mut Failures,
    mut setup: impl AsyncFnMut() -> I,
    mut op: impl AsyncFnMut(I) -> O,
) {
    let mut inputs = Vec::with_capacity(arrivals.len());
    for _ in 0..arrivals.len() {
        inputs.push(hide_from_optimizer(setup().await));
    }
    let clock = Monotonic::start();
    let mut free = 0.0;
    for (n, input) in inputs.into_iter().enumerate() {
        if arrivals.is_overloaded(free) {
            return arrivals.give_up(n, free);
        }
        until(clock.instant(arrivals.due(n))).await;
        let started = clock.now();
        let output = black_box(op(input).await);
        let ended = clock.now();
        let failed = failures.observe::<K, O>(&output) > 0;
        drop(output);
        arrivals.record(n, Span { free, started, ended }, failed);
        free = clock.now();
        if failures.ended() {
            return;
        }
    }
}

/// Runs operations beside each other, as many as may be in flight. An operation that is due while there is no room
/// waits until another one has ended.
pub(super) async fn arrive_concurrently<K: Outcome<O>, O>(
    arrivals: &mut Arrivals,
    failures: &mut Failures,
    op: impl AsyncFn() -> O,
) {
    let clock = Monotonic::start();
    let (clock, op) = (&clock, &op);
    // This is declared after the clock, because the futures in it borrow the clock.
    let mut in_flight = InFlight::new(arrivals.concurrency());
    let (mut next, mut free) = (0, 0.0);
    while !failures.ended() {
        if next < arrivals.len() && arrivals.is_overloaded(clock.now()) {
            arrivals.give_up(next, clock.now());
            next = arrivals.len();
        }
        let due = (next < arrivals.len()).then(|| clock.instant(arrivals.due(next)));
        if due.is_none() && in_flight.is_empty() {
            return;
        }
        let due = due.filter(|_| in_flight.has_room());
        let mut pause = pin!(async {
            match due {
                Some(due) => until(due).await,
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
                let failed = failures.observe::<K, O>(&output) > 0;
                drop(output);
                arrivals.record(n, span, failed);
                if in_flight.was_full() {
                    free = clock.now();
                }
            }
        }
    }
}
