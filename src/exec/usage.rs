//! The resources that a process used: read once it has ended, or while it lives.

use std::time::Duration;

#[cfg(target_os = "linux")]
use super::tree;
use crate::os::emulator::emulator;
use crate::os::traffic::Traffic;
#[cfg(target_os = "linux")]
use crate::os::{kernel, proc};

/// The resources that a process had used by the time it ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Usage {
    /// The user and system time of all its threads and of the children that it waited for; on Windows, of all that it started.
    pub(crate) cpu: Duration,
    /// The involuntary context switches of the same threads; `None` if the system does not count them.
    pub(crate) preempted: Option<u64>,
    /// How long its main thread was ready to run but had no processor; `None` if the kernel does not count it.
    pub(crate) waited: Option<Duration>,
    /// The kernel's `ru_maxrss` in bytes: the largest resident size of the process, of any child that it waited for,
    /// **and of the copy of its parent that it began as**. See [`Usage::peak_rss`]. On macOS it began as no copy. On Windows it is
    /// of the process alone, and 0 if it is not known.
    pub(crate) max_rss: u64,
    /// The resident size of that copy, in bytes.
    pub(crate) forked_from: u64,
    /// Whether the process waited for children of its own; on Windows, whether it started any.
    pub(crate) had_children: bool,
    /// The system's counts for the same processes as in `cpu`, since just before the program was loaded.
    pub(crate) counted: Counted,
}

/// The system's counts of a process: its page faults and the bytes that it moves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    /// The page faults of both kinds; `None` if the system does not show them.
    pub(crate) faults: Option<u64>,
    /// The page faults that waited for a disk; `None` if the system does not tell them apart.
    pub(crate) major_faults: Option<u64>,
    /// The bytes that it read and wrote; `None` if the system does not show them.
    pub(crate) traffic: Option<Traffic>,
}

impl Counted {
    /// Makes the counts of a system that tells both kinds of page faults.
    #[cfg(unix)]
    pub(crate) fn with_faults(faults: u64, major_faults: u64, traffic: Option<Traffic>) -> Counted {
        Counted { faults: Some(faults), major_faults: Some(major_faults), traffic }
    }

    /// Returns what was counted since `before`. What was not known both times is not known.
    #[cfg(target_os = "linux")]
    pub(crate) fn since(self, before: Counted) -> Counted {
        let since = |now: Option<u64>, before: Option<u64>| Some(now?.saturating_sub(before?));
        Counted {
            faults: since(self.faults, before.faults),
            major_faults: since(self.major_faults, before.major_faults),
            traffic: self.traffic.zip(before.traffic).map(|(now, before)| now - before),
        }
    }

    /// Adds what was counted of another process. A sum is known if both are.
    #[cfg(target_os = "linux")]
    fn add(&mut self, other: Counted) {
        let sum = |own: Option<u64>, other: Option<u64>| Some(own? + other?);
        self.faults = sum(self.faults, other.faults);
        self.major_faults = sum(self.major_faults, other.major_faults);
        self.traffic = self.traffic.zip(other.traffic).map(|(mut sum, other)| {
            sum += other;
            sum
        });
    }
}

/// The fewest ticks of a processor time that is reported: the first and the last tick may be wrong as a whole.
const TICKS: u32 = 10;
/// The ticks in which a system counts the processor time of another process; `None` if it counts it exactly.
const TICK: Option<Duration> =
    if cfg!(windows) { Some(Duration::from_micros(15_625)) } else { None };

/// Returns the processor time, or `None` if it is too short for the ticks in which the system counts: a process that only
/// works between two ticks seems not to work at all.
fn unless_too_short(cpu: Duration, tick: Option<Duration>) -> Option<Duration> {
    tick.is_none_or(|tick| cpu >= tick * TICKS).then_some(cpu)
}

impl Usage {
    /// Returns the processor time, if the system counts it finely enough to tell.
    pub(crate) fn cpu(&self) -> Option<Duration> {
        unless_too_short(self.cpu, TICK)
    }

    /// Returns the largest resident size of the process and of those that it started, in bytes, with the copy of its parent as
    /// which it began. Returns `None` if the system does not report it for all of them.
    pub(crate) fn max_rss(&self) -> Option<u64> {
        let is_of_all = cfg!(unix) || !self.had_children;
        (is_of_all && self.max_rss > 0).then_some(self.max_rss)
    }

