//! The instruments, a file each, and the choice of one for a measurement.

pub(crate) mod clock;
pub(crate) mod emulated;
pub(crate) mod fuel;
mod growth;
pub(crate) mod heap;
pub(crate) mod injected;
pub(crate) mod instructions;
pub(crate) mod laps;
pub(crate) mod load;
mod marked;
mod memory;
pub(crate) mod sampled;
pub(crate) mod syscalls;
pub(crate) mod time;

use std::path::Path;
use std::time::Duration;

use laps::{Instrument, Repeat};
use perf_budget_core::metric::{Metric, WorkerInstrument};
use perf_budget_core::outcome::Unmeasured;
use sampled::Sampling;

/// The settings that an instrument starts with.
pub(crate) struct Settings<'a> {
    /// The metrics to measure.
    pub(crate) metrics: &'a [Metric],
    /// About how long to measure.
    pub(crate) slice: Duration,
    /// The most operations to measure one by one.
    pub(crate) max_operations: usize,
    /// Whether the operation may be repeated.
    pub(crate) repeat: Repeat,
    /// Where callgrind writes what it counts, if this process runs under it; and whether the harness reads the files.
    pub(crate) dumps: Option<(&'a Path, bool)>,
    /// How this binary gets an allocator that counts: the advice where it has none.
    pub(crate) allocator: &'static str,
    /// How this process is sampled, if it is; no other instrument watches then.
    pub(crate) sampling: Option<&'a Sampling>,
}

/// Returns the instrument, ready to watch.
///
/// # Errors
/// If this build or this system does not have the instrument, or it cannot read what is asked.
pub(crate) fn begin(
    instrument: WorkerInstrument,
    settings: &Settings<'_>,
) -> Result<Box<dyn Instrument>, Unmeasured> {
    let &Settings { metrics, slice, max_operations, repeat, dumps, allocator, sampling } = settings;
    if let Some(sampling) = sampling {
        return sampled::instrument(sampling, repeat);
    }
    Ok(match instrument {
        WorkerInstrument::Time => Box::new(time::Time::new(metrics, slice, max_operations, repeat)),
        WorkerInstrument::Heap => {
            Box::new(heap::Allocations::new(repeat, max_operations, allocator)?)
        }
        WorkerInstrument::Fuel => Box::new(fuel::Fuel::new(repeat)?),
        WorkerInstrument::Growth => Box::new(growth::Growth::new(slice, repeat)?),
        WorkerInstrument::Instructions => Box::new(instructions::Instructions::new(repeat, dumps)?),
        WorkerInstrument::Syscalls => Box::new(syscalls::Syscalls::new(repeat)?),
        WorkerInstrument::Memory => Box::new(memory::Memory::new(metrics)?),
    })
}
