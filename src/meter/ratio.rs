//! The ratio of a metric that the rounds of one pair show.

use perf_budget_core::metric::{Metric, SampleKind, Statistic};
use perf_budget_core::reading::Work;
use perf_budget_core::stats::{Sample, order};

use crate::worker::pair::{Pair, Round};

/// Returns the ratio of the subject's value to the reference's, and the two values. `None` if a side has no value.
pub(super) fn ratio(metric: &Metric, pair: &Pair) -> Option<(f64, (f64, f64))> {
    let rounds = |single| pair.rounds.iter().filter(move |round| round.single == single);
    let (log, sides) = match (metric.sample(), metric.statistic()) {
        (SampleKind::Batch, _) => median_of_rounds(rounds(false))?,
        (SampleKind::Rate, _) => {
            let (log, (subject, reference)) = median_of_rounds(rounds(false))?;
            let [a, b] = pair.work.map(|(Work::Operations(work) | Work::Bytes(work))| work);
            ((a / b).ln() - log, (a / subject, b / reference))
        }
        (SampleKind::Operation, Some(Statistic::P50)) => median_of_rounds(rounds(true))?,
        (SampleKind::Operation, Some(statistic)) => {
            let q = match statistic {
                Statistic::Min => 0.0,
                Statistic::Max => 1.0,
                Statistic::Mean
                | Statistic::P50
                | Statistic::P90
                | Statistic::P95
                | Statistic::P99
                | Statistic::P999 => statistic.quantile()?,
            };
            let side = |pick: fn(&Round) -> &[Vec<f64>]| {
                let mut values = Vec::new();
                for turn in rounds(true).flat_map(pick) {
                    values.extend_from_slice(turn);
                }
                order::quantile(&Sample::new(values).ok()?, q)
            };
            let (subject, reference) = (side(|r| &r.first)?, side(|r| &r.second)?);
            ((subject / reference).ln(), (subject, reference))
        }
        (
            SampleKind::File
            | SampleKind::Operation
            | SampleKind::Failure
            | SampleKind::Run
            | SampleKind::Process
            | SampleKind::Record
            | SampleKind::Sweep,
            _,
        ) => return None,
    };
    log.is_finite().then(|| (log.exp(), sides))
}

/// Returns the median of the rounds' log-ratios, and the median time of each side.
///
/// Each side has several turns in a round. The log-ratio of a round is the difference between the mean logarithms of
/// the two sides. So a drift of the machine cancels, and so does an advantage of the first or the last turn.
fn median_of_rounds<'a>(rounds: impl Iterator<Item = &'a Round>) -> Option<(f64, (f64, f64))> {
    let (mut logs, mut subject, mut reference) = (Vec::new(), Vec::new(), Vec::new());
    for round in rounds {
        let turns =
            |side: &[Vec<f64>]| side.iter().cloned().map(order::median).collect::<Option<Vec<_>>>();
        let (Some(a), Some(b)) = (turns(&round.first), turns(&round.second)) else { continue };
        let log =
            |turns: &[f64]| turns.iter().map(|time| time.ln()).sum::<f64>() / turns.len() as f64;
        logs.push(log(&a) - log(&b));
        subject.extend(a);
        reference.extend(b);
    }
    Some((order::median(logs)?, (order::median(subject)?, order::median(reference)?)))
}

/// Returns the mean seconds of one operation on each side, over all batches of a pair. For a rate it is the mean seconds of
/// one unit of work. All turns of a pair have the same number of operations. `None` for other metrics, and without batches.
pub(super) fn totals(metric: &Metric, pair: &Pair) -> Option<(f64, f64)> {
    let [a, b] = match metric.sample() {
        SampleKind::Batch => [1.0; 2],
        SampleKind::Rate => pair.work.map(|(Work::Operations(work) | Work::Bytes(work))| work),
        SampleKind::File
        | SampleKind::Operation
        | SampleKind::Failure
        | SampleKind::Run
        | SampleKind::Process
        | SampleKind::Record
        | SampleKind::Sweep => return None,
    };
    let mean = |pick: fn(&Round) -> &[Vec<f64>], work: f64| {
        let rounds = pair.rounds.iter().filter(|round| !round.single);
        let times: Vec<f64> = rounds.flat_map(pick).flatten().copied().collect();
        (!times.is_empty()).then(|| times.iter().sum::<f64>() / times.len() as f64 / work)
    };
    Some((mean(|r| &r.first, a)?, mean(|r| &r.second, b)?))
}

