//! The type that a benchmark calls to have its function measured: by Divan, or by the instruments of perf-budget.

use std::fmt::{self, Debug};
use std::hint::black_box;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};

use divan::counter::IntoCounter;
use perf_budget::internals::served;
use perf_budget::{Failed, Run};

use crate::counted::work;

/// The type that measures a function; see [`divan::Bencher`].
#[must_use = "a benchmark function must be registered"]
pub struct Bencher<'a, 'b, C = Config> {
    by: MeasuredBy<'a, 'b>,
    config: C,
}

/// The configuration of a benchmark: how its inputs are made, and what is counted of each of them.
#[derive(Debug, Default)]
pub struct Config<G = (), K = ()> {
    inputs: G,
    counter: K,
}

/// The library by which a function is measured.
enum MeasuredBy<'a, 'b> {
    Divan(divan::Bencher<'a, 'b>),
    Run(InstrumentBencher<'a>),
}

/// A measurement by the instruments.
struct InstrumentBencher<'a> {
    run: &'a mut Run,
    /// The first failure of a measuring method, which is stored here.
    failed: &'a mut Option<Failed>,
    threads: usize,
}

impl<C> Debug for Bencher<'_, '_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bencher").finish_non_exhaustive()
    }
}

impl<'a, 'b> Bencher<'a, 'b> {
    pub(crate) fn of_divan(inner: divan::Bencher<'a, 'b>) -> Self {
        Bencher { by: MeasuredBy::Divan(inner), config: Config::default() }
    }

    pub(crate) fn of_run(run: &'a mut Run, failed: &'a mut Option<Failed>, threads: usize) -> Self {
        Bencher {
            by: MeasuredBy::Run(InstrumentBencher { run, failed, threads }),
            config: Config::default(),
        }
    }

    /// See [`divan::Bencher::bench`].
    pub fn bench<O, B>(self, benched: B)
    where
        B: Fn() -> O + Sync,
    {
        match self.by {
            MeasuredBy::Divan(inner) => inner.bench(benched),
            MeasuredBy::Run(ours) => ours.shared("bench", &|| (), &|()| benched()),
        }
    }

    /// See [`divan::Bencher::bench_local`].
    pub fn bench_local<O, B>(self, mut benched: B)
    where
        B: FnMut() -> O,
    {
        match self.by {
            MeasuredBy::Divan(inner) => inner.bench_local(benched),
            MeasuredBy::Run(ours) => {
                ours.ends(|run| run.benchmark_with("bench_local", || (), |()| benched()));
            }
        }
    }

    /// See [`divan::Bencher::with_inputs`].
    pub fn with_inputs<G>(self, gen_input: G) -> Bencher<'a, 'b, Config<G>> {
        Bencher { by: self.by, config: Config { inputs: gen_input, counter: () } }
    }
}

impl<G, K> Bencher<'_, '_, Config<G, K>> {
    /// See [`divan::Bencher::counter`].
    pub fn counter<C: IntoCounter>(self, counter: C) -> Self
    where
        C::Counter: Debug,
    {
        let Bencher { by, config } = self;
        let counter = counter.into_counter();
        let by = match by {
            MeasuredBy::Divan(inner) => MeasuredBy::Divan(inner.counter(counter)),
            MeasuredBy::Run(ours) => {
                if let Some(work) = work(&counter) {
                    ours.run.counts(work);
                }
                MeasuredBy::Run(ours)
            }
        };
        Bencher { by, config }
    }
}

impl<'a, 'b, I, G: FnMut() -> I> Bencher<'a, 'b, Config<G>> {
    /// See [`divan::Bencher::input_counter`]. In a process for a harness one input is made to be counted.
    pub fn input_counter<C, F>(self, make_counter: F) -> Bencher<'a, 'b, Config<G, Counted<F>>>
    where
        F: Fn(&I) -> C + Sync + 'static,
        C: IntoCounter,
        C::Counter: Debug,
    {
        let Bencher { mut by, config: Config { mut inputs, .. } } = self;
        if let MeasuredBy::Run(ours) = &mut by
            && let Some(work) = work(&make_counter(&inputs()).into_counter())
        {
            ours.run.counts(work);
        }
        Bencher { by, config: Config { inputs, counter: Counted(make_counter) } }
    }
}

/// The function that says what counts of each input.
#[derive(Debug)]
pub struct Counted<F>(F);

