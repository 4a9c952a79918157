//! Verdicts on simulated processes, reached by the judge of the harness. The truth is known exactly, so they show how
//! reliable a pass, a red, an interval and a minimum detectable effect are, and what a pass cannot see.
//!
//! Times are lognormal within a process. Processes differ in their level, by a law that each row names. A run has no
//! more processes than fit into an effort of ten seconds.

use std::fmt::Write as _;

use perf_budget_core::budget::Bound;
use perf_budget_core::stats::{Interval, threshold};
use perf_budget_core::verdict::judge::{Finding, Hypothesis, Judge, Levels, Method};

use crate::figures::Rate;
use crate::random::Random;

/// The most processes of a run.
const MOST: usize = 83;
/// The seconds of a process.
const PROCESS: f64 = 0.12;
/// The standard deviation of the operations of a process, on a logarithmic scale.
const WITHIN: f64 = 0.05;
/// How far beyond limit and tolerance the truth is that should not pass, as a factor.
const BEYOND: f64 = 1.05;
/// How many values the true quantile of a law is computed from.
const EXACT: usize = 16_000_000;

/// How processes differ from each other.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Law {
    /// Their levels are normal with this standard deviation, on a logarithmic scale.
    Normal(f64),
    /// As `Normal`, with the tails of Student's `t(4)` and the same standard deviation.
    Tails(f64),
    /// There are two equally common kinds of process, and one takes longer by this share.
    Halves(f64),
    /// One process in ten takes longer by this share.
    Rare(f64),
    /// Processes are alike. Two operations in a hundred are slow, and come in bursts of ten.
    Bursts,
}

/// A limit on a quantile, and the processes that it is judged by.
#[derive(Debug, Clone, Copy)]
struct Case {
    name: &'static str,
    q: f64,
    operations: usize,
    law: Law,
    bound: Bound,
    /// How far beyond the limit of 1 a truth still passes, as a share.
    tolerance: f64,
}

/// What a process of a metric other than a percentile has: its name, the number of its values, and the limit on it.
const OTHERS: [(&str, usize, Bound, f64); 4] = [
    ("memory and recorded values: one value, tolerance 2 %", 1, Bound::Max, 0.02),
    ("`min` and commands: one value", 1, Bound::Max, 0.1),
    ("`mean`: 20 batches", 20, Bound::Max, 0.1),
    ("`throughput`, a floor: 20 batches", 20, Bound::Min, 0.1),
];

const QUANTILES: [(&str, f64, usize); 5] = [
    ("p50", 0.5, 100),
    ("p90", 0.9, 100),
    ("p95", 0.95, 100),
    ("p99", 0.99, 100),
    ("p999", 0.999, 1000),
];
const SPREADS: [f64; 5] = [0.0, 0.02, 0.05, 0.1, 0.2];

impl Law {
    fn words(self) -> String {
        let percent = |share: f64| format!("{:.0} %", share * 100.0);
        match self {
            Law::Normal(sd) => format!("levels with a spread of {}", percent(sd)),
            Law::Tails(sd) => {
                format!("levels with the tails of `t(4)`, and a spread of {}", percent(sd))
            }
            Law::Halves(apart) => {
                format!("two equally common kinds of process, {} apart", percent(apart))
            }
            Law::Rare(longer) => format!("one process in ten takes {} longer", percent(longer)),
            Law::Bursts => {
                "slow operations in bursts of ten, none in four of five processes".to_owned()
            }
        }
    }

    /// Draws the logarithm of a process's level.
    fn level(self, random: &mut Random) -> f64 {
        match self {
            Law::Normal(sd) => sd * random.normal(),
            Law::Tails(sd) => {
                // A normal number over the root of chi² with 4 degrees of freedom, which is twice a Gamma of shape 2.
                let gamma = -((1.0 - random.uniform()) * (1.0 - random.uniform())).ln();
                sd * random.normal() / (2.0 * gamma / 4.0).sqrt() / 2f64.sqrt()
            }
            Law::Halves(apart) => apart.ln_1p() * f64::from(u8::from(random.uniform() < 0.5)),
            Law::Rare(longer) => longer.ln_1p() * f64::from(u8::from(random.uniform() < 0.1)),
            Law::Bursts => 0.0,
        }
    }

