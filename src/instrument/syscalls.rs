//! The system calls of one operation, after a warm-up, without set-up and harness.
//!
//! Another process traces this one and all that it starts, and reports its counts when it is asked. The question itself is
//! not counted, so that nothing but the operation lies between two readings. Calls are counted in processes of their own,
//! since each takes many times as long when it is traced.

use perf_budget_core::metric::Key;
use perf_budget_core::outcome::{Cause, SystemCall, Unmeasured};
use perf_budget_core::reading::ProcessRun;

use crate::instrument::laps::{Instrument, Remaining, Repeat};
use crate::os::calls::{self, Counts};

/// The number of operations that are counted after the first two. It is always the same, as for allocations.
const OPERATIONS: usize = 10;

/// The instrument that counts the system calls of operations.
pub(crate) struct Syscalls {
    remaining: Remaining,
    /// The counts before the lap, and after it.
    lap: Box<[Counts; 2]>,
    /// The sum of the counts of all laps that count.
    sum: Box<Counts>,
    /// The calls of each of these laps.
    totals: Vec<u64>,
    /// Whether the tracer has answered each time.
    is_traced: bool,
}

impl Syscalls {
    /// Makes the instrument.
    ///
    /// # Errors
    /// If nobody traces this process.
    pub(crate) fn new(repeat: Repeat) -> Result<Self, Unmeasured> {
        let remaining = Remaining::new(repeat, 2, OPERATIONS);
        let mut lap = Box::new([Counts::NONE; 2]);
        if !calls::ask(&mut lap[0]) {
            return Err(untraced());
        }
        Ok(Syscalls {
            remaining,
            lap,
            sum: Box::new(Counts::NONE),
            totals: Vec::with_capacity(remaining.counted()),
            is_traced: true,
        })
    }
}

fn untraced() -> Unmeasured {
    let text = if cfg!(target_os = "linux") {
        "failed to count system calls: nobody traces this process, or it forbids others to look into its memory; run the \
         test by its harness, under a kernel whose ptrace(2) is that of Linux 5.3 or later, and without \
         PR_SET_DUMPABLE 0"
    } else {
        "`syscalls` is only measured on Linux"
    };
    Unmeasured::new(Cause::Unsupported, text)
}

impl Instrument for Syscalls {
    fn next(&mut self) -> Option<usize> {
        self.remaining.next()
    }

    fn start(&mut self) {
        self.is_traced &= calls::ask(&mut self.lap[0]);
    }

    fn stop(&mut self) {
        self.is_traced &= calls::ask(&mut self.lap[1]);
    }

    fn record(&mut self, _operations: usize, failed: usize) {
        if self.remaining.passes() && failed == 0 {
            let [before, after] = &*self.lap;
            let counted_before = self.sum.total();
            self.sum.add_between(before, after);
            self.totals.push(self.sum.total() - counted_before);
        }
    }

    fn finish(&mut self, process: &mut ProcessRun) -> Result<(), Unmeasured> {
        if !self.is_traced {
            return Err(untraced());
        }
        let (Some(least), Some(most)) = (self.totals.iter().min(), self.totals.iter().max()) else {
            return Ok(());
        };
        let operations = self.totals.len();
        process.values.insert(Key::Syscalls, self.sum.total() as f64 / operations as f64);
        process.system_calls = calls_by_name(&self.sum, operations);
        if least != most {
            process.notes.push(format!(
                "system calls: mean of {operations} operations that differ ({least} to {most})"
            ));
        }
        Ok(())
    }
}

/// Returns how often one operation makes each system call, from the counts of `operations` operations.
pub(crate) fn calls_by_name(counts: &Counts, operations: usize) -> Vec<SystemCall> {
    let call = |(name, count): (String, u64)| SystemCall {
        name,
        now: count as f64 / operations as f64,
        before: None,
    };
    counts.by_name().map(call).collect()
}
