//! A range of values that are not ruled out.

/// A closed interval. An infinite end says that the data do not bound that side yet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The least value not ruled out.
    pub low: f64,
    /// The greatest value not ruled out.
    pub high: f64,
}

impl Interval {
    /// Whether `value` is not ruled out.
    pub fn holds(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }

    /// Returns `high - low`, which is infinite if a side is not bounded.
    pub fn width(&self) -> f64 {
        self.high - self.low
    }
}
