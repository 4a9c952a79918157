//! The merge of shards into one report: the verdict of each test from the file that has it, and a red outcome for
//! each test that no file has.
//!
//! A run that is divided (`PERF_BUDGET_SHARD`, nextest's `--partition`) leaves a record for each part. The last run
//! of each file is a shard. Each outcome says how many tests `budgets.toml` makes, so a lost shard is noticed,
//! whatever its name was: **a test is missing when no file has an outcome for it**. The names of runs
//! (`PERF_BUDGET_RUN`, nextest's) are not compared, since shards on several machines have one each.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use perf_budget_core::budget::Budgets;
use perf_budget_core::outcome::{Outcome, Run};
use perf_budget_core::report::count::Tests;
use perf_budget_core::report::terminal::bound_text;
use perf_budget_core::verdict::Verdict;

use super::data::MISSING;
use super::{Report, input, is_nameless, names};
use crate::failure::Failure;
use crate::progress::Progress;
use crate::text::counted;

/// An outcome, and the file that it came from.
struct Sharded<'f> {
    file: &'f Path,
    outcome: Outcome,
}

/// Returns one report of the last runs of these files. `budgets` reads the `budgets.toml` of these outcomes, which names
/// the missing tests. If it is not the file that the shards were run with, missing tests are only counted.
pub(crate) fn merge(
    files: &[PathBuf],
    budgets: &dyn Fn(&[Outcome]) -> Option<Budgets>,
    progress: Progress,
) -> Result<Report, Failure> {
    let work = progress.count("reading", "files", files.len());
    let mut merged: Vec<Sharded> = Vec::new();
    let mut earlier = Vec::new();
    let mut remarks = Vec::new();
    let mut tests_by_file: BTreeMap<String, Tests> = BTreeMap::new();
    for file in files {
        let record = input::read_shard(file)?;
        remarks.extend(input::damage(file, &record));
        let shard = input::split(record, Vec::new(), None);
        earlier.extend(shard.earlier);
        for (name, tests) in shard.files {
            let most = tests_by_file.entry(name).or_default();
            *most = (*most).max(tests);
        }
        for outcome in shard.outcomes {
            remarks.extend(add(&mut merged, file, outcome)?);
        }
        work.step();
    }
    if merged.is_empty() {
        // Every shard is without a test, so none of them can be read as a run of its own.
        files.iter().try_for_each(|file| input::read(file).map(drop))?;
    }
    let outcomes: Vec<Outcome> = merged.into_iter().map(|shard| shard.outcome).collect();
    let own = budgets(&outcomes);
    let missing: Vec<Outcome> = tests_by_file
        .iter()
        .flat_map(|(file, tests)| {
            let of_file: Vec<&Outcome> = outcomes.iter().filter(|o| o.file == *file).collect();
            missing((file, tests.limits), &of_file, own.as_ref(), files.len())
        })
        .collect();
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
    report.files.extend(tests_by_file);
    report.remarks = remarks;
    Ok(report)
}

/// Adds an outcome of this file. Where another file has an outcome of the same limit, the worse of them is kept, and a remark is
/// returned if their verdicts differ.
fn add<'f>(
    merged: &mut Vec<Sharded<'f>>,
    file: &'f Path,
    outcome: Outcome,
) -> Result<Option<String>, Failure> {
    let is_of_file = |known: &&Sharded| known.outcome.file == outcome.file;
    if let Some(first) = merged.iter().find(is_of_file) {
        same_tests(first, file, &outcome)?;
    }
    if let Some(first) = merged.first() {
        same_revision(first, file, &outcome)?;
    }
    let is_same = |known: &&mut Sharded<'f>| {
        known.outcome.test == outcome.test && known.outcome.file == outcome.file
    };
    let Some(known) = merged.iter_mut().find(is_same) else {
        merged.push(Sharded { file, outcome });
        return Ok(None);
    };
    same_limit(known, file, &outcome)?;
    Ok(keep_worse(known, file, outcome))
}

/// Refuses a file whose budgets make another number of tests.
fn same_tests(first: &Sharded, file: &Path, outcome: &Outcome) -> Result<(), Failure> {
    let tests = |outcome: &Outcome| {
        let name = outcome.file.rsplit('/').next().unwrap_or_default();
        format!("a {name} of {}", counted(outcome.run.tests, "test"))
    };
    if first.outcome.run.tests == outcome.run.tests {
        return Ok(());
    }
    Err(refused(first.file, &tests(&first.outcome), file, &tests(outcome)))
}

/// Refuses a file that came from another commit, build or kind of machine.
fn same_revision(first: &Sharded, file: &Path, outcome: &Outcome) -> Result<(), Failure> {
    let (a, b) = (&first.outcome.run, &outcome.run);
    let differs = [
        (format!("a {} build", a.profile), format!("a {} build", b.profile)),
        (a.platform.clone(), b.platform.clone()),
        (environment(a), environment(b)),
        (format!("perf-budget {}", a.version), format!("perf-budget {}", b.version)),
    ];
    // A run outside of git does not know its commit, so it is not compared.
    let commits = a.commit.as_ref().zip(b.commit.as_ref());
    let commits = commits.map(|(a, b)| (format!("commit {a}"), format!("commit {b}")));
    match differs.into_iter().chain(commits).find(|(a, b)| a != b) {
        None => Ok(()),
        Some((a, b)) => Err(refused(first.file, &a, file, &b)),
    }
}

