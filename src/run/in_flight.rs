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
        let woken = Arc::default();
        InFlight { places: Vec::new(), wakers: Vec::new(), vacant: Vec::new(), room, woken }
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
    pub(super) fn poll_ended(&mut self, cx: &mut Context<'_>) -> Poll<F::Output> {
        loop {
            let place = self.woken.with(|(places, task)| {
                let place = places.pop();
                if place.is_none() {
                    *task = Some(cx.waker().clone());
                }
                place
            });
            let Some(place) = place else { return Poll::Pending };
            // One that has ended may have been woken too.
            let Some(future) = self.places[place].as_mut().as_pin_mut() else { continue };
            let polled = future.poll(&mut Context::from_waker(&self.wakers[place]));
            if let Poll::Ready(output) = polled {
                self.places[place].set(None);
                self.vacant.push(place);
                return Poll::Ready(output);
            }
        }
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
}
