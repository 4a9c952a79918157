//! Numbers as people write them: a value rounded to few digits, in the unit that the author chose.

use std::ops::Range;

use perf_budget_core::budget::Bound;
use perf_budget_core::quantity::{Quantity, Unit};

/// A number in a text, split into its digits and what surrounds them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Written<'t> {
    digits: &'t str,
    /// The text between the digits and the unit: nothing or a space.
    gap: &'t str,
    /// The unit, or ` x other` after a plain number.
    rest: &'t str,
}

/// Families of units that measure the same, the smallest first. A limit may move between the units of a family.
const FAMILIES: &[&[&str]] = &[
    &["B", "KB", "MB", "GB", "TB"],
    &["B", "kB"],
    &["B", "KiB", "MiB", "GiB", "TiB"],
    &["ns", "µs", "ms", "s", "min", "h"],
    &["ns", "us"],
    &["ns", "μs"],
    &["op/s", "K op/s", "M op/s", "G op/s"],
    &["B/s", "KB/s", "MB/s", "GB/s"],
    &["B/s", "KiB/s", "MiB/s", "GiB/s"],
];

/// The least number that is written in a unit. A smaller one gets a smaller unit: nobody writes 0.003 s, and few write
/// 0.352 MB.
const SMALLEST: f64 = 1.0;
/// The least number that is written in a unit if the author already wrote a number below one.
const SMALLEST_OF_FRACTIONS: f64 = 0.1;

impl<'t> Written<'t> {
    /// Parses a limit, such as `"10 ms"`, `"1.2 x other"` or `"1_000 op/s"`.
    pub(crate) fn parse(text: &'t str) -> Written<'t> {
        let text = text.trim();
        let exponent = |i: usize| {
            let after = text[i + 1..].trim_start_matches(['+', '-']);
            after.starts_with(|c: char| c.is_ascii_digit())
        };
        let end = text.char_indices().find(|&(i, c)| match c {
            '0'..='9' | '.' | '_' => false,
            '+' | '-' => i != 0 && !text[..i].ends_with(['e', 'E']),
            'e' | 'E' => !exponent(i),
            _ => true,
        });
        let (digits, rest) = text.split_at(end.map_or(text.len(), |(i, _)| i));
        let unit = rest.trim_start();
        Written { digits, gap: &rest[..rest.len() - unit.len()], rest: unit }
    }

    /// Returns the value of a limit in base units.
    pub(crate) fn value(text: &str) -> f64 {
        let written = Written::parse(text);
        let number = written.digits.replace('_', "").parse().unwrap_or(f64::NAN);
        Quantity::parse(text).map_or(number, |quantity| quantity.value)
    }

    /// Returns the same limit with a value near `goal`, which is in base units. It is rounded away from the measured
    /// value, to as few digits as the tolerance allows. With `whole` it stays a whole number of base units, as counts
    /// and bytes are.
    pub(crate) fn with(&self, goal: f64, rounding: Rounding) -> String {
        let (factor, rest) = self.unit(goal);
        let mut number = round(goal / factor, factor, rounding);
        // The product of two rounded numbers may be slightly below what was measured.
        for _ in 0..4 {
            let value = number.value() * factor;
            let falls_short = match rounding.bound {
                Bound::Max => value < goal,
                Bound::Min => value > goal,
            };
            if !falls_short || !rounding.whole {
                break;
            }
            number.units += if rounding.bound == Bound::Max { 1 } else { -1 };
        }
        let digits = number.digits(self.digits.contains('_'));
        format!("{digits}{}{rest}", self.gap)
    }

    /// Returns the size of the written unit in base units, and its name.
    fn unit(&self, goal: f64) -> (f64, &str) {
        let factor = |unit: &str| Quantity::parse(&format!("1 {unit}")).map(|one| one.value);
        let Ok(own) = factor(self.rest) else { return (1.0, self.rest) };
        let family = FAMILIES.iter().find(|family| family.contains(&self.rest));
        let written = self.digits.replace('_', "").parse().unwrap_or(1.0);
        let smallest = if written < 1.0 { SMALLEST_OF_FRACTIONS } else { SMALLEST };
        if goal / own >= smallest || goal <= 0.0 {
            return (own, self.rest);
        }
        let smaller = family.into_iter().flat_map(|family| {
            let own = family.iter().position(|unit| *unit == self.rest).unwrap_or(0);
            family[..own].iter().rev()
        });
        let fits = |unit: &&&str| factor(unit).is_ok_and(|one| goal / one >= 1.0);
        let near = smaller.clone().find(fits).or(smaller.last());
        near.map_or((own, self.rest), |unit| (factor(unit).unwrap_or(own), unit))
    }
}

/// How a value is rounded to a number that people would write.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rounding {
    /// The direction: up for a `max`, down for a `min`.
    pub(crate) bound: Bound,
    /// The share of the value by which the number may differ from it, to have fewer digits.
    pub(crate) tolerance: f64,
    /// Whether the number must be a whole number of base units.
    pub(crate) whole: bool,
}

