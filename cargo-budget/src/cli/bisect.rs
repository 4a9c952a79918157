//! `cargo budget bisect`.

use std::time::Duration;

use super::context::Context;
use super::output::{print, show};
use super::rendering::Rendering;
use super::target::Options;
use crate::bisect;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::project::Project;

/// Find the commit that made a limit red
///
/// Compares commits between a good and a bad one with the good one, each until its evidence settles it, in a checkout of
/// its own. The limit is the one in the project's budgets.toml as it is now, at each commit. Your files are not touched.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo budget bisect merge::p99 v1.2.0..HEAD
  cargo budget bisect merge::p99 v1.2.0..HEAD --by 3%    what made it more than 3 % slower
  cargo budget bisect merge::p99 v1.2.0..HEAD --lock     which of the changed dependencies did it
  cargo budget bisect merge::allocs v1.2.0..main --format json | jq -r .commit.subject

Exit codes:
  0  the commit was found
  1  the bad commit is not red: there is nothing to find
  2  a mistake in the arguments or in the configuration; the good commit is red already
  3  commits that cannot be measured are in the way: the answer is a range, or none
  4  the same, as the evidence did not suffice")]
pub(super) struct Bisect {
    /// A budget, or a test of it: `merge`, `merge::p99`
    #[arg(value_name = "BUDGET")]
    name: String,
    /// The good and the bad commit; without a bad one it is the commit that is checked out
    #[arg(value_name = "GOOD..BAD")]
    range: String,
    /// How much worse than at the good commit the metric may be, in place of the limit in budgets.toml: 3%
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    by: Option<f64>,
    /// The chance of a wrong answer in the whole search
    #[arg(long, value_name = "PERCENT", default_value = "1%", value_parser = chance)]
    chance: f64,
    /// How many seconds a comparison is measured at most; then its commit is skipped
    #[arg(long, value_name = "SECONDS", default_value = "600", value_parser = clap::value_parser!(u32).range(1..))]
    effort: u32,
    /// A shell command that makes, in the checkout of the good commit, what budgets measure and cargo does not build
    #[arg(long, value_name = "COMMAND")]
    prepare: Option<String>,
    /// The number of links of each revision at first, each in another order; overrides `layouts` in the settings
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=128))]
    layouts: Option<u32>,
    #[command(flatten)]
    options: Options,
    /// Begin anew, and not where the same search was interrupted
    #[arg(long)]
    fresh: bool,
    /// Search the packages of Cargo.lock that differ, and not the commits: the sources are those of the bad commit
    #[arg(long)]
    lock: bool,
    /// The format of the output
    #[arg(long, value_enum, default_value_t)]
    format: Rendering,
}

impl Bisect {
    pub(super) fn run(self, context: Context) -> Result<Exit, Failure> {
        let project = Project::here()?;
        let asked = bisect::Asked {
            name: &self.name,
            range: &self.range,
            by: self.by,
            alpha: self.chance,
            effort: Duration::from_secs(self.effort.into()),
            prepare: self.prepare.as_deref(),
            layouts: self.layouts,
            target: &self.options.target(),
            is_fresh: self.fresh,
            lock: self.lock,
        };
        let report = bisect::bisect(&project, &asked, &|text| context.tell(text))?;
        match self.format {
            Rendering::Text => show(&report.text())?,
            Rendering::Json => print(&format!("{:#}\n", report.json()))?,
        }
        Ok(report.exit())
    }
}

/// Reads `3%` or `3 %` as 0.03. It must be over 0.
fn percent(text: &str) -> Result<f64, String> {
    let number = text.trim().strip_suffix('%').ok_or("write a percentage, such as 3%")?;
    let number: f64 = number.trim().parse().map_err(|_| "write a percentage, such as 3%")?;
    let is_usable = number.is_finite() && number > 0.0 && number <= 10_000.0;
    if is_usable { Ok(number / 100.0) } else { Err("write more than 0%".to_owned()) }
}

/// Reads a chance, of at most a half.
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