    /// Draws the logarithms of a process's values.
    fn process(self, random: &mut Random, operations: usize) -> Vec<f64> {
        let level = self.level(random);
        let mut values: Vec<f64> =
            (0..operations).map(|_| level + WITHIN * random.normal()).collect();
        if self == Law::Bursts {
            let mut at = 0;
            while at < operations {
                // One of 490 operations begins a burst, so that two of a hundred are in one.
                if random.uniform() < 1.0 / 490.0 {
                    let end = (at + 10).min(operations);
                    values[at..end].iter_mut().for_each(|value| *value += 0.5);
                    at = end;
                } else {
                    at += 1;
                }
            }
        }
        values
    }
}

impl Case {
    fn limit(self) -> Hypothesis {
        let levels = Levels { fail: threshold(0.01, 1), pass: threshold(0.05, 1) };
        let tolerance = match self.bound {
            Bound::Max => self.tolerance,
            Bound::Min => 1.0 - 1.0 / (1.0 + self.tolerance),
        };
        let (bound, method) = (self.bound, Method::Quantile(self.q));
        Hypothesis { bound, limit: 1.0, tolerance, method, levels, confirms: true }
    }

    /// Returns the true value that is `times` the limit, towards the broken side.
    fn truth(self, times: f64) -> f64 {
        match self.bound {
            Bound::Max => times,
            Bound::Min => 1.0 / times,
        }
    }

    /// Returns the true quantile of all values, as a logarithm, before they are scaled.
    fn quantile(self) -> f64 {
        let mut random = Random::new(7);
        let mut values = Vec::with_capacity(EXACT + self.operations);
        // Few values of each process, so that as many processes as possible determine the quantile.
        let each = if self.law == Law::Bursts { self.operations } else { 4 };
        while values.len() < EXACT {
            values.extend(self.law.process(&mut random, each));
        }
        let at = (values.len() as f64 * self.q) as usize;
        *values.select_nth_unstable_by(at, f64::total_cmp).1
    }

    /// Judges processes whose true quantile is `truth` until there is a finding or the time is up.
    fn judged(self, random: &mut Random, quantile: f64, truth: f64) -> (Judge, Finding) {
        let mut judge = Judge::new(self.limit());
        for _ in 0..MOST {
            let values = self.law.process(random, self.operations);
            let values: Vec<f64> =
                values.iter().map(|log| truth * (log - quantile).exp()).collect();
            let added = judge.add(&values);
            if added.is_err() || matches!(judge.finding(), Finding::Held | Finding::Broken) {
                break;
            }
        }
        let finding = judge.finding();
        (judge, finding)
    }

    fn figures(self, runs: u64) -> Figures {
        let quantile = self.quantile();
        let mut random = Random::new(211);
        let mut all = |truth: f64| -> Vec<(Judge, Finding)> {
            (0..runs).map(|_| self.judged(&mut random, quantile, truth)).collect()
        };
        let rate =
            |of: &[(Judge, Finding)], finding| Rate::of(of.iter().map(|run| run.1 == finding));
        let seconds = |of: &[(Judge, Finding)]| {
            of.iter().map(|run| run.0.processes()).sum::<usize>() as f64 / of.len() as f64 * PROCESS
        };
        let covers = |of: &[(Judge, Finding)], truth: f64| {
            let interval = |run: &(Judge, Finding)| run.0.estimate().map(|(_, interval)| interval);
            Rate::of(
                of.iter()
                    .filter_map(interval)
                    .map(|Interval { low, high }| low <= truth && truth <= high),
            )
        };
        let broken = all(self.truth((1.0 + self.tolerance) * BEYOND));
        let (at, near, half) = (all(1.0), all(self.truth(0.9)), all(self.truth(0.5)));
        let claims: Vec<f64> =
            near.iter().take(runs as usize / 2).filter_map(|run| run.0.detectable(MOST)).collect();
        let mut random = Random::new(251);
        let kept = claims
            .iter()
            .map(|&claim| self.judged(&mut random, quantile, claim).1 == Finding::Broken);
        Figures {
            passes: rate(&broken, Finding::Held),
            red: rate(&broken, Finding::Broken),
            wrong: rate(&at, Finding::Broken),
            seconds: [seconds(&half), seconds(&near)],
            covers: [covers(&near, self.truth(0.9)), covers(&at, 1.0)],
            claim: claims.iter().sum::<f64>() / claims.len() as f64,
            kept: Rate::of(kept),
        }
    }
}

