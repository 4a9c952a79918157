//! The plan: what the next lap is for, which is to warm up, to time single operations or to fill batches.
//!
//! The plan is pure: it gets the time of each lap, and returns how many operations the next lap has. So every rule here is
//! tested without a clock. A lap is the time between two readings of the clock.

use crate::instrument::clock::{StopwatchReading, median};
use crate::os::usage::Used;

/// The properties of an operation that have to be measured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Requirements {
    /// The latency of single operations.
    pub(crate) singles: bool,
    /// The mean latency of batches.
    pub(crate) batches: bool,
    /// Whether to read the resources that the process uses.
    pub(crate) usage: bool,
}

/// The bounds that the clock and the budget set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bounds {
    /// The seconds for the whole measurement after the warm-up.
    pub(crate) slice: f64,
    /// The most operations that are timed one by one.
    pub(crate) singles: usize,
    /// The seconds of a lap beside which the cost of the clock is negligible.
    pub(crate) lap: f64,
    /// The seconds of a lap beside which the cost of reading the process's usage is negligible.
    pub(crate) usage_lap: f64,
}

/// The shortest batch, if the slice allows it: 5 ms.
const SHORTEST_BATCH: f64 = 0.005;
/// The most operations in a lap, so that few inputs and outputs are alive.
const LARGEST_LAP: usize = 10_000;
/// The fewest laps that make a window of the warm-up, and the most that are examined.
const WINDOW: std::ops::RangeInclusive<usize> = 3..=256;

/// The plan, which decides lap by lap and collects what was measured.
pub(crate) struct Plan {
    wants: Requirements,
    bounds: Bounds,
    phase: Phase,
    /// The stages that are still to be measured after the current one, in reverse order.
    stages: Vec<Stage>,
    share: f64,
    batch: usize,
    filling: Batch,
    pub(crate) measured: Measured,
}

enum Phase {
    /// The one lap of an operation that is done once.
    Once,
    Warm(Warm),
    Measure(Stage, f64),
    Done,
}

#[derive(Default)]
struct Warm {
    laps: Vec<f64>,
    size: usize,
    began: f64,
    /// The operations of this window.
    operations: usize,
    last: Option<f64>,
}

/// A stretch of laps of one size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stage {
    lap: usize,
    feeds: Requirements,
}

/// Everything that was measured, as it was read.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    /// The elapsed seconds of the single operations that succeeded.
    pub(crate) walls: Vec<f64>,
    /// The indices of the operations that waited for a processor, and how long each waited.
    pub(crate) waits: Vec<(usize, f64)>,
    /// The batches that were filled.
    pub(crate) batches: Vec<Batch>,
    /// The sum of everything that was timed.
    pub(crate) total: Batch,
    /// The resources that the process used, and the sum of the laps in which they were read.
    pub(crate) usage: Option<(Used, Batch)>,
    /// The number of operations of the warm-up, and whether the operation had settled.
    pub(crate) warmed: (usize, bool),
}

/// Consecutive operations that are taken together.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Batch {
    pub(crate) operations: usize,
    pub(crate) failed: usize,
    pub(crate) wall: f64,
    pub(crate) waited: f64,
}

impl Batch {
    fn add(&mut self, operations: usize, failed: usize, reading: StopwatchReading) {
        self.operations += operations;
        self.failed += failed;
        self.wall += reading.wall;
        self.waited += reading.waited;
    }
}

impl Plan {
    /// Makes a plan that warms up until the operation has settled, and then measures what is wanted.
    pub(crate) fn looped(wants: Requirements, bounds: Bounds) -> Self {
        let laps = Vec::with_capacity(*WINDOW.end());
        let warm = Warm { laps, size: 1, ..Warm::default() };
        Plan { wants, bounds, phase: Phase::Warm(warm), ..Plan::once(wants, bounds) }
    }

    /// Makes a plan that measures the first operation only.
    pub(crate) fn once(wants: Requirements, bounds: Bounds) -> Self {
        Plan {
            wants,
            bounds,
            phase: Phase::Once,
            stages: Vec::new(),
            share: 0.0,
            batch: 1,
            filling: Batch::default(),
            measured: Measured::default(),
        }
    }

    /// Returns how many operations the next lap has; `None` when everything is measured.
    pub(crate) fn next(&self) -> Option<usize> {
        match &self.phase {
            Phase::Once => Some(1),
            Phase::Warm(warm) => Some(warm.size),
            Phase::Measure(stage, _) => Some(stage.lap),
            Phase::Done => None,
        }
    }

    /// Whether the next lap reads the usage of the process.
    pub(crate) fn reads_usage(&self) -> bool {
        match &self.phase {
            Phase::Once => self.wants.usage,
            Phase::Measure(stage, _) => stage.feeds.usage,
            Phase::Warm(_) | Phase::Done => false,
        }
    }

    /// Returns what is wanted.
    pub(crate) fn requirements(&self) -> Requirements {
        self.wants
    }

    /// Whether laps count now, because the warm-up is over.
    pub(crate) fn counts(&self) -> bool {
        !matches!(self.phase, Phase::Warm(_))
    }

    /// Records a lap of `operations`, of which `failed` failed, that ended `at` seconds after the first lap began.
    pub(crate) fn record(
        &mut self,
        operations: usize,
        failed: usize,
        reading: StopwatchReading,
        at: f64,
    ) {
        match std::mem::replace(&mut self.phase, Phase::Done) {
            Phase::Once => {
                let stage = Stage { lap: 1, feeds: self.wants };
                self.feed(stage, operations, failed, reading);
            }
            Phase::Warm(warm) => self.warm(warm, reading, at),
            Phase::Measure(stage, began) => {
                self.feed(stage, operations, failed, reading);
                let walls = &self.measured.walls;
                let full = stage.feeds.singles && walls.len() == self.room();
                if at - began < self.share && !full {
                    self.phase = Phase::Measure(stage, began);
                } else {
                    if stage.feeds.batches && self.measured.batches.is_empty() {
                        self.close_batch(1);
                    }
                    self.advance(at);
                }
            }
            Phase::Done => {}
        }
    }

