//! A sample: finite numbers in ascending order.
//!
//! Quantiles, intervals and summaries all need the numbers sorted and free of NaN. Both are
//! ensured once, here. A NaN that went further would compare as "not above the limit" and pass.

use std::fmt;

/// Finite numbers in ascending order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sample {
    sorted: Vec<f64>,
}

impl Sample {
    /// Sorts numbers that come in any order.
    ///
    /// # Errors
    /// If one of them is not finite.
    pub fn new(values: Vec<f64>) -> Result<Self, NotFinite> {
        NotFinite::check(values.iter().copied())?;
        let mut sorted = values;
        sorted.sort_unstable_by(f64::total_cmp);
        Ok(Self { sorted })
    }

    /// Adds numbers in any order.
    ///
    /// # Errors
    /// If one of them is not finite; the sample is then left as it was.
    pub fn extend(&mut self, values: &[f64]) -> Result<(), NotFinite> {
        NotFinite::check(values.iter().copied())?;
        let mut new = values.to_vec();
        new.sort_unstable_by(f64::total_cmp);
        // Merge from the greatest value down, each into the last free place.
        let mut old = self.sorted.len();
        self.sorted.extend_from_slice(&new);
        while let Some(&greatest) = new.last() {
            let place = old + new.len() - 1;
            if old > 0 && self.sorted[old - 1].total_cmp(&greatest).is_gt() {
                old -= 1;
                self.sorted[place] = self.sorted[old];
            } else {
                self.sorted[place] = greatest;
                new.pop();
            }
        }
        Ok(())
    }

    /// Returns the numbers, in ascending order.
    pub fn values(&self) -> &[f64] {
        &self.sorted
    }

    /// Returns how many there are.
    pub fn len(&self) -> usize {
        self.sorted.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.sorted.is_empty()
    }

    /// Returns how many lie above `threshold`.
    pub fn above(&self, threshold: f64) -> u64 {
        (self.len() - self.sorted.partition_point(|&value| value <= threshold)) as u64
    }

    /// Returns how many lie at or above `threshold`.
    pub fn at_or_above(&self, threshold: f64) -> u64 {
        (self.len() - self.sorted.partition_point(|&value| value < threshold)) as u64
    }
}

/// A number that was NaN or infinite, from which nothing can be concluded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NotFinite {
    /// Its place among the numbers given, from 0.
    pub index: usize,
    /// NaN, or an infinity.
    pub value: f64,
}

impl NotFinite {
    pub(super) fn check(values: impl IntoIterator<Item = f64>) -> Result<(), Self> {
        match values.into_iter().enumerate().find(|(_, value)| !value.is_finite()) {
            Some((index, value)) => Err(Self { index, value }),
            None => Ok(()),
        }
    }
}

impl fmt::Display for NotFinite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "failed to take value {} of the sample: {} is not a finite number; \
             look for a division by zero where it was recorded",
            self.index, self.value
        )
    }
}

impl std::error::Error for NotFinite {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_order_and_counts() {
        let mut sample = Sample::new(vec![3.0, 1.0]).unwrap();
        sample.extend(&[2.0, 3.0]).unwrap();
        assert_eq!(sample.values(), [1.0, 2.0, 3.0, 3.0]);
        assert_eq!((sample.above(3.0), sample.at_or_above(3.0)), (0, 2));
        assert_eq!((sample.above(0.0), sample.at_or_above(1.5)), (4, 3));
    }

    #[test]
    fn refuses_numbers_that_are_not_finite() {
        let mut sample = Sample::new(vec![1.0]).unwrap();
        let error = sample.extend(&[2.0, f64::NAN]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "failed to take value 1 of the sample: NaN is not a finite number; \
             look for a division by zero where it was recorded"
        );
        assert_eq!(sample.values(), [1.0], "left as it was");
        assert!(Sample::new(vec![f64::INFINITY]).is_err());
    }
}