/// Returns the environment that was in force, in words.
fn environment(run: &Run) -> String {
    run.environment.as_ref().map_or("no environment".to_owned(), |name| format!("[env.{name}]"))
}

/// Refuses a file in which the same test has another limit, place or subject.
fn same_limit(known: &Sharded, file: &Path, outcome: &Outcome) -> Result<(), Failure> {
    let limit = |o: &Outcome| {
        let limit = o.against.as_ref().map(|a| (a.bound, a.limit, a.warn, a.tolerance, a.unit));
        (limit, o.relative_to.clone())
    };
    let place = |o: &Outcome| format!("{} on line {} of {}", o.test, o.line, o.file);
    let held = |o: &Outcome| format!("{} held to {}", o.test, bound_text(o));
    // An outcome that was not measured may lack its limit.
    let both = known.outcome.against.is_some() && outcome.against.is_some();
    if both && limit(&known.outcome) != limit(outcome) {
        return Err(refused(known.file, &held(&known.outcome), file, &held(outcome)));
    }
    if (&known.outcome.file, known.outcome.line) != (&outcome.file, outcome.line) {
        return Err(refused(known.file, &place(&known.outcome), file, &place(outcome)));
    }
    if known.outcome.subject != outcome.subject {
        let subject = |o: &Outcome| format!("{} of {}", o.test, o.subject);
        return Err(refused(known.file, &subject(&known.outcome), file, &subject(outcome)));
    }
    Ok(())
}

fn refused(a: &Path, what_a_has: &str, b: &Path, what_b_has: &str) -> Failure {
    Failure::usage(format!(
        "failed to merge `{}` with `{}`: the first is of {what_a_has}, the second of {what_b_has}; merge shards of one \
         revision, built alike, with one budgets.toml",
        a.display(),
        b.display()
    ))
}

/// Keeps the worse of two outcomes of one test, and returns a remark where they differ. A skipped test says nothing
/// about the limit, so any judgement outweighs it.
fn keep_worse(known: &mut Sharded, file: &Path, outcome: Outcome) -> Option<String> {
    let (a, b) = (known.outcome.verdict, outcome.verdict);
    if a == b {
        return None;
    }
    let counts = if b.severity() > a.severity() { b } else { a };
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

/// Returns a red outcome for each test that no shard has. `expected` is the number of tests that the file with budgets
/// makes. Where the names of the missing tests are not known, one outcome stands for all of them.
fn missing(
    (file, expected): (&str, usize),
    outcomes: &[&Outcome],
    budgets: Option<&Budgets>,
    shards: usize,
) -> Vec<Outcome> {
    let known = outcomes.iter().filter(|outcome| !outcome.is_of_no_limit()).count();
    if known >= expected {
        return Vec::new();
    }
    let run = outcomes.first().map(|first| first.run.clone()).unwrap_or_default();
    let cause = "its shard is missing, or ended early";
    let remedy = "merge the file of every shard";
    if let Some(all) = all_tests(outcomes, budgets, expected) {
        let unknown = |test: &Outcome| !outcomes.iter().any(|known| known.test == test.test);
        let absent = all.into_iter().filter(unknown).map(|test| {
            // Nextest does not run a test that is listed as ignored.
            let ignored = matches!(test.relative_to.as_deref(), Some("base" | "lock"));
            let hint = if ignored { "; under nextest pass `--run-ignored all`" } else { "" };
            Outcome {
                reason: format!(
                    "{} has no outcome in {}: {cause}; {remedy}{hint}",
                    test.metric,
                    counted(shards, "file")
                ),
                file: file.to_owned(),
                run: run.clone(),
                ..test
            }
        });
        return absent.collect();
    }
    let reason = format!(
        "{} of {expected} without an outcome in {}: a shard is missing, or ended early; {remedy}",
        counted(expected - known, "test"),
        counted(shards, "file")
    );
    vec![Outcome {
        test: MISSING.to_owned(),
        subject: "tests of a shard".to_owned(),
        metric: MISSING.to_owned(),
        verdict: Verdict::Unmeasured,
        reason,
        file: file.to_owned(),
        line: 1,
        run,
        ..Outcome::default()
    }]
}

/// Returns all tests by name, where `budgets` is the file that the outcomes come from.
fn all_tests(
    outcomes: &[&Outcome],
    budgets: Option<&Budgets>,
    expected: usize,
) -> Option<Vec<Outcome>> {
    let all = names::unmeasured(budgets?);
    let named =
        |known: &&Outcome| known.is_of_no_limit() || all.iter().any(|test| test.test == known.test);
    (!outcomes.is_empty() && all.len() == expected && outcomes.iter().all(named)).then_some(all)
}
