//! Tests of the samples in docs/ci.md: the script is run as it stands there, and so is each line of the other platforms that
//! renders a report.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::made::isolate;
use super::{Crate, share_base};

/// Runs a script in the crate as a CI system does, and returns its exit code and what it printed.
pub(super) fn run(counted: &Crate, script: &str, arguments: &[&str]) -> (i32, String) {
    let root = counted.0.root();
    let results = root.join("results");
    let mut command = Command::new("bash");
    command.args(["-c", script, "gate.sh"]).args(arguments).current_dir(root);
    isolate(&mut command, &results);
    share_base(&results);
    let cargo_budget = Path::new(env!("CARGO_BIN_EXE_cargo-budget")).parent().unwrap();
    let path = std::env::var_os("PATH").unwrap();
    let places = std::iter::once(cargo_budget.to_owned()).chain(std::env::split_paths(&path));
    command.env("PATH", std::env::join_paths(places).unwrap()).env("CI_PROJECT_DIR", root);
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    (output.status.code().unwrap(), text)
}

/// Returns the samples of the page in this language.
pub(super) fn samples(page: &str, language: &str) -> Vec<String> {
    let begin = format!("\n```{language}\n");
    let blocks = page.split(&begin).skip(1);
    blocks.map(|block| block.split("\n```").next().unwrap().to_owned()).collect()
}

fn page() -> String {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    fs::read_to_string(repository.join("docs/ci.md")).unwrap()
}

/// Returns a sample as the tests run it, which do not wait for a release build.
pub(super) fn unoptimized(sample: &str) -> String {
    assert!(sample.contains("cargo budget check "), "{sample}");
    sample.replace("cargo budget check ", "cargo budget check --profile dev ")
}

#[test]
fn the_samples_of_the_page_work() {
    let page = page();
    let counted = Crate::new("elsewhere");
    counted.git(&["checkout", "-q", "-b", "slower"]);
    counted.steps(133);
    counted.commit("do more");

    let (code, text) = run(&counted, &unoptimized(&samples(&page, "sh")[0]), &["main"]);
    assert_eq!(code, 1, "{text}");
    let written = |name: &str| {
        let path: PathBuf = counted.0.root().join(name);
        fs::read_to_string(&path).unwrap_or_else(|e| panic!("{name}: {e}\n{text}"))
    };
    assert!(written("budgets.xml").contains("<failure "), "{text}");
    assert!(written("budgets.html").contains("<!DOCTYPE html>"), "{text}");

    let others = [samples(&page, "yaml"), samples(&page, "groovy")].concat().join("\n");
    let lines: BTreeSet<&str> = others
        .lines()
        .filter_map(|line| Some(&line[line.find("cargo budget report")?..]))
        .map(|line| line.trim_end_matches('\''))
        .collect();
    assert!(lines.len() >= 4, "{lines:?}");
    for line in lines {
        let file = line.split("--output ").nth(1).or(line.split('>').nth(1)).unwrap();
        let file = file.split(' ').next().unwrap();
        let _ = fs::remove_file(counted.0.root().join(file));
        let (code, text) = run(&counted, line, &[]);
        assert_eq!(code, 0, "{line}\n{text}");
        assert!(!written(file).is_empty(), "{line}");
    }
    let entries: serde_json::Value = serde_json::from_str(&written("budgets.json")).unwrap();
    assert_eq!(entries[0]["location"]["path"], "budgets.toml", "{entries}");
    let metrics = written("metrics.txt");
    assert!(metrics.lines().all(|line| line.starts_with("perf_budget_value_")), "{metrics}");
}

#[test]
fn parts_of_a_run_are_judged_together() {
    let page = page();
    let counted = Crate::new("parts");
    let [part, whole] = [1, 2].map(|i| samples(&page, "sh")[i].clone());
    assert!(whole.contains("--merge"), "{whole}");
    for index in [1, 2] {
        let variables = format!("export CI_NODE_INDEX={index} CI_NODE_TOTAL=2\n");
        let (code, text) = run(&counted, &(variables + &unoptimized(&part)), &[]);
        assert_eq!(code, 0, "{text}");
        if index == 1 {
            let (code, text) = run(&counted, &whole, &[]);
            assert_eq!(code, 3, "a part is missing\n{text}");
        }
    }
    let (code, text) = run(&counted, &whole, &[]);
    assert_eq!(code, 0, "{text}");
}
