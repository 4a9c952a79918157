//! Tests of merging shards: the merged report, and shards that are refused or missing.

use std::path::MAIN_SEPARATOR;

use serde_json::{Value, json};

use crate::command::Done;
use crate::{Scratch, last_run, run_in};

/// Returns two shards of a whole run, as two machines would record them.
fn shards() -> [Vec<Value>; 2] {
    let mut all = last_run();
    all.retain(|outcome| outcome["verdict"] == "pass" || outcome["verdict"] == "warn");
    let made = all.len();
    for outcome in &mut all {
        outcome["run"]["tests"] = json!(made);
    }
    let mut second = all.split_off(made / 2);
    for outcome in &mut second {
        outcome["run"]["id"] = json!("another machine");
        outcome["run"]["processor"] = json!("another processor");
    }
    [all, second]
}

fn merge(scratch: &Scratch, shards: &[&[Value]]) -> Done {
    let files: Vec<String> = shards
        .iter()
        .enumerate()
        .map(|(i, outcomes)| {
            scratch.record(&format!("{}.jsonl", char::from(b'a' + i as u8)), outcomes)
        })
        .map(|path| path.rsplit(['/', MAIN_SEPARATOR]).next().unwrap().to_owned())
        .collect();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    run_in(&scratch.0, &[&["report", "--merge"], files.as_slice()].concat())
}

#[track_caller]
fn check(done: &Done, code: i32, words: &[&str]) {
    assert_eq!(done.code, code, "{}{}", done.out, done.err);
    let output = format!("{}{}", done.out, done.err);
    for words in words {
        assert!(output.contains(words), "no `{words}` in: {output}");
    }
}

#[test]
fn all_shards_make_one_report() {
    let scratch = Scratch::new("whole");
    let [a, b] = shards();
    let made = a.len() + b.len();
    let count = format!("{made} limits of 7 budgets: ");
    check(&merge(&scratch, &[&a, &b]), 0, &["note: merged from 2 files", &count]);
    // Runs that a shard recorded before its last one belong to the history.
    let mut old = a[0].clone();
    old["verdict"] = json!("fail");
    old["run"]["id"] = json!("before");
    let a = [&[old], a.as_slice()].concat();
    check(&merge(&scratch, &[&a, &b]), 0, &[&count]);
}

/// Shards that are given as the records of one machine are not merged, and the report says so.
#[test]
fn shards_are_not_taken_for_a_history() {
    let scratch = Scratch::new("input");
    let [a, b] = shards();
    let files = [scratch.record("a.jsonl", &a), scratch.record("b.jsonl", &b)];
    let done = run_in(&scratch.0, &["report", "--input", &files[0], &files[1]]);
    check(&done, 0, &["not judged yet", "`--merge` combines shards"]);
}

/// Where there are more shards than tests, some have none. That is no reason to refuse the others.
#[test]
fn a_shard_without_a_test_is_merged() {
    let scratch = Scratch::new("empty-shard");
    let [a, b] = shards();
    let empty = [json!({
        "begun": [], "filtered": 0, "ignored": 0, "shared": false, "file": a[0]["file"], "run": a[0]["run"],
    })];
    let count = format!("{} limits of 7 budgets: ", a.len() + b.len());
    check(&merge(&scratch, &[&empty, &a, &b]), 0, &["note: merged from 3 files", &count]);
    // It stands for no test that is missing.
    check(&merge(&scratch, &[&a, &empty]), 3, &["without an outcome in 2 files"]);
    let none = "no test of budgets.toml is in its shard, since there are more shards than tests";
    check(&merge(&scratch, &[&empty, &empty]), 3, &[none]);
    let file = scratch.record("a.jsonl", &empty);
    check(&run_in(&scratch.0, &["report", "--input", &file]), 3, &[none]);
}

#[test]
fn a_missing_shard_or_test_is_red() {
    let scratch = Scratch::new("missing");
    let [a, b] = shards();
    let made = a.len() + b.len();
    let lost =
        format!("{} tests of {made} without an outcome in 1 file: a shard is missing", b.len());
    check(&merge(&scratch, &[&a]), 3, &["unmeasured: ", &lost]);
    let one = format!("1 test of {made} without an outcome in 2 files");
    check(&merge(&scratch, &[&a, &b[1..]]), 3, &[&one]);
    // A broken limit is worse than a missing test.
    let mut broken = a.clone();
    broken[0]["verdict"] = json!("fail");
    check(&merge(&scratch, &[&broken]), 1, &["missing"]);
}

