//! Tests of docs/agents.md: its commands are run as they stand there, on a red and on its fix.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::elsewhere::{run, samples, unoptimized};
use super::{Crate, schemas};

/// Returns whether a program can be started.
fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| directory.join(program).is_file())
}

#[test]
fn the_commands_of_the_page_read_a_red_and_check_its_fix() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let page = fs::read_to_string(repository.join("docs/agents.md")).unwrap();
    let commands = samples(&page, "sh");
    let [report, names, explain, check, history] = &commands[..] else {
        panic!("the page has other commands: {commands:#?}");
    };
    let counted = Crate::new("agents");
    counted.git(&["checkout", "-q", "-b", "slower"]);
    counted.steps(133);
    counted.commit("do more");
    let red = counted.check(&["--base", "main", "--format", "json"]);
    red.is(1, &["steps is 1.33 x base"]);
    schemas::holds("report", &red.json());
    assert_eq!((&red.json()["exit"], &red.json()["verdicts"]["fail"]), (&1.into(), &1.into()));
    let (code, text) = run(&counted, &format!("{report}\nexit $code"), &[]);
    assert_eq!(code, 1, "{text}");
    let outcomes = fs::read_to_string(counted.0.path("outcomes.json")).unwrap();
    let outcomes: Value = serde_json::from_str(&outcomes).unwrap();
    let red = |outcome: &&Value| outcome["verdict"] == "fail";
    let red = outcomes["outcomes"].as_array().unwrap().iter().find(red).unwrap();
    let name = red["test"].as_str().unwrap();
    if is_installed("jq") {
        assert_eq!(run(&counted, names, &[]), (0, format!("{name}\n")));
    }
    let (code, text) = run(&counted, &explain.replace("NAME", name), &[]);
    assert_eq!(code, 0, "{text}");
    let explained: Value = serde_json::from_str(&text).unwrap();
    let limit = &explained["limits"][0];
    assert_eq!((&limit["red"], &explained["red"]), (&true.into(), &1.into()), "{text}");
    // Every field that the page names is there.
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split(" | ").next());
    let fields: Vec<&str> = rows.flat_map(|cell| cell.split('`').step_by(2)).collect();
    let fields = fields.into_iter().filter(|name| !name.is_empty() && !name.contains("--"));
    let unknown: Vec<&str> = fields.filter(|name| limit.get(name).is_none()).collect();
    assert!(unknown.is_empty(), "{unknown:?}\n{text}");
    // The command that the explanation gives is red as long as the fault is there, and green without it.
    let words = limit["commands"][0].as_array().unwrap().iter().map(|word| word.as_str().unwrap());
    let again = words.map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ");
    let again =
        again.replace("'check'", "check --profile dev").replace("'cargo' 'budget'", "cargo budget");
    let (code, text) = run(&counted, &again, &[]);
    assert_eq!(code, 1, "{again}\n{text}");
    counted.steps(100);
    let (code, text) = run(&counted, &again, &[]);
    assert_eq!(code, 0, "{again}\n{text}");
    let (code, text) = run(&counted, &unoptimized(&format!("{check} ")), &[]);
    assert_eq!(code, 0, "{text}");
    let (code, text) = run(&counted, &format!("cargo budget history record\n{history}"), &[]);
    assert_eq!(code, 0, "{text}");
}
