//! Tests of what cannot be done: the message says why and how to go on, and everything stays as it was.

use std::fs;

use crate::outcomes::record;
use crate::place::Place;

const BUDGETS: &str = "[budget.b]\nworkload = \"b\"\nmax = { p99 = \"1 s\" } # c\n";
const MEASURED: &str = "b::p99 pass max 1 s 0.1 0.002 0.0019 0.0021\n";

#[test]
fn a_read_only_file_stays_as_it_is() {
    let place = Place::empty();
    place.write("budgets.toml", BUDGETS);
    place.write("results/outcomes.jsonl", &record(MEASURED));
    let mut permissions = fs::metadata(place.path("budgets.toml")).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(place.path("budgets.toml"), permissions).unwrap();
    place.run(&["tighten"]).is(3, &["failed to write", "may only be read; allow writing it"]);
    assert_eq!(place.read("budgets.toml"), BUDGETS);
    assert_eq!(fs::read_dir(place.path("")).unwrap().count(), 2, "nothing is left beside it");
}

#[test]
fn nothing_on_record_says_what_to_run() {
    let place = Place::empty();
    place.run(&["tighten"]).is(2, &["there is no budgets.toml", "cargo budget init"]);
    place.write("budgets.toml", BUDGETS);
    place.run(&["tighten"]).is(3, &["no outcomes are recorded", "cargo test --release"]);
    place.run(&["suggest"]).is(3, &["no outcomes are recorded"]);
    place.run(&["suggest", "b", "--metric", "rss"]).is(3, &["max.rss = \"1 TB\"", "-- b::"]);
    place.run(&["tighten", "c"]).is(2, &["there is no budget `c`", "there are: b"]);
    place.run(&["suggest", "b", "--metric", "gzip"]).is(2, &["`b` has no metric `gzip`"]);
    place.run(&["tighten", "--headroom", "5"]).is(2, &["write \"5 %\""]);
    place.write("results/outcomes.jsonl", "{\n");
    place.run(&["tighten"]).is(3, &["line 1 is not an outcome"]);
    place.write("results/outcomes.jsonl", "");
    place.run(&["tighten"]).is(3, &["there is no outcome in", "run the tests again"]);
    fs::remove_file(place.path("results/outcomes.jsonl")).unwrap();
    fs::create_dir(place.path("results/outcomes.jsonl")).unwrap();
    place.run(&["tighten"]).is(3, &["failed to read", "directory"]);
    place.run(&["report"]).is(3, &["failed to read", "directory"]);
    let broken = BUDGETS.replace("workload", "workloads");
    place.write("budgets.toml", &broken);
    let run = place.run(&["tighten"]);
    assert!(!run.stderr.contains("error: error:"), "{}", run.stderr);
}

/// Writes the same text in each way that editors write one: the edit is the same, and no other byte changes.
#[test]
fn line_endings_and_byte_order_marks_stay() {
    let text = format!(
        "# ä\n{BUDGETS}\n[budget.c] # d\nworkload = \"c\"\nmax.p99 = '2 s'\nwhy = \"w\" # e\n"
    );
    let rows = format!("{MEASURED}c::p99 pass max 2 s 0.2 0.002 0.0019 0.0021 p50=0.001\n");
    let want = text.replace("1 s", "2.4 ms").replace("2 s", "2.4 ms");
    let forms: [fn(&str) -> String; 4] = [
        str::to_owned,
        |text| text.replace('\n', "\r\n"),
        |text| format!("\u{feff}{text}"),
        |text| text.trim_end().replace('\n', "\r\n"),
    ];
    for form in forms {
        let place = Place::empty();
        place.write("budgets.toml", &form(&text));
        place.write("results/outcomes.jsonl", &record(&rows));
        place.run(&["tighten"]).is(0, &["2 tightened"]);
        assert_eq!(place.read("budgets.toml"), form(&want));
        place.run(&["suggest", "c", "--metric", "p50", "--write"]).is(0, &["added     c::p50"]);
        let more =
            want.replace("max.p99 = '2.4 ms'\n", "max.p99 = '2.4 ms'\nmax.p50 = \"1.2 ms\"\n");
        assert_eq!(place.read("budgets.toml"), form(&more));
    }
}

