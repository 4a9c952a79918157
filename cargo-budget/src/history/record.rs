//! Records a run of the harness from `outcomes.jsonl` into the history.

use perf_budget_core::outcome::Outcome;
use serde::Serialize;

use super::database::Kind;
use super::entry::{Entry, HARNESS, Measured, environment};
use super::place::Place;
use super::revision::{self, Revision};
use super::store::Store;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::project::Project;
use crate::runs::last_run;
use crate::text::short;

/// Which run to record, and as which commit and branch.
#[derive(Debug, Default)]
pub(crate) struct RunToRecord<'a> {
    /// The run's id; `None` means the last run.
    pub(crate) run: Option<&'a str>,
    pub(crate) commit: Option<&'a str>,
    pub(crate) branch: Option<&'a str>,
    /// Whether only to report what would be recorded.
    pub(crate) dry: bool,
}

/// The result of recording one run.
#[derive(Debug, Serialize)]
pub(crate) struct Recorded {
    run: String,
    commit: Option<String>,
    branch: Option<String>,
    /// Whether the work tree had uncommitted changes.
    dirty: bool,
    /// The tool that measured it.
    source: String,
    outcomes: usize,
    /// How many of the outcomes are new; `None` where nothing was to be recorded.
    added: Option<u64>,
    /// The summary, for people.
    pub(crate) sentence: String,
    /// The warnings that a reader has to know.
    pub(crate) warnings: Vec<String>,
}

impl Recorded {
    /// Returns the result for an entry that is not to be recorded.
    pub(super) fn dry(entry: &Entry, place: &Place) -> Recorded {
        Recorded::new(
            entry,
            None,
            format!("would record {} in `{}`", summary(entry), place.public_name()),
        )
    }

    fn new(entry: &Entry, added: Option<u64>, sentence: String) -> Recorded {
        let revision = entry.revision.clone();
        Recorded {
            run: entry.id.clone(),
            commit: revision.commit,
            branch: revision.branch,
            dirty: revision.dirty,
            source: entry.source.clone(),
            outcomes: entry.values.len(),
            added,
            sentence,
            warnings: Vec::new(),
        }
    }
}

/// The most attempts to record a run while others keep the history busy. In each attempt the database waits for half a
/// minute or more.
const ATTEMPTS: usize = 3;
/// The seconds by which the clocks of two machines may differ.
const SKEW: i64 = 120;

/// Records a run of the project, with all runs of its test targets. Returns what was done with each.
pub(crate) fn record(
    project: &Project,
    place: &Place,
    request: &RunToRecord<'_>,
    progress: Progress,
) -> Result<Vec<Recorded>, Failure> {
    let outcomes = match request.run {
        None => project.last_run(progress)?,
        Some(id) => outcomes_of_run(project, id, progress)?,
    };
    if outcomes.is_empty() {
        return Err(Failure::unmeasured(format!(
            "`{}` is empty; run `cargo test --release` first",
            project.record().display()
        )));
    }
    // The test targets of a package may have a file with budgets and a run each.
    let mut runs: Vec<Vec<Outcome>> = Vec::new();
    for outcome in outcomes {
        match runs.iter_mut().find(|run| run[0].run.id == outcome.run.id) {
            Some(run) => run.push(outcome),
            None => runs.push(vec![outcome]),
        }
    }
    runs.iter().map(|outcomes| record_run(project, place, request, outcomes, progress)).collect()
}

/// Records the outcomes of one run.
fn record_run(
    project: &Project,
    place: &Place,
    request: &RunToRecord<'_>,
    outcomes: &[Outcome],
    progress: Progress,
) -> Result<Recorded, Failure> {
    let run = &outcomes[0].run;
    let mut revision = revision::resolve(&project.root, request.commit, request.branch)?;
    let warnings = warnings(&mut revision, request, run.began.cast_signed());
    let entry = Entry {
        id: run.id.clone(),
        began: run.began.cast_signed(),
        environment: environment(run),
        version: run.version.clone(),
        source: HARNESS.to_owned(),
        values: outcomes.iter().map(Measured::from_outcome).collect(),
        revision,
    };
    let recorded = if request.dry {
        Recorded::dry(&entry, place)
    } else {
        let with_remedy = |failure: Failure| Failure {
            text: format!("{failure}. {}", how_to_repeat(project, &entry)),
            ..failure
        };
        let work = progress.count("recording", "outcomes", entry.values.len());
        let mut store = place.create("record in").map_err(with_remedy)?;
        write(&mut store, &entry, &|| work.step()).map_err(with_remedy)?
    };
    Ok(Recorded { warnings, ..recorded })
}

