//! The builds of cargo: what is built, where, and with which result.

use std::path::{Path, PathBuf};

/// A program or a module that cargo builds, and the options it is built with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Whether it is a program or a module.
    pub kind: Kind,
    /// The name of the binary. For a module, the name of its package or of its target.
    pub name: String,
    /// See [`Build::features`](crate::budget::Build::features).
    pub features: Option<Vec<String>>,
    /// The profile of `Cargo.toml`.
    pub profile: String,
    /// See [`Build::wasm_opt`](crate::budget::Build::wasm_opt).
    pub wasm_opt: Vec<String>,
}

/// Whether cargo builds a program or a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A program, which a budget names by `{bin:NAME}`.
    Binary,
    /// A WebAssembly module, which a budget names by `{wasm:NAME}`.
    Module,
}

impl Kind {
    pub(super) const ALL: [Kind; 2] = [Kind::Binary, Kind::Module];

    /// Returns the beginning of a placeholder of this kind, up to the name.
    pub(super) fn mark(self) -> &'static str {
        match self {
            Kind::Binary => "{bin:",
            Kind::Module => "{wasm:",
        }
    }

    pub(super) fn noun(self) -> &'static str {
        match self {
            Kind::Binary => "binary",
            Kind::Module => "module",
        }
    }
}

/// The result of a successful build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// The path of the built file. If a command made it, the directory that the command ran in.
    pub path: PathBuf,
    /// How it was built, as a note for people.
    pub note: String,
}

/// The place where something is built.
#[derive(Debug, Clone)]
pub struct Site {
    /// The directory of `budgets.toml`.
    pub root: PathBuf,
    /// The package whose workspace has the binaries.
    pub package: PathBuf,
    /// The target directory. `None` for the one that cargo chooses.
    pub target: Option<PathBuf>,
    /// The platform to build for. `None` for the one that cargo chooses.
    pub triple: Option<String>,
}

/// Returns the target directory for the subjects of budgets. It is below cargo's own target directory, so that no file
/// of the user is overwritten.
pub(super) fn directory(target: &Path) -> PathBuf {
    target.join("budgets").join("built")
}
