//! Whether the readings of processes tell enough to judge a limit: they are in its unit, fine enough for it, and complete.

use super::open::Open;
use crate::budget::{Bound, Target};
use crate::metric::{SampleKind, Statistic};
use crate::outcome::{Cause, Unmeasured};
use crate::quantity::{Quantity, Unit};
use crate::reading::{ProcessRun, Work};

/// How many times the cost of reading the clock a limit on single operations must be at least.
const MIN_CLOCK_READINGS: f64 = 5.0;

impl Open {
    /// Checks that the readings of a process are fine enough, and in the right unit, to judge this limit.
    pub(super) fn check_resolution(&self, process: &ProcessRun) -> Result<(), Unmeasured> {
        let limit = &self.pending.limit;
        let Target::Absolute(quantity) = limit.target else { return Ok(()) };
        match (limit.metric.sample(), process.work, process.clock) {
            (SampleKind::Rate, Work::Operations(_), _) if quantity.unit == Unit::BytesPerSecond => {
                let text = "the limit is in bytes a second, and the workload does not say how many \
                            bytes an operation is: call `run.bytes(n)` before it measures";
                Err(Unmeasured::new(Cause::Unsuitable, text))
            }
            (SampleKind::Rate, Work::Bytes(_), _) if quantity.unit == Unit::PerSecond => {
                let text = "the limit is in operations a second, and the workload counts bytes: write \
                            it as \"64 MB/s\", or count with `run.ops(n)`";
                Err(Unmeasured::new(Cause::Unsuitable, text))
            }
            (SampleKind::Operation, _, Some(clock)) => {
                let grain = clock.cost.max(clock.resolution);
                if quantity.value >= MIN_CLOCK_READINGS * grain {
                    return Ok(());
                }
                let text = format!(
                    "a limit of {quantity} on single operations is too near what the clock itself takes, \
                     {}; limit `mean` or `throughput`, which time many operations together",
                    Quantity::new(grain, Unit::Seconds)
                );
                Err(Unmeasured::new(Cause::Unresolvable, text))
            }
            (
                SampleKind::File
                | SampleKind::Operation
                | SampleKind::Batch
                | SampleKind::Rate
                | SampleKind::Failure
                | SampleKind::Run
                | SampleKind::Process
                | SampleKind::Record
                | SampleKind::Sweep,
                ..,
            ) => Ok(()),
        }
    }

    /// Whether the values of a process are known. A machine that stands still for a second leaves operations of a load unstarted
    /// in one process, and a load that is more than the workload can take does in each. Likewise a process that runs slowly,
    /// since the machine is busy, runs too few operations for their growth to show.
    ///
    /// # Errors
    /// If they are unknown in three processes and more, and in most.
    pub(super) fn are_known(&mut self, process: &ProcessRun) -> Result<bool, Unmeasured> {
        let reason = if let Err(reason) = self.check_unstarted(process) {
            self.untold.unstarted += 1;
            reason
        } else if let Err(reason) = self.check_grain(process) {
            self.untold.coarse += 1;
            reason
        } else {
            return Ok(true);
        };
        if self.untold.is_usual(self.processes()) { Err(reason) } else { Ok(false) }
    }

    /// Checks that the memory of a process could have shown a growth that is over the limit.
    fn check_grain(&self, process: &ProcessRun) -> Result<(), Unmeasured> {
        let limit = &self.pending.limit;
        let Target::Absolute(quantity) = limit.target else { return Ok(()) };
        let allowed = quantity.value + self.tolerance();
        let is_judged = limit.metric.sample() == SampleKind::Process && !self.is_unjudged();
        let Some(grain) = process.grain.filter(|grain| is_judged && allowed < *grain) else {
            return Ok(());
        };
        let text = format!(
            "a limit of {quantity} an operation is less than resident memory can tell: \
             in as many operations as one process ran, its pages show {} an operation; \
             limit `leaked`, which counts every byte, or measure a shorter operation",
            Quantity::new(grain, Unit::Bytes)
        );
        Err(Unmeasured::new(Cause::Unresolvable, text))
    }

    /// Returns why a limit does not hold for sure whose other processes are within it; `None` where each told its values.
    pub(super) fn may_have_been_longer(&self) -> Option<String> {
        let untold = self.untold.unstarted;
        (untold > 0).then(|| {
            format!(
                "but in {untold} of {} processes operations waited so long that they were never started, and what these take \
                 is not known; a calm machine or a lower rate would settle it",
                untold + self.processes()
            )
        })
    }

    /// Checks that operations which a load never started do not leave the limit open. Their latencies are only known
    /// to be at least as long as they had waited, and that settles the limit only where all of them are over it.
    fn check_unstarted(&self, process: &ProcessRun) -> Result<(), Unmeasured> {
        let limit = &self.pending.limit;
        let Some(waited) = process.at_least else { return Ok(()) };
        let least = match limit.metric.sample() {
            SampleKind::Operation if limit.metric.statistic() == Some(Statistic::Min) => {
                return Ok(());
            }
            // The value of a comparison is a ratio, and no time.
            SampleKind::Batch if limit.reference().is_none() => {
                process.values.get(&limit.metric).copied().unwrap_or(0.0)
            }
            SampleKind::Operation | SampleKind::Batch => waited,
            SampleKind::File
            | SampleKind::Rate
            | SampleKind::Failure
            | SampleKind::Run
            | SampleKind::Process
            | SampleKind::Record
            | SampleKind::Sweep => return Ok(()),
        };
        match limit.target {
            Target::Absolute(quantity)
                if !self.is_unjudged()
                    && limit.bound == Bound::Max
                    && least > quantity.value + self.tolerance() =>
            {
                Ok(())
            }
            Target::Absolute(_) | Target::Relative { .. } => {
                let text = format!(
                    "the load is more than the workload can take: operations had waited for {} and \
                     were never started, so that no `{}` is known; lower the rate",
                    Quantity::new(least, Unit::Seconds),
                    limit.metric
                );
                Err(Unmeasured::new(Cause::Unresolvable, text))
            }
        }
    }
}
