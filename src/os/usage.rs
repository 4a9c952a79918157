//! The processor time, the context switches and the page faults of this process, in all its threads.
//!
//! They are apart from `clock` because they count the whole process, and because not every system has them.

#[cfg(target_os = "linux")]
use super::kernel;
#[cfg(unix)]
use super::kernel::{Clock, ResourceOwner, clock, duration, resources};
use super::traffic::Traffic;

/// The resources that the process had used at one moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    /// The processor seconds of all threads, including those that have ended.
    process: f64,
    counts: Counts,
}

/// The system's counts of all threads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// The context switches, voluntary and involuntary.
    pub(crate) switches: u64,
    /// The page faults, of both kinds.
    pub(crate) faults: u64,
    /// Those of them that waited for a disk.
    pub(crate) major_faults: u64,
}

/// The resources that the process used between two moments.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Used {
    /// The processor seconds.
    pub(crate) cpu: f64,
    /// The system's counts.
    pub(crate) counts: Counts,
    /// The bytes that were read and written, if they were asked for.
    pub(crate) traffic: Option<Traffic>,
}

impl Usage {
    /// Reads the usage now; returns `None` if the system does not report it.
    pub(crate) fn now() -> Option<Self> {
        let process = process_seconds()?;
        Some(Usage { process, counts: counts()? })
    }

    /// Returns the page faults so far.
    #[cfg(target_os = "linux")]
    pub(crate) fn faults(&self) -> u64 {
        self.counts.faults
    }

    /// Returns what was used since `before`.
    pub(crate) fn since(&self, before: &Usage) -> Used {
        let since =
            |count: fn(&Counts) -> u64| count(&self.counts).saturating_sub(count(&before.counts));
        Used {
            cpu: self.process - before.process,
            counts: Counts {
                switches: since(|counts| counts.switches),
                faults: since(|counts| counts.faults),
                major_faults: since(|counts| counts.major_faults),
            },
            traffic: None,
        }
    }
}

impl Used {
    /// Adds what was used at another time.
    pub(crate) fn add(&mut self, other: &Used) {
        self.cpu += other.cpu;
        self.counts.switches += other.counts.switches;
        self.counts.faults += other.counts.faults;
        self.counts.major_faults += other.counts.major_faults;
        if let Some(traffic) = other.traffic {
            *self.traffic.get_or_insert_default() += traffic;
        }
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
    let usage = resources(ResourceOwner::Children)?;
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
fn counts() -> Option<Counts> {
    Some(Counts::from_rusage(&resources(ResourceOwner::Process)?))
}

#[cfg(unix)]
impl Counts {
    /// Reads them from the kernel's form, which has no negative numbers.
    pub(crate) fn from_rusage(usage: &libc::rusage) -> Counts {
        let whole = |number: libc::c_long| u64::try_from(number).unwrap_or(0);
        Counts {
            switches: whole(usage.ru_nvcsw) + whole(usage.ru_nivcsw),
            faults: whole(usage.ru_minflt) + whole(usage.ru_majflt),
            major_faults: whole(usage.ru_majflt),
        }
    }
}

#[cfg(target_os = "linux")]
fn preempted() -> Option<u64> {
    u64::try_from(resources(ResourceOwner::Thread)?.ru_nivcsw).ok()
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
fn counts() -> Option<Counts> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The clocks are read one after the other, so the difference of a turn in which nobody else worked may be negative. That
    /// means no work, and not that the work is unknown.
    #[test]
    fn clocks_that_are_read_one_after_the_other_add_no_work_and_lose_none() {
        let at = |others| Contention { others, preempted: None };
        assert!(at(1.0 - 2e-7).others_since(&at(1.0)).to_bits() == 0);
        assert!((at(1.5).others_since(&at(1.0)) - 0.5).abs() < 1e-12);
    }
}
