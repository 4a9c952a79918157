//! Shards made one: every test's verdict from whichever file has it, and a red for each that none has.
//!
//! Whoever divides a run (`PERF_BUDGET_SHARD`, nextest's `--partition`) gets a record from each part. Each
//! file's last run is a shard. The outcomes say how many tests `budgets.toml` makes, so that a shard
//! that was lost shows, whatever its name was: **a test is missing when no file has an outcome for it**. The
//! names of runs (`PERF_BUDGET_RUN`, nextest's) are not compared, since shards on several machines have one
//! each.

use std::path::{Path, PathBuf};

use perf_budget_core::budget::Budgets;
use perf_budget_core::outcome::Outcome;
use perf_budget_core::report::terminal::bound_text;
use perf_budget_core::verdict::Verdict;

use super::data::MISSING;
use super::{Report, input, is_idle, is_nameless, names, severity};
use crate::failure::Failure;
use crate::progress::Progress;

/// An outcome with the file that it is from.
struct Sharded<'f> {
    file: &'f Path,
    outcome: Outcome,
}

/// One report of the last runs of these files. `budgets` is the `budgets.toml` that can name what is
/// missing; where it is another than the shards', missing tests are only counted.
pub(crate) fn merge(
    files: &[PathBuf],
    budgets: Option<&Budgets>,
    progress: Progress,
) -> Result<Report, Failure> {
    let work = progress.count("reading", "files", files.len());
    let mut merged: Vec<Sharded> = Vec::new();
    let mut earlier = Vec::new();
    let mut remarks = Vec::new();
    for file in files {
        let shard = input::split(input::read(file)?);
        earlier.extend(shard.earlier);
        for outcome in shard.outcomes {
            if let Some(first) = merged.first() {
                same_revision(first, file, &outcome)?;
            }
            match merged.iter_mut().find(|known| known.outcome.test == outcome.test) {
                Some(known) => {
                    same_limit(known, file, &outcome)?;
                    remarks.extend(twice(known, file, outcome));
                }
                None => merged.push(Sharded { file, outcome }),
            }
        }
        work.step();
    }
    let outcomes: Vec<Outcome> = merged.into_iter().map(|shard| shard.outcome).collect();
    let missing = missing(&outcomes, budgets, files.len());
    remarks.insert(0, format!("merged from {}", counted(files.len(), "file")));
    if let Some(first) = missing.first() {
        let remark = if is_nameless(first) {
            first.reason.clone()
        } else {
            format!("{} missing", counted(missing.len(), "test"))
        };
        remarks.push(remark);
    }
    earlier.sort_by_key(|outcome: &Outcome| outcome.run.began);
    let mut report = Report::new([outcomes, missing].concat(), earlier);
    report.remarks = remarks;
    Ok(report)
}

/// Refuses a file that another `budgets.toml`, commit, build or kind of machine made.
fn same_revision(first: &Sharded, file: &Path, outcome: &Outcome) -> Result<(), Failure> {
    let (a, b) = (&first.outcome.run, &outcome.run);
    let tests = |n: usize| format!("a budgets.toml of {}", counted(n, "test"));
    let differs = [
        (tests(a.tests), tests(b.tests)),
        (format!("a {} build", a.profile), format!("a {} build", b.profile)),
        (a.platform.clone(), b.platform.clone()),
        (format!("perf-budget {}", a.version), format!("perf-budget {}", b.version)),
    ];
    // A run that does not know its commit, as one outside of git, says nothing against another.
    let commits = a.commit.as_ref().zip(b.commit.as_ref());
    let commits = commits.map(|(a, b)| (format!("commit {a}"), format!("commit {b}")));
    match differs.into_iter().chain(commits).find(|(a, b)| a != b) {
        None => Ok(()),
        Some((a, b)) => Err(refused(first.file, &a, file, &b)),
    }
}

