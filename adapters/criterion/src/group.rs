//! A group of benchmarks: Criterion's own, with the throughput that one iteration counts for.

use std::time::Duration;

use criterion::measurement::Measurement;
use criterion::{BenchmarkId, PlotConfiguration, SamplingMode, Throughput};

use crate::bencher::Bencher;
use crate::process;

/// A group of benchmarks; see [`criterion::BenchmarkGroup`].
pub struct BenchmarkGroup<'a, M: Measurement> {
    inner: criterion::BenchmarkGroup<'a, M>,
    throughput: Option<Throughput>,
}

/// Writes methods that pass a setting on and return the group.
macro_rules! settings {
    ($($name:ident($argument:ident: $kind:ty);)*) => {$(
        #[doc = concat!("See [`criterion::BenchmarkGroup::", stringify!($name), "`].")]
        pub fn $name(&mut self, $argument: $kind) -> &mut Self {
            self.inner.$name($argument);
            self
        }
    )*};
}

impl<'a, M: Measurement> BenchmarkGroup<'a, M> {
    settings! {
        sample_size(n: usize);
        warm_up_time(dur: Duration);
        measurement_time(dur: Duration);
        nresamples(n: usize);
        noise_threshold(threshold: f64);
        confidence_level(cl: f64);
        significance_level(sl: f64);
        plot_config(new_config: PlotConfiguration);
        sampling_mode(new_mode: SamplingMode);
    }

    pub(crate) fn new(inner: criterion::BenchmarkGroup<'a, M>) -> BenchmarkGroup<'a, M> {
        BenchmarkGroup { inner, throughput: None }
    }

    /// See [`criterion::BenchmarkGroup::throughput`].
    pub fn throughput(&mut self, throughput: Throughput) -> &mut Self {
        self.throughput = Some(throughput.clone());
        self.inner.throughput(throughput);
        self
    }

    /// See [`criterion::BenchmarkGroup::bench_function`].
    pub fn bench_function<ID: IntoBenchmarkId, F>(&mut self, id: ID, mut f: F) -> &mut Self
    where
        F: FnMut(&mut Bencher<'_, M>),
    {
        let throughput = self.throughput.as_ref();
        let f = |inner: &mut criterion::Bencher<'_, M>| run(inner, throughput, &mut f);
        match id.into_id() {
            Id::Whole(id) => self.inner.bench_function(id, f),
            Id::Function(name) => self.inner.bench_function(name, f),
        };
        self
    }

    /// See [`criterion::BenchmarkGroup::bench_with_input`].
    pub fn bench_with_input<ID: IntoBenchmarkId, F, I>(
        &mut self,
        id: ID,
        input: &I,
        mut f: F,
    ) -> &mut Self
    where
        F: FnMut(&mut Bencher<'_, M>, &I),
        I: ?Sized,
    {
        let throughput = self.throughput.as_ref();
        let f = |inner: &mut criterion::Bencher<'_, M>, input: &I| {
            run(inner, throughput, &mut |bencher: &mut Bencher<'_, M>| f(bencher, input));
        };
        match id.into_id() {
            Id::Whole(id) => self.inner.bench_with_input(id, input, f),
            Id::Function(name) => self.inner.bench_with_input(name, input, f),
        };
        self
    }

    /// See [`criterion::BenchmarkGroup::finish`].
    pub fn finish(self) {
        self.inner.finish();
    }
}

/// Runs a benchmark that Criterion has chosen: by Criterion, or by the instruments if a harness asks for it.
///
/// The benchmark is called through a pointer, and this function is never inlined. So the code that registers a benchmark does
/// not contain the benchmark, and the code that one benchmark reaches can be told from that of the others.
#[inline(never)]
pub(crate) fn run<M: Measurement>(
    inner: &mut criterion::Bencher<'_, M>,
    throughput: Option<&Throughput>,
    f: &mut dyn FnMut(&mut Bencher<'_, M>),
) {
    if !process::is_asked() {
        f(&mut Bencher::of_criterion(inner));
        return;
    }
    process::measure(|run| {
        if let Some(refused) = process::refusal::<M>() {
            return Err(refused);
        }
        if let Some(throughput) = throughput {
            run.counts(process::work(throughput)?);
        }
        let mut bencher = Bencher::of_run(run);
        f(&mut bencher);
        bencher.result()
    });
    // Criterion asserts that the benchmark has iterated.
    inner.iter(|| ());
}

/// A type that can be the name of a benchmark in a group: a [`BenchmarkId`] or a text. Criterion's own trait cannot be
/// named.
pub trait IntoBenchmarkId {
    /// Returns the name.
    #[doc(hidden)]
    fn into_id(self) -> Id;
}

/// The name of a benchmark in a group.
#[doc(hidden)]
pub enum Id {
    Whole(BenchmarkId),
    Function(String),
}

impl IntoBenchmarkId for BenchmarkId {
    fn into_id(self) -> Id {
        Id::Whole(self)
    }
}

macro_rules! texts {
    ($($text:ty),*) => {$(
        impl IntoBenchmarkId for $text {
            fn into_id(self) -> Id {
                Id::Function(self.into())
            }
        }
    )*};
}

texts!(&str, &mut str, String, &String, Box<str>, std::borrow::Cow<'_, str>, char);
