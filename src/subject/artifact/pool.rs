//! Parallel work with a limit for the whole process: there are never more pieces of work at once than processors.
//!
//! All budgets that are measured at the same time share this limit. It limits memory as much as processor time, since
//! an encoder at its highest level takes some hundred megabytes.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, OnceLock, PoisonError};
use std::thread;

use crate::os::threads;

/// The most pieces of work at once. A machine with more processors would run out of memory first.
const MOST: usize = 8;

/// Calls `work` for each of `items`, in parallel. The results are in the order of the items.
pub(super) fn map<T: Sync, R: Send + Sync>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let mut results = Vec::new();
    results.resize_with(items.len(), OnceLock::new);
    run(items.len(), &|i| {
        let _ = results[i].set(work(&items[i]));
    });
    let result = |slot: OnceLock<R>| slot.into_inner().expect("every item was worked on");
    results.into_iter().map(result).collect()
}

/// Calls `work` with each number below `count`, in parallel.
fn run(count: usize, work: &(dyn Fn(usize) + Sync)) {
    let next = AtomicUsize::new(0);
    let worker = || {
        loop {
            let i = next.fetch_add(1, Ordering::Relaxed);
            if i >= count {
                return;
            }
            let _slot = Slot::take();
            work(i);
        }
    };
    threads::at_once(thread_count().min(count), worker);
}

fn thread_count() -> usize {
    thread::available_parallelism().map_or(1, usize::from).min(MOST)
}

static TAKEN: Mutex<usize> = Mutex::new(0);
static FREED: Condvar = Condvar::new();

/// A slot, which a thread holds while it works. It is given back when it is dropped.
struct Slot;

impl Slot {
    fn take() -> Slot {
        // Nothing can panic while the lock is held, so the count is right even if the lock is poisoned.
        let taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
        let free = FREED.wait_while(taken, |taken| *taken >= thread_count());
        *free.unwrap_or_else(PoisonError::into_inner) += 1;
        Slot
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        *TAKEN.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        FREED.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_keep_the_order_of_the_items_and_work_keeps_the_limit() {
        let (running, highest) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let items: Vec<usize> = (0..500).collect();
        let doubled = map(&items, |&item| {
            highest.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            thread::yield_now();
            running.fetch_sub(1, Ordering::SeqCst);
            item * 2
        });
        assert_eq!(doubled, items.iter().map(|i| i * 2).collect::<Vec<_>>());
        assert!((1..=thread_count()).contains(&highest.into_inner()));
    }

    #[test]
    fn a_panic_gives_its_slot_back() {
        for _ in 0..3 * MOST {
            std::panic::catch_unwind(|| map(&[()], |()| panic!("on purpose"))).unwrap_err();
        }
        assert_eq!(map(&[1], |&n| n), [1]);
    }
}
