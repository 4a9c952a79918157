//! `cargo budget doctor`: how noisy this machine is for measurements, and what that means for budgets.
//!
//! Its numbers describe the present moment, so it should run when the machine is as idle as it is for the tests. No verdict
//! depends on these numbers: the gate measures interference together with every outcome.

mod clock;
mod limits;
mod system;

use std::fmt::Write;

use perf_budget_core::quantity::{Quantity, Unit};

pub(crate) use clock::{Clock, LoopGaps, clock};
pub(crate) use limits::Limits;
pub(crate) use system::System;

/// The findings about this machine.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Machine {
    /// The cost and the resolution of the clock.
    pub(crate) clock: Clock,
    /// The gaps in a loop that only read the clock.
    pub(crate) gaps: LoopGaps,
    /// How much longer slow runs of the same work took than the median run, as a share of it.
    pub(crate) spread: f64,
    /// The values that the system reports about itself.
    pub(crate) system: System,
}

/// How much noise a machine adds to measurements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Noise {
    /// The noise is less than the gate's tolerance.
    Quiet,
    /// Tails and close limits need longer until they are settled.
    Busy,
    /// The noise is more than the tolerance, so close limits on times will not be settled.
    Noisy,
}

/// The share of the time that other work takes, beyond which it shows in tails.
const BUSY: f64 = 0.01;
/// The share beyond which the noise uses up the tolerance of times. The tolerance is 10 %, and half of it is left for the
/// code itself.
const NOISY: f64 = 0.05;

/// Examines the machine, which takes a quarter of a second.
pub(crate) fn examine() -> Machine {
    let before = System::read();
    let clock = clock::clock();
    let gaps = clock::gaps();
    let spread = clock::spread();
    Machine { clock, gaps, spread, system: System::read().since(&before) }
}

impl Machine {
    /// Returns how noisy the machine is.
    pub(crate) fn noise(&self) -> Noise {
        let steal = self.system.steal.unwrap_or(0.0);
        let pressure = self.system.pressure.unwrap_or(0.0);
        match self.gaps.lost_share().max(steal) {
            lost if lost > NOISY => Noise::Noisy,
            lost if lost > BUSY || pressure > 0.10 => Noise::Busy,
            _ => Noise::Quiet,
        }
    }

    /// Renders all facts, and what they mean.
    pub(crate) fn render(&self) -> String {
        let mut text = String::new();
        for (name, fact) in self.facts() {
            let _ = writeln!(text, "{name:<12} {fact}");
        }
        let colour = match self.noise() {
            Noise::Quiet => "\u{1b}[32m",
            Noise::Busy => "\u{1b}[33m",
            Noise::Noisy => "\u{1b}[31m",
        };
        let _ = writeln!(text, "\n{colour}this machine is {}\u{1b}[0m", self.word());
        for sentence in self.meaning() {
            let _ = writeln!(text, "- {sentence}");
        }
        text
    }

