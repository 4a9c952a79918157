//! The plan of the trials: the questions that the harness is asked. Each trial is one run of a test binary with a
//! `budgets.toml` whose right answers are known.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::random::Random;
use crate::workloads::{COMPARED, COMPUTE, SUITE_WORKLOADS, drawn_p99, drawn_throughput};

/// The number of statistical limits of the large suite.
pub(crate) const SUITE: usize = 25;

/// A question whose answer is known.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) enum Question {
    /// A workload against a base that takes some percent less.
    Base {
        /// The index of the workload in [`COMPARED`].
        workload: usize,
        /// The percentage that is injected.
        effect: u32,
        /// The number of limits in the file. One of them is run, but the number determines how much evidence it takes.
        suite: usize,
    },
    /// The large suite in one run, with nothing injected.
    Suite,
    /// An ordinary crate with `base = "5 %"`, in one run, with nothing injected.
    Crate,
    /// A percentile that is this share of its limit, in percent.
    P99(u32),
    /// A throughput whose limit is this share of it, in percent.
    Throughput(u32),
    /// A limit on a latency, while two operations of a hundred sleep for twice the limit.
    Sleeps,
}

/// The right verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Truth {
    /// The value is within its limit, so the verdict is never red.
    Healthy,
    /// The value is over the limit by less than its tolerance, so either verdict is right.
    Between,
    /// The value is over limit and tolerance, so the verdict is red.
    Broken,
}

impl Question {
    /// Returns the text of `budgets.toml`.
    pub(crate) fn budgets(self) -> String {
        match self {
            Question::Base { suite: 1, workload, .. } => {
                compared(0, COMPARED[workload], metric(workload), limit(workload))
            }
            Question::Base { .. } | Question::Suite => suite(),
            Question::Crate => ordinary(),
            Question::P99(share) => {
                let limit = drawn_p99() * 1e5 / f64::from(share);
                format!("[budget.b0]\nworkload = \"drawn\"\nmax = {{ p99 = \"{limit:.6} ms\" }}\n")
            }
            Question::Throughput(share) => {
                let limit = drawn_throughput() * f64::from(share) / 100.0;
                format!(
                    "[budget.b0]\nworkload = \"drawn\"\nmin = {{ throughput = \"{limit:.3} op/s\" }}\n"
                )
            }
            Question::Sleeps => {
                "[budget.b0]\nworkload = \"sleeps\"\nmax = { p99 = \"1 ms\" }\n".to_owned()
            }
        }
    }

    /// Returns the names of the workloads that the question is about.
    pub(crate) fn workloads(self) -> String {
        match self {
            Question::Base { suite: 1, workload, .. } => COMPARED[workload].to_owned(),
            Question::Base { .. } | Question::Suite => COMPARED[..SUITE_WORKLOADS].join(" "),
            Question::Crate => COMPARED.join(" "),
            Question::P99(_) | Question::Throughput(_) => "drawn".to_owned(),
            Question::Sleeps => "sleeps".to_owned(),
        }
    }

    /// Returns the effects that are injected in the head: budget and percent.
    pub(crate) fn effects(self) -> String {
        match self {
            Question::Base { workload, effect, suite, .. } => {
                format!("{} {effect}\n", if suite == 1 { 0 } else { workload })
            }
            _ => String::new(),
        }
    }

    /// Returns the test to run; `None` for all of them.
    pub(crate) fn filter(self) -> Option<String> {
        match self {
            Question::Base { workload, suite, .. } if suite > 1 => {
                Some(format!("b{workload}::mean::x_base"))
            }
            _ => None,
        }
    }

    /// Whether a value is so far over its limit that other work on the machine cannot be the reason.
    pub(crate) fn is_far_over(self) -> bool {
        match self {
            // A floor of 200 % is twice the throughput.
            Question::P99(share) | Question::Throughput(share) => share >= 200,
            Question::Sleeps => true,
            Question::Base { .. } | Question::Suite | Question::Crate => false,
        }
    }

    pub(crate) fn truth(self) -> Truth {
        match self {
            // A limit of half a percent has a tolerance of half a percent, so the tolerance ends at one percent.
            Question::Base { workload, effect, .. } => match f64::from(effect) / limit(workload) {
                over if over <= 1.0 => Truth::Healthy,
                over if over < 1.9 => Truth::Between,
                _ => Truth::Broken,
            },
            Question::Suite | Question::Crate => Truth::Healthy,
            Question::P99(share) | Question::Throughput(share) if share <= 100 => Truth::Healthy,
            Question::P99(_) | Question::Throughput(_) | Question::Sleeps => Truth::Broken,
        }
    }
}

