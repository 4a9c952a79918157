//! Tests of `--format json` of the commands that write files: the document is as its schema says, and the commands do
//! the same as with `--format text`.

use serde_json::Value;

use crate::outcomes::record;
use crate::place::Place;
use crate::schemas::holds;

const BUDGETS: &str =
    "[budget.merge]\nworkload = \"merge\"\nmax = { p99 = [\"10 ms\", \"1.05 x lock\"] }\n";
const ROWS: &str = "merge::p99 pass max 0.01 s 0.001 0.002 0.0019 0.0021 subject=merge p50=0.001";

/// Runs a command, and returns its document.
#[track_caller]
fn run(place: &Place, arguments: &[&str], code: i32) -> Value {
    let run = place.run(&[arguments, &["--format", "json"]].concat());
    assert_eq!(run.code, code, "{}{}", run.stdout, run.stderr);
    let document =
        serde_json::from_str(&run.stdout).unwrap_or_else(|e| panic!("{e}: {}", run.stdout));
    holds("edits", &document);
    assert_eq!(document["command"], arguments[0]);
    assert_eq!(document["exit"], code);
    document
}

fn place() -> Place {
    let place = Place::empty();
    place.write("budgets.toml", BUDGETS);
    place.write("results/outcomes.jsonl", &record(ROWS));
    place
}

#[test]
fn a_dry_run_says_the_same_and_writes_nothing() {
    let place = place();
    let dry = run(&place, &["tighten", "--dry-run"], 0);
    assert_eq!((&dry["is_dry"], &dry["files"][0]["change"]), (&true.into(), &"edited".into()));
    assert_eq!(dry["entries"][0]["what"], "tightened");
    assert_eq!(dry["entries"][0]["name"], "merge::p99");
    assert_eq!(place.read("budgets.toml"), BUDGETS);
    let done = run(&place, &["tighten"], 0);
    assert_eq!((&done["is_dry"], &done["files"]), (&false.into(), &dry["files"]));
    let difference = done["files"][0]["difference"].as_str().unwrap();
    assert!(difference.contains("-max = { p99 = [\"10 ms\", ") && !difference.contains('\u{1b}'));
    assert_ne!(place.read("budgets.toml"), BUDGETS);
}

#[test]
fn a_suggested_limit_has_its_value() {
    let place = place();
    let dry = run(&place, &["suggest", "merge", "--metric", "p50"], 0);
    let entry = &dry["entries"][0];
    assert_eq!((&entry["what"], &entry["name"]), (&"suggested".into(), &"merge::p50".into()));
    assert_eq!((&dry["is_dry"], place.read("budgets.toml").as_str()), (&true.into(), BUDGETS));
    let done = run(&place, &["suggest", "merge", "--metric", "p50", "--write"], 0);
    assert_eq!(done["entries"][0]["what"], "added");
    assert_eq!(done["files"], dry["files"]);
    let value = done["entries"][0]["value"].as_str().unwrap();
    assert!(place.read("budgets.toml").contains(&format!("p50 = {value}")));
    let none = run(&place, &["suggest", "merge", "--metric", "p50"], 0);
    assert_eq!(none["notes"][0], "`merge` has a limit on `p50` already");
}

#[test]
fn the_files_of_a_new_crate_are_listed() {
    let place = Place::empty();
    place.write("Cargo.toml", "[package]\nname = \"listed\"\nedition = \"2024\"\n\n[workspace]\n");
    place.write("src/lib.rs", "");
    let dry = run(&place, &["init", "--dry-run"], 0);
    assert!(!place.path("budgets.toml").exists());
    let done = run(&place, &["init"], 0);
    assert_eq!(done["files"], dry["files"]);
    let files = done["files"].as_array().unwrap();
    assert!(
        files.iter().all(|file| place.path(file["file"].as_str().unwrap()).is_file()),
        "{done:#}"
    );
    assert!(files.iter().any(|file| file["change"] == "edited" && file["file"] == "Cargo.toml"));
    let again = run(&place, &["init"], 0);
    assert_eq!(
        (&again["files"], &again["entries"][0]["what"]),
        (&Value::Array(vec![]), &"kept".into())
    );
}
