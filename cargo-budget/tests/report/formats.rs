//! Tests of each format on the same run, against the expected text.

use crate::schemas::holds;
use crate::{expect, file, last_run, run};

#[track_caller]
fn check(arguments: &[&str], code: i32, name: &str) -> String {
    let input = file("outcomes.jsonl");
    let done = run(&[&["report", "--input", &input, "--format"], arguments].concat());
    assert_eq!(done.code, code, "{}", done.err);
    expect(name, &done.out);
    done.err
}

#[test]
fn every_format_is_as_expected() {
    // The exit code is 1 in every format, since a limit is broken.
    check(&["terminal"], 1, "terminal.txt");
    check(&["markdown"], 1, "report.md");
    check(&["junit"], 1, "junit.xml");
    check(&["code-quality"], 1, "code-quality.json");
    check(&["csv"], 1, "report.csv");
    check(&["openmetrics"], 1, "metrics.txt");
    let left = check(&["bencher"], 1, "bencher.json");
    assert_eq!(left, "note: left out: 2 tests without a value\n");
    let left = check(&["github-action-benchmark"], 1, "smaller.json");
    assert_eq!(
        left,
        "note: left out: 1 limit from below (`--better bigger` writes these), 2 tests without a value\n"
    );
    let left =
        check(&["github-action-benchmark", "--better", "bigger", "--quiet"], 1, "bigger.json");
    assert_eq!(left, "");
}

#[test]
fn the_last_run_of_several_records_is_shown() {
    let done = run(&["report", "--format", "json", "--input", &file("outcomes.jsonl")]);
    let document: serde_json::Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!(document["outcomes"].as_array().unwrap(), &last_run());
    assert_eq!(document["exit"], 1);
    assert_eq!(document["tests"], 9);
}

#[test]
fn json_matches_its_schema() {
    for input in ["outcomes.jsonl", "hostile.jsonl", "blamed.jsonl"] {
        let done = run(&["report", "--format", "json", "--input", &file(input)]);
        holds("report", &serde_json::from_str(&done.out).unwrap());
    }
}

/// A name in the comment can be no markup, wherever it comes from.
#[test]
fn the_comment_names_the_functions_to_blame() {
    let done = run(&["report", "--format", "markdown", "--input", &file("blamed.jsonl")]);
    let list: Vec<&str> = done.out.lines().filter(|line| line.starts_with("  - ")).collect();
    assert_eq!(list.len(), 4, "{}", done.out);
    assert!(
        list[0].starts_with("  - blame: 2.48 M -&gt; 2.95 M instructions (+18.9 %)"),
        "{list:?}"
    );
    assert!(list[1].starts_with("  - +469 k text&#58;&#58;normalise  (called"), "{list:?}");
    assert!(list[3].contains("&lt;img src=x") && !done.out.contains("<img"), "{list:?}");
}

/// The JSON of `explain` has all of a red: the numbers, the noise, the cause, and commands to check a fix with.
#[test]
fn an_explanation_matches_its_schema() {
    let mut red = 0;
    for input in ["outcomes.jsonl", "hostile.jsonl", "compared.jsonl"] {
        let whole = run(&["report", "--format", "json", "--input", &file(input)]);
        let whole: serde_json::Value = serde_json::from_str(&whole.out).unwrap();
        for outcome in whole["outcomes"].as_array().unwrap() {
            let name = outcome["test"].as_str().unwrap();
            // No argument of a program can have a zero character.
            if name.contains('\0') {
                continue;
            }
            let done = run(&["explain", "--format", "json", "--input", &file(input), "--", name]);
            assert_eq!(done.code, 0, "{}", done.err);
            let document: serde_json::Value = serde_json::from_str(&done.out).unwrap();
            holds("explain", &document);
            for limit in document["limits"].as_array().unwrap() {
                assert_eq!(limit["verdict"], limit["outcome"]["verdict"]);
                assert!(limit["next"].as_str().is_some_and(|next| !next.is_empty()));
                assert!(!limit["commands"][0].as_array().unwrap().is_empty());
                red += usize::from(limit["red"] == true);
            }
        }
    }
    assert!(red > 5, "only {red} reds were explained");
    let unknown =
        run(&["explain", "nothing", "--format", "json", "--input", &file("outcomes.jsonl")]);
    assert_eq!((unknown.code, unknown.out.as_str()), (2, ""));
}

#[test]
fn code_quality_is_as_gitlab_reads_it() {
    for (input, count) in [("outcomes.jsonl", 5), ("hostile.jsonl", 13)] {
        let done = run(&["report", "--format", "code-quality", "--input", &file(input)]);
        assert_eq!(check_code_quality(&done.out), count, "{input}");
    }
}

/// Asserts what GitLab asks of each entry: the fields that its documentation requires, with its words for severity, and a path
/// from the root of the repository. Of entries with the same fingerprint it shows one. Returns their number.
pub(crate) fn check_code_quality(text: &str) -> usize {
    let schema = serde_json::json!({
        "type": "array",
        "items": {
            "type": "object",
            "required": ["description", "check_name", "fingerprint", "severity", "location"],
            "additionalProperties": false,
            "properties": {
                "description": { "type": "string", "minLength": 1 },
                "check_name": { "type": "string", "minLength": 1 },
                "fingerprint": { "type": "string", "pattern": "^[0-9a-f]{16}$" },
                "severity": { "enum": ["info", "minor", "major", "critical", "blocker"] },
                "location": {
                    "type": "object",
                    "required": ["path", "lines"],
                    "properties": {
                        "path": { "type": "string", "pattern": "^[^./]" },
                        "lines": {
                            "type": "object",
                            "required": ["begin"],
                            "properties": { "begin": { "type": "integer", "minimum": 1 } }
                        }
                    }
                }
            }
        }
    });
    let validator = jsonschema::validator_for(&schema).unwrap();
    let document: serde_json::Value = serde_json::from_str(text).unwrap();
    let wrong: Vec<String> = validator.iter_errors(&document).map(|e| e.to_string()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let entries = document.as_array().unwrap();
    let of = |entry: &serde_json::Value| entry["fingerprint"].to_string();
    let unique: std::collections::BTreeSet<String> = entries.iter().map(of).collect();
    assert_eq!(unique.len(), entries.len());
    entries.len()
}

#[test]
fn a_budget_is_explained() {
    let input = file("outcomes.jsonl");
    let done = run(&["explain", "merge", "--input", &input]);
    assert_eq!(done.code, 0, "{}", done.err);
    expect("explain.txt", &done.out);
    let one = run(&["explain", "wasm::gzip", "--input", &input]);
    assert_eq!(one.code, 0);
    assert!(one.out.starts_with("wasm::gzip  pass\n"), "{}", one.out);
    assert!(!one.out.contains("wasm::brotli"));
    let none = run(&["explain", "mergee", "--input", &input]);
    assert_eq!(none.code, 2);
    assert!(
        none.err.contains("the last run has no budget `mergee`; it has `merge`, "),
        "{}",
        none.err
    );
}

/// The output has colours on a terminal, and none in files and pipes.
#[test]
fn colour_is_for_terminals() {
    let input = file("outcomes.jsonl");
    let plain = run(&["report", "--input", &input]).out;
    assert!(!plain.contains('\u{1b}'));
    let painted = run(&["report", "--input", &input, "--color", "always"]).out;
    assert!(painted.contains("\u{1b}[1;31mfail\u{1b}[0m"));
}
