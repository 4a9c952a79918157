//! `cargo budget suggest [BUDGET]`.

use std::path::Path;

use perf_budget_core::budget::{self, Budget};
use perf_budget_core::metric::Metric;
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
        let EnvironmentPart { record, budgets, left_out } = environment::of(&project, record)?;
        let record = record.outcomes;
        let asked = tighten::selected(&budgets, &names)?;
        let terms = Terms {
            headroom: self.headroom,
            clock: doctor::clock().resolution(),
            warn_at: budgets.settings.warn_at,
        };
        let mut done = Done::new("suggest", !self.write, self.format, context);
        let (mut all, mut missing, mut foreign) = (Vec::new(), Vec::new(), None);
        let mut meant = false;
        if let Some(remark) = &left_out {
            done.remark(remark);
        }
        for budget in asked {
            let metric = match &self.metric {
                Some(word) => match metric(budget, word) {
                    Ok(metric) => Some(metric),
                    // Without a budget's name, budgets that cannot have this metric are skipped.
                    Err(failure) => {
                        foreign.get_or_insert(failure);
                        continue;
                    }
                },
                None => None,
            };
            meant = true;
            let found = suggest::suggest(&budgets, budget, metric.as_ref(), &record, terms);
            match metric.filter(|_| found.is_empty()) {
                Some(metric) if limits(budget, &metric) => {
                    done.remark(&format!("`{}` has a limit on `{metric}` already", budget.name));
                }
                Some(metric) => missing.push(suggest::advice(budget, &metric)),
                None => all.push(found),
            }
        }
        if let Some(failure) = foreign.filter(|_| !meant) {
            return Err(failure);
        }
        if !all.iter().any(|found| !found.is_empty()) {
            if !missing.is_empty() {
                return Err(Failure::unmeasured(missing.join("\n")));
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
        for advice in missing {
            done.remark(&advice);
        }
        if !self.write && !self.format.is_json() {
            let parts: Vec<String> = all
                .iter()
                .map(|found| suggest::pasted(&text, found))
                .filter(|t| !t.is_empty())
                .collect();
            show(&parts.join("\n"))?;
            return Ok(Exit::Holds);
        }
        let all: Vec<_> = all.into_iter().flatten().collect();
        let edited = suggest::insert(&text, &budgets, &all)?;
        done.differs(Some(&text), &edited, "budgets.toml")?;
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
}

fn limits(budget: &Budget, metric: &Metric) -> bool {
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
