//! What a process used: read once it has ended, or while it lives.

use std::time::Duration;

use serde::{Deserialize, Serialize};

#[cfg(target_os = "linux")]
use super::{linux, tree::Tree};
#[cfg(target_os = "linux")]
use crate::os::{kernel, proc::Status};

/// What a process used, by the time it ended.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Usage {
    /// User and system time of all its threads and of the children it waited for.
    pub(crate) cpu: Duration,
    /// Involuntary context switches of the same.
    pub(crate) preempted: u64,
    /// How long its main thread was ready to run and had no processor; `None` where the kernel does
    /// not count it.
    pub(crate) waited: Option<Duration>,
    /// The kernel's `ru_maxrss` in bytes: the largest resident size of the process, of any child it
    /// waited for, **and of the copy of its parent that it began as**. See [`Usage::peak_rss`].
    pub(crate) max_rss: u64,
    /// The resident size of that copy, in bytes.
    pub(crate) forked_from: u64,
    /// Whether it waited for children of its own.
    pub(crate) had_children: bool,
}

impl Usage {
    /// The largest resident size, in bytes, that the process or any child it waited for ever had.
    /// `None` where it is smaller than its parent was: from a harness that holds 300 MB everything
    /// seems to need 300 MB, so start it with [`super::Parent::Relay`].
    pub(crate) fn peak_rss(&self) -> Option<u64> {
        // The copy still grows a little after its size was read: by 0.15 to 0.48 MB where it was tried.
        const MARGIN: u64 = 1 << 19;
        (self.max_rss > self.forked_from.saturating_add(MARGIN)).then_some(self.max_rss)
    }
}

/// What the living processes of a tree hold and have used.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "only Linux shows it"))]
pub(crate) struct Living {
    /// How many processes.
    pub(crate) processes: usize,
    /// Their resident sizes in bytes, added up.
    pub(crate) rss: u64,
    /// The largest resident size that each ever had, in bytes, added up.
    pub(crate) peak_rss: u64,
    /// User and system time of all their threads, and of the children they waited for.
    pub(crate) cpu: Duration,
    /// What of that is of others than the root.
    pub(crate) others: Duration,
    /// How long the root's main thread was ready to run and had no processor.
    pub(crate) waited: Option<Duration>,
    /// Involuntary context switches of the root's main thread.
    pub(crate) preempted: Option<u64>,
}

#[cfg(target_os = "linux")]
impl Living {
    /// Reads the tree of `root`; `None` where the root has ended, or hides what it uses.
    pub(super) fn read(root: u32, tree: &Tree) -> Option<Living> {
        // The root first, in the moment it is asked for: finding the others takes milliseconds.
        let mut living = Living::one(root)?;
        for pid in tree.members().into_iter().filter(|&pid| pid != root) {
            // One that has ended meanwhile holds nothing.
            if let Some(other) = Living::one(pid) {
                living.processes += 1;
                living.rss += other.rss;
                living.peak_rss += other.peak_rss;
                living.cpu += other.cpu;
                living.others += other.cpu;
            }
        }
        Some(living)
    }

    fn one(pid: u32) -> Option<Living> {
        let cpu = linux::processor_time(pid)?;
        let waited = linux::waited(pid);
        let status = Status::of(pid)?;
        let ticks = linux::children_ticks(pid)?;
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