/// Returns by how many percent a workload may be slower than its base.
pub(crate) fn limit(workload: usize) -> f64 {
    match COMPARED[workload] {
        _ if workload < COMPUTE.len() => 0.5,
        "tail" | "modes" => 5.0,
        _ => 2.0,
    }
}

/// Returns the metric by which a workload is compared.
fn metric(workload: usize) -> &'static str {
    // If a tail has no variance, no run knows its mean.
    if COMPARED[workload] == "tail" { "p50" } else { "mean" }
}

fn compared(id: usize, workload: &str, metric: &str, percent: f64) -> String {
    let (bound, factor) = match metric {
        "throughput" => ("min", 1.0 - percent / 100.0),
        _ => ("max", 1.0 + percent / 100.0),
    };
    format!(
        "[budget.b{id}]\nworkload = \"{workload}\"\nparams = {{ id = {id} }}\n\
         {bound} = {{ {metric} = \"{factor} x base\" }}\n"
    )
}

/// Returns a suite of five workloads, each limited in five ways. A fifth of the limits lie exactly at the truth.
fn suite() -> String {
    let mut text = String::new();
    for id in 0..SUITE {
        let (workload, way) = (id % SUITE_WORKLOADS, id / SUITE_WORKLOADS);
        let hard = workload >= COMPUTE.len();
        let (metric, percent) = match way {
            0 => ("mean", limit(workload)),
            1 => ("p50", if hard { 2.0 } else { 1.0 }),
            2 => ("throughput", if hard { 2.0 } else { 1.0 }),
            3 => ("mean", if hard { 5.0 } else { 2.0 }),
            _ => ("mean", if hard { 2.0 } else { 0.0 }),
        };
        let _ = writeln!(text, "{}", compared(id, COMPARED[workload], metric, percent));
    }
    text
}

/// Returns the budgets of an ordinary crate. They limit 17 values that are far from their limits, and `base = "5 %"`
/// limits each of them against the base as well. That makes 34 limits.
fn ordinary() -> String {
    let mut text = "[settings]\nbase = \"5 %\"\n\n".to_owned();
    for (id, workload) in COMPARED.into_iter().enumerate() {
        let limits = match workload {
            "alu" => "max = { p50 = \"1 s\", p99 = \"1 s\" }",
            "sort" => "max = { mean = \"1 s\", p90 = \"1 s\" }",
            "hash" => "max = { p50 = \"1 s\" }\nmin = { throughput = \"1 op/s\" }",
            "strings" => "max = { p50 = \"1 s\", rss = \"1 GB\" }",
            "setup" | "maps" => "max = { mean = \"1 s\" }",
            _ => "max = { p50 = \"1 s\" }",
        };
        let _ = writeln!(
            text,
            "[budget.b{id}]\nworkload = \"{workload}\"\nparams = {{ id = {id} }}\n{limits}\n"
        );
    }
    text
}

/// The part of the questions that a process asks, so that several can share the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    All,
    /// Suites of one limit on the same code.
    Same,
    /// The ordinary crate.
    Crate,
    /// A few questions of each kind, to see that this program works.
    Quick,
}

/// Returns one round of questions under one condition, in random order.
pub(crate) fn round(random: &mut Random, part: Part) -> Vec<Question> {
    let mut round = Vec::new();
    for workload in 0..COMPARED.len() {
        let base = |effect, suite| Question::Base { workload, effect, suite };
        let effects: &[u32] = match part {
            Part::Quick => &[0, 20],
            Part::Same => &[0],
            Part::Crate => &[],
            Part::All if workload < SUITE_WORKLOADS => &[0, 0, 0, 0, 1, 1, 2, 5, 20],
            Part::All => &[0, 0, 5, 20],
        };
        round.extend(effects.iter().map(|&effect| base(effect, 1)));
        if part == Part::All && workload < SUITE_WORKLOADS {
            round.extend([1, 5].map(|effect| base(effect, SUITE)));
        }
    }
    let shares: &[u32] = match part {
        Part::Quick => &[50, 200],
        Part::Same | Part::Crate => &[],
        Part::All => &[50, 90, 120, 200],
    };
    round.extend(shares.iter().map(|&share| Question::P99(share)));
    match part {
        Part::All => {
            round.extend(shares.iter().map(|&share| Question::Throughput(share)));
            round.extend([Question::Sleeps, Question::Suite, Question::Crate]);
        }
        Part::Crate | Part::Quick => round.push(Question::Crate),
        Part::Same => {}
    }
    random.shuffle(&mut round);
    round
}
