//! The decision when a comparison is settled: the evidence of its runs is multiplied, and the comparisons of a search
//! share the chance of a wrong answer.
//!
//! Each run of the tests gives two e-values: against "the limit holds", and against "it is broken by more than the
//! tolerance". While its claim is true, an e-value has a mean of at most 1, given the runs before it. So the product
//! over all runs reaches `1/a` with a chance of at most `a`, however often one looks (Ville's inequality).

use perf_budget_core::budget::Bound;
use perf_budget_core::outcome::{Doubt, Outcome};
use perf_budget_core::verdict::Verdict;
use serde::{Deserialize, Serialize};

use super::search::Answer;

/// The part of the chance that is kept for comparisons beyond those that a search should take.
const RESERVE: f64 = 0.1;

/// Returns the chance of a wrong answer that the comparison `nth` may have; the first one is 0. The search should take at
/// most `most` comparisons. If it takes more, each further one has half the chance of the one before, so that all of them
/// together have at most `alpha`.
pub(super) fn share(alpha: f64, most: u32, nth: u32) -> f64 {
    if nth < most {
        return alpha * (1.0 - RESERVE) / f64::from(most);
    }
    let beyond = i32::try_from(nth - most).unwrap_or(i32::MAX - 1);
    alpha * RESERVE * 0.5_f64.powi(beyond + 1)
}

/// The evidence of all runs of one comparison, as natural logarithms.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Evidence {
    /// Against "the limit holds".
    pub(super) red: f64,
    /// Against "the limit is broken by more than the tolerance".
    pub(super) green: f64,
    /// The number of runs.
    pub(super) runs: u32,
    /// The seconds that they measured.
    pub(super) seconds: f64,
}

impl Evidence {
    /// Adds the evidence of one more run. No run may have begun with the evidence of another.
    pub(super) fn add(&mut self, outcome: &Outcome) {
        self.runs += 1;
        self.seconds += outcome.seconds;
        let Some(evidence) = outcome.evidence else { return };
        // If other work on the machine or the place of functions may have caused a value, it is no evidence about the code.
        // But values that speak against an answer are still counted: an e-value that is made smaller stays valid.
        let is_doubted = matches!(outcome.doubt, Some(Doubt::Noise | Doubt::Layout));
        let counted = |log: f64| if is_doubted { log.min(0.0) } else { log };
        // A value that is not compared with another revision counts as over its limit only if later processes show it
        // again. Then the verdict is a fail, or what a waiver makes of a fail.
        let is_shown = outcome.relative_to.is_some()
            || outcome.verdict == Verdict::Fail
            || outcome.waived.is_some();
        let red = counted(evidence.fail);
        self.red += if is_shown { red } else { red.min(0.0) };
        self.green += counted(evidence.pass);
    }

    /// Returns the answer that this evidence gives with at most this chance of being wrong; `None` if it gives none yet.
    pub(super) fn answer(self, chance: f64) -> Option<Answer> {
        let level = -chance.ln();
        match (self.red >= level, self.green >= level) {
            (true, _) if self.red >= self.green => Some(Answer::Red),
            (_, true) => Some(Answer::Green),
            (true, false) => Some(Answer::Red),
            (false, false) => None,
        }
    }
}

/// Returns the answer of an outcome that needs no evidence, because it is a proof or a value that does not vary.
pub(super) fn certain_answer(outcome: &Outcome) -> Option<Answer> {
    if outcome.proven.is_some() && outcome.verdict == Verdict::Pass {
        return Some(Answer::Green);
    }
    let is_judged = matches!(outcome.verdict, Verdict::Pass | Verdict::Warn | Verdict::Fail);
    let (estimate, against) = (outcome.estimate?, outcome.against?);
    let is_constant = estimate.low.map(f64::to_bits) == Some(estimate.value.to_bits())
        && estimate.high.map(f64::to_bits) == Some(estimate.value.to_bits());
    if !is_judged || !(outcome.evidence.is_none() || is_constant) {
        return None;
    }
    let is_over = match against.bound {
        Bound::Max => estimate.value > against.limit,
        Bound::Min => estimate.value < against.limit,
    };
    Some(if is_over { Answer::Red } else { Answer::Green })
}

#[cfg(test)]
mod tests {
    use perf_budget_core::outcome::{Against, Estimate, Proven};
    use perf_budget_core::outcome::{ComparisonMethod, Evidence as OfRun};
    use perf_budget_core::quantity::Unit;