    fn word(&self) -> &'static str {
        match self.noise() {
            Noise::Quiet => "quiet",
            Noise::Busy => "busy",
            Noise::Noisy => "noisy",
        }
    }

    /// Returns all facts for programs. Times are in seconds, shares are between 0 and 1, and null stands for what the
    /// system does not report.
    pub(crate) fn json(&self) -> serde_json::Value {
        let Machine { clock, gaps, spread, system } = self;
        serde_json::json!({
            "version": 1,
            "noise": self.word(),
            "gaps": {
                "looked": gaps.length,
                "taken": gaps.taken,
                "count": gaps.count,
                "longest": gaps.longest,
            },
            "clock": { "cost": clock.cost, "resolution": clock.resolution },
            "spread": spread,
            "waited": system.waited,
            "pressure": system.pressure,
            "steal": system.steal,
            "load": system.load,
            "cores": system.cores,
            "quota": system.quota,
            "governor": system.governor,
            "instruments": instruments(system.has_proc),
            "meaning": self.meaning(),
        })
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        let time = |seconds| Quantity::new(seconds, Unit::Seconds);
        let share = |share| Quantity::new(share, Unit::Share).to_string();
        let unknown = || "not reported here".to_owned();
        let Machine { clock, gaps, spread, system } = self;
        let clock = format!(
            "a reading takes {}, and the resolution is {}",
            time(clock.cost),
            time(clock.resolution)
        );
        vec![
            ("gaps", describe_gaps(gaps)),
            (
                "runs",
                format!(
                    "one in ten runs of the same work took {} longer than the median run",
                    share(*spread)
                ),
            ),
            ("clock", clock),
            (
                "waited",
                system.waited.map_or_else(unknown, |waited| {
                    format!(
                        "this process waited {} for a processor meanwhile (schedstat)",
                        time(waited)
                    )
                }),
            ),
            (
                "pressure",
                system.pressure.map_or_else(unknown, |some| {
                    format!(
                        "something waited for a processor in {} of the last 10 s (PSI)",
                        share(some)
                    )
                }),
            ),
            (
                "steal",
                system.steal.map_or_else(unknown, |steal| {
                    format!(
                        "{} of the processors' time went to other guests of the host",
                        share(steal)
                    )
                }),
            ),
            (
                "load",
                system.load.map_or_else(unknown, |load| format!("{load:.2} in the last minute")),
            ),
            ("cores", describe_cores(system)),
            ("governor", system.governor.clone().unwrap_or_else(unknown)),
            ("instruments", instruments(system.has_proc).to_owned()),
        ]
    }

    /// Returns what the facts mean for budgets, in plain words.
    fn meaning(&self) -> Vec<String> {
        let time = |seconds| Quantity::new(seconds, Unit::Seconds);
        let mut sentences = vec![
            "sizes, allocations and other deterministic metrics are not affected by any of this".to_owned(),
            match self.noise() {
                Noise::Quiet => "limits on times 10 % above what is measured can be held".to_owned(),
                Noise::Busy => "limits on means and medians 20 % above what is measured can be held; give tails \
                                (p95 and beyond) twice what is measured, or more `effort`"
                    .to_owned(),
                Noise::Noisy => "limits on times near what is measured will often stay unsettled: give them twice the \
                                 room, limit `cpu` or `allocs` instead, or measure on a machine by itself"
                    .to_owned(),
            },
            format!(
                "single operations can be timed if they take {} or longer; for shorter ones, limit `mean` or `throughput`",
                time(5.0 * self.clock.resolution())
            ),
        ];
        if let Some(length) = self.gaps.tail(0.99) {
            sentences.push(format!(
                "of operations that take {} or longer, a gap hits one in a hundred: their p99 includes a gap of up to {}",
                time(length),
                time(self.gaps.longest)
            ));
        }
        let system = &self.system;
        if system.cores == 1 || system.quota.is_some_and(|quota| quota < 2.0) {
            sentences.push(
                format!(
                    "there is less than two processors' worth of time: whatever else runs takes the place of what \
                     is measured{}",
                    if system.quota.is_some() {
                        ", and work on several threads is slowed down by the quota"
                    } else {
                        ""
                    }
                ),
            );
        }
        if system.governor.as_deref().is_some_and(|governor| governor != "performance") {
            sentences.push(
                "the processor's speed follows the load, so the first runs are slower; the governor `performance` \
                 keeps the speed constant"
                    .to_owned(),
            );
        }
        if system.load.is_some_and(|load| load > system.cores as f64) {
            sentences.push(
                "more work wants to run than there are processors; measure when that work has ended".to_owned(),
            );
        }
        sentences
    }
}

/// Returns the time that other work took, in words.
fn describe_gaps(gaps: &LoopGaps) -> String {
    let time = |seconds| Quantity::new(seconds, Unit::Seconds);
    if gaps.count == 0 {
        return format!("no other work interrupted a loop of {}", time(gaps.length));
    }
    format!(
        "other work took {} of {}, in {} gaps, of which the longest was {}",
        Quantity::new(gaps.lost_share(), Unit::Share),
        time(gaps.length),
        gaps.count,
        time(gaps.longest)
    )
}

