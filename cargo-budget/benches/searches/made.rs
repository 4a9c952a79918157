//! The repository: three workloads, each of which becomes slower at one commit, among commits that move its time by less.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The number of the last commit. The first one has the number 0.
pub(super) const LAST: usize = 200;

/// A regression of one workload.
pub(super) struct Regression {
    pub(super) name: &'static str,
    /// The number of the commit.
    pub(super) at: usize,
    /// By how much the workload becomes slower.
    pub(super) step: f64,
}

pub(super) const REGRESSIONS: [Regression; 3] = [
    Regression { name: "index", at: 61, step: 0.03 },
    Regression { name: "search", at: 131, step: 0.08 },
    Regression { name: "store", at: 167, step: 0.2 },
];

/// The name of the command beside the project.
const COMMAND: &str = "cargo-budget";

const MANIFEST: &str = r#"[package]
name = "searched"
version = "0.1.0"
edition = "2024"

[dev-dependencies]
perf-budget = { path = "LIBRARY", default-features = false }

[[test]]
name = "budgets"
harness = false

[workspace]

# What is measured is in the package itself. The library is built for both sides, which would take longer than all comparisons
# of a search on a busy machine.
[profile.release.package."*"]
opt-level = 1
"#;

/// Each process does up to 2 % more work than another one, as a program does whose tables have random seeds.
const TESTS: &str = r#"
use std::hash::{BuildHasher, RandomState};

fn main() -> std::process::ExitCode {
    let more = 1.0 + 0.02 * (RandomState::new().hash_one(1) % 1000) as f64 / 1000.0;
    let rounds = move |rounds: u64| (rounds as f64 * more) as u64;
    perf_budget::Harness::new()
        .workload("index", move |run| run.iter(|| searched::work(rounds(searched::INDEX))))
        .workload("search", move |run| run.iter(|| searched::work(rounds(searched::SEARCH))))
        .workload("store", move |run| run.iter(|| searched::work(rounds(searched::STORE))))
        .main()
}
"#;

/// The repository, and the hashes of its commits by their numbers.
pub(super) struct Made {
    root: PathBuf,
    _directory: tempfile::TempDir,
    pub(super) commits: Vec<String>,
}

impl Made {
    pub(super) fn new() -> Made {
        let made = tempfile::Builder::new().prefix("budget-searches-").tempdir().unwrap();
        let directory = made.path().to_owned();
        let mut made =
            Made { root: directory.join("searched"), _directory: made, commits: Vec::new() };
        // The library is the last commit of this repository, and the command a copy, so that neither an edit nor a build meanwhile
        // changes what is searched with.
        fs::copy(env!("CARGO_BIN_EXE_cargo-budget"), directory.join(COMMAND)).unwrap();
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let library = directory.join("library");
        fs::create_dir(&made.root).unwrap();
        made.git(&["clone", "-q", "--shared", own.to_str().unwrap(), library.to_str().unwrap()]);
        made.write("Cargo.toml", &MANIFEST.replace("LIBRARY", library.to_str().unwrap()));
        fs::copy(library.join("Cargo.lock"), made.root.join("Cargo.lock")).unwrap();
        made.write("tests/budgets.rs", TESTS);
        made.write("budgets.toml", &budgets());
        made.write(".gitignore", "target\n.budgets\n");
        made.write("src/lib.rs", &source(0));
        let mut described = made.program("cargo");
        described.args(["metadata", "--offline", "--format-version=1"]).stdout(Stdio::null());
        assert!(described.status().unwrap().success());
        made.git(&["init", "-q", "-b", "main"]);
        for number in 0..=LAST {
            made.write("src/lib.rs", &source(number));
            made.write("GUIDE.md", &format!("How to use it, edition {}.\n", number / 7));
            made.git(&["add", "-A"]);
            let author = ["-c", "user.name=n", "-c", "user.email=n@n"];
            made.git(&[&author[..], &["commit", "-qm", &subject(number)]].concat());
            made.commits.push(made.git(&["rev-parse", "HEAD"]));
        }
        made
    }

