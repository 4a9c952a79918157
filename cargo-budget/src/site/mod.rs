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
mod read;
mod state;
mod subjects;
mod writer;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use perf_budget_core::outcome::Outcome;

use self::state::{State, Step, digest};
use self::writer::Writer;
use crate::failure::Failure;
use crate::history::{
    CommitRun, Fault, Listed, Place, Recent, Series, Store, TrendQuery, choose_branch,
};
use crate::progress::Progress;
use crate::project::Project;

/// The settings from which the site is made.
#[derive(Debug)]
pub(crate) struct Settings<'a> {
    pub(crate) directory: &'a Path,
    pub(crate) branch: Option<&'a str>,
    pub(crate) title: &'a str,
    /// The address of a commit, with `{commit}` in place of its hash.
    pub(crate) commit_url: Option<&'a str>,
    /// The number of outcomes in a chart, and of commits with a page.
    pub(crate) last: u16,
    pub(crate) commits: u16,
}

/// The place of the site, and the counts of its parts.
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
    let work = progress.busy("reading the history");
    let mut store = place.existing("read")?;
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

/// A commit with its runs.
type Commit = (String, Vec<CommitRun>);

/// The site, while it is made.
struct Site<'a> {
    place: &'a Place,
    settings: &'a Settings<'a>,
    branch: Option<&'a str>,
    store: Store,
    writer: Writer,
    /// The commits that have a page, the newest first, and whether there are older ones.
    commits: (Vec<Commit>, bool),
    recent: Recent,
    /// The tests of budgets.toml, where it can be read.
    listed: Option<Listed>,
    /// The outcomes of the last run on this machine that have a distribution or a profile, by their tests.
    recorded: HashMap<String, Outcome>,
}

