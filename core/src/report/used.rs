//! How much of a limit a value uses: its share for a limit on a quantity, and the change for a limit against another
//! value.
//!
//! "104 % of it used" says nothing about a limit against the base: the value is 8.8 % more than there, and 5 % are allowed.

use crate::budget::Bound;
use crate::outcome::{Against, Outcome};

/// A limit whose factor is in this range is written as a change in percent, and any other as a multiple.
const AS_PERCENT: std::ops::Range<f64> = 0.5..2.0;

/// A value of at least this multiple is written as a multiple, whatever the limit is.
const FAR: f64 = 9.995;

/// How much of a limit is used.
#[derive(Debug, Clone, PartialEq)]
pub struct Used {
    /// 1 at the limit, more beyond it: how far a bar is filled.
    pub share: f64,
    /// In a table: `53%`, `+9%`, `>10x`.
    pub short: String,
    /// In a sentence: `53 % of it used`, `12 % over it`, `9.6 x the limit`, `+8.8 % against base, limit +5 %`; empty if the share is
    /// infinite.
    pub long: String,
}

/// Returns how much of its limit an outcome's value uses; `None` if there is no value or no limit.
pub fn used(outcome: &Outcome) -> Option<Used> {
    used_by(outcome, outcome.estimate?.value)
}

/// Returns how much of an outcome's limit this value uses.
pub fn used_by(outcome: &Outcome, value: f64) -> Option<Used> {
    let against = outcome.against?;
    if let Some(name) = &outcome.relative_to {
        return Some(change(against.bound, value, against.limit, &format!("against {name}")));
    }
    let accepted = outcome.accepted.as_ref();
    match accepted.and_then(|accepted| Some((accepted.value, accepted.factor?))) {
        Some((known, factor)) if known > 0.0 => {
            Some(change(against.bound, value / known, factor, "against the accepted value"))
        }
        _ => Some(share(&against, value)),
    }
}

fn share(against: &Against, value: f64) -> Used {
    let nothing = against.limit == 0.0 && value == 0.0;
    let share = if nothing { 0.0 } else { against.used(value) };
    let percent = share * 100.0;
    Used {
        share,
        short: if share < 9.995 { format!("{percent:.0}%") } else { ">10x".to_owned() },
        long: used_words(against.bound, share),
    }
}

/// Says how much of a limit on a quantity is used, or by how much it is exceeded.
fn used_words(bound: Bound, share: f64) -> String {
    let over = (share - 1.0) * 100.0;
    match bound {
        _ if !share.is_finite() => String::new(),
        _ if share <= 1.0 => format!("{:.0} % of it used", share * 100.0),
        Bound::Min => format!("{:.0} % of it reached", 100.0 / share),
        Bound::Max if over < 99.5 => {
            let digits = usize::from(over < 9.95);
            format!("{over:.digits$} % over it")
        }
        Bound::Max => format!("{} x the limit", significant(share)),
    }
}

/// Returns a multiple with two digits or more.
fn significant(multiple: f64) -> String {
    if multiple < 9.95 { format!("{multiple:.1}") } else { format!("{multiple:.0}") }
}

/// Returns a ratio held against the factor that is allowed.
fn change(bound: Bound, ratio: f64, factor: f64, against: &str) -> Used {
    // For each bound: by how much the value is worse, and by how much it may be worse.
    let (worse, allowed) = match bound {
        Bound::Max => (ratio - 1.0, factor - 1.0),
        Bound::Min => (1.0 - ratio, 1.0 - factor),
    };
    let over = match bound {
        Bound::Max => ratio > factor,
        Bound::Min => ratio < factor,
    };
    // A limit that demands an improvement either holds or does not; there is no share of it.
    let share = if allowed > 0.0 {
        (worse / allowed).clamp(0.0, f64::MAX)
    } else {
        f64::from(u8::from(over))
    };
    let as_percent = AS_PERCENT.contains(&factor) && ratio < FAR;
    let shown = |value: f64| if as_percent { percent(value) } else { format!("{value:.3} x") };
    Used {
        share: if over { share.max(1.0) } else { share.min(1.0) },
        short: match as_percent {
            true => format!("{:+.0}%", (ratio - 1.0) * 100.0).replace("-0%", "+0%"),
            false if ratio < 9.95 => format!("{ratio:.1}x"),
            false => ">10x".to_owned(),
        },
        // If the other value is 0, there is no multiple of it.
        long: if ratio < f64::MAX {
            format!("{} {against}, limit {}", shown(ratio), shown(factor))
        } else {
            String::new()
        },
    }
}

