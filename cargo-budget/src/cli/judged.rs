//! What `check` knows after it has run the tests of one target, or of several.

use super::added::NothingJudged;
use crate::exit::Exit;
use crate::report::Cause;

/// What the tests of one target, or of several, have judged.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) exit: Exit,
    /// Remarks of the command, for programs.
    pub(super) remarks: Vec<String>,
    /// What made limits against the base red, for programs, if `--causes` asks for it.
    pub(super) causes: Vec<Cause>,
    /// Why a target has judged nothing. A fault replaces any other reason.
    pub(super) nothing: Option<NothingJudged>,
    /// Whether some target has judged a budget.
    pub(super) any: bool,
}

impl Default for Judged {
    fn default() -> Judged {
        Judged {
            exit: Exit::Holds,
            remarks: Vec::new(),
            causes: Vec::new(),
            nothing: None,
            any: false,
        }
    }
}

impl Judged {
    /// Adds what another target has judged.
    pub(super) fn add(&mut self, other: Judged) {
        self.exit = self.exit.worse(other.exit);
        self.remarks.extend(other.remarks);
        self.causes.extend(other.causes);
        self.any |= other.any;
        if !matches!(self.nothing, Some(NothingJudged::Fault(_))) && other.nothing.is_some() {
            self.nothing = other.nothing;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_of_several_targets_counts() {
        let left_out = || Some(NothingJudged::LeftOut("filtered".to_owned()));
        let fault = || Some(NothingJudged::Fault("wrong".to_owned()));
        let judged = |exit, nothing: Option<NothingJudged>| {
            let any = nothing.is_none();
            Judged { exit, nothing, any, ..Judged::default() }
        };
        let check = |both: [Judged; 2], exit, is_fault: bool, any: bool| {
            let mut all = Judged::default();
            for one in both {
                all.add(one);
            }
            assert_eq!((all.exit, all.any), (exit, any));
            assert_eq!(matches!(all.nothing, Some(NothingJudged::Fault(_))), is_fault);
        };
        check([judged(Exit::Broken, None), judged(Exit::Holds, None)], Exit::Broken, false, true);
        check(
            [judged(Exit::Unmeasured, None), judged(Exit::Broken, None)],
            Exit::Broken,
            false,
            true,
        );
        check([judged(Exit::Broken, None), judged(Exit::Usage, None)], Exit::Usage, false, true);
        check(
            [judged(Exit::Holds, left_out()), judged(Exit::Holds, None)],
            Exit::Holds,
            false,
            true,
        );
        check(
            [judged(Exit::Holds, fault()), judged(Exit::Holds, left_out())],
            Exit::Holds,
            true,
            false,
        );
        check(
            [judged(Exit::Holds, left_out()), judged(Exit::Inconclusive, None)],
            Exit::Inconclusive,
            false,
            true,
        );
    }
}
