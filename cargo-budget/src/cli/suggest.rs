//! `cargo budget suggest [BUDGET]`.

use std::path::Path;

use perf_budget_core::budget::{self, Budget, Budgets};
use perf_budget_core::metric::Metric;
use perf_budget_core::outcome::Outcome;
use perf_budget_core::record::Record;

use super::context::Context;
use super::done::Done;
use super::output::show;
use super::rendering::Rendering;
use crate::doctor;
use crate::edit::suggest::Terms;
use crate::edit::{suggest, tighten};
use crate::environment::{self, EnvironmentPart};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::file;
use crate::project::Project;

/// Propose limits for metrics that have none, from recorded values
///
/// A value may come from another budget of the same subject, from an earlier run in which the metric had a limit, or, for
/// a percentile, from the operations that another limit was judged by. Where nothing is recorded, it says what to run.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo budget suggest
  cargo budget suggest merge
  cargo budget suggest merge --metric p50 --write")]
pub(super) struct Suggest {
    /// The budget; all of them by default
    budget: Option<String>,
    /// The metric; all with recorded values by default
    #[arg(long, value_name = "METRIC")]
    metric: Option<String>,
    /// Use this headroom beyond what was measured instead of the usual one
    #[arg(long, value_name = "\"N %\"", value_parser = super::tighten::headroom)]
    headroom: Option<f64>,
    /// Add the limits to budgets.toml
    #[arg(long)]
    write: bool,
    /// The format of the output
    #[arg(long, value_enum, default_value_t)]
    format: Rendering,
}

impl Suggest {
    pub(super) fn run(self, context: Context) -> Result<Exit, Failure> {
        let project = Project::find(Path::new("."))?;
        let file = project.file();
        let text = file::read(&file)?;
        let names: Vec<String> = self.budget.iter().cloned().collect();
        tighten::selected(&project.budgets()?, &names)?;
        let path = project.record();
        let work = context.progress.busy("reading outcomes");
        let record = if path.is_file() { project.read_record(&path)? } else { Record::default() };
        drop(work);
        let EnvironmentPart { record, budgets, left_out } =
            environment::part_to_edit(&project, record)?;
        let record = record.outcomes;
        let selected = tighten::selected(&budgets, &names)?;
        let mut done = Done::new("suggest", !self.write, self.format, context);
        if let Some(remark) = &left_out {
            done.remark(remark);
        }
        let Proposals { by_budget, advice } =
            self.propose(&selected, &budgets, &record, &mut done)?;
        if by_budget.iter().all(Vec::is_empty) {
            if !advice.is_empty() {
                return Err(Failure::unmeasured(advice.join("\n")));
            }
            if record.is_empty() {
                return Err(Failure::unmeasured(format!(
                    "no outcomes are recorded in `{}`; run `cargo test --release` first",
                    path.display()
                )));
            }
            done.remark(
                "every metric with recorded values has a limit; `--metric` asks for another one",
            );
            return done.end(Exit::Holds);
        }
        for sentence in advice {
            done.remark(&sentence);
        }
        if !self.write && !self.format.is_json() {
            let parts: Vec<String> = by_budget
                .iter()
                .map(|suggestions| suggest::pasted(&text, suggestions))
                .filter(|part| !part.is_empty())
                .collect();
            show(&parts.join("\n"))?;
            return Ok(Exit::Holds);
        }
        let all: Vec<_> = by_budget.into_iter().flatten().collect();
        let edited = suggest::insert(&text, &budgets, &all)?;
        done.show_change(Some(&text), &edited, "budgets.toml")?;
        let what = if self.write { "added" } else { "suggested" };
        if self.write {
            file::write(&file, &edited)?;
        }
        for suggestion in &all {
            let suggest::Suggestion { budget, metric, value, basis, .. } = suggestion;
            done.limit(what, &format!("{budget}::{metric}"), value, basis);
        }
        done.end(Exit::Holds)
    }

    /// Looks for limits to suggest for each of these budgets.
    ///
    /// # Errors
    /// If `--metric` names a metric that none of the budgets can have.
    fn propose(
        &self,
        selected: &[&Budget],
        budgets: &Budgets,
        record: &[Outcome],
        done: &mut Done,
    ) -> Result<Proposals, Failure> {
        let terms = Terms {
            headroom: self.headroom,
            clock: doctor::clock().resolution(),
            warn_at: budgets.settings.warn_at,
        };
        let mut proposals = Proposals::default();
        let (mut no_such_metric, mut is_known) = (None, false);
        for budget in selected {
            let metric = match self.metric.as_deref().map(|word| metric(budget, word)).transpose() {
                Ok(metric) => metric,
                // Without a budget's name, budgets that cannot have this metric are skipped.
                Err(failure) => {
                    no_such_metric.get_or_insert(failure);
                    continue;
                }
            };
            is_known = true;
            let suggestions = suggest::suggest(budgets, budget, metric.as_ref(), record, terms);
            match metric.filter(|_| suggestions.is_empty()) {
                Some(metric) if has_limit(budget, &metric) => {
                    done.remark(&format!("`{}` has a limit on `{metric}` already", budget.name));
                }
                Some(metric) => proposals.advice.push(suggest::advice(budget, &metric)),
                None => proposals.by_budget.push(suggestions),
            }
        }
        match no_such_metric.filter(|_| !is_known) {
            Some(failure) => Err(failure),
            None => Ok(proposals),
        }
    }
}

/// The limits that are suggested.
#[derive(Default)]
struct Proposals {
    /// The suggestions for each budget.
    by_budget: Vec<Vec<suggest::Suggestion>>,
    /// What to write and to run for each metric that has no recorded value.
    advice: Vec<String>,
}

/// Returns whether a budget has a limit on a metric that is not relative.
fn has_limit(budget: &Budget, metric: &Metric) -> bool {
    budget.limits.iter().any(|limit| limit.metric == *metric && limit.reference().is_none())
}

/// Returns the metric that a word names for this budget, as the library reads it in a limit.
fn metric(budget: &Budget, word: &str) -> Result<Metric, Failure> {
    let kind = budget.subject.kind();
    let known = || Metric::known(kind).iter().map(Metric::name).collect::<Vec<_>>().join(", ");
    let unknown = |budget: &Budget| {
        let known = known();
        Failure::usage(format!("`{}` has no metric `{word}`; it has {known}", budget.name))
    };
    let metric = Metric::of(kind, word).ok_or_else(|| unknown(budget))?;
    if metric.custom_name().is_some() {
        // A value that a workload records itself may have any name that is not taken.
        let key = toml_edit::Key::new(word).display_repr().into_owned();
        let text = format!("[budget.b]\nworkload = \"w\"\nmax.{key} = 1\n");
        budget::parse(&text, Path::new("--metric")).map_err(|_| unknown(budget))?;
    }
    Ok(metric)
}
