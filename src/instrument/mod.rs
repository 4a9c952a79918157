//! Instruments, a file each, and which of them a measurement begins with.

pub(crate) mod clock;
pub(crate) mod fuel;
mod growth;
pub(crate) mod heap;
pub(crate) mod injected;
pub(crate) mod laps;
pub(crate) mod load;
mod memory;
pub(crate) mod time;

use std::time::Duration;

use laps::{Instrument, Repeat};
use perf_budget_core::metric::{Metric, WorkerInstrument};
use perf_budget_core::outcome::Unmeasured;

/// What an instrument is asked to read.
pub(crate) struct Asked<'a> {
    /// These metrics,
    pub(crate) metrics: &'a [Metric],
    /// for about so long,
    pub(crate) slice: Duration,
    /// of so many operations at the most,
    pub(crate) most: usize,
    /// again and again, or once.
    pub(crate) repeat: Repeat,
}

/// The instrument, ready to watch.
///
/// # Errors
/// Where this build or this system does not have it, or it cannot read what is asked.
pub(crate) fn begin(
    instrument: WorkerInstrument,
    asked: &Asked<'_>,
) -> Result<Box<dyn Instrument>, Unmeasured> {
    let &Asked { metrics, slice, most, repeat } = asked;
    Ok(match instrument {
        WorkerInstrument::Time => Box::new(time::Time::new(metrics, slice, most, repeat)),
        WorkerInstrument::Heap => Box::new(heap::Allocations::new(repeat, most)?),
        WorkerInstrument::Fuel => Box::new(fuel::Fuel::new(repeat)?),
        WorkerInstrument::Growth => Box::new(growth::Growth::new(slice, repeat)?),
        WorkerInstrument::Memory => Box::new(memory::Memory::new(metrics)?),
    })
}