    pub(super) fn range(&self, good: usize, bad: usize) -> String {
        format!("{}..{}", self.commits[good], self.commits[bad])
    }

    /// Returns the command that is searched with.
    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.program(self.root.with_file_name(COMMAND).to_str().unwrap());
        command.arg("budget").args(arguments);
        command
    }

    /// Runs the tests at a commit and records them in the history. Returns whether that was possible, as it is not where the
    /// commit does not build.
    pub(super) fn measured(&self, number: usize) -> bool {
        self.git(&["checkout", "-q", &self.commits[number]]);
        let mut tests = self.program("cargo");
        tests.args(["test", "--offline", "-q", "--release", "--test", "budgets"]);
        let ended = tests.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
        let commit = ["history", "record", "--commit", &self.commits[number], "--branch", "main"];
        let is_recorded = ended.success() && self.command(&commit).status().unwrap().success();
        self.git(&["checkout", "-q", "main"]);
        is_recorded
    }

    /// Returns a program in the repository, which has nothing in its environment that a harness would take for its own.
    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(name);
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            if ["PERF_BUDGET", "GIT_", "CARGO_TARGET"].iter().any(|start| name.starts_with(start)) {
                command.env_remove(name);
            }
        }
        command.current_dir(&self.root);
        command
    }

    fn git(&self, arguments: &[&str]) -> String {
        let output = self.program("git").args(arguments).output().expect("git is installed");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

fn budgets() -> String {
    let of = |regression: &Regression| {
        let name = regression.name;
        format!(
            "[budget.{name}]\nworkload = \"{name}\"\nmax = {{ mean = [\"1 s\", \"1.02 x base\"] }}\n\n"
        )
    };
    REGRESSIONS.iter().map(of).collect()
}

/// Whether a commit does not build. Two of them are just before a regression.
fn is_broken(number: usize) -> bool {
    number % 50 == 33 || number == REGRESSIONS[1].at - 2 || number == REGRESSIONS[1].at - 3
}

/// Whether a commit changes the guide alone.
fn is_explained(number: usize) -> bool {
    number > 0 && number.is_multiple_of(7)
}

fn subject(number: usize) -> String {
    match REGRESSIONS.iter().find(|regression| regression.at == number) {
        Some(regression) => format!("Check more while `{}` runs", regression.name),
        None if is_broken(number) => format!("Begin what does not build, {number}"),
        None if is_explained(number) => format!("Explain it, {number}"),
        None => format!("Go up and down, {number}"),
    }
}

/// Returns the library at a commit. Each workload goes up and down by at most 0.4 %, and a function that none of them calls
/// changes its length, which moves the others in memory.
fn source(number: usize) -> String {
    let is_broken = is_broken(number);
    let number = if is_explained(number) { number - 1 } else { number };
    let mut text = String::from("//! What is measured.\n\n");
    for (place, regression) in REGRESSIONS.iter().enumerate() {
        let flaky = 0.004 * (((number * 13 + place * 5) % 11) as f64 / 10.0);
        let step = if number >= regression.at { 1.0 + regression.step } else { 1.0 };
        let rounds = 20_000.0 * step * (1.0 + flaky);
        let name = regression.name.to_uppercase();
        let _ = writeln!(text, "/// So many rounds.\npub const {name}: u64 = {rounds:.0};");
    }
    text += "\n/// Does what is measured.\n#[inline(never)]\npub fn work(rounds: u64) -> u64 {\n    (0..rounds).fold(1, |sum: u64, n| {\n        \
             std::hint::black_box(sum.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ n)\n    })\n}\n";
    text += "\n/// Does what nothing measures.\n#[inline(never)]\npub fn other(mut value: u64) -> u64 {\n";
    for line in 0..number % 9 {
        let _ = writeln!(text, "    value = std::hint::black_box(value ^ {line});");
    }
    text += "    value ^= 1;\n    value\n}\n";
    if is_broken {
        text += "const OOPS: u64 = missing;\n";
    }
    text
}