#[cfg(test)]
mod tests {
    use perf_budget_core::metric::Key;

    use super::*;

    fn round(single: bool, first: [&[f64]; 2], second: [&[f64]; 2]) -> Round {
        let turns = |side: [&[f64]; 2]| side.map(<[f64]>::to_vec).to_vec();
        Round { single, first: turns(first), second: turns(second), ..Round::default() }
    }

    #[track_caller]
    fn check(metric: &Metric, rounds: &[Round], expected: Option<f64>) {
        let pair = Pair { rounds: rounds.to_vec(), ..Pair::default() };
        let got = ratio(metric, &pair).map(|(ratio, _)| ratio);
        match (got, expected) {
            (Some(got), Some(expected)) => assert!((got - expected).abs() < 1e-9, "{got}"),
            (got, expected) => assert_eq!(got, expected),
        }
    }

    #[test]
    fn a_ratio_is_the_median_over_rounds() {
        let mean = Key::Mean.at(Statistic::Mean);
        // The subject takes twice as long in each round, however much the rounds differ from each other.
        let drifting = [1.0, 3.0, 50.0]
            .map(|scale| round(false, [&[2.0 * scale], &[2.0 * scale]], [&[scale], &[scale]]));
        check(&mean, &drifting, Some(2.0));
        check(&Metric::from(Key::Throughput), &drifting, Some(0.5));
        // A drift within a round cancels: the four turns of equal operations take 1, 2, 2 and 4.
        check(&mean, &[round(false, [&[1.0], &[4.0]], [&[2.0], &[2.0]])], Some(1.0));
        // A percentile needs single operations, and these rounds have batches only.
        check(&Key::Latency.at(Statistic::P50), &drifting, None);
        check(&mean, &[], None);
    }

    /// The median over rounds does not see an operation that is long once in many rounds, but the sums do.
    #[test]
    fn totals_contain_the_rare_long_operations_that_the_median_does_not_see() {
        let mut rounds = vec![round(false, [&[1.0], &[1.0]], [&[1.0], &[1.0]]); 20];
        rounds[7] = round(false, [&[1.0], &[17.0]], [&[1.0], &[1.0]]);
        let work = [Work::Operations(4.0), Work::Operations(2.0)];
        let pair = Pair { rounds, work, ..Pair::default() };
        let mean = Key::Mean.at(Statistic::Mean);
        assert!((ratio(&mean, &pair).unwrap().0 - 1.0).abs() < 1e-9);
        let near = |metric: &Metric, expected: (f64, f64)| {
            let (a, b) = totals(metric, &pair).unwrap();
            assert!((a - expected.0).abs() < 1e-9 && (b - expected.1).abs() < 1e-9, "{a} {b}");
        };
        near(&mean, (1.4, 1.0));
        near(&Metric::from(Key::Throughput), (0.35, 0.5));
        assert_eq!(totals(&Key::Latency.at(Statistic::P50), &pair), None);
    }

    #[test]
    fn a_tail_percentile_is_taken_over_all_operations_of_a_pair() {
        let slow: Vec<f64> = (1..=100).map(|n| f64::from(n) * 2.0).collect();
        let fast: Vec<f64> = (1..=100).map(f64::from).collect();
        let rounds = [round(true, [&slow[..50], &slow[50..]], [&fast[50..], &fast[..50]])];
        for statistic in [Statistic::Min, Statistic::P90, Statistic::P99, Statistic::Max] {
            check(&Key::Latency.at(statistic), &rounds, Some(2.0));
        }
    }
}
