//! Noise: what else the machine did while a limit was measured, and when that may be the reason why a time is over its
//! limit.
//!
//! Noise explains a verdict and never makes one milder than the evidence is. If it takes a `fail` back,
//! the outcome is inconclusive, which is a warning, and red under `inconclusive = "fail"`.

use serde::{Deserialize, Serialize};

use crate::metric::SampleKind;

/// The noise: what else the machine did. A field that the system does not report is `None`, and never 0.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Noise {
    /// How many processors were busy with other work, on average: 1.4 is one and part of another.
    pub outside: Option<f64>,
    /// The share of all processors' time that the machine's host gave to others.
    pub steal: Option<f64>,
    /// The shares of the time in which some task of the machine, ours or not, waited for something.
    #[serde(default)]
    pub pressure: StallShare,
    /// The seconds that a quota held back the measured processes, summed over processors.
    pub throttled: Option<f64>,
    /// The number of periods in which that quota ran out.
    pub throttled_periods: Option<u64>,
    /// The share of the measured time in which the timed thread was ready to run but had no processor.
    pub waited: Option<f64>,
    /// The involuntary context switches of that thread per second.
    pub preempted: Option<f64>,
    /// The clock that timed most of the processes; `None` if nothing was timed.
    pub clock: Option<Clock>,
    /// The processors to which the processes were pinned, in words; `None` if they were not.
    pub pinned: Option<String>,
    /// The number of processes that these figures come from.
    #[serde(default)]
    #[serde(alias = "forks")]
    pub processes: usize,
}

/// The shares of the time in which at least one task waited (pressure stall information, `some`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct StallShare {
    /// The share in which a task waited for a processor.
    pub cpu: Option<f64>,
    /// The share in which a task waited for memory to become free.
    pub memory: Option<f64>,
    /// The share in which a task waited for a disk.
    pub io: Option<f64>,
}

/// The clock of a measured time: whether the scheduling delay is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Clock {
    /// The wall clock, with the scheduling delay subtracted.
    LessWaiting,
    /// The wall clock with everything in it.
    Wall,
}

/// The most other work on a machine that is called calm, in processors. A desktop or a runner that does nothing else has
/// some hundredths.
pub const CALM: f64 = 0.1;
/// The amount of other work from which on it may be the reason for a red by the wall clock. With a third of a
/// processor taken, healthy operations were seen over a limit of nearly twice their percentile.
pub const BUSY: f64 = 0.3;
/// The share of time from which on it matters that a thread waited for a processor, that the host stole time, or that
/// tasks stalled: half the tolerance of times.
pub const FELT: f64 = 0.05;

/// The factor by which other work may lengthen an operation, although the time in which it waited for a processor is
/// subtracted. Other work uses caches and memory bandwidth too, and half of a core that two processors share.
pub const CONTENTION: f64 = 1.5;

impl Noise {
    /// Whether other work may be the reason why a time is longer than on a calm machine. This is so if
    ///
    /// - more than [`BUSY`] processors were busy with other work, and tasks had to wait for a processor in more
    ///   than [`FELT`] of the time, if that is known: on a machine with processors to spare, other
    ///   work does not take one from anybody;
    /// - or the timed thread waited for more than [`FELT`] of its time, and there was at least as much other work
    ///   as it waited. Otherwise it waited for its own threads, which are not other work;
    /// - or the host gave more than [`FELT`] of the processors' time to others.
    ///
    /// An unknown figure never explains anything.
    pub fn may_explain(&self) -> bool {
        let over = |share: Option<f64>| share.is_some_and(|share| share > FELT);
        let outside = self.outside.unwrap_or(0.0);
        let crowded = outside > BUSY && self.pressure.cpu.is_none_or(|share| share > FELT);
        let kept_waiting = over(self.waited) && self.waited.is_some_and(|share| outside >= share);
        crowded || kept_waiting || over(self.steal)
    }

    /// Whether it is known that nothing disturbed the measurement.
    pub fn is_calm(&self) -> bool {
        let little = |share: Option<f64>| share.is_none_or(|share| share <= FELT);
        self.outside.is_some_and(|cores| cores <= CALM)
            && little(self.waited)
            && little(self.steal)
            && self.throttled_periods.is_none_or(|periods| periods == 0)
    }

