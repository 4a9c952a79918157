//! The option `--format text|json`, which every command with results has.

use serde_json::Value;

use super::output::{print, show};
use crate::failure::Failure;

/// The format of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(super) enum Rendering {
    /// Text for people
    #[default]
    Text,
    /// JSON for programs
    Json,
}

impl Rendering {
    /// Whether the output is for programs.
    pub(super) fn is_json(self) -> bool {
        self == Rendering::Json
    }

    /// Prints the result of a command. Only the form that the option names is made.
    pub(super) fn put(
        self,
        text: impl FnOnce() -> String,
        json: impl FnOnce() -> Value,
    ) -> Result<(), Failure> {
        match self {
            Rendering::Text => show(&text()),
            Rendering::Json => document(&json()),
        }
    }
}

/// Prints a document for programs.
pub(super) fn document(json: &Value) -> Result<(), Failure> {
    print(&format!("{json:#}\n"))
}
