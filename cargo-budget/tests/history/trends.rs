//! Tests of `trend`: steps with their commits, drift, and the messages where there is nothing to find.

use libtest_mimic::Trial;

use crate::on_both;
use crate::project::{Project, outcome};

pub(crate) fn rows() -> Vec<Trial> {
    let rows = [
        on_both("a_step_is_named_by_its_commits", step),
        on_both("a_drift_under_the_limit_is_shown", drift),
        on_both("what_changed_lately_is_listed_without_a_name", lately),
        on_both("what_changed_long_ago_is_not_listed", long_ago),
        on_both("every_difference_of_an_exact_metric_is_a_change", exact),
        on_both("a_short_history_is_explained", short),
        on_both("branches_and_environments_are_separate", separate),
        on_both("a_tree_with_changes_is_left_out", dirty),
        on_both("outcomes_of_the_same_second_have_one_order", same_second),
        on_both("a_missing_thing_is_reported_with_a_remedy", missing),
    ];
    rows.into_iter().flatten().collect()
}

/// Returns noise of 1 %, which is the same each time.
fn noise(n: usize) -> f64 {
    let mixed = (n as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23);
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    ((mixed >> 40) as f64 / (1_u64 << 24) as f64 - 0.5) * 0.02
}

fn step(db: &str) {
    let project = Project::new("step", db);
    let values: Vec<f64> =
        (0..16).map(|n| (if n < 10 { 1.0 } else { 1.2 }) * (1.0 + noise(n))).collect();
    let hashes = project.history(&values);
    let range = format!("{}..{}", &hashes[9][..9], &hashes[10][..9]);
    let ran = project.run(&["trend", "merge"]);
    let ran =
        ran.says(0, &format!("merge on main, Abacus 9 | worse by +20 | in {range}, 2023-11-15"));
    let ran = ran.says(0, "16 commits | now 1.2 | max 2 ms | ▁");
    assert!(!ran.out.contains("drift") && !ran.out.contains("note"), "{}", ran.out);
    let json = project.run(&["trend", "merge::p99", "--format", "json"]).json();
    let change = &json["series"][0]["changes"][0];
    assert_eq!(change["last_good"], hashes[9].as_str());
    assert_eq!(change["first_bad"], hashes[10].as_str());
    assert_eq!((&change["worse"], &change["commits_in_range"]), (&true.into(), &1.into()));
    assert_eq!(json["series"][0]["commits"].as_array().unwrap().len(), 16);
    // Two runs of one commit count as one value.
    project.outcomes(&[outcome("again", 15, 1.2e-3)]);
    project.run(&["history", "record"]).says(0, "recorded 1 outcome");
    let json = project.run(&["trend", "merge", "--format", "json"]).json();
    assert_eq!(json["series"][0]["commits"][15]["runs"], 2);
    project
        .run(&["trend", "merge", "--last", "3"])
        .says(0, "too few commits | --last shows older ones");
}

fn lately(db: &str) {
    let project = Project::new("lately", db);
    project.run(&["trend"]).says(3, "cargo budget history record");
    let values: Vec<f64> =
        (0..16).map(|n| (if n < 10 { 1.0 } else { 1.2 }) * (1.0 + noise(n))).collect();
    let hashes = project.history(&values);
    let range = format!("{}..{}", &hashes[9][..9], &hashes[10][..9]);
    let ran = project.run(&["trend"]);
    let ran = ran.says(
        0,
        &format!("all budgets on main, Abacus 9 | merge::p99 | worse by +20 | in {range}"),
    );
    ran.says(0, "1 of 1 test changed in the newest 20 commits, or drifts");
    let json = project.run(&["trend", "--format", "json"]).json();
    assert_eq!(json["series"][0]["test"], "merge::p99");
}

/// The steps that are older than the last commits are those of a budget's own trend.
fn long_ago(db: &str) {
    let value = |n: usize| (if n < 10 { 1.0 } else { 1.2 }) * (1.0 + noise(n));
    let project = Project::new("long-ago", db);
    project.history(&(0..38).map(value).collect::<Vec<f64>>());
    project.run(&["trend"]).says(0, "none of 1 test changed in the newest 20 commits");
    project.run(&["trend", "merge"]).says(0, "worse by +20");
}

