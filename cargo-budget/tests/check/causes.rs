//! Tests of `bisect --lock` and `check --causes`: a crate with two dependencies from git, of which one becomes heavier.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use tempfile::TempDir;

use crate::made::{self, Made};
use crate::{Crate, git, schemas, share_base};

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

/// The steps of each dependency by its version.
const DEPENDENCIES: [(&str, [(&str, f64); 2]); 2] = [
    ("another", [("1.0.0", 10.0), ("1.1.0", 11.0)]),
    ("weight", [("1.0.0", 80.0), ("1.1.0", 100.0)]),
];

/// A crate with its dependencies, which are repositories of their own. Cargo keeps them in its home, from which they are
/// removed when this is dropped. Another home would have every dependency built anew.
struct Dependent {
    own: Crate,
    /// The revisions of each dependency, by its name and its version.
    revisions: BTreeMap<(&'static str, &'static str), String>,
    outside: TempDir,
}

impl Dependent {
    fn new(name: &str) -> Dependent {
        let own = Crate(Made::new(name, &TESTS.replace("NAME", name), BUDGETS));
        let outside = tempfile::Builder::new().prefix("budget-dependencies-").tempdir().unwrap();
        let manifest = fs::read_to_string(own.0.path("Cargo.toml")).unwrap();
        let mut wanted = vec!["[dependencies]\n".to_owned()];
        let mut revisions = BTreeMap::new();
        for (dependency, versions) in DEPENDENCIES {
            let place = outside.path().join(format!("{dependency}-{}", unique(&outside)));
            fs::create_dir_all(place.join("src")).unwrap();
            git(&place, &["init", "-q"]);
            for (version, steps) in versions {
                let package = format!(
                    "[package]\nname = \"{dependency}\"\nversion = \"{version}\"\nedition = \"2024\"\n"
                );
                fs::write(place.join("Cargo.toml"), package).unwrap();
                let source = format!("pub const STEPS: f64 = {steps:?};\n");
                fs::write(place.join("src/lib.rs"), source).unwrap();
                git(&place, &["add", "-A"]);
                git(&place, &["commit", "-q", "-m", version]);
                revisions.insert((dependency, version), git(&place, &["rev-parse", "HEAD"]));
            }
            wanted.push(format!("{dependency} = {{ git = \"file://{}\" }}\n", place.display()));
        }
        own.0.write(
            "Cargo.toml",
            &manifest.replace("[workspace]", &format!("{}\n[workspace]", wanted.concat())),
        );
        own.0.write(".gitignore", "target\nresults\n");
        let dependent = Dependent { own, revisions, outside };
        dependent.own(10.0);
        let mut cargo = dependent.own.0.command("cargo");
        cargo.args(["metadata", "--format-version=1"]).env("CARGO_NET_OFFLINE", "false");
        let output = cargo.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        for name in ["bisect", "causes"] {
            let results = dependent.own.0.path("results").join(name);
            share_base(&results.join("results"));
            std::os::unix::fs::symlink(made::shared().join("head"), results.join("target"))
                .unwrap();
        }
        fs::create_dir_all(made::shared().join("head")).unwrap();
        dependent.take("1.0.0", "1.0.0");
        dependent.own.git(&["init", "-q"]);
        dependent.own.commit("one");
        dependent
    }

    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let output = self.own.command(arguments).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    /// Writes the crate's own part of the steps.
    fn own(&self, steps: f64) {
        let source = format!(
            "//! Counts.\n\n/// So many.\n#[must_use]\npub fn steps() -> f64 {{\n    another::STEPS + weight::STEPS + {steps:?}\n}}\n"
        );
        self.own.0.write("src/lib.rs", &source);
    }

    /// Takes these versions of both dependencies.
    fn take(&self, another: &str, weight: &str) {
        let lock = fs::read_to_string(self.own.0.path("Cargo.lock")).unwrap();
        let revisions: &BTreeMap<(&str, &str), String> = &self.revisions;
        let parts = lock.split("[[package]]").map(|part| {
            let mut part = part.to_owned();
            for ((dependency, version), revision) in revisions {
                let wanted = if *dependency == "another" { another } else { weight };
                if part.contains(&format!("name = \"{dependency}\"")) && *version != wanted {
                    part = part.replace(&format!("\"{version}\""), &format!("\"{wanted}\""));
                    part = part.replace(revision, &revisions[&(*dependency, wanted)]);
                }
            }
            part
        });
        self.own.0.write("Cargo.lock", &parts.collect::<Vec<_>>().join("[[package]]"));
    }

