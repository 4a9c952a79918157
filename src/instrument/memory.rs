//! Resident memory: what holding a value adds, and how high it went.
//!
//! It is read before and after, once, in a fresh process: memory that was freed and that the allocator keeps would
//! hide what a second operation needs. Linux keeps the high-water mark only to within a few dozen pages per
//! processor; what is resident before and after is exact.

use perf_budget_core::metric::{Key, Metric};
use perf_budget_core::outcome::{Cause, Unmeasured};
use perf_budget_core::reading::ProcessRun;

use crate::instrument::emulated;
use crate::instrument::laps::Instrument;
use crate::os::memory::{high_water, mark, resident};

/// The instrument that watches the resident memory of one operation.
pub(crate) struct Memory {
    pending: bool,
    /// The memory before the input was made.
    before: Resident,
    /// The memory once the operation has run, with the output alive.
    after: Option<Resident>,
    peak_wanted: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Resident {
    now: u64,
    /// The high-water mark, if the system keeps one.
    peak: Option<u64>,
}

impl Memory {
    /// Makes the instrument. It fails if the system does not report what is resident.
    pub(crate) fn new(metrics: &[Metric]) -> Result<Self, Unmeasured> {
        emulated::refuse_resident_memory()?;
        // The first reading makes resident what a reading itself needs.
        Resident::read();
        let Some(before) = Resident::read() else {
            let text = "failed to read resident memory: this system does not report it; drop the \
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
        // The memory that was needed only while the input was made does not count as the operation's.
        mark();
    }

    fn stop(&mut self) {
        // The mark is read first, because reading what is resident allocates.
        let peak = high_water();
        self.after = resident().map(|now| Resident { now, peak });
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
                let text = "failed to read the peak of resident memory: this system keeps no peak \
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
        Some(Resident { now: resident()?, peak: high_water() })
    }
}
