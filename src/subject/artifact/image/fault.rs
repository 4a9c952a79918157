//! The reason why a file or a directory cannot be read as an image. Every file of this directory returns it.

use std::fmt::Display;
use std::io;

use perf_budget_core::outcome::Cause;

/// The reason why something is not an image that can be measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) cause: Cause,
    pub(super) why: String,
}

impl Fault {
    pub(super) fn new(why: impl Display) -> Fault {
        Fault { cause: Cause::Unsuitable, why: why.to_string() }
    }
}

impl From<io::Error> for Fault {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the system may give any other reason")]
    fn from(error: io::Error) -> Fault {
        let cause = match error.kind() {
            io::ErrorKind::TimedOut => Cause::TimedOut,
            io::ErrorKind::Unsupported => Cause::Unsupported,
            io::ErrorKind::PermissionDenied => Cause::Harness,
            _ => Cause::Unsuitable,
        };
        Fault { cause, why: error.to_string() }
    }
}
