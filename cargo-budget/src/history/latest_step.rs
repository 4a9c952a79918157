//! The last step of a test for the worse, as the range of commits that it lies in.

use super::show::{Answer, Shown};
use crate::failure::Failure;

/// How many commits of the series on either side belong to the range where values are noisy: such a step is found where it
/// fits best, which may be beside the commit that made it.
const MARGIN: usize = 3;

/// A step for the worse.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LatestStep {
    /// The test.
    pub(crate) test: String,
    /// The last commit that is surely before it, and the first that is surely after it.
    pub(crate) good: String,
    pub(crate) bad: String,
    /// By how much the value became worse, as a share.
    pub(crate) by: f64,
}

/// Returns the last step for the worse of the only test in an answer that has one.
pub(crate) fn latest_step(answer: &Answer) -> Result<LatestStep, Failure> {
    let steps: Vec<LatestStep> = answer.shown.iter().filter_map(of).collect();
    match &steps[..] {
        [only] => Ok(only.clone()),
        [] => Err(Failure::unmeasured(format!(
            "the history shows no step of `{}` for the worse; name a range by GOOD..BAD",
            answer.name
        ))),
        several => {
            let names: Vec<String> =
                several.iter().map(|step| format!("`{}`", step.test)).collect();
            Err(Failure::usage(format!(
                "several tests of `{}` became worse; name one of {}",
                answer.name,
                names.join(", ")
            )))
        }
    }
}

fn of(shown: &Shown) -> Option<LatestStep> {
    let trend = &shown.trend;
    let is_floor = trend.limit.as_ref().is_some_and(|(bound, _)| bound == "min");
    let worse = |before: f64, after: f64| if is_floor { before / after } else { after / before };
    let is_worse = |change: &super::trend::Change| worse(change.before, change.after) > 1.0;
    let nth = trend.changes.iter().rposition(is_worse)?;
    let change = &trend.changes[nth];
    let margin = if trend.is_exact { 0 } else { MARGIN };
    // The range does not reach beyond the steps before and after this one.
    let first = nth.checked_sub(1).map_or(0, |before| trend.changes[before].at);
    let next = trend.changes.get(nth + 1).map_or(trend.commits.len(), |next| next.at);
    let good = (change.at - 1).saturating_sub(margin).max(first);
    let bad = (change.at + margin).min(next - 1);
    let hash = |at: usize| trend.commits.get(at)?.hash.clone();
    let by = worse(change.before, change.after) - 1.0;
    let by = Some(by).filter(|by| by.is_finite())?;
    Some(LatestStep { test: shown.series.test.clone(), good: hash(good)?, bad: hash(bad)?, by })
}