/// A decimal number as it is written: `units` times ten to the power of `exponent`.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Decimal {
    units: i64,
    exponent: i32,
}

impl Decimal {
    fn value(self) -> f64 {
        // The number is parsed from its text, so that it is exactly the one that a reader of the file gets.
        self.digits(false).parse().unwrap_or(f64::NAN)
    }

    fn digits(self, grouped: bool) -> String {
        let sign = if self.units < 0 { "-" } else { "" };
        let mut digits = self.units.unsigned_abs().to_string();
        if self.exponent > 0 && self.units != 0 {
            digits.extend(std::iter::repeat_n('0', self.exponent.unsigned_abs() as usize));
        }
        let places = (-self.exponent).max(0) as usize;
        if digits.len() <= places {
            digits.insert_str(0, &"0".repeat(places + 1 - digits.len()));
        }
        let (whole, part) = digits.split_at(digits.len() - places);
        let part = part.trim_end_matches('0');
        let mut text = String::from(sign);
        for (i, digit) in whole.chars().enumerate() {
            if grouped && i > 0 && (whole.len() - i).is_multiple_of(3) {
                text.push('_');
            }
            text.push(digit);
        }
        if !part.is_empty() {
            text = text + "." + part;
        }
        text
    }
}

/// Returns the number with the fewest digits, in steps of 5, 2 and 1, that is beyond `value` by at most the
/// tolerance. `factor` is the size of its unit in base units.
fn round(value: f64, factor: f64, rounding: Rounding) -> Decimal {
    /// The most digits that a measured value has.
    const FINEST: i32 = 6;
    /// The rounding error that is allowed, as a share of a step: a value that differs from a multiple only in its
    /// last binary digit counts as that multiple.
    const ROUNDING: f64 = 1e-9;
    if value == 0.0 || !value.is_finite() {
        return Decimal { units: 0, exponent: 0 };
    }
    let largest = value.abs().log10().floor() as i32;
    let least = if rounding.whole { ROUNDING + 1.0 } else { 0.0 };
    let end = match rounding.bound {
        Bound::Max => value + value.abs() * rounding.tolerance,
        Bound::Min => value - value.abs() * rounding.tolerance,
    };
    let mut last = Decimal { units: value.round() as i64, exponent: 0 };
    for exponent in ((largest - FINEST)..=largest).rev() {
        for multiple in [5_i64, 2, 1] {
            let step = multiple as f64 * 10_f64.powi(exponent);
            if step * factor * (1.0 + 2.0 * ROUNDING) < least && rounding.whole {
                return last;
            }
            let steps = match rounding.bound {
                Bound::Max => (value / step - ROUNDING).ceil(),
                Bound::Min => (value / step + ROUNDING).floor(),
            };
            last = Decimal { units: steps as i64 * multiple, exponent };
            let near = steps * step;
            let close = match rounding.bound {
                Bound::Max => near <= end,
                Bound::Min => near >= end && near > 0.0,
            };
            if close {
                return last;
            }
        }
    }
    last
}

/// Returns a quantity as text, where there is no older limit with a unit.
pub(crate) fn write_new(goal: Quantity, rounding: Rounding) -> String {
    let shown = goal.to_string();
    // A number has no unit.
    let unit = shown.find(' ').filter(|_| goal.unit != Unit::Number).unwrap_or(shown.len());
    let written = format!("1{}", &shown[unit..]);
    Written::parse(&written).with(goal.value, rounding)
}

