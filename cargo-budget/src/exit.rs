//! Exit codes: one documented table, the same for every subcommand.

use std::process::ExitCode;

use perf_budget_core::outcome::Outcome;
use perf_budget_core::verdict::Verdict;

/// How a subcommand ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// 0: every budget holds, or what was asked for is done.
    Holds,
    /// 1: a budget is broken, or a limit was loosened without a reason.
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

    /// Returns how a run with these outcomes ends. A broken budget takes precedence over one that could not be measured,
    /// and that over one that is inconclusive.
    pub(crate) fn of<'a>(outcomes: impl IntoIterator<Item = &'a Outcome>) -> Exit {
        let rank = |outcome: &Outcome| match outcome.verdict {
            Verdict::Fail => 3,
            Verdict::Unmeasured => 2,
            Verdict::Inconclusive if outcome.is_red() => 1,
            Verdict::Pass | Verdict::Warn | Verdict::Inconclusive | Verdict::Skipped => 0,
        };
        match outcomes.into_iter().map(rank).max() {
            Some(3) => Exit::Broken,
            Some(2) => Exit::Unmeasured,
            Some(1) => Exit::Inconclusive,
            _ => Exit::Holds,
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
        let of = |&verdict| Outcome { verdict, inconclusive, ..Outcome::default() };
        let outcomes: Vec<Outcome> = verdicts.iter().map(of).collect();
        assert_eq!(Exit::of(&outcomes).code(), code);
    }

    #[test]
    fn what_is_inconclusive_is_a_warning_unless_the_settings_say_otherwise() {
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
