//! `cargo budget completions SHELL`.

use clap_complete::Shell;

use super::output::print;
use crate::exit::Exit;
use crate::failure::Failure;

/// Print completions for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo budget completions bash > ~/.local/share/bash-completion/completions/cargo-budget")]
pub(super) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    /// Prints the completions for `command`.
    pub(super) fn run(self, command: &mut clap::Command) -> Result<Exit, Failure> {
        let mut text = Vec::new();
        clap_complete::generate(self.shell, command, "cargo-budget", &mut text);
        print(&String::from_utf8_lossy(&text))?;
        Ok(Exit::Holds)
    }
}