    fn lock(&self, arguments: &[&str]) -> (i32, Value, String) {
        let all =
            [&["bisect", "steps", "--profile=dev", "--lock", "--format=json"], arguments].concat();
        let (code, found, said) = self.run(&all);
        (code, serde_json::from_str(&found).unwrap_or_default(), said)
    }

    /// Looks for the causes of what is red in the work tree, as text for people.
    #[track_caller]
    fn causes(&self, wanted: &str) {
        let (code, shown, said) = self.run(&CAUSES);
        let wanted = format!("`steps::steps::x_base`: {wanted}\n");
        assert!(
            code == 1 && shown.contains(&wanted),
            "{code}, {wanted:?} is not in\n{shown}{said}"
        );
    }

    /// Looks for them as data for programs: the kind, the packages and the sentence.
    #[track_caller]
    fn causes_as_data(&self, kind: &str, packages: &[&str], sentence: &str) {
        let (code, shown, said) = self.run(&[&CAUSES[..], &["--format=json"]].concat());
        let report: Value =
            serde_json::from_str(&shown).unwrap_or_else(|e| panic!("{e}: {shown}{said}"));
        schemas::holds("report", &report);
        let cause = serde_json::json!([{
            "test": "steps::steps::x_base", "kind": kind, "packages": packages, "sentence": sentence,
        }]);
        assert_eq!((code, &report["causes"]), (1, &cause), "{said}");
    }
}

const CAUSES: [&str; 4] = ["check", "--profile=dev", "--base=HEAD", "--causes"];

impl Drop for Dependent {
    fn drop(&mut self) {
        let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
        let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
        let Some(git) = home.map(|home| home.join("git")) else { return };
        for place in ["db", "checkouts"].map(|name| git.join(name)) {
            for entry in fs::read_dir(place).into_iter().flatten().flatten() {
                if entry.file_name().to_string_lossy().contains(&unique(&self.outside)) {
                    let _ = fs::remove_dir_all(entry.path());
                }
            }
        }
    }
}

/// Returns a name that no other test's dependencies have, in the letters that cargo keeps in a name.
fn unique(outside: &TempDir) -> String {
    let name = outside.path().file_name().unwrap().to_string_lossy().to_lowercase();
    name.replace('.', "-")
}

#[test]
fn the_dependency_is_named_that_made_a_limit_red() {
    let made = Dependent::new("dependent");
    made.own.git(&["checkout", "-q", "-b", "bump"]);
    made.own(11.0);
    made.take("1.1.0", "1.1.0");
    made.own.commit("Update the dependencies");
    let (code, found, said) = made.lock(&["main..bump"]);
    assert_eq!((code, &found["result"]), (0, &"found".into()), "{said}");
    assert_eq!(found["first"], "weight 1.0.0 -> 1.1.0", "{said}");
    let value = found["against_good"]["estimate"]["value"].as_f64().unwrap();
    assert!((value - 1.22).abs() < 1e-9, "{value}");
    made.own.git(&["checkout", "-q", "main"]);
    made.own(50.0);
    made.take("1.1.0", "1.0.0");
    made.own.commit("Do more");
    let (code, found, said) = made.lock(&["main~1..main"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(found["first"], "the sources, with the lock file of the good commit", "{said}");
    let (code, _, said) = made.lock(&["main~1..main", "--by=90%"]);
    assert_eq!(code, 1, "{said}");
    assert_eq!(made.own.git(&["status", "--porcelain"]), "");
}

#[test]
fn a_red_names_its_cause() {
    let made = Dependent::new("caused");
    // The changes are not committed.
    made.take("1.1.0", "1.1.0");
    made.causes("the lock file did it: weight 1.0.0 -> 1.1.0");
    made.own(31.0);
    made.take("1.1.0", "1.0.0");
    made.causes_as_data("sources", &[], "the sources did it");
    // Neither is enough: 110 steps are allowed, and each alone makes fewer.
    made.own(19.5);
    let package = "another 1.0.0 -> 1.1.0";
    let sentence = format!("the lock file did it, together with the sources: {package}");
    made.causes_as_data("both", &[package], &sentence);
    // The base of the check itself stays for the next one.
    assert!(!made.own.git(&["worktree", "list"]).contains("/causes/"));
    assert_eq!(made.own.git(&["diff", "--cached", "--name-only"]), "");
}
