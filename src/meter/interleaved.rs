//! The interleaved comparison of two workloads: pairs of processes whose operations alternate. Each pair gives one
//! ratio of times.
//!
//! A coin decides which side of a pair is started first. If the machine favours whoever starts first (or second), it
//! favours each side equally often, so the error rate of the verdict holds whatever the noise is.

use perf_budget_core::metric::{Metric, SampleKind, Statistic};
use perf_budget_core::outcome::{Cause, Unmeasured};
use perf_budget_core::reading::{ProcessRun, Work};
use perf_budget_core::stats::{Sample, order};

use super::{Coin, Source};
use crate::worker::pair::{Pair, Round, Wants};

/// The fewest operations beyond a percentile that a pair should have.
const TAIL_OPERATIONS: f64 = 10.0;

/// Something that can measure one more pair.
pub(crate) trait Pairs: Send {
    /// Makes what `lacks` names.
    fn prepare(&mut self) {}

    /// Returns what has to be made before the next pair can be measured. `None` if nothing is missing.
    fn lacks(&self) -> Option<String> {
        None
    }

    /// Measures one more pair. The subject is in the first slot, or the reference if `swapped`.
    fn measure_pair(&mut self, swapped: bool, coin: &mut Coin) -> Result<Pair, Unmeasured>;
}

/// A subject and its reference, compared by interleaving.
pub(crate) struct Interleaved {
    pub(crate) pairs: Box<dyn Pairs>,
    pub(crate) metrics: Vec<Metric>,
    pub(crate) coin: Coin,
}

impl Source for Interleaved {
    fn prepare(&mut self) {
        self.pairs.prepare();
    }

    fn lacks(&self) -> Option<String> {
        self.pairs.lacks()
    }

    fn measure_process(&mut self) -> Result<ProcessRun, Unmeasured> {
        let swapped = self.coin.toss();
        let pair = self.pairs.measure_pair(swapped, &mut self.coin)?;
        let pair = if swapped { pair.swapped() } else { pair };
        let mut process = ProcessRun {
            elapsed: pair.elapsed,
            waited: pair.waited,
            clock: pair.clock,
            timing: pair.timing,
            pinned: pair.processor,
            links: pair.links,
            work: pair.work[0],
            notes: pair.notes.clone(),
            ..ProcessRun::default()
        };
        if pair.batch > 1 && pair.rounds.iter().any(|round| !round.single) {
            process.batch_size = pair.batch as u64;
        }
        if self.metrics.iter().any(|metric| metric.sample() == SampleKind::Rate) {
            check_comparable(pair.work)?;
        }
        for metric in &self.metrics {
            let Some((ratio, sides)) = ratio(metric, &pair) else {
                let text = format!("no `{metric}` of both sides was measured");
                return Err(Unmeasured::new(Cause::MeasuredNothing, text));
            };
            process.values.insert(metric.clone(), ratio);
            process.sides.insert(metric.clone(), sides);
        }
        Ok(process)
    }
}

/// Returns what the rounds of a pair must consist of for these metrics.
pub(crate) fn wants(metrics: &[Metric]) -> Wants {
    let single = |metric: &Metric| metric.sample() == SampleKind::Operation;
    let beyond = |metric: &Metric| {
        let q = metric.statistic().filter(|_| single(metric)).and_then(tail)?;
        Some((TAIL_OPERATIONS / (1.0 - q)).ceil() as usize)
    };
    Wants {
        singles: metrics.iter().any(single),
        batches: metrics.iter().any(|metric| !single(metric)),
        fewest: metrics.iter().filter_map(beyond).max().unwrap_or(0),
    }
}

/// Checks that both sides count the same kind of work: bytes a second cannot be compared with operations a second.
fn check_comparable(work: [Work; 2]) -> Result<(), Unmeasured> {
    if let [Work::Bytes(_), Work::Bytes(_)] | [Work::Operations(_), Work::Operations(_)] = work {
        return Ok(());
    }
    let text = "the throughput of one of the two is in bytes and that of the other in operations: call \
                `run.bytes` in both workloads, or in neither";
    Err(Unmeasured::new(Cause::Unsuitable, text))
}

