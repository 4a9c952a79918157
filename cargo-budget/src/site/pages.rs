//! Makes the pages of the budgets and of the commits that have something new, and reads of the history what is on them: of many
//! pages at once, since on a slow network each question takes a round trip.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use perf_budget_core::outcome::Outcome;

use super::state::{self, State, Step, digest};
use super::writer::Writer;
use super::{budget, commit, names, read, subjects};
use crate::failure::Failure;
use crate::history::{
    CommitRun, Fault, Listed, OutcomeRow, Place, READ_AT_ONCE, Recent, Series, Store,
};
use crate::progress::Progress;
use crate::project::Project;

/// The most runs whose outcomes are read by one statement, far below the placeholders of both databases.
const RUNS_AT_ONCE: usize = 1000;

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

/// A commit with its runs.
pub(super) type Commit = (String, Vec<CommitRun>);

/// The site, while it is made.
pub(super) struct Site<'a> {
    pub(super) place: &'a Place,
    pub(super) settings: &'a Settings<'a>,
    pub(super) branch: Option<&'a str>,
    pub(super) store: Store,
    pub(super) writer: Writer,
    /// The commits that have a page, the newest first, and whether there are older ones.
    pub(super) commits: (Vec<Commit>, bool),
    pub(super) recent: Recent,
    /// The tests of budgets.toml, where it can be read.
    pub(super) listed: Option<Listed>,
    /// The outcomes of the last run on this machine that have a distribution or a profile, by their tests.
    pub(super) recorded: HashMap<String, Outcome>,
}

/// A budget whose pages have to be made.
struct DueBudget<'t> {
    name: &'t str,
    tests: &'t read::Tests<'t>,
    made_of: String,
}

/// A commit whose pages have to be made.
struct DueCommit<'t> {
    hash: &'t str,
    runs: &'t [CommitRun],
    /// The recorded commit before this one.
    before: Option<&'t str>,
    steps: &'t [&'t Step],
    about: state::Commit,
}

