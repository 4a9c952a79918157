//! An axis of a chart. It maps values to percent of the chart's width, so that a chart fits any screen
//! while its text keeps its size.

use perf_budget_core::quantity::{Quantity, Unit};

/// The ratio of the two ends beyond which the axis is logarithmic.
const WIDE: f64 = 5.0;
/// The percent of the width that stays free on either side.
const MARGIN: f64 = 3.0;

/// An axis. Its smallest value is near 0 percent, its largest near 100 percent.
pub(crate) struct Axis {
    low: f64,
    high: f64,
    /// Whether equal distances stand for equal ratios.
    pub(crate) logarithmic: bool,
}

impl Axis {
    /// Returns an axis that covers all of these values.
    pub(crate) fn covering(values: impl IntoIterator<Item = f64>) -> Axis {
        let finite: Vec<f64> = values.into_iter().filter(|value| value.is_finite()).collect();
        let low = finite.iter().copied().fold(f64::INFINITY, f64::min);
        let high = finite.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let (low, high) = if finite.is_empty() { (0.0, 1.0) } else { (low, high) };
        // An axis for a single value is extended, so that it has a length.
        let (low, high) =
            if high > low { (low, high) } else { (low.min(0.0), high.max(low + 1.0)) };
        Axis { low, high, logarithmic: low > 0.0 && high / low > WIDE }
    }

    /// Returns the position of a value in percent. A value beyond an end is put at that end.
    pub(crate) fn at(&self, value: f64) -> f64 {
        let share = if self.logarithmic {
            (value.max(f64::MIN_POSITIVE).ln() - self.low.ln()) / (self.high.ln() - self.low.ln())
        } else {
            (value - self.low) / (self.high - self.low)
        };
        // A value that is not a number has no position, but the chart is drawn all the same.
        let share = if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) };
        MARGIN + share * (100.0 - 2.0 * MARGIN)
    }

    /// Returns whether the axis reaches a value.
    pub(crate) fn has(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    /// Returns round values along the axis with their texts, as many as fit on a narrow screen.
    pub(crate) fn ticks(&self, unit: Unit) -> Vec<(f64, String)> {
        self.ticks_apart(unit, 14.0)
    }

    /// Returns round values along the axis with their texts, more than this many percent apart.
    pub(crate) fn ticks_apart(&self, unit: Unit, apart: f64) -> Vec<(f64, String)> {
        let places = self.round_values();
        let show = |value: f64| Quantity::new(value, unit).to_string();
        let mut ticks: Vec<(f64, String)> = Vec::new();
        for value in places {
            let (place, text) = (self.at(value), show(value));
            // A tick is left out where it has the same text as the one before it, or would overlap it.
            if ticks.last().is_none_or(|(before, last)| place - before > apart && *last != text) {
                ticks.push((place, text));
            }
        }
        ticks
    }

    /// Returns the positions of round values along the axis, with the values.
    pub(crate) fn places(&self) -> Vec<(f64, f64)> {
        self.round_values().into_iter().map(|value| (self.at(value), value)).collect()
    }

    fn round_values(&self) -> Vec<f64> {
        if self.logarithmic { self.powers() } else { self.steps() }
    }

    fn steps(&self) -> Vec<f64> {
        let rough = (self.high - self.low) / 4.0;
        let power = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|s| s * power).into_iter().find(|s| *s >= rough);
        let step = step.unwrap_or(rough);
        let first = (self.low / step).ceil();
        let count = ((self.high - first * step) / step + 1e-9).floor().clamp(0.0, 20.0) as usize;
        // Each value is computed from its count, since sums of steps would drift away from round numbers.
        (0..=count).map(|i| (first + i as f64) * step).collect()
    }

    fn powers(&self) -> Vec<f64> {
        let (from, to) = (self.low.log10().floor() as i32, self.high.log10().ceil() as i32);
        let decades = (self.high / self.low).log10();
        let digits: &[f64] = if decades < 1.6 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let skip = ((decades / 5.0).ceil() as usize).max(1);
        (from..=to)
            .step_by(skip)
            .flat_map(|power| digits.iter().map(move |digit| digit * 10f64.powi(power)))
            .filter(|value| (self.low..=self.high).contains(value))
            .collect()
    }
}

/// Returns a position as an attribute of SVG: `12.34%`.
pub(crate) fn percent(place: f64) -> String {
    format!("{place:.2}%")
}

/// Returns how a text must be anchored to stay within the chart.
pub(crate) fn anchor(place: f64) -> &'static str {
    match place {
        p if p < 18.0 => "start",
        p if p > 82.0 => "end",
        _ => "middle",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(values: &[f64], unit: Unit, logarithmic: bool, texts: &[&str]) {
        let axis = Axis::covering(values.iter().copied());
        assert_eq!(axis.logarithmic, logarithmic);
        let shown: Vec<String> = axis.ticks(unit).into_iter().map(|(_, text)| text).collect();
        assert_eq!(shown, texts);
        assert!(values.iter().all(|value| (0.0..=100.0).contains(&axis.at(*value))));
    }

    #[test]
    fn ticks_are_round_and_few() {
        check(&[0.0, 0.01], Unit::Seconds, false, &["0 ns", "5 ms", "10 ms"]);
        check(&[0.005, 0.012], Unit::Seconds, false, &["6 ms", "8 ms", "10 ms", "12 ms"]);
        check(&[0.005, 0.03], Unit::Seconds, true, &["5 ms", "10 ms", "20 ms"]);
        check(&[0.001, 1.0], Unit::Seconds, true, &["1 ms", "10 ms", "100 ms", "1 s"]);
        check(&[-1.0, 1.0], Unit::Number, false, &["-1", "-0.50", "0", "0.50", "1"]);
        check(&[3.0], Unit::Number, false, &["0", "1", "2", "3", "4"]);
        check(&[], Unit::Number, false, &["0", "0.50", "1"]);
        check(&[f64::NAN, f64::INFINITY, 1.0, 2.0], Unit::Number, false, &["1", "1.50", "2"]);
    }
}
