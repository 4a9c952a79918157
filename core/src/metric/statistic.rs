//! The statistics of a distribution of times.

/// A statistic of a distribution of times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Statistic {
    /// The fastest time.
    Min,
    /// The arithmetic mean.
    Mean,
    /// The median.
    P50,
    /// The 90th percentile.
    P90,
    /// The 95th percentile.
    P95,
    /// The 99th percentile.
    P99,
    /// The 99.9th percentile.
    P999,
    /// The slowest time that was seen.
    Max,
}

impl Statistic {
    /// Every statistic, in the order of its value.
    pub const ALL: [Statistic; 8] = [
        Statistic::Min,
        Statistic::Mean,
        Statistic::P50,
        Statistic::P90,
        Statistic::P95,
        Statistic::P99,
        Statistic::P999,
        Statistic::Max,
    ];

    /// Returns its name, such as `p99`.
    pub fn name(self) -> &'static str {
        match self {
            Statistic::Min => "min",
            Statistic::Mean => "mean",
            Statistic::P50 => "p50",
            Statistic::P90 => "p90",
            Statistic::P95 => "p95",
            Statistic::P99 => "p99",
            Statistic::P999 => "p999",
            Statistic::Max => "max",
        }
    }

    /// Returns what it is, for use within a sentence.
    pub fn meaning(self) -> &'static str {
        match self {
            Statistic::Min => "the fastest",
            Statistic::Mean => "the mean",
            Statistic::P50 => "the median",
            Statistic::P90 => "the 90th percentile",
            Statistic::P95 => "the 95th percentile",
            Statistic::P99 => "the 99th percentile",
            Statistic::P999 => "the 99.9th percentile",
            Statistic::Max => "the slowest seen",
        }
    }

    /// Returns the quantile, if it is one: 0.99 for `p99`.
    pub fn quantile(self) -> Option<f64> {
        match self {
            Statistic::P50 => Some(0.5),
            Statistic::P90 => Some(0.9),
            Statistic::P95 => Some(0.95),
            Statistic::P99 => Some(0.99),
            Statistic::P999 => Some(0.999),
            Statistic::Min | Statistic::Mean | Statistic::Max => None,
        }
    }
}

/// Whether one of several lists has this statistic.
pub(super) const fn has_statistic<S, I>(
    rows: &[(S, I, &[Statistic])],
    statistic: Statistic,
) -> bool {
    let (mut row, mut found) = (0, false);
    // A constant function cannot loop over iterators.
    while row < rows.len() {
        let statistics = rows[row].2;
        let mut at = 0;
        while at < statistics.len() {
            found |= statistics[at] as u8 == statistic as u8;
            at += 1;
        }
        row += 1;
    }
    found
}
