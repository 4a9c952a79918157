//! The latency, throughput and processor time of an operation, its context switches, page faults, and bytes read and
//! written.
//!
//! This file joins the stopwatch and the plan, and turns what they collected into a process run. None of it runs in
//! the timed part.

mod plan;

use perf_budget_core::metric::{Key, Metric, SampleKind};
use perf_budget_core::outcome::{Cause, Unmeasured};
use perf_budget_core::reading::{ProcessRun, Timing, Work};
use std::time::{Duration, Instant};

use self::plan::{Batch, Bounds, Measured, Plan, Requirements};
use super::clock::{Stopwatch, StopwatchReading};
use crate::instrument::laps::{Instrument, Repeat};
use crate::os::usage::{Contention, Used};

/// If other threads and children used more than this share of the measured time, the workload counts as one of
/// several threads. Its waiting may then be its own doing, and is not subtracted.
const SINGLE_THREADED: f64 = 0.01;

/// The metrics for which the bytes that the process reads and writes are counted.
const BYTES: [Key; 2] = [Key::ReadBytes, Key::WrittenBytes];

/// Returns the metric of the page faults of one operation.
pub(crate) fn page_faults() -> Metric {
    Metric::from(Key::PageFaults)
}

/// The instrument that times operations.
pub(crate) struct Time {
    watch: Stopwatch,
    plan: Plan,
    reading: StopwatchReading,
    began: Instant,
    contention: Option<Contention>,
    counting: bool,
    asks_for_bytes: bool,
}

impl Time {
    /// Makes the instrument for these metrics, for a `slice`, and for at most this many single operations.
    pub(crate) fn new(metrics: &[Metric], slice: Duration, singles: usize, repeat: Repeat) -> Self {
        let mut watch = Stopwatch::calibrated();
        let asks_for_bytes = metrics.iter().any(|metric| BYTES.contains(&metric.key()));
        if asks_for_bytes {
            watch.count_bytes();
        }
        let wants = requirements(metrics);
        let bounds = Bounds {
            slice: slice.as_secs_f64(),
            singles,
            lap: watch.negligible(false),
            usage_lap: watch.negligible(true),
        };
        let plan = match repeat {
            Repeat::Looped => Plan::looped(wants, bounds),
            Repeat::Once => Plan::once(wants, bounds),
        };
        let (reading, began) = (StopwatchReading::default(), Instant::now());
        Time { watch, plan, reading, began, contention: None, counting: false, asks_for_bytes }
    }

    /// Adds what the process used in its laps: processor time, context switches, page faults, and bytes.
    ///
    /// # Errors
    /// If the system does not report what a limit needs.
    fn add_usage(
        &self,
        usage: Option<(Used, Batch)>,
        process: &mut ProcessRun,
    ) -> Result<(), Unmeasured> {
        let Some((used, laps)) = usage else {
            if !self.plan.requirements().usage {
                return Ok(());
            }
            let text = "failed to read what this process uses: this system does not report it; drop the limits on cpu, \
                        utilization, context_switches, page faults and bytes here";
            return Err(Unmeasured::new(Cause::Unsupported, text));
        };
        let mut insert =
            |key: Key, whole: f64| process.values.insert(key, whole / laps.operations as f64);
        insert(Key::Cpu, used.cpu);
        insert(Key::ContextSwitches, used.counts.switches as f64);
        insert(Key::PageFaults, used.counts.faults as f64);
        insert(Key::MajorFaults, used.counts.major_faults as f64);
        if let Some(moved) = used.traffic {
            insert(Key::ReadBytes, moved.read as f64);
            insert(Key::WrittenBytes, moved.written as f64);
        } else if self.asks_for_bytes {
            let text = "failed to read `/proc/self/io`: this system does not count the bytes that a process \
                        reads and writes; drop the limits on read_bytes and written_bytes here";
            return Err(Unmeasured::new(Cause::Unsupported, text));
        }
        if laps.wall > 0.0 {
            process.values.insert(Key::Utilization, used.cpu / laps.wall);
        }
        Ok(())
    }
}

impl Instrument for Time {
    #[inline]
    fn next(&mut self) -> Option<usize> {
        if self.plan.counts() && !self.counting {
            self.counting = true;
            self.contention = Contention::now();
        }
        self.plan.next()
    }

    #[inline]
    fn start(&mut self) {
        self.watch.start(self.plan.reads_usage());
    }

    #[inline]
    fn stop(&mut self) {
        self.reading = self.watch.stop();
    }

    #[cfg(feature = "internals")]
    fn stop_after(&mut self, took: Duration) {
        // The scheduling delay of the timed part cannot be told from that of the rest, so it is not subtracted.
        self.reading =
            StopwatchReading { wall: took.as_secs_f64(), waited: 0.0, ..self.watch.stop() };
    }

    #[inline]
    fn record(&mut self, operations: usize, failed: usize) {
        let at = self.watch.ended().duration_since(self.began).as_secs_f64();
        self.plan.record(operations, failed, self.reading, at);
    }

