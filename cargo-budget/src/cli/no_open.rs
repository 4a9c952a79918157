//! `cargo budget open` on a system where it cannot talk to a browser.

use super::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;

/// Open a page in a headless Chromium (on Linux and macOS)
#[derive(Debug, clap::Args)]
pub(super) struct Open {
    /// The arguments that other systems take
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    arguments: Vec<String>,
}

impl Open {
    pub(super) fn run(self, _: Context) -> Result<Exit, Failure> {
        let page = self.arguments.first().map_or("the page", String::as_str);
        Err(Failure::unmeasured(format!(
            "failed to open `{page}`: the command talks to the browser through two inherited pipes, on Linux and macOS only; \
             measure it there"
        )))
    }
}
