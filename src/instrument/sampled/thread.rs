//! Where an operation spends its time, by samples: a signal interrupts the thread at random moments, and its handler notes
//! where the thread is.
//!
//! Sampling judges nothing, and disturbs what it watches. So it has a process of its own, and is only done for a red or on
//! request.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use perf_budget_core::metric::Key;
use perf_budget_core::outcome::{Cause, Unmeasured};
use perf_budget_core::reading::ProcessRun;

use super::sampling::Sampling;
use crate::instrument::laps::{Instrument, Repeat};
use crate::os::kernel::{self, Clock};
use crate::os::sampler::{SampledTime, Sampler};

/// The mean time between two samples. A thousand of them take a quarter of a second.
const PERIOD: Duration = Duration::from_micros(250);
/// The time after which a lap is long enough: a signal that comes between two laps counts for nothing.
const LAP: Duration = Duration::from_millis(2);
/// The most operations of a lap, whose inputs are made beforehand.
const LARGEST_LAP: usize = 1 << 14;
/// How long operations run before they are sampled.
const WARM_UP: Duration = Duration::from_millis(100);

/// The instrument that samples where the thread of the operations is.
pub(crate) struct Sampled {
    file: PathBuf,
    sampler: Option<Sampler>,
    /// Why this thread cannot be sampled.
    refused: Option<Unmeasured>,
    most: usize,
    began: Instant,
    longest: Duration,
    repeat: Repeat,
    lap: usize,
    started: Instant,
    before: Times,
    sum: Times,
    operations: u64,
    failed: u64,
}

/// How long something took, by several clocks.
#[derive(Debug, Clone, Copy, Default)]
struct Times {
    wall: Duration,
    /// The processor time of the thread that runs the operations.
    thread: Duration,
    /// The processor time of all threads.
    process: Duration,
}

impl Times {
    fn now(wall: Duration) -> Times {
        let read = |clock| kernel::clock(clock).unwrap_or_default();
        Times { wall, thread: read(Clock::Thread), process: read(Clock::Process) }
    }

    fn add(&mut self, now: Times, before: Times) {
        self.wall += now.wall;
        self.thread += now.thread.saturating_sub(before.thread);
        self.process += now.process.saturating_sub(before.process);
    }
}

impl Sampled {
    /// Makes the instrument for one request.
    ///
    /// # Errors
    /// If a thread of this process cannot be sampled.
    pub(crate) fn new(sampling: &Sampling, repeat: Repeat) -> Result<Sampled, Unmeasured> {
        let now = Instant::now();
        let mut sampled = Sampled {
            file: sampling.file.clone(),
            sampler: None,
            refused: None,
            most: sampling.most,
            began: now,
            longest: sampling.longest,
            repeat,
            lap: 1,
            started: now,
            before: Times::default(),
            sum: Times::default(),
            operations: 0,
            failed: 0,
        };
        if repeat == Repeat::Once {
            sampled.begin()?;
        }
        Ok(sampled)
    }

    fn begin(&mut self) -> Result<(), Unmeasured> {
        let sampler = Sampler::begin(self.most, PERIOD).map_err(|e| {
            let text = format!("failed to sample this thread: {e}");
            Unmeasured::new(Cause::Unsupported, text)
        })?;
        self.sampler = Some(sampler);
        Ok(())
    }
}

impl Instrument for Sampled {
    fn next(&mut self) -> Option<usize> {
        if self.repeat == Repeat::Once {
            return (self.operations == 0).then_some(1);
        }
        if self.sampler.is_none() && self.began.elapsed() >= WARM_UP.min(self.longest / 4) {
            self.refused = self.begin().err();
        }
        let is_done = self.refused.is_some()
            || self.sampler.as_ref().is_some_and(Sampler::is_full)
            || self.began.elapsed() >= self.longest;
        (!is_done).then_some(self.lap)
    }

    #[inline]
    fn start(&mut self) {
        self.before = Times::now(Duration::ZERO);
        self.started = Instant::now();
        if let Some(sampler) = &self.sampler {
            sampler.enter();
        }
    }

    #[inline]
    fn stop(&mut self) {
        if let Some(sampler) = &self.sampler {
            sampler.leave();
        }
        let wall = self.started.elapsed();
        if self.sampler.is_some() {
            self.sum.add(Times::now(wall), self.before);
        }
        if wall < LAP && self.lap < LARGEST_LAP {
            self.lap *= 2;
        }
    }

    fn record(&mut self, operations: usize, failed: usize) {
        if self.sampler.is_some() {
            self.operations += operations as u64;
            self.failed += failed as u64;
        }
    }

    fn finish(&mut self, process: &mut ProcessRun) -> Result<(), Unmeasured> {
        if let Some(why) = self.refused.take() {
            return Err(why);
        }
        if self.sampler.is_none() {
            self.begin()?;
        }
        let share = |time: Duration| {
            let wall = self.sum.wall.as_secs_f64();
            if wall > 0.0 { time.as_secs_f64() / wall } else { 0.0 }
        };
        let spent = SampledTime {
            seconds: self.sum.wall.as_secs_f64(),
            operations: self.operations,
            waited: (1.0 - share(self.sum.thread)).max(0.0),
            others: share(self.sum.process.saturating_sub(self.sum.thread)),
        };
        let written =
            self.sampler.take().map_or(Ok(()), |sampler| sampler.write(&self.file, &spent));
        written.map_err(|e| {
            let text = format!("failed to write samples to `{}`: {e}", self.file.display());
            Unmeasured::new(Cause::Harness, text)
        })?;
        let share = self.failed as f64 / self.operations.max(1) as f64;
        process.values.insert(Key::ErrorRate, share);
        Ok(())
    }
}
