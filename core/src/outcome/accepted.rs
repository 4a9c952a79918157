//! The value that was last accepted, and how it compares with what is measured now.

use serde::{Deserialize, Serialize};

use super::{Estimate, Outcome};
use crate::date::Date;
use crate::quantity::{Quantity, Unit};

/// How many times better than the accepted value a value must be to be suspicious. Real improvements by a factor of
/// two are rare, and are acknowledged by accepting them; work that was optimised away and artifacts that came out
/// empty are further off than that.
const SUSPICIOUS: f64 = 2.0;

/// The value that was last accepted for what an outcome measures, as recorded in `budgets.lock`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Accepted {
    /// The value, in the base unit of `unit`.
    pub value: f64,
    /// The lower end of its interval; `None` if the evidence did not bound it.
    pub low: Option<f64>,
    /// The upper end of its interval; `None` if the evidence did not bound it.
    pub high: Option<f64>,
    /// The unit of the value.
    pub unit: Unit,
    /// The day on which it was accepted.
    pub date: Date,
    /// The revision that was measured, where version control reported it.
    pub commit: Option<String>,
    /// The environment in which it was measured, if that differs from this run's. A statistical value from
    /// there is not compared with one from here.
    pub elsewhere: Option<String>,
    /// The counter, where the value is a number of instructions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counter: Option<String>,
    /// The factor of the limit, if the limit is `FACTOR x lock`.
    pub factor: Option<f64>,
}

impl Accepted {
    /// Returns the value with its unit.
    pub fn quantity(&self) -> Quantity {
        Quantity::new(self.value, self.unit)
    }

    /// Says what was accepted, when and at which revision: `5.1 ms on 2026-11-01 at a1b2c3d`.
    pub fn describe(&self) -> String {
        let at = self.commit.as_ref().map_or(String::new(), |commit| format!(" at {commit}"));
        format!("{} on {}{at}", self.quantity(), self.date)
    }

    /// Returns the revision at which it was measured, or else the day on which it was accepted.
    pub fn accepted_at(&self) -> String {
        self.commit.clone().unwrap_or_else(|| self.date.to_string())
    }

    /// Whether an estimate is so much better than the accepted value that it is suspicious. If `exact` is set, the values
    /// themselves are compared, and otherwise the ends of their intervals that face each other.
    pub fn is_suspicious(&self, now: Estimate, exact: bool, more_is_better: bool) -> bool {
        let (was, is) = match (exact, more_is_better) {
            (true, _) => (Some(self.value), Some(now.value)),
            (false, _) if self.elsewhere.is_some() => return false,
            (false, false) => (self.low, now.high),
            (false, true) => (self.high, now.low),
        };
        let (Some(was), Some(is)) = (was, is) else { return false };
        was > 0.0 && if more_is_better { is > was * SUSPICIOUS } else { is < was / SUSPICIOUS }
    }
}

impl Outcome {
    /// Returns the name under which `budgets.lock` has what was measured: `merge::p99`,
    /// `records::records=1000::rss`, and for a ratio `merge::p99::x_other`. All limits on the same value share it.
    pub fn series(&self) -> String {
        let mut parts = vec![self.budget.as_str(), &self.case, &self.metric];
        parts.retain(|part| !part.is_empty());
        let mut name = parts.join("::");
        if let Some(other) = &self.relative_to {
            name = format!("{name}::x_{other}");
        }
        name
    }

