//! One revision of a benchmark, ready to be profiled. If its program serves it, it is profiled as a workload is; if not, in one
//! iteration of Criterion's.

use std::path::{Path, PathBuf};
use std::time::Duration;

use perf_budget_core::budget::Library;
use perf_budget_core::callgrind::Profile;
use perf_budget_core::outcome::{Cause, Unmeasured};

use super::process::ReadyBenchmark;
use super::served::of_benchmark;
use super::sources::Benchmarks;
use super::{counted, side};
use crate::base::Base;
use crate::instrument::instructions;
use crate::instrument::sampled::Sampling;
use crate::worker::process::{self, Request};

/// One revision of a benchmark that is profiled.
pub(crate) struct BenchmarkProfile {
    found: ReadyBenchmark,
    request: Request,
    scratch: PathBuf,
}

impl Benchmarks<'_> {
    /// Returns one case of a budget as it is in this revision or in `base`, which are compared if there is a base.
    ///
    /// # Errors
    /// If it cannot be built, or is not there.
    pub(crate) fn profiled(
        &self,
        at: (usize, usize),
        is_reference: bool,
        base: Option<&Base>,
    ) -> Result<BenchmarkProfile, Unmeasured> {
        let role = is_reference.then_some("the base");
        let side: Option<side::Side> = self.side(at, role, (is_reference, base));
        let found = side.ok_or_else(|| {
            let text = "a budget on several benchmarks has no case to profile";
            Unmeasured::new(Cause::NotFound, text)
        })?;
        let found = found.find()?;
        let terms = self.terms(at, vec![instructions::metric()]);
        Ok(BenchmarkProfile { request: terms.request_for(&found), scratch: terms.scratch, found })
    }
}

impl BenchmarkProfile {
    /// Runs the benchmark under callgrind, and returns a profile for each operation.
    ///
    /// # Errors
    /// If there is no Valgrind, or if the benchmark's library has no way to be profiled.
    pub(crate) fn run(&self, timeout: Duration) -> Result<Vec<Profile>, Unmeasured> {
        let name = &self.found.name;
        if self.found.skills.serves {
            let build = self.found.build(&self.scratch);
            let profiles = process::profile_in(&build, &self.request, &self.scratch, timeout);
            return profiles.map_err(|why| of_benchmark(name, why));
        }
        match self.found.library {
            Library::Criterion => {
                counted::run(&self.found, true, &self.scratch, timeout).map(|one| vec![one])
            }
            Library::Divan | Library::Libtest => {
                let text = format!(
                    "the benchmark `{name}` can be profiled where its program serves it: write `divan = {{ package = \
                     \"perf-budget-divan\", … }}` in Cargo.toml"
                );
                Err(Unmeasured::new(Cause::Unsupported, text))
            }
        }
    }

    /// Samples the benchmark.
    ///
    /// # Errors
    /// If its program does not serve it.
    pub(crate) fn sample(&self, sampling: &Sampling, timeout: Duration) -> Result<(), Unmeasured> {
        let name = &self.found.name;
        if !self.found.skills.serves {
            let key = self.found.library.key();
            let text = format!(
                "the benchmark `{name}` can be sampled where its program serves it: write `{key} = {{ package = \
                 \"perf-budget-{key}\", … }}` in Cargo.toml"
            );
            return Err(Unmeasured::new(Cause::Unsupported, text));
        }
        let build = self.found.build(&self.scratch);
        let request = Request { metrics: Vec::new(), ..self.request.clone() };
        let sampled = process::sample_in(&build, &request, sampling, &self.scratch, timeout);
        sampled.map_err(|why| of_benchmark(name, why))
    }

    /// Whether its program serves it.
    pub(crate) fn serves(&self) -> bool {
        self.found.skills.serves
    }

    /// Returns the path of its program.
    pub(crate) fn program(&self) -> &Path {
        &self.found.program.binary
    }
}
