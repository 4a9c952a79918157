//! A count of the commits in a real history that need no measuring. Each commit is compared with its parent by the
//! command itself.
//!
//! `cargo bench -p cargo-budget --bench histories -- REPOSITORY SUBJECT COUNT` clones a repository and adds a test of
//! budgets to the package at its top, as a user would; `subjects.rs` has the workload of each subject. The other
//! development dependencies are left out, so that nothing else is built. `published:1.9.0,1.9.1,…` in place of a repository is the
//! history of these versions of the subject, as they are on crates.io.
//! For each of the last commits, except merges, it prints the result of the comparison with its parent. What is proven equal
//! is not timed; what is left is, for a second.
//!
//! Each result is checked by an independent instrument: callgrind counts the instructions of the workload in both
//! revisions. Where the command has proven them equal, the counts must be equal too. The count of a workload with random
//! hash seeds differs from run to run, so each revision is counted several times, and the ranges of the two must overlap.
//! The exit code is 1 where they do not, and where something could not be counted. With `--proven` at the end, only what
//! is proven equal is counted.

#![expect(clippy::print_stdout, reason = "a program that prints what it counts")]

mod count;
mod published;
mod subjects;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};

use toml_edit::{DocumentMut, Item};

use self::subjects::Subject;

/// Parts of the command's messages, each with the result that it stands for.
const SAYS: [(&str, &str); 5] = [
    ("so it is not built", "equal by files"),
    ("which is built for the other limits", "equal by files"),
    ("built to compare times, the test binary is the same", "times equal by sections"),
    ("the test binary is the same machine code", "equal by sections"),
    ("measuring what is limited against", "measured"),
];

/// The results that promise the same machine code.
const EQUAL: [&str; 4] =
    ["equal by files", "equal by sections", "times equal by sections", BY_REACH];

/// The result of a workload that reaches nothing that differs. The harness finds it, and not the command.
const BY_REACH: &str = "times equal by reach";

/// The files that are added to each commit, even where git ignores them.
const ADDED: [&str; 4] = ["Cargo.toml", "Cargo.lock", "budgets.toml", "tests/budgets.rs"];

const BUDGETS: &str = "[budget.work]\nworkload = \"work\"\nmax = { allocs = \"1.05 x base\", mean = \"1.05 x base\" }\n";

struct History {
    clone: PathBuf,
    subject: &'static Subject,
    place: tempfile::TempDir,
    /// The fewest and the most instructions of the workload, by commit.
    counts: BTreeMap<String, [u64; 2]>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let (arguments, options): (Vec<String>, Vec<String>) =
        arguments.into_iter().partition(|argument| !argument.starts_with("--"));
    let proven_alone = options.iter().any(|option| option == "--proven");
    let [repository, subject, count] = arguments.as_slice() else {
        println!("name a repository, a subject and a count: see the head of {}", file!());
        return ExitCode::SUCCESS;
    };
    let place = tempfile::tempdir().expect("a directory for the clone");
    let clone = place.path().join("clone");
    let made = repository
        .strip_prefix("published:")
        .map(|versions| published::repository(subject, versions, place.path()));
    let repository = made.as_ref().map_or(&**repository, |made| made.to_str().expect("UTF-8"));
    git(place.path(), &["clone", "-q", repository, "clone"]);
    let subject =
        subjects::ALL.iter().find(|known| known.name == subject).expect("it is a subject");
    let mut history = History { clone, subject, place, counts: BTreeMap::new() };
    let listed = git(
        &history.clone,
        // From the oldest on, so that the count of a commit's parent is usually known.
        &["log", "--no-merges", "--topo-order", "--reverse", "--format=%H", "-n", count],
    );
    let mut results = BTreeMap::<&str, usize>::new();
    let (mut exceptions, mut uncounted) = (0, 0);
    for commit in listed.lines() {
        let (kind, why) = history.judged(commit);
        *results.entry(kind).or_default() += 1;
        let is_proven = EQUAL.contains(&kind);
        let counted = if proven_alone && !is_proven {
            "-".to_owned()
        } else {
            match history.counted(commit) {
                Err(why) => {
                    uncounted += 1;
                    format!("not counted: {why}")
                }
                Ok([base, head]) => {
                    let is_same = base[0] <= head[1] && head[0] <= base[1];
                    exceptions += usize::from(is_proven && !is_same);
                    compared(base, head)
                }
            }
        };
        println!("{} | {kind} | {} | {counted}", &commit[..12], why.trim());
    }
    println!(
        "{results:?}; {exceptions} proven equal and counted differently; {uncounted} not counted"
    );
    ExitCode::from(u8::from(exceptions > 0 || uncounted > 0))
}

