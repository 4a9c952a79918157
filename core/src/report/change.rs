//! The comparison of a value with the one before: that of the base, that of another budget, or the accepted one. A limit
//! against the base is shown as a change, and not as a share of the limit.

use super::terminal;
use super::used::percent;
use crate::budget::Bound;
use crate::outcome::{Outcome, short};
use crate::quantity::{Quantity, Unit};

/// A value beside the one that it is compared with.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The name of the reference: `main`, `redis`, `accepted`.
    pub from: String,
    /// The value before; `None` if only the ratio is known.
    pub old: Option<Quantity>,
    /// The value now; `None` if only the ratio is known.
    pub new: Option<Quantity>,
    /// The present value as a multiple of the one before. It is measured by pairs, so it need not be the quotient of the
    /// two typical values.
    pub ratio: f64,
    /// The ends of its 90 % interval; `None` if the values are deterministic, or were measured at two different times.
    pub interval: Option<(Option<f64>, Option<f64>)>,
    /// Whether it is more than chance: the values are deterministic and differ, or the interval does not contain 1.
    pub is_certain: bool,
    /// Whether it is proven, without a measurement, that nothing has changed.
    pub is_proven: bool,
}

/// Returns how the value of an outcome compares with the one before; `None` if there is nothing to compare with.
pub fn change(outcome: &Outcome) -> Option<Change> {
    if let Some(proven) = &outcome.proven {
        let from = base_name(outcome).unwrap_or_else(|| short(&proven.commit).to_owned());
        let certain = Change { from, ratio: 1.0, ..Change::none() };
        return Some(Change { is_proven: true, ..certain });
    }
    let (estimate, against) = (outcome.estimate?, outcome.against?);
    if let Some(name) = &outcome.relative_to {
        let from = match name.as_str() {
            "base" => base_name(outcome).unwrap_or_else(|| name.clone()),
            other => other.to_owned(),
        };
        let sides = outcome.sides.as_ref();
        let interval = outcome.evidence.map(|_| (estimate.low, estimate.high));
        let apart = interval.map(|(low, high)| {
            low.is_some_and(|low| low > 1.0) || high.is_some_and(|high| high < 1.0)
        });
        return Some(Change {
            from,
            old: sides.map(|sides| Quantity::new(sides.reference.value, sides.unit)),
            new: sides.map(|sides| Quantity::new(sides.subject.value, sides.unit)),
            ratio: estimate.value,
            interval,
            is_certain: apart.unwrap_or((estimate.value - 1.0).abs() > 0.0),
            is_proven: false,
        });
    }
    let accepted = outcome.accepted.as_ref()?;
    if accepted.unit != against.unit || accepted.elsewhere.is_some() && outcome.evidence.is_some() {
        return None;
    }
    let ratio = match (accepted.value, estimate.value) {
        (old, new) if old.to_bits() == new.to_bits() => 1.0,
        (old, new) => new / old,
    };
    Some(Change {
        from: "accepted".to_owned(),
        old: Some(accepted.quantity()),
        new: Some(against.quantity(estimate.value)),
        ratio,
        // The machine drifts from run to run by more than either run can show by itself.
        is_certain: outcome.change().is_some(),
        ..Change::none()
    })
}

/// Returns the limit as it is read beside a change: `<= +5 %`, and as a quantity if it is one: `<= 10 ms`.
pub fn bound_text(outcome: &Outcome) -> String {
    match (&outcome.relative_to, outcome.against) {
        (Some(_), Some(against)) => {
            let sign = if against.bound == Bound::Max { "<=" } else { ">=" };
            format!("{sign} {}", times(against.limit))
        }
        _ => terminal::bound_text(outcome),
    }
}

fn base_name(outcome: &Outcome) -> Option<String> {
    outcome.run.base.as_ref().map(|base| base.short_name().to_owned())
}

impl Change {
    fn none() -> Change {
        Change {
            from: String::new(),
            old: None,
            new: None,
            ratio: 1.0,
            interval: None,
            is_certain: false,
            is_proven: false,
        }
    }

    /// Returns the change as people write it: `+7.8 %`, `-0.4 %`, `4.2 x`; `from 0` if the value before was 0.
    pub fn text(&self) -> String {
        if self.ratio.is_infinite() || self.ratio.is_nan() {
            "from 0".to_owned()
        } else {
            times(self.ratio)
        }
    }

