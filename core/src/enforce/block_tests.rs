//! Tests that show why a process is one observation whatever its length: without that rule, the same judgement has too many
//! false positives.

use super::open::{Judgement, Open};
use super::tests::{P50, max, rules};
use super::{PendingLimit, Rules};
use crate::budget::Limit;
use crate::outcome::Outcome;
use crate::reading::ProcessRun;
use crate::stats::tests::noise::Noise;
use crate::stats::{clopper_pearson, threshold};
use crate::verdict::judge::{BETA, Carried, Finding, Levels};

/// The number of simulated limits of each kind.
const RUNS: u64 = 200;

fn open(limit: Limit, rules: Rules) -> Open {
    let levels =
        Levels { fail: threshold(rules.alpha, rules.statistical), pass: threshold(BETA, 1) };
    let (template, carried) = (Outcome::default(), Carried::default());
    Open::new(PendingLimit { limit, template, carried, unjudged: None }, levels, 0.9)
}

fn finding(open: &mut Open, process: &ProcessRun) -> Finding {
    open.add(process).expect("every process is a reading");
    match &open.judgement {
        Judgement::Statistical(judge) => judge.finding(),
        Judgement::Deterministic(_) => unreachable!("a time varies"),
    }
}

/// Without blocks, what slows a whole process would count as many independent observations. The control judges the
/// same operations one by one, as if each came from a process of its own.
#[test]
fn without_blocks_slow_processes_give_false_positives() {
    let (mut whole, mut single) = (0, 0);
    let mut random = Noise::seeded(1977);
    for _ in 0..RUNS {
        let limits = || open(max(P50, "1 ms"), Rules { statistical: 1, ..rules() });
        let (mut by_process, mut by_operation) = (limits(), limits());
        let (mut red, mut split_red) = (false, false);
        for _ in 0..20 {
            // The median is at the limit: half of the processes are slower, with all their operations.
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
    // Each of the two is shown with a confidence of 99.9 %.
    let (with, without) =
        (clopper_pearson(whole, RUNS, 0.998), clopper_pearson(single, RUNS, 0.998));
    assert!(with.low <= rules().alpha, "with blocks: {whole} of {RUNS}");
    assert!(without.low > 0.2, "without blocks: only {single} of {RUNS}");
}
