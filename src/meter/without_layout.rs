//! The ratio of two times, without the part that memory layout may have caused.
//!
//! Where functions lie changes how long the processor takes for them, and not how long an operation waits for a timer, a lock, a
//! disk or another machine. So layout may have made the subject slower, or the reference faster, by at most a share of its time
//! on the processor.

use perf_budget_core::metric::{Better, Metric};
use perf_budget_core::outcome::words::LAYOUT;

use super::ratio::ratio;
use crate::worker::pair::{Pair, Round};

/// Returns the ratio of a metric after the largest disadvantage is taken back that layout may have brought to the subject.
/// `None` if the time on the processor is not known for each turn.
pub(super) fn ratio_of(metric: &Metric, pair: &Pair) -> Option<f64> {
    let is_known = |round: &Round| {
        [&round.first, &round.second].iter().zip(&round.busy).all(|(turns, busy)| {
            turns.len() == busy.len() && busy.iter().all(|busy| busy.is_finite())
        })
    };
    if !pair.rounds.iter().all(is_known) {
        return None;
    }
    // The extreme case is that layout changed one side only.
    let with_faster_subject = ratio(metric, &changed(pair, 0, 1.0 / (1.0 + LAYOUT)))?.0;
    let with_slower_reference = ratio(metric, &changed(pair, 1, 1.0 + LAYOUT))?.0;
    Some(if metric.better() == Better::Higher {
        with_faster_subject.max(with_slower_reference)
    } else {
        with_faster_subject.min(with_slower_reference)
    })
}

/// Returns a pair in which the processor time of one side is multiplied by `times`, and its waiting stays as it is.
fn changed(pair: &Pair, side: usize, times: f64) -> Pair {
    let changed = |round: &Round| {
        let mut round = round.clone();
        let turns = if side == 0 { &mut round.first } else { &mut round.second };
        for (turn, busy) in turns.iter_mut().zip(&round.busy[side]) {
            // A turn has one processor time for all its operations, and any of them may have used all of it.
            for time in turn {
                *time += (times - 1.0) * busy.min(*time);
            }
        }
        round
    };
    Pair { rounds: pair.rounds.iter().map(changed).collect(), work: pair.work, ..Pair::default() }
}

#[cfg(test)]
mod tests {
    use perf_budget_core::metric::{Key, Statistic};
    use perf_budget_core::reading::Work;

    use super::*;

    const MEAN: Metric = Key::Mean.at(Statistic::Mean);
    const P50: Metric = Key::Latency.at(Statistic::P50);

    /// A pair whose operations take these times, of which `busy` is on a processor.
    fn pair(single: bool, [subject, reference]: [f64; 2], busy: [f64; 2]) -> Pair {
        let round = Round {
            single,
            first: vec![vec![subject]; 4],
            second: vec![vec![reference]; 4],
            busy: busy.map(|busy| vec![busy; 4]),
        };
        Pair { rounds: vec![round; 3], work: [Work::default(); 2], ..Pair::default() }
    }

    #[track_caller]
    fn check(metric: &Metric, pair: &Pair, expected: Option<f64>) {
        match (ratio_of(metric, pair), expected) {
            (Some(got), Some(expected)) => assert!((got - expected).abs() < 1e-9, "{got}"),
            (got, expected) => assert_eq!(got, expected),
        }
    }

    #[test]
    fn layout_takes_nothing_from_an_operation_that_waits() {
        for (single, metric) in [(true, &P50), (false, &MEAN)] {
            check(metric, &pair(single, [1.2, 1.0], [0.0, 0.0]), Some(1.2));
            check(metric, &pair(single, [1.2, 1.0], [9.0, 9.0]), Some(1.2 / 1.25));
            // Layout may have slowed the subject by a fifth of 0.1, or sped up the reference by a quarter of 0.1.
            check(metric, &pair(single, [1.2, 1.0], [0.1, 0.1]), Some(1.2 / 1.025));
            check(metric, &pair(single, [1.2, 1.0], [0.8, 0.0]), Some(1.04));
            check(metric, &pair(single, [1.2, 1.0], [0.0, f64::INFINITY]), None);
        }
        let throughput = Metric::from(Key::Throughput);
        check(&throughput, &pair(false, [1.25, 1.0], [9.0, 9.0]), Some(1.0));
        check(&throughput, &pair(false, [1.25, 1.0], [0.0, 0.0]), Some(0.8));
        let unknown = Round {
            busy: Default::default(),
            ..pair(true, [1.0, 1.0], [0.0; 2]).rounds[0].clone()
        };
        check(&P50, &Pair { rounds: vec![unknown], ..Pair::default() }, None);
    }

    #[test]
    fn a_percentile_of_operations_that_run_is_not_that_of_those_that_wait() {
        // Three operations in five only run, and the others sleep: the median runs, whatever the mean does.
        let turns =
            |middle: f64| vec![vec![middle], vec![middle], vec![middle], vec![90.0], vec![90.0]];
        let busy = |middle: f64| vec![middle, middle, middle, 0.1, 0.1];
        let round = Round {
            single: true,
            first: turns(1.2),
            second: turns(1.0),
            busy: [busy(1.2), busy(1.0)],
        };
        let pair = Pair { rounds: vec![round], ..Pair::default() };
        let ran = (ratio(&P50, &pair).unwrap().0.ln() - ratio_of(&P50, &pair).unwrap().ln()).exp();
        // Three fifths of the logarithms of a round are those of operations that run.
        assert!((ran - 1.25_f64.powf(0.6)).abs() < 0.01, "{ran}");
        let p90 = Key::Latency.at(Statistic::P90);
        check(&p90, &pair, Some(90.0 / (90.0 + 0.25 * 0.1)));
    }
}
