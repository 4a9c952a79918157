//! The greatest value of a run: one that is over its limit is proof, and may be the machine's.
//!
//! So two processes must have seen one, and most of the fresh ones that confirm it: a spike of the machine in one
//! process of ten is not called broken.

/// A greatest value is not called held on fewer values than this.
const FEWEST_VALUES: usize = 100;

/// How many processes saw a value over the limit.
#[derive(Debug, Clone)]
pub(super) struct Greatest {
    limit: f64,
    tolerance_limit: f64,
    over: usize,
    /// How many saw one over the limit, or at the tolerance limit, at any time.
    near: usize,
    values: usize,
    least: f64,
    most: f64,
}

impl Greatest {
    pub(super) fn new(limit: f64, tolerance_limit: f64) -> Self {
        let (least, most) = (f64::INFINITY, f64::NEG_INFINITY);
        Greatest { limit, tolerance_limit, over: 0, near: 0, values: 0, least, most }
    }

    pub(super) fn add(&mut self, process: &[f64]) {
        let Some(greatest) = process.iter().copied().reduce(f64::max) else { return };
        self.over += usize::from(greatest > self.limit);
        self.near += usize::from(greatest > self.limit || greatest >= self.tolerance_limit);
        self.values += process.len();
        self.least = self.least.min(greatest);
        self.most = self.most.max(greatest);
    }

    pub(super) fn log_fail(&self) -> f64 {
        match self.over {
            0 => 0.0,
            // One alone settles nothing.
            1 => f64::MIN_POSITIVE,
            _ => f64::INFINITY,
        }
    }

    pub(super) fn log_pass(&self) -> f64 {
        if self.near == 0 && self.values >= FEWEST_VALUES { f64::INFINITY } else { 0.0 }
    }

    /// Whether most of these processes saw one.
    pub(super) fn is_common(&self, processes: usize) -> bool {
        self.over * 2 > processes
    }

    /// What fresh processes did not confirm was an accident, and is looked for anew. It holds nothing up to pass,
    /// either: it was seen.
    pub(super) fn forget_accident(&mut self) {
        self.over = 0;
    }

    /// The greatest value at which each process, were all values larger by the same factor, would have had one
    /// beyond limit and tolerance.
    pub(super) fn detectable(&self) -> Option<f64> {
        let told = self.least > 0.0 && self.tolerance_limit > 0.0 && self.values > 0;
        told.then(|| self.most * self.tolerance_limit / self.least)
    }
}
