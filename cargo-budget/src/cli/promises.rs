//! What a check can promise of its limits: how likely a false red is where several files are judged, and which limits no run
//! here could see broken.

use perf_budget_core::outcome::{LONGEST, Noise, Outcome};
use perf_budget_core::quantity::{Quantity, Unit};

use crate::text;

/// Says how the chances of a false red of several files add up, each of which has such an `alpha`; `None` for one file.
pub(super) fn sum_of_alphas(alphas: &[f64]) -> Option<String> {
    if alphas.len() < 2 {
        return None;
    }
    let sum = Quantity::new(alphas.iter().sum::<f64>().min(1.0), Unit::Share);
    Some(format!(
        "each of these {} judgements has an `alpha` of its own, so the chance of any false red is at most {sum} in all; a smaller \
         `alpha` in each `[settings]` lowers it",
        alphas.len()
    ))
}

/// Returns why limits are refused that no run with this `effort` could see broken, a sentence for each.
pub(super) fn refusals(outcomes: &[Outcome]) -> Vec<String> {
    outcomes.iter().filter_map(refusal).collect()
}

fn refusal(outcome: &Outcome) -> Option<String> {
    let (needs, effort) = (outcome.needs?, outcome.evidence?.effort_to_settle?);
    // On a busy machine each process takes longer, and a calm one may have the time.
    if outcome.noise.as_ref().is_some_and(Noise::may_explain) {
        return None;
    }
    Some(format!(
        "`{}` at {}:{} is refused: any violation takes {} processes to be seen, which is about {} s, and {LONGEST} times its `effort` \
         is less; give it `effort = \"{effort} s\"` or more, a metric that needs fewer values, or a shorter operation",
        text::line(&outcome.test),
        outcome.file,
        outcome.line,
        needs.processes,
        needs.seconds.ceil(),
    ))
}

#[cfg(test)]
mod tests {
    use perf_budget_core::outcome::{Evidence, Needs};

    use super::*;

    #[test]
    fn the_chances_of_several_files_add_up() {
        assert_eq!(sum_of_alphas(&[0.01]), None);
        let text = sum_of_alphas(&[0.01, 0.01, 0.005]).unwrap();
        assert!(text.starts_with("each of these 3 judgements has an `alpha` of its own"), "{text}");
        assert!(text.contains("at most 2.50 % in all"), "{text}");
        assert!(sum_of_alphas(&[0.5; 3]).unwrap().contains("at most 100 % in all"));
    }

    #[test]
    fn a_limit_that_cannot_be_seen_broken_is_refused_with_the_figure() {
        let evidence = Evidence { effort_to_settle: Some(80.0), ..Evidence::default() };
        let settled = Outcome {
            test: "slow::p50".to_owned(),
            file: "budgets.toml".to_owned(),
            line: 7,
            evidence: Some(evidence),
            ..Outcome::default()
        };
        let needs = Some(Needs { processes: 24, seconds: 480.0 });
        let refused = Outcome { needs, ..settled.clone() };
        let texts = refusals(&[settled, refused]);
        let [text] = &texts[..] else { panic!("{texts:?}") };
        assert_eq!(
            text,
            "`slow::p50` at budgets.toml:7 is refused: any violation takes 24 processes to be seen, which is about 480 s, and 6 \
             times its `effort` is less; give it `effort = \"80 s\"` or more, a metric that needs fewer values, or a shorter \
             operation"
        );
    }
}