    /// Returns the largest resident size, in bytes, that the process or any child that it waited for ever had. It is
    /// `None` if that is smaller than its parent was: from a harness that holds 300 MB everything seems to need 300
    /// MB, so start it with `Parent::Relay`.
    pub(crate) fn peak_rss(&self) -> Option<u64> {
        // The copy still grows a little after its size was read, by 0.15 to 0.48 MB where it was tried.
        const MARGIN: u64 = 1 << 19;
        // An emulator goes on to translate code in the copy, which takes megabytes.
        const EMULATED: u64 = 1 << 24;
        let margin = if emulator().is_some() { EMULATED } else { MARGIN };
        (self.max_rss > self.forked_from.saturating_add(margin)).then_some(self.max_rss)
    }
}

/// The resources that the living processes of a tree hold and have used.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Living {
    /// The number of processes.
    pub(crate) processes: usize,
    /// The sum of their resident sizes, in bytes.
    pub(crate) rss: u64,
    /// The sum of the largest resident sizes that they ever had, in bytes; `None` on macOS, which tells it at the end of a process.
    pub(crate) peak_rss: Option<u64>,
    /// The user and system time of all their threads, and of the children that they waited for.
    pub(crate) cpu: Duration,
    /// The part of that time which other processes than the root used.
    pub(crate) others: Duration,
    /// How long the root's main thread was ready to run but had no processor.
    pub(crate) waited: Option<Duration>,
    /// The involuntary context switches of the root's main thread.
    pub(crate) preempted: Option<u64>,
    /// The system's counts for the same processes as in `cpu`, since just before the program was loaded.
    pub(crate) counted: Counted,
}

impl Living {
    /// Returns the processor time, if the system counts it finely enough to tell.
    pub(crate) fn cpu(&self) -> Option<Duration> {
        unless_too_short(self.cpu, TICK)
    }
}

#[cfg(target_os = "linux")]
impl Living {
    /// Reads the tree of `root` below its supervisor; returns `None` if the root has ended, or hides what it uses.
    /// `before` is what was counted of the root before its program was loaded.
    pub(super) fn read(root: u32, supervisor: u32, before: Counted) -> Option<Living> {
        // The root is read first, at the moment that is asked for: finding the other processes takes milliseconds.
        let mut living = Living::of_process(root)?;
        living.counted = living.counted.since(before);
        for pid in tree::members(supervisor).into_iter().filter(|&pid| pid != root) {
            // A process that has ended in the meantime holds nothing.
            if let Some(other) = Living::of_process(pid) {
                living.processes += 1;
                living.rss += other.rss;
                living.peak_rss = living.peak_rss.zip(other.peak_rss).map(|(sum, peak)| sum + peak);
                living.cpu += other.cpu;
                living.others += other.cpu;
                living.counted.add(other.counted);
            }
        }
        Some(living)
    }

    fn of_process(pid: u32) -> Option<Living> {
        let cpu = proc::processor_time(pid)?;
        let waited = proc::waited(pid);
        let status = proc::Status::read(pid)?;
        let traffic = Traffic::of_process(pid);
        let ticks = proc::children_ticks(pid)?;
        let (faults, major_faults) = proc::faults(pid)?;
        let children = Duration::from_secs_f64(ticks as f64 / kernel::ticks_per_second() as f64);
        Some(Living {
            processes: 1,
            rss: status.number("VmRSS")? * 1024,
            peak_rss: Some(status.number("VmHWM")? * 1024),
            cpu: cpu + children,
            others: Duration::ZERO,
            waited,
            preempted: status.number("nonvoluntary_ctxt_switches"),
            counted: Counted::with_faults(faults, major_faults, traffic),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_a_few_ticks_is_not_reported() {
        let tick = Duration::from_millis(15);
        let unless_too_short =
            |cpu| unless_too_short(Duration::from_millis(cpu), Some(tick)).is_some();
        assert!(
            !unless_too_short(0)
                && !unless_too_short(15)
                && !unless_too_short(149)
                && unless_too_short(150)
                && unless_too_short(1000)
        );
        assert_eq!(super::unless_too_short(Duration::ZERO, None), Some(Duration::ZERO));
    }
}