impl Site<'_> {
    /// Makes the pages of the budgets that have something new.
    pub(super) fn budgets(
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
        let mut due = Vec::new();
        for (name, tests) in &budgets {
            let parts = tests.values().flatten().map(|one| {
                let print = fingerprints.get(&one.key).copied().unwrap_or_default();
                let listed = self.listed.as_ref().map(|listed| listed.has(name, &one.test));
                format!("{} {} {} {} {listed:?}", one.key, print.count, print.sum, one.newest)
            });
            let parts: Vec<String> = parts.collect();
            let made_of = digest(parts.iter().map(String::as_str));
            let known = old.remove(*name).filter(|known| {
                // Pages that lead to a commit which has lost its page are made anew.
                let are_links_kept =
                    !self.commits.1 || known.linked.zip(oldest).is_none_or(|(l, o)| l > o);
                let recorded = self.run_of(tests.keys().copied());
                let is_new = !recorded.is_empty() && recorded != known.recorded;
                // So are those of a limit that the newest commits do not measure any more.
                let are_gone_ones_known =
                    known.rows.iter().all(|row| row.is_gone(self.recent) == row.is_gone);
                known.made_of == made_of
                    && are_links_kept
                    && !is_new
                    && are_gone_ones_known
                    && self.writer.keep(&known.files)
            });
            if let Some(known) = known {
                state.budgets.insert((*name).to_owned(), known);
                work.step();
            } else {
                due.push(DueBudget { name, tests, made_of });
            }
        }
        let last = self.settings.last;
        let series = |due: &DueBudget<'_>| due.tests.values().map(Vec::len).sum();
        for some in parts(due, read::at_once(last), series) {
            let tests = some.iter().map(|due| due.tests);
            let mut points =
                read::points(&mut self.store, tests, last).map_err(unread(self.place))?;
            for due in some {
                let name = due.name.to_owned();
                let made = self.budget(due, &mut points, &paged)?;
                if !made.rows.is_empty() {
                    state.budgets.insert(name, made);
                }
                work.step();
            }
        }
        Ok(())
    }

    /// Makes the pages of a budget from what was read of it.
    fn budget(
        &mut self,
        due: DueBudget<'_>,
        points: &mut read::Points,
        paged: &HashSet<String>,
    ) -> Result<state::Budget, Failure> {
        let DueBudget { name, tests, made_of } = due;
        let recorded = self.run_of(tests.keys().copied());
        let last = self.settings.last;
        let (recent, listed) = (self.recent, self.listed.as_ref());
        let known = read::TestContext { recent, listed, recorded: &self.recorded };
        let tests = read::tests(&mut self.store, name, tests, points, last, known)
            .map_err(unread(self.place))?;
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

    /// Returns the run whose distributions and profiles are shown on the pages of these tests; an empty text if there is none.
    fn run_of<'t>(&self, mut tests: impl Iterator<Item = &'t str>) -> String {
        let run = tests.find_map(|test| Some(self.recorded.get(test)?.run.id.clone()));
        run.unwrap_or_default()
    }

    /// Makes the pages of the commits that have something new.
    pub(super) fn commit_pages(
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
        let mut due = Vec::new();
        for (i, (hash, runs)) in commits.iter().enumerate() {
            let before = commits.get(i + 1).map(|(hash, _)| hash.as_str());
            let steps: &[&Step] = steps.get(hash.as_str()).map_or(&[], Vec::as_slice);
            let known = old.remove(hash);
            let subject =
                known.as_ref().map(|known| known.subject.clone()).filter(|s| !s.is_empty());
            let subject = subject.or_else(|| subjects.get(hash).cloned()).unwrap_or_default();
            let made_of = made_of(runs, before, &subject, steps);
            let known = known.filter(|k| k.made_of == made_of && self.writer.keep(&k.files));
            if let Some(known) = known {
                state.commits.insert(hash.clone(), known);
                work.step();
            } else {
                due.push(DueCommit {
                    hash,
                    runs,
                    before,
                    steps,
                    about: commit_state(runs, made_of, subject),
                });
            }
        }
        let outcomes = |due: &DueCommit<'_>| usize::try_from(due.about.outcomes).unwrap_or(0);
        for some in parts(due, READ_AT_ONCE, outcomes) {
            let runs: Vec<i64> = some.iter().flat_map(|due| due.runs).map(|run| run.key).collect();
            let mut outcomes = HashMap::new();
            for runs in runs.chunks(RUNS_AT_ONCE) {
                outcomes.extend(self.store.outcomes_of(runs).map_err(unread(self.place))?);
            }
            for due in some {
                let hash = due.hash.to_owned();
                let made = self.commit(due, &mut outcomes, &|row| {
                    hrefs.get(row.test.as_str()).map(|href| (*href).to_owned())
                })?;
                state.commits.insert(hash, made);
                work.step();
            }
        }
        Ok(())
    }

    /// Makes the pages of a commit from its outcomes.
    fn commit(
        &mut self,
        due: DueCommit<'_>,
        outcomes: &mut HashMap<i64, Vec<OutcomeRow>>,
        href: &dyn Fn(&OutcomeRow) -> Option<String>,
    ) -> Result<state::Commit, Failure> {
        let with_outcomes =
            |run: &CommitRun| (run.clone(), outcomes.remove(&run.key).unwrap_or_default());
        let shown: Vec<_> = due.runs.iter().map(with_outcomes).collect();
        let mut about = due.about;
        let page = commit::CommitData {
            project: self.settings.title,
            hash: due.hash,
            about: &about,
            before: due.before,
            address: self.address(due.hash),
            steps: due.steps,
            runs: &shown,
        };
        let pages = commit::pages(&page, href);
        for (file, text) in pages {
            self.writer.write(&file, &text)?;
            about.files.push(file);
        }
        Ok(about)
    }

    /// Returns the address of a commit. A name that is no hash has none.
    fn address(&self, hash: &str) -> Option<String> {
        let url = self.settings.commit_url.filter(|_| names::is_hash(hash))?;
        Some(url.replace("{commit}", hash))
    }
}

/// Returns the failure of a history that cannot be read.
pub(super) fn unread(place: &Place) -> impl Fn(Fault) -> Failure {
    |fault| fault.failure("read", &place.public_name())
}

/// Returns a digest of all that the pages of a commit show.
fn made_of(runs: &[CommitRun], before: Option<&str>, subject: &str, steps: &[&Step]) -> String {
    let runs = runs.iter().map(|run| format!("{} {} {}", run.key, run.outcomes, run.red));
    let steps = steps.iter().map(|step| format!("{step:?}"));
    let parts: Vec<String> = runs.chain(steps).collect();
    digest(parts.iter().map(String::as_str).chain([before.unwrap_or_default(), subject]))
}

/// Returns what is known of a commit without its outcomes.
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

/// Cuts a list into parts whose sizes add up to `most` at the most, or that are one item.
pub(super) fn parts<T>(items: Vec<T>, most: usize, size: impl Fn(&T) -> usize) -> Vec<Vec<T>> {
    let mut parts: Vec<Vec<T>> = Vec::new();
    let mut left = 0;
    for item in items {
        let size = size(&item);
        if let Some(part) = parts.last_mut().filter(|_| size <= left) {
            part.push(item);
        } else {
            parts.push(vec![item]);
            left = most;
        }
        left = left.saturating_sub(size);
    }
    parts
}
