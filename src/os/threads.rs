//! The threads of this process.

/// Whether this process has one thread; false if the system does not tell.
pub(crate) fn is_only_thread() -> bool {
    std::fs::read_dir("/proc/self/task").is_ok_and(|threads| threads.count() == 1)
}
