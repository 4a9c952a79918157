//! `cargo budget bisect`.

use std::time::Duration;

use super::context::Context;
use super::db::Db;
use super::rendering::Rendering;
use super::target::Options;
use crate::bisect;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::history::{self, Place, TrendQuery};
use crate::project::Project;
use crate::text::short;

/// How many outcomes of the history are read.
const OUTCOMES: u16 = 300;

/// Find the commit that made a limit red
///
/// Checks out commits between a good one and a bad one, and compares each with the good one until the evidence settles it.
/// At each commit the limit is the one that the project's budgets.toml has now. Your files are not touched.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo budget bisect merge::p99 v1.2.0..HEAD
  cargo budget bisect merge::p99 v1.2.0..HEAD --by 3%       the commit that made it 3 % slower or more
  cargo budget bisect merge::p99 v1.2.0..HEAD --lock        the dependency that did it
  cargo budget bisect merge::p99 --toolchain 1.89..stable   the installed toolchain that did it
  cargo budget bisect merge::p99 --from-trend               the commit of the newest step that `trend` shows
  cargo budget bisect merge::allocs v1.2.0..main --format json | jq -r .commit.subject

Exit codes:
  0  the commit was found
  1  the bad commit is not red, so there is nothing to find
  2  the arguments or the configuration have a mistake, or the good commit is red already
  3  commits that cannot be measured are in the way: the answer is a range, or there is none
  4  the answer is a range, or there is none, because the evidence did not suffice")]
pub(super) struct Bisect {
    /// A budget, or a test of it: `merge`, `merge::p99`
    #[arg(value_name = "BUDGET")]
    name: String,
    /// The good commit and the bad commit; the bad one is the commit that is checked out if it is left out
    #[arg(value_name = "GOOD..BAD", required_unless_present_any = ["from_trend", "toolchain"])]
    range: Option<String>,
    /// Take the range from the history: that of the newest step for the worse, or of the step that begins at this commit.
    /// Without `--by`, the search is for two thirds of that step; for a limit on growth it is for the limit itself
    #[arg(long, value_name = "COMMIT", num_args = 0..=1, require_equals = true, default_missing_value = "", conflicts_with = "range")]
    from_trend: Option<String>,
    #[command(flatten)]
    db: Db,
    /// Read the history of this branch [default: the one that is checked out, else the one recorded last]
    #[arg(long, value_name = "NAME", requires = "from_trend")]
    branch: Option<String>,
    /// Read the history of the environment whose name contains this [default: the one recorded last]
    #[arg(long, value_name = "PART", requires = "from_trend")]
    environment: Option<String>,
    /// Search for a step of at least this size instead of the limit in budgets.toml: 3% means that the metric is 3 % worse
    /// than at the good commit
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    by: Option<f64>,
    /// Allow this chance of a wrong answer in the whole search
    #[arg(long, value_name = "PERCENT", default_value = "1%", value_parser = chance)]
    chance: f64,
    /// Measure each comparison for at most this many seconds; a commit that is not settled by then is skipped
    #[arg(long, value_name = "SECONDS", default_value = "600", value_parser = clap::value_parser!(u32).range(1..))]
    effort: u32,
    /// Run this shell command in the checkout of the good commit; it makes what budgets measure and cargo does not build
    #[arg(long, value_name = "COMMAND")]
    prepare: Option<String>,
    /// Link each revision this many times at first, each time in another order; this overrides `layouts` in the settings
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=128))]
    layouts: Option<u32>,
    #[command(flatten)]
    options: Options,
    /// Begin anew instead of where the same search was interrupted
    #[arg(long)]
    fresh: bool,
    /// Search the packages that differ in Cargo.lock instead of the commits; the sources are those of the bad commit
    #[arg(long)]
    lock: bool,
    /// Search the installed toolchains from a good one to a bad one instead of the commits; the sources are those of the work
    /// tree
    #[arg(long, value_name = "A..B", conflicts_with_all = ["range", "from_trend", "lock"])]
    toolchain: Option<String>,
    /// The format of the output
    #[arg(long, value_enum, default_value_t)]
    format: Rendering,
}

