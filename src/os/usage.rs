//! What the process used: processor time and context switches, of all its threads.
//!
//! Apart from `clock` because it counts the whole process, and because not every system has it.

#[cfg(target_os = "linux")]
use super::kernel;
#[cfg(unix)]
use super::kernel::{Clock, Who, clock, duration, resources};

/// What the process had used at one moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    /// Processor seconds of all threads, living and gone.
    process: f64,
    /// Context switches of all threads, of either kind.
    switches: u64,
}

impl Usage {
    /// `None` where the system does not say.
    pub(crate) fn now() -> Option<Self> {
        let process = process_seconds()?;
        Some(Usage { process, switches: switches()? })
    }

    /// Processor seconds and context switches since `before`.
    pub(crate) fn since(&self, before: &Usage) -> (f64, u64) {
        (self.process - before.process, self.switches.saturating_sub(before.switches))
    }
}

/// What tells whether the calling thread worked alone and undisturbed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Company {
    /// Processor seconds of other threads of the process, of its children that have ended, and on Linux
    /// of those below it that live: a server that the workload has started.
    pub(crate) others: f64,
    /// Involuntary context switches of this thread; `None` where unknown.
    pub(crate) preempted: Option<u64>,
}

impl Company {
    /// `None` where the system does not say.
    pub(crate) fn now() -> Option<Self> {
        let own = thread_seconds()?;
        let others = process_seconds()? - own + children_seconds()? + living_seconds();
        Some(Company { others, preempted: preempted() })
    }
}

/// Processor seconds of this process and of everything it started that has ended and was waited for,
/// whoever below it did the waiting; `None` where the system does not say.
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

/// Processor seconds of the living processes below this one. Asking costs a system call where there are
/// none, as nearly always.
#[cfg(target_os = "linux")]
fn living_seconds() -> f64 {
    fn below(process: &str) -> f64 {
        let tasks =
            std::fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
        let children =
            tasks.filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
        let one = |pid: &str| {
            let clock = pid.parse().ok().and_then(kernel::processor_clock);
            let own = clock.and_then(kernel::clock_of).unwrap_or_default();
            own.as_secs_f64() + below(pid)
        };
        children.map(|pids| pids.split_ascii_whitespace().map(one).sum::<f64>()).sum()
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
