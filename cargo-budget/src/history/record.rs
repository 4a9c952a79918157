//! From `outcomes.jsonl` into the history.

use perf_budget::outcome::Outcome;
use perf_budget::record;

use super::entry::{Entry, HARNESS, Measured, environment};
use super::revision::{self, Revision};
use super::{Place, Store};
use crate::failure::Failure;
use crate::progress::Progress;
use crate::project::{Project, last_run};

/// Which run to record, and of what.
#[derive(Debug, Default)]
pub(crate) struct What<'a> {
    /// The run's id; the last one where there is none.
    pub(crate) run: Option<&'a str>,
    pub(crate) commit: Option<&'a str>,
    pub(crate) branch: Option<&'a str>,
    /// Say what would be recorded, and do not.
    pub(crate) dry: bool,
}

/// Seconds by which two machines' clocks may differ.
const SKEW: i64 = 120;

/// Records a run of the project; sentences that say what was done, the last of them the sum.
pub(crate) fn record(
    project: &Project,
    place: &Place,
    what: &What<'_>,
    progress: Progress,
) -> Result<Vec<String>, Failure> {
    let outcomes = match what.run {
        None => project.last_run(progress)?,
        Some(id) => of_run(project, id, progress)?,
    };
    let Some(run) = outcomes.first().map(|outcome| outcome.run.clone()) else {
        return Err(Failure::unmeasured(format!(
            "`{}` is empty; run `cargo test --release` first",
            project.record().display()
        )));
    };
    let mut revision = revision::of(&project.root, what.commit, what.branch)?;
    let mut said = doubts(&mut revision, what, run.began.cast_signed());
    let entry = Entry {
        id: run.id.clone(),
        began: run.began.cast_signed(),
        environment: environment(&run),
        version: run.version.clone(),
        source: HARNESS.to_owned(),
        values: outcomes.iter().map(Measured::of).collect(),
        revision,
    };
    said.push(if what.dry {
        format!("would record {} in `{}`", sum(&entry), place.shown())
    } else {
        let kept = |failure: Failure| Failure {
            text: format!("{failure}. {}", how_to_repeat(project, &entry)),
            ..failure
        };
        let work = progress.count("recording", "outcomes", entry.values.len());
        let mut store = place.create("record in").map_err(kept)?;
        write(&mut store, &entry, &|| work.step()).map_err(kept)?
    });
    Ok(said)
}

/// Records the entry, with a `step` for each of its values; a sentence that says so.
pub(crate) fn write(store: &mut Store, entry: &Entry, step: &dyn Fn()) -> Result<String, Failure> {
    let recorded =
        store.record(entry, step).map_err(|fault| fault.failure("record in", store.place()))?;
    Ok(match (recorded.added, recorded.known) {
        (0, _) => format!("{} was recorded already in `{}`", sum(entry), store.place()),
        (_, 0) => format!("recorded {} in `{}`", sum(entry), store.place()),
        (added, known) => format!(
            "recorded {} in `{}`: {added} new, {known} recorded already",
            sum(entry),
            store.place()
        ),
    })
}

/// "25 outcomes of run `x`, commit abc on main".
pub(crate) fn sum(entry: &Entry) -> String {
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

/// A commit as people read it.
pub(crate) fn short(commit: &str) -> &str {
    commit.get(..9).unwrap_or(commit)
}

/// What is doubtful of the revision; a run that began before its commit was made measured something
/// else, so that it is marked.
fn doubts(revision: &mut Revision, what: &What<'_>, began: i64) -> Vec<String> {
    let mut said = Vec::new();
    if revision.commit.is_none() {
        said.push(
            "there is no git repository, so that the run is of no commit; name one by `--commit`"
                .to_owned(),
        );
    }
    let made_later = revision.committed.is_some_and(|committed| began + SKEW < committed);
    if what.commit.is_none() && made_later {
        revision.dirty = true;
        said.push(
            "the run began before the commit that is checked out was made, and is marked as one with \
             changes, which `trend` leaves out; run the tests again, or say by `--commit` what it measured"
                .to_owned(),
        );
    } else if revision.dirty {
        said.push(
            "the tree has changes that are in no commit, and the run is marked so; `trend` leaves it out"
                .to_owned(),
        );
    }
    if revision.branch.is_none() {
        said.push("no branch is checked out; name one by `--branch`".to_owned());
    }
    said
}

fn of_run(project: &Project, id: &str, progress: Progress) -> Result<Vec<Outcome>, Failure> {
    let path = project.record();
    let _work = progress.busy("reading outcomes");
    let mut outcomes = project.own(record::read(&path)?);
    let known: Vec<String> = outcomes.iter().rev().map(|outcome| outcome.run.id.clone()).collect();
    outcomes.retain(|outcome| outcome.run.id == id);
    if outcomes.is_empty() {
        let mut known = known;
        known.dedup();
        known.truncate(3);
        return Err(Failure::usage(format!(
            "there is no run `{id}` in `{}`; the last ones are {}",
            path.display(),
            known.join(", ")
        )));
    }
    Ok(last_run(outcomes))
}

/// What is not lost, and how to record it when the cause is gone.
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
