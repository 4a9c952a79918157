//! One broken limit as a headline, in the words of a person: `index is 7.8 % slower than main, limit +5 %`.

use super::change::{change, times};
use crate::budget::Bound;
use crate::outcome::{Against, Outcome};
use crate::quantity::{Quantity, Unit};

/// The metric that needs no mention: the time of one operation.
const PLAIN: &str = "mean";

/// Returns a sentence about the value of an outcome and its limit; `None` if the outcome has no value or no limit.
pub fn headline(outcome: &Outcome) -> Option<String> {
    let (estimate, against) = (outcome.estimate?, outcome.against?);
    let is_ratio = outcome.relative_to.is_some();
    let change = change(outcome).filter(|change| is_ratio && !change.is_proven);
    if let Some(change) = change {
        let unit = change.new.map_or(Unit::Ratio, |new| new.unit);
        let compared = compared(outcome, unit, change.ratio, &change.from);
        return Some(format!("{compared}, limit {}", times(against.limit)));
    }
    let value = against.quantity(estimate.value);
    let limit = against.quantity(against.limit);
    let measured = format!("{} of {}", outcome.metric, subject(outcome));
    Some(match beyond(&against, estimate.value) {
        Some(beyond) => format!("{measured} is {value}, {beyond} its limit of {limit}"),
        None => format!("{measured} is {value}, its limit {limit}"),
    })
}

/// Returns the budget, with its case.
fn subject(outcome: &Outcome) -> String {
    match outcome.case.as_str() {
        "" => outcome.budget.clone(),
        case => format!("{} {case}", outcome.budget),
    }
}

/// Returns the sentence of a ratio.
fn compared(outcome: &Outcome, unit: Unit, ratio: f64, from: &str) -> String {
    let (budget, metric) = (subject(outcome), &outcome.metric);
    let named = if metric == PLAIN { budget.clone() } else { format!("{budget} ({metric})") };
    let grew = ratio >= 1.0;
    let [more, less, many_more, many_less] = match unit {
        Unit::Seconds => ["slower", "faster", "as slow", "as fast"],
        Unit::PerSecond | Unit::BytesPerSecond => ["faster", "slower", "as fast", "as slow"],
        Unit::Bytes => ["larger", "smaller", "as large", "as small"],
        Unit::Share | Unit::Number | Unit::Ratio => {
            let by = times(ratio);
            return format!("{metric} of {budget} is {by} against {from}");
        }
    };
    if (0.5..3.0).contains(&ratio) {
        let by = times(ratio);
        let by = by.trim_start_matches(['+', '-']);
        return format!("{named} is {by} {} than {from}", if grew { more } else { less });
    }
    let times = Quantity::new(if grew { ratio } else { 1.0 / ratio }, Unit::Ratio);
    format!("{named} is {times} times {} as {from}", if grew { many_more } else { many_less })
}

/// Returns how far a value is beyond its limit, as in `23 % over`; `None` if it is not beyond it, or if the limit is 0.
fn beyond(against: &Against, value: f64) -> Option<String> {
    let share = value / against.limit - 1.0;
    let side = match against.bound {
        Bound::Max if share > 0.0 => "over",
        Bound::Min if share < 0.0 => "under",
        Bound::Max | Bound::Min => return None,
    };
    if !share.is_finite() {
        return None;
    }
    let by = times(value / against.limit);
    Some(match by.strip_suffix(" x") {
        Some(_) => by,
        None => format!("{} {side}", by.trim_start_matches(['+', '-'])),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::{BaseRevision, Estimate, Run, Sides};

    fn outcome(metric: &str, unit: Unit, value: f64, limit: f64) -> Outcome {
        let bound = Bound::Max;
        Outcome {
            budget: "index".to_owned(),
            metric: metric.to_owned(),
            against: Some(Against { bound, limit, warn: limit, tolerance: 0.0, unit }),
            estimate: Some(Estimate { value, low: None, high: None }),
            ..Outcome::default()
        }
    }

    fn ratio(metric: &str, unit: Unit, value: f64) -> Outcome {
        let base = BaseRevision { name: "main".to_owned(), commit: "ab".repeat(20) };
        Outcome {
            relative_to: Some("base".to_owned()),
            sides: Sides::of(&[(value, 1.0)], unit),
            run: Run { base: Some(base), ..Run::default() },
            ..outcome(metric, Unit::Ratio, value, 1.05)
        }
    }

    #[track_caller]
    fn check(outcome: &Outcome, want: &str) {
        assert_eq!(headline(outcome).as_deref(), Some(want));
    }

    #[test]
    fn a_ratio_is_read_as_a_change() {
        let seconds = |value| ratio("mean", Unit::Seconds, value);
        check(&seconds(1.078), "index is 7.8 % slower than main, limit +5 %");
        check(&seconds(0.9), "index is 10 % faster than main, limit +5 %");
        check(&seconds(45.0), "index is 45 times as slow as main, limit +5 %");
        check(&seconds(0.1), "index is 10 times as fast as main, limit +5 %");
        let of_case = Outcome { case: "n=10".to_owned(), ..ratio("p99", Unit::Seconds, 1.5) };
        check(&of_case, "index n=10 (p99) is 50 % slower than main, limit +5 %");
        let rate = ratio("throughput", Unit::PerSecond, 0.8);
        check(&rate, "index (throughput) is 20 % slower than main, limit +5 %");
        check(
            &ratio("gzip", Unit::Bytes, 1.02),
            "index (gzip) is 2 % larger than main, limit +5 %",
        );
        check(
            &ratio("allocs", Unit::Number, 1.5),
            "allocs of index is +50 % against main, limit +5 %",
        );
    }

    #[test]
    fn a_quantity_is_held_against_its_limit() {
        let seconds = |value| outcome("p99", Unit::Seconds, value, 0.01);
        check(&seconds(0.0123), "p99 of index is 12.3 ms, 23 % over its limit of 10 ms");
        check(&seconds(0.05), "p99 of index is 50 ms, 5 x its limit of 10 ms");
        check(&outcome("leaked", Unit::Bytes, 80.0, 0.0), "leaked of index is 80 B, its limit 0 B");
        let mut low = outcome("throughput", Unit::PerSecond, 900.0, 1000.0);
        low.against = low.against.map(|against| Against { bound: Bound::Min, ..against });
        check(&low, "throughput of index is 900 op/s, 10 % under its limit of 1 K op/s");
        assert_eq!(headline(&Outcome::default()), None);
    }
}
