//! The threads of this process.

use std::panic::resume_unwind;
use std::sync::{Mutex, PoisonError};
use std::thread::{Builder, scope};

/// Whether this process has one thread; false if the system does not tell.
pub(crate) fn is_only_thread() -> bool {
    std::fs::read_dir("/proc/self/task").is_ok_and(|threads| threads.count() == 1)
}

/// Whether the system starts this many threads that live at the same time: a container may have few.
pub(crate) fn can_start(count: usize) -> bool {
    let gate = Mutex::new(());
    let closed = gate.lock();
    scope(|scope| {
        // Each thread lives until the gate is opened.
        let wait = || drop(gate.lock());
        let can = (0..count).all(|_| Builder::new().spawn_scoped(scope, wait).is_ok());
        drop(closed);
        can
    })
}

/// Runs `work` in this many threads at once, this thread included; in fewer, if the system does not start so many.
pub(crate) fn at_once(count: usize, work: impl Fn() + Sync) {
    scope(|scope| {
        let start = |_| Builder::new().spawn_scoped(scope, &work).ok();
        let started: Vec<_> = (1..count).map_while(start).collect();
        work();
        for thread in started {
            thread.join().unwrap_or_else(|panic| resume_unwind(panic));
        }
    });
}

/// Does two things at the same time, `beside` in a thread of its own and `here` in this one. If the system starts no thread,
/// they are done one after the other. The first result is an error if its thread panicked.
pub(crate) fn both<A: Send, B>(
    beside: impl FnOnce() -> A + Send,
    here: impl FnOnce() -> B,
) -> (std::thread::Result<A>, B) {
    let beside = Mutex::new(Some(beside));
    let take = || beside.lock().unwrap_or_else(PoisonError::into_inner).take();
    let run = || take().map(|work| work());
    let (done, here) = scope(|scope| {
        let thread = Builder::new().spawn_scoped(scope, run);
        let here = here();
        let done = match thread {
            Ok(thread) => thread.join(),
            Err(_) => Ok(run()),
        };
        (done, here)
    });
    (done.map(|done| done.expect("only one of the two takes it")), here)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn threads_are_started_and_are_gone_afterwards() {
        assert!(can_start(0) && can_start(1) && can_start(5));
    }

    #[test]
    fn work_is_done_by_this_thread_too() {
        for (count, want) in [(0, 1), (1, 1), (4, 4)] {
            let calls = AtomicUsize::new(0);
            at_once(count, || {
                calls.fetch_add(1, Ordering::Relaxed);
            });
            assert_eq!(calls.into_inner(), want);
        }
    }

    #[test]
    fn two_things_are_done_and_a_panic_of_the_first_is_an_error() {
        let (beside, here) = both(|| 1, || 2);
        assert_eq!((beside.unwrap(), here), (1, 2));
        let (beside, here) = both::<u32, u32>(|| panic!("beside"), || 2);
        assert!(beside.is_err() && here == 2);
    }
}
