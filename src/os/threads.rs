//! The threads of this process.

use std::sync::Mutex;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_are_started_and_are_gone_afterwards() {
        assert!(can_start(0) && can_start(1) && can_start(5));
    }
}
