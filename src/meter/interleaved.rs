//! The interleaved comparison of two workloads: pairs of processes whose operations alternate. Each pair gives one
//! ratio of times.
//!
//! A coin decides which side of a pair is started first. If the machine favours the side that starts first, or the one
//! that starts second, it favours each side equally often. So the error rate of the verdict holds whatever the noise is.

use perf_budget_core::metric::{Metric, SampleKind, Statistic};
use perf_budget_core::outcome::{Cause, Unmeasured};
use perf_budget_core::reading::{ProcessRun, Work};

use super::ratio::{ratio, totals};
use super::{Coin, Source, without_layout};
use crate::worker::pair::{Pair, Requirements};

/// The fewest operations beyond a percentile that a pair should have.
const TAIL_OPERATIONS: f64 = 10.0;

/// Something that can measure one more pair.
pub(crate) trait Pairs: Send {
    /// Makes what [`Pairs::pending_preparation`] names.
    fn prepare(&mut self) {}

    /// Returns what has to be made before the next pair can be measured. `None` if nothing is missing.
    fn pending_preparation(&self) -> Option<String> {
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

    fn pending_preparation(&self) -> Option<String> {
        self.pairs.pending_preparation()
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
            if let Some(totals) = totals(metric, &pair) {
                process.totals.insert(metric.clone(), totals);
            }
            if let Some(ratio) = without_layout::ratio_of(metric, &pair) {
                process.without_layout.insert(metric.clone(), ratio);
            }
        }
        Ok(process)
    }
}

/// Returns what the rounds of a pair must consist of for these metrics.
pub(crate) fn requirements(metrics: &[Metric]) -> Requirements {
    let single = |metric: &Metric| metric.sample() == SampleKind::Operation;
    let beyond = |metric: &Metric| {
        let q = metric.statistic().filter(|_| single(metric)).and_then(tail)?;
        Some((TAIL_OPERATIONS / (1.0 - q)).ceil() as usize)
    };
    Requirements {
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

#[cfg(test)]
mod tests {
    use perf_budget_core::metric::Key;

    use super::*;
    use crate::worker::pair::Round;

    fn round(single: bool, first: [&[f64]; 2], second: [&[f64]; 2]) -> Round {
        let turns = |side: [&[f64]; 2]| side.map(<[f64]>::to_vec).to_vec();
        Round { single, first: turns(first), second: turns(second), ..Round::default() }
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
    fn an_extreme_percentile_wants_operations_beyond_it() {
        assert_eq!(requirements(&[Key::Latency.at(Statistic::P99)]).fewest, 1000);
        assert_eq!(
            requirements(&[Metric::from(Key::Throughput)]),
            Requirements { singles: false, batches: true, fewest: 0 }
        );
    }
}
