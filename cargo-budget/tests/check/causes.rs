//! Tests of `bisect --lock` and `check --causes`: a crate with two dependencies of a registry that a directory stands for,
//! of which one becomes heavier.

use std::fs;

use serde_json::Value;

use crate::made::{self, Made};
use crate::{Crate, share_base};

const TESTS: &str = r#"
fn main() -> std::process::ExitCode {
    perf_budget::Harness::new().workload("steps", |run| run.record("steps", NAME::steps())).main()
}
"#;

const BUDGETS: &str = r#"
[budget.steps]
workload = "steps"
max = { steps = "1.1 x base" }
"#;

const CONFIG: &str = r#"
[registries.elsewhere]
index = "sparse+https://elsewhere.invalid/"

[source.elsewhere]
registry = "sparse+https://elsewhere.invalid/"
replace-with = "directory"

[source.directory]
directory = "vendor"
"#;

/// The steps of each dependency by its version.
const DEPENDENCIES: [(&str, [(&str, f64); 2]); 2] = [
    ("another", [("1.0.0", 10.0), ("1.1.0", 11.0)]),
    ("weight", [("1.0.0", 80.0), ("1.1.0", 100.0)]),
];

struct Dependent(Crate);

impl Dependent {
    fn new(name: &str) -> Dependent {
        let made = Crate(Made::new(name, &TESTS.replace("NAME", name), BUDGETS));
        let manifest = fs::read_to_string(made.0.path("Cargo.toml")).unwrap();
        let mut wanted = "[dependencies]\n".to_owned();
        for (dependency, versions) in DEPENDENCIES {
            wanted.push_str(dependency);
            wanted.push_str(" = { version = \"1\", registry = \"elsewhere\" }\n");
            for (version, steps) in versions {
                let place = format!("vendor/{dependency}-{version}");
                let package = format!(
                    "[package]\nname = \"{dependency}\"\nversion = \"{version}\"\nedition = \"2024\"\n"
                );
                made.0.write(&format!("{place}/Cargo.toml"), &package);
                let source = format!("pub const STEPS: f64 = {steps:?};\n");
                made.0.write(&format!("{place}/src/lib.rs"), &source);
                made.0.write(
                    &format!("{place}/.cargo-checksum.json"),
                    "{\"files\":{},\"package\":null}",
                );
            }
        }
        made.0.write(
            "Cargo.toml",
            &manifest.replace("[workspace]", &format!("{wanted}\n[workspace]")),
        );
        made.0.write(".cargo/config.toml", CONFIG);
        made.0.write(".gitignore", "target\nresults\n");
        let dependent = Dependent(made);
        dependent.own(10.0);
        let mut cargo = dependent.0.0.command("cargo");
        let output = cargo.args(["metadata", "--offline", "--format-version=1"]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        for name in ["bisect", "causes"] {
            let results = dependent.0.0.path("results").join(name);
            share_base(&results.join("results"));
            std::os::unix::fs::symlink(made::shared().join("head"), results.join("target"))
                .unwrap();
        }
        fs::create_dir_all(made::shared().join("head")).unwrap();
        dependent.take("1.0.0", "1.0.0");
        dependent.0.git(&["init", "-q"]);
        dependent.0.commit("one");
        dependent
    }

    /// Writes the crate's own part of the steps.
    fn own(&self, steps: f64) {
        let source = format!(
            "//! Counts.\n\n/// So many.\n#[must_use]\npub fn steps() -> f64 {{\n    another::STEPS + weight::STEPS + {steps:?}\n}}\n"
        );
        self.0.0.write("src/lib.rs", &source);
    }

    /// Takes these versions of both dependencies.
    fn take(&self, another: &str, weight: &str) {
        let lock = fs::read_to_string(self.0.0.path("Cargo.lock")).unwrap();
        let parts = lock.split("[[package]]").map(|part| {
            let wanted = if part.contains("name = \"another\"") {
                another
            } else if part.contains("name = \"weight\"") {
                weight
            } else {
                return part.to_owned();
            };
            part.replace("\"1.0.0\"", &format!("\"{wanted}\""))
                .replace("\"1.1.0\"", &format!("\"{wanted}\""))
        });
        self.0.0.write("Cargo.lock", &parts.collect::<Vec<_>>().join("[[package]]"));
    }

    fn lock(&self, arguments: &[&str]) -> (i32, Value, String) {
        let all =
            [&["bisect", "steps", "--profile=dev", "--lock", "--format=json"], arguments].concat();
        let output = self.0.command(&all).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let found = serde_json::from_slice(&output.stdout).unwrap_or_default();
        (output.status.code().unwrap(), found, said)
    }
}

#[test]
fn the_dependency_is_named_that_made_a_limit_red() {
    let made = Dependent::new("dependent");
    made.0.git(&["checkout", "-q", "-b", "bump"]);
    made.own(11.0);
    made.take("1.1.0", "1.1.0");
    made.0.commit("Update the dependencies");
    let (code, found, said) = made.lock(&["main..bump"]);
    assert_eq!((code, &found["result"]), (0, &"found".into()), "{said}");
    assert_eq!(found["first"], "weight 1.0.0 -> 1.1.0", "{said}");
    let value = found["against_good"]["estimate"]["value"].as_f64().unwrap();
    assert!((value - 1.22).abs() < 1e-9, "{value}");
    made.0.git(&["checkout", "-q", "main"]);
    made.own(50.0);
    made.take("1.1.0", "1.0.0");
    made.0.commit("Do more");
    let (code, found, said) = made.lock(&["main~1..main"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(found["first"], "the sources, with the lock file of the good commit", "{said}");
    let (code, _, said) = made.lock(&["main~1..main", "--by=90%"]);
    assert_eq!(code, 1, "{said}");
    assert_eq!(made.0.git(&["status", "--porcelain"]), "");
}

#[test]
fn a_red_names_its_cause() {
    let made = Dependent::new("caused");
    // The changes are not committed.
    made.take("1.1.0", "1.1.0");
    let run = made.0.check(&["--base", "HEAD", "--causes"]);
    run.is(1, &["`steps::steps::x_base`: the lock file did it: weight 1.0.0 -> 1.1.0"]);
    made.own(31.0);
    made.take("1.1.0", "1.0.0");
    made.0
        .check(&["--base", "HEAD", "--causes"])
        .is(1, &["`steps::steps::x_base`: the sources did it"]);
    // Neither is enough: 110 steps are allowed, and each alone makes fewer.
    made.own(19.5);
    let both = made.0.check(&["--base", "HEAD", "--causes"]);
    both.is(1, &["the lock file did it, together with the sources: another 1.0.0 -> 1.1.0"]);
    assert_eq!(made.0.git(&["worktree", "list"]).lines().count(), 1);
    assert_eq!(made.0.git(&["diff", "--cached", "--name-only"]), "");
}
