//! Tests by cases. Each folder of `cases` is one: its `command` runs with its `budgets.toml`, after a run with the
//! outcomes in `outcomes`, in a repository whose last commit had its `before.toml`. The expected text has the exit
//! code, the output, and the changed file.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::outcomes::record;
use crate::place::Place;

#[test]
#[expect(clippy::print_stderr, reason = "a case that passes without a check must say so")]
fn every_case_gives_the_expected_text() {
    let mut wrong = Vec::new();
    for folder in folders() {
        if needs_git(&folder) && !is_git_there() {
            eprintln!("skipped: {}: git is not installed", folder.display());
            continue;
        }
        let got = got(&folder);
        let place = folder.join("expected.txt");
        if std::env::var_os("BLESS").is_some() {
            fs::write(&place, &got).unwrap();
        }
        let want = fs::read_to_string(&place).unwrap_or_default();
        if got != want {
            wrong.push(format!("{}\nexpected\n{want}\ngot\n{got}", folder.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn folders() -> Vec<PathBuf> {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/edit/cases");
    let mut folders: Vec<PathBuf> =
        fs::read_dir(cases).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    assert!(folders.len() >= 10, "only {} cases were found", folders.len());
    folders
}

fn needs_git(folder: &Path) -> bool {
    folder.join("before.toml").is_file() || folder.join("repository").is_file()
}

fn is_git_there() -> bool {
    Command::new("git").arg("--version").output().is_ok()
}

fn got(folder: &Path) -> String {
    let text = |name: &str| fs::read_to_string(folder.join(name)).ok();
    let place = Place::empty();
    if needs_git(folder) {
        if let Some(before) = text("before.toml") {
            place.write("budgets.toml", &before);
        }
        place.commit();
        let _ = fs::remove_file(place.path("budgets.toml"));
    }
    let budgets = text("budgets.toml");
    if let Some(budgets) = &budgets {
        place.write("budgets.toml", budgets);
    }
    if let Some(rows) = text("outcomes") {
        place.write("results/outcomes.jsonl", &record(&rows));
    }
    let mut got = String::new();
    for line in text("command").unwrap().lines() {
        let arguments: Vec<String> = words(line);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let run = place.run(&arguments);
        let commit = run.stdout.replace(&head(&place), "COMMIT");
        let text = format!("{commit}{}", run.stderr);
        let text = if cfg!(windows) { with_slashes(&text) } else { text };
        writeln!(got, "$ cargo budget {line}\n{text}exit code {}", run.code).unwrap();
    }
    let after = place.path("budgets.toml").is_file().then(|| place.read("budgets.toml"));
    if after != budgets {
        writeln!(got, "budgets.toml is now\n{}", after.unwrap()).unwrap();
    }
    got
}

/// Writes the paths in a text as Unix does. A backslash before a quotation mark is none of a path's: no name of a file has that mark on
/// Windows.
fn with_slashes(text: &str) -> String {
    let parts: Vec<String> = text.split("\\\"").map(|part| part.replace('\\', "/")).collect();
    parts.join("\\\"")
}

#[test]
fn only_the_separators_of_paths_are_replaced() {
    let text = "--- a\\b\n[budget.\"quo\\\"ted\"] DIR\\c";
    assert_eq!(with_slashes(text), "--- a/b\n[budget.\"quo\\\"ted\"] DIR/c");
}

fn head(place: &Place) -> String {
    if place.path(".git").is_dir() {
        place.git("", &["rev-parse", "HEAD"]).trim().to_owned()
    } else {
        "no commit".to_owned()
    }
}

/// Splits a line into words; a text in quotes is one word.
fn words(line: &str) -> Vec<String> {
    let parts = line.split('"').enumerate();
    parts
        .flat_map(|(i, part)| match i % 2 {
            1 => vec![part.to_owned()],
            _ => part.split_whitespace().map(str::to_owned).collect(),
        })
        .collect()
}
