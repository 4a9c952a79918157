//! `cargo budget explain NAME --profile`: the harness profiles what a budget measures, whatever its verdict.

use std::path::Path;
use std::process::Stdio;

use perf_budget_core::profile::{self, Asked, Profile};
use perf_budget_core::selftest;

use super::context::Context;
use super::output::{print, show};
use super::rendering::Rendering;
use crate::base::{self, Base, Built, Target};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::profile::Profiles;
use crate::project::Project;
use crate::report::{Report, names};

/// What is profiled.
pub(super) struct Wanted<'a> {
    /// The name of a budget, of a case or of a test.
    pub(super) name: &'a str,
    /// The revision to compare with; `None` for that of the last run.
    pub(super) revision: Option<String>,
    /// The last run; `None` if there was none.
    pub(super) last: Option<&'a Report>,
    pub(super) target: Target,
    pub(super) format: Rendering,
}

impl Wanted<'_> {
    /// Builds, profiles and shows it.
    pub(super) fn run(self, project: &Project, context: Context) -> Result<Exit, Failure> {
        let budgets = project.budgets()?;
        let tests = names::unmeasured(&budgets);
        if !tests.iter().any(|test| selftest::names(self.name, &test.test)) {
            let known: Vec<String> =
                budgets.budgets.iter().take(12).map(|b| format!("`{}`", b.name)).collect();
            return Err(Failure::usage(format!(
                "budgets.toml has no budget `{}`; it has {}",
                self.name,
                known.join(", ")
            )));
        }
        let of_last = || {
            let mut runs = self.last?.outcomes.iter().map(|outcome| &outcome.run);
            runs.find_map(|run| run.base.as_ref()).map(|base| base.commit.clone())
        };
        let revision = self.revision.clone().or_else(of_last);
        if revision.is_none() {
            context.tell(
                "no base: the last run compared with none, so this says where the instructions are now; `--base REV` \
                 compares with a revision, and `--accepted` with the one whose value was accepted",
            );
        }
        // A revision that does not exist is reported before anything is built.
        if let Some(revision) = &revision {
            base::commit(project, revision)?;
        }
        let head = base::head(&self.target, &project.root)?;
        let asked = base::Asked {
            revision: revision.as_deref(),
            prepare: None,
            times: Some(base::Times::by(&budgets)),
            from: None,
            head: Some(&head),
            proves: false,
            effort: None,
            asks_files: false,
        };
        let tell = |text: &str| context.tell(text);
        let base = base::compared(project, &self.target, &asked, context.progress, &tell)??;
        let file = self.profile(project, &head, base.as_ref(), context)?;
        let profiles = Profiles {
            against: base
                .as_ref()
                .filter(|base| base.lacks.is_none())
                .map(|base| base.commit.clone()),
            all: profile::read(&file)?,
        };
        match self.format {
            Rendering::Text => show(&profiles.text())?,
            Rendering::Json => print(&profiles.json()?)?,
        }
        let is_there = |profile: &Profile| profile.blame.is_some();
        Ok(if profiles.all.iter().any(is_there) { Exit::Holds } else { Exit::Unmeasured })
    }

    /// Runs the harness, and returns the file with its profiles.
    fn profile(
        &self,
        project: &Project,
        head: &Built,
        base: Option<&Base>,
        context: Context,
    ) -> Result<std::path::PathBuf, Failure> {
        let results = project.results();
        let results =
            std::path::absolute(&results).map_err(|e| Failure::io("resolve", &results, &e))?;
        let file = results.join("profile.jsonl");
        remove(&file)?;
        let asked = Asked { file: file.clone(), name: self.name.to_owned() };
        let mut tests = base::harness(head, &self.target, project)?;
        Base::tell(base, &mut tests)?;
        for name in ["PERF_BUDGET_SHARD", "PERF_BUDGET_RUN", "NEXTEST_RUN_ID"] {
            tests.env_remove(name);
        }
        tests.env("PERF_BUDGET_DIR", results).env(profile::VARIABLE, asked.to_text());
        tests.stdin(Stdio::null()).stdout(Stdio::null());
        if context.quiet {
            tests.env("PERF_BUDGET_QUIET", "1");
        }
        let status = tests
            .status()
            .map_err(|e| Failure::unmeasured(format!("failed to start the tests: {e}")))?;
        match status.code() {
            Some(code) if code == i32::from(profile::PROFILED) => Ok(file),
            Some(2) => {
                Err(Failure::usage("the tests did not start; they printed the reason above"))
            }
            _ => Err(Failure::unmeasured(format!(
                "the tests ended with {status} and profiled nothing; check that they use this version of perf-budget"
            ))),
        }
    }
}

/// Removes the profiles of an earlier run, which must not be taken for those of this one.
fn remove(file: &Path) -> Result<(), Failure> {
    match std::fs::remove_file(file) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Failure::io("remove", file, &e)),
        _ => Ok(()),
    }
}