    fn finish(&mut self, process: &mut ProcessRun) -> Result<(), Unmeasured> {
        let contention = Contention::now();
        let measured = std::mem::take(&mut self.plan.measured);
        let Measured { total, .. } = measured;
        if total.operations == 0 {
            return Ok(());
        }
        let both = self.contention.zip(contention);
        let others = both.map(|(before, after)| after.others_since(&before));
        let single_threaded = others.is_some_and(|others| others <= SINGLE_THREADED * total.wall);
        let corrected = single_threaded && self.watch.sees_waiting();
        let clock = if corrected {
            "clock: wall, scheduling delay subtracted"
        } else if single_threaded {
            "clock: wall, as this system does not report scheduling delay"
        } else {
            "clock: wall, as other threads or child processes worked too, or this is not known"
        };
        process.notes.push(clock.to_owned());
        process.timing = Some(if corrected { Timing::LessWaiting } else { Timing::Wall });
        process.clock = Some(self.watch.clock());
        process.preempted =
            both.and_then(|(before, after)| Some(after.preempted? - before.preempted?));
        process.waited = self.watch.sees_waiting().then(|| total.waited / total.wall.max(1e-12));
        process.operations = latencies_without_waits(measured.walls, &measured.waits, corrected);
        let seconds = |batch: &Batch| batch.wall - if corrected { batch.waited } else { 0.0 };
        let succeeded = |batch: &&Batch| batch.operations > batch.failed;
        let mean = |batch: &Batch| seconds(batch) / (batch.operations - batch.failed) as f64;
        process.batches = measured.batches.iter().filter(succeeded).map(mean).collect();
        let smallest = measured.batches.iter().map(|batch| batch.operations).min();
        process.batch_size = smallest.unwrap_or(0) as u64;
        if let (1.., false) = measured.warmed {
            process.notes.push("the warm-up had not settled when it had to end".to_owned());
        }
        let failed = total.failed as f64 / total.operations as f64;
        process.values.insert(Key::ErrorRate, failed);
        if let Some(rate) = throughput(&process.batches, process.work) {
            process.values.insert(Key::Throughput, rate);
        }
        self.add_usage(measured.usage, process)
    }
}

fn requirements(metrics: &[Metric]) -> Requirements {
    let any = |needs: fn(&Metric) -> bool| metrics.iter().any(needs);
    Requirements {
        singles: any(|m| matches!(m.sample(), SampleKind::Operation | SampleKind::Failure)),
        batches: any(|m| matches!(m.sample(), SampleKind::Batch | SampleKind::Rate)),
        usage: any(|m| m.sample() == SampleKind::Process),
    }
}

/// Returns the latencies without the time spent waiting for a processor. No latency becomes shorter than the shortest
/// one that did not wait, because the readings around an operation may contain a wait just before or after it.
fn latencies_without_waits(
    mut walls: Vec<f64>,
    waits: &[(usize, f64)],
    corrected: bool,
) -> Vec<f64> {
    if corrected {
        let mut waited = waits.iter().map(|wait| wait.0).peekable();
        let calm = walls.iter().enumerate().filter(|(n, _)| waited.next_if_eq(n).is_none());
        let floor = calm.map(|(_, wall)| *wall).fold(f64::INFINITY, f64::min);
        let floor = if floor.is_finite() { floor } else { 0.0 };
        for &(n, waited) in waits {
            walls[n] = (walls[n] - waited).max(floor.min(walls[n]));
        }
    }
    walls
}

/// Returns the operations or bytes per second of the middle batch.
fn throughput(batches: &[f64], work: Work) -> Option<f64> {
    let (Work::Operations(amount) | Work::Bytes(amount)) = work;
    let middle = super::clock::median(&mut batches.to_vec());
    (middle > 0.0).then(|| amount / middle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(walls: &[f64], waits: &[(usize, f64)], expected: &[f64]) {
        assert_eq!(latencies_without_waits(walls.to_vec(), waits, true), expected);
        assert_eq!(latencies_without_waits(walls.to_vec(), waits, false), walls);
    }

    #[test]
    fn only_the_waiting_is_subtracted() {
        check(&[], &[], &[]);
        check(&[2.0, 3.0], &[], &[2.0, 3.0]);
        check(&[2.0, 9.0, 3.0], &[(1, 6.5)], &[2.0, 2.5, 3.0]);
        // The result is never below the fastest operation that did not wait.
        check(&[2.0, 9.0, 3.0], &[(1, 8.5)], &[2.0, 2.0, 3.0]);
        // The result is never longer than the reading.
        check(&[8.0, 5.0], &[(1, 1.0)], &[8.0, 5.0]);
        // All operations waited.
        check(&[9.0, 8.0], &[(0, 4.0), (1, 8.0)], &[5.0, 0.0]);
    }

    #[test]
    fn throughput_counts_what_an_operation_stands_for() {
        let rate = |work| throughput(&[0.1, 0.5, 0.2], work);
        assert_eq!(rate(Work::Operations(1.0)), Some(5.0));
        assert_eq!(rate(Work::Bytes(1000.0)), Some(5000.0));
        assert_eq!(throughput(&[], Work::Operations(1.0)), None);
    }
}