    /// Returns the most single operations that are kept; the room for them is allocated before the first is timed.
    fn room(&self) -> usize {
        self.bounds.singles.max(1)
    }

    fn warm(&mut self, mut warm: Warm, reading: StopwatchReading, at: f64) {
        self.measured.warmed.0 += warm.size;
        warm.operations += warm.size;
        // This includes making the inputs and dropping the outputs.
        let passed = (at - warm.began) / warm.operations as f64;
        let each = (reading.wall - reading.waited).max(0.0) / warm.size as f64;
        if warm.laps.len() < *WINDOW.end() {
            warm.laps.push(each);
        }
        let Bounds { slice, lap, .. } = self.bounds;
        let first = warm.last.is_none() && warm.laps.len() == 1 && warm.size == 1;
        if first && (each >= slice / 4.0 || self.wants == Requirements::default()) {
            self.measured.warmed.1 = true;
            return self.settle(each, passed, at);
        }
        let full = warm.laps.len() >= *WINDOW.start() && at - warm.began >= slice / 40.0;
        if full || at >= slice / 2.0 {
            let middle = median(&mut warm.laps);
            let settled = warm.last.is_some_and(|last| (middle - last).abs() <= 0.05 * last);
            if settled || at >= slice / 2.0 {
                self.measured.warmed.1 = settled;
                return self.settle(middle, passed, at);
            }
            warm.laps.clear();
            warm.last = Some(middle);
            warm.size = fitting(lap, middle, self.longest_lap() / passed);
            (warm.began, warm.operations) = (at, 0);
        }
        self.phase = Phase::Warm(warm);
    }

    /// Returns the most seconds that a lap should take, set-up included.
    fn longest_lap(&self) -> f64 {
        self.bounds.slice / 50.0
    }

    /// Ends the warm-up and lays out the stages. An operation takes `typical` seconds, and `passed` seconds with
    /// everything that is not timed.
    fn settle(&mut self, typical: f64, passed: f64, at: f64) {
        let most = self.longest_lap() / passed;
        let Bounds { slice, lap, usage_lap, .. } = self.bounds;
        let typical = typical.max(1e-10);
        let mut add = |wanted: bool, lap: usize, feeds: Requirements| match self.stages.last_mut() {
            Some(last) if wanted && last.lap == lap => last.feeds = last.feeds.and(feeds),
            _ if wanted => self.stages.push(Stage { lap, feeds }),
            _ => {}
        };
        let Requirements { singles, batches, usage } = self.wants;
        add(
            usage,
            fitting(usage_lap, typical, most),
            Requirements { usage, ..Requirements::default() },
        );
        add(
            batches,
            fitting(lap, typical, most),
            Requirements { batches, ..Requirements::default() },
        );
        add(singles, 1, Requirements { singles, ..Requirements::default() });
        self.share = slice / self.stages.len().max(1) as f64;
        let batch = (self.share / 5.0).max(SHORTEST_BATCH);
        self.batch = (batch / typical).ceil().max(1.0) as usize;
        if singles {
            // Even an operation that takes no time cannot be timed faster than the clock is read.
            let likely = (self.share / (typical + lap / 100.0) * 2.0) as usize + 64;
            self.bounds.singles = self.room().min(likely);
            self.measured.walls = touched(self.room());
            self.measured.waits = Vec::with_capacity(self.room());
        }
        self.measured.batches = Vec::with_capacity(64);
        self.advance(at);
    }

    fn advance(&mut self, at: f64) {
        self.phase = match self.stages.pop() {
            Some(stage) => Phase::Measure(stage, at),
            None => Phase::Done,
        };
    }

    fn feed(&mut self, stage: Stage, operations: usize, failed: usize, reading: StopwatchReading) {
        let measured = &mut self.measured;
        measured.total.add(operations, failed, reading);
        if stage.feeds.singles && failed == 0 {
            if reading.waited > 0.0 {
                measured.waits.push((measured.walls.len(), reading.waited));
            }
            measured.walls.push(reading.wall);
        }
        if let (true, Some(used)) = (stage.feeds.usage, reading.usage) {
            let sum = measured.usage.get_or_insert_default();
            sum.0.add(&used);
            sum.1.add(operations, failed, reading);
        }
        if stage.feeds.batches {
            self.filling.add(operations, failed, reading);
            self.close_batch(self.batch);
        }
    }

    /// Ends the batch that is being filled, if it has at least `size` operations.
    fn close_batch(&mut self, size: usize) {
        if self.filling.operations >= size {
            self.measured.batches.push(std::mem::take(&mut self.filling));
        }
    }
}

impl Requirements {
    fn and(self, other: Requirements) -> Requirements {
        Requirements {
            singles: self.singles || other.singles,
            batches: self.batches || other.batches,
            usage: self.usage || other.usage,
        }
    }
}

/// Returns how many operations make a lap of `seconds`, but at most `most`.
fn fitting(seconds: f64, each: f64, most: f64) -> usize {
    ((seconds / each.max(1e-10)).ceil().min(most) as usize).clamp(1, LARGEST_LAP)
}

/// Returns room for `capacity` numbers, whose pages are resident before they are needed.
fn touched(capacity: usize) -> Vec<f64> {
    let mut room = vec![f64::NAN; capacity];
    room.clear();
    room
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
