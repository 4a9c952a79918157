//! Waivers: a limit may be broken until a certain day, and a named person is responsible for it.

use serde::{Deserialize, Serialize};

use super::Outcome;
use crate::budget::Waiver;
use crate::date::Date;
use crate::verdict::Verdict;

/// The waiver of an outcome's limit, and its effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waived {
    /// The last day, in UTC, on which it holds.
    pub until: Date,
    /// Who answers for it.
    pub owner: String,
    /// Why the limit may be broken until then.
    pub why: String,
    /// The effect of the waiver.
    pub effect: Effect,
}

/// The effect of a waiver on an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// It turned a red into a warning.
    Waived,
    /// It did nothing, because its day is past, so the red stays.
    Expired,
    /// It did nothing, because the limit holds.
    Unneeded,
}

impl Outcome {
    /// Applies a waiver to the outcome, on this day. It covers a limit that is broken or that evidence
    /// did not settle. What was not measured stays red, since nobody knows what would be waived.
    pub fn waive(&mut self, waiver: &Waiver, today: Date) {
        let Waiver { until, owner, why } = waiver.clone();
        let broken = self.is_red() && self.verdict != Verdict::Unmeasured;
        let over = self.estimate.zip(self.against).is_none_or(|(e, limit)| limit.is_over(e.value));
        let settled = self.doubt.is_none();
        let effect = match self.verdict {
            _ if broken && today <= until => Effect::Waived,
            _ if broken => Effect::Expired,
            Verdict::Pass | Verdict::Warn if settled && !over => Effect::Unneeded,
            Verdict::Pass
            | Verdict::Warn
            | Verdict::Fail
            | Verdict::Inconclusive
            | Verdict::Unmeasured
            | Verdict::Skipped => return,
        };
        let words = match effect {
            Effect::Waived => {
                self.verdict = Verdict::Warn;
                format!("; waived until {until} by {owner}: {why}")
            }
            Effect::Expired => {
                format!("; its waiver by {owner} expired on {until}: {why}")
            }
            Effect::Unneeded => {
                let note = format!(
                    "the limit holds, and its waiver until {until} by {owner} can be removed"
                );
                self.notes.push(note);
                String::new()
            }
        };
        self.reason.push_str(&words);
        self.waived = Some(Waived { until, owner, why, effect });
    }

    /// Whether a waiver turned the outcome from red to a warning.
    pub fn is_waived(&self) -> bool {
        self.waived.as_ref().is_some_and(|waived| waived.effect == Effect::Waived)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::{Bound, Inconclusive};
    use crate::outcome::{Against, Estimate};
    use crate::quantity::Unit;

    #[track_caller]
    fn check(
        was: Verdict,
        value: f64,
        today: &str,
        is: Verdict,
        effect: Option<Effect>,
        words: &str,
    ) {
        let until = "2027-01-31".parse().unwrap();
        let waiver = Waiver { until, owner: "ann".into(), why: "a new parser".into() };
        let against = Against {
            bound: Bound::Max,
            limit: 10.0,
            warn: 10.0,
            tolerance: 0.0,
            unit: Unit::Number,
        };
        let mut outcome = Outcome {
            verdict: was,
            reason: "so".into(),
            inconclusive: Inconclusive::Fail,
            against: Some(against),
            estimate: Some(Estimate { value, low: None, high: None }),
            ..Outcome::default()
        };
        outcome.waive(&waiver, today.parse().unwrap());
        assert_eq!(outcome.verdict, is);
        assert_eq!(outcome.waived.as_ref().map(|waived| waived.effect), effect);
        assert_eq!(outcome.is_waived(), effect == Some(Effect::Waived));
        assert_eq!(format!("{}{}", outcome.reason, outcome.notes.concat()), format!("so{words}"));
    }

    #[test]
    fn a_waiver_holds_to_the_end_of_its_day() {
        use Verdict::{Fail, Inconclusive, Pass, Skipped, Unmeasured, Warn};
        let waived = "; waived until 2027-01-31 by ann: a new parser";
        check(Fail, 11.0, "2026-11-01", Warn, Some(Effect::Waived), waived);
        check(Fail, 11.0, "2027-01-31", Warn, Some(Effect::Waived), waived);
        check(Inconclusive, 9.0, "2027-01-31", Warn, Some(Effect::Waived), waived);
        let expired = "; its waiver by ann expired on 2027-01-31: a new parser";
        check(Fail, 11.0, "2027-02-01", Fail, Some(Effect::Expired), expired);
        let unneeded = "the limit holds, and its waiver until 2027-01-31 by ann can be removed";
        check(Pass, 9.0, "2026-11-01", Pass, Some(Effect::Unneeded), unneeded);
        check(Warn, 9.5, "2027-02-01", Warn, Some(Effect::Unneeded), unneeded);
        // Within the tolerance beyond the limit nothing is shown either way.
        check(Warn, 10.5, "2026-11-01", Warn, None, "");
        check(Unmeasured, 11.0, "2026-11-01", Unmeasured, None, "");
        check(Skipped, 11.0, "2026-11-01", Skipped, None, "");
    }
}
