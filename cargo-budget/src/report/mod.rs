//! Renderings of what the harness recorded, one small file for each format.
//!
//! A [`Report`] is data: outcomes of one run, those of earlier runs, and what must be said of how they came
//! together. No renderer measures, judges, or words a verdict: the sentence is [`Outcome::reason`].

mod action;
mod bencher;
mod csv;
pub(crate) mod explain;
mod html;
pub(crate) mod input;
mod json;
mod junit;
mod markdown;
pub(crate) mod merge;
pub(crate) mod names;
mod openmetrics;
pub(crate) mod output;
mod terminal;

use std::collections::BTreeMap;

use perf_budget_core::outcome::Outcome;
use perf_budget_core::report::terminal::count;
use perf_budget_core::verdict::Verdict;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::inside::Inside;
use crate::progress::Progress;

pub(crate) use action::Better;
use openmetrics::Dialect;

/// Outcomes of one run, and what is known besides.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Of each test one outcome, in the order of `budgets.toml`.
    pub(crate) outcomes: Vec<Outcome>,
    /// Outcomes of earlier runs, oldest first.
    pub(crate) earlier: Vec<Outcome>,
    /// How the outcomes came together: files merged, tests judged twice.
    pub(crate) remarks: Vec<String>,
    /// What is inside the artifacts of a budget, by its name; of another place's run nothing.
    pub(crate) inside: BTreeMap<String, Vec<(String, Inside)>>,
}

/// What a report is rendered as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// The table of `cargo test`, and why each red is red
    Terminal,
    /// One page that needs nothing beside it
    Html,
    /// A comment for a pull request
    Markdown,
    /// Everything, as core/schema/report.schema.json says
    Json,
    /// JUnit's XML, as nextest writes it
    Junit,
    /// A table for spreadsheets
    Csv,
    /// OpenMetrics text, for Prometheus to scrape
    Openmetrics,
    /// Prometheus' own text format, for its node exporter
    Prometheus,
    /// Bencher Metric Format
    Bencher,
    /// JSON for github-action-benchmark: customSmallerIsBetter, or customBiggerIsBetter
    GithubActionBenchmark,
}

impl Report {
    /// The report of these outcomes, in the order of `budgets.toml`.
    pub(crate) fn new(mut outcomes: Vec<Outcome>, earlier: Vec<Outcome>) -> Report {
        outcomes.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
        Report { outcomes, earlier, ..Report::default() }
    }

    /// What is inside the artifacts that an outcome is of.
    pub(crate) fn inside_of(&self, outcome: &Outcome) -> &[(String, Inside)] {
        self.inside.get(&outcome.budget).map_or(&[], Vec::as_slice)
    }

    /// The profile that was judged.
    pub(crate) fn profile(&self) -> &str {
        self.outcomes.first().map_or("release", |outcome| outcome.run.profile.as_str())
    }

    /// How many tests there are, selected or not.
    pub(crate) fn tests(&self) -> usize {
        let made = self.outcomes.iter().map(|outcome| outcome.run.tests).max().unwrap_or(0);
        made + self.outcomes.iter().filter(|outcome| is_idle(outcome)).count()
    }

    /// How many of how many were judged, and how.
    pub(crate) fn closing(&self) -> String {
        // What stands for several tests would count as one.
        let named: Vec<Outcome> =
            self.outcomes.iter().filter(|outcome| !merge::is_nameless(outcome)).cloned().collect();
        count(&named, self.tests(), 0)
    }

    /// How the command ends.
    pub(crate) fn exit(&self) -> Exit {
        Exit::of(&self.outcomes)
    }

    /// Earlier values of the same test under comparable circumstances, oldest first, one a run.
    pub(crate) fn trend(&self, of: &Outcome) -> Vec<&Outcome> {
        let Some(against) = of.against else { return Vec::new() };
        let mut trend: Vec<&Outcome> = Vec::new();
        let like = |earlier: &&Outcome| {
            earlier.test == of.test
                && earlier.estimate.is_some()
                && earlier.against.is_some_and(|held| held.unit == against.unit)
                && earlier.run.profile == of.run.profile
                && earlier.run.platform == of.run.platform
        };
        for earlier in self.earlier.iter().filter(like) {
            match trend.last_mut() {
                Some(last) if last.run.id == earlier.run.id => *last = earlier,
                _ => trend.push(earlier),
            }
        }
        let many = trend.len().saturating_sub(LONGEST_TREND);
        trend.split_off(many)
    }
}

/// More runs than a sparkline can show.
const LONGEST_TREND: usize = 40;

/// Whether this is the harness's word for a workload that no budget names: a test beyond those that
/// `budgets.toml` makes.
pub(crate) fn is_idle(outcome: &Outcome) -> bool {
    outcome.metric == "budget" && outcome.against.is_none() && outcome.estimate.is_none()
}

/// The worst first: how much a reader must look at it.
pub(crate) fn severity(verdict: Verdict) -> usize {
    match verdict {
        Verdict::Fail => 5,
        Verdict::Unmeasured => 4,
        Verdict::Unsure => 3,
        Verdict::Warn => 2,
        Verdict::Pass => 1,
        Verdict::Skipped => 0,
    }
}

/// Renders. What has no place in the format comes back as a second text, for people.
pub(crate) fn render(
    report: &Report,
    format: Format,
    better: Better,
    progress: Progress,
) -> Result<(String, Option<String>), Failure> {
    let whole = |text| Ok((text, None));
    match format {
        Format::Terminal => whole(terminal::render(report)),
        Format::Html => {
            let work = progress.count("rendering", "limits", report.outcomes.len());
            whole(html::render(report, &|| work.step()))
        }
        Format::Markdown => whole(markdown::render(report)),
        Format::Json => whole(json::render(report)?),
        Format::Junit => whole(junit::render(report)?),
        Format::Csv => whole(csv::render(report)?),
        Format::Openmetrics => whole(openmetrics::render(report, Dialect::OpenMetrics)),
        Format::Prometheus => whole(openmetrics::render(report, Dialect::Prometheus)),
        Format::Bencher => bencher::render(report),
        Format::GithubActionBenchmark => action::render(report, better),
    }
}