/// Returns the range within the quotes of a value as it is written in the file.
pub(crate) fn within_quotes(raw: &str) -> Range<usize> {
    let quotes = ["\"\"\"", "'''", "\"", "'"];
    let quote = quotes.into_iter().find(|quote| raw.starts_with(quote)).map_or(0, str::len);
    quote..raw.len().saturating_sub(quote).max(quote)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(old: &str, goal: f64, bound: Bound, tolerance: f64, whole: bool, want: &str) {
        let got = Written::parse(old).with(goal, Rounding { bound, tolerance, whole });
        assert_eq!(got, want, "{old} -> {goal}");
    }

    #[test]
    fn a_limit_is_rounded_outwards_in_its_own_unit() {
        check("10 ms", 0.004_312, Bound::Max, 0.05, false, "4.5 ms");
        check("10ms", 0.004_312, Bound::Max, 0.01, false, "4.35ms");
        check("10 ms", 0.009_99, Bound::Max, 0.05, false, "10 ms");
        check("1000 op/s", 12_345.0, Bound::Min, 0.05, false, "12000 op/s");
        check("1_000 op/s", 12_345.0, Bound::Min, 0.01, false, "12_300 op/s");
        check("100 KB", 86_433.0, Bound::Max, 0.01, true, "87 KB");
        check("100 KiB", 86_433.0, Bound::Max, 0.01, true, "85 KiB");
        check("1 %", 0.0031, Bound::Max, 0.05, false, "0.32 %");
        check("1.2 x other", 1.537, Bound::Min, 0.02, false, "1.52 x other");
        check("1.1", 1.03, Bound::Max, 0.005, false, "1.03");
    }

    #[test]
    fn counts_stay_whole_numbers() {
        check("3", 1.0, Bound::Max, 0.01, true, "1");
        check("100_000", 98_765.0, Bound::Max, 0.0, true, "98_765");
        check("100 KB", 98_765.0, Bound::Max, 0.0, true, "98.765 KB");
        check("256 B", 0.0, Bound::Max, 0.01, true, "0 B");
        check("10", 7.0, Bound::Max, 0.5, true, "10");
    }

    #[test]
    fn a_unit_that_is_too_large_is_replaced() {
        check("1 s", 0.0031, Bound::Max, 0.05, false, "3.2 ms");
        check("5 MB", 2_100.0, Bound::Max, 0.01, true, "2.1 KB");
        check("1 MiB", 2_100.0, Bound::Max, 0.01, true, "2.06 KiB");
        check("1 s", 0.5, Bound::Max, 0.01, false, "500 ms");
        check("0.8 s", 0.5, Bound::Max, 0.01, false, "0.5 s");
        check("0.8 s", 0.05, Bound::Max, 0.01, false, "50 ms");
        check("50 MB", 350_500.0, Bound::Max, 0.01, true, "352 KB");
    }

    #[test]
    fn every_rounding_stays_on_its_side_and_within_its_tolerance() {
        let mut state = 7_u64;
        for _ in 0..20_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let goal = 10_f64.powf((state >> 11) as f64 / (1_u64 << 53) as f64 * 9.0 - 7.0);
            for tolerance in [0.005, 0.05] {
                let up = Rounding { bound: Bound::Max, tolerance, whole: false };
                let down = Rounding { bound: Bound::Min, tolerance, whole: false };
                let value = |text: &str| Quantity::parse(text).unwrap().value;
                let most = value(&Written::parse("3 ms").with(goal, up)) / goal;
                assert!((1.0 - 1e-8..=1.0 + tolerance + 1e-6).contains(&most), "{goal}: {most}");
                let least = value(&Written::parse("3 ms").with(goal, down)) / goal;
                assert!((1.0 - tolerance - 1e-6..=1.0 + 1e-8).contains(&least), "{goal}: {least}");
            }
        }
    }

    #[test]
    fn quotes_are_found() {
        for (raw, want) in [("\"10 ms\"", "10 ms"), ("'''1'''", "1"), ("12", "12"), ("''", "")] {
            assert_eq!(&raw[within_quotes(raw)], want);
        }
    }
}
