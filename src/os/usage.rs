//! The processor time and the context switches that this process used, in all its threads.
//!
//! They are apart from `clock` because they count the whole process, and because not every system has them.

#[cfg(target_os = "linux")]
use super::kernel;
#[cfg(unix)]
use super::kernel::{Clock, Who, clock, duration, resources};

/// What the process had used at one moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    /// The processor seconds of all threads, including those that have ended.
    process: f64,
    /// The context switches of all threads, voluntary and involuntary.
    switches: u64,
}

impl Usage {
    /// Reads the usage now; returns `None` if the system does not report it.
    pub(crate) fn now() -> Option<Self> {
        let process = process_seconds()?;
        Some(Usage { process, switches: switches()? })
    }

    /// Returns the processor seconds and context switches since `before`.
    pub(crate) fn since(&self, before: &Usage) -> (f64, u64) {
        (self.process - before.process, self.switches.saturating_sub(before.switches))
    }
}

/// The counters that show whether the calling thread worked alone and was not preempted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Contention {
    /// The processor seconds of the process's other threads, of its children that have ended, and on Linux also of
    /// its living descendants, for example a server that the workload has started.
    pub(crate) others: f64,
    /// The involuntary context switches of this thread; `None` if they are not known.
    pub(crate) preempted: Option<u64>,
}

impl Contention {
    /// Reads the counters now; returns `None` if the system does not report them.
    pub(crate) fn now() -> Option<Self> {
        let own = thread_seconds()?;
        let others = process_seconds()? - own + children_seconds()? + living_seconds();
        Some(Contention { others, preempted: preempted() })
    }

    /// Returns the processor seconds of all others since `earlier`. The clocks are read one after the other, so the
    /// difference of two readings may be some hundred nanoseconds below zero; that is no work.
    pub(crate) fn others_since(&self, earlier: &Contention) -> f64 {
        (self.others - earlier.others).max(0.0)
    }
}

/// Returns the processor seconds of this process and of everything below it that has ended and was waited for, by any
/// process; `None` if the system does not report them.
#[cfg(target_os = "linux")]
pub(crate) fn tree_seconds() -> Option<f64> {
    Some(process_seconds()? + children_seconds()?)
}

#[cfg(unix)]
fn process_seconds() -> Option<f64> {
    clock(Clock::Process).map(|time| time.as_secs_f64())
}

#[cfg(unix)]
fn thread_seconds() -> Option<f64> {
    clock(Clock::Thread).map(|time| time.as_secs_f64())
}

#[cfg(unix)]
fn children_seconds() -> Option<f64> {
    let usage = resources(Who::Children)?;
    Some((duration(usage.ru_utime) + duration(usage.ru_stime)).as_secs_f64())
}

/// Returns the processor seconds of the living processes below this one. If there are none, as almost always, it
/// costs one system call.
#[cfg(target_os = "linux")]
fn living_seconds() -> f64 {
    fn below(process: &str) -> f64 {
        let Ok(tasks) = std::fs::read_dir(format!("/proc/{process}/task")) else { return 0.0 };
        let mut seconds = 0.0;
        for task in tasks {
            let Ok(task) = task else { continue };
            let children = std::fs::read_to_string(task.path().join("children"));
            for pid in children.unwrap_or_default().split_ascii_whitespace() {
                let clock = pid.parse().ok().and_then(kernel::processor_clock);
                let own = clock.and_then(kernel::clock_of).unwrap_or_default();
                seconds += own.as_secs_f64() + below(pid);
            }
        }
        seconds
    }
    if kernel::has_children() { below("self") } else { 0.0 }
}

#[cfg(not(target_os = "linux"))]
fn living_seconds() -> f64 {
    0.0
}

#[cfg(unix)]
fn switches() -> Option<u64> {
    let usage = resources(Who::Process)?;
    u64::try_from(usage.ru_nvcsw + usage.ru_nivcsw).ok()
}

#[cfg(target_os = "linux")]
fn preempted() -> Option<u64> {
    u64::try_from(resources(Who::Thread)?.ru_nivcsw).ok()
}

#[cfg(not(target_os = "linux"))]
fn preempted() -> Option<u64> {
    None
}

#[cfg(not(unix))]
fn process_seconds() -> Option<f64> {
    None
}

#[cfg(not(unix))]
fn thread_seconds() -> Option<f64> {
    None
}

#[cfg(not(unix))]
fn children_seconds() -> Option<f64> {
    None
}

#[cfg(not(unix))]
fn switches() -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The clocks are read one after the other, so that a turn in which nobody else worked may seem to last less than
    /// nothing. It is known that nobody worked, and not unknown.
    #[test]
    fn clocks_that_are_read_one_after_the_other_add_no_work_and_lose_none() {
        let at = |others| Contention { others, preempted: None };
        assert!(at(1.0 - 2e-7).others_since(&at(1.0)).to_bits() == 0);
        assert!((at(1.5).others_since(&at(1.0)) - 0.5).abs() < 1e-12);
    }
}
