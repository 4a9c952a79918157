//! Parsers of the kernel's texts. They are pure, so that the texts of other systems can be tested.
//!
//! They are read here because procfs-core requires too much. It needs the line `full` of a pressure file, which that of
//! the processor has only since Linux 5.13. It needs the whole of `/proc/stat`, which has hundreds of kilobytes on large
//! machines. `tests.rs` shows both. And procfs-core reads no quotas.

use std::time::Duration;

use super::{Processors, Throttled};

/// Reads the processor seconds from the line `cpu` of `/proc/stat`. The time of guests is part of the user time
/// already. It returns `None` for a sandbox that shows nothing but zeros.
pub(super) fn processors(stat: &str, ticks_per_second: u64) -> Option<Processors> {
    let line = stat.lines().next()?.strip_prefix("cpu ")?;
    let ticks: Vec<u64> =
        line.split_ascii_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?;
    let [user, nice, system, idle, rest @ ..] = ticks.as_slice() else { return None };
    let at = |n: usize| rest.get(n).copied().unwrap_or(0);
    let (io_wait, irq, soft_irq) = (at(0), at(1), at(2));
    let stolen = rest.get(3).copied();
    let seconds = |ticks: u64| ticks as f64 / ticks_per_second as f64;
    let busy = user + nice + system + irq + soft_irq;
    let idle = idle + io_wait;
    (busy + idle > 0).then(|| Processors {
        busy: seconds(busy),
        idle: seconds(idle),
        stolen: stolen.map(seconds),
    })
}

/// Reads the time in which some task waited, from a file of `/proc/pressure`.
pub(super) fn stalled(pressure: &str) -> Option<Duration> {
    let some = pressure.lines().find_map(|line| line.strip_prefix("some "))?;
    let total = some.split_ascii_whitespace().find_map(|word| word.strip_prefix("total="))?;
    total.parse().ok().map(Duration::from_micros)
}

/// Reads what a quota did, from a group's `cpu.stat` of either version of control groups: version 2 has microseconds,
/// version 1 nanoseconds.
pub(super) fn throttled(cpu_stat: &str) -> Option<Throttled> {
    let field = |name: &str| -> Option<u64> {
        let (_, value) =
            cpu_stat.lines().filter_map(|l| l.split_once(' ')).find(|l| l.0 == name)?;
        value.trim().parse().ok()
    };
    let seconds = match (field("throttled_usec"), field("throttled_time")) {
        (Some(micros), _) => micros as f64 * 1e-6,
        (_, Some(nanos)) => nanos as f64 * 1e-9,
        _ => return None,
    };
    Some(Throttled { periods: field("nr_throttled")?, seconds })
}