/// Returns a ratio as a change: `+8.8 %`, `-12 %`, `+0.25 %`.
pub(super) fn percent(ratio: f64) -> String {
    let change = (ratio - 1.0) * 100.0;
    let digits = match change.abs() {
        change if change < 0.995 => 2,
        change if change < 9.95 => 1,
        _ => 0,
    };
    let text = format!("{change:+.digits$}");
    let text =
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    let text = if matches!(text, "-0" | "+0") { "+0" } else { text };
    format!("{text} %")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Estimate;
    use crate::quantity::Unit;

    #[track_caller]
    fn check(
        bound: Bound,
        value: f64,
        limit: f64,
        base: Option<&str>,
        short: &str,
        long: &str,
    ) -> f64 {
        let unit = if base.is_some() { Unit::Ratio } else { Unit::Seconds };
        let outcome = Outcome {
            against: Some(Against { bound, limit, warn: limit, tolerance: 0.0, unit }),
            estimate: Some(Estimate { value, low: None, high: None }),
            relative_to: base.map(str::to_owned),
            ..Outcome::default()
        };
        let used = used(&outcome).unwrap();
        assert_eq!((used.short.as_str(), used.long.as_str()), (short, long));
        used.share
    }

    #[test]
    fn a_ratio_is_a_change_and_a_quantity_a_share() {
        let (max, min, base) = (Bound::Max, Bound::Min, Some("base"));
        let over = check(max, 1.088, 1.05, base, "+9%", "+8.8 % against base, limit +5 %");
        assert!((over - 0.088 / 0.05).abs() < 1e-9);
        // No change uses nothing of what is allowed.
        assert!(
            (check(max, 1.0, 1.05, base, "+0%", "+0 % against base, limit +5 %") - 0.0).abs()
                < 1e-9
        );
        assert!(
            (check(max, 0.9999, 1.05, base, "+0%", "-0.01 % against base, limit +5 %") - 0.0).abs()
                < 1e-9
        );
        check(max, 0.88, 1.005, base, "-12%", "-12 % against base, limit +0.5 %");
        check(min, 0.9, 0.95, base, "-10%", "-10 % against base, limit -5 %");
        // An improvement that is demanded is there or not.
        assert!(
            (check(max, 0.9, 0.8, base, "-10%", "-10 % against base, limit -20 %") - 1.0).abs()
                < 1e-9
        );
        assert!(
            (check(max, 0.7, 0.8, base, "-30%", "-30 % against base, limit -20 %") - 0.0).abs()
                < 1e-9
        );
        check(max, 4.2, 5.0, Some("redis"), "4.2x", "4.200 x against redis, limit 5.000 x");
        check(max, f64::MAX, 1.05, Some("base"), ">10x", "");
        check(max, 0.009, 0.01, None, "90%", "90 % of it used");
        check(max, 1.0, 0.01, None, ">10x", "100 x the limit");
        check(max, 0.0962, 0.01, None, "962%", "9.6 x the limit");
        check(max, 0.0112, 0.01, None, "112%", "12 % over it");
        check(max, 0.0102, 0.01, None, "102%", "2.0 % over it");
        check(min, 0.009, 0.01, None, "111%", "90 % of it reached");
        check(min, 0.02, 0.01, None, "50%", "50 % of it used");
        check(max, 1.0, 0.0, None, ">10x", "");
        check(max, 0.0, 0.0, None, "0%", "0 % of it used");
    }
}
