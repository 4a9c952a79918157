//! Why a process is one observation whatever its length: the same judgement without that flakes.

use super::open::{Judgement, Open};
use super::tests::{P50, max, rules};
use super::{Asked, Rules};
use crate::budget::Limit;
use crate::outcome::Outcome;
use crate::reading::ProcessRun;
use crate::stats::tests::noise::Noise;
use crate::stats::{clopper_pearson, threshold};
use crate::verdict::judge::{BETA, Carried, Finding, Levels};

/// Simulated limits of each kind.
const RUNS: u64 = 200;

fn open(limit: Limit, rules: Rules) -> Open {
    let levels =
        Levels { fail: threshold(rules.alpha, rules.statistical), pass: threshold(BETA, 1) };
    let (template, carried) = (Outcome::default(), Carried::default());
    Open::new(Asked { limit, template, carried, unjudged: None }, levels, 0.9)
}

fn finding(open: &mut Open, process: &ProcessRun) -> Finding {
    open.add(process).expect("every process is a reading");
    match &open.judgement {
        Judgement::Statistical(judge) => judge.finding(),
        Judgement::Deterministic(_) => unreachable!("a time varies"),
    }
}

/// Without blocks: what slows a whole process would be as many independent observations as the process has operations. The
/// same operations, told one by one as if each were of a process of its own.
#[test]
fn without_blocks_what_processes_share_flakes() {
    let (mut whole, mut single) = (0, 0);
    let mut random = Noise::seeded(1977);
    for _ in 0..RUNS {
        let limits = || open(max(P50, "1 ms"), Rules { statistical: 1, ..rules() });
        let (mut by_process, mut by_operation) = (limits(), limits());
        let (mut red, mut split_red) = (false, false);
        for _ in 0..20 {
            // The median is at the limit: half of the processes are slower, all through.
            let process = 1.0 + 0.2 * (random.uniform() - 0.5);
            let operations: Vec<f64> =
                (0..20).map(|_| 1e-3 * process * (1.0 + 0.05 * (random.uniform() - 0.5))).collect();
            let process_run = |operations: &[f64]| ProcessRun {
                operations: operations.to_vec(),
                ..ProcessRun::default()
            };
            red |= finding(&mut by_process, &process_run(&operations)) == Finding::Broken;
            for operation in operations.chunks(1) {
                split_red |= finding(&mut by_operation, &process_run(operation)) == Finding::Broken;
            }
        }
        whole += u64::from(red);
        single += u64::from(split_red);
    }
    // Beyond doubt (99.9 %), each.
    let (with, without) =
        (clopper_pearson(whole, RUNS, 0.998), clopper_pearson(single, RUNS, 0.998));
    assert!(with.low <= rules().alpha, "with blocks: {whole} of {RUNS}");
    assert!(without.low > 0.2, "without: only {single} of {RUNS}");
}