/// Records the entry, calling `step` after each of its values.
pub(super) fn write(
    store: &mut Store,
    entry: &Entry,
    step: &dyn Fn(),
) -> Result<Recorded, Failure> {
    let mut recorded = store.record(entry, step);
    for _ in 1..ATTEMPTS {
        // An attempt that fails records nothing, and the other processes may have ended meanwhile.
        if recorded.as_ref().is_err_and(|fault| fault.kind == Kind::Busy) {
            recorded = store.record(entry, &|| ());
        }
    }
    let recorded = recorded.map_err(|fault| fault.failure("record in", store.place()))?;
    let sentence = match (recorded.added, recorded.known) {
        (0, _) => format!("{} was recorded already in `{}`", summary(entry), store.place()),
        (_, 0) => format!("recorded {} in `{}`", summary(entry), store.place()),
        (added, known) => format!(
            "recorded {} in `{}`: {added} new, {known} recorded already",
            summary(entry),
            store.place()
        ),
    };
    Ok(Recorded::new(entry, Some(recorded.added), sentence))
}

/// Returns the summary of an entry: "25 outcomes of run `x`, commit abc on main".
fn summary(entry: &Entry) -> String {
    let revision = &entry.revision;
    let commit = revision.commit.as_deref().map_or("no commit".to_owned(), |commit| {
        format!("commit {}{}", short(commit), if revision.dirty { " with changes" } else { "" })
    });
    let branch =
        revision.branch.as_ref().map_or("no branch".to_owned(), |name| format!("`{name}`"));
    let count = entry.values.len();
    let outcomes = if count == 1 { "outcome" } else { "outcomes" };
    format!("{count} {outcomes} of run `{}`, {commit} on {branch}", entry.id)
}

/// Returns warnings about the revision. A run that began before its commit was made cannot have measured that commit,
/// so it is marked as dirty.
fn warnings(revision: &mut Revision, request: &RunToRecord<'_>, began: i64) -> Vec<String> {
    let mut sentences = Vec::new();
    if revision.commit.is_none() {
        sentences.push(
            "there is no git repository, so the run has no commit; name one by `--commit`"
                .to_owned(),
        );
    }
    let made_later = revision.committed.is_some_and(|committed| began + SKEW < committed);
    if request.commit.is_none() && made_later {
        revision.dirty = true;
        sentences.push(
            "the run began before the checked-out commit was made, so it is marked as one with uncommitted \
             changes, which `trend` leaves out; run the tests again, or name the measured commit by `--commit`"
                .to_owned(),
        );
    } else if revision.dirty {
        sentences.push(
            "the tree has uncommitted changes, so the run is marked as such and `trend` leaves it out"
                .to_owned(),
        );
    }
    if revision.branch.is_none() {
        sentences.push("no branch is checked out; name one by `--branch`".to_owned());
    }
    sentences
}

fn outcomes_of_run(
    project: &Project,
    id: &str,
    progress: Progress,
) -> Result<Vec<Outcome>, Failure> {
    let path = project.record();
    let _work = progress.busy("reading outcomes");
    let mut record = project.read_record(&path)?;
    let known: Vec<String> =
        record.outcomes.iter().rev().map(|outcome| outcome.run.id.clone()).collect();
    record.outcomes.retain(|outcome| outcome.run.id == id);
    record.begun.retain(|begun| begun.run.id == id);
    if record.outcomes.is_empty() {
        let mut known = known;
        known.dedup();
        known.truncate(3);
        return Err(Failure::usage(format!(
            "there is no run `{id}` in `{}`; the last ones are {}",
            path.display(),
            known.join(", ")
        )));
    }
    Ok(last_run(&record))
}

/// Returns a sentence that says where the outcomes still are, and how to record them later.
fn how_to_repeat(project: &Project, entry: &Entry) -> String {
    let revision = &entry.revision;
    let option = |name: &str, value: &Option<String>| {
        value.as_ref().map_or_else(String::new, |value| format!(" --{name} {value}"))
    };
    format!(
        "Nothing is lost: the outcomes are in `{}`; record them later by `cargo budget history record \
         --run {}{}{}`",
        project.record().display(),
        entry.id,
        option("commit", &revision.commit),
        option("branch", &revision.branch)
    )
}
