//! Futures of one type that run beside each other on one task, and each of which is polled only when it was woken.
//!
//! This is apart because it knows neither operations nor schedules. To spawn the futures instead would require that
//! operations own everything they use, and would add the executor's queue to what is measured.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// A set of futures in slots, which are reused.
pub(super) struct InFlight<F> {
    slots: Vec<Pin<Box<Option<F>>>>,
    /// The waker of each slot, which wakes whatever future is in it.
    wakers: Vec<Waker>,
    vacant: Vec<usize>,
    capacity: usize,
    /// The slots that were woken and are polled in this round.
    round: Vec<usize>,
    woken: Arc<WokenSlots>,
}

/// The slots that were woken, and the task that polls them.
#[derive(Default)]
struct WokenSlots(Mutex<(Vec<usize>, Option<Waker>)>);

/// The waker of one slot.
struct SlotWaker {
    slot: usize,
    woken: Arc<WokenSlots>,
}

impl Wake for SlotWaker {
    fn wake(self: Arc<Self>) {
        let task = self.woken.with(|(slots, task)| {
            slots.push(self.slot);
            task.take()
        });
        if let Some(task) = task {
            task.wake();
        }
    }
}

impl WokenSlots {
    fn with<T>(&self, act: impl FnOnce(&mut (Vec<usize>, Option<Waker>)) -> T) -> T {
        // Nothing that panics is done under the lock.
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<F: Future> InFlight<F> {
    /// Makes a set with room for `capacity` futures.
    pub(super) fn new(capacity: usize) -> Self {
        InFlight {
            slots: Vec::new(),
            wakers: Vec::new(),
            vacant: Vec::new(),
            capacity,
            round: Vec::new(),
            woken: Arc::default(),
        }
    }

    pub(super) fn has_room(&self) -> bool {
        self.len() < self.capacity
    }

    /// Whether there was no room before the last future ended.
    pub(super) fn was_full(&self) -> bool {
        self.len() + 1 == self.capacity
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn len(&self) -> usize {
        self.slots.len() - self.vacant.len()
    }

    /// Adds a future, which is polled the next time that any is.
    pub(super) fn start(&mut self, future: F) {
        let slot = self.vacant.pop().unwrap_or_else(|| {
            let slot = self.slots.len();
            self.slots.push(Box::pin(None));
            let woken = Arc::clone(&self.woken);
            self.wakers.push(Arc::new(SlotWaker { slot, woken }).into());
            slot
        });
        self.slots[slot].set(Some(future));
        self.woken.with(|(slots, _)| slots.push(slot));
    }

    /// Returns the output of a future that has ended.
    ///
    /// A future that is woken while a round is polled waits for the next round, and the task yields once before that.
    /// A future that has used up the budget that tokio gives a task wakes itself at once, and gets no new budget
    /// before the task has yielded.
    pub(super) fn poll_ended(&mut self, cx: &mut Context<'_>) -> Poll<F::Output> {
        if self.round.is_empty() {
            self.woken.with(|(slots, _)| self.round.append(slots));
        }
        while let Some(slot) = self.round.pop() {
            // A future that has ended may have been woken as well.
            let Some(future) = self.slots[slot].as_mut().as_pin_mut() else { continue };
            let polled = future.poll(&mut Context::from_waker(&self.wakers[slot]));
            if let Poll::Ready(output) = polled {
                self.slots[slot].set(None);
                self.vacant.push(slot);
                return Poll::Ready(output);
            }
        }
        let is_more = self.woken.with(|(slots, task)| {
            *task = Some(cx.waker().clone());
            !slots.is_empty()
        });
        if is_more {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::sync::oneshot;

    use super::*;

    #[test]
    fn futures_end_in_the_order_they_are_woken() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut in_flight = InFlight::new(2);
            let start = |in_flight: &mut InFlight<_>| {
                let (end, ended) = oneshot::channel::<u8>();
                in_flight.start(ended);
                end
            };
            let (a, b) = (start(&mut in_flight), start(&mut in_flight));
            assert!(!in_flight.has_room());
            tokio::spawn(async move {
                b.send(2).unwrap();
                tokio::task::yield_now().await;
                a.send(1).unwrap();
            });
            assert_eq!(poll_fn(|cx| in_flight.poll_ended(cx)).await, Ok(2));
            assert!(in_flight.has_room() && in_flight.was_full() && !in_flight.is_empty());
            // It is put in the slot of the future that ended.
            let c = start(&mut in_flight);
            assert_eq!(in_flight.slots.len(), 2);
            assert_eq!(poll_fn(|cx| in_flight.poll_ended(cx)).await, Ok(1));
            drop(c);
            assert!(poll_fn(|cx| in_flight.poll_ended(cx)).await.is_err());
            assert!(in_flight.is_empty() && !in_flight.was_full());
        });
    }

    #[test]
    fn a_future_that_wakes_itself_is_polled_once_a_round() {
        let mut polls = 0;
        let mut in_flight = InFlight::new(1);
        in_flight.start(poll_fn(|cx| {
            polls += 1;
            cx.waker().wake_by_ref();
            if polls < 3 { Poll::Pending } else { Poll::Ready(polls) }
        }));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(in_flight.poll_ended(&mut cx).is_pending());
        assert!(in_flight.poll_ended(&mut cx).is_pending());
        assert_eq!(in_flight.poll_ended(&mut cx), Poll::Ready(3));
    }

    #[test]
    fn more_end_at_once_than_a_task_has_budget_for() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let mut in_flight = InFlight::new(1000);
        // As on a runtime of several threads, the futures are polled from a thread that is not the runtime's own.
        // There a future that has no budget left is woken at once rather than put off.
        let (senders, receivers): (Vec<_>, Vec<_>) =
            (0..1000).map(|_| oneshot::channel::<u8>()).unzip();
        for ended in receivers {
            in_flight.start(ended);
        }
        for end in senders {
            end.send(1).unwrap();
        }
        runtime.handle().block_on(async {
            for _ in 0..1000 {
                assert_eq!(poll_fn(|cx| in_flight.poll_ended(cx)).await, Ok(1));
            }
        });
        assert!(in_flight.is_empty());
    }
}