#[test]
fn a_revision_that_this_clone_lacks() {
    let place = Place::empty();
    place.write("deep/app/budgets.toml", BUDGETS);
    place
        .run_in("deep/app", &["diff", "HEAD"])
        .is(3, &["not in the work tree of a git repository"]);
    place.commit();
    place
        .run_in("deep/app", &["diff", "HEAD"])
        .is(0, &["deep/app/budgets.toml makes the same promises"]);
    place
        .run_in("deep/app", &["diff", "nope"])
        .is(3, &["no commit `nope`", "git fetch origin nope"]);
    // A service of CI checks out a commit, and makes no branch.
    place.git("", &["update-ref", "refs/remotes/origin/nope", "HEAD"]);
    place.run_in("deep/app", &["diff", "nope"]).is(0, &["makes the same promises"]);
    place.run_in("deep/app", &["diff", "nope~0"]).is(0, &["makes the same promises"]);
    place.run_in("deep/app", &["diff", ""]).is(2, &["is not a revision"]);
    place.run_in("deep/app", &["diff", "HEAD", "--because", " "]).is(2, &["is empty"]);

    // The file is gone from the work tree, and is found where it was.
    fs::remove_file(place.path("deep/app/budgets.toml")).unwrap();
    place.run_in("deep/app", &["diff", "HEAD"]).is(1, &["removed   b::p99: max 1 s"]);
    place.run_in("deep/app", &["diff", "HEAD", "--because", "moved"]).is(0, &["because moved"]);
    place.git("", &["commit", "-q", "-a", "-m", "two"]);
    place.run_in("", &["diff", "HEAD"]).is(2, &["neither now nor at HEAD"]);
    // The file is new in the work tree.
    place.write("deep/app/budgets.toml", BUDGETS);
    place.run_in("deep/app", &["diff", "HEAD"]).is(0, &["added     b::p99: max 1 s"]);
    place.run_in("deep/app", &["diff", "HEAD~1"]).is(0, &["makes the same promises"]);

    let clone = format!("file://{}", place.path("").display());
    place.git("", &["clone", "-q", "--depth=1", &clone, "shallow"]);
    place.write("shallow/budgets.toml", BUDGETS);
    let unshallow = "git fetch --unshallow";
    place.run_in("shallow", &["diff", "origin/main~1"]).is(3, &["clone is shallow", unshallow]);
    let first = place.git("", &["rev-parse", "HEAD~1"]);
    let fetch = ["fetch", "-q", "--depth=1", "origin", first.trim()];
    let remedy = format!("`git {} {}` first", "fetch --depth=1 origin", first.trim());
    place.run_in("shallow", &["diff", first.trim()]).is(3, &[&remedy]);
    // The remedy works.
    place.git("", &["config", "uploadpack.allowAnySHA1InWant", "true"]);
    place.git("shallow", &fetch);
    place.run_in("shallow", &["diff", first.trim()]).is(0, &["added     b::p99"]);
    place.run_in("shallow", &["diff", "HEAD"]).is(0, &["added     b::p99"]);
}

#[test]
fn a_broken_file_is_shown_with_its_caret() {
    let place = Place::empty();
    place.write("budgets.toml", "[budget.b]\nworkload = \"b\"\nmax = { p99 = 3 }\n");
    place.commit();
    for arguments in [&["tighten"][..], &["suggest"], &["diff", "HEAD"]] {
        place.run(arguments).is(2, &["`p99` is a time and needs a unit", "^"]);
    }
    place.write("budgets.toml", BUDGETS);
    let words = ["`budgets.toml` is broken at HEAD", "HEAD:budgets.toml:3:", "needs a unit"];
    place.run(&["diff", "HEAD"]).is(2, &words);
}

#[test]
fn help_has_examples() {
    let place = Place::empty();
    for command in ["init", "tighten", "suggest", "diff", "doctor"] {
        place.run(&[command, "--help"]).is(0, &["Examples:", &format!("cargo budget {command}")]);
    }
}