/// Refuses a file that holds the same test to something else.
fn same_limit(known: &Sharded, file: &Path, outcome: &Outcome) -> Result<(), Failure> {
    let limit = |of: &Outcome| {
        let limit = of.against.as_ref().map(|a| (a.bound, a.limit, a.warn, a.tolerance, a.unit));
        (limit, of.relative_to.clone())
    };
    let place = |of: &Outcome| format!("{} on line {} of {}", of.test, of.line, of.file);
    let held = |of: &Outcome| format!("{} held to {}", of.test, bound_text(of));
    // What could not be measured may have nothing that it was held against.
    let both = known.outcome.against.is_some() && outcome.against.is_some();
    if both && limit(&known.outcome) != limit(outcome) {
        return Err(refused(known.file, &held(&known.outcome), file, &held(outcome)));
    }
    if (&known.outcome.file, known.outcome.line) != (&outcome.file, outcome.line) {
        return Err(refused(known.file, &place(&known.outcome), file, &place(outcome)));
    }
    if known.outcome.subject != outcome.subject {
        let subject = |of: &Outcome| format!("{} of {}", of.test, of.subject);
        return Err(refused(known.file, &subject(&known.outcome), file, &subject(outcome)));
    }
    Ok(())
}

fn refused(a: &Path, has: &str, b: &Path, other: &str) -> Failure {
    Failure::usage(format!(
        "failed to merge `{}` with `{}`: the one is of {has}, the other of {other}; merge shards of one \
         revision, built alike, with one budgets.toml",
        a.display(),
        b.display()
    ))
}

/// Keeps the worse of two outcomes of one test, and says so where they differ. A skip says nothing of
/// the limit, so any judgement counts before it.
fn twice(known: &mut Sharded, file: &Path, outcome: Outcome) -> Option<String> {
    let (a, b) = (known.outcome.verdict, outcome.verdict);
    if a == b {
        return None;
    }
    let counts = if severity(b) > severity(a) { b } else { a };
    let remark = format!(
        "judged twice: {} in `{}`, {} in `{}`; {} counts",
        a.name(),
        known.file.display(),
        b.name(),
        file.display(),
        counts.name()
    );
    if counts == b {
        known.outcome = outcome;
    }
    known.outcome.notes.push(remark.clone());
    Some(format!("{} was {remark}", known.outcome.test))
}

/// A red outcome for each test that nobody judged: by name, or one for all where names are not known.
fn missing(outcomes: &[Outcome], budgets: Option<&Budgets>, files: usize) -> Vec<Outcome> {
    let Some(first) = outcomes.first() else { return Vec::new() };
    let made = first.run.tests;
    let known = outcomes.iter().filter(|outcome| !is_idle(outcome)).count();
    if known >= made {
        return Vec::new();
    }
    let lost = "its shard is missing, or ended early";
    let remedy = "merge the file of every shard";
    if let Some(all) = named(outcomes, budgets, made) {
        let unknown = |test: &Outcome| !outcomes.iter().any(|known| known.test == test.test);
        let absent = all.into_iter().filter(unknown).map(|test| {
            // Nextest does not run what says beforehand that it is set aside.
            let aside = matches!(test.relative_to.as_deref(), Some("base" | "lock"));
            let hint = if aside { "; under nextest pass `--run-ignored all`" } else { "" };
            Outcome {
                reason: format!(
                    "{} has no outcome in {}: {lost}; {remedy}{hint}",
                    test.metric,
                    counted(files, "file")
                ),
                file: first.file.clone(),
                run: first.run.clone(),
                ..test
            }
        });
        return absent.collect();
    }
    let reason = format!(
        "{} of {made} have no outcome in {}: a shard is missing, or ended early; {remedy}",
        counted(made - known, "test"),
        counted(files, "file")
    );
    vec![Outcome {
        test: MISSING.to_owned(),
        subject: "tests of a shard".to_owned(),
        metric: MISSING.to_owned(),
        verdict: Verdict::Unmeasured,
        reason,
        file: first.file.clone(),
        line: 1,
        run: first.run.clone(),
        ..Outcome::default()
    }]
}

/// The tests by name, where that `budgets.toml` is the one that the outcomes are of.
fn named(outcomes: &[Outcome], budgets: Option<&Budgets>, made: usize) -> Option<Vec<Outcome>> {
    let all = names::unmeasured(budgets?);
    let named = |known: &Outcome| is_idle(known) || all.iter().any(|test| test.test == known.test);
    (all.len() == made && outcomes.iter().all(named)).then_some(all)
}

/// `1 file`, `2 files`.
pub(crate) fn counted(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}
