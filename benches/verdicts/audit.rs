//! The audit of pairs: whether the two slots of a pair are alike, measured with the same code in both.
//!
//! The coin keeps the verdicts right whatever the audit finds. But a slot that is favoured adds noise, which costs
//! power. So the audit looks for such a slot, so that its cause can be removed.

use std::io;
use std::path::Path;
use std::time::Duration;

use perf_budget::internals::pair::{self, Place, Requirements, Round, Side, Terms};
use perf_budget::internals::process::{Build, Request};
use perf_budget_core::budget::Param;

use crate::effects::EFFECTS;
use crate::random::{Random, seed};
use crate::workloads::{COMPARED, SUITE_WORKLOADS};

/// The measuring time of a pair: that of the harness for work whose preparation takes no time.
const SLICE: Duration = Duration::from_millis(30);

/// The name of the difference between the process that is started first and the second.
pub(crate) const SLOT: &str = "slot, which is launch order";
/// The name of the same difference if the processes may run on any processor.
pub(crate) const FREE: &str = "slot, were the two not pinned to one processor";

/// A kind of difference between the processes of a pair, over the pairs of a workload.
pub(crate) struct Finding {
    pub(crate) workload: &'static str,
    /// The kind of difference.
    pub(crate) what: &'static str,
    pub(crate) pairs: usize,
    /// The mean difference, as a share.
    pub(crate) mean: f64,
    /// How many standard errors the mean is; `None` for fewer than two pairs.
    pub(crate) t: Option<f64>,
    /// The robust standard deviation of a pair.
    pub(crate) sd: f64,
}

/// One pair: the log-ratio of its first slot to its second, and whether the second slot began.
struct Seen {
    core: usize,
    log: f64,
    second_began: bool,
}

/// Measures `pairs` pairs of each workload.
pub(crate) fn run(pairs: usize, place: &Path) -> io::Result<Vec<Finding>> {
    let place = place.join("head");
    std::fs::write(place.join(EFFECTS), "")?;
    let mut random = Random::new(seed());
    let mut findings = Vec::new();
    let workloads = &COMPARED[..SUITE_WORKLOADS];
    let mut seen: Vec<Vec<Seen>> = workloads.iter().map(|_| Vec::new()).collect();
    let mut apart: Vec<Vec<f64>> = workloads.iter().map(|_| Vec::new()).collect();
    for pair in 0..pairs {
        for (at, workload) in workloads.iter().enumerate() {
            seen[at].push(measure(workload, Place::Core(pair), &place, &mut random)?);
            apart[at].push(measure(workload, Place::Free, &place, &mut random)?.log);
        }
    }
    for ((workload, seen), apart) in workloads.iter().zip(&seen).zip(&apart) {
        let slots: Vec<f64> = seen.iter().map(|seen| seen.log).collect();
        let apart_by = |odd: fn(&Seen) -> bool| {
            let half = |is_odd: bool| seen.iter().filter(move |seen| odd(seen) == is_odd);
            half(false).zip(half(true)).map(|(even, odd)| (even.log - odd.log) / 2.0).collect()
        };
        let turns = apart_by(|seen| seen.second_began);
        let cores = apart_by(|seen| seen.core % 2 == 1);
        let rows =
            [(SLOT, slots), ("who begins", turns), ("processor", cores), (FREE, apart.clone())];
        findings.extend(rows.into_iter().map(|(what, values)| finding(workload, what, &values)));
    }
    Ok(findings)
}

fn measure(workload: &str, on: Place, place: &Path, random: &mut Random) -> io::Result<Seen> {
    let side = Side {
        build: Build::new(std::env::current_exe()?, Some(place.to_owned())),
        request: Request {
            workload: workload.to_owned(),
            params: vec![("id".to_owned(), Param::Int(0))],
            metrics: Vec::new(),
            load: None,
            slice: SLICE,
            max_operations: 1,
            paired: true,
            injection: None,
            counting: None,
            sampling: None,
            constraint: perf_budget_core::budget::Constraint::default(),
        },
        role: None,
    };
    let terms = Terms {
        wants: Requirements { singles: false, batches: true, fewest: 0 },
        slice: SLICE,
        place: on,
        timeout: Duration::from_secs(60),
        scratch: place,
    };
    let second_began = random.next() & 1 == 1;
    let pair = pair::measure([&side, &side], &terms, second_began)
        .map_err(|why| io::Error::other(format!("the audit of {workload}: {}", why.text)))?;
    Ok(Seen {
        core: if let Place::Core(core) = on { core } else { 0 },
        log: median(pair.rounds.iter().map(log_ratio).collect()),
        second_began,
    })
}

fn log_ratio(round: &Round) -> f64 {
    let log = |turns: &[Vec<f64>]| {
        turns.iter().flatten().map(|time| time.ln()).sum::<f64>() / turns.len() as f64
    };
    log(&round.first) - log(&round.second)
}

fn finding(workload: &'static str, what: &'static str, values: &[f64]) -> Finding {
    let centre = median(values.to_vec());
    let sd = 1.4826 * median(values.iter().map(|value| (value - centre).abs()).collect());
    // One pair in a hundred is off by a whole time slice of the scheduler. It says nothing about the slots.
    let near: Vec<f64> =
        values.iter().copied().filter(|value| (value - centre).abs() <= 5.0 * sd).collect();
    let n = near.len() as f64;
    let mean = near.iter().sum::<f64>() / n;
    let variance = near.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let t = (near.len() > 1 && variance > 0.0).then(|| mean / (variance / n).sqrt());
    Finding { workload, what, pairs: values.len(), mean, t, sd }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