/// The figures that the runs of a case show.
struct Figures {
    passes: Rate,
    red: Rate,
    wrong: Rate,
    /// The mean time of a run at half and at nine tenths of the limit.
    seconds: [f64; 2],
    covers: [Rate; 2],
    claim: f64,
    kept: Rate,
}

/// Returns the section of the page, from `runs` runs for each figure.
pub(crate) fn section(runs: u64, tell: &dyn Fn(&str)) -> String {
    let mut text = format!(
        "\n## Simulated: what a verdict is worth\n\n\
         Processes of known law through the judge of the harness, {runs} runs a figure: one limit of 1 with a tolerance of \
         10 % (2 % where that is said), {:.0} ms and 100 operations a process (1000 for `p999`) that differ by 5 %, at most {MOST} processes. Beyond \
         means 5 % beyond limit and tolerance. The promise is that at most 5 % pass there, and that at most 1 % are red at \
         the limit. Seconds are measuring time, the mean, at 0.5 and at 0.9 of the limit. The 90 % interval is that at \
         the verdict, at 0.9 and at 1 of the limit. The last column is the minimum detectable effect that a run at 0.9 \
         states, and how often its injection is red.\n\n{HEAD}",
        PROCESS * 1000.0
    );
    for (name, q, operations) in QUANTILES {
        for spread in SPREADS {
            let law = Law::Normal(spread);
            let case = Case { name, q, operations, law, bound: Bound::Max, tolerance: 0.1 };
            tell(&format!("simulating {name}, {}", case.law.words()));
            row(&mut text, case, runs);
        }
    }
    for (name, operations, bound, tolerance) in OTHERS {
        for spread in &SPREADS[1..] {
            let law = Law::Normal(*spread);
            let case = Case { name, q: 0.5, operations, law, bound, tolerance };
            tell(&format!("simulating {name}, {}", case.law.words()));
            row(&mut text, case, runs);
        }
    }
    text += "\nA pass assumes lognormal levels, and that a kind of process that it has not met is rare. Where that is not so, \
             it is worth less:\n\n";
    text += HEAD;
    for law in [
        Law::Halves(0.15),
        Law::Halves(0.4),
        Law::Tails(0.05),
        Law::Tails(0.1),
        Law::Tails(0.2),
        Law::Rare(0.1),
        Law::Rare(0.3),
        Law::Bursts,
    ] {
        for (name, q, operations) in QUANTILES {
            // In bursts, only a p99 of these operations is slow.
            if law != Law::Bursts || name == "p99" {
                let case = Case { name, q, operations, law, bound: Bound::Max, tolerance: 0.1 };
                tell(&format!("simulating {name}, {}", law.words()));
                row(&mut text, case, runs);
            }
        }
    }
    text
}

const HEAD: &str = "| percentile, processes | passes beyond | red beyond | red at the limit | s | the interval covers | \
                    minimum detectable effect, and red there |\n|---|---|---|---|---|---|---|\n";

fn row(text: &mut String, case: Case, runs: u64) {
    let figures = case.figures(runs);
    let percent = |rate: Rate| format!("{:.1} %", 100.0 * rate.count as f64 / rate.of as f64);
    let _ = writeln!(
        text,
        "| {}, {} | {} | {} | {} | {:.2}, {:.2} | {}, {} | {:.2}, {} |",
        case.name,
        case.law.words(),
        percent(figures.passes),
        percent(figures.red),
        percent(figures.wrong),
        figures.seconds[0],
        figures.seconds[1],
        percent(figures.covers[0]),
        percent(figures.covers[1]),
        figures.claim,
        percent(figures.kept),
    );
}
