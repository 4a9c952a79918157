//! `cargo budget accept [BUDGET…]`.

use std::path::Path;

use perf_budget_core::budget::{Budgets, lock};
use perf_budget_core::date::Date;

use super::context::Context;
use super::done::Done;
use super::rendering::Rendering;
use crate::clock;
use crate::edit::lock::{Decision, Terms, plan, prune, revision};
use crate::environment::{self, EnvironmentPart};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::file;
use crate::project::Project;
use crate::runs::last_run;

/// Accept what the last run measured: write budgets.lock
///
/// A value is not accepted if it breaks its limit, if it has no verdict, or if it is of a debug build and is not the size of
/// an artifact. A deterministic value that is the same leaves the file as it is, and so does a statistical one whose interval
/// overlaps the interval that was accepted in the same environment. A budget that is named is accepted in any case.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo test --release && cargo budget accept
  cargo budget accept merge records::records=1000::rss
  cargo budget accept --red merge      # the growth against the lock is intended
  cargo budget accept --prune          # forget budgets that are gone
  cargo budget accept --dry-run")]
pub(super) struct Accept {
    /// Budgets, or single values such as merge::p99; all of the last run by default
    #[arg(value_name = "BUDGET")]
    budgets: Vec<String>,
    /// Accept also a value that is red only against its accepted value
    #[arg(long)]
    red: bool,
    /// Only remove accepted values of budgets, cases and limits that no longer exist; the last run is not used
    #[arg(long, conflicts_with_all = ["budgets", "red"])]
    prune: bool,
    /// Show what would change, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// The format of the output
    #[arg(long, value_enum, default_value_t)]
    format: Rendering,
}

impl Accept {
    pub(super) fn run(self, context: Context) -> Result<Exit, Failure> {
        let project = Project::find(Path::new("."))?;
        // A mistake in the file is shown before anything else is read.
        project.budgets()?;
        let file = lock::place(&project.file());
        let known = lock::load(&file)?;
        let text = if file.exists() { Some(file::read(&file)?) } else { None };
        if self.prune {
            let budgets = environment::budgets_of_each(&project)?;
            return self.prune(text.as_deref(), &known, &budgets, &file, context);
        }
        let EnvironmentPart { record, budgets, .. } =
            environment::part_to_edit(&project, project.read(context.progress)?)?;
        let outcomes = last_run(&record);
        let today = Date::of_unix(clock::now());
        let commit = revision::revision(&project.root);
        let terms = Terms { named: &self.budgets, red: self.red, today, commit };
        let plan = plan(text.as_deref(), &known, &budgets, &outcomes, &terms)?;
        // The text is parsed before it is written: a lock file that the tests refuse would stop all of them.
        if !plan.text.is_empty() {
            lock::parse(&plan.text, &file)?;
        }
        let mut done = Done::new("accept", self.dry_run, self.format, context);
        done.show_change(text.as_deref(), &plan.text, "budgets.lock")?;
        let (mut accepted, mut unchanged, mut refused) = (0, 0, 0);
        let mut exit = Exit::Holds;
        for (name, decision) in &plan.rows {
            match decision {
                Decision::Accepted(sentence) => {
                    accepted += 1;
                    done.entry("accepted", name, sentence);
                }
                Decision::Unchanged => {
                    unchanged += 1;
                    done.entry("unchanged", name, "");
                }
                Decision::Refused(reason, its_exit) => {
                    refused += 1;
                    exit = worse(exit, *its_exit);
                    // This is a warning, so it is shown with `--quiet` too.
                    done.refusal("refused", name, reason);
                }
            }
        }
        let would = if self.dry_run { "would be " } else { "" };
        if accepted > 0 && !self.dry_run {
            file::write(&file, &plan.text)?;
        }
        context
            .tell(&format!("{accepted} {would}accepted, {unchanged} unchanged, {refused} refused"));
        done.end(exit)
    }
}

impl Accept {
    fn prune(
        &self,
        text: Option<&str>,
        known: &lock::Lock,
        budgets: &[Budgets],
        file: &Path,
        context: Context,
    ) -> Result<Exit, Failure> {
        let pruned = prune(text.unwrap_or_default(), known, budgets)?;
        let mut done = Done::new("accept", self.dry_run, self.format, context);
        done.show_change(text, &pruned.text, "budgets.lock")?;
        for name in &pruned.gone {
            done.entry("removed", name, "budgets.toml has no such limit any more");
        }
        if !pruned.gone.is_empty() && !self.dry_run {
            lock::parse(&pruned.text, file)?;
            file::write(file, &pruned.text)?;
        }
        let would = if self.dry_run { "would be " } else { "" };
        context.tell(&format!("{} {would}removed", pruned.gone.len()));
        done.end(Exit::Holds)
    }
}

/// Returns the worse of two exits: a broken budget comes first, then one that could not be measured, then one that is
/// inconclusive.
fn worse(a: Exit, b: Exit) -> Exit {
    let order = [Exit::Broken, Exit::Usage, Exit::Unmeasured, Exit::Inconclusive, Exit::Holds];
    order.into_iter().find(|exit| [a, b].contains(exit)).unwrap_or(a)
}
