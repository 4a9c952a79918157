//! The evidence of ratios to the base, without the differences that memory layout may have caused.

use crate::budget::Bound;
use crate::metric::{Better, Metric};
use crate::outcome::words::LAYOUT;
use crate::reading::ProcessRun;
use crate::verdict::judge::{Hypothesis, Judge};

/// The logarithm of a ratio whose subject has a value of 0. It is less than that of any other ratio. If the value of the
/// reference is 0, the logarithm is the opposite of this number.
pub(super) const LN_OF_ZERO: f64 = -700.0;

/// The evidence of the same ratios, without the largest differences that layout may have caused.
pub(super) struct WithoutLayout {
    pub(super) judge: Judge,
    /// Whether the time on the processor was known for every pair.
    pub(super) is_known: bool,
}

impl WithoutLayout {
    pub(super) fn new(hypothesis: Hypothesis) -> Self {
        WithoutLayout { judge: Judge::new(hypothesis), is_known: true }
    }

    /// Takes one more pair, whose ratio is `ratio`. If the time on the processor is not known, the operation counts as one
    /// that never waits.
    pub(super) fn add(
        &mut self,
        (metric, bound): (&Metric, Bound),
        process: &ProcessRun,
        ratio: f64,
    ) {
        // The reading without layout assumes that layout makes the subject worse. A limit on the other side cannot use it.
        let worse = if metric.better() == Better::Higher { Bound::Min } else { Bound::Max };
        let known = process.without_layout.get(metric).copied().filter(|_| bound == worse);
        self.is_known &= known.is_some();
        let sign = bound.sign();
        let most = ratio.ln() - sign * LAYOUT.ln_1p();
        // No reading takes away more than layout can cause, nor does it add anything.
        let (a, b) = (most.min(ratio.ln()), most.max(ratio.ln()));
        let less = known.map_or(most, |known| known.ln().clamp(a, b));
        // The same ratio was taken as a value of the limit, or refused there.
        let _ = self.judge.add(&[less.clamp(LN_OF_ZERO, -LN_OF_ZERO)]);
    }
}
