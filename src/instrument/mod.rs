//! Instruments, a file each, and which of them a measurement begins with.

pub(crate) mod clock;
pub(crate) mod fuel;
pub(crate) mod gauge;
mod growth;
pub(crate) mod heap;
pub(crate) mod load;
mod memory;
pub(crate) mod planted;
pub(crate) mod time;

use std::time::Duration;

use gauge::{Gauge, Repeat};
use perf_budget_core::metric::{Instrument, Metric};
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
    instrument: Instrument,
    asked: &Asked<'_>,
) -> Result<Box<dyn Gauge>, Unmeasured> {
    let &Asked { metrics, slice, most, repeat } = asked;
    Ok(match instrument {
        Instrument::Time => Box::new(time::Time::new(metrics, slice, most, repeat)),
        Instrument::Heap => Box::new(heap::Allocations::new(repeat, most)?),
        Instrument::Fuel => Box::new(fuel::Fuel::new(repeat)?),
        Instrument::Growth => Box::new(growth::Growth::new(slice, repeat)?),
        Instrument::Memory => Box::new(memory::Memory::new(metrics)?),
    })
}
