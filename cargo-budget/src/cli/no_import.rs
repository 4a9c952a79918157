//! `cargo budget history import` in a command that was built without it.

use std::ffi::OsString;

use clap::Args;

use super::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;

/// Import results of other tools (this command was built without its cargo feature `import`)
#[derive(Debug, Args)]
pub(super) struct Import {
    /// Any arguments, which are ignored
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    _arguments: Vec<OsString>,
}

impl Import {
    #[expect(clippy::unused_self, reason = "it has the signature of the command that can import")]
    pub(super) fn run(self, _: Context) -> Result<Exit, Failure> {
        Err(Failure::usage(
            "this cargo-budget was built without its cargo feature `import`; install it by \
             `cargo install cargo-budget --features import`",
        ))
    }
}
