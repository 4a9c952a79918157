//! The runs of a benchmark in the watched copies of its programs, which show whether it reaches what differs.

use std::path::PathBuf;
use std::time::Duration;

use perf_budget_core::metric::Metric;
use perf_budget_core::outcome::Unmeasured;

use super::process::{Mode, ReadyBenchmark};
use super::side::{Side, Terms};
use super::sources::Benchmarks;
use crate::base::Base;
use crate::subject::request::LONGEST_SLICE;
use crate::worker::process::{self, Build};

/// The time that a process may take before it is run in the quick way instead.
const LONG: Duration = Duration::from_secs(3);
/// How many times [`LONG`] a process may take in the quick way, which is the last resort.
const LONGER: u32 = 4;

impl Benchmarks<'_> {
    /// Runs the benchmark of a case once in each copy, the base's first, as it would be to be measured. Returns whether
    /// both processes ran to their end.
    pub(crate) fn runs_in_both(
        &self,
        (budget, case): (usize, usize),
        metrics: Vec<Metric>,
        base: &Base,
        copies: &[PathBuf; 2],
    ) -> bool {
        let sides = [true, false]
            .map(|is_of_base| self.side((budget, case), None, (is_of_base, Some(base))));
        let [Some(of_base), Some(own)] = sides else { return false };
        let terms = self.terms((budget, case), metrics);
        terms.run_in_both([&of_base, &own], copies, LONG).is_ok_and(|both| both)
    }
}

impl Terms {
    /// Runs a benchmark in both copies, in the quick way if it takes `long` otherwise.
    pub(super) fn run_in_both(
        &self,
        sides: [&Side; 2],
        copies: &[PathBuf; 2],
        long: Duration,
    ) -> Result<bool, Unmeasured> {
        let copy = |nth: usize| -> Result<ReadyBenchmark, Unmeasured> {
            let found = sides[nth].find()?;
            let program = Build::new(copies[nth].clone(), None).in_place_of(found.program.clone());
            Ok(ReadyBenchmark { program, ..found })
        };
        let [base, head] = [copy(0)?, copy(1)?];
        if base.skills != head.skills || base.library != head.library {
            return Ok(false);
        }
        if head.skills.serves {
            for found in [&head, &base] {
                // The longest time that any process of a measurement takes.
                let mut request = self.request_for(found);
                request.slice = LONGEST_SLICE;
                let build = found.build(&self.scratch);
                process::measure_in(&build, &request, &self.scratch, self.timeout)?;
            }
            return Ok(true);
        }
        if self.lacking(&[base.clone(), head.clone()]).is_some() {
            return Ok(false);
        }
        // A longer measurement runs the same code. This does not wait for a benchmark that sets a long time for itself, nor for
        // one that hangs: it is measured afterwards, and has all of its time then. Waits for a processor do not count.
        let timed = self.run_unless_long(&head, Mode::Timed, Some(long))?;
        let (mode, own) = match timed {
            Some(own) => (Mode::Timed, Some(own)),
            None if head.skills.quick => {
                (Mode::Quick, self.run_unless_long(&head, Mode::Quick, Some(long * LONGER))?)
            }
            None => return Ok(false),
        };
        let Some(own) = own else { return Ok(false) };
        let Some(theirs) = self.run_unless_long(&base, mode, Some(long * LONGER))? else {
            return Ok(false);
        };
        // Two long names that begin alike may be those of different benchmarks.
        Ok(own.name == theirs.name)
    }
}
