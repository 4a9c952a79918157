//! The report formats: each renders what the harness recorded, in one small file.
//!
//! A [`Report`] is data (`data.rs`): the outcomes of one run, those of earlier runs, and remarks on how they came
//! together. A renderer neither measures nor judges, and does not word a verdict: the sentence is the outcome's
//! `reason`.

mod bencher;
mod cause;
mod code_quality;
mod csv;
mod data;
pub(crate) mod explain;
pub(crate) mod explain_json;
mod github_action_benchmark;
mod groups;
mod headline;
pub(crate) mod html;
pub(crate) mod input;
mod json;
mod junit;
pub(crate) mod markdown;
pub(crate) mod merge;
pub(crate) mod names;
mod openmetrics;
pub(crate) mod output;
mod terminal;

use crate::failure::Failure;
use crate::progress::Progress;

pub(crate) use self::cause::{Cause, CauseKind};
pub(crate) use self::data::{Report, Trends, is_nameless};
pub(crate) use self::github_action_benchmark::Better;
use openmetrics::Dialect;

/// The format of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// The table of `cargo test`, and why each red is red
    Terminal,
    /// One HTML page in a single file
    Html,
    /// A comment for a pull request
    Markdown,
    /// Everything, as core/schema/report.schema.json says
    Json,
    /// The record of this run alone: a line of JSON for each outcome
    Jsonl,
    /// JUnit's XML, as nextest writes it
    Junit,
    /// GitLab's code quality report: reds and warnings at their lines
    CodeQuality,
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

/// Renders a report. The second text, for people, says what the format has no place for.
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
        Format::Jsonl => whole(json::lines(report)?),
        Format::Junit => whole(junit::render(report)?),
        Format::CodeQuality => whole(code_quality::render(report)?),
        Format::Csv => whole(csv::render(report)?),
        Format::Openmetrics => whole(openmetrics::render(report, Dialect::OpenMetrics)),
        Format::Prometheus => whole(openmetrics::render(report, Dialect::Prometheus)),
        Format::Bencher => bencher::render(report),
        Format::GithubActionBenchmark => github_action_benchmark::render(report, better),
    }
}
