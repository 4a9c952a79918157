//! The repository of a pair: two commits of a small crate, which differ in the version of its one dependency.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use perf_budget_core::outcome::Outcome;
use perf_budget_core::record;

use crate::pairs::Pair;

/// The repository of a pair. Its head is the second version.
pub(crate) struct Project {
    pub(crate) root: PathBuf,
    /// Cargo's target directory, which all pairs share, so that the library is built once.
    pub(crate) target: PathBuf,
    results: PathBuf,
}

/// Builds the command that is tested, and returns its path.
pub(crate) fn command(top: &Path) -> Result<PathBuf, String> {
    let mut cargo = cargo();
    cargo.args(["build", "--quiet", "--package", "cargo-budget"]).current_dir(top);
    run(&mut cargo)?;
    Ok(top.join("target/debug/cargo-budget"))
}

/// Returns a call of cargo.
pub(crate) fn cargo() -> Command {
    clean(Command::new("cargo"))
}

/// Removes the variables by which the surrounding cargo describes this program.
fn clean(mut command: Command) -> Command {
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        let begins = ["CARGO_", "PERF_BUDGET", "NEXTEST", "GIT_", "RUSTC", "RUST_RECURSION"];
        if begins.iter().any(|start| name.starts_with(start)) && name != "CARGO_HOME" {
            command.env_remove(name);
        }
    }
    command
}

/// Runs a command to its end, and returns its standard output.
pub(crate) fn run(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|e| format!("failed to start {command:?}: {e}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{command:?} failed: {}", said.trim()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Returns the load of the machine over the last minute; `None` if the system does not report it.
pub(crate) fn load() -> Option<f64> {
    let text = fs::read_to_string("/proc/loadavg").ok()?;
    text.split_whitespace().next()?.parse().ok()
}

impl Project {
    /// Makes the repository anew.
    pub(crate) fn make(pair: &Pair, top: &Path, place: &Path) -> Result<Project, String> {
        let root = place.join(pair.name().replace(' ', "-"));
        let target = place.join("target");
        // The base is built below this directory, so all pairs share it too.
        let results = place.join("results");
        let _ = fs::remove_dir_all(&root);
        let project = Project { root, target, results };
        let functions: Vec<String> = pair
            .works
            .iter()
            .map(|work| {
                let (name, body) = (work.name, work.body);
                format!("#[inline(never)]\npub fn {name}() {{\n{body}\n}}\n")
            })
            .collect();
        let workloads: Vec<String> = pair
            .works
            .iter()
            .map(|work| format!(".workload(\"{0}\", |run| run.iter(pair::{0}))", work.name))
            .collect();
        let arms: Vec<String> =
            pair.works.iter().map(|work| format!("\"{0}\" => pair::{0},", work.name)).collect();
        let budgets: Vec<String> = pair
            .works
            .iter()
            .map(|work| {
                let name = work.name;
                format!(
                    "[budget.{name}]\nworkload = \"{name}\"\nmax = {{ mean = \"1.03 x base\" }}\n"
                )
            })
            .collect();
        project.write("src/lib.rs", &format!("{}\n{}", pair.items, functions.join("\n")))?;
        project.write("src/main.rs", &MAIN.replace("ARMS", &arms.join("\n        ")))?;
        project.write("tests/budgets.rs", &TESTS.replace("WORKLOADS", &workloads.concat()))?;
        project.write("budgets.toml", &budgets.join("\n"))?;
        project.write("src/version.txt", pair.from)?;
        project.git(&["init", "--quiet"])?;
        for version in [pair.from, pair.to] {
            let manifest = MANIFEST
                .replace("CRATE", pair.krate)
                .replace("VERSION", version)
                .replace("FEATURES", pair.features)
                .replace("LIBRARY", &top.display().to_string());
            project.write("Cargo.toml", &manifest)?;
            // If a version is compared with itself, the two commits differ in this file, which nothing reads.
            project.write("src/version.txt", &format!("{version}\n"))?;
            if version == pair.from {
                // The versions of all other packages are those of this repository.
                fs::copy(top.join("Cargo.lock"), project.root.join("Cargo.lock"))
                    .map_err(|e| format!("failed to copy Cargo.lock: {e}"))?;
            }
            run(cargo()
                .arg("metadata")
                .args(["--format-version", "1"])
                .current_dir(&project.root))?;
            project.git(&["add", "--all"])?;
            project.git(&["commit", "--quiet", "--allow-empty", "--message", version])?;
        }
        Ok(project)
    }

    /// Compares the head with the commit before it, and returns the outcomes.
    pub(crate) fn check(&self, command: &Path) -> Result<Vec<Outcome>, String> {
        let _ = fs::remove_dir_all(self.results.join("evidence"));
        let record = self.results.join("outcomes.jsonl");
        let _ = fs::remove_file(&record);
        let mut check = clean(Command::new(command));
        check.args(["budget", "check", "--base", "HEAD~1"]).current_dir(&self.root);
        check.env("CARGO_TARGET_DIR", &self.target).env("PERF_BUDGET_DIR", &self.results);
        check.env("PERF_BUDGET_MEASURE", "always");
        let output = check.output().map_err(|e| format!("failed to start {check:?}: {e}"))?;
        if !record.is_file() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(format!("{check:?} measured nothing: {}", said.trim()));
        }
        let outcomes = record::read(&record).map_err(|e| e.to_string())?.outcomes;
        let is_compared = |outcome: &Outcome| outcome.relative_to.as_deref() == Some("base");
        Ok(outcomes.into_iter().filter(is_compared).collect())
    }

    fn write(&self, name: &str, text: &str) -> Result<(), String> {
        let path = self.root.join(name);
        let directory = path.parent().unwrap_or(&self.root);
        let written = fs::create_dir_all(directory).and_then(|()| fs::write(&path, text));
        written.map_err(|e| format!("failed to write `{}`: {e}", path.display()))
    }

    /// Runs git in the repository.
    pub(crate) fn git(&self, arguments: &[&str]) -> Result<(), String> {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=real", "-c", "user.email=real@localhost"]).args(arguments);
        git.current_dir(&self.root);
        run(&mut git).map(drop)
    }
}

const MANIFEST: &str = r#"[package]
name = "pair"
version = "0.1.0"
edition = "2024"

[dependencies]
CRATE = { version = "=VERSION"FEATURES }

[dev-dependencies]
perf-budget = { path = "LIBRARY", default-features = false }

[[test]]
name = "budgets"
harness = false

[profile.release]
codegen-units = 1

[workspace]
"#;

const TESTS: &str = r"use std::process::ExitCode;

fn main() -> ExitCode {
    perf_budget::Harness::new()WORKLOADS.main()
}
";

/// The program whose instructions are counted.
const MAIN: &str = r#"fn main() {
    let mut arguments = std::env::args().skip(1);
    let work: fn() = match arguments.next().as_deref().unwrap() {
        ARMS
        other => panic!("there is no {other}"),
    };
    let times: u64 = arguments.next().unwrap().parse().unwrap();
    for _ in 0..times {
        work();
    }
}
"#;
