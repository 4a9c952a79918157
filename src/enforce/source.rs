//! Where forks come from: an artifact, a command, a workload, two of them in turn, a sweep over cases.
//!
//! A [`Source`] is also the seam of the tests: a scripted one drives the whole of judgement without a
//! clock or a process.

use std::time::Duration;

use crate::meter::{Cause, Fork, Unmeasured, interference};
use crate::metric::{Metric, Table};
use crate::stats::{PowerLaw, Sample, order};

/// Something that can be measured once more, in a fresh process.
pub(crate) trait Source: Send {
    /// Measures once.
    fn fork(&mut self) -> Result<Fork, Unmeasured>;

    /// How long forks are taken in one go: longer than one fork where a fork is too short to be
    /// worth a turn of its own.
    fn burst(&self) -> Duration {
        Duration::ZERO
    }

    /// Whether its one fork is what another program recorded, so that there is no other.
    fn is_recorded(&self) -> bool {
        false
    }
}

impl<F: FnMut() -> Result<Fork, Unmeasured> + Send> Source for F {
    fn fork(&mut self) -> Result<Fork, Unmeasured> {
        self()
    }
}

/// A source that watches the machine while it measures.
pub(crate) struct Watched(pub(crate) Box<dyn Source>);

impl Source for Watched {
    fn fork(&mut self) -> Result<Fork, Unmeasured> {
        // What the machine does while a record is read says nothing of when it was made.
        if self.is_recorded() { self.0.fork() } else { interference::watch(|| self.0.fork()) }
    }

    fn is_recorded(&self) -> bool {
        self.0.is_recorded()
    }

    fn burst(&self) -> std::time::Duration {
        self.0.burst()
    }
}

/// Two sources measured next to each other, in an order that a coin decides: drift of the machine is
/// as likely to favour the one as the other.
pub(crate) struct Versus {
    pub(crate) subject: Box<dyn Source>,
    pub(crate) reference: Box<dyn Source>,
    pub(crate) metrics: Vec<Metric>,
    pub(crate) coin: Coin,
}

impl Source for Versus {
    fn fork(&mut self) -> Result<Fork, Unmeasured> {
        let (a, b) = if self.coin.toss() {
            let a = self.subject.fork()?;
            (a, self.reference.fork()?)
        } else {
            let b = self.reference.fork()?;
            (self.subject.fork()?, b)
        };
        let mut both = Fork { elapsed: a.elapsed + b.elapsed, ..Fork::default() };
        for metric in &self.metrics {
            let (x, y) = (typical(&a, metric)?, typical(&b, metric)?);
            let ratio = match (x, y) {
                (0.0, 0.0) => 1.0,
                (x, 0.0) => {
                    let text = format!(
                        "`{metric}` was 0 at the reference and is {x} now, which is no factor of it; \
                         limit it by a quantity"
                    );
                    return Err(Unmeasured::new(Cause::InvalidReading, text));
                }
                _ => x / y,
            };
            both.values.insert(metric.clone(), ratio);
            both.sides.insert(metric.clone(), (x, y));
        }
        both.waited = a.waited.zip(b.waited).map(|(x, y)| f64::midpoint(x, y));
        both.preempted = a.preempted.zip(b.preempted).map(|(x, y)| x + y);
        Ok(both)
    }
}

/// Every case of a budget once, giving the slope of each metric over a parameter.
pub(crate) struct Sweep {
    pub(crate) points: Vec<(f64, Box<dyn Source>)>,
    pub(crate) metrics: Vec<Metric>,
    pub(crate) coin: Coin,
}

impl Source for Sweep {
    fn fork(&mut self) -> Result<Fork, Unmeasured> {
        let mut sweep = Fork::default();
        let mut readings: Table<Vec<(f64, f64)>> = Table::new();
        let mut order: Vec<usize> = (0..self.points.len()).collect();
        self.coin.shuffle(&mut order);
        for i in order {
            let (x, source) = &mut self.points[i];
            let fork = source.fork()?;
            sweep.elapsed += fork.elapsed;
            for metric in &self.metrics {
                readings.or_default(metric).push((*x, typical(&fork, metric)?));
            }
        }
        for (metric, points) in readings {
            let Some(law) = PowerLaw::fit(&points) else {
                let text = format!(
                    "`{metric}` has no slope on a log-log scale: it was not above 0 at every size"
                );
                return Err(Unmeasured::new(Cause::InvalidReading, text));
            };
            sweep.values.insert(Metric::Scaling(Box::new(metric)), law.exponent);
        }
        Ok(sweep)
    }
}

/// The one number that stands for a fork in a ratio or a slope.
fn typical(fork: &Fork, metric: &Metric) -> Result<f64, Unmeasured> {
    let values = Sample::new(fork.series(metric)?).map_err(|e| {
        Unmeasured::new(Cause::InvalidReading, format!("`{metric}` was measured as {e}"))
    })?;
    let q = match metric {
        Metric::Latency(statistic) => statistic.quantile().unwrap_or(0.5),
        _ => 0.5,
    };
    order::quantile(&values, q).ok_or_else(|| {
        Unmeasured::new(Cause::MeasuredNothing, format!("no value of `{metric}` was measured"))
    })
}

/// A fair coin, seeded so that a run can be told apart from the next and not predicted by a subject.
pub(crate) struct Coin {
    state: u64,
    /// What a coin must never be, and a test must be able to show.
    #[cfg(test)]
    loaded: bool,
}

impl Coin {
    /// From a seed; any will do.
    #[cfg(test)]
    pub(crate) fn new(seed: u64) -> Self {
        Coin::of(seed)
    }

    /// Not fair at all: tails, always.
    #[cfg(test)]
    pub(crate) fn loaded() -> Self {
        Coin { loaded: true, ..Coin::of(0) }
    }

    /// From the hasher's own randomness, different in each process.
    pub(crate) fn random() -> Self {
        use std::hash::{BuildHasher, Hasher, RandomState};
        Coin::of(RandomState::new().build_hasher().finish())
    }

    fn of(state: u64) -> Self {
        Coin {
            state,
            #[cfg(test)]
            loaded: false,
        }
    }

    /// The next number of splitmix64 (Steele, Lea & Flood 2014).
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// In [0, 1), for simulated noise.
    #[cfg(test)]
    pub(crate) fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Heads.
    pub(crate) fn toss(&mut self) -> bool {
        #[cfg(test)]
        if self.loaded {
            return false;
        }
        self.next() & 1 == 1
    }

    /// One of the numbers below `count`; 0 where there is none.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        (self.next() % (count.max(1) as u64)) as usize
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, (self.next() % (i as u64 + 1)) as usize);
        }
    }
}
