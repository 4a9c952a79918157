//! The fuel that one operation uses. Fuel is the unit in which a WebAssembly engine counts instructions.
//!
//! This is apart from the engine, which is behind a cargo feature: the engine adds up here what its calls used, and
//! knows nothing of laps and limits. Fuel is counted in processes of its own, because counting slows the engine down.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU64};

use perf_budget_core::metric::Key;
use perf_budget_core::outcome::{Cause, Unmeasured};
use perf_budget_core::reading::ProcessRun;

use crate::instrument::laps::{Instrument, Remaining, Repeat};

/// Whether this process counts fuel at all.
static COUNTED: AtomicBool = AtomicBool::new(false);
static CALLS: AtomicU64 = AtomicU64::new(0);
static SPENT: AtomicU64 = AtomicU64::new(0);

/// The number of operations that are counted after a first one. It is always the same, as for allocations.
const OPERATIONS: usize = 10;

/// Makes this process count fuel; called before the workload makes an engine.
pub(crate) fn begin() {
    COUNTED.store(true, Relaxed);
}

/// Whether an engine that is made now has to count fuel.
#[cfg_attr(not(feature = "wasm"), expect(dead_code, reason = "only the engine asks"))]
pub(crate) fn is_counted() -> bool {
    COUNTED.load(Relaxed)
}

/// Adds the fuel that one call of the engine has used.
#[cfg_attr(not(feature = "wasm"), expect(dead_code, reason = "only the engine spends"))]
pub(crate) fn spend(fuel: u64) {
    CALLS.fetch_add(1, Relaxed);
    SPENT.fetch_add(fuel, Relaxed);
}

/// The instrument that counts the fuel of operations.
pub(crate) struct Fuel {
    remaining: Remaining,
    /// The calls and the fuel before the lap.
    before: (u64, u64),
    /// The calls and the fuel of the lap.
    lap: (u64, u64),
    laps: Vec<(u64, u64)>,
}

impl Fuel {
    /// Makes the instrument. It fails if the engine is not built in.
    pub(crate) fn new(repeat: Repeat) -> Result<Self, Unmeasured> {
        if !cfg!(feature = "wasm") {
            let text = "failed to count fuel: this build has no engine for WebAssembly; turn on the cargo \
                        feature `wasm` of perf-budget";
            return Err(Unmeasured::new(Cause::Unsupported, text));
        }
        let remaining = Remaining::new(repeat, 1, OPERATIONS);
        let laps = Vec::with_capacity(remaining.counted());
        Ok(Fuel { remaining, before: (0, 0), lap: (0, 0), laps })
    }
}

impl Instrument for Fuel {
    fn next(&mut self) -> Option<usize> {
        self.remaining.next()
    }

    fn start(&mut self) {
        self.before = (CALLS.load(Relaxed), SPENT.load(Relaxed));
    }

    fn stop(&mut self) {
        let (calls, spent) = self.before;
        self.lap = (CALLS.load(Relaxed) - calls, SPENT.load(Relaxed) - spent);
    }

    fn record(&mut self, _operations: usize, failed: usize) {
        if self.remaining.passes() && failed == 0 {
            self.laps.push(self.lap);
        }
    }

    fn finish(&mut self, process: &mut ProcessRun) -> Result<(), Unmeasured> {
        let Some(&(_, first)) = self.laps.first() else { return Ok(()) };
        if self.laps.iter().any(|&(calls, _)| calls == 0) {
            let text = "an operation used no fuel: it called no module through `perf_budget::wasm`, which \
                        alone counts it";
            return Err(Unmeasured::new(Cause::MeasuredNothing, text));
        }
        let spent = || self.laps.iter().map(|lap| lap.1);
        let count = self.laps.len();
        process.values.insert(Key::Fuel, spent().sum::<u64>() as f64 / count as f64);
        if spent().any(|fuel| fuel != first) {
            let (least, most) = (spent().min().unwrap_or(0), spent().max().unwrap_or(0));
            process
                .notes
                .push(format!("fuel: mean of {count} operations that differ ({least} to {most})"));
        }
        Ok(())
    }
}
