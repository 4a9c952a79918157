//! `cargo budget explain BUDGET`.

use std::path::{Path, PathBuf};

use perf_budget_core::budget::{Subject, lock};
use serde_json::Value;

use super::context::Context;
use super::output::show;
use super::profiled::ProfileRequest;
use super::rendering::{Rendering, document};
use crate::base::{self, Target};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::inside::{FILES, FileContents, InspectedFile, Part, Place};
use crate::project::Project;
use crate::report::{Report, explain, explain_json, input};

/// Show everything that the last run recorded about a budget
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo budget explain merge                               every limit of [budget.merge]
  cargo budget explain merge::p99                          one of its limits
  cargo budget explain merge --profile                     which functions run, or changed since the last run's base
  cargo budget explain merge --profile --base v1.2.0       which functions changed since another revision
  cargo budget explain module --base main                  what changed in an artifact since another revision
  cargo budget explain module --accepted                   what changed since the revision whose value was accepted
  cargo budget explain module --against /tmp/main.wasm     what differs from another build of the artifact
  cargo budget explain merge --format json | jq '.limits[] | select(.red) | .next'

Exits with 0 whatever the verdicts are; the exit code of `cargo budget report` follows from them.")]
pub(super) struct Explain {
    /// The name of a budget or of a test
    budget: String,
    /// Read these records instead of the project's, and use the last run in all of them
    #[arg(long, short, value_name = "FILE", num_args = 1..)]
    input: Vec<PathBuf>,
    /// For a budget on an artifact: compare what is inside it with this other build of it
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// Compare with this revision instead, which is checked out and built as `check --base` does
    #[arg(long, value_name = "REV", conflicts_with = "against")]
    base: Option<String>,
    /// Compare with the revision whose value is in budgets.lock
    #[arg(long, conflicts_with_all = ["against", "base"])]
    accepted: bool,
    /// Profile what the budget measures, whatever its verdict is. The profile says which functions changed since the base of
    /// the last run, since `--base` or since `--accepted`; if there is none of these, it says where the instructions are now.
    /// Without Valgrind it says where the time goes, by samples
    #[arg(long, conflicts_with_all = ["input", "against"])]
    profile: bool,
    /// The format of the output: text for people, or JSON. The JSON has everything that was recorded and what to do next; with
    /// `--profile` it has the profile
    #[arg(long, value_enum, default_value_t)]
    format: Rendering,
    /// The test target that has the budgets, for a profile
    #[arg(long, value_name = "NAME", default_value = "budgets", requires = "profile")]
    test: String,
    /// The features to build with, for a profile
    #[arg(long, short = 'F', value_name = "FEATURES", requires = "profile")]
    features: Vec<String>,
}

impl Explain {
    pub(super) fn run(self, context: Context) -> Result<Exit, Failure> {
        if self.profile {
            return self.profiled(context);
        }
        let report = match self.input.as_slice() {
            [] => input::latest(Path::new("."), context.progress)?,
            files => input::record(files, true, context.progress)?,
        };
        let compares = self.compares();
        if matches!(self.format, Rendering::Json) {
            let mut json = explain_json::render(&report, &self.budget)?;
            json["inside"] = match self.inspected_artifact(&report, context) {
                Ok(files) => files.iter().map(InspectedFile::json).collect(),
                Err(failure) if compares => return Err(failure),
                // What was measured is shown even if the artifact cannot be inspected.
                Err(failure) => {
                    context.warn(&format!("nothing was looked into: {failure}"));
                    Value::Null
                }
            };
            document(&json)?;
            return Ok(Exit::Holds);
        }
        show(&explain::render(&report, &self.budget)?)?;
        for file in self.inspected_artifact(&report, context)? {
            show(&file.text())?;
        }
        Ok(Exit::Holds)
    }

    /// Profiles what the budget measures, built as in the last run.
    fn profiled(&self, context: Context) -> Result<Exit, Failure> {
        let project = Project::current()?;
        // A project may be profiled before its first run.
        let last = input::latest(Path::new("."), context.progress).ok();
        let profile = last.as_ref().map_or("release", Report::profile);
        let request = ProfileRequest {
            name: &self.budget,
            revision: self.revision(&project)?,
            last: last.as_ref(),
            target: Target {
                test: self.test.clone(),
                options: self.features.iter().map(|list| format!("--features={list}")).collect(),
                ..target(profile)
            },
            format: self.format,
        };
        request.run(&project, context)
    }

    /// Whether another artifact is named to compare with.
    fn compares(&self) -> bool {
        self.against.is_some() || self.base.is_some() || self.accepted
    }

    /// Returns what is inside the artifact of the budget; empty if the report is of another project.
    fn inspected_artifact(
        &self,
        report: &Report,
        context: Context,
    ) -> Result<Vec<InspectedFile>, Failure> {
        match Project::find(Path::new(".")) {
            Ok(project) if self.input.is_empty() => self.inside(&project, report, context),
            _ if self.compares() => Err(Failure::usage(
                "`--against`, `--base` and `--accepted` look into the project's artifact, but the \
                 records of `--input` may be of other files; leave out `--input`",
            )),
            _ => Ok(Vec::new()),
        }
    }

