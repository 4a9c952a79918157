//! The runner of benchmarks: Divan's own. In a process for a harness, it runs the benchmark that the harness asks for.

use std::fmt::{self, Debug};
use std::time::Duration;

use divan::counter::IntoCounter;

use crate::process;

/// Runs the benchmarks as the command line says; see [`divan::main`].
pub fn main() {
    Divan::from_args().main();
}

/// The runner of benchmarks; see [`divan::Divan`].
#[derive(Default)]
pub struct Divan {
    inner: divan::Divan,
}

impl Debug for Divan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

/// Writes methods that pass a setting on and return the runner.
macro_rules! settings {
    ($($name:ident($($argument:ident: $kind:ty),*);)*) => {$(
        #[doc = concat!("See [`divan::Divan::", stringify!($name), "`].")]
        #[must_use]
        pub fn $name(self $(, $argument: $kind)*) -> Self {
            Divan { inner: self.inner.$name($($argument),*) }
        }
    )*};
}

impl Divan {
    settings! {
        config_with_args();
        color(yes: impl Into<Option<bool>>);
        run_ignored();
        run_only_ignored();
        sample_count(count: u32);
        sample_size(count: u32);
        min_time(time: Duration);
        max_time(time: Duration);
        skip_ext_time(skip: bool);
        skip_exact(filter: impl Into<String>);
        counter(counter: impl IntoCounter);
        items_count(count: impl Into<divan::counter::ItemsCount>);
        bytes_count(count: impl Into<divan::counter::BytesCount>);
        chars_count(count: impl Into<divan::counter::CharsCount>);
        cycles_count(count: impl Into<divan::counter::CyclesCount>);
    }

    /// See [`divan::Divan::from_args`].
    #[must_use]
    pub fn from_args() -> Self {
        Divan { inner: divan::Divan::from_args() }
    }

    /// See [`divan::Divan::main`].
    pub fn main(&self) {
        self.run(divan::Divan::main);
    }

    /// See [`divan::Divan::run_benches`].
    pub fn run_benches(&self) {
        self.run(divan::Divan::run_benches);
    }

    /// See [`divan::Divan::test_benches`].
    pub fn test_benches(&self) {
        self.run(divan::Divan::test_benches);
    }

    /// See [`divan::Divan::list_benches`].
    pub fn list_benches(&self) {
        self.inner.list_benches();
    }

    fn run(&self, all: fn(&divan::Divan)) {
        if process::is_asked() {
            // The benchmark is called once for each count of threads. How many counts there are is only known afterwards.
            process::count_threads(|| self.inner.test_benches());
            self.inner.test_benches();
            process::finish();
        } else {
            all(&self.inner);
        }
    }
}
