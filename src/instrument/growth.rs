//! The growth of resident memory under sustained load: the bytes that each further operation adds.
//!
//! This is apart from `memory`, which reads what one operation adds in a fresh process. Here that first increase is
//! noise, so the instrument waits until it is over. Operations run one by one, so that the loop itself holds nothing,
//! and resident memory is read between them every few milliseconds. The slope is that of Theil and Sen, because a
//! single step, as when an allocator takes another arena, is an outlier that does not change it.

use std::time::{Duration, Instant};

use perf_budget_core::metric::Key;
use perf_budget_core::outcome::{Cause, Unmeasured};
use perf_budget_core::reading::ProcessRun;
use perf_budget_core::stats::theil_sen;

use crate::instrument::emulated;
use crate::instrument::laps::{Instrument, Repeat};
use crate::os::memory::resident;

/// The number of readings in a slice.
const READINGS: u32 = 100;
/// The fewest readings that a slope is computed from, however long operations take.
const MIN_READINGS: usize = 10;
/// The warm-up takes from a fifth to half of a slice: it ends once memory has stopped growing. These are the
/// divisors.
const WARM_UP: std::ops::RangeInclusive<u32> = 2..=5;
/// The growth, in bytes and without its largest step, that ends the measurement. It is hundreds of pages, and more
/// would show nothing new.
const ENOUGH_GROWTH: f64 = (1_u64 << 20) as f64;
/// The number of pages that memory has to grow by before a slope shows it.
const VISIBLE: f64 = 2.0;

/// The instrument that watches the resident memory of a process through many operations.
pub(crate) struct Growth {
    slice: Duration,
    /// When this phase began.
    began: Instant,
    /// When resident memory is read next.
    due: Instant,
    /// The operations of this phase so far.
    operations: usize,
    /// The readings of this phase: the operations so far, and the resident bytes after them.
    points: Vec<(f64, f64)>,
    /// When each reading of the warm-up was taken; `None` once the warm-up is over.
    warm: Option<Vec<Duration>>,
    done: bool,
    /// Whether a reading failed.
    failed: bool,
}

impl Growth {
    /// Makes the instrument. It fails if the system does not report what is resident.
    pub(crate) fn new(slice: Duration, repeat: Repeat) -> Result<Self, Unmeasured> {
        if repeat == Repeat::Once {
            let text = "a value that is built once does not grow: measure `rss_growth` with `iter`, \
                        and what the value holds as `rss`";
            return Err(Unmeasured::new(Cause::WorkloadFailed, text));
        }
        emulated::refuse_resident_memory()?;
        let room = READINGS as usize + 64;
        let now = Instant::now();
        let mut growth = Growth {
            slice,
            began: now,
            due: now,
            operations: 0,
            points: Vec::with_capacity(room),
            warm: Some(Vec::with_capacity(room)),
            done: false,
            failed: false,
        };
        growth.read();
        if growth.failed {
            let text = "failed to read resident memory: this system does not report it; drop the \
                        limit on rss_growth here";
            return Err(Unmeasured::new(Cause::Unsupported, text));
        }
        growth.begin();
        Ok(growth)
    }

    fn begin(&mut self) {
        self.points.clear();
        self.operations = 0;
        self.read();
        self.began = Instant::now();
    }

    fn read(&mut self) {
        match resident() {
            Some(bytes) => self.points.push((self.operations as f64, bytes as f64)),
            None => self.failed = true,
        }
        self.due = Instant::now() + self.slice / READINGS;
    }

    /// Whether resident memory has stopped growing: it did not grow in the later half of the warm-up.
    fn is_settled(&self, times: &[Duration], passed: Duration) -> bool {
        // The first point is from before the first operation and has no time, so this index is that of the last point
        // of the earlier half.
        let half = times.partition_point(|&time| time < passed / 2);
        self.points[half].1 >= self.points[self.points.len() - 1].1
    }
}

impl Instrument for Growth {
    fn next(&mut self) -> Option<usize> {
        (!self.done && !self.failed).then_some(1)
    }

    fn start(&mut self) {}

    fn stop(&mut self) {}

