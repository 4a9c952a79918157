//! Tests that the base's processes run with the variables that cargo sets for the base, and with none that it sets for
//! this revision.

use std::collections::BTreeSet;
use std::fs;

use crate::Crate;

/// A workload that records what it finds in its environment.
const TESTS: &str = r#"
fn main() -> std::process::ExitCode {
    perf_budget::Harness::new()
        .workload("mode", |run| {
            let of = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
            run.record("mode", of("MODE").unwrap_or(1.0))?;
            run.record("made", of("MADE").unwrap_or(1.0))
        })
        .main()
}
"#;

const BUDGETS: &str = r#"
[budget.mode]
workload = "mode"
max = { mode = "1.05 x base", made = "1.05 x base" }

[budget.command]
command = ["sh", "-c", "echo ${MODE:-none} ${ADDED:-none} ${REMOVED:-none} >> $LOG"]
max = { peak_rss = "9 x base" }
"#;

const SCRIPT: &str = "fn main() {\n    println!(\"cargo::rustc-env=MADE=100\");\n}\n";

#[test]
fn each_revision_runs_with_its_own_variables() {
    let made = Crate::new("running");
    made.0.write("tests/budgets.rs", TESTS);
    made.0.write("budgets.toml", BUDGETS);
    made.0.write("build.rs", SCRIPT);
    made.0.write(".cargo/config.toml", "[env]\nMODE = \"100\"\nREMOVED = \"1\"\n");
    made.commit("configure it");
    made.0.write("build.rs", &SCRIPT.replace("100", "300"));
    made.0.write(".cargo/config.toml", "[env]\nMODE = \"150\"\nADDED = \"1\"\n");
    made.commit("configure it in another way");
    let check = |base: &str| {
        let log = made.0.path("results/log");
        let _ = fs::remove_file(&log);
        let mut command = made.command(&["check", "--profile", "dev", "--base", base]);
        for name in ["MODE", "ADDED", "REMOVED", "MADE"] {
            command.env_remove(name);
        }
        let output =
            command.env("LOG", &log).env("PERF_BUDGET_MEASURE", "always").output().unwrap();
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        let log = fs::read_to_string(&log).unwrap_or_default();
        (text, log.lines().map(str::to_owned).collect::<BTreeSet<_>>())
    };
    let (text, lines) = check("HEAD~1");
    for sentence in ["mode is 1.5 x base, over the limit", "made is 3 x base, over the limit"] {
        assert!(text.contains(sentence), "{text}");
    }
    assert!(lines.iter().eq(["100 none 1", "150 1 none"]), "{lines:?}\n{text}");
    let (text, lines) = check("HEAD");
    assert!(text.contains("3 pass"), "{text}");
    assert!(lines.iter().eq(["150 1 none"]), "{lines:?}\n{text}");
}