fn drift(db: &str) {
    let project = Project::new("drift", db);
    let values: Vec<f64> =
        (0..20).map(|n| 1.7 * (1.0 + 0.006 * f64::from(n)) * (1.0 + noise(n as usize))).collect();
    project.history(&values);
    let ran = project.run(&["trend", "merge"]);
    let ran = ran.says(0, "drift of +1 | over 20 commits | and no outcome was red");
    ran.says(0, "at this rate the limit is reached in ");
    let json = project.run(&["trend", "merge", "--format", "json"]).json();
    let drift = &json["series"][0]["drift"];
    let share = drift["share"].as_f64().unwrap();
    assert!((0.09..0.14).contains(&share), "{drift}");
    assert!((1..=12).contains(&drift["commits_to_limit"].as_u64().unwrap()), "{drift}");
    assert_eq!(json["series"][0]["changes"].as_array().unwrap().len(), 0, "{json}");
}

fn exact(db: &str) {
    let project = Project::new("exact", db);
    let hashes = project.history(&[1.0, 1.0, 1.5, 1.5]);
    for (n, value) in [7.0, 7.0, 7.0, 9.0].iter().enumerate() {
        let mut size = outcome(&format!("run-{n}"), n as u64, *value * 1e-3);
        "merge::size".clone_into(&mut size.test);
        size.evidence = None;
        project.outcomes(&[size]);
        let run = format!("run-{n}");
        let record = ["history", "record", "--run", &run, "--commit", &hashes[n]];
        project.run(&record).says(0, "1 new, 1 recorded already");
    }
    let range = format!("{}..{}", &hashes[2][..9], &hashes[3][..9]);
    let ran = project.run(&["trend", "merge::size"]);
    let ran = ran.says(0, &format!("worse by +28.6 %: 7 ms -> 9 ms in {range}"));
    assert!(!ran.out.contains("too few") && !ran.out.contains(", p "), "{}", ran.out);
}

fn short(db: &str) {
    let project = Project::new("little", db);
    project.history(&[1.0]);
    project
        .run(&["trend", "merge"])
        .says(0, "1 commit, 2023-11-14 | a trend needs more than one commit");
    let none = perf_budget_core::outcome::Outcome {
        test: "merge::allocs".to_owned(),
        metric: "allocs".to_owned(),
        budget: "merge".to_owned(),
        run: outcome("run-0", 0, 0.0).run,
        ..perf_budget_core::outcome::Outcome::default()
    };
    project.outcomes(&[none]);
    project.run(&["history", "record"]).says(0, "1 new");
    project.run(&["history", "list"]).says(0, "1 red");
    project.run(&["trend", "merge::allocs"]).says(0, "no values; 1 outcome without a value");
    std::fs::write(
        project.dir.join("budgets.toml"),
        "[budget.other]\nartifact = \"budgets.toml\"\nmax = { size = \"1 KB\" }\n",
    )
    .unwrap();
    project.run(&["trend", "merge"]).says(0, "note: `merge` is no longer in budgets.toml");
}

fn separate(db: &str) {
    let project = Project::new("branches", db);
    project.history(&[1.0, 1.1]);
    project.git(&["switch", "--quiet", "--create", "topic"], 2);
    project.run(&["trend", "merge"]).says(0, "nothing is recorded on `topic`, so `main` is shown");
    project.commit(2);
    let mut there = outcome("there", 2, 1.3e-3);
    "Babbage".clone_into(&mut there.run.processor);
    project.outcomes(&[outcome("here", 2, 1.2e-3), there]);
    project.run(&["history", "record"]).says(0, "recorded 1 outcome");
    project.run(&["history", "record", "--run", "here"]).says(0, "on `topic`");
    project
        .run(&["trend", "merge"])
        .says(0, "merge on topic | note: the budget was also measured in `");
    project.run(&["trend", "merge", "--environment", "Babbage"]).says(0, "now 1.30 ms");
    project.run(&["trend", "merge", "--environment", "Abacus"]).says(0, "now 1.20 ms");
    project.run(&["trend", "merge", "--branch", "main"]).says(0, "2 commits | now 1.10 ms");
    project
        .run(&["trend", "merge", "--branch", "trunk"])
        .says(2, "no outcomes on branch `trunk`; it has some on main, topic");
    project
        .run(&["trend", "merge", "--environment", "Cray"])
        .says(2, "was not measured in an environment with `Cray` | Babbage");
    // The branch that the continuous integration names takes precedence over the one that is checked out.
    project.commit(3);
    project.outcomes(&[outcome("ci", 3, 1.2e-3)]);
    let mut record = project.command(&["history", "record"]);
    record.env("GITHUB_REF_NAME", "12/merge").env("GITHUB_HEAD_REF", "feature");
    crate::project::Ran::of(&record.output().unwrap()).says(0, "on `feature`");
}

