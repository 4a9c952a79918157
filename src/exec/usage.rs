//! What a process used: as read once it has ended, or while it lives.

use std::time::Duration;

#[cfg(target_os = "linux")]
use super::tree;
#[cfg(target_os = "linux")]
use crate::os::{kernel, proc};

/// The resources that a process had used by the time it ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Usage {
    /// The user and system time of all its threads and of the children that it waited for.
    pub(crate) cpu: Duration,
    /// The involuntary context switches of the same.
    pub(crate) preempted: u64,
    /// How long its main thread was ready to run but had no processor; `None` if the kernel does not count it.
    pub(crate) waited: Option<Duration>,
    /// The kernel's `ru_maxrss` in bytes: the largest resident size of the process, of any child that it waited for,
    /// **and of the copy of its parent that it began as**. See [`Usage::peak_rss`].
    pub(crate) max_rss: u64,
    /// The resident size of that copy, in bytes.
    pub(crate) forked_from: u64,
    /// Whether the process waited for children of its own.
    pub(crate) had_children: bool,
}

impl Usage {
    /// Returns the largest resident size, in bytes, that the process or any child that it waited for ever had. It is
    /// `None` if that is smaller than its parent was: from a harness that holds 300 MB everything seems to need 300
    /// MB, so start it with `Parent::Relay`.
    pub(crate) fn peak_rss(&self) -> Option<u64> {
        // The copy still grows a little after its size was read, by 0.15 to 0.48 MB where it was tried.
        const MARGIN: u64 = 1 << 19;
        (self.max_rss > self.forked_from.saturating_add(MARGIN)).then_some(self.max_rss)
    }
}

/// What the living processes of a tree hold and have used.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "only Linux shows it"))]
pub(crate) struct Living {
    /// The number of processes.
    pub(crate) processes: usize,
    /// The sum of their resident sizes, in bytes.
    pub(crate) rss: u64,
    /// The sum of the largest resident sizes that they ever had, in bytes.
    pub(crate) peak_rss: u64,
    /// The user and system time of all their threads, and of the children that they waited for.
    pub(crate) cpu: Duration,
    /// The part of that time which other processes than the root used.
    pub(crate) others: Duration,
    /// How long the root's main thread was ready to run but had no processor.
    pub(crate) waited: Option<Duration>,
    /// The involuntary context switches of the root's main thread.
    pub(crate) preempted: Option<u64>,
}

#[cfg(target_os = "linux")]
impl Living {
    /// Reads the tree of `root` below its supervisor; returns `None` if the root has ended, or hides what it uses.
    pub(super) fn read(root: u32, supervisor: u32) -> Option<Living> {
        // The root is read first, at the moment that is asked for: finding the other processes takes milliseconds.
        let mut living = Living::of_process(root)?;
        for pid in tree::members(supervisor).into_iter().filter(|&pid| pid != root) {
            // A process that has ended in the meantime holds nothing.
            if let Some(other) = Living::of_process(pid) {
                living.processes += 1;
                living.rss += other.rss;
                living.peak_rss += other.peak_rss;
                living.cpu += other.cpu;
                living.others += other.cpu;
            }
        }
        Some(living)
    }

    fn of_process(pid: u32) -> Option<Living> {
        let cpu = proc::processor_time(pid)?;
        let waited = proc::waited(pid);
        let status = proc::Status::of(pid)?;
        let ticks = proc::children_ticks(pid)?;
        let children = Duration::from_secs_f64(ticks as f64 / kernel::ticks_per_second() as f64);
        Some(Living {
            processes: 1,
            rss: status.number("VmRSS")? * 1024,
            peak_rss: status.number("VmHWM")? * 1024,
            cpu: cpu + children,
            others: Duration::ZERO,
            waited,
            preempted: status.number("nonvoluntary_ctxt_switches"),
        })
    }
}
