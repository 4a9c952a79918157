//! The load of a workload, which says when its operations are due (an open-loop load).

use std::fmt;
use std::time::Duration;

use crate::quantity::{Quantity, Unit};

/// A load, as in `load = { shape = "constant", rate = "1000 op/s" }`. Operations start when they are due, and not when
/// the operation before has ended (an open loop). Their latency counts from when they were due.
#[derive(Debug, Clone, PartialEq)]
pub struct Load {
    /// How the rate changes over time.
    pub shape: LoadShape,
    /// Operations a second, over 0 and at most [`FASTEST`]: the rate itself; on average for
    /// [`Poisson`](LoadShape::Poisson) and [`Burst`](LoadShape::Burst); where a [`Ramp`](LoadShape::Ramp) begins;
    /// between the spikes of a [`Spike`](LoadShape::Spike).
    pub rate: f64,
    /// The number of operations that may be in flight at once. Further operations wait, and their waiting counts. At
    /// least 1, which is the default.
    pub concurrency: u32,
}

/// How the rate of a [`Load`] changes over time. Peaks are in operations a second, and above the rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LoadShape {
    /// The time from one operation to the next is always the same.
    Constant,
    /// Operations are independent of each other, as those of many callers are: the times between them are exponential.
    Poisson,
    /// The rate rises evenly up to the peak, and begins again.
    Ramp {
        /// The rate at the end of a rise.
        peak: f64,
        /// The time that a rise takes.
        every: Duration,
    },
    /// In the middle of each period the rate is the peak for a while.
    Spike {
        /// The rate of the spike.
        peak: f64,
        /// The time from one spike to the next.
        every: Duration,
        /// The time that a spike lasts, which is shorter than `every`.
        width: Duration,
    },
    /// All operations of a period are due at once, at its beginning.
    Burst {
        /// The time from one burst to the next.
        every: Duration,
    },
}

/// The highest rate, in operations a second. At a higher rate the generator itself would be measured.
pub const FASTEST: f64 = 1e6;
/// The most operations of one period, since a process measures whole periods.
pub const MOST_IN_PERIOD: f64 = 20_000.0;
/// The longest period.
pub const LONGEST_PERIOD: Duration = Duration::from_secs(60);

impl Load {
    /// Returns how many operations a period has on average, and how long it is. `None` if the shape has no periods.
    pub fn period(&self) -> Option<(f64, Duration)> {
        match self.shape {
            LoadShape::Constant | LoadShape::Poisson => None,
            LoadShape::Ramp { peak, every } => {
                Some((f64::midpoint(self.rate, peak) * every.as_secs_f64(), every))
            }
            LoadShape::Spike { peak, every, width } => {
                let extra = (peak - self.rate) * width.as_secs_f64();
                Some((self.rate * every.as_secs_f64() + extra, every))
            }
            LoadShape::Burst { every } => Some((self.rate * every.as_secs_f64(), every)),
        }
    }
}

impl fmt::Display for Load {
    /// Writes the load as in `spike of 100 op/s to 1 K op/s for 100 ms every 1 s, 8 in flight`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rate = |rate| Quantity::new(rate, Unit::PerSecond);
        let time = |time: Duration| Quantity::new(time.as_secs_f64(), Unit::Seconds);
        let from = rate(self.rate);
        match self.shape {
            LoadShape::Constant => write!(f, "constant {from}")?,
            LoadShape::Poisson => write!(f, "poisson {from}")?,
            LoadShape::Ramp { peak, every } => {
                write!(f, "ramp of {from} to {} every {}", rate(peak), time(every))?;
            }
            LoadShape::Spike { peak, every, width } => {
                let (peak, width, every) = (rate(peak), time(width), time(every));
                write!(f, "spike of {from} to {peak} for {width} every {every}")?;
            }
            LoadShape::Burst { every } => write!(f, "burst of {from} every {}", time(every))?,
        }
        if self.concurrency > 1 { write!(f, ", {} in flight", self.concurrency) } else { Ok(()) }
    }
}
