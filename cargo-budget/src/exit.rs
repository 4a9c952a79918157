//! Exit codes: one documented table, the same for every subcommand.

use std::process::ExitCode;

use perf_budget_core::outcome::Outcome;
use perf_budget_core::verdict::Verdict;

/// How a subcommand ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// 0: every budget holds, or what was asked for is done.
    Holds,
    /// 1: a budget is broken, a limit was loosened without a reason, or a selftest did not turn a limit red.
    Broken,
    /// 2: the arguments or the configuration have a mistake.
    Usage,
    /// 3: something could not be measured, read or written.
    Unmeasured,
    /// 4: the evidence did not suffice, and the settings make that red.
    Inconclusive,
}

impl Exit {
    /// Returns the exit code as a number.
    pub(crate) fn code(self) -> u8 {
        match self {
            Exit::Holds => 0,
            Exit::Broken => 1,
            Exit::Usage => 2,
            Exit::Unmeasured => 3,
            Exit::Inconclusive => 4,
        }
    }

    /// Returns the exit of two runs together. A mistake counts first, since it hides verdicts, and then the worse verdict.
    pub(crate) fn worse(self, other: Exit) -> Exit {
        let order = [Exit::Usage, Exit::Broken, Exit::Unmeasured, Exit::Inconclusive];
        order.into_iter().find(|&exit| exit == self || exit == other).unwrap_or(Exit::Holds)
    }

    /// Returns how a run with these outcomes ends, which the worst verdict of a red outcome decides. `check` has
    /// further reasons of its own to end otherwise: mistakes that the harness found, a base that could not be built,
    /// and limits that no run could see broken.
    pub(crate) fn from_outcomes<'a>(outcomes: impl IntoIterator<Item = &'a Outcome>) -> Exit {
        let red = outcomes.into_iter().filter(|outcome| outcome.is_red());
        match red.map(|outcome| outcome.verdict).max_by_key(|verdict| verdict.severity()) {
            Some(Verdict::Fail) => Exit::Broken,
            Some(Verdict::Unmeasured) => Exit::Unmeasured,
            Some(Verdict::Inconclusive) => Exit::Inconclusive,
            Some(Verdict::Pass | Verdict::Warn | Verdict::Skipped) | None => Exit::Holds,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use perf_budget_core::budget::Inconclusive;

    use super::*;

    #[track_caller]
    fn check(verdicts: &[Verdict], code: u8) {
        under(Inconclusive::Fail, verdicts, code);
    }

    #[track_caller]
    fn under(inconclusive: Inconclusive, verdicts: &[Verdict], code: u8) {
        let outcome = |&verdict| Outcome { verdict, inconclusive, ..Outcome::default() };
        let outcomes: Vec<Outcome> = verdicts.iter().map(outcome).collect();
        assert_eq!(Exit::from_outcomes(&outcomes).code(), code);
    }

    #[test]
    fn an_inconclusive_limit_is_a_warning_unless_the_settings_say_otherwise() {
        under(Inconclusive::Warn, &[Verdict::Pass, Verdict::Inconclusive], 0);
        under(Inconclusive::Warn, &[Verdict::Unmeasured, Verdict::Inconclusive], 3);
        under(Inconclusive::Fail, &[Verdict::Pass, Verdict::Inconclusive], 4);
    }

    #[test]
    fn the_worst_verdict_is_the_exit_code() {
        check(&[], 0);
        check(&[Verdict::Pass, Verdict::Warn, Verdict::Skipped], 0);
        check(&[Verdict::Pass, Verdict::Inconclusive], 4);
        check(&[Verdict::Unmeasured, Verdict::Inconclusive], 3);
        check(&[Verdict::Unmeasured, Verdict::Fail, Verdict::Inconclusive], 1);
    }
}
