//! The values that the system counts of a command, and the reason if it did not report one.

use perf_budget_core::metric::{Key, Metric};
use perf_budget_core::outcome::{Cause, Unmeasured};

use crate::exec::Counted;

/// Returns the value of a metric that the system counts.
#[expect(clippy::wildcard_enum_match_arm, reason = "only the metrics that are read here are named")]
pub(super) fn counted(counted: &Counted, metric: &Metric) -> Option<f64> {
    let number = match metric.key() {
        Key::PageFaults => counted.faults?,
        Key::MajorFaults => counted.major_faults?,
        Key::ReadBytes => counted.traffic?.read,
        Key::WrittenBytes => counted.traffic?.written,
        _ => return None,
    };
    Some(number as f64)
}

/// Makes the reason for a value that the system usually returns, but did not return this time.
#[expect(clippy::wildcard_enum_match_arm, reason = "only the metrics that are read here are named")]
pub(super) fn unread(name: &str, metric: &Metric) -> Unmeasured {
    let why = match metric.key() {
        Key::PageFaults | Key::ReadBytes | Key::WrittenBytes if cfg!(windows) => {
            "the system does not count it for a job (Windows does, Wine does not); drop the limit here"
        }
        Key::ReadBytes | Key::WrittenBytes => {
            "the system does not show `/proc/PID/io` of it; drop the limit here"
        }
        Key::Cpu if cfg!(windows) => {
            "Windows counts processor time in ticks of 15.6 ms, and it used fewer than 10 of them; drop the limit here, or have it \
             do more"
        }
        Key::PeakRss if cfg!(windows) => {
            "Windows keeps the peak of a process and not of what it starts, or has not kept it; limit the program that it starts, \
             or drop the limit here"
        }
        _ => "it had ended before it was read",
    };
    Unmeasured::new(Cause::Unresolvable, format!("failed to read `{metric}` of `{name}`: {why}"))
}