    /// Says what is known of the noise in one line, such as `1.40 cores of other work, 84.0 % cpu pressure`; empty
    /// if nothing is known. Kinds of noise that a calm machine does not have are mentioned only if there was
    /// some. The clock is left out, since it has a note with its reason.
    pub fn line(&self) -> String {
        let share = |value: f64| format!("{:.1} %", value * 100.0);
        let some = |value: Option<f64>| value.filter(|&value| value >= 0.001);
        let mut parts = Vec::new();
        parts.extend(self.waited.map(|v| format!("{} waiting for a processor", share(v))));
        parts.extend(self.preempted.map(|v| format!("{v:.0} preemptions/s")));
        parts.extend(self.outside.map(|v| format!("{v:.2} cores of other work")));
        parts.extend(self.pressure.cpu.map(|v| format!("{} cpu pressure", share(v))));
        parts.extend(some(self.pressure.memory).map(|v| format!("{} memory pressure", share(v))));
        parts.extend(some(self.pressure.io).map(|v| format!("{} io pressure", share(v))));
        parts.extend(some(self.steal).map(|v| format!("{} stolen by the host", share(v))));
        if let Some(periods) = self.throttled_periods.filter(|&periods| periods > 0) {
            parts.push(format!("throttled in {periods} periods"));
        }
        parts.extend(self.pinned.as_ref().map(|place| format!("pinned to {place}")));
        parts.join(", ")
    }
}

/// Whether values of this kind contain the waiting for a processor, if their times are by this clock.
pub fn contains_waiting(sample: SampleKind, clock: Option<Clock>) -> bool {
    match sample {
        SampleKind::Operation | SampleKind::Batch | SampleKind::Rate => clock == Some(Clock::Wall),
        SampleKind::Run => true,
        SampleKind::File
        | SampleKind::Failure
        | SampleKind::Process
        | SampleKind::Record
        | SampleKind::Sweep => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(outside: Option<f64>, cpu: Option<f64>, waited: Option<f64>) -> Noise {
        Noise {
            outside,
            waited,
            pressure: StallShare { cpu, ..StallShare::default() },
            ..Noise::default()
        }
    }

    #[track_caller]
    fn check(outside: Option<f64>, cpu: Option<f64>, waited: Option<f64>, expected: bool) {
        assert_eq!(noise(outside, cpu, waited).may_explain(), expected);
    }

    #[test]
    fn other_work_may_explain_a_time_by_the_wall_clock() {
        // Nothing is known, so nothing is excused.
        check(None, None, None, false);
        check(None, Some(0.9), Some(0.9), false);
        check(Some(0.02), Some(0.0), Some(0.0), false);
        check(Some(1.4), Some(0.8), Some(0.3), true);
        check(Some(0.31), None, None, true);
        check(Some(0.3), None, None, false);
        // The machine has processors to spare.
        check(Some(20.0), Some(0.01), Some(0.0), false);
        // The thread waited for others, and then for threads of its own.
        check(Some(0.2), Some(0.5), Some(0.1), true);
        check(Some(0.02), Some(0.9), Some(0.6), false);
        let stolen = Noise { steal: Some(0.06), ..noise(Some(0.0), Some(0.0), Some(0.0)) };
        assert!(stolen.may_explain());
    }

    #[test]
    fn a_machine_is_calm_only_where_that_is_known() {
        assert!(!Noise::default().is_calm());
        assert!(noise(Some(0.02), None, Some(0.01)).is_calm());
        assert!(!noise(Some(0.02), None, Some(0.5)).is_calm());
        assert!(!Noise { throttled_periods: Some(1), ..noise(Some(0.0), None, None) }.is_calm());
    }

    #[test]
    fn the_line_says_what_is_known() {
        assert_eq!(Noise::default().line(), "");
        let calm = Noise {
            steal: Some(0.0),
            throttled_periods: Some(0),
            clock: Some(Clock::LessWaiting),
            ..noise(Some(0.016), Some(0.0), Some(0.0))
        };
        assert_eq!(
            calm.line(),
            "0.0 % waiting for a processor, 0.02 cores of other work, 0.0 % cpu pressure"
        );
        let busy = Noise {
            steal: Some(0.02),
            throttled_periods: Some(7),
            preempted: Some(41.4),
            clock: Some(Clock::Wall),
            pinned: Some("processor 1".into()),
            ..noise(Some(1.4), Some(0.84), Some(0.31))
        };
        assert_eq!(
            busy.line(),
            "31.0 % waiting for a processor, 41 preemptions/s, 1.40 cores of other work, \
             84.0 % cpu pressure, 2.0 % stolen by the host, throttled in 7 periods, \
             pinned to processor 1"
        );
    }

    /// Outcomes of older versions are still read. What such a version did not write is not known.
    #[test]
    fn an_older_record_is_read() {
        let noise: Noise = serde_json::from_str(r#"{"outside": 1.5}"#).unwrap();
        assert_eq!(noise, Noise { outside: Some(1.5), ..Noise::default() });
    }
}