/// Returns the number of processors and the quota of this group, in words.
fn describe_cores(system: &System) -> String {
    match (system.cores, system.quota) {
        (cores, Some(quota)) => {
            format!("{cores}, of which the quota of this group allows {quota:.2}")
        }
        (cores, None) if system.has_proc => format!("{cores}, without a quota"),
        (cores, None) => format!("{cores}; a quota is not reported here"),
    }
}

/// Returns which metrics can be measured on this platform.
fn instruments(has_proc: bool) -> &'static str {
    if !has_proc {
        "none: the tests do not start where /proc is not mounted; mount it (`mount -t proc proc /proc`)"
    } else if cfg!(target_os = "linux") {
        "every metric can be measured on this platform"
    } else if cfg!(target_os = "macos") {
        "every metric but `peak_rss`, `read_bytes` and `written_bytes`, and but `cpu`, `rss` and page faults of commands"
    } else {
        "sizes, times, `rss` of workloads and heap metrics; not `cpu`, `utilization`, `context_switches`, `peak_rss`, page faults, bytes read and written"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(lost: f64, steal: Option<f64>, pressure: Option<f64>) -> Machine {
        Machine {
            clock: Clock { cost: 25e-9, resolution: 1e-9 },
            gaps: LoopGaps { length: 0.2, taken: lost * 0.2, count: 20, longest: 0.004 },
            spread: 0.03,
            system: System { steal, pressure, cores: 4, has_proc: true, ..System::default() },
        }
    }

    #[track_caller]
    fn check(lost: f64, steal: Option<f64>, pressure: Option<f64>, want: Noise, word: &str) {
        let machine = machine(lost, steal, pressure);
        assert_eq!(machine.noise(), want);
        let text = machine.render();
        assert!(text.contains(word), "{word} is not in\n{text}");
    }

    #[test]
    fn the_share_of_time_that_other_work_takes_decides_how_noisy_the_machine_is() {
        check(0.0, None, None, Noise::Quiet, "10 % above what is measured can be held");
        check(0.02, None, None, Noise::Busy, "20 % above");
        check(0.0, None, Some(0.3), Noise::Busy, "in 30 % of the last 10 s");
        check(0.0, Some(0.2), None, Noise::Noisy, "20 % of the processors' time");
        check(0.2, None, None, Noise::Noisy, "machine by itself");
        check(0.0, None, None, Noise::Quiet, "same work took 3 % longer");
        check(0.2, None, None, Noise::Noisy, "steal        not reported here");
    }

    #[test]
    fn few_processors_and_a_slow_governor_are_reported() {
        let mut machine = machine(0.0, None, None);
        machine.system = System {
            cores: 1,
            quota: Some(1.5),
            load: Some(3.0),
            governor: Some("powersave".to_owned()),
            has_proc: true,
            ..System::default()
        };
        let text = machine.render();
        for words in ["allows 1.50", "less than two", "`performance`", "when that work has ended"] {
            assert!(text.contains(words), "{words} is not in\n{text}");
        }
    }

    #[test]
    fn one_processor_without_a_quota_is_not_slowed_down_by_one() {
        let mut machine = machine(0.0, None, None);
        machine.system.cores = 1;
        let text = machine.render();
        assert!(text.contains("less than two") && !text.contains("by the quota"), "{text}");
        assert!(text.contains("1, without a quota"), "{text}");
    }

    #[test]
    fn without_proc_no_metric_is_offered() {
        let mut machine = machine(0.0, None, None);
        machine.system.has_proc = false;
        let text = machine.render();
        assert!(
            text.contains("a quota is not reported here") && text.contains("mount -t proc"),
            "{text}"
        );
    }

    #[test]
    fn this_machine_can_be_examined() {
        let machine = examine();
        assert!(machine.gaps.length >= 0.2 && machine.clock.cost > 0.0);
        assert!(machine.system.cores >= 1);
        assert!((0.0..=1.0).contains(&machine.gaps.lost_share()));
        assert!(machine.render().contains("this machine is "));
        let json = machine.json();
        assert_eq!((&json["version"], &json["cores"]), (&1.into(), &machine.system.cores.into()));
        assert!(["quiet", "busy", "noisy"].contains(&json["noise"].as_str().unwrap()));
    }
}
