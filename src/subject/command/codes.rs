//! The exit codes with which a command may end: 0, and those that its budget's limits on `exit` expect.

use std::sync::Arc;

use perf_budget_core::budget::{Bound, Budget, Case, Limit};
use perf_budget_core::metric::{Metric, Values};
use perf_budget_core::outcome::{Cause, Unmeasured};
use perf_budget_core::reading::ProcessRun;

use crate::exec::{Finished, code_words};

/// The limits of one case on the exit code, which hold for the command of either side.
#[derive(Debug, Clone)]
pub(crate) struct Codes(Vec<Arc<Limit>>);

impl Codes {
    /// The code 0 alone.
    #[cfg(all(test, target_os = "linux"))]
    pub(super) const ZERO: Codes = Codes(Vec::new());

    /// Returns the codes that a budget expects in one case.
    pub(crate) fn expected(budget: &Budget, case: &Case) -> Codes {
        let limits = budget.limits.iter().filter(|limit| limit.metric.values() == Values::Code);
        Codes(limits.filter(|limit| limit.cases.has(case)).cloned().collect())
    }

    /// Whether a command that ends with this code has done what it should. A code other than 0 has to meet each limit.
    fn has(&self, code: i32) -> bool {
        let meets = |limit: &Arc<Limit>| {
            let (number, _) = limit.number();
            match limit.bound {
                Bound::Max => value(code) <= number,
                Bound::Min => value(code) >= number,
            }
        };
        code == 0 || (!self.0.is_empty() && self.0.iter().all(meets))
    }

    /// Returns why only the exit code of a command that has ended is measured; `None` if the code is expected.
    pub(super) fn refuse(&self, name: &str, finished: &Finished) -> Option<Unmeasured> {
        let Finished { code, stdout, stderr, .. } = finished;
        let with = code_words(*code);
        let text = match &self.0[..] {
            _ if self.has(*code) => return None,
            [] => format!(
                "`{name}` ended with exit {with}; fix it, or limit `exit` if that is expected"
            ),
            _ => format!(
                "`{name}` ended with exit {with}, which the budget's limit on `exit` does not expect; fix it, or correct that limit"
            ),
        };
        let output = stderr.text().or_else(|| stdout.text());
        Some(Unmeasured { cause: Cause::ExitedBadly, text, output })
    }
}

/// Returns the value of `exit`. Windows has codes of 32 bits, and none of those that a crash gives is below 0.
pub(super) fn value(code: i32) -> f64 {
    f64::from(code.cast_unsigned())
}

/// Makes the result of a run with a code that is not expected. If `exit` is measured, the code is its value, so that the limit
/// on it is judged. All other metrics are unmeasured.
pub(super) fn unexpected(
    mut process: ProcessRun,
    metrics: &[Metric],
    reason: Unmeasured,
) -> Result<ProcessRun, Unmeasured> {
    if !metrics.iter().any(|metric| metric.values() == Values::Code) {
        return Err(reason);
    }
    for metric in metrics.iter().filter(|metric| metric.values() != Values::Code) {
        process.unmeasured.insert(metric.clone(), reason.clone());
    }
    Ok(process)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::path::Path;

    /// Returns the codes of a budget with this table of limits.
    pub(in crate::subject::command) fn limited(limits: &str) -> Codes {
        let text = format!("[budget.a]\ncommand = [\"a\"]\n{limits}\n");
        let budgets = perf_budget_core::budget::parse(&text, Path::new("budgets.toml")).unwrap();
        Codes::expected(&budgets.budgets[0], &budgets.budgets[0].cases[0])
    }

    #[test]
    fn a_code_other_than_0_has_to_meet_each_limit() {
        let has = |limits: &str| {
            let codes = limited(limits);
            (-1..5).filter(|code| codes.has(*code)).collect::<Vec<_>>()
        };
        assert_eq!(has("max = { wall_p50 = \"1 s\" }"), [0]);
        assert_eq!(has("max = { wall_p50 = \"1 s\", exit = 0 }"), [0]);
        assert_eq!(has("max = { exit = 2 }"), [0, 1, 2]);
        assert_eq!(has("max = { exit = 2 }\nmin = { exit = 2 }"), [0, 2]);
        assert_eq!(has("min = { exit = 3 }"), [-1, 0, 3, 4]);
    }
}
