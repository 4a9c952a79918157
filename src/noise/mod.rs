//! Interference: what else the machine did while a process was measured.
//!
//! The harness reads it before and after a process; the worker never does, because it would be disturbed. Both
//! readings together take some tenths of a millisecond. They are amounts rather than shares, so that they add up over
//! processes: the kernel counts busy time in ticks of 10 ms, and a single short process sees few ticks. Only Linux
//! reports them; elsewhere every field is `None`, as is a field that a kernel does not keep.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
mod parse;

#[cfg(all(test, target_os = "linux"))]
mod tests;

use std::time::{Duration, Instant};

use perf_budget_core::outcome::Unmeasured;
use perf_budget_core::reading::{Interference, Orphans, ProcessRun, StallTime, Throttled};

/// Measures a process, and adds to it what else the machine did meanwhile.
///
/// # Errors
/// The errors of `measure`.
pub(crate) fn watch(
    measure: impl FnOnce() -> Result<ProcessRun, Unmeasured>,
) -> Result<ProcessRun, Unmeasured> {
    let before = Snapshot::now();
    let mut process = measure()?;
    let mut found = Snapshot::now().since(&before);
    found.outside = match process.orphans {
        Orphans::None => found.outside,
        Orphans::Used(seconds) => found.outside.map(|outside| outside - seconds),
        Orphans::Unknown => None,
    };
    process.interference = Some(found);
    Ok(process)
}

/// The machine's counters at one moment.
#[derive(Debug, Clone)]
struct Snapshot {
    at: Instant,
    processors: Option<Processors>,
    /// The processor seconds of this process and of everything that it started and waited for.
    own: Option<f64>,
    /// The time that some task was stalled for lack of a processor, of memory, of a disk.
    stalled: [Option<Duration>; 3],
    /// The throttling of this process's control group, and of each group around it.
    throttled: Vec<Option<Throttled>>,
}

/// The processor seconds of the machine since it started.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "only Linux tells"))]
struct Processors {
    busy: f64,
    /// The idle time, which includes waiting for a disk.
    idle: f64,
    /// The time that the hypervisor gave to other machines; `None` if the kernel does not count it.
    stolen: Option<f64>,
}

impl Snapshot {
    fn since(&self, before: &Snapshot) -> Interference {
        let both = before.processors.zip(self.processors);
        let own = before.own.zip(self.own).map(|(before, after)| after - before);
        let stalled = |which: usize| {
            let (before, after) = before.stalled[which].zip(self.stalled[which])?;
            Some(after.checked_sub(before)?.as_secs_f64())
        };
        let stolen = |(before, after): (Processors, Processors)| {
            let stolen = after.stolen? - before.stolen?;
            let all = after.busy - before.busy + after.idle - before.idle + stolen;
            Some((stolen, all))
        };
        Interference {
            seconds: self.at.duration_since(before.at).as_secs_f64(),
            outside: both.zip(own).map(|((before, after), own)| after.busy - before.busy - own),
            stolen: both.and_then(stolen),
            pressure: StallTime { cpu: stalled(0), memory: stalled(1), io: stalled(2) },
            throttled: most_throttled(&before.throttled, &self.throttled),
        }
    }
}

/// Returns the throttling of the strictest quota: the quota of a group holds back everything within it.
fn most_throttled(before: &[Option<Throttled>], after: &[Option<Throttled>]) -> Option<Throttled> {
    let each = before.iter().zip(after).filter_map(|(before, after)| {
        let (before, after) = before.as_ref().zip(after.as_ref())?;
        let periods = after.periods.checked_sub(before.periods)?;
        Some(Throttled { periods, seconds: after.seconds - before.seconds })
    });
    each.max_by(|a, b| a.seconds.total_cmp(&b.seconds))
}

#[cfg(not(target_os = "linux"))]
impl Snapshot {
    fn now() -> Self {
        Snapshot {
            at: Instant::now(),
            processors: None,
            own: None,
            stalled: [None; 3],
            throttled: Vec::new(),
        }
    }
}
