//! The median of magnitudes as they arrive, in logarithmic time for each.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The running median of finite, non-negative numbers: two heaps that meet in the middle.
///
/// Magnitudes are kept as their bits, which sort in the same order as the numbers where none is negative.
#[derive(Debug, Clone, Default)]
pub(super) struct RunningMedian {
    lower: BinaryHeap<u64>,
    upper: BinaryHeap<Reverse<u64>>,
}

impl RunningMedian {
    /// Takes one more magnitude and returns the median of all; for an even number, the mean of the middle two.
    pub(super) fn push(&mut self, magnitude: f64) -> f64 {
        debug_assert!(magnitude.is_finite() && magnitude.is_sign_positive());
        self.lower.push(magnitude.to_bits());
        if let Some(largest) = self.lower.pop() {
            self.upper.push(Reverse(largest));
        }
        if self.upper.len() > self.lower.len()
            && let Some(Reverse(smallest)) = self.upper.pop()
        {
            self.lower.push(smallest);
        }
        let below = self.lower.peek().map_or(magnitude, |&bits| f64::from_bits(bits));
        match self.upper.peek() {
            Some(&Reverse(bits)) if self.upper.len() == self.lower.len() => {
                below + (f64::from_bits(bits) - below) / 2.0
            }
            _ => below,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_middle() {
        let check = |values: &[f64], want: &[f64]| {
            let mut median = RunningMedian::default();
            let got: Vec<f64> = values.iter().map(|&value| median.push(value)).collect();
            assert_eq!(got, want, "{values:?}");
        };
        check(&[3.0, 1.0, 2.0, 10.0, 0.0], &[3.0, 2.0, 2.0, 2.5, 2.0]);
        check(&[0.0, 0.0, 1e-300, 1e300], &[0.0, 0.0, 0.0, 0.5e-300]);
        check(&[5.0, 5.0, 5.0], &[5.0, 5.0, 5.0]);
        check(&[1.0, 2.0, 3.0, 4.0], &[1.0, 1.5, 2.0, 2.5]);
    }
}
