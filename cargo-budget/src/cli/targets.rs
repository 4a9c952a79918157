//! The test targets that `check` runs: the one that is named, or all that have budgets. A target may read another file than
//! `budgets.toml`, and only its harness knows which.

use std::path::PathBuf;
use std::process::Stdio;

use perf_budget_core::paths::asked;

use super::context::Context;
use super::target::{DEFAULT, Options};
use crate::base::Target;
use crate::child;
use crate::failure::Failure;
use crate::file;
use crate::project::Project;
use crate::target;

/// A test target, and the project with the file that it reads.
pub(super) struct Chosen {
    pub(super) target: Target,
    pub(super) project: Project,
}

/// Returns the targets to run, at least one.
///
/// # Errors
/// If a target of the package is a harness whose `main` is never run, or cannot be asked which file it reads.
pub(super) fn choose(
    project: &Project,
    options: &Options,
    context: Context,
) -> Result<Vec<Chosen>, Failure> {
    let harnesses = target::harnesses(&project.root);
    let named = options.test.as_deref();
    let names: Vec<&str> = match named {
        Some(name) => vec![name],
        None => harnesses.run.iter().map(String::as_str).collect(),
    };
    let is_alone = |name: &str| harnesses.run.iter().all(|other| other == name);
    match names[..] {
        [] => return Ok(vec![alone(project, options, DEFAULT)]),
        [name] if is_alone(name) && (named.is_some() || harnesses.never_run.is_empty()) => {
            return Ok(vec![alone(project, options, name)]);
        }
        _ => {}
    }
    if let (None, Some(name)) = (named, harnesses.never_run.first()) {
        let why = target::fault(&project.root, name).unwrap_or_else(|| {
            format!("the test target `{name}` has libtest's own `main`, which runs no budget")
        });
        return Err(Failure::unmeasured(format!("nothing was judged: {why}")));
    }
    let mut chosen = Vec::new();
    for name in &names {
        let target = options.target_of(name);
        match file_of(project, &target)? {
            Some(file) => chosen.push(Chosen { target, project: project.reading(&file) }),
            None if named.is_some() => chosen.push(alone(project, options, name)),
            None => context.tell(&format!(
                "note: the test target `{name}` names perf-budget, and its `main` is not that of a harness of this version: \
                 no budget of it is judged"
            )),
        }
    }
    if named.is_none() {
        for name in &harnesses.left_out {
            context.tell(&format!(
                "note: the test target `{name}` is left out, as Cargo.toml says by `test = false`; `--test {name}` runs it"
            ));
        }
    }
    Ok(if chosen.is_empty() { vec![alone(project, options, DEFAULT)] } else { chosen })
}

/// Returns a target of the project's own file, without asking which file the target reads.
fn alone(project: &Project, options: &Options, name: &str) -> Chosen {
    Chosen { target: options.target_of(name), project: project.clone() }
}

/// Returns the file that a target reads; `None` if the target has no harness that answers the question.
fn file_of(project: &Project, target: &Target) -> Result<Option<PathBuf>, Failure> {
    let results = std::path::absolute(project.results())
        .map_err(|e| Failure::io("resolve", &project.results(), &e))?;
    std::fs::create_dir_all(&results).map_err(|e| Failure::io("create", &results, &e))?;
    let answer = results.join(format!("asked-{}.json", std::process::id()));
    file::remove(&answer)?;
    let mut cargo = child::cargo();
    cargo.arg("test").args(target.arguments()).args(["--", "--list"]);
    cargo.env(asked::VARIABLE, &answer).current_dir(&project.root);
    cargo.stdin(Stdio::null()).stdout(Stdio::null());
    let status =
        cargo.status().map_err(|e| Failure::unmeasured(format!("failed to start cargo: {e}")))?;
    let answered = asked::answered(&answer);
    file::remove(&answer)?;
    match answered? {
        None if !status.success() => Err(Failure::unmeasured(format!(
            "nothing was judged: the tests of the test target `{}` could not be listed, for the reason above",
            target.test
        ))),
        answered => Ok(answered),
    }
}