impl History {
    /// Returns the result of comparing a commit with its parent, and the command's message about it.
    fn judged(&self, commit: &str) -> (&'static str, String) {
        self.check_out(&format!("{commit}~1"));
        let lock = self.lock();
        git(&self.clone, &[&["add", "-f"][..], &ADDED].concat());
        let author = ["-c", "user.name=n", "-c", "user.email=n@n"];
        git(&self.clone, &[&author[..], &["commit", "-q", "--no-verify", "-m", "base"]].concat());
        let base = git(&self.clone, &["rev-parse", "HEAD"]);
        self.check_out(commit);
        fs::write(self.clone.join("Cargo.lock"), lock).expect("the lock is written");
        git(&self.clone, &["reset", "-q", "--mixed", &base]);
        let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-budget"));
        command.args(["budget", "check", "--base", "HEAD", "--", "work::mean"]);
        // The bases of all histories share it too, so that the library is built once for them.
        let results = Path::new(env!("CARGO_TARGET_TMPDIR")).join("histories-results");
        let _ = fs::remove_file(results.join("outcomes.jsonl"));
        let command = self.with(&mut command).env("PERF_BUDGET_DIR", &results);
        let said = text(&command.output().expect("the command starts"));
        let record = fs::read_to_string(results.join("outcomes.jsonl")).unwrap_or_default();
        if record.contains(r#""by":"reach""#) {
            let differ = said.lines().find(|line| line.contains(" differ"));
            return (BY_REACH, differ.unwrap_or_default().to_owned());
        }
        // The last message is the result.
        let found = said.lines().rev().find_map(|line| {
            let kind = SAYS.iter().find(|(words, _)| line.contains(words))?.1;
            Some((kind, line.to_owned()))
        });
        found.unwrap_or_else(|| ("not built", error(&said)))
    }

    /// Returns the instructions of the workload at a commit's parent and at the commit.
    fn counted(&mut self, commit: &str) -> Result<[[u64; 2]; 2], String> {
        let parent = git(&self.clone, &["rev-parse", &format!("{commit}~1")]);
        // The commit is checked out last, as the next one usually follows it.
        let mut counts = [[0; 2]; 2];
        for (at, count) in [parent.as_str(), commit].into_iter().zip(&mut counts) {
            *count = match self.counts.get(at) {
                Some(&known) => known,
                None => count::range(&self.built(at)?, self.place.path()),
            };
            self.counts.insert(at.to_owned(), *count);
        }
        Ok(counts)
    }