    fn record(&mut self, operations: usize, _failed: usize) {
        self.operations += operations;
        if Instant::now() < self.due {
            return;
        }
        self.read();
        let (slice, passed) = (self.slice, self.began.elapsed());
        let Some(mut times) = self.warm.take() else {
            self.done = self.points.len() > MIN_READINGS
                && (passed >= slice || steady_growth(&self.points) > ENOUGH_GROWTH);
            return;
        };
        times.push(passed);
        let settled = passed >= slice / *WARM_UP.end() && self.is_settled(&times, passed);
        if settled || passed >= slice / *WARM_UP.start() {
            self.begin();
        } else {
            self.warm = Some(times);
        }
    }

    fn finish(&mut self, process: &mut ProcessRun) -> Result<(), Unmeasured> {
        if self.failed {
            let text = "failed to read resident memory again: is /proc still there?";
            return Err(Unmeasured::new(Cause::Harness, text));
        }
        let Some(slope) = theil_sen(&self.points).filter(|_| self.done) else { return Ok(()) };
        let (first, last) = (self.points[0].1, self.points[self.points.len() - 1].1);
        process.grain = Some(VISIBLE * page() / self.operations as f64);
        process.notes.push(format!(
            "resident memory went from {first} B to {last} B in {} operations",
            self.operations
        ));
        let (early, late) = self.points.split_at(self.points.len() / 2);
        if let (Some(early), Some(late)) = (theil_sen(early), theil_sen(late))
            && late < early / 2.0
            && process.grain.is_some_and(|grain| early > 2.0 * grain)
        {
            process.notes.push(format!(
                "growth slows down: {early:.1} B an operation, and then {late:.1} B; a cache that is \
                 being filled is best filled before the measuring method"
            ));
        }
        process.values.insert(Key::RssGrowth, slope.max(0.0));
        Ok(())
    }
}

/// Returns the growth from the first point to the last one, without the largest step between two points.
fn steady_growth(points: &[(f64, f64)]) -> f64 {
    let steps = points.windows(2).map(|pair| pair[1].1 - pair[0].1);
    let (sum, largest) =
        steps.fold((0.0, 0.0), |(sum, largest): (f64, f64), step| (sum + step, largest.max(step)));
    sum - largest
}

/// Returns the size of a page, the unit in which resident memory is counted.
fn page() -> f64 {
    #[cfg(target_os = "linux")]
    let page = crate::os::kernel::page_size() as f64;
    // This is the largest page that the other systems have.
    #[cfg(not(target_os = "linux"))]
    let page = 16_384.0;
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks a warm-up with the resident bytes `read`, one reading each millisecond.
    #[track_caller]
    fn check(read: &[f64], expected: bool) {
        let slice = Duration::from_millis(100);
        let Ok(mut growth) = Growth::new(slice, Repeat::Looped) else {
            // An emulator may not report what is resident.
            return assert!(crate::os::emulator::emulator().is_some());
        };
        growth.points = read.iter().enumerate().map(|(n, &bytes)| (n as f64, bytes)).collect();
        let ms = |n: usize| Duration::from_millis(n as u64);
        let times: Vec<Duration> = (1..read.len()).map(ms).collect();
        assert_eq!(growth.is_settled(&times, ms(read.len() - 1)), expected, "{read:?}");
    }

    #[test]
    fn one_step_is_no_steady_growth() {
        let growth = |bytes: &[f64]| {
            let points: Vec<_> = bytes.iter().map(|&bytes| (0.0, bytes)).collect();
            steady_growth(&points)
        };
        for (bytes, expected) in [
            (&[5.0, 5.0, 105.0, 105.0][..], 0.0),
            (&[5.0, 15.0, 25.0, 35.0], 20.0),
            (&[5.0, 15.0, 115.0, 125.0], 20.0),
            (&[9.0, 5.0], -4.0),
            (&[9.0], 0.0),
        ] {
            assert!((growth(bytes) - expected).abs() < 1e-12, "{bytes:?}");
        }
    }

    #[test]
    fn a_warm_up_ends_when_memory_has_stopped_growing() {
        check(&[1.0, 9.0, 9.0, 9.0, 9.0], true);
        check(&[1.0, 5.0, 9.0, 9.0, 9.0], false);
        check(&[1.0, 9.0, 9.0, 9.0, 10.0], false);
        check(&[9.0, 9.0, 9.0, 5.0, 5.0], true);
        check(&[1.0, 2.0], false);
        check(&[2.0, 2.0], true);
    }
}
