//! A ratio of times: pairs of processes whose operations take turns, one log-ratio a pair.
//!
//! The coin that decides which of the two is started first is tossed here, so that the error rate of the
//! verdict holds whatever the noise is: what favours a place in line favours either side as often.

use perf_budget_core::metric::{Metric, SampleKind, Statistic};
use perf_budget_core::outcome::{Cause, Unmeasured};
use perf_budget_core::reading::{ProcessRun, Work};
use perf_budget_core::stats::{Sample, order};

use super::{Coin, Source};
use crate::worker::pair::{Pair, Round, Wants};

/// Operations beyond a percentile that a pair should have, at the least.
const BEYOND: f64 = 10.0;

/// Where pairs come from.
pub(crate) trait Pairs: Send {
    /// One more pair, in the order of its slots: the subject first, or the reference where `swapped`.
    fn pair(&mut self, swapped: bool, coin: &mut Coin) -> Result<Pair, Unmeasured>;
}

/// A subject against its reference.
pub(crate) struct Interleaved {
    pub(crate) pairs: Box<dyn Pairs>,
    pub(crate) metrics: Vec<Metric>,
    pub(crate) coin: Coin,
}

impl Source for Interleaved {
    fn measure_process(&mut self) -> Result<ProcessRun, Unmeasured> {
        let swapped = self.coin.toss();
        let pair = self.pairs.pair(swapped, &mut self.coin)?;
        let pair = if swapped { pair.swapped() } else { pair };
        let mut process = ProcessRun {
            elapsed: pair.elapsed,
            waited: pair.waited,
            clock: pair.clock,
            timing: pair.timing,
            pinned: pair.processor,
            links: Some(pair.links),
            notes: pair.notes.clone(),
            ..ProcessRun::default()
        };
        if pair.batch > 1 && pair.rounds.iter().any(|round| !round.single) {
            process.batch_size = pair.batch as u64;
        }
        if self.metrics.iter().any(|metric| metric.sample() == SampleKind::Rate) {
            comparable(pair.work)?;
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

/// What rounds must be made of for these metrics.
pub(crate) fn wants(metrics: &[Metric]) -> Wants {
    let single = |metric: &Metric| metric.sample() == SampleKind::Operation;
    let beyond = |metric: &Metric| {
        let q = metric.statistic().filter(|_| single(metric)).and_then(tail)?;
        Some((BEYOND / (1.0 - q)).ceil() as usize)
    };
    Wants {
        singles: metrics.iter().any(single),
        batches: metrics.iter().any(|metric| !single(metric)),
        fewest: metrics.iter().filter_map(beyond).max().unwrap_or(0),
    }
}

/// Bytes a second are not compared with operations a second.
fn comparable(work: [Work; 2]) -> Result<(), Unmeasured> {
    if let [Work::Bytes(_), Work::Bytes(_)] | [Work::Operations(_), Work::Operations(_)] = work {
        return Ok(());
    }
    let text = "the throughput of one of the two is in bytes and that of the other in operations: call \
                `run.bytes` in both workloads, or in neither";
    Err(Unmeasured::new(Cause::Unsuitable, text))
}

/// The quantile of a percentile above the middle.
fn tail(statistic: Statistic) -> Option<f64> {
    let q = statistic.quantile()?;
    (q > 0.5 && q < 1.0).then_some(q)
}

/// How the subject's metric relates to the reference's, and the two.
fn ratio(metric: &Metric, pair: &Pair) -> Option<(f64, (f64, f64))> {
    let of = |single| pair.rounds.iter().filter(move |round| round.single == single);
    let (log, sides) = match (metric.sample(), metric.statistic()) {
        (SampleKind::Batch, _) => centre(of(false))?,
        (SampleKind::Rate, _) => {
            let (log, (subject, reference)) = centre(of(false))?;
            let [a, b] = pair.work.map(|(Work::Operations(work) | Work::Bytes(work))| work);
            ((a / b).ln() - log, (a / subject, b / reference))
        }
        (SampleKind::Operation, Some(Statistic::P50)) => centre(of(true))?,
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
                let values = of(true).flat_map(|round| pick(round).iter().flatten().copied());
                order::quantile(&Sample::new(values.collect()).ok()?, q)
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

/// The middle of the rounds' log-ratios, each the mean of what the turns of its sides say, so that drift cancels
/// and so does the place in line. And the middle of each side.
fn centre<'a>(rounds: impl Iterator<Item = &'a Round>) -> Option<(f64, (f64, f64))> {
    let (mut logs, mut subject, mut reference) = (Vec::new(), Vec::new(), Vec::new());
    for round in rounds {
        let turns =
            |side: &[Vec<f64>]| side.iter().cloned().map(middle).collect::<Option<Vec<_>>>();
        let (Some(a), Some(b)) = (turns(&round.first), turns(&round.second)) else { continue };
        let log =
            |turns: &[f64]| turns.iter().map(|time| time.ln()).sum::<f64>() / turns.len() as f64;
        logs.push(log(&a) - log(&b));
        subject.extend(a);
        reference.extend(b);
    }
    Some((middle(logs)?, (middle(subject)?, middle(reference)?)))
}

fn middle(values: Vec<f64>) -> Option<f64> {
    order::quantile(&Sample::new(values).ok()?, 0.5)
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
    fn a_ratio_is_the_middle_of_rounds() {
        let mean = Key::Mean.at(Statistic::Mean);
        // Twice as long in each round, whatever the rounds themselves do.
        let drifting = [1.0, 3.0, 50.0]
            .map(|scale| round(false, [&[2.0 * scale], &[2.0 * scale]], [&[scale], &[scale]]));
        check(&mean, &drifting, Some(2.0));
        check(&Metric::from(Key::Throughput), &drifting, Some(0.5));
        // A drift within the round cancels: turns at 1, 2, 3, 4 of the same operation.
        check(&mean, &[round(false, [&[1.0], &[4.0]], [&[2.0], &[2.0]])], Some(1.0));
        // Batches are no single operations.
        check(&Key::Latency.at(Statistic::P50), &drifting, None);
        check(&mean, &[], None);
    }

    #[test]
    fn a_throughput_counts_what_an_operation_counts_for() {
        let rounds = vec![round(false, [&[2.0], &[2.0]], [&[1.0], &[1.0]])];
        let work = [Work::Operations(1000.0), Work::Operations(10.0)];
        let pair = Pair { rounds, work, ..Pair::default() };
        let (there, sides) = ratio(&Metric::from(Key::Throughput), &pair).unwrap();
        assert!((there - 50.0).abs() < 1e-9 && sides == (500.0, 10.0), "{there} {sides:?}");
        let (back, _) = ratio(&Metric::from(Key::Throughput), &pair.swapped()).unwrap();
        assert!((back - 0.02).abs() < 1e-9, "{back}");
        assert!(comparable(work).is_ok());
        assert!(comparable([Work::Bytes(1.0), Work::Operations(1.0)]).is_err());
    }

    #[test]
    fn a_reading_tells_the_links_of_the_subject_and_of_its_reference() {
        /// By link 1 of the subject and link 2 of the reference, in the order of the slots.
        struct Linked;
        impl Pairs for Linked {
            fn pair(&mut self, swapped: bool, _: &mut Coin) -> Result<Pair, Unmeasured> {
                let rounds = vec![round(false, [&[1.0], &[1.0]], [&[1.0], &[1.0]])];
                let links = if swapped { [2, 1] } else { [1, 2] };
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
    fn a_tail_is_of_all_operations_of_a_pair() {
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