/// Writes the methods that measure with inputs, once for each way in which Divan's own bencher is configured.
macro_rules! with_inputs {
    ([$($generic:tt)*] $counter:ty, [$($bound:tt)*], |$inner:ident, $own:ident| $configured:expr) => {
        impl<I, G, $($generic)*> Bencher<'_, '_, Config<G, $counter>>
        where
            G: FnMut() -> I,
            $($bound)*
        {
            /// See [`divan::Bencher::bench_values`].
            pub fn bench_values<O, B>(self, benched: B)
            where
                B: Fn(I) -> O + Sync,
                G: Fn() -> I + Sync,
            {
                let Config { inputs, counter: $own } = self.config;
                match self.by {
                    MeasuredBy::Divan(inner) => {
                        let $inner = inner.with_inputs(inputs);
                        $configured.bench_values(benched);
                    }
                    MeasuredBy::Run(ours) => ours.shared("bench_values", &inputs, &benched),
                }
            }

            /// See [`divan::Bencher::bench_local_values`].
            pub fn bench_local_values<O, B>(self, benched: B)
            where
                B: FnMut(I) -> O,
            {
                let Config { inputs, counter: $own } = self.config;
                match self.by {
                    MeasuredBy::Divan(inner) => {
                        let $inner = inner.with_inputs(inputs);
                        $configured.bench_local_values(benched);
                    }
                    MeasuredBy::Run(ours) => ours
                        .ends(|run| run.benchmark_with("bench_local_values", inputs, benched)),
                }
            }

            /// See [`divan::Bencher::bench_refs`].
            pub fn bench_refs<O, B>(self, benched: B)
            where
                B: Fn(&mut I) -> O + Sync,
                G: Fn() -> I + Sync,
            {
                let Config { inputs, counter: $own } = self.config;
                match self.by {
                    MeasuredBy::Divan(inner) => {
                        let $inner = inner.with_inputs(inputs);
                        $configured.bench_refs(benched);
                    }
                    MeasuredBy::Run(ours) if ours.threads == 1 => {
                        ours.ends(|run| run.benchmark_with_ref("bench_refs", inputs, benched));
                    }
                    // The input is part of the output, so that it is dropped outside of the measured part.
                    MeasuredBy::Run(ours) => ours.shared("bench_refs", &inputs, &|mut input: I| {
                        let output = benched(&mut input);
                        (output, input)
                    }),
                }
            }

            /// See [`divan::Bencher::bench_local_refs`].
            pub fn bench_local_refs<O, B>(self, benched: B)
            where
                B: FnMut(&mut I) -> O,
            {
                let Config { inputs, counter: $own } = self.config;
                match self.by {
                    MeasuredBy::Divan(inner) => {
                        let $inner = inner.with_inputs(inputs);
                        $configured.bench_local_refs(benched);
                    }
                    MeasuredBy::Run(ours) => ours
                        .ends(|run| run.benchmark_with_ref("bench_local_refs", inputs, benched)),
                }
            }
        }
    };
}

with_inputs!([](), [], |inner, _own| inner);
with_inputs!([C, F] Counted<F>, [F: Fn(&I) -> C + Sync + 'static, C: IntoCounter], |inner, own| inner.input_counter(own.0));

impl InstrumentBencher<'_> {
    /// Measures, and stores the failure if there is one.
    fn ends(self, measure: impl FnOnce(&mut Run) -> Result<(), Failed>) {
        if let Err(failed) = measure(self.run) {
            self.failed.get_or_insert(failed);
        }
    }

    /// Measures an operation on this thread, while the other threads of the benchmark run it too.
    fn shared<I, O>(
        self,
        method: &'static str,
        inputs: &(impl Fn() -> I + Sync),
        benched: &(impl Fn(I) -> O + Sync),
    ) {
        let others = self.threads - 1;
        if others == 0 {
            return self.ends(|run| run.benchmark_with(method, inputs, benched));
        }
        if self.run.counts_allocations() {
            let text = format!(
                "the benchmark runs on {} threads, of which all allocations would be counted: limit them in one of one \
                 thread",
                self.threads
            );
            return self.ends(|_| Err(served::refused(text)));
        }
        self.run.note(format!("one of {} threads that run the operation", self.threads));
        let (is_over, begun) = (AtomicBool::new(false), Barrier::new(self.threads));
        std::thread::scope(|scope| {
            for _ in 0..others {
                scope.spawn(|| {
                    begun.wait();
                    while !is_over.load(Ordering::Relaxed) {
                        black_box(benched(inputs()));
                    }
                });
            }
            begun.wait();
            let over = StopOnDrop(&is_over);
            self.ends(|run| run.benchmark_with(method, inputs, benched));
            drop(over);
        });
    }
}

/// Ends the other threads when it is dropped, even by a panic.
struct StopOnDrop<'o>(&'o AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