/// The order does not depend on where the database keeps the rows, and a shorter list has the newest of the longer one.
fn same_second(db: &str) {
    let project = Project::new("same-second", db);
    project.commit(0);
    for n in 1..=12 {
        let (run, commit) = (format!("run-{n}"), format!("{n:040x}"));
        project.outcomes(&[outcome(&run, 0, 1e-4 * f64::from(n))]);
        let record = ["history", "record", "--run", &run, "--commit", &commit, "--branch", "main"];
        project.run(&record).says(0, "recorded 1 outcome");
    }
    let commits = |last: &str| -> Vec<String> {
        let json = project.run(&["trend", "merge", "--last", last, "--format", "json"]).json();
        let commits = json["series"][0]["commits"].as_array().unwrap().clone();
        commits.iter().map(|commit| commit["commit"].to_string()).collect()
    };
    let all = commits("30");
    assert_eq!((all.len(), &all[7..]), (12, &commits("5")[..]));
    let moved = "UPDATE budget_outcomes SET reason = 'moved' WHERE value < 0.0006";
    crate::recording::execute(&project, db, moved);
    assert_eq!(commits("30"), all);
}

fn dirty(db: &str) {
    let project = Project::new("dirty", db);
    project.history(&[1.0, 1.1]);
    project.commit(2);
    project.outcomes(&[outcome("run-2", 2, 1.9e-3)]);
    std::fs::write(project.dir.join("budgets.toml"), "# changed\n").unwrap();
    project.run(&["history", "record"]).says(0, "uncommitted changes | with changes on `main`");
    project.run(&["history", "list"]).says(0, "+ main");
    project
        .run(&["trend", "merge"])
        .says(0, "2 commits | 1 outcome of trees with uncommitted changes left out");
    project.run(&["trend", "merge", "--dirty"]).says(0, "3 commits | now 1.90 ms");
    // However few outcomes are asked for, those of trees with changes take no place of others.
    project
        .run(&["trend", "merge", "--last", "1"])
        .says(0, "1 commit | now 1.10 ms | 1 outcome of");
    project.git(&["checkout", "--quiet", "budgets.toml"], 2);
    // A run that is older than the commit did not measure it.
    project.commit(9);
    project.outcomes(&[outcome("early", 3, 1e-3)]);
    project.run(&["history", "record"]).says(0, "began before the checked-out commit | --commit");
    project
        .run(&["trend", "merge"])
        .says(0, "2 outcomes of trees with uncommitted changes left out");
}

fn missing(db: &str) {
    let project = Project::new("missing", db);
    project.commit(0);
    project
        .run(&["history", "record"])
        .says(3, "no outcomes are recorded in | cargo test --release");
    project.history(&[1.0]);
    project.run(&["trend", "mege"]).says(2, "`mege` has no history in | did you mean `merge`?");
    project.run(&["trend", "something"]).says(2, "it has `merge`");
    project.run(&["history", "record", "--run", "x"]).says(2, "there is no run `x` | are run-0");
    project.run(&["history", "record", "--commit", "x"]).says(2, "`x` is not a revision");
    project.run(&["trend", "merge", "--last", "0"]).says(2, "--last");
    let absent = "0123456789abcdef0123456789abcdef01234567";
    project.outcomes(&[outcome("elsewhere", 1, 1e-3)]);
    project.run(&["history", "record", "--commit", absent]).says(0, "commit 012345678 on `main`");
}