const BUDGETS: &str = r#"
[budget.pages]
artifact = "pages/*"
max = { size = "2 KB", gzip = "1 KB" }
why = "they are read on trains"

[budget.find]
workload = "find"
params = { n = [1, 2, 4] }
max = { p50 = "1 ms", p99 = "1.1 x base" }
scaling = { over = "n", max = { p50 = 1.1 } }
"#;

#[test]
fn missing_tests_are_named_by_their_own_budgets_toml() {
    let scratch = Scratch::new("named");
    scratch.write("budgets.toml", BUDGETS);
    let mut outcome = last_run()[1].clone();
    outcome["budget"] = json!("pages");
    outcome["run"]["tests"] = json!(9);
    let named = |test: &str| {
        let mut outcome = outcome.clone();
        outcome["test"] = json!(test);
        outcome
    };
    let shard = [named("pages::size"), named("pages::gzip")];
    check(
        &merge(&scratch, &[&shard]),
        3,
        &[
            "note: 7 tests missing",
            "unmeasured find::n=4::p50: p50 has no outcome in 1 file",
            "unmeasured find::scaling_p50: ",
            "find::n=2::p99::x_base",
            "under nextest pass `--run-ignored all`",
        ],
    );
    // With another budgets.toml, the missing tests are only counted.
    check(
        &merge(&scratch, &[&[named("pages::size"), named("else::size")]]),
        3,
        &["unmeasured: 7 tests of 9"],
    );
}

#[test]
fn the_worse_of_two_verdicts_counts() {
    let scratch = Scratch::new("twice");
    let [a, b] = shards();
    let mut whole = [a, b.clone()].concat();
    for outcome in &mut whole {
        outcome["run"] = b[0]["run"].clone();
    }
    check(&merge(&scratch, &[&whole, &b]), 0, &["merged from 2 files"]);
    let mut worse = whole[1].clone();
    let name = worse["test"].as_str().unwrap().to_owned();
    worse["verdict"] = json!("inconclusive");
    let remark = format!(
        "{name} was judged twice: pass in `a.jsonl`, inconclusive in `b.jsonl`; inconclusive counts"
    );
    check(&merge(&scratch, &[&whole, &[worse.clone()]]), 4, &[&remark]);
    check(
        &merge(&scratch, &[&[worse.clone()], &whole]),
        4,
        &["inconclusive in `a.jsonl`, pass in `b.jsonl`; inconclusive counts"],
    );
    worse["verdict"] = json!("skipped");
    check(&merge(&scratch, &[&whole, &[worse]]), 0, &["skipped in `b.jsonl`; pass counts"]);
}

#[test]
fn shards_that_do_not_match_are_refused() {
    let scratch = Scratch::new("refused");
    let [a, b] = shards();
    let with = |pointer: &str, value: Value| {
        let mut b = b.clone();
        for outcome in &mut b {
            *outcome.pointer_mut(pointer).unwrap() = value.clone();
        }
        merge(&scratch, &[&a, &b])
    };
    let remedy = "merge shards of one revision, built alike, with one budgets.toml";
    check(&with("/run/tests", json!(77)), 2, &["`a.jsonl` with `b.jsonl`", "77 tests", remedy]);
    check(
        &with("/run/profile", json!("debug")),
        2,
        &["a release build, the second of a debug build"],
    );
    check(&with("/run/platform", json!("macos aarch64")), 2, &["macos aarch64"]);
    // The same limits at another commit are about other code. A run that does not know its commit is accepted.
    let of = |commit: Value, other: Value| {
        let [mut a, mut b] = shards();
        for (shard, commit) in [(&mut a, commit), (&mut b, other)] {
            for outcome in shard {
                outcome["run"]["commit"] = commit.clone();
            }
        }
        merge(&scratch, &[&a, &b])
    };
    check(&of(json!("a9993e3"), json!("84983e4")), 2, &["commit a9993e3", "84983e4", remedy]);
    check(&of(json!("a9993e3"), json!("a9993e3")), 0, &[]);
    check(&of(json!("a9993e3"), Value::Null), 0, &[]);
    check(&with("/run/version", json!("9.9.9")), 2, &["perf-budget 9.9.9"]);
    let mut other = a.clone();
    other[1]["against"]["limit"] = json!(12345.0);
    check(&merge(&scratch, &[&a, &other]), 2, &["held to <= 100 KB, the second of", "<= 12.3 KB"]);
    let mut moved = a.clone();
    moved[1]["line"] = json!(999);
    check(&merge(&scratch, &[&a, &moved]), 2, &["on line 999 of budgets.toml"]);
}
