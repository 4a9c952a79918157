//! The search for the first red: in the commits of a range, or in the packages of its lock files.

use super::commit::Commit;
use super::commits::Commits;
use super::locked::Locked;
use super::options::Options;
use super::range::{self, Range};
use super::render::Report;
use super::rules::rules;
use super::running::Running;
use super::search::SearchResult;
use super::searched::Searched;
use super::series::Series;
use super::setup::{identity, locked, prepare, reds};
use super::state::State;
use super::step::Comparison;
use super::toolchains::Toolchains;
use crate::base::TemporaryWorkTree;
use crate::failure::Failure;
use crate::file;
use crate::interrupt::Interrupt;
use crate::project::Project;
use crate::text::short;

/// Searches the commits of a range, the packages that differ between its ends, or toolchains.
pub(crate) fn bisect(
    project: &Project,
    options: &Options<'_>,
    tell: &dyn Fn(&str),
) -> Result<Report, Failure> {
    let toolchains =
        options.toolchain.map(|names| Toolchains::parse(&project.root, names)).transpose()?;
    let range = range_of(project, options, toolchains.as_ref(), tell)?;
    let path = project.file();
    let text = file::read(&path)?;
    let rules = rules(&text, &path, options.name, options.by, &reds(project))?;
    let interrupt = Interrupt::watched();
    let beside = TemporaryWorkTree::new(project, "bisect", &range.good)?;
    let beside = if toolchains.is_some() { beside.with_toolchain_of_files() } else { beside };
    let prepare = prepare(project, &range, &rules, &beside, options.prepare)?;
    let comparison = Comparison {
        beside: &beside,
        rules: &rules,
        target: options.target,
        root: &project.root,
        prepare: prepare.as_deref(),
        layouts: options.layouts,
        interrupt: &interrupt,
    };
    let commits = Commits { range: &range };
    let locked = options.lock.then(|| packages(project, &range, &beside)).transpose()?;
    let (series, searched): (&dyn Series, Searched) = match (&locked, &toolchains) {
        (Some(locked), _) => (locked, Searched::Packages),
        (None, Some(toolchains)) => (toolchains, Searched::Toolchains),
        (None, None) => (&commits, Searched::Commits),
    };
    let searches = beside.place.parent().unwrap_or(&beside.place);
    let running = Running {
        alpha: options.alpha,
        effort: options.effort,
        comparison,
        series,
        good: &range.good,
        state: State::read(
            searches,
            &identity(project, options, &rules, &range, toolchains.as_ref()),
            options.is_fresh,
        ),
        most: 0,
        tell,
    };
    search(running, &range, searched, project)
}

/// Returns the commits that are searched, and tells where they begin if that is not the good commit.
fn range_of(
    project: &Project,
    options: &Options<'_>,
    toolchains: Option<&Toolchains>,
    tell: &dyn Fn(&str),
) -> Result<Range, Failure> {
    let range = match toolchains {
        Some(toolchains) => toolchains.range.clone(),
        None => range::range(&project.root, options.range)?,
    };
    if range.is_merge_base {
        tell(&format!(
            "the good commit is not an ancestor of the bad one, so the search begins at their merge base {}",
            short(&range.good)
        ));
    }
    Ok(range)
}

/// Returns the packages that differ between the lock files of both ends.
fn packages(
    project: &Project,
    range: &Range,
    beside: &TemporaryWorkTree,
) -> Result<Locked, Failure> {
    let differ = locked(project, range, beside)?;
    differ.map_err(|why| Failure::usage(format!("{why}; leave `--lock` out")))
}

/// Searches to the end, and returns what is reported of it.
fn search(
    mut running: Running<'_>,
    range: &Range,
    searched: Searched,
    project: &Project,
) -> Result<Report, Failure> {
    let found = running.search()?;
    let most = running.most;
    let tried = running.tried();
    let (mut own, mut commit) = (None, None);
    if searched == Searched::Commits {
        if let SearchResult::One(at) | SearchResult::Range(_, at) = found {
            commit = Some(Commit::read(&project.root, range, at)?);
        }
        if let SearchResult::One(at) = found {
            own = running.compare_with_parent(at)?;
        }
    }
    running.state.forget();
    let (rules, series) = (running.comparison.rules, running.series);
    Ok(Report {
        test: rules.test.clone(),
        limit: rules.limit.clone(),
        good: range.good.clone(),
        bad: range.commits.last().cloned().unwrap_or_default(),
        good_shown: series.good().unwrap_or(short(&range.good)).to_owned(),
        entries: (0..series.len()).map(|at| (series.name(at), series.display_entry(at))).collect(),
        searched,
        is_compared: rules.is_compared,
        alpha: running.alpha,
        most,
        found,
        tried,
        commit,
        own,
    })
}
