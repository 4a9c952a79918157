//! The two revisions that a proof is about.

use std::path::Path;

use cargo_metadata::Metadata;
use perf_budget_core::budget::Budgets;

use crate::base::build::Built;
use crate::base::configuration::Files;

/// This revision, as it was built.
#[derive(Debug, Clone, Copy)]
pub(in crate::base) struct Head<'a> {
    /// The project's directory.
    pub(in crate::base) root: &'a Path,
    /// The top of its repository.
    pub(in crate::base) top: &'a Path,
    /// The project's directory relative to the top.
    pub(in crate::base) prefix: &'a str,
    /// The files that cargo built.
    pub(in crate::base) built: &'a Built,
    /// Cargo's description of the workspace.
    pub(in crate::base) metadata: &'a Metadata,
    /// The configuration files.
    pub(in crate::base) files: &'a Files,
}

/// This revision, the base's commit, and the budgets of both.
#[derive(Debug, Clone, Copy)]
pub(in crate::base) struct Revisions<'a> {
    /// This revision.
    pub(in crate::base) head: Head<'a>,
    /// The full name of the base's commit.
    pub(in crate::base) commit: &'a str,
    /// This revision's budgets.
    pub(in crate::base) budgets: &'a Budgets,
    /// The base's budgets, where they can be read.
    pub(in crate::base) before: Option<&'a Budgets>,
}
