//! A benchmark whose program serves it: one that has `perf-budget-criterion` or `perf-budget-divan` in the place of the
//! library. It is measured as a workload, by the same instruments.

use std::path::Path;

use perf_budget_core::benchmarks::stands_alone;
use perf_budget_core::budget::Library;
use perf_budget_core::metric::Metric;
use perf_budget_core::outcome::{Cause, Unmeasured};
use perf_budget_core::reading::ProcessRun;

use super::process::ReadyBenchmark;
use super::side::Terms;
use crate::subject::request::slice_after;
use crate::worker::process::{self, Build, Request};

impl ReadyBenchmark {
    /// Returns the program of a benchmark that is served, as its processes run it.
    pub(super) fn build(&self, scratch: &Path) -> Build {
        let mut build = self.program.clone();
        build.environment = self.environment(scratch);
        // The library's own code chooses the benchmark by its name, and calls it once.
        build.arguments = ["--test", "--exact", "--", &self.name].map(str::to_owned).into();
        build
    }

    /// Returns why a metric of this benchmark cannot be measured, if it cannot.
    pub(super) fn why_unmeasurable(&self, metric: &Metric) -> Option<Unmeasured> {
        if self.skills.serves || stands_alone(self.library, metric) {
            return None;
        }
        let text = match self.library {
            Library::Criterion | Library::Divan => format!(
                "{library} tells only means of batches, and no `{metric}`; to have it measured, write `{key} = {{ package \
                 = \"perf-budget-{key}\", … }}` in the place of {key} in Cargo.toml",
                library = self.library.name(),
                key = self.library.key(),
            ),
            Library::Libtest => format!("libtest tells only a mean, and no `{metric}`"),
        };
        Some(Unmeasured::new(Cause::Unsupported, text))
    }
}

impl Terms {
    /// Returns why none of the metrics can be measured of these benchmarks; `None` if one can.
    pub(super) fn lacking(&self, found: &[ReadyBenchmark]) -> Option<Unmeasured> {
        let lacks = |metric| found.iter().find_map(|found| found.why_unmeasurable(metric));
        let reasons: Option<Vec<Unmeasured>> = self.metrics.iter().map(lacks).collect();
        reasons?.into_iter().next()
    }

    /// Returns what is asked of the program of a benchmark.
    pub(super) fn request_for(&self, found: &ReadyBenchmark) -> Request {
        Request { workload: found.name.clone(), ..self.request.clone() }
    }

    /// Measures a benchmark in a process of its own, which runs for longer the next time if its set-up was long.
    pub(super) fn measure_served(
        &mut self,
        found: &ReadyBenchmark,
    ) -> Result<ProcessRun, Unmeasured> {
        let request = self.request_for(found);
        let build = found.build(&self.scratch);
        let measured = process::measure_in(&build, &request, &self.scratch, self.timeout);
        let mut process = measured.map_err(|why| of_benchmark(&found.name, why))?;
        self.request.slice = slice_after(&self.request, process.elapsed);
        process.notes.push(found.note.clone());
        process.notes.push(served(found.library));
        Ok(process)
    }
}

/// Returns the reason with a text that names the benchmark, and not a workload.
pub(super) fn of_benchmark(name: &str, why: Unmeasured) -> Unmeasured {
    let [ours, theirs] = ["workload", "benchmark"].map(|kind| format!("{kind} `{name}`"));
    Unmeasured { text: why.text.replace(&ours, &theirs), ..why }
}

/// Returns the note on how such a benchmark was measured.
pub(super) fn served(library: Library) -> String {
    format!("measured as a workload, by perf-budget-{}", library.key())
}