    /// Says how the value has changed since it was accepted: `gzip +6.4 KB since a1b2c3d`. A deterministic value, or
    /// one that never varied, has changed if it differs. A ratio, whose two sides were interleaved, has changed
    /// if the two intervals do not overlap. `None` otherwise, and if there is nothing to compare with.
    ///
    /// Other statistical values are not compared: a machine drifts from run to run by more than either run can show
    /// by itself. The history has the runs between.
    pub fn change(&self) -> Option<String> {
        let (accepted, now, against) = (self.accepted.as_ref()?, self.estimate?, self.against?);
        if accepted.unit != against.unit {
            return None;
        }
        let by = now.value - accepted.value;
        let sign = if by < 0.0 { "-" } else { "+" };
        let reference =
            self.relative_to.as_ref().map_or(String::new(), |other| format!(" x {other}"));
        let (metric, since) = (&self.metric, accepted.accepted_at());
        if self.evidence.is_none() {
            let size = against.quantity(by.abs());
            return (by != 0.0).then(|| format!("{metric} {sign}{size}{reference} since {since}"));
        }
        let constant = |low: Option<f64>, high: Option<f64>| {
            low.zip(high).is_some_and(|(low, high)| low.to_bits() == high.to_bits())
        };
        let never_varies = constant(now.low, now.high) && constant(accepted.low, accepted.high);
        if self.relative_to.is_none() && !never_varies {
            return None;
        }
        let higher = now.low.zip(accepted.high).is_some_and(|(now, then)| now > then);
        let lower = now.high.zip(accepted.low).is_some_and(|(now, then)| now < then);
        if accepted.elsewhere.is_some() || accepted.value == 0.0 || !(higher || lower) {
            return None;
        }
        let share = Quantity::new((by / accepted.value).abs(), Unit::Share);
        let (then, now) = (accepted.quantity(), against.quantity(now.value));
        Some(format!(
            "{metric} {sign}{share} since {since}: {then}{reference} then, {now}{reference} now, 90 % intervals apart"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Bound;
    use crate::outcome::{Against, Evidence};

    fn accepted(value: f64, low: f64, high: f64) -> Accepted {
        let date = "2026-11-01".parse().unwrap();
        let (commit, low, high) = (Some("a1b2c3d".to_owned()), Some(low), Some(high));
        Accepted {
            value,
            low,
            high,
            unit: Unit::Bytes,
            date,
            commit,
            elsewhere: None,
            counter: None,
            factor: None,
        }
    }

    fn estimate(value: f64, low: f64, high: f64) -> Estimate {
        Estimate { value, low: Some(low), high: Some(high) }
    }

    #[track_caller]
    fn suspicious(want: bool, then: &Accepted, now: Estimate, exact: bool, more: bool) {
        assert_eq!(then.is_suspicious(now, exact, more), want, "{then:?} {now:?}");
    }

    #[test]
    fn far_better_is_suspicious() {
        let then = || accepted(100.0, 90.0, 110.0);
        suspicious(true, &then(), estimate(49.0, 49.0, 49.0), true, false);
        suspicious(false, &then(), estimate(50.0, 50.0, 50.0), true, false);
        suspicious(false, &then(), estimate(201.0, 201.0, 201.0), true, false);
        suspicious(true, &then(), estimate(201.0, 201.0, 201.0), true, true);
        suspicious(false, &then(), estimate(49.0, 49.0, 49.0), true, true);
        // For statistical values the ends that face each other count: 90 / 2 and 110 * 2.
        suspicious(true, &then(), estimate(40.0, 35.0, 44.0), false, false);
        suspicious(false, &then(), estimate(40.0, 35.0, 46.0), false, false);
        suspicious(true, &then(), estimate(230.0, 221.0, 240.0), false, true);
        suspicious(false, &then(), estimate(230.0, 219.0, 240.0), false, true);
        let unbounded = Estimate { value: 40.0, low: None, high: None };
        suspicious(false, &then(), unbounded, false, false);
        // A value of 0 cannot be halved, and another machine may be twice as fast.
        suspicious(false, &accepted(0.0, 0.0, 0.0), estimate(0.0, 0.0, 0.0), true, false);
        let elsewhere = Accepted { elsewhere: Some("a laptop".into()), ..then() };
        suspicious(false, &elsewhere, estimate(1.0, 1.0, 1.0), false, false);
        suspicious(true, &elsewhere, estimate(1.0, 1.0, 1.0), true, false);
    }

    #[track_caller]
    fn changes(want: Option<&str>, then: Accepted, now: Estimate, exact: bool) {
        changes_of(None, want, then, now, exact);
    }

    #[track_caller]
    fn changes_of(
        other: Option<&str>,
        want: Option<&str>,
        then: Accepted,
        now: Estimate,
        exact: bool,
    ) {
        let against =
            Against { bound: Bound::Max, limit: 1e6, warn: 1e6, tolerance: 0.0, unit: Unit::Bytes };
        let evidence = (!exact).then_some(Evidence {
            fail: 0.0,
            fail_at: 5.0,
            pass: 3.0,
            pass_at: 3.0,
            detectable: None,
            detectable_longer: None,
            effort_to_settle: None,
            processes: 3,
            values: 3,
            waited: None,
            preempted: None,
        });
        let outcome = Outcome {
            metric: "gzip".into(),
            against: Some(against),
            estimate: Some(now),
            accepted: Some(then),
            relative_to: other.map(str::to_owned),
            evidence,
            ..Outcome::default()
        };
        assert_eq!(outcome.change().as_deref(), want);
    }

    #[test]
    fn a_change_since_the_value_was_accepted_is_told() {
        let then = || accepted(76_200.0, 76_000.0, 76_400.0);
        changes(Some("gzip +6.40 KB since a1b2c3d"), then(), estimate(82_600.0, 0.0, 0.0), true);
        changes(Some("gzip -1 B since a1b2c3d"), then(), estimate(76_199.0, 0.0, 0.0), true);
        changes(None, then(), estimate(76_200.0, 0.0, 0.0), true);
        let dated = Accepted { commit: None, ..then() };
        changes(Some("gzip +1 B since 2026-11-01"), dated, estimate(76_201.0, 0.0, 0.0), true);
        // A single statistical run proves no change, however far off the next one is: the machine may have drifted.
        changes(None, then(), estimate(82_600.0, 76_401.0, 90_000.0), false);
        let constant = accepted(3.0, 3.0, 3.0);
        let twice = "gzip +100 % since a1b2c3d: 3 B then, 6 B now, 90 % intervals apart";
        changes(Some(twice), constant, estimate(6.0, 6.0, 6.0), false);
        // The two sides of a ratio were interleaved.
        let of_ratio = |want, then, now| changes_of(Some("other"), want, then, now, false);
        let up = "gzip +8.40 % since a1b2c3d: 76.2 KB x other then, 82.6 KB x other now, \
                  90 % intervals apart";
        of_ratio(Some(up), then(), estimate(82_600.0, 76_401.0, 90_000.0));
        of_ratio(None, then(), estimate(82_600.0, 76_300.0, 90_000.0));
        let elsewhere = Accepted { elsewhere: Some("a laptop".into()), ..then() };
        of_ratio(None, elsewhere, estimate(82_600.0, 80_000.0, 90_000.0));
        let other = Accepted { unit: Unit::Seconds, ..then() };
        changes(None, other, estimate(1.0, 1.0, 1.0), true);
    }

    #[test]
    fn a_series_is_named_after_what_is_measured() {
        let outcome = |case: &str, other: Option<&str>| Outcome {
            budget: "merge".into(),
            case: case.into(),
            metric: "p99".into(),
            relative_to: other.map(str::to_owned),
            ..Outcome::default()
        };
        assert_eq!(outcome("", None).series(), "merge::p99");
        assert_eq!(outcome("n=1", None).series(), "merge::n=1::p99");
        assert_eq!(outcome("", Some("base")).series(), "merge::p99::x_base");
    }
}