impl Bisect {
    pub(super) fn run(self, context: Context) -> Result<Exit, Failure> {
        let project = Project::current()?;
        let mut searched = Searched {
            name: self.name.clone(),
            range: self.range.clone().unwrap_or_default(),
            by: self.by,
        };
        if let Some(named) = &self.from_trend {
            searched = self.searched_for_step(
                &project,
                Some(&**named).filter(|named| !named.is_empty()),
                context,
            )?;
        }
        let options = bisect::Options {
            name: &searched.name,
            range: &searched.range,
            by: searched.by,
            alpha: self.chance,
            effort: Duration::from_secs(self.effort.into()),
            prepare: self.prepare.as_deref(),
            layouts: self.layouts,
            target: &self.options.target(),
            is_fresh: self.fresh,
            lock: self.lock,
            toolchain: self.toolchain.as_deref(),
        };
        let report = bisect::bisect(&project, &options, &|text| context.tell(text))?;
        self.format.put(|| report.text(), || report.json())?;
        Ok(report.exit())
    }
}

/// The test and the range that are searched.
struct Searched {
    name: String,
    range: String,
    by: Option<f64>,
}

impl Bisect {
    /// Returns the test, the range and the size of a step in the history.
    fn searched_for_step(
        &self,
        project: &Project,
        named: Option<&str>,
        context: Context,
    ) -> Result<Searched, Failure> {
        let place = Place::choose(self.db.db.as_deref(), Some(project))?;
        let query = TrendQuery {
            name: Some(&self.name),
            branch: self.branch.as_deref(),
            environment: self.environment.as_deref(),
            last: OUTCOMES,
            dirty: false,
        };
        let answer = history::trend(&place, Some(project), &query, context.progress)?;
        let step = history::worse_step(&answer, named)?;
        for note in &answer.notes {
            context.tell(&format!("note: {note}"));
        }
        context.tell(&format!(
            "the history shows that `{}` became {:.1} % worse in {}..{}",
            step.test,
            step.by * 100.0,
            short(&step.good),
            short(&step.bad)
        ));
        let range = format!("{}..{}", step.good, step.bad);
        // A limit on growth has no value at one commit with which that of another commit could be compared.
        let size = (!bisect::is_slope(&project.budgets()?, &step.test)).then_some(step.by / 1.5);
        if size.is_none() && self.by.is_none() {
            context.tell(&format!(
                "`{}` limits how a metric grows, so its own limit is searched for",
                step.test
            ));
        }
        Ok(Searched { name: step.test, range, by: self.by.or(size) })
    }
}

/// Reads `3%` or `3 %` as 0.03. It must be over 0.
fn percent(text: &str) -> Result<f64, String> {
    let number = text.trim().strip_suffix('%').ok_or("write a percentage, such as 3%")?;
    let number: f64 = number.trim().parse().map_err(|_| "write a percentage, such as 3%")?;
    let is_usable = number.is_finite() && number > 0.0 && number <= 10_000.0;
    if is_usable { Ok(number / 100.0) } else { Err("write more than 0%".to_owned()) }
}

/// Reads a chance, which is at most a half.
fn chance(text: &str) -> Result<f64, String> {
    percent(text).and_then(|chance| {
        if chance <= 0.5 { Ok(chance) } else { Err("write at most 50%".to_owned()) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_has_its_sign() {
        for (text, want) in
            [("3%", Some(0.03)), (" 12.5 % ", Some(0.125)), ("3", None), ("0%", None)]
        {
            assert_eq!(percent(text).ok(), want, "{text}");
        }
        for text in ["-3%", "nan%", "inf%", "%", "1e9%"] {
            assert!(percent(text).is_err(), "{text}");
        }
        assert!(chance("60%").is_err() && chance("50%").is_ok());
    }
}
