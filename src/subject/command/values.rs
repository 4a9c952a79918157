//! The values that the system counts of a command, and the reason if it did not report one.

use perf_budget_core::metric::{Key, Metric};
use perf_budget_core::outcome::{Cause, Unmeasured};

use crate::exec::{Counted, Living, Usage};

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

/// Returns the largest resident sizes of the processes of a command that was ready, added up. Where the system tells the peak of a
/// process at its end alone, it is the peak of `used`, if that is of one process.
pub(super) fn peak(living: &Living, used: Option<&Usage>) -> Option<u64> {
    let is_of_one = |used: &&Usage| living.processes == 1 && !used.had_children;
    living.peak_rss.or_else(|| used.filter(is_of_one)?.max_rss())
}

/// Makes the reason for a value that the system usually returns, but did not return this time.
#[expect(clippy::wildcard_enum_match_arm, reason = "only the metrics that are read here are named")]
pub(super) fn unread(name: &str, metric: &Metric) -> Unmeasured {
    let why = match metric.key() {
        Key::PageFaults | Key::ReadBytes | Key::WrittenBytes if cfg!(windows) => {
            "the system does not count it for a job (Windows does, Wine does not); drop the limit here"
        }
        Key::PageFaults | Key::MajorFaults if cfg!(target_os = "macos") => {
            "macOS tells it at the end of a process, and this one is ended when it is ready; drop the limit here"
        }
        Key::PeakRss if cfg!(target_os = "macos") => {
            "macOS tells it at the end of a process, and then for the largest of all that it started; limit the program that it \
             starts, or `rss`, or drop the limit here"
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// The peak of several processes is no sum where the system only has that of the largest.
    #[test]
    fn the_peak_at_the_end_of_a_process_is_that_of_one_process() {
        let living = |processes, peak_rss| Living {
            processes,
            rss: 5,
            peak_rss,
            cpu: Duration::ZERO,
            others: Duration::ZERO,
            waited: None,
            preempted: None,
            counted: Counted::default(),
        };
        let used = |had_children, max_rss| Usage {
            cpu: Duration::ZERO,
            preempted: None,
            waited: None,
            max_rss,
            forked_from: 0,
            had_children,
            counted: Counted::default(),
        };
        assert_eq!(peak(&living(2, Some(9)), None), Some(9));
        assert_eq!(peak(&living(1, Some(9)), Some(&used(false, 7))), Some(9));
        assert_eq!(peak(&living(1, None), Some(&used(false, 7))), Some(7));
        assert_eq!(peak(&living(1, None), Some(&used(true, 7))), None);
        assert_eq!(peak(&living(2, None), Some(&used(false, 7))), None);
        assert_eq!(peak(&living(1, None), Some(&used(false, 0))), None);
        assert_eq!(peak(&living(1, None), None), None);
    }
}
