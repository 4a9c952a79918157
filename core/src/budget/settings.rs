//! The settings of a file, which hold for every budget that does not say otherwise.

use std::time::Duration;

use glob::Pattern;
use serde::{Deserialize, Serialize};

use super::Build;

/// `[settings]`: what holds for every budget that does not say otherwise.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The most time one statistical budget may take to reach its verdict. Default 10 s.
    pub effort: Duration,
    /// How long one process may run before it counts as hung. Default 60 s.
    pub timeout: Duration,
    /// How long one build of what is measured may take. Default [`Build::TIMEOUT`].
    pub build_timeout: Duration,
    /// How long one wait for the lock of the machine may take. Default [`Settings::LOCK_TIMEOUT`].
    pub lock_timeout: Duration,
    /// Chance that the whole suite shows any false red. In (0, 0.5]; default 0.01.
    pub alpha: f64,
    /// A limit used beyond this share is a warning. In (0, 1]; default 0.9.
    pub warn_at: f64,
    /// The treatment of a limit that evidence cannot settle. The default is a warning.
    pub inconclusive: Inconclusive,
    /// How much worse than at the base revision every limited metric may be, if there is a base. Default none, so that
    /// only limits that name `base` are compared with it.
    pub base: Option<BaseLimits>,
    /// The most time that all measurements of a run may take together; default none.
    pub total: Option<Duration>,
    /// How often each revision is linked at first, in another order each time, if their times are compared: from 1
    /// to 128; default 16. If it is more than 1, more links follow when a limit needs them. The command, which builds the
    /// revisions, reads it.
    pub layouts: u32,
    /// Globs of files, relative to the file's directory, that have no part in what any budget measures.
    pub inert: Vec<String>,
    /// In how many codegen units the packages of the workspace are compiled if times are compared with the base. The
    /// command, which builds them, reads it.
    pub codegen_units: CodegenUnits,
}

impl Settings {
    /// The default of `lock_timeout`. A process holds the lock for one measurement at a time, and a wait this long means
    /// that something is stuck.
    pub const LOCK_TIMEOUT: Duration = Duration::from_secs(15 * 60);
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            effort: Duration::from_secs(10),
            timeout: Duration::from_secs(60),
            build_timeout: Build::TIMEOUT,
            lock_timeout: Settings::LOCK_TIMEOUT,
            alpha: 0.01,
            warn_at: 0.9,
            inconclusive: Inconclusive::Warn,
            base: None,
            total: None,
            layouts: 16,
            codegen_units: CodegenUnits::One,
            inert: Vec::new(),
        }
    }
}

/// In how many codegen units a package is compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodegenUnits {
    /// In one unit, so that a change does not alter the machine code of what it does not touch.
    One,
    /// In as many units as cargo's profile says, as in the program that is shipped.
    AsBuilt,
}

/// `base = { limit = "5 %", except = ["*::p99"] }`: one limit against the base for all limited metrics.
#[derive(Debug, Clone, PartialEq)]
pub struct BaseLimits {
    /// How much worse than at the base a metric may be, in (0, 1]: 0.05 is 5 %.
    pub limit: f64,
    /// Names of tests that have no such limit.
    pub except: Vec<Pattern>,
}

impl BaseLimits {
    /// Returns the names that have no such limit, as they are written.
    pub fn excepted(&self) -> impl Iterator<Item = &str> {
        self.except.iter().map(Pattern::as_str)
    }
}

/// The treatment of a limit that evidence cannot settle.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Inconclusive {
    /// It is a warning, and its test is ok.
    #[default]
    Warn,
    /// It is red.
    Fail,
}

impl Inconclusive {
    /// Returns its word in `budgets.toml`.
    pub fn name(self) -> &'static str {
        match self {
            Inconclusive::Warn => "warn",
            Inconclusive::Fail => "fail",
        }
    }
}
