//! The part of a record that belongs to one environment of `budgets.toml`: an edit uses only the numbers of the environment
//! whose limits it writes.

use std::collections::{BTreeSet, HashMap};

use perf_budget_core::budget::Budgets;
use perf_budget_core::budget::environment::{NONE, named_for_process};
use perf_budget_core::outcome::Run;
use perf_budget_core::record::Record;

use crate::failure::Failure;
use crate::project::Project;
use crate::runs::latest;

/// The part of a record that belongs to one environment.
#[derive(Debug)]
pub(crate) struct EnvironmentPart {
    /// The record without the runs of other environments.
    pub(crate) record: Record,
    /// The budgets as they are in the environment.
    pub(crate) budgets: Budgets,
    /// A remark on the latest outcomes that are left out, since they are of another environment; `None` if there are none.
    pub(crate) left_out: Option<String>,
}

/// Returns the part of the record that belongs to the environment that `--env` names, or else to the one of the last run.
///
/// # Errors
/// If there is no run in the environment that `--env` names, or if the file no longer has the environment of the last run.
pub(crate) fn part_to_edit(
    project: &Project,
    mut record: Record,
) -> Result<EnvironmentPart, Failure> {
    let named = named_for_process().map(|_| project.budgets()).transpose()?;
    // Another test target may have a file of its own, which has other environments.
    let mut known = HashMap::new();
    let mut is_own = |file: &String| {
        file.is_empty() || *known.entry(file.clone()).or_insert_with(|| project.is_file_of(file))
    };
    let last = record.outcomes.iter().rev().find(|outcome| is_own(&outcome.file));
    let environment_of_last = last.and_then(|outcome| outcome.run.environment.clone());
    let wanted = named.as_ref().map_or(environment_of_last, |budgets| budgets.environment.clone());
    let name = wanted.as_deref().unwrap_or(NONE);
    let is_wanted = |run: &Run| run.environment == wanted;
    let has_run = record.outcomes.iter().any(|o| is_own(&o.file) && is_wanted(&o.run));
    if !has_run && !record.outcomes.is_empty() && named.is_some() {
        return Err(Failure::usage(format!(
            "the record has no run of the environment `{name}`, which `--env` names; run \
             `PERF_BUDGET_ENV={name} cargo test --release` first, or leave `--env` out"
        )));
    }
    let mut others = latest(&record);
    others.retain(|outcome| is_own(&outcome.file) && !is_wanted(&outcome.run));
    record.outcomes.retain(|outcome| !is_own(&outcome.file) || is_wanted(&outcome.run));
    record.begun.retain(|begun| !is_own(&begun.file) || is_wanted(&begun.run));
    let budgets = project.budgets_in(wanted.as_deref())?;
    if budgets.environment != wanted {
        return Err(Failure::unmeasured(format!(
            "the last run was in the environment `{name}`, which `{}` does not have any more; run the tests again",
            budgets.path.display()
        )));
    }
    let names: BTreeSet<String> = others
        .iter()
        .map(|outcome| format!("`{}`", outcome.run.environment.as_deref().unwrap_or(NONE)))
        .collect();
    let names: Vec<String> = names.into_iter().collect();
    let (count, s) = (
        others.len(),
        if others.len() == 1 { " is left out: it is" } else { "s are left out: they are" },
    );
    let left_out = (count > 0 && named.is_none()).then(|| {
        format!(
            "{count} outcome{s} of the environment {}, and the last run was in `{name}`; `--env` names the environment \
             that is meant",
            names.join(", ")
        )
    });
    Ok(EnvironmentPart { record, budgets, left_out })
}

/// Reads the budgets as they are without an environment, and in each of them.
pub(crate) fn budgets_of_each(project: &Project) -> Result<Vec<Budgets>, Failure> {
    let mut all = vec![project.budgets_in(None)?];
    for environment in all[0].environments.clone() {
        all.push(project.budgets_in(Some(&environment.name))?);
    }
    Ok(all)
}
