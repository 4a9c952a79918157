//! Tests of what `site` and `trend` say of now: which environments count, which limits are no longer measured, and which
//! changes are recent.

use std::collections::BTreeMap;
use std::fs;

use libtest_mimic::Trial;
use perf_budget_core::outcome::Outcome;

use crate::on_both;
use crate::project::{Project, outcome};
use crate::recording::execute;

pub(crate) fn rows() -> Vec<Trial> {
    let rows = [
        on_both("a_red_of_another_environment_is_red_on_the_site", environments),
        on_both("a_limit_that_is_gone_is_neither_red_nor_green", gone),
        on_both("what_the_branch_has_long_passed_is_not_recent", passed),
        on_both("a_site_says_how_many_commits_it_has", counts),
    ];
    rows.into_iter().flatten().collect()
}

/// Makes this many commits, and returns their hashes.
fn commits(project: &Project, count: u64) -> Vec<String> {
    (0..count).map(|n| project.commit(n)).collect()
}

/// Records outcomes at the nth of these commits.
fn record(project: &Project, hashes: &[String], n: usize, outcomes: &[Outcome]) {
    project.outcomes(outcomes);
    let record = ["history", "record", "--commit", &hashes[n], "--branch", "main"];
    project.run(&record).says(0, "recorded ");
}

/// Returns an outcome of `merge::p99` on this processor.
fn on(processor: &str, run: &str, n: usize, milliseconds: f64) -> Outcome {
    let mut outcome = outcome(run, n as u64, milliseconds * 1e-3);
    processor.clone_into(&mut outcome.run.processor);
    outcome
}

/// Returns an outcome of a test that budgets.toml does not have.
fn old(run: &str, n: usize, milliseconds: f64) -> Outcome {
    let (test, budget) = ("old::p99".to_owned(), "old".to_owned());
    Outcome { test, budget, ..outcome(run, n as u64, milliseconds * 1e-3) }
}

/// Makes the site, and returns its overview and the page of `merge` or of the budget that is named.
fn site(project: &Project, budget: &str) -> (String, String) {
    project.run(&["site", "--output", "out", "--branch", "main"]).says(0, "");
    let out = project.dir.join("out");
    let pages = fs::read_dir(out.join("budget")).unwrap().map(|entry| entry.unwrap().path());
    let pages: BTreeMap<String, _> = pages
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), path))
        .collect();
    let page = pages.iter().find(|(name, _)| name.starts_with(budget)).unwrap().1;
    let read = |path| fs::read_to_string(path).unwrap();
    (read(out.join("index.html")), read(page.clone()))
}

fn environments(db: &str) {
    let project = Project::new("environments-apart", db);
    let hashes = commits(&project, 30);
    record(&project, &hashes, 0, &[on("Apple M2", "m2", 0, 2.5)]);
    record(&project, &hashes, 1, &[on("AMD EPYC", "epyc", 1, 1.0)]);
    let (index, page) = site(&project, "merge");
    for part in ["1 limit is red", "verdict fail", "Apple M2", "and 1 more environment"] {
        assert!(index.contains(part), "no `{part}` in {index}");
    }
    assert!(index.contains("fail there at the commit of 2023-11-14 22:13"), "{index}");
    assert!(!index.contains("verdict pass") && !index.contains("not measured there"), "{index}");
    for part in ["verdict fail", "on Apple M2", "pass at the commit of 2023-11-14 23:13"] {
        assert!(page.contains(part), "no `{part}` in {page}");
    }
    // It counts as long as it is among the newest 20 commits that measured the test, and not for ever.
    for (n, is_red) in (2..21).map(|n| (n, n < 20)) {
        record(&project, &hashes, n, &[on("AMD EPYC", &format!("epyc-{n}"), n, 1.0)]);
        if n >= 19 {
            let (index, page) = site(&project, "merge");
            assert_eq!(index.contains("1 limit is red"), is_red, "{n}: {index}");
            assert_eq!(index.contains("was red, and is not measured lately, on Apple M2"), !is_red);
            assert_eq!(page.contains("newest 20 commits, so it does not count"), !is_red, "{page}");
        }
    }
    // A red of a machine that is not drawn, since six others were measured later, is red all the same.
    record(&project, &hashes, 21, &[on("Cray-1", "cray", 21, 2.5)]);
    for i in 0..7 {
        let name = format!("Zuse Z{i}");
        record(&project, &hashes, 22, &[on(&name, &name.replace(' ', "-"), 22, 1.0)]);
    }
    let (index, page) = site(&project, "merge");
    assert!(index.contains("1 limit is red") && index.contains("Cray-1"), "{index}");
    assert!(page.contains("on Cray-1") && page.contains("and 4 more environments"), "{page}");
}

