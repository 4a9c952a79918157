//! The option `--format text|json` of the subcommands that have no other formats.

/// The format of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(super) enum Rendering {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
}
