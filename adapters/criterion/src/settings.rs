//! The benchmark manager: Criterion's own, to which every call is passed on.

use std::path::Path;
use std::time::Duration;

use criterion::measurement::{Measurement, WallTime};
use criterion::profiler::Profiler;
use criterion::{BenchmarkFilter, BenchmarkId, PlottingBackend};

use crate::bencher::Bencher;
use crate::group::{BenchmarkGroup, run};
use crate::process;

/// The benchmark manager; see [`criterion::Criterion`].
pub struct Criterion<M: Measurement = WallTime> {
    inner: criterion::Criterion<M>,
}

impl Default for Criterion {
    fn default() -> Self {
        process::is_asked();
        Criterion { inner: criterion::Criterion::default() }
    }
}

/// Writes methods that pass a setting on and return the manager.
macro_rules! settings {
    ($($name:ident($($argument:ident: $kind:ty),*);)*) => {$(
        #[doc = concat!("See [`criterion::Criterion::", stringify!($name), "`].")]
        #[must_use]
        pub fn $name(self $(, $argument: $kind)*) -> Criterion<M> {
            Criterion { inner: self.inner.$name($($argument),*) }
        }
    )*};
}

impl<M: Measurement> Criterion<M> {
    settings! {
        plotting_backend(backend: PlottingBackend);
        sample_size(n: usize);
        warm_up_time(dur: Duration);
        measurement_time(dur: Duration);
        nresamples(n: usize);
        noise_threshold(threshold: f64);
        confidence_level(cl: f64);
        significance_level(sl: f64);
        with_plots();
        without_plots();
        save_baseline(baseline: String);
        retain_baseline(baseline: String, strict: bool);
        with_benchmark_filter(filter: BenchmarkFilter);
        with_output_color(enabled: bool);
        output_directory(path: &Path);
        profile_time(profile_time: Option<Duration>);
        configure_from_args();
    }

    /// See [`criterion::Criterion::with_measurement`].
    pub fn with_measurement<M2: Measurement>(self, m: M2) -> Criterion<M2> {
        Criterion { inner: self.inner.with_measurement(m) }
    }

    /// See [`criterion::Criterion::with_profiler`].
    #[must_use]
    pub fn with_profiler<P: Profiler + 'static>(self, p: P) -> Criterion<M> {
        Criterion { inner: self.inner.with_profiler(p) }
    }

    /// See [`criterion::Criterion::with_filter`].
    #[must_use]
    pub fn with_filter<S: Into<String>>(self, filter: S) -> Criterion<M> {
        Criterion { inner: self.inner.with_filter(filter) }
    }

    /// See [`criterion::Criterion::final_summary`].
    pub fn final_summary(&self) {
        process::finish();
        self.inner.final_summary();
    }

    /// See [`criterion::Criterion::benchmark_group`].
    pub fn benchmark_group<S: Into<String>>(&mut self, group_name: S) -> BenchmarkGroup<'_, M> {
        BenchmarkGroup::new(self.inner.benchmark_group(group_name))
    }
}

impl<M: Measurement + 'static> Criterion<M> {
    /// See [`criterion::Criterion::bench_function`].
    pub fn bench_function<F>(&mut self, id: &str, mut f: F) -> &mut Criterion<M>
    where
        F: FnMut(&mut Bencher<'_, M>),
    {
        self.inner.bench_function(id, |inner| run(inner, None, &mut f));
        self
    }

    /// See [`criterion::Criterion::bench_with_input`].
    pub fn bench_with_input<F, I>(
        &mut self,
        id: BenchmarkId,
        input: &I,
        mut f: F,
    ) -> &mut Criterion<M>
    where
        F: FnMut(&mut Bencher<'_, M>, &I),
    {
        self.inner.bench_with_input(id, input, |inner, input| {
            run(inner, None, &mut |bencher: &mut Bencher<'_, M>| f(bencher, input));
        });
        self
    }
}
