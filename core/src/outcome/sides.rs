//! The two sides of a ratio: what was measured of the subject and of its reference, so that a report can show both
//! instead of the ratio alone.

use serde::{Deserialize, Serialize};

use super::{BARS, HistogramBin};
use crate::quantity::Unit;
use crate::stats::{Sample, histogram, order, sort_into};

/// The values of both sides of a ratio, one of each side for each pair.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sides {
    /// The unit of both.
    pub unit: Unit,
    /// The subject.
    pub subject: Side,
    /// The side that it is compared with: the base, or another budget.
    pub reference: Side,
}

/// The values of one side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Side {
    /// The median.
    pub value: f64,
    /// The bars of a histogram. Both sides have bars of the same width at the same places, so that one can be drawn over
    /// the other. There is none if neither side varies.
    pub bars: Vec<HistogramBin>,
}

impl Sides {
    /// Returns both sides of these pairs; `None` if there is no pair, or a value is not finite.
    pub fn of(pairs: &[(f64, f64)], unit: Unit) -> Option<Sides> {
        let subject = Sample::new(pairs.iter().map(|pair| pair.0).collect()).ok()?;
        let reference = Sample::new(pairs.iter().map(|pair| pair.1).collect()).ok()?;
        let both = Sample::new([subject.values(), reference.values()].concat()).ok()?;
        let bins = histogram(&both, BARS);
        let varies = |sample: &Sample| sample.values().first() != sample.values().last();
        let bins = if varies(&subject) || varies(&reference) { bins } else { Vec::new() };
        let side = |sample: &Sample| {
            let value = order::quantile(sample, 0.5)?;
            let bars = sort_into(sample, &bins).into_iter().map(HistogramBin::from).collect();
            Some(Side { value, bars })
        };
        Some(Sides { unit, subject: side(&subject)?, reference: side(&reference)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_have_the_same_bars() {
        let sides = Sides::of(&[(2.0, 1.0), (4.0, 1.5), (3.0, 2.0)], Unit::Seconds).unwrap();
        assert_eq!((sides.subject.value, sides.reference.value), (3.0, 1.5));
        let (subject, reference) = (sides.subject.bars, sides.reference.bars);
        let edges = |bars: &[HistogramBin]| -> Vec<(f64, f64)> {
            bars.iter().map(|bar| (bar.low, bar.high)).collect()
        };
        assert_eq!(edges(&subject), edges(&reference));
        assert_eq!((subject[0].low, subject[BARS - 1].high), (1.0, 4.0));
        let count = |bars: &[HistogramBin]| bars.iter().map(|bar| bar.count).sum::<u64>();
        assert_eq!((count(&subject), count(&reference)), (3, 3));
        assert_eq!((subject[BARS - 1].count, reference[0].count), (1, 1));
    }

    #[test]
    fn a_value_that_never_varies_has_no_bars() {
        let sides = Sides::of(&[(7.0, 7.0), (7.0, 7.0)], Unit::Bytes).unwrap();
        assert_eq!((sides.subject.value, sides.subject.bars.len()), (7.0, 0));
        let differ = Sides::of(&[(8.0, 7.0)], Unit::Bytes).unwrap();
        assert_eq!((differ.subject.value, differ.reference.value), (8.0, 7.0));
        assert_eq!(differ.subject.bars, []);
        assert_eq!(Sides::of(&[], Unit::Bytes), None);
        assert_eq!(Sides::of(&[(f64::NAN, 1.0)], Unit::Bytes), None);
    }
}
