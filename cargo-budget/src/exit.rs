//! Exit codes: one documented table, the same for every subcommand.

use std::process::ExitCode;

use perf_budget::outcome::Outcome;
use perf_budget::verdict::Verdict;

/// How a subcommand ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// 0: every budget holds, or what was asked for is done.
    Holds,
    /// 1: a budget is broken, or a limit was loosened without a reason.
    Broken,
    /// 2: usage or configuration.
    Usage,
    /// 3: something could not be measured, read or written.
    Unmeasured,
    /// 4: the evidence did not suffice.
    Unsure,
}

impl Exit {
    /// The number.
    pub(crate) fn code(self) -> u8 {
        match self {
            Exit::Holds => 0,
            Exit::Broken => 1,
            Exit::Usage => 2,
            Exit::Unmeasured => 3,
            Exit::Unsure => 4,
        }
    }

    /// What a run with these outcomes comes to: a broken budget first, then what could not be measured,
    /// then what could not be settled.
    pub(crate) fn of<'a>(outcomes: impl IntoIterator<Item = &'a Outcome>) -> Exit {
        let rank = |verdict: Verdict| match verdict {
            Verdict::Fail => 3,
            Verdict::Unmeasured => 2,
            Verdict::Unsure => 1,
            Verdict::Pass | Verdict::Warn | Verdict::Skipped => 0,
        };
        match outcomes.into_iter().map(|outcome| rank(outcome.verdict)).max() {
            Some(3) => Exit::Broken,
            Some(2) => Exit::Unmeasured,
            Some(1) => Exit::Unsure,
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
    use super::*;

    #[track_caller]
    fn check(verdicts: &[Verdict], code: u8) {
        let outcomes: Vec<Outcome> =
            verdicts.iter().map(|&verdict| Outcome { verdict, ..Outcome::default() }).collect();
        assert_eq!(Exit::of(&outcomes).code(), code);
    }

    #[test]
    fn the_worst_verdict_is_the_exit_code() {
        check(&[], 0);
        check(&[Verdict::Pass, Verdict::Warn, Verdict::Skipped], 0);
        check(&[Verdict::Pass, Verdict::Unsure], 4);
        check(&[Verdict::Unmeasured, Verdict::Unsure], 3);
        check(&[Verdict::Unmeasured, Verdict::Fail, Verdict::Unsure], 1);
    }
}
