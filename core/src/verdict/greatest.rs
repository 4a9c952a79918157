//! Limits on the greatest value of a run.
//!
//! One value over the limit proves that the limit was exceeded, but the machine may be the cause. So at least two
//! processes must have seen such a value, and so must most of the fresh processes that confirm it. A spike of the
//! machine in one process of ten does not break the limit.

/// The fewest values after which a limit on the greatest of them can pass.
const FEWEST_VALUES: usize = 100;

/// The evidence about the greatest value: how many processes saw a value over the limit.
#[derive(Debug, Clone)]
pub(super) struct Greatest {
    limit: f64,
    tolerance_limit: f64,
    /// How many processes saw a value over the limit since the last accident.
    over: usize,
    /// How many processes saw a value over the limit, or at the tolerance limit, at any time.
    reached: usize,
    values: usize,
    least: f64,
    most: f64,
}

impl Greatest {
    pub(super) fn new(limit: f64, tolerance_limit: f64) -> Self {
        let (least, most) = (f64::INFINITY, f64::NEG_INFINITY);
        Greatest { limit, tolerance_limit, over: 0, reached: 0, values: 0, least, most }
    }

    pub(super) fn add(&mut self, process: &[f64]) {
        let Some(greatest) = process.iter().copied().reduce(f64::max) else { return };
        self.over += usize::from(greatest > self.limit);
        self.reached += usize::from(greatest > self.limit || greatest >= self.tolerance_limit);
        self.values += process.len();
        self.least = self.least.min(greatest);
        self.most = self.most.max(greatest);
    }

    pub(super) fn log_fail(&self) -> f64 {
        match self.over {
            0 => 0.0,
            // A single process cannot settle the limit.
            1 => f64::MIN_POSITIVE,
            _ => f64::INFINITY,
        }
    }

    pub(super) fn log_pass(&self) -> f64 {
        if self.reached == 0 && self.values >= FEWEST_VALUES { f64::INFINITY } else { 0.0 }
    }

    /// Whether most of these processes saw a value over the limit.
    pub(super) fn is_common(&self, processes: usize) -> bool {
        self.over * 2 > processes
    }

    /// Starts the search anew after fresh processes did not confirm a value over the limit. The value still prevents
    /// a pass, since it was seen.
    pub(super) fn forget_accident(&mut self) {
        self.over = 0;
    }

    /// Returns the smallest greatest value that would have failed: if all values were larger by the factor that it
    /// implies, each process would have had one beyond limit and tolerance.
    pub(super) fn detectable(&self) -> Option<f64> {
        let known = self.least > 0.0 && self.tolerance_limit > 0.0 && self.values > 0;
        known.then(|| self.most * self.tolerance_limit / self.least)
    }
}
