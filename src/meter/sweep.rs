//! Every case of a budget once: how a metric grows with a parameter.

use super::{Coin, Source, typical};
use crate::metric::{Metric, Table};
use crate::outcome::{Cause, Unmeasured};
use crate::reading::Fork;
use crate::stats::PowerLaw;

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