fn gone(db: &str) {
    let project = Project::new("gone", db);
    let hashes = commits(&project, 22);
    record(&project, &hashes, 0, &[outcome("both", 0, 1e-3), old("both", 0, 2.5)]);
    // The file may be that of another commit: what the newest one measured is not gone.
    assert!(site(&project, "old").0.contains("1 limit is red"));
    record(&project, &hashes, 1, &[outcome("one", 1, 1e-3)]);
    let (index, page) = site(&project, "old");
    assert!(index.contains("headline pass") && index.contains("; 1 no longer measured"), "{index}");
    let (measured, rest) = index.split_once("No longer measured").unwrap();
    assert!(measured.contains("merge::p99") && !measured.contains("old::p99"), "{index}");
    assert!(rest.contains("old::p99") && rest.contains("was fail at the commit of"), "{index}");
    assert!(page.contains("verdict skipped") && !page.contains("verdict fail"), "{page}");
    project.run(&["trend"]).says(0, "none of 1 test changed | 1 test is no longer measured");
    let trend = project.run(&["trend", "--format", "json"]).json();
    let series = trend["series"].as_array().unwrap().iter();
    let mut marks: Vec<_> = series
        .map(|one| (one["test"].as_str().unwrap(), one["no_longer_measured"].as_bool().unwrap()))
        .collect();
    marks.sort_unstable();
    assert_eq!(marks, [("merge::p99", false), ("old::p99", true)]);
    project.run(&["trend", "old"]).says(0, "note: `old` is no longer in budgets.toml");
    // Only this test of a budget is gone.
    let p50 = |n: u64| Outcome { test: "merge::p50".to_owned(), ..outcome("half", n, 1e-3) };
    record(&project, &hashes, 1, &[p50(1)]);
    project.run(&["trend", "merge"]).says(0, "note: `merge::p50` is no longer in budgets.toml");
    // Where the file cannot be read, what none of the newest 20 commits measured is gone.
    fs::write(project.dir.join("budgets.toml"), "[budget").unwrap();
    assert!(site(&project, "old").0.contains("1 limit is red"));
    for n in 2..21 {
        let run = format!("run-{n}");
        record(&project, &hashes, n, &[outcome(&run, n as u64, 1e-3)]);
    }
    let (index, _) = site(&project, "old");
    assert!(
        index.contains("headline skipped") && index.contains("1 no longer measured"),
        "{index}"
    );
}

/// A test that was removed long ago, with a step in its own newest commits.
fn passed(db: &str) {
    let project = Project::new("long-passed", db);
    let value = |n: usize| (if n < 8 { 1.0 } else { 1.4 }) + (n % 3) as f64 * 0.01;
    let hashes = project.history(&[1.0; 36]);
    for n in 0..15 {
        record(&project, &hashes, n, &[old(&format!("old-{n}"), n, value(n))]);
    }
    // The file still has the test, so it is not gone; but its step is not recent.
    let file = project.dir.join("budgets.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{text}{}", text.replace("merge", "old"))).unwrap();
    project.run(&["trend"]).says(0, "none of 2 tests changed in the newest 20 commits");
    project.run(&["trend", "old"]).says(0, "worse by +");
    let (index, page) = site(&project, "old");
    assert!(index.contains("headline skipped\">No limit that was judged is red"), "{index}");
    assert!(index.contains("1 not measured there") && page.contains("class=\"step worse\""));
}

fn counts(db: &str) {
    let project = Project::new("counts", db);
    project.history(&[1.0]);
    let list = |parts: &str| {
        project.run(&["history", "list"]).says(0, parts);
    };
    list("   1 outcome, none red");
    let says = |commits: &str, said: &str| {
        let site = ["site", "--output", "out", "--branch", "main", "--commits", commits];
        project.run(&site).says(0, "");
        for page in ["index.html", "commits.html"] {
            let text = fs::read_to_string(project.dir.join("out").join(page)).unwrap();
            assert!(text.contains(said), "no `{said}` in {text}");
        }
    };
    says("5", "The one recorded commit");
    // 40 commits, each measured on 20 machines.
    let of = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i <";
    execute(
        &project,
        db,
        &format!(
            "{of} 799) INSERT INTO budget_runs (run, id, began, commit_id, committed, dirty, branch, environment, version) \
            SELECT i, 'run-' || i, 1800000060 + 3600 * CAST(i / 20 AS BIGINT), 'c' || (i / 20), \
            1800000000 + 3600 * CAST(i / 20 AS BIGINT), 0, 'main', 'Abacus ' || (i % 20), '0.1.0' FROM n"
        ),
    );
    says("50", "All 41 recorded commits");
    says("41", "All 41 recorded commits");
    says("40", "The newest 40 recorded commits");
    says("1", "The newest recorded commit");
}