    /// Builds the test at a commit as the command does, and returns the binary.
    fn built(&self, commit: &str) -> Result<PathBuf, String> {
        self.check_out(commit);
        self.lock();
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["test", "--release", "--no-run", "--test", "budgets"]);
        cargo.args(["--message-format", "json-render-diagnostics"]);
        let output = self.with(&mut cargo).output().expect("cargo starts");
        let messages = String::from_utf8_lossy(&output.stdout).into_owned();
        let executable = |line: &str| {
            let message: serde_json::Value = serde_json::from_str(line).ok()?;
            message["executable"].as_str().map(PathBuf::from)
        };
        messages.lines().rev().find_map(executable).ok_or_else(|| error(&text(&output)))
    }

    /// Prepares a command to run in the clone, with a cache that all commits share, and a target
    /// directory that all histories share.
    fn with<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command.env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("histories"));
        command.env("PERF_BUDGET_CACHE", self.place.path().join("cache"));
        for name in ["PERF_BUDGET_DIR", "PERF_BUDGET_MEASURE"] {
            command.env_remove(name);
        }
        command.current_dir(&self.clone)
    }

    /// Returns the lock file that cargo makes from that of the commit before, so that versions stay the same.
    fn lock(&self) -> String {
        let kept = self.place.path().join("Cargo.lock");
        let own = self.clone.join("Cargo.lock");
        if kept.is_file() {
            fs::copy(&kept, &own).expect("the lock is there");
        }
        let mut cargo = Command::new(env!("CARGO"));
        let output = self.with(cargo.args(["metadata", "--format-version", "1"])).output();
        let output = output.expect("cargo starts");
        assert!(output.status.success(), "{}", text(&output));
        fs::copy(&own, &kept).expect("the lock is kept");
        fs::read_to_string(own).expect("the lock is there")
    }

    /// Checks out a commit and adds the test.
    fn check_out(&self, commit: &str) {
        git(&self.clone, &["checkout", "-q", "--force", "--detach", commit]);
        git(&self.clone, &["clean", "-q", "-ffdx"]);
        let write = |name: &str, text: &str| {
            let path = self.clone.join(name);
            fs::create_dir_all(path.parent().expect("it is in the clone")).expect("a directory");
            fs::write(path, text).expect("the test is written");
        };
        let manifest = fs::read_to_string(self.clone.join("Cargo.toml")).expect("a manifest");
        write("Cargo.toml", &self.with_test(&manifest));
        write("budgets.toml", BUDGETS);
        write("tests/budgets.rs", &self.subject.source());
    }

    /// Returns a manifest with the test, which uses this library without its default features.
    fn with_test(&self, manifest: &str) -> String {
        let mut manifest: DocumentMut = manifest.parse().expect("the manifest is TOML");
        // A history of this library is measured by the library at that commit.
        let library = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("it is in a workspace");
        let own = "[[test]]\nname = \"budgets\"\nharness = false\n";
        let own: DocumentMut = own.parse().expect("it is TOML");
        manifest.insert("test", own["test"].clone());
        manifest.remove("bench");
        // A feature may name a development dependency, which then has to be there.
        let features = manifest.get("features").map(ToString::to_string).unwrap_or_default();
        let others = manifest.entry("dev-dependencies").or_insert(toml_edit::table());
        let others = others.as_table_like_mut().expect("it is a table");
        let names: Vec<String> = others.iter().map(|(name, _)| name.to_owned()).collect();
        for name in names.iter().filter(|name| !features.contains(&format!("\"{name}/"))) {
            others.remove(name);
        }
        if self.subject.name == "perf-budget" {
            manifest["features"]["default"] = toml_edit::value(toml_edit::Array::new());
        } else {
            let mut table = toml_edit::InlineTable::new();
            table.insert("path", library.to_string_lossy().as_ref().into());
            table.insert("default-features", false.into());
            others.insert("perf-budget", toml_edit::value(table));
        }
        let targets = manifest.get_mut("target").and_then(Item::as_table_like_mut);
        for (_, target) in targets.into_iter().flat_map(|targets| targets.iter_mut()) {
            target.as_table_like_mut().map(|target| target.remove("dev-dependencies"));
        }
        manifest.entry("workspace").or_insert(toml_edit::table());
        manifest.to_string()
    }
}

/// Returns the words about the counts of a commit and its parent.
fn compared(base: [u64; 2], head: [u64; 2]) -> String {
    let range = |[least, most]: [u64; 2]| {
        if least == most { least.to_string() } else { format!("{least} to {most}") }
    };
    if base == head {
        return format!("{} instructions in both", range(head));
    }
    let change = 100.0 * (head[0] as f64 / base[0] as f64 - 1.0);
    format!("{} instructions, then {} ({change:+.3} %)", range(base), range(head))
}

fn git(directory: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git").args(arguments).current_dir(directory).output();
    let output = output.expect("git starts");
    assert!(output.status.success(), "git {arguments:?}: {}", text(&output));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Returns the last line about an error.
fn error(said: &str) -> String {
    said.lines().rfind(|line| line.contains("error")).unwrap_or("").to_owned()
}

fn text(output: &Output) -> String {
    let both = [&output.stdout[..], &output.stderr].concat();
    String::from_utf8_lossy(&both).into_owned()
}
