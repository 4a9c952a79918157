//! The type that an asynchronous benchmark calls to have its routine measured, on the runtime that the benchmark names.

use std::hint::black_box;
use std::time::Duration;

use criterion::BatchSize;
use criterion::async_executor::AsyncExecutor;
use criterion::measurement::{Measurement, WallTime};

use crate::bencher::{Bencher, MeasuredBy, duration};

/// The type that measures an asynchronous routine; see [`criterion::AsyncBencher`].
pub struct AsyncBencher<'a, 'b, A: AsyncExecutor, M: Measurement = WallTime> {
    bencher: &'b mut Bencher<'a, M>,
    runner: A,
}

/// A runtime that is borrowed, since Criterion takes one by value.
struct BorrowedExecutor<'r, A>(&'r A);

impl<A: AsyncExecutor> AsyncExecutor for BorrowedExecutor<'_, A> {
    fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.0.block_on(future)
    }
}

impl<'a, M: Measurement> Bencher<'a, M> {
    /// See [`criterion::Bencher::to_async`].
    pub fn to_async<'b, A: AsyncExecutor>(&'b mut self, runner: A) -> AsyncBencher<'a, 'b, A, M> {
        AsyncBencher { bencher: self, runner }
    }
}

impl<A: AsyncExecutor, M: Measurement> AsyncBencher<'_, '_, A, M> {
    /// See [`criterion::AsyncBencher::iter`].
    #[expect(clippy::iter_not_returning_iterator, reason = "the name is Criterion's")]
    #[inline(never)]
    pub fn iter<O, R, F>(&mut self, mut routine: R)
    where
        R: FnMut() -> F,
        F: Future<Output = O>,
    {
        let runner = &self.runner;
        match self.bencher.by() {
            MeasuredBy::Criterion(inner) => {
                inner
                    .with(&mut |inner| inner.to_async(BorrowedExecutor(runner)).iter(&mut routine));
            }
            MeasuredBy::Run(ours) => {
                let op = |()| {
                    let output = routine();
                    async { drop(black_box(output.await)) }
                };
                let block_on = |whole: std::pin::Pin<Box<dyn Future<Output = ()> + '_>>| {
                    runner.block_on(whole);
                };
                let result = ours.run.benchmark_async("iter", block_on, || (), op);
                ours.keep(result);
            }
        }
    }

    /// See [`criterion::AsyncBencher::iter_custom`].
    #[inline(never)]
    pub fn iter_custom<R, F>(&mut self, mut routine: R)
    where
        R: FnMut(u64) -> F,
        F: Future<Output = M::Value>,
        M::Value: 'static,
    {
        let runner = &self.runner;
        match self.bencher.by() {
            MeasuredBy::Criterion(inner) => {
                inner.with(&mut |inner| {
                    inner.to_async(BorrowedExecutor(runner)).iter_custom(&mut routine)
                });
            }
            MeasuredBy::Run(ours) => {
                let timed = |count| -> Duration { duration(&runner.block_on(routine(count))) };
                let result = ours.run.benchmark_timed("iter_custom", timed);
                ours.keep(result);
            }
        }
    }

    /// See [`criterion::AsyncBencher::iter_batched`]: a new input for each iteration.
    #[doc(hidden)]
    pub fn iter_with_setup<I, O, S, R, F>(&mut self, setup: S, routine: R)
    where
        S: FnMut() -> I,
        R: FnMut(I) -> F,
        F: Future<Output = O>,
    {
        self.iter_batched(setup, routine, BatchSize::PerIteration);
    }

    /// See [`criterion::AsyncBencher::iter_with_large_drop`].
    pub fn iter_with_large_drop<O, R, F>(&mut self, mut routine: R)
    where
        R: FnMut() -> F,
        F: Future<Output = O>,
    {
        self.iter_batched(|| (), |()| routine(), BatchSize::SmallInput);
    }

    /// See [`criterion::AsyncBencher::iter_batched`]: one batch of inputs.
    #[doc(hidden)]
    pub fn iter_with_large_setup<I, O, S, R, F>(&mut self, setup: S, routine: R)
    where
        S: FnMut() -> I,
        R: FnMut(I) -> F,
        F: Future<Output = O>,
    {
        self.iter_batched(setup, routine, BatchSize::NumBatches(1));
    }

    /// See [`criterion::AsyncBencher::iter_batched`].
    #[inline(never)]
    pub fn iter_batched<I, O, S, R, F>(&mut self, mut setup: S, mut routine: R, size: BatchSize)
    where
        S: FnMut() -> I,
        R: FnMut(I) -> F,
        F: Future<Output = O>,
    {
        let runner = &self.runner;
        match self.bencher.by() {
            MeasuredBy::Criterion(inner) => inner.with(&mut |inner| {
                inner.to_async(BorrowedExecutor(runner)).iter_batched(
                    &mut setup,
                    &mut routine,
                    size,
                );
            }),
            MeasuredBy::Run(ours) => {
                let block_on = |whole: std::pin::Pin<Box<dyn Future<Output = ()> + '_>>| {
                    runner.block_on(whole);
                };
                let result = ours.run.benchmark_async("iter_batched", block_on, setup, routine);
                ours.keep(result);
            }
        }
    }

    /// See [`criterion::AsyncBencher::iter_batched_ref`].
    #[inline(never)]
    pub fn iter_batched_ref<I, O, S, R, F>(&mut self, mut setup: S, mut routine: R, size: BatchSize)
    where
        S: FnMut() -> I,
        R: FnMut(&mut I) -> F,
        F: Future<Output = O>,
    {
        let runner = &self.runner;
        match self.bencher.by() {
            MeasuredBy::Criterion(inner) => inner.with(&mut |inner| {
                inner.to_async(BorrowedExecutor(runner)).iter_batched_ref(
                    &mut setup,
                    &mut routine,
                    size,
                );
            }),
            MeasuredBy::Run(ours) => {
                let op = |mut input: I| {
                    let output = routine(&mut input);
                    // The input is part of the output, so that it is dropped outside of the measured part.
                    async { (output.await, input) }
                };
                let block_on = |whole: std::pin::Pin<Box<dyn Future<Output = ()> + '_>>| {
                    runner.block_on(whole);
                };
                let result = ours.run.benchmark_async("iter_batched_ref", block_on, setup, op);
                ours.keep(result);
            }
        }
    }
}
