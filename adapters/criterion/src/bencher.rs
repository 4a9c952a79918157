//! The type that a benchmark calls to have its routine measured: by Criterion, or by the instruments of perf-budget.

use std::any::Any;
use std::time::Duration;

use criterion::BatchSize;
use criterion::measurement::{Measurement, WallTime};
use perf_budget::{Failed, Run};

/// The type that measures a routine; see [`criterion::Bencher`].
pub struct Bencher<'a, M: Measurement = WallTime> {
    by: MeasuredBy<'a, M>,
}

/// The library by which a routine is measured.
pub(crate) enum MeasuredBy<'a, M: Measurement> {
    Criterion(&'a mut dyn Inner<M>),
    Run(InstrumentBencher<'a>),
}

/// Criterion's own bencher, without its lifetime.
pub(crate) trait Inner<M: Measurement> {
    /// Calls `f` with the bencher. This costs one call for each measurement, and nothing for each iteration.
    fn with(&mut self, f: &mut dyn FnMut(&mut criterion::Bencher<'_, M>));
}

impl<M: Measurement> Inner<M> for criterion::Bencher<'_, M> {
    fn with(&mut self, f: &mut dyn FnMut(&mut criterion::Bencher<'_, M>)) {
        f(self);
    }
}

/// A measurement by the instruments.
pub(crate) struct InstrumentBencher<'a> {
    pub(crate) run: &'a mut Run,
    /// The first failure of a measuring method.
    failed: Option<Failed>,
}

impl InstrumentBencher<'_> {
    /// Keeps the first failure.
    pub(crate) fn keep(&mut self, result: Result<(), Failed>) {
        if let (None, Err(failed)) = (&self.failed, result) {
            self.failed = Some(failed);
        }
    }
}

impl<'a, M: Measurement> Bencher<'a, M> {
    pub(crate) fn of_criterion(inner: &'a mut dyn Inner<M>) -> Bencher<'a, M> {
        Bencher { by: MeasuredBy::Criterion(inner) }
    }

    pub(crate) fn of_run(run: &'a mut Run) -> Bencher<'a, M> {
        Bencher { by: MeasuredBy::Run(InstrumentBencher { run, failed: None }) }
    }

    #[cfg(feature = "async")]
    pub(crate) fn by(&mut self) -> &mut MeasuredBy<'a, M> {
        &mut self.by
    }

    /// Returns the first failure of a measuring method.
    pub(crate) fn result(self) -> Result<(), Failed> {
        match self.by {
            MeasuredBy::Run(InstrumentBencher { failed: Some(failed), .. }) => Err(failed),
            MeasuredBy::Run(_) | MeasuredBy::Criterion(_) => Ok(()),
        }
    }

    /// See [`criterion::Bencher::iter`].
    #[expect(clippy::iter_not_returning_iterator, reason = "the name is Criterion's")]
    #[inline(never)]
    pub fn iter<O, R>(&mut self, mut routine: R)
    where
        R: FnMut() -> O,
    {
        match &mut self.by {
            MeasuredBy::Criterion(inner) => inner.with(&mut |inner| inner.iter(&mut routine)),
            MeasuredBy::Run(ours) => {
                let result = ours.run.benchmark("iter", routine);
                ours.keep(result);
            }
        }
    }

    /// See [`criterion::Bencher::iter_custom`].
    #[inline(never)]
    pub fn iter_custom<R>(&mut self, mut routine: R)
    where
        R: FnMut(u64) -> M::Value,
        M::Value: 'static,
    {
        match &mut self.by {
            MeasuredBy::Criterion(inner) => {
                inner.with(&mut |inner| inner.iter_custom(&mut routine));
            }
            MeasuredBy::Run(ours) => {
                let timed = |count| duration(&routine(count));
                let result = ours.run.benchmark_timed("iter_custom", timed);
                ours.keep(result);
            }
        }
    }

    /// See [`criterion::Bencher::iter_batched`]: a new input for each iteration.
    #[doc(hidden)]
    pub fn iter_with_setup<I, O, S, R>(&mut self, setup: S, routine: R)
    where
        S: FnMut() -> I,
        R: FnMut(I) -> O,
    {
        self.iter_batched(setup, routine, BatchSize::PerIteration);
    }

    /// See [`criterion::Bencher::iter_with_large_drop`].
    pub fn iter_with_large_drop<O, R>(&mut self, mut routine: R)
    where
        R: FnMut() -> O,
    {
        self.iter_batched(|| (), |()| routine(), BatchSize::SmallInput);
    }

    /// See [`criterion::Bencher::iter_batched`]. The instruments decide themselves how many inputs there are at a time.
    #[inline(never)]
    pub fn iter_batched<I, O, S, R>(&mut self, mut setup: S, mut routine: R, size: BatchSize)
    where
        S: FnMut() -> I,
        R: FnMut(I) -> O,
    {
        match &mut self.by {
            MeasuredBy::Criterion(inner) => {
                inner.with(&mut |inner| inner.iter_batched(&mut setup, &mut routine, size));
            }
            MeasuredBy::Run(ours) => {
                let result = ours.run.benchmark_with("iter_batched", setup, routine);
                ours.keep(result);
            }
        }
    }

    /// See [`criterion::Bencher::iter_batched_ref`]. The instruments decide themselves how many inputs there are at a time.
    #[inline(never)]
    pub fn iter_batched_ref<I, O, S, R>(&mut self, mut setup: S, mut routine: R, size: BatchSize)
    where
        S: FnMut() -> I,
        R: FnMut(&mut I) -> O,
    {
        match &mut self.by {
            MeasuredBy::Criterion(inner) => {
                inner.with(&mut |inner| inner.iter_batched_ref(&mut setup, &mut routine, size));
            }
            MeasuredBy::Run(ours) => {
                let result = ours.run.benchmark_with_ref("iter_batched_ref", setup, routine);
                ours.keep(result);
            }
        }
    }
}

/// Returns the value of a measurement as a time. A benchmark whose measurement is not a time is refused before its routine
/// runs.
pub(crate) fn duration(value: &dyn Any) -> Duration {
    value.downcast_ref::<Duration>().copied().unwrap_or_default()
}
