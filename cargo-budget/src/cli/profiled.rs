//! `cargo budget explain NAME --profile`: the harness profiles what a budget measures, whatever its verdict.

use std::path::PathBuf;

use perf_budget_core::profile::{self, Profile, Request};

use super::context::Context;
use super::question::Question;
use super::rendering::Rendering;
use crate::base::{self, Base, Built, Target};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::profile::Profiles;
use crate::project::Project;
use crate::report::{Report, names};
use crate::sampled;

/// The request for a profile.
pub(super) struct ProfileRequest<'a> {
    /// The name of a budget, of a case or of a test.
    pub(super) name: &'a str,
    /// The revision to compare with; `None` for that of the last run.
    pub(super) revision: Option<String>,
    /// The last run; `None` if there was none.
    pub(super) last: Option<&'a Report>,
    pub(super) target: Target,
    pub(super) format: Rendering,
}

impl ProfileRequest<'_> {
    /// Builds the tests, profiles what the budget measures, and shows the profiles.
    pub(super) fn run(self, project: &Project, context: Context) -> Result<Exit, Failure> {
        let budgets = project.budgets()?;
        names::require_known(&budgets, [self.name])?;
        let base_of_last_run = || {
            let mut runs = self.last?.outcomes.iter().map(|outcome| &outcome.run);
            runs.find_map(|run| run.base.as_ref()).map(|base| base.commit.clone())
        };
        let revision = self.revision.clone().or_else(base_of_last_run);
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
        let request = base::BaseRequest {
            revision: revision.as_deref(),
            times: Some(base::BuildOptions::for_budgets(&budgets)),
            head: Some(&head),
            ..base::BaseRequest::default()
        };
        let tell = |text: &str| context.tell(text);
        let base = base::compared(project, &self.target, &request, context.progress, &tell)??;
        let file = self.profile(project, &head, base.as_ref(), context)?;
        let mut all = profile::read(&file)?;
        sampled::complete_profiles(&mut all, &file);
        let profiles = Profiles {
            against: base
                .as_ref()
                .filter(|base| base.lacks.is_none())
                .map(|base| base.commit.clone()),
            all,
        };
        self.format.put(|| profiles.text(), || profiles.json())?;
        let has_blame = |profile: &Profile| profile.blame.is_some();
        Ok(if profiles.all.iter().any(has_blame) { Exit::Holds } else { Exit::Unmeasured })
    }

    /// Runs the harness, and returns the file with its profiles.
    fn profile(
        &self,
        project: &Project,
        head: &Built,
        base: Option<&Base>,
        context: Context,
    ) -> Result<PathBuf, Failure> {
        let file = project.results().join("profile.jsonl");
        let question = Question {
            variable: profile::VARIABLE,
            value: &|file| Request { file, name: self.name.to_owned() }.to_text(),
            answered: profile::PROFILED,
            without_answer: "profiled nothing",
        };
        question.ask(project, (head, &self.target), base, &file, context)?;
        Ok(file)
    }
}
