//! The content of `budgets.lock`: the accepted values of what budgets measure. `cargo budget accept` writes the file.
//!
//! The file has one block for each value. Each block is complete in itself, and they are in the order of their names,
//! so that version control can merge what two people have accepted.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub use super::parse::lock::{load, parse};
use crate::date::Date;
use crate::quantity::Unit;

/// The version of the format.
pub const VERSION: i64 = 1;

/// Every unit, with its word in the file.
pub const UNITS: [(&str, Unit); 6] = [
    ("B", Unit::Bytes),
    ("s", Unit::Seconds),
    ("op/s", Unit::PerSecond),
    ("B/s", Unit::BytesPerSecond),
    ("share", Unit::Share),
    ("number", Unit::Number),
];

/// A whole `budgets.lock`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lock {
    /// The accepted values by the name of what was measured: `merge::p99`, `records::records=1000::rss`, or
    /// `merge::p99::x_other` for a ratio.
    pub values: BTreeMap<String, Locked>,
}

/// An accepted value, and where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct Locked {
    /// The value, in the base unit of `unit`. Finite.
    pub value: f64,
    /// The lower end of its interval. `None` if the evidence did not bound it.
    pub low: Option<f64>,
    /// The upper end of its interval. `None` if the evidence did not bound it.
    pub high: Option<f64>,
    /// The unit of the value.
    pub unit: Unit,
    /// The day on which it was accepted.
    pub date: Date,
    /// The revision that was measured, if version control told it.
    pub commit: Option<String>,
    /// The counter, if the value is a number of instructions.
    pub counter: Option<String>,
    /// The environment in which it was measured.
    pub environment: Environment,
    /// The line of its table header, from 1.
    pub line: usize,
}

/// The environment that statistical values depend on, besides the code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment {
    /// The processor's name. Empty if the system does not tell it.
    pub processor: String,
    /// The number of processors that the process may use.
    pub cores: usize,
    /// The operating system and the architecture, as in `linux x86_64`.
    pub platform: String,
    /// The profile: `release` or `debug`.
    pub profile: String,
}

impl std::fmt::Display for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.processor.is_empty() {
            write!(f, "{}, ", self.processor)?;
        }
        let plural = if self.cores == 1 { "" } else { "s" };
        write!(f, "{} core{plural}, {}, {}", self.cores, self.platform, self.profile)
    }
}

/// Returns the path of the file with the accepted values: `budgets.lock` beside `budgets.toml`.
pub fn place(budgets: &Path) -> PathBuf {
    budgets.with_extension("lock")
}
