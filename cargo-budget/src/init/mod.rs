//! `cargo budget init`: the files that a crate needs for its first budgets.
//!
//! Everything is planned before anything is written. Existing files are kept, so a second run finds nothing to do.
//! Each limit that it sets can be measured, and is so generous that nothing breaks it. A part that may not be measurable
//! gets its budget as a comment.

mod budgets;
mod harness;
mod library;
mod limits;
mod manifest;
mod package;
mod workflow;

use std::path::{Path, PathBuf};

use perf_budget_core::budget::{self, Subject};

pub(crate) use library::checkout;
pub(crate) use limits::Measured;
pub(crate) use package::PackageContents;

use crate::edit;
use crate::failure::Failure;
use crate::file;

/// The files to write, and the messages for the user.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The files to write, in the order in which they are shown.
    pub(crate) writes: Vec<Write>,
    /// The names of files that exist already and stay as they are.
    pub(crate) existing: Vec<String>,
    /// The notes about what the user has to know or do.
    pub(crate) notes: Vec<String>,
}

/// A file to write.
#[derive(Debug)]
pub(crate) struct Write {
    /// The path of the file.
    pub(crate) path: PathBuf,
    /// The name of the file, relative to the workspace or the repository.
    pub(crate) name: String,
    /// The present content; `None` where the file does not exist.
    pub(crate) before: Option<String>,
    /// The new content.
    pub(crate) after: String,
}

/// Plans every file for the package.
pub(crate) fn plan(package: &PackageContents, library: Option<&Path>) -> Result<Plan, Failure> {
    let mut plan = Plan { writes: Vec::new(), existing: Vec::new(), notes: Vec::new() };
    let file = package.directory.join("budgets.toml");
    let needs_sample = package.needs_a_sample();
    let registered: Vec<String> = if file.exists() {
        // The file is loaded now, because a mistake in it would otherwise be found only after the other files were
        // written.
        let budgets = budget::load(&file)?;
        plan.existing.push(package.name_of(&file));
        let workloads = budgets.budgets.iter().filter_map(|budget| match &budget.subject {
            Subject::Workload(name) => Some(name.clone()),
            Subject::Artifact(_)
            | Subject::Command(_)
            | Subject::Benchmark(..)
            | Subject::Record(_) => None,
        });
        workloads.collect()
    } else {
        let text = budgets::text(package, needs_sample);
        budget::parse(&text, &file)?;
        plan.write(package, file, None, text);
        Vec::new()
    };
    harness(package, needs_sample && registered.is_empty(), &registered, &mut plan)?;
    let path = package.directory.join("Cargo.toml");
    let before = file::read(&path)?;
    let (after, notes) = manifest::edit(&before, library)
        .map_err(|e| Failure::usage(format!("failed to edit `{}`: {e}", path.display())))?;
    plan.notes.extend(notes);
    if after == before {
        plan.existing.push(package.name_of(&path));
    } else {
        plan.write(package, path, Some(before), after);
    }
    let path = package.repository.join(".github/workflows/budgets.yml");
    if path.exists() {
        plan.existing.push(package.name_of(&path));
        let command = budgets::run(package);
        if package.has_siblings && !file::read(&path)?.contains(&command) {
            plan.notes
                .push(format!("{} does not run `{command}`; add it there", package.name_of(&path)));
        }
    } else {
        plan.write(package, path, None, workflow::text(package));
    }
    Ok(plan)
}

/// Plans the harness in `tests/budgets.rs`. `registered` are the workloads that an existing file with budgets names.
fn harness(
    package: &PackageContents,
    sample: bool,
    registered: &[String],
    plan: &mut Plan,
) -> Result<(), Failure> {
    let path = package.directory.join("tests/budgets.rs");
    if !path.exists() {
        plan.write(package, path, None, harness::text(package, sample));
        if !registered.is_empty() {
            plan.notes.push(format!(
                "budgets.toml names workloads that tests/budgets.rs has to register: {}",
                registered.join(", ")
            ));
        }
        return Ok(());
    }
    let text = file::read(&path)?;
    if !text.contains("perf_budget") {
        return Err(Failure::usage(format!(
            "`{}` exists already and is not a harness of perf-budget, but the test target to be \
             added has its name; rename the file, and run this again",
            path.display()
        )));
    }
    if sample && !text.contains(&format!("\"{}\"", budgets::SAMPLE)) {
        plan.notes.push(format!(
            "budgets.toml has a workload `{}` that tests/budgets.rs does not register; name a workload that it registers",
            budgets::SAMPLE
        ));
    }
    plan.existing.push(package.name_of(&path));
    Ok(())
}

impl Plan {
    /// Adds an absolute limit for each benchmark that was measured, and returns how many.
    pub(crate) fn add_limits(
        &mut self,
        package: &PackageContents,
        measured: &Measured,
    ) -> Result<usize, Failure> {
        let path = package.directory.join("budgets.toml");
        let planned = self.writes.iter().position(|write| write.path == path);
        let text = match planned {
            Some(nth) => self.writes[nth].after.clone(),
            None => file::read(&path)?,
        };
        let limits = limits::limits(measured, &budget::parse(&text, &path)?);
        self.notes.extend(limits.notes);
        if limits.count == 0 {
            return Ok(0);
        }
        let newline = if text.ends_with('\n') { "" } else { "\n" };
        let end = edit::line_end(&text);
        let after = format!("{text}{}", format!("{newline}{}", limits.text).replace('\n', end));
        budget::parse(&after, &path)?;
        if let Some(nth) = planned {
            self.writes[nth].after = after;
        } else {
            let name = package.name_of(&path);
            self.existing.retain(|existing| *existing != name);
            self.write(package, path, Some(text), after);
        }
        Ok(limits.count)
    }

    /// Returns whether Cargo.toml gets entries.
    pub(crate) fn edits_the_manifest(&self) -> bool {
        self.writes.iter().any(|write| write.path.ends_with("Cargo.toml"))
    }

    fn write(
        &mut self,
        package: &PackageContents,
        path: PathBuf,
        before: Option<String>,
        after: String,
    ) {
        let name = package.name_of(&path);
        self.writes.push(Write { path, name, before, after });
    }
}
