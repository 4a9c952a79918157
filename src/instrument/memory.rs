//! Resident memory: what holding a value adds, and the highest it went.
//!
//! Read before and after, once, in a fresh process: memory that was freed and kept by the allocator
//! would hide what a second operation needs. Linux keeps the high-water mark a few dozen pages loose on
//! each processor; what is resident before and after is exact.

use memory_stats::memory_stats;
use perf_budget_core::metric::{Key, Metric};
use perf_budget_core::outcome::{Cause, Unmeasured};
use perf_budget_core::reading::ProcessRun;

use crate::instrument::laps::Instrument;
use crate::os::memory::{high_water, mark};

/// Watches the resident memory of one operation.
pub(crate) struct Memory {
    pending: bool,
    /// Before the input was made.
    before: Resident,
    /// Once it has run: resident bytes with the output alive, and the highest so far.
    after: Option<Resident>,
    peak_wanted: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Resident {
    now: u64,
    /// The high-water mark, where the system keeps one.
    peak: Option<u64>,
}

impl Memory {
    /// Fails where the system does not say what is resident.
    pub(crate) fn new(metrics: &[Metric]) -> Result<Self, Unmeasured> {
        // The first reading makes what a reading itself needs resident.
        Resident::read();
        let Some(before) = Resident::read() else {
            let text = "failed to read resident memory: this system does not tell it; drop the \
                        limits on rss and peak_rss here";
            return Err(Unmeasured::new(Cause::Unsupported, text));
        };
        let peak_wanted = metrics.contains(&Key::PeakRss.into());
        Ok(Memory { pending: true, before, after: None, peak_wanted })
    }
}

impl Instrument for Memory {
    fn next(&mut self) -> Option<usize> {
        let pending = std::mem::take(&mut self.pending);
        if pending {
            let marked = mark();
            self.before = Resident::read().unwrap_or(self.before);
            self.before.peak = self.before.peak.filter(|_| marked);
        }
        pending.then_some(1)
    }

    fn start(&mut self) {
        // What making the input needed for a while is not the operation's.
        mark();
    }

    fn stop(&mut self) {
        // The mark first: reading what is resident allocates.
        let peak = high_water();
        self.after = memory_stats().map(|stats| Resident { now: stats.physical_mem as u64, peak });
    }

    fn record(&mut self, _operations: usize, failed: usize) {
        if failed > 0 {
            self.after = None;
        }
    }

    fn finish(&mut self, process: &mut ProcessRun) -> Result<(), Unmeasured> {
        let Some(after) = self.after else { return Ok(()) };
        let growth = after.now as f64 - self.before.now as f64;
        if growth < 0.0 {
            let text = format!("resident memory fell by {} B: counted as 0", -growth);
            process.notes.push(text);
        }
        let rss = growth.max(0.0);
        process.values.insert(Key::Rss, rss);
        match self.before.peak.zip(after.peak) {
            Some((before, after)) => {
                let peak = after.saturating_sub(before) as f64;
                process.values.insert(Key::PeakRss, peak.max(rss));
            }
            None if self.peak_wanted => {
                let text = "failed to read the peak of resident memory: this system keeps none \
                            that can be reset; drop the limit on peak_rss here";
                return Err(Unmeasured::new(Cause::Unsupported, text));
            }
            None => {}
        }
        Ok(())
    }
}

impl Resident {
    fn read() -> Option<Self> {
        let now = memory_stats()?.physical_mem as u64;
        Some(Resident { now, peak: high_water() })
    }
}