    /// Returns what is inside the artifact of the budget; empty where its subject is something else.
    fn inside(
        &self,
        project: &Project,
        report: &Report,
        context: Context,
    ) -> Result<Vec<InspectedFile>, Failure> {
        let budgets = project.budgets()?;
        let named = |name: &str| perf_budget_core::selftest::names(name, &self.budget);
        let budget = budgets.budgets.iter().find(|budget| named(&budget.name));
        let artifact = budget.and_then(|budget| match &budget.subject {
            Subject::Artifact(patterns) => Some((budget, patterns)),
            Subject::Workload(_)
            | Subject::Command(_)
            | Subject::Benchmark(..)
            | Subject::Record(_) => None,
        });
        let revision = self.revision(project)?;
        let Some((budget, patterns)) = artifact else {
            return match (&self.against, revision) {
                (None, None) => Ok(Vec::new()),
                _ => Err(Failure::usage(format!(
                    "`{}` is not a budget on an artifact: there is nothing to look into",
                    self.budget
                ))),
            };
        };
        let profile = report.profile();
        let other_place = match revision {
            Some(revision) => Some(built(project, &revision, profile, context)?),
            None => None,
        };
        let files = Place::of_project(project).files(budget, patterns)?;
        let files = &files[..files.len().min(FILES)];
        let others = match &other_place {
            Some(place) => Some(place.files(budget, patterns)?),
            None => None,
        };
        let work = context.progress.count("looking into", "files", files.len());
        let against = self.against.as_deref().map(FileContents::read).transpose()?.flatten();
        if let (Some(path), None) = (&self.against, &against) {
            let why = "it is neither an ELF file nor a WASM module";
            return Err(Failure::io("look into", path, &why));
        }
        let mut all = Vec::new();
        for Part { name, path } in files {
            let Some(inside) = FileContents::read(path)? else { continue };
            let before = match &others {
                Some(others) => contents_before(others, name, context)?,
                None => against.clone(),
            };
            let name = path.strip_prefix(&project.root).unwrap_or(path).display().to_string();
            all.push(InspectedFile { name, inside, before });
            work.step();
        }
        Ok(all)
    }

    /// Returns the revision to compare with, if there is one.
    fn revision(&self, project: &Project) -> Result<Option<String>, Failure> {
        if !self.accepted {
            return Ok(self.base.clone());
        }
        let path = lock::place(&project.file());
        let lock = lock::load(&path)?;
        let named = |test: &str| {
            perf_budget_core::selftest::names(&self.budget, test)
                || perf_budget_core::selftest::names(test, &self.budget)
        };
        let locked = lock.values.iter().filter(|(test, _)| named(test)).map(|(_, locked)| locked);
        let newest =
            locked.filter(|locked| locked.commit.is_some()).max_by_key(|locked| locked.date);
        let commit = newest.and_then(|locked| locked.commit.as_deref()).ok_or_else(|| {
            Failure::usage(format!(
                "`{}` has no value of `{}` that was accepted at a commit; run `cargo budget accept`, or \
                 name a revision with `--base`",
                path.display(),
                self.budget
            ))
        })?;
        Ok(Some(commit.trim_end_matches("-dirty").to_owned()))
    }
}

/// Returns the contents of the file of this name at the other revision. It warns if that has no such file.
fn contents_before(
    others: &[Part],
    name: &str,
    context: Context,
) -> Result<Option<FileContents>, Failure> {
    let other = others.iter().find(|other| other.name == name);
    let before = other.map(|other| FileContents::read(&other.path)).transpose()?.flatten();
    if before.is_none() {
        context.warn(&format!("the other revision has no `{name}` to compare with"));
    }
    Ok(before)
}

/// Returns the test target of the budgets, built in the profile that a record names.
fn target(profile: &str) -> Target {
    Target {
        test: "budgets".to_owned(),
        profile: if profile == "debug" { "dev" } else { profile }.to_owned(),
        options: Vec::new(),
    }
}

/// Prepares another revision so that its artifacts can be built as in the last run.
fn built<'p>(
    project: &'p Project,
    revision: &str,
    profile: &str,
    context: Context,
) -> Result<Place<'p>, Failure> {
    let target = target(profile);
    let request = base::BaseRequest { revision: Some(revision), ..base::BaseRequest::default() };
    let tell = |text: &str| context.tell(text);
    let base = base::compared(project, &target, &request, context.progress, &tell)??;
    if let Some(lacks) = base.as_ref().and_then(|base| base.lacks.as_ref()) {
        return Err(Failure::unmeasured(format!(
            "`{revision}` {lacks}, so nothing is compared with it"
        )));
    }
    Ok(base.map_or_else(|| Place::of_project(project), |base| Place::of_base(project, base)))
}
