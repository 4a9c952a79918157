//! Noise: what else the machine did while a limit was measured, and when that
//! may be why a wall clock is over its limit.
//!
//! It explains a verdict and never makes one milder than the evidence is: where it takes a `fail` back,
//! the outcome is inconclusive, which is red unless `inconclusive = "warn"` says otherwise.

use serde::{Deserialize, Serialize};

/// What else the machine did. A field is `None` where the system does not tell it, never 0.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Noise {
    /// How many processors were busy with other work, on average: 1.4 is one and a part of another.
    pub outside: Option<f64>,
    /// Share of all processors' time that the machine's host gave to others.
    pub steal: Option<f64>,
    /// Share of the time in which some task of the machine, of ours or not, waited for something.
    #[serde(default)]
    pub pressure: StallShare,
    /// Seconds that a quota held the measured processes back, added up over processors.
    pub throttled: Option<f64>,
    /// Periods in which that quota ran out.
    pub throttled_periods: Option<u64>,
    /// Share of the measured time in which the timed thread was ready to run and had no processor.
    pub waited: Option<f64>,
    /// Involuntary context switches of that thread, a second.
    pub preempted: Option<f64>,
    /// Which clock timed most of the processes; `None` where nothing was timed.
    pub clock: Option<Clock>,
    /// The processors that it was pinned to, in words; `None` where it was not.
    pub pinned: Option<String>,
    /// Processes that all this is of.
    #[serde(default)]
    #[serde(alias = "forks")]
    pub processes: usize,
}

/// Shares of the time in which at least one task waited (pressure stall information, `some`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct StallShare {
    /// For a processor.
    pub cpu: Option<f64>,
    /// For memory to become free.
    pub memory: Option<f64>,
    /// For a disk.
    pub io: Option<f64>,
}

/// What a time counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Clock {
    /// The wall clock, less the time spent waiting for a processor.
    LessWaiting,
    /// The wall clock with all there is in it.
    Wall,
}

/// Up to so many processors' worth of other work a machine is called calm: a desktop or a runner
/// that does nothing else has some hundredths.
pub const CALM: f64 = 0.1;
/// From so much other work on, a wall clock's red may be its doing: with a third of a processor taken,
/// healthy operations were seen over a limit of nearly twice their percentile.
pub const BUSY: f64 = 0.3;
/// From such a share of the time waiting for a processor, or stolen by the host, or stalled, it is felt:
/// half the tolerance of times.
pub const FELT: f64 = 0.05;

impl Noise {
    /// Whether other work may be why a wall clock reads more than on a calm machine:
    ///
    /// - more than [`BUSY`] processors were busy with it, and tasks had to wait for a processor in more
    ///   than [`FELT`] of the time, where that is known: on a machine with processors to spare other
    ///   work takes none from anybody;
    /// - or the timed thread waited for more than [`FELT`] of its time, and other work was enough to be
    ///   what it waited for. Else it waited for threads of its own, which are its own doing;
    /// - or the host gave more than [`FELT`] of the processors' time to others.
    ///
    /// What is not known excuses nothing.
    pub fn may_explain(&self) -> bool {
        let over = |share: Option<f64>| share.is_some_and(|share| share > FELT);
        let outside = self.outside.unwrap_or(0.0);
        let crowded = outside > BUSY && self.pressure.cpu.is_none_or(|share| share > FELT);
        let kept_waiting = over(self.waited) && self.waited.is_some_and(|share| outside >= share);
        crowded || kept_waiting || over(self.steal)
    }

    /// Whether it is known that nothing disturbed.
    pub fn is_calm(&self) -> bool {
        let little = |share: Option<f64>| share.is_none_or(|share| share <= FELT);
        self.outside.is_some_and(|cores| cores <= CALM)
            && little(self.waited)
            && little(self.steal)
            && self.throttled_periods.is_none_or(|periods| periods == 0)
    }

    /// What is known of it, in a line: `1.40 cores of other work, 84.0 % cpu pressure`; empty where
    /// nothing is. What a calm machine has none of is left out where there is none, and so is the clock,
    /// which has a note with its reason.
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
    fn what_may_explain_a_wall_clock() {
        // Nothing known, nothing excused.
        check(None, None, None, false);
        check(None, Some(0.9), Some(0.9), false);
        check(Some(0.02), Some(0.0), Some(0.0), false);
        check(Some(1.4), Some(0.8), Some(0.3), true);
        check(Some(0.31), None, None, true);
        check(Some(0.3), None, None, false);
        // A machine with processors to spare.
        check(Some(20.0), Some(0.01), Some(0.0), false);
        // It waited: for others, and for its own threads.
        check(Some(0.2), Some(0.5), Some(0.1), true);
        check(Some(0.02), Some(0.9), Some(0.6), false);
        let stolen = Noise { steal: Some(0.06), ..noise(Some(0.0), Some(0.0), Some(0.0)) };
        assert!(stolen.may_explain());
    }

    #[test]
    fn calm_is_known() {
        assert!(!Noise::default().is_calm());
        assert!(noise(Some(0.02), None, Some(0.01)).is_calm());
        assert!(!noise(Some(0.02), None, Some(0.5)).is_calm());
        assert!(!Noise { throttled_periods: Some(1), ..noise(Some(0.0), None, None) }.is_calm());
    }

    #[test]
    fn a_line_of_what_is_known() {
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

    /// Outcomes are read back for ever: what an older version did not write is not known.
    #[test]
    fn an_older_record_is_read() {
        let noise: Noise = serde_json::from_str(r#"{"outside": 1.5}"#).unwrap();
        assert_eq!(noise, Noise { outside: Some(1.5), ..Noise::default() });
    }
}
