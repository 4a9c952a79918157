//! How many commits of a real history need no measuring: each is compared with its parent by the command itself.
//!
//! `cargo bench -p cargo-budget --bench histories -- REPOSITORY SUBJECT COUNT` clones a repository and gives it a package
//! `gate` whose workloads, those of the subject in `subjects.rs`, use the crate at its top. For each of the last commits, merges aside, it
//! prints what the comparison with its parent came to. Nothing is measured, as the filter matches no test; it builds up to
//! two binaries a commit.

#![expect(clippy::print_stdout, reason = "a program that prints what it counts")]

mod subjects;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What the command says, and what it stands for.
const SAYS: [(&str, &str); 4] = [
    ("so it is not built", "equal by files"),
    ("which is built for the other limits", "equal by files"),
    ("the test binary is the same machine code", "equal by sections"),
    ("measuring what is limited against", "measured"),
];

const BUDGETS: &str = "[budget.work]\nworkload = \"work\"\nmax = { allocs = \"1.05 x base\" }\n";

struct History {
    clone: PathBuf,
    /// The package's name, and the source of its workloads.
    subject: (&'static str, &'static str),
    place: tempfile::TempDir,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let [repository, subject, count] = arguments.as_slice() else {
        println!("name a repository, a subject and a count: see the head of {}", file!());
        return;
    };
    let place = tempfile::tempdir().expect("a directory for the clone");
    let clone = place.path().join("clone");
    git(place.path(), &["clone", "-q", repository, "clone"]);
    let subject = *subjects::ALL.iter().find(|(name, _)| name == subject).expect("it is a subject");
    let history = History { clone, subject, place };
    let listed = git(&history.clone, &["log", "--no-merges", "--format=%H", "-n", count]);
    let mut counts = BTreeMap::<&str, usize>::new();
    for commit in listed.lines() {
        let (kind, why) = history.judged(commit);
        *counts.entry(kind).or_default() += 1;
        println!("{} | {kind} | {}", &commit[..12], why.trim());
    }
    println!("{counts:?}");
}

impl History {
    /// What the comparison of a commit with its parent comes to, and what the command says of it.
    fn judged(&self, commit: &str) -> (&'static str, String) {
        self.check_out(&format!("{commit}~1"));
        let lock = self.lock();
        git(&self.clone, &["add", "-A", "-f", "gate"]);
        let author = ["-c", "user.name=n", "-c", "user.email=n@n"];
        git(&self.clone, &[&author[..], &["commit", "-q", "--no-verify", "-m", "base"]].concat());
        let base = git(&self.clone, &["rev-parse", "HEAD"]);
        self.check_out(commit);
        fs::write(self.gate().join("Cargo.lock"), lock).expect("the lock is written");
        git(&self.clone, &["reset", "-q", "--mixed", &base]);
        let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-budget"));
        command.args(["budget", "check", "--base", "HEAD", "--", "no such test"]);
        let said = text(&self.with(&mut command).output().expect("the command starts"));
        // Of several the last is what it came to.
        let found = said.lines().rev().find_map(|line| {
            let kind = SAYS.iter().find(|(words, _)| line.contains(words))?.1;
            Some((kind, line.to_owned()))
        });
        let failed = || said.lines().rfind(|line| line.contains("error")).unwrap_or("").to_owned();
        found.unwrap_or_else(|| ("not built", failed()))
    }

    fn gate(&self) -> PathBuf {
        self.clone.join("gate")
    }

    /// A command in the gate, with results that all commits share.
    fn with<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command.env("CARGO_TARGET_DIR", self.place.path().join("target"));
        command.env("PERF_BUDGET_CACHE", self.place.path().join("cache"));
        for name in ["PERF_BUDGET_DIR", "PERF_BUDGET_MEASURE"] {
            command.env_remove(name);
        }
        command.current_dir(self.gate())
    }

    /// The lock that cargo makes, of the versions that the one before had.
    fn lock(&self) -> String {
        let kept = self.place.path().join("Cargo.lock");
        let own = self.gate().join("Cargo.lock");
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

    /// The tree of a commit, with the gate.
    fn check_out(&self, commit: &str) {
        git(&self.clone, &["checkout", "-q", "--force", "--detach", commit]);
        git(&self.clone, &["clean", "-q", "-ffdx"]);
        let (subject, source) = self.subject;
        let library = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("it is in a workspace");
        // A crate that is the library itself is measured by itself.
        let is_own = subject == "perf-budget";
        let library = if is_own { Path::new("..") } else { library };
        let library = format!("perf-budget = {{ path = '{}' }}\n", library.display());
        let own = if is_own { String::new() } else { format!("{subject} = {{ path = \"..\" }}\n") };
        let manifest = format!(
            "[package]\nname = \"gate\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[dependencies]\n{library}{own}\n\
             [[test]]\nname = \"budgets\"\nharness = false\n\n[workspace]\n"
        );
        let write = |name: &str, text: &str| {
            let path = self.gate().join(name);
            fs::create_dir_all(path.parent().expect("it is in the gate")).expect("a directory");
            fs::write(path, text).expect("the gate is written");
        };
        write("Cargo.toml", &manifest);
        write("budgets.toml", BUDGETS);
        write("src/lib.rs", "");
        write("tests/budgets.rs", source);
    }
}

fn git(directory: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git").args(arguments).current_dir(directory).output();
    let output = output.expect("git starts");
    assert!(output.status.success(), "git {arguments:?}: {}", text(&output));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn text(output: &Output) -> String {
    let both = [&output.stdout[..], &output.stderr].concat();
    String::from_utf8_lossy(&both).into_owned()
}
