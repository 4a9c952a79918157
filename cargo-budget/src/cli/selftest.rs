//! `cargo budget selftest [BUDGET…]`.

use perf_budget_core::budget::{Budgets, Reference};
use perf_budget_core::selftest;
use perf_budget_core::suite::{Suite, Test};

use super::context::Context;
use super::question::Question;
use super::rendering::Rendering;
use super::target::Options;
use crate::base;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::git::Repository;
use crate::project::Project;
use crate::report::names;
use crate::selftest::{RepeatedRuns, Table};

/// Inject a slowdown, allocations or bytes into each budget, and show which size turns it red
///
/// Everything except the injected effect is as in an ordinary run: the same processes, instruments and evidence. The
/// effect is injected into the measured part: busy work after each operation, allocations beside its own, bytes that are
/// held, random bytes in a copy of an artifact. A selftest records no outcomes: `outcomes.jsonl` stays as it is.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo budget selftest
  cargo budget selftest merge module::gzip
  cargo budget selftest --base main            limits against the base revision as well
  cargo budget selftest --same 100             how often is the same code red here, by chance?
  cargo budget selftest --format json | jq '.results[] | select(.finding != \"red\")'

Exits with 1 where a budget is red without an injected effect, or where no size turned it red: such a budget detects nothing.
Each limit takes at most five measurements, each as long as its `effort` allows.")]
pub(super) struct Selftest {
    /// Budgets, or single limits such as merge::p99; all of them by default
    #[arg(value_name = "BUDGET")]
    budgets: Vec<String>,
    /// The revision that limits against `base` are compared with
    #[arg(long, value_name = "REV")]
    base: Option<String>,
    /// Inject nothing: measure the same code N times, and show how often it is red or inconclusive by chance
    ///
    /// Limits against the base compare this commit with itself, built twice.
    #[arg(long, value_name = "N", conflicts_with = "base", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    same: Option<u32>,
    #[command(flatten)]
    options: Options,
    /// The format of the output: a table for people, or JSON with every size that was tried
    #[arg(long, value_enum, default_value_t)]
    format: Rendering,
}

impl Selftest {
    pub(super) fn run(self, context: Context) -> Result<Exit, Failure> {
        let project = Project::current()?;
        let budgets = project.budgets()?;
        names::require_known(&budgets, self.budgets.iter().map(String::as_str))?;
        let target = self.options.target();
        let same_code = match self.same {
            Some(_) => self.revision_of_same_code(&project, &budgets)?,
            None => None,
        };
        let head = base::head(&target, &project.root)?;
        let base = base::compared(
            &project,
            &target,
            &base::BaseRequest {
                revision: self.base.as_deref().or(same_code),
                times: Some(base::BuildOptions::for_budgets(&budgets)),
                head: Some(&head),
                ..base::BaseRequest::default()
            },
            context.progress,
            &|text| context.tell(text),
        )??;
        let file = project.results().join("selftest.jsonl");
        let question = Question {
            variable: selftest::VARIABLE,
            value: &|file| {
                selftest::Request { file, only: self.budgets.clone(), same: self.same }.to_text()
            },
            answered: selftest::SELFTESTED,
            without_answer: "reported no results of a selftest",
        };
        question.ask(&project, (&head, &target), base.as_ref(), &file, context)?;
        if self.same.is_some() {
            return self.count(&RepeatedRuns(selftest::read(&file)?), context);
        }
        let table = Table(selftest::read(&file)?);
        if table.0.is_empty() {
            return Err(Failure::unmeasured("no limit was tested, since there is none"));
        }
        self.format.put(|| table.text(), || table.json())?;
        for sentence in table.closing() {
            context.tell(&sentence);
        }
        Ok(table.exit())
    }

    /// Returns the revision with the code that is checked out, for limits against a base; `None` if no limit needs one.
    ///
    /// # Errors
    /// If a limit needs it, and a file differs from the commit that is checked out.
    fn revision_of_same_code(
        &self,
        project: &Project,
        budgets: &Budgets,
    ) -> Result<Option<&str>, Failure> {
        let suite = Suite::of(budgets, true);
        let selected = |name: &str| {
            self.budgets.is_empty() || self.budgets.iter().any(|only| selftest::names(only, name))
        };
        let against_base = |test: &Test| test.limit.reference() == Some(&Reference::Base);
        if !suite.tests.iter().any(|test| selected(&test.name) && against_base(test)) {
            return Ok(None);
        }
        let changed = Repository::containing(&project.root)?.changed_files()?;
        let [first, rest @ ..] = &changed[..] else { return Ok(Some("HEAD")) };
        let more = match rest.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        Err(Failure::usage(format!(
            "`--same` compares HEAD with itself, and `{first}`{more} differ from HEAD; commit or stash that first, or \
             name budgets without a limit against the base"
        )))
    }

    /// Shows how often the same code was red.
    fn count(&self, same: &RepeatedRuns, context: Context) -> Result<Exit, Failure> {
        self.format.put(|| same.text(), || same.json())?;
        for sentence in same.closing() {
            context.tell(&sentence);
        }
        Ok(same.exit())
    }
}