impl Site<'_> {
    /// Makes the pages of the budgets that have something new.
    fn budgets(
        &mut self,
        state: &mut State,
        series: &[&Series],
        progress: Progress,
    ) -> Result<(), Failure> {
        let work = progress.busy("looking for what is new");
        let fingerprints = self.store.fingerprints().map_err(unread(self.place))?;
        drop(work);
        let budgets = read::budgets(series);
        let paged: HashSet<String> = self.commits.0.iter().map(|(hash, _)| hash.clone()).collect();
        let oldest = self.commits.0.last().and_then(|(_, runs)| Some(runs.first()?.at));
        let work = progress.count("drawing", "budgets", budgets.len());
        let mut old = std::mem::take(&mut state.budgets);
        for (name, tests) in &budgets {
            let parts = tests.values().flatten().map(|one| {
                let print = fingerprints.get(&one.key).copied().unwrap_or_default();
                let listed = self.listed.as_ref().map(|listed| listed.has(name, &one.test));
                format!("{} {} {} {} {listed:?}", one.key, print.count, print.sum, one.newest)
            });
            let parts: Vec<String> = parts.collect();
            let made_of = digest(parts.iter().map(String::as_str));
            let known = old.remove(*name).filter(|known| {
                // The pages are made anew if they link to a commit that has lost its page.
                let links_lead_on =
                    !self.commits.1 || known.linked.zip(oldest).is_none_or(|(l, o)| l > o);
                let recorded = self.run_of(tests.keys().copied());
                let is_new = !recorded.is_empty() && recorded != known.recorded;
                // They are also made anew if the newest commits no longer measure one of the limits.
                let has_same_limits =
                    known.rows.iter().all(|row| row.is_gone(self.recent) == row.is_gone);
                known.made_of == made_of
                    && links_lead_on
                    && !is_new
                    && has_same_limits
                    && self.writer.keep(&known.files)
            });
            let made = match known {
                Some(known) => known,
                None => self.budget(name, tests, &paged, made_of)?,
            };
            if !made.rows.is_empty() {
                state.budgets.insert((*name).to_owned(), made);
            }
            work.step();
        }
        Ok(())
    }

    fn budget(
        &mut self,
        name: &str,
        tests: &BTreeMap<&str, Vec<&Series>>,
        paged: &HashSet<String>,
        made_of: String,
    ) -> Result<state::Budget, Failure> {
        let recorded = self.run_of(tests.keys().copied());
        let last = self.settings.last;
        let (recent, listed) = (self.recent, self.listed.as_ref());
        let known = read::TestContext { recent, listed, recorded: &self.recorded };
        let tests =
            read::tests(&mut self.store, name, tests, last, known).map_err(unread(self.place))?;
        let has_page = |hash: &str| paged.contains(hash);
        let linked = tests.iter().flat_map(|test| &test.lines).flat_map(|line| &line.trend.commits);
        let linked = linked.filter(|c| c.hash.as_deref().is_some_and(has_page)).map(|c| c.at).min();
        let mut made = state::Budget { made_of, recorded, linked, ..state::Budget::default() };
        if tests.is_empty() {
            return Ok(made);
        }
        for (file, text) in budget::pages(self.settings.title, self.branch, name, &tests, &has_page)
        {
            self.writer.write(&file, &text)?;
            made.files.push(file);
        }
        for test in tests {
            made.rows.push(test.row);
            made.steps.extend(test.steps);
        }
        Ok(made)
    }

    /// Returns the id of the run whose distributions the pages of these tests show; empty if there is none.
    fn run_of<'t>(&self, mut tests: impl Iterator<Item = &'t str>) -> String {
        let run = tests.find_map(|test| Some(self.recorded.get(test)?.run.id.clone()));
        run.unwrap_or_default()
    }

    /// Makes the pages of the commits that have something new.
    fn commit_pages(
        &mut self,
        state: &mut State,
        project: Option<&Project>,
        progress: Progress,
    ) -> Result<(), Failure> {
        let commits = std::mem::take(&mut self.commits.0);
        let mut old = std::mem::take(&mut state.commits);
        let unknown = commits.iter().map(|(hash, _)| hash.as_str());
        let unknown = unknown.filter(|hash| old.get(*hash).is_none_or(|c| c.subject.is_empty()));
        let subjects = subjects::read(project.map(|project| project.root.as_path()), unknown);
        let mut steps: HashMap<&str, Vec<&Step>> = HashMap::new();
        for step in state.budgets.values().flat_map(|budget| &budget.steps) {
            if let Some(commit) = step.commit.as_deref() {
                steps.entry(commit).or_default().push(step);
            }
        }
        let hrefs: HashMap<&str, &str> = (state.budgets.values().flat_map(|budget| &budget.rows))
            .map(|row| (row.test.as_str(), row.href.as_str()))
            .collect();
        let work = progress.count("writing", "commits", commits.len());
        let mut made = BTreeMap::new();
        for (i, (hash, runs)) in commits.iter().enumerate() {
            let before = commits.get(i + 1).map(|(hash, _)| hash.as_str());
            let steps: &[&Step] = steps.get(hash.as_str()).map_or(&[], Vec::as_slice);
            let known = old.remove(hash);
            let subject =
                known.as_ref().map(|known| known.subject.clone()).filter(|s| !s.is_empty());
            let subject = subject.or_else(|| subjects.get(hash).cloned()).unwrap_or_default();
            let made_of = made_of(runs, before, &subject, steps);
            let known = known.filter(|k| k.made_of == made_of && self.writer.keep(&k.files));
            let about = if let Some(known) = known {
                known
            } else {
                let mut about = commit_state(runs, made_of, subject);
                let shown = self.outcomes(runs).map_err(unread(self.place))?;
                let page = commit::CommitData {
                    project: self.settings.title,
                    hash,
                    about: &about,
                    before,
                    address: self.address(hash),
                    steps,
                    runs: &shown,
                };
                let href = |test: &str| hrefs.get(test).map(|href| (*href).to_owned());
                let pages = commit::pages(&page, &|row| href(&row.test));
                for (file, text) in pages {
                    self.writer.write(&file, &text)?;
                    about.files.push(file);
                }
                about
            };
            made.insert(hash.clone(), about);
            work.step();
        }
        state.commits = made;
        Ok(())
    }

    fn outcomes(
        &mut self,
        runs: &[CommitRun],
    ) -> Result<Vec<(CommitRun, Vec<crate::history::OutcomeRow>)>, Fault> {
        let read = |run: &CommitRun| Ok((run.clone(), self.store.outcomes_of(run.key)?));
        runs.iter().map(read).collect()
    }

    /// Returns the address of a commit. A name that is no hash has none.
    fn address(&self, hash: &str) -> Option<String> {
        let url = self.settings.commit_url.filter(|_| names::is_hash(hash))?;
        Some(url.replace("{commit}", hash))
    }
}

/// Returns the failure of a history that cannot be read.
fn unread(place: &Place) -> impl Fn(Fault) -> Failure {
    |fault| fault.failure("read", &place.public_name())
}

/// Returns a digest of all that the pages of a commit show.
fn made_of(runs: &[CommitRun], before: Option<&str>, subject: &str, steps: &[&Step]) -> String {
    let runs = runs.iter().map(|run| format!("{} {} {}", run.key, run.outcomes, run.red));
    let steps = steps.iter().map(|step| format!("{step:?}"));
    let parts: Vec<String> = runs.chain(steps).collect();
    digest(parts.iter().map(String::as_str).chain([before.unwrap_or_default(), subject]))
}

/// Returns the outcomes of the last run on this machine that have a distribution or a profile, if the history has that run.
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

/// Returns the state of a commit, without the files of its pages.
fn commit_state(runs: &[CommitRun], made_of: String, subject: String) -> state::Commit {
    state::Commit {
        made_of,
        files: Vec::new(),
        subject,
        at: runs.first().map_or(0, |run| run.at),
        outcomes: runs.iter().map(|run| run.outcomes).sum(),
        red: runs.iter().map(|run| run.red).sum(),
        judged: runs.iter().any(CommitRun::is_judged),
    }
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