/// Returns the quantile of a percentile above the median. `None` for every other statistic.
fn tail(statistic: Statistic) -> Option<f64> {
    let q = statistic.quantile()?;
    (q > 0.5 && q < 1.0).then_some(q)
}

/// Returns the ratio of the subject's value to the reference's, and the two values. `None` if a side has no value.
fn ratio(metric: &Metric, pair: &Pair) -> Option<(f64, (f64, f64))> {
    let of = |single| pair.rounds.iter().filter(move |round| round.single == single);
    let (log, sides) = match (metric.sample(), metric.statistic()) {
        (SampleKind::Batch, _) => median_of_rounds(of(false))?,
        (SampleKind::Rate, _) => {
            let (log, (subject, reference)) = median_of_rounds(of(false))?;
            let [a, b] = pair.work.map(|(Work::Operations(work) | Work::Bytes(work))| work);
            ((a / b).ln() - log, (a / subject, b / reference))
        }
        (SampleKind::Operation, Some(Statistic::P50)) => median_of_rounds(of(true))?,
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
                for turn in of(true).flat_map(pick) {
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
/// the two sides, so that a drift of the machine cancels, and an advantage of the first or the last turn does too.
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

#[cfg(test)]
mod tests {
    use perf_budget_core::metric::Key;

    use super::*;

    fn round(single: bool, first: [&[f64]; 2], second: [&[f64]; 2]) -> Round {
        let turns = |side: [&[f64]; 2]| side.map(<[f64]>::to_vec).to_vec();
        Round { single, first: turns(first), second: turns(second) }
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

    #[test]
    fn a_throughput_counts_the_work_of_each_operation() {
        let rounds = vec![round(false, [&[2.0], &[2.0]], [&[1.0], &[1.0]])];
        let work = [Work::Operations(1000.0), Work::Operations(10.0)];
        let pair = Pair { rounds, work, ..Pair::default() };
        let (plain, sides) = ratio(&Metric::from(Key::Throughput), &pair).unwrap();
        assert!((plain - 50.0).abs() < 1e-9 && sides == (500.0, 10.0), "{plain} {sides:?}");
        let (swapped, _) = ratio(&Metric::from(Key::Throughput), &pair.swapped()).unwrap();
        assert!((swapped - 0.02).abs() < 1e-9, "{swapped}");
        assert!(check_comparable(work).is_ok());
        assert!(check_comparable([Work::Bytes(1.0), Work::Operations(1.0)]).is_err());
    }

    #[test]
    fn a_reading_names_the_links_of_the_subject_and_of_its_reference() {
        /// Pairs of link 1 of the subject and link 2 of the reference, in the order of the slots.
        struct Linked;
        impl Pairs for Linked {
            fn measure_pair(&mut self, swapped: bool, _: &mut Coin) -> Result<Pair, Unmeasured> {
                let rounds = vec![round(false, [&[1.0], &[1.0]], [&[1.0], &[1.0]])];
                let links = Some(if swapped { [2, 1] } else { [1, 2] });
                Ok(Pair { rounds, links, ..Pair::default() })
            }
        }
        let mean = Key::Mean.at(Statistic::Mean);
        let mut both =
            Interleaved { pairs: Box::new(Linked), metrics: vec![mean], coin: Coin::random() };
        for _ in 0..20 {
            assert_eq!(both.measure_process().unwrap().links, Some([1, 2]));
        }
    }

    #[test]
    fn a_tail_percentile_is_taken_over_all_operations_of_a_pair() {
        let slow: Vec<f64> = (1..=100).map(|n| f64::from(n) * 2.0).collect();
        let fast: Vec<f64> = (1..=100).map(f64::from).collect();
        let rounds = [round(true, [&slow[..50], &slow[50..]], [&fast[50..], &fast[..50]])];
        for statistic in [Statistic::Min, Statistic::P90, Statistic::P99, Statistic::Max] {
            check(&Key::Latency.at(statistic), &rounds, Some(2.0));
        }
        assert_eq!(wants(&[Key::Latency.at(Statistic::P99)]).fewest, 1000);
        assert_eq!(
            wants(&[Metric::from(Key::Throughput)]),
            Wants { singles: false, batches: true, fewest: 0 }
        );
    }
}
