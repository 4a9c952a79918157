//! The system calls of a command, which are counted in runs of their own: a traced command takes many times as long.

use std::time::Duration;

use perf_budget_core::metric::{InstrumentKind, Key, Metric, SubjectKind};
use perf_budget_core::reading::ProcessRun;

use crate::instrument::syscalls;
use crate::os::calls::Counts;
use crate::worker::process::SLOWER;

/// Whether a run with these metrics is traced.
pub(super) fn is_traced(metrics: &[Metric]) -> bool {
    let traced = Some(InstrumentKind::Traced);
    metrics.iter().any(|metric| metric.instrument(SubjectKind::Command) == traced)
}

/// Returns how long a run may take: several times its `timeout` if it is traced.
pub(super) fn within(timeout: Duration, is_traced: bool) -> Duration {
    if is_traced { timeout.saturating_mul(SLOWER) } else { timeout }
}

/// Returns the value of a metric that a traced run has, and adds what is known of it by name.
pub(super) fn value(
    metric: &Metric,
    calls: Option<&Counts>,
    process: &mut ProcessRun,
) -> Option<f64> {
    if metric.key() != Key::Syscalls {
        return None;
    }
    let calls = calls?;
    process.system_calls = syscalls::calls_by_name(calls, 1);
    Some(calls.total() as f64)
}
