//! A sample as the bars of a histogram, for a report.

use super::Sample;

/// One bar: how many values lie from `low` up to, but not at, `high`; the last bar includes its `high`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bin {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
    /// The number of values in it.
    pub count: u64,
}

/// Sorts the values into `bins` bars from the least to the greatest.
///
/// The edges are spaced evenly by ratio, since times and sizes spread over decades, and evenly by difference
/// where a value is not positive. A sample of one repeated value has one bar, an empty one has none.
///
/// # Panics
/// If `bins` is 0.
pub fn histogram(sample: &Sample, bins: usize) -> Vec<Bin> {
    assert!(bins > 0, "a histogram has at least one bar");
    let values = sample.values();
    let (Some(&min), Some(&max)) = (values.first(), values.last()) else { return Vec::new() };
    if min >= max {
        return vec![Bin { low: min, high: max, count: values.len() as u64 }];
    }
    let edge = |i: usize| {
        let share = i as f64 / bins as f64;
        match i {
            0 => min,
            _ if i == bins => max,
            // The ratio of both may be too large for a number.
            _ if min > 0.0 => (min.ln() + (max.ln() - min.ln()) * share).exp().clamp(min, max),
            _ => min + (max - min) * share,
        }
    };
    let bars: Vec<Bin> =
        (0..bins).map(|i| Bin { low: edge(i), high: edge(i + 1), count: 0 }).collect();
    sort_into(sample, &bars)
}

/// Sorts the values into these bars. The bars must be in order, and each must begin where the one before ends. No value may
/// be outside of them.
pub fn sort_into(sample: &Sample, bars: &[Bin]) -> Vec<Bin> {
    let values = sample.values();
    let before = |i: usize| match bars.get(i) {
        Some(bar) => values.partition_point(|&value| value < bar.low),
        None => values.len(),
    };
    let counted =
        |(i, bar): (usize, &Bin)| Bin { count: (before(i + 1) - before(i)) as u64, ..*bar };
    bars.iter().enumerate().map(counted).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A ratio whose reference is 0 counts as greater than all others.
    #[test]
    fn the_edges_are_numbers_whatever_the_values_are() {
        let bars = histogram(&Sample::new(vec![0.5, 0.75, f64::MAX]).unwrap(), 24);
        assert!(
            bars.iter()
                .all(|bar| bar.low.is_finite() && bar.high.is_finite() && bar.low <= bar.high)
        );
        assert_eq!(bars.iter().map(|bar| bar.count).sum::<u64>(), 3);
        assert_eq!((bars[0].low, bars[23].high), (0.5, f64::MAX));
    }

    fn check(values: &[f64], bins: usize, edges: &[f64], counts: &[u64]) {
        let got = histogram(&Sample::new(values.to_vec()).unwrap(), bins);
        let got_counts: Vec<u64> = got.iter().map(|bin| bin.count).collect();
        assert_eq!(got_counts, counts, "{values:?}: {got:?}");
        for (bin, edge) in got.iter().zip(edges.windows(2)) {
            let close = |a: f64, b: f64| (a - b).abs() < 1e-9;
            assert!(close(bin.low, edge[0]) && close(bin.high, edge[1]), "{got:?}");
        }
    }

    #[test]
    fn counts_every_value_once() {
        check(&[1.0, 5.0, 50.0, 999.0, 1000.0], 3, &[1.0, 10.0, 100.0, 1000.0], &[2, 1, 2]);
        check(&[0.0, 1.0, 2.0, 4.0], 2, &[0.0, 2.0, 4.0], &[2, 2]);
        check(&[-3.0, 3.0], 3, &[-3.0, -1.0, 1.0, 3.0], &[1, 0, 1]);
        check(&[7.0, 7.0], 5, &[7.0, 7.0], &[2]);
        check(&[], 5, &[], &[]);
    }
}
