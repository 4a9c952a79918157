//! The processes of one benchmark.

use perf_budget_core::benchmarks::{beginning, is_counted_within};
use perf_budget_core::outcome::Unmeasured;
use perf_budget_core::reading::{ProcessRun, Timing};

use super::counted;
use super::process::{Mode, ReadyBenchmark};
use super::side::{Side, Terms, ambiguous_name, notes};
use crate::meter::Source;

/// The processes of one benchmark.
pub(in crate::subject) struct BenchmarkRuns {
    side: Side,
    /// Whether it is the benchmark of the base, with which that of this revision is compared.
    is_of_base: bool,
    terms: Terms,
    found: Option<ReadyBenchmark>,
    mode: Option<Mode>,
}

impl BenchmarkRuns {
    pub(super) fn new(side: Side, is_of_base: bool, terms: Terms) -> BenchmarkRuns {
        BenchmarkRuns { side, is_of_base, terms, found: None, mode: None }
    }
}

impl Source for BenchmarkRuns {
    fn prepare(&mut self) {
        self.found = self.side.find().ok();
    }

    fn measure_process(&mut self) -> Result<ProcessRun, Unmeasured> {
        let process = self.run()?;
        let program = self.found.as_ref().map(|found| found.program.binary.clone());
        Ok(ProcessRun { programs: program.into_iter().collect(), ..process })
    }
}

impl BenchmarkRuns {
    fn run(&mut self) -> Result<ProcessRun, Unmeasured> {
        let found = match &self.found {
            Some(found) => found.clone(),
            None => self.side.find()?,
        };
        // All processes must run the program as it was when it was found.
        self.found = Some(found.clone());
        if found.skills.serves {
            return self.terms.measure_served(&found);
        }
        // A process of one revision alone does not show whether the rest of the name is the same in the other.
        if self.is_of_base && beginning(&found.name).is_some() {
            return Err(ambiguous_name(&found.name));
        }
        if let Some(why) = self.terms.lacking(std::slice::from_ref(&found)) {
            return Err(why);
        }
        if self.terms.metrics.iter().all(|metric| is_counted_within(found.library, metric)) {
            return counted::measure(&found, &self.terms);
        }
        let (mode, run) = if let Some(mode) = self.mode {
            (mode, self.terms.run(&found, mode)?)
        } else {
            self.terms.choose(&found)?
        };
        self.mode = Some(mode);
        let mut process = ProcessRun {
            elapsed: run.elapsed,
            waited: run.waited,
            preempted: run.preempted,
            // The program's own clock says nothing about how long it waited for a processor.
            timing: Some(Timing::Wall),
            ..ProcessRun::default()
        };
        for metric in &self.terms.metrics {
            match found.why_unmeasurable(metric).map_or_else(|| run.value(metric), Err) {
                Ok(value) => process.values.insert(metric.clone(), value),
                Err(why) => process.unmeasured.insert(metric.clone(), why),
            }
        }
        if let Ok(work) = run.work {
            process.work = work;
        }
        process.notes = notes(&[&found], mode, &run);
        Ok(process)
    }
}
