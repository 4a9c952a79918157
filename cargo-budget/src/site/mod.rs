//! The static site of a history: an overview, a page for each budget and a page for each commit.
//!
//! The pages are plain files that need no server: charts are drawn here, and a script only filters, reads out and switches
//! the theme. Nothing grows without bound: a chart has the newest outcomes, a page has so many tests, the newest commits
//! have pages. A run makes only the pages whose part of the history changed (`state`), and writes only files that differ
//! (`writer`).

mod budget;
mod chart;
mod commit;
mod frame;
mod names;
mod overview;
mod pages;
mod read;
mod state;
mod subjects;
mod writer;

use std::collections::{HashMap, HashSet};

use perf_budget_core::outcome::Outcome;

pub(crate) use self::pages::Settings;
use self::pages::{Commit, Site, unread};
use self::state::{State, digest};
use self::writer::Writer;
use crate::failure::Failure;
use crate::history::{Fault, Listed, Place, Store, TrendQuery, choose_branch};
use crate::progress::Progress;
use crate::project::Project;

/// The counts and places of what was made.
#[derive(Debug, serde::Serialize)]
pub(crate) struct SiteSummary {
    pub(crate) index: String,
    pub(crate) history: String,
    pub(crate) branch: Option<String>,
    pub(crate) budgets: usize,
    pub(crate) limits: usize,
    pub(crate) commits: usize,
    pub(crate) files: usize,
    pub(crate) written: usize,
    pub(crate) removed: usize,
    pub(crate) notes: Vec<String>,
}

/// Makes the site, or brings it up to date.
pub(crate) fn make(
    place: &Place,
    project: Option<&Project>,
    settings: &Settings<'_>,
    progress: Progress,
) -> Result<SiteSummary, Failure> {
    made(place.existing("read")?, place, project, settings, progress)
}

/// Does what `make` does, from an open history.
fn made(
    mut store: Store,
    place: &Place,
    project: Option<&Project>,
    settings: &Settings<'_>,
    progress: Progress,
) -> Result<SiteSummary, Failure> {
    let work = progress.busy("reading the history");
    let failed = unread(place);
    let all = store.series(None).map_err(&failed)?;
    if all.is_empty() {
        return Err(place.nothing_recorded());
    }
    let mut notes = Vec::new();
    let query = TrendQuery {
        name: None,
        branch: settings.branch,
        environment: None,
        last: settings.last,
        dirty: false,
    };
    let series = choose_branch(&all, &query, project, &mut notes)?;
    let branch = series[0].branch.as_deref();
    let made_by = made_by(settings, branch);
    let mut state = State::read(settings.directory, &made_by)?;
    let commits = commits(&mut store, branch, settings.commits).map_err(&failed)?;
    let recent = store.recent(branch).map_err(&failed)?;
    let listed = project.and_then(Listed::read);
    drop(work);
    let recorded = recorded(project, &commits.0, progress);
    let writer = Writer::new(settings.directory);
    let mut site =
        Site { place, settings, branch, store, writer, commits, recent, listed, recorded };
    site.budgets(&mut state, &series, progress)?;
    site.commit_pages(&mut state, project, progress)?;
    for (name, text) in frame::ASSETS {
        site.writer.write(name, text)?;
    }
    let about = overview::OverviewContext {
        project: settings.title,
        branch,
        notes: &notes,
        recent,
        is_cut: site.commits.1,
    };
    for (name, text) in overview::files(&about, &state) {
        site.writer.write(&name, &text)?;
    }
    state.files = site.writer.finish(&state.files)?;
    let text = serde_json::to_string(&state).map_err(|e| Failure::unmeasured(e.to_string()))?;
    let files = state.files.len();
    site.writer.write(state::FILE, &text)?;
    Ok(SiteSummary {
        index: settings.directory.join("index.html").display().to_string(),
        history: place.public_name(),
        branch: branch.map(str::to_owned),
        budgets: state.budgets.len(),
        limits: state.budgets.values().map(|budget| budget.rows.len()).sum(),
        commits: state.commits.len(),
        files,
        written: site.writer.written,
        removed: site.writer.removed,
        notes,
    })
}

/// Returns the outcomes of the last run here that have a distribution or a profile, where the history has that run.
fn recorded(
    project: Option<&Project>,
    commits: &[Commit],
    progress: Progress,
) -> HashMap<String, Outcome> {
    let known: HashSet<&str> =
        commits.iter().flat_map(|(_, runs)| runs).map(|run| run.id.as_str()).collect();
    let last = project.and_then(|project| project.last_run(progress).ok()).unwrap_or_default();
    let is_shown = |outcome: &Outcome| {
        (outcome.shape.is_some() || outcome.blame.is_some())
            && known.contains(outcome.run.id.as_str())
    };
    let last = last.into_iter().filter(is_shown);
    last.map(|outcome| (outcome.test.clone(), outcome)).collect()
}

/// Returns the newest commits with their runs, and whether there are older ones.
fn commits(
    store: &mut Store,
    branch: Option<&str>,
    most: u16,
) -> Result<(Vec<Commit>, bool), Fault> {
    let runs = store.runs_of_commits(branch, i64::from(most) + 1)?;
    let mut commits: Vec<Commit> = Vec::new();
    for run in runs {
        match commits.last_mut() {
            Some((hash, runs)) if *hash == run.commit => runs.push(run),
            _ => commits.push((run.commit.clone(), vec![run])),
        }
    }
    let is_cut = commits.len() > usize::from(most);
    commits.truncate(usize::from(most));
    Ok((commits, is_cut))
}

/// Returns a digest of the settings and of this program, on which all pages depend.
fn made_by(settings: &Settings<'_>, branch: Option<&str>) -> String {
    let last = format!("{} {}", settings.last, settings.commits);
    let program = [env!("CARGO_PKG_VERSION"), frame::ASSETS[0].1, frame::ASSETS[1].1];
    let settings = [
        settings.title,
        settings.commit_url.unwrap_or_default(),
        &last,
        branch.unwrap_or_default(),
    ];
    digest(program.into_iter().chain(settings))
}

#[cfg(test)]
#[path = "statements_tests.rs"]
mod tests;
