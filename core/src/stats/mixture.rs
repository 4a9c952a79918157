//! The logarithm of a weighted sum of e-values.
//!
//! Every e-process here is a mixture over a few bets. Its e-value can grow beyond what a float holds
//! within hours, so it is kept as logarithms, which are summed only here.

/// Returns `ln Σ exp(term)`, exact in the largest term; `-∞` for no terms.
pub(super) fn log_sum_exp(terms: impl Iterator<Item = f64> + Clone) -> f64 {
    let top = terms.clone().fold(f64::NEG_INFINITY, f64::max);
    if top == f64::NEG_INFINITY {
        return top;
    }
    top + terms.map(|term| (term - top).exp()).sum::<f64>().ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_without_overflow() {
        let check = |terms: &[f64], want: f64| {
            let got = log_sum_exp(terms.iter().copied());
            assert!(
                (got - want).abs() <= 1e-12 * want.abs().max(1.0),
                "{terms:?}: {got} != {want}"
            );
        };
        check(&[0.0, 0.0], 2f64.ln());
        check(&[1e6, 1e6], 1e6 + 2f64.ln());
        check(&[-1e6, -1e6 + 3f64.ln()], -1e6 + 4f64.ln());
        check(&[f64::NEG_INFINITY, 5.0], 5.0);
        assert!(log_sum_exp([f64::NEG_INFINITY].into_iter()).is_infinite());
    }
}
