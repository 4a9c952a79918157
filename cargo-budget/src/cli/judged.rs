//! What `check` knows after the tests of one target, or of several.

use super::added::Nothing;
use crate::exit::Exit;
use crate::report::Cause;

/// What was judged.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) exit: Exit,
    /// Remarks of the command, for programs.
    pub(super) remarks: Vec<String>,
    /// What made the reds against the base red, for programs, where that was asked.
    pub(super) causes: Vec<Cause>,
    /// Why a target has judged nothing; a fault takes the place of any other reason.
    pub(super) nothing: Option<Nothing>,
    /// Whether some target has judged a budget.
    pub(super) some: bool,
}

impl Default for Judged {
    fn default() -> Judged {
        Judged {
            exit: Exit::Holds,
            remarks: Vec::new(),
            causes: Vec::new(),
            nothing: None,
            some: false,
        }
    }
}

impl Judged {
    /// Adds what another target has judged.
    pub(super) fn add(&mut self, other: Judged) {
        self.exit = self.exit.worse(other.exit);
        self.remarks.extend(other.remarks);
        self.causes.extend(other.causes);
        self.some |= other.some;
        if !matches!(self.nothing, Some(Nothing::Fault(_))) && other.nothing.is_some() {
            self.nothing = other.nothing;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_of_several_targets_counts() {
        let left = || Some(Nothing::LeftOut("filtered".to_owned()));
        let fault = || Some(Nothing::Fault("wrong".to_owned()));
        let of = |exit, nothing: Option<Nothing>| {
            let some = nothing.is_none();
            Judged { exit, nothing, some, ..Judged::default() }
        };
        let check = |both: [Judged; 2], exit, is_fault: bool, some: bool| {
            let mut all = Judged::default();
            for one in both {
                all.add(one);
            }
            assert_eq!((all.exit, all.some), (exit, some));
            assert_eq!(matches!(all.nothing, Some(Nothing::Fault(_))), is_fault);
        };
        check([of(Exit::Broken, None), of(Exit::Holds, None)], Exit::Broken, false, true);
        check([of(Exit::Unmeasured, None), of(Exit::Broken, None)], Exit::Broken, false, true);
        check([of(Exit::Broken, None), of(Exit::Usage, None)], Exit::Usage, false, true);
        check([of(Exit::Holds, left()), of(Exit::Holds, None)], Exit::Holds, false, true);
        check([of(Exit::Holds, fault()), of(Exit::Holds, left())], Exit::Holds, true, false);
        check(
            [of(Exit::Holds, left()), of(Exit::Inconclusive, None)],
            Exit::Inconclusive,
            false,
            true,
        );
    }
}
