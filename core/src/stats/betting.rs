//! The kernel of every statistical verdict: an anytime-valid sequential test (an e-process).
//!
//! Under the null hypothesis each score in [-1, 1] has a mean of at most 0, given the past. The
//! e-value starts at 1 and is multiplied by `1 + share·score` for each score, so that the null
//! hypothesis does not expect it to grow. By Ville's inequality it reaches `1/alpha` *at any time*
//! with probability at most `alpha`, so a verdict may be looked for after every score (Ville 1939;
//! testing by betting, of which the e-value is the wealth: Waudby-Smith & Ramdas 2024).

use super::mixture::log_sum_exp;

/// The bets of the mixture: the weight of each, and the share of its e-value that it stakes.
///
/// Small shares win on small effects and large ones on large effects. Half of the weight is on the largest, so that a
/// large effect is seen after the fewest scores; the mixture is then at most `ln 10` behind the best bet on a small
/// one. No share is 1, so that a single bad score never brings a bet to 0.
pub const STAKES: [(f64, f64); 5] =
    [(0.1, 0.1), (0.1, 0.3), (0.15, 0.55), (0.15, 0.8), (0.5, 0.985)];

/// Returns the log evidence at which one of `tests` tests is decided, so that all of them together err
/// with probability at most `alpha`: `ln(tests / alpha)`.
///
/// This is Ville's inequality for one test and Bonferroni's for many. It is valid under any dependence
/// between the tests and for any number of looks.
///
/// # Panics
/// If `alpha` is not in (0, 1) or `tests` is 0.
pub fn threshold(alpha: f64, tests: usize) -> f64 {
    assert!(alpha > 0.0 && alpha < 1.0, "alpha is a probability in (0, 1), not {alpha}");
    assert!(tests > 0, "a threshold is for at least one test");
    (tests as f64 / alpha).ln()
}

/// Evidence that scores in [-1, 1] have a positive mean: the mixture of [`STAKES`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Betting {
    log_e_value: [f64; STAKES.len()],
}

impl Betting {
    /// Bets on one more score.
    ///
    /// # Panics
    /// If the score is not in [-1, 1]: such a score could ruin a bet, or turn the evidence into NaN for good.
    pub fn push(&mut self, score: f64) {
        assert!(score.abs() <= 1.0, "a score lies in [-1, 1], not {score}");
        for (log_e_value, (_, share)) in self.log_e_value.iter_mut().zip(STAKES) {
            *log_e_value += (share * score).ln_1p();
        }
    }

    /// Returns the natural logarithm of the evidence, which is 0 before the first score.
    pub fn log_evidence(&self) -> f64 {
        let bets = self.log_e_value.iter().zip(STAKES);
        log_sum_exp(bets.map(|(log_e_value, (weight, _))| weight.ln() + log_e_value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence_of(scores: impl IntoIterator<Item = f64>) -> f64 {
        let mut betting = Betting::default();
        scores.into_iter().for_each(|score| betting.push(score));
        betting.log_evidence()
    }

    #[test]
    fn starts_at_no_evidence_and_grows_with_the_score() {
        assert!(evidence_of([]).abs() < 1e-15);
        let steps: Vec<f64> =
            (-10..=10).map(|tenth| evidence_of([0.3, f64::from(tenth) / 10.0])).collect();
        assert!(steps.is_sorted_by(|a, b| a < b), "{steps:?}");
    }

    #[test]
    fn stays_finite_over_a_million_scores() {
        let check = |name: &str, n: u32, score: fn(u32) -> f64, low: f64, high: f64| {
            let evidence = evidence_of((0..n).map(score));
            assert!(evidence >= low && evidence <= high, "{name}: {evidence}");
        };
        // The first bound is the largest bet winning a million times (ln 1.985), the second the smallest
        // losing (ln 0.9).
        check("all won", 1_000_000, |_| 1.0, 685_618.0 - 2.0, 685_619.0);
        check("all lost", 100_000, |_| -1.0, -10_539.0, -10_538.0);
        check("alternating", 100_000, |i| if i % 2 == 0 { 1.0 } else { -1.0 }, -505.0, -504.0);
    }

    #[test]
    #[should_panic(expected = "a score lies in [-1, 1], not NaN")]
    fn refuses_a_score_that_is_no_number() {
        evidence_of([f64::NAN]);
    }

    #[test]
    fn threshold_counts_the_tests() {
        assert!((threshold(0.01, 1) - 100f64.ln()).abs() < 1e-12);
        assert!((threshold(0.01, 200) - 20_000f64.ln()).abs() < 1e-12);
    }
}
