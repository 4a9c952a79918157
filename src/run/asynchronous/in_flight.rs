//! Futures of one kind that run beside each other on one task, each polled only when it was woken.
//!
//! Apart because it knows neither operations nor schedules. Spawning them instead would ask of
//! operations that they own all they use, and add the executor's queue to what is measured.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// Futures in so many places, which are used again.
pub(super) struct InFlight<F> {
    places: Vec<Pin<Box<Option<F>>>>,
    /// Wakes the future of a place, whichever it is.
    wakers: Vec<Waker>,
    vacant: Vec<usize>,
    room: usize,
    /// Places that were woken and are polled in this round.
    round: Vec<usize>,
    woken: Arc<Woken>,
}

/// Places that were woken, and the task that polls them.
#[derive(Default)]
struct Woken(Mutex<(Vec<usize>, Option<Waker>)>);

struct Bell {
    place: usize,
    woken: Arc<Woken>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        let task = self.woken.with(|(places, task)| {
            places.push(self.place);
            task.take()
        });
        if let Some(task) = task {
            task.wake();
        }
    }
}

impl Woken {
    fn with<T>(&self, act: impl FnOnce(&mut (Vec<usize>, Option<Waker>)) -> T) -> T {
        // Nothing that panics is done under the lock.
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<F: Future> InFlight<F> {
    /// Room for `room` futures.
    pub(super) fn new(room: usize) -> Self {
        InFlight {
            places: Vec::new(),
            wakers: Vec::new(),
            vacant: Vec::new(),
            room,
            round: Vec::new(),
            woken: Arc::default(),
        }
    }

    pub(super) fn has_room(&self) -> bool {
        self.len() < self.room
    }

    /// Whether there was no room before the last one ended.
    pub(super) fn was_full(&self) -> bool {
        self.len() + 1 == self.room
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn len(&self) -> usize {
        self.places.len() - self.vacant.len()
    }

    /// Takes in a future, which is polled the next time that any is.
    pub(super) fn start(&mut self, future: F) {
        let place = self.vacant.pop().unwrap_or_else(|| {
            let place = self.places.len();
            self.places.push(Box::pin(None));
            let woken = Arc::clone(&self.woken);
            self.wakers.push(Arc::new(Bell { place, woken }).into());
            place
        });
        self.places[place].set(Some(future));
        self.woken.with(|(places, _)| places.push(place));
    }

    /// The output of one that has ended.
    ///
    /// What is woken while a round is polled waits for the next one, before which the task lets go once: a future that
    /// has used up the budget tokio gives a task wakes itself at once, and is not given more before that.
    pub(super) fn poll_ended(&mut self, cx: &mut Context<'_>) -> Poll<F::Output> {
        if self.round.is_empty() {
            self.woken.with(|(places, _)| self.round.append(places));
        }
        while let Some(place) = self.round.pop() {
            // One that has ended may have been woken too.
            let Some(future) = self.places[place].as_mut().as_pin_mut() else { continue };
            let polled = future.poll(&mut Context::from_waker(&self.wakers[place]));
            if let Poll::Ready(output) = polled {
                self.places[place].set(None);
                self.vacant.push(place);
                return Poll::Ready(output);
            }
        }
        let is_more = self.woken.with(|(places, task)| {
            *task = Some(cx.waker().clone());
            !places.is_empty()
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
            // In the place of the one that ended.
            let c = start(&mut in_flight);
            assert_eq!(in_flight.places.len(), 2);
            assert_eq!(poll_fn(|cx| in_flight.poll_ended(cx)).await, Ok(1));
            drop(c);
            assert!(poll_fn(|cx| in_flight.poll_ended(cx)).await.is_err());
            assert!(in_flight.is_empty() && !in_flight.was_full());
        });
    }

    #[test]
    fn one_that_wakes_itself_is_polled_once_a_round() {
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
        // As with a runtime of several threads: polled from a thread that is none of its own, where who has no budget
        // left is not put off but woken at once.
        let (ends, all): (Vec<_>, Vec<_>) = (0..1000).map(|_| oneshot::channel::<u8>()).unzip();
        for ended in all {
            in_flight.start(ended);
        }
        for end in ends {
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