    use super::*;

    #[test]
    fn all_comparisons_together_have_the_chance_that_was_asked_for() {
        for most in [1, 2, 7, 20] {
            let all: f64 = (0..most + 200).map(|nth| share(0.01, most, nth)).sum();
            assert!(all <= 0.01 && all > 0.0099, "{all}");
            assert!(share(0.01, most, u32::MAX) >= 0.0);
        }
    }

    fn outcome(fail: f64, pass: f64, doubt: Option<Doubt>) -> Outcome {
        let evidence = OfRun {
            fail,
            pass,
            fail_at: 4.6,
            pass_at: 3.0,
            detectable: None,
            detectable_longer: None,
            effort_to_settle: None,
            processes: 9,
            values: 9,
            waited: None,
            preempted: None,
        };
        let relative_to = Some("base".to_owned());
        let verdict = Verdict::Pass;
        Outcome { evidence: Some(evidence), doubt, verdict, relative_to, ..Outcome::default() }
    }

    #[track_caller]
    fn check(runs: &[Outcome], chance: f64, want: Option<Answer>) {
        let mut evidence = Evidence::default();
        for run in runs {
            evidence.add(run);
        }
        assert_eq!(evidence.answer(chance), want, "{evidence:?}");
    }

    #[test]
    fn evidence_multiplies_until_it_is_enough() {
        let green = || outcome(-2.0, 3.1, None);
        check(&[green()], 0.05, Some(Answer::Green));
        check(&[green()], 0.001, None);
        check(&[green(), green(), green()], 0.001, Some(Answer::Green));
        check(&[outcome(7.0, -5.0, None)], 0.001, Some(Answer::Red));
        // A later run may outweigh an earlier one.
        check(&[green(), outcome(4.0, -4.0, None)], 0.05, None);
    }

    #[test]
    fn a_value_that_the_machine_may_have_caused_counts_only_against_an_answer() {
        for doubt in [Doubt::Noise, Doubt::Layout] {
            check(&[outcome(9.0, -9.0, Some(doubt))], 0.01, None);
            check(&[outcome(9.0, -9.0, Some(doubt)), outcome(-1.0, 10.0, None)], 0.01, None);
        }
        check(&[outcome(9.0, -9.0, Some(Doubt::NearLimit))], 0.01, Some(Answer::Red));
    }

    #[test]
    fn a_value_over_its_limit_counts_once_it_is_confirmed() {
        let alone = |verdict| Outcome { relative_to: None, verdict, ..outcome(9.0, -9.0, None) };
        check(&[alone(Verdict::Inconclusive)], 0.01, None);
        check(&[alone(Verdict::Fail)], 0.01, Some(Answer::Red));
    }

    #[test]
    fn a_proof_and_a_constant_need_no_evidence() {
        let against = Against {
            bound: Bound::Max,
            limit: 10.0,
            warn: 9.0,
            tolerance: 0.0,
            unit: Unit::Number,
        };
        let constant = |value: f64, high: f64, verdict| Outcome {
            against: Some(against),
            estimate: Some(Estimate { value, low: Some(value), high: Some(high) }),
            verdict,
            ..Outcome::default()
        };
        assert_eq!(certain_answer(&constant(11.0, 11.0, Verdict::Fail)), Some(Answer::Red));
        // A waiver makes a broken limit a warning, and the search is about the limit.
        assert_eq!(certain_answer(&constant(11.0, 11.0, Verdict::Warn)), Some(Answer::Red));
        assert_eq!(certain_answer(&constant(10.0, 10.0, Verdict::Warn)), Some(Answer::Green));
        assert_eq!(certain_answer(&constant(11.0, 11.0, Verdict::Unmeasured)), None);
        let evidence = outcome(0.0, 0.0, None).evidence;
        let statistical =
            |value, high| Outcome { evidence, ..constant(value, high, Verdict::Fail) };
        assert_eq!(certain_answer(&statistical(11.0, 11.0)), Some(Answer::Red));
        assert_eq!(certain_answer(&statistical(11.0, 12.0)), None);
        let proven = Proven { by: ComparisonMethod::Files, commit: "0".repeat(40) };
        let equal = Outcome { proven: Some(proven), verdict: Verdict::Pass, ..Outcome::default() };
        assert_eq!(certain_answer(&equal), Some(Answer::Green));
        assert_eq!(certain_answer(&Outcome::default()), None);
    }
}