    /// Returns the ends of the interval: `+6.9 .. +8.8 %`; empty if there is none.
    pub fn interval_text(&self) -> String {
        match self.interval {
            Some((Some(low), Some(high))) => {
                let (low, high) = (times(low), times(high));
                // One sign of percent is enough for both.
                let low =
                    if high.ends_with('%') { low.trim_end_matches(" %").to_owned() } else { low };
                format!("{low} .. {high}")
            }
            Some((Some(low), None)) => format!("from {}", times(low)),
            Some((None, Some(high))) => format!("up to {}", times(high)),
            Some((None, None)) | None => String::new(),
        }
    }
}

/// Returns a multiple as a change in percent, or as a multiple if percents would be hard to read.
pub fn times(ratio: f64) -> String {
    if (0.1..3.0).contains(&ratio) {
        percent(ratio)
    } else {
        format!("{} x", Quantity::new(ratio, Unit::Ratio))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::{
        Against, BaseRevision, ComparisonMethod, Estimate, Evidence, Proven, Run, Sides,
    };

    fn outcome(value: f64, low: f64, high: f64) -> Outcome {
        let unit = Unit::Ratio;
        Outcome {
            against: Some(Against {
                bound: Bound::Max,
                limit: 1.05,
                warn: 1.04,
                tolerance: 0.0,
                unit,
            }),
            estimate: Some(Estimate { value, low: Some(low), high: Some(high) }),
            evidence: Some(Evidence {
                fail: 9.0,
                fail_at: 5.0,
                pass: 0.0,
                pass_at: 3.0,
                detectable: None,
                detectable_longer: None,
                effort_to_settle: None,
                processes: 3,
                values: 3,
                waited: None,
                preempted: None,
            }),
            relative_to: Some("base".to_owned()),
            sides: Sides::of(&[(0.0108, 0.01), (0.0107, 0.01)], Unit::Seconds),
            run: Run {
                base: Some(BaseRevision {
                    name: "origin/main".to_owned(),
                    commit: "ab".repeat(20),
                }),
                ..Run::default()
            },
            ..Outcome::default()
        }
    }

    #[test]
    fn a_ratio_is_a_change_of_the_base() {
        let slower = change(&outcome(1.078, 1.069, 1.088)).unwrap();
        assert_eq!((slower.from.as_str(), slower.text().as_str()), ("main", "+7.8 %"));
        assert_eq!(slower.interval_text(), "+6.9 .. +8.8 %");
        assert!(slower.is_certain && !slower.is_proven);
        let old_and_new = slower.old.zip(slower.new).map(|(old, new)| format!("{old}, {new}"));
        assert_eq!(old_and_new.as_deref(), Some("10 ms, 10.7 ms"));
        assert!(!change(&outcome(1.004, 0.99, 1.01)).unwrap().is_certain);
        let far = change(&outcome(45.0, 40.0, 50.0)).unwrap();
        assert_eq!(
            (far.text(), far.interval_text()),
            ("45 x".to_owned(), "40 x .. 50 x".to_owned())
        );
        let other = Outcome { relative_to: Some("redis".to_owned()), ..outcome(0.5, 0.4, 0.6) };
        let other = change(&other).unwrap();
        assert_eq!((other.from.as_str(), other.text().as_str()), ("redis", "-50 %"));
        let older = Outcome { sides: None, run: Run::default(), ..outcome(1.1, 1.0, 1.2) };
        let older = change(&older).unwrap();
        assert_eq!((older.from.as_str(), older.old), ("base", None));
    }

    #[test]
    fn a_value_that_is_proven_equal_has_not_changed() {
        let proven = Proven { by: ComparisonMethod::Files, commit: "0123456789abcdef".to_owned() };
        let proven =
            Outcome { proven: Some(proven), run: Run::default(), ..outcome(1.0, 1.0, 1.0) };
        let proven = change(&proven).unwrap();
        assert_eq!(
            (proven.from.as_str(), proven.is_proven, proven.is_certain),
            ("0123456789ab", true, false)
        );
        assert_eq!(change(&Outcome::default()), None);
    }
}
