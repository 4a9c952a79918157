//! A project in which the command runs: `budgets.toml`, a repository, and recorded outcomes.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use perf_budget_core::budget::Bound;
use perf_budget_core::outcome::{Against, Estimate, Evidence, Outcome, Run};
use perf_budget_core::quantity::Unit;
use perf_budget_core::verdict::Verdict;

const BUDGETS: &str = "\
[budget.merge]
workload = \"merge\"
max = { p99 = \"2 ms\" }
";

/// The time of the first commit. Each later commit is an hour after the one before.
pub(crate) const FIRST: u64 = 1_700_000_000;

/// A directory with a project.
pub(crate) struct Project {
    pub(crate) dir: PathBuf,
    db: String,
}

/// The result of a command.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Project {
    /// Creates a project without commits. `db` is the place of its history: a path from the project, or a URL.
    pub(crate) fn new(name: &str, db: &str) -> Project {
        let kind = if db.contains("://") { "postgres" } else { "sqlite" };
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("history-{kind}-{name}"));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(dir.join("results")).unwrap();
        fs::write(dir.join("budgets.toml"), BUDGETS).unwrap();
        fs::write(dir.join(".gitignore"), "/results\n").unwrap();
        let project = Project { dir, db: db.to_owned() };
        project.git(&["init", "--quiet", "--initial-branch=main"], 0);
        project.git(&["add", "--all"], 0);
        project
    }

    /// Returns the command with the history of this project.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-budget"));
        command.arg("budget").args(arguments).current_dir(&self.dir);
        for (name, _) in std::env::vars() {
            if ["GITHUB_", "PERF_BUDGET_", "CARGO_TARGET_DIR", "PG"]
                .iter()
                .any(|p| name.starts_with(p))
            {
                command.env_remove(name);
            }
        }
        command
            .env("PERF_BUDGET_DIR", self.dir.join("results"))
            .env("PERF_BUDGET_HISTORY", &self.db);
        command
    }

    /// Runs `cargo budget ARGUMENTS`.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(&self.command(arguments).output().unwrap())
    }

    /// Makes the `n`th commit and returns its hash.
    pub(crate) fn commit(&self, n: u64) -> String {
        let message = format!("Change {n}");
        self.git(&["commit", "--quiet", "--allow-empty", "--message", &message], n);
        self.git(&["rev-parse", "HEAD"], n)
    }

    /// Runs git with a made-up user, at the time of the `n`th commit.
    pub(crate) fn git(&self, arguments: &[&str], n: u64) -> String {
        let date = format!("{} +0000", FIRST + 3600 * n);
        let mut git = Command::new("git");
        git.current_dir(&self.dir).args(["-c", "user.name=n", "-c", "user.email=n@example.org"]);
        git.args(["-c", "commit.gpgsign=false"]).args(arguments);
        git.env("GIT_AUTHOR_DATE", &date).env("GIT_COMMITTER_DATE", &date);
        let ran = git.output().unwrap();
        assert!(ran.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8_lossy(&ran.stdout).trim().to_owned()
    }

    /// Appends outcomes to outcomes.jsonl.
    pub(crate) fn outcomes(&self, outcomes: &[Outcome]) {
        let path = self.dir.join("results/outcomes.jsonl");
        let mut file = OpenOptions::new().append(true).create(true).open(path).unwrap();
        for outcome in outcomes {
            writeln!(file, "{}", serde_json::to_string(outcome).unwrap()).unwrap();
        }
    }

    /// Makes commits, each with a recorded run that measured this many milliseconds. Returns their hashes.
    pub(crate) fn history(&self, milliseconds: &[f64]) -> Vec<String> {
        let hashes = self.commits(milliseconds.len());
        for (n, (value, hash)) in milliseconds.iter().zip(&hashes).enumerate() {
            self.outcomes(&[outcome(&format!("run-{n}"), n as u64, value * 1e-3)]);
            let record = ["history", "record", "--commit", hash, "--branch", "main"];
            self.run(&record).says(0, "recorded 1 outcome");
        }
        hashes
    }

    /// Makes the first commit and then many at once; returns their hashes.
    fn commits(&self, count: usize) -> Vec<String> {
        let mut stream = String::new();
        let first = self.commit(0);
        for n in 1..count {
            let from = if n == 1 { format!("from {first}\n") } else { String::new() };
            let by = format!("committer n <n@example.org> {} +0000", FIRST + 3600 * n as u64);
            let commit = ["commit refs/heads/main\n", &by, "\ndata 0\n", &from, "\n"];
            stream += &commit.concat();
        }
        let path = self.dir.join("results/commits");
        fs::write(&path, stream).unwrap();
        let mut import = Command::new("git");
        import.args(["fast-import", "--quiet"]).current_dir(&self.dir);
        let status = import.stdin(fs::File::open(path).unwrap()).status().unwrap();
        assert!(status.success());
        let listed = self.git(&["rev-list", "--reverse", "main"], 0);
        listed.lines().map(str::to_owned).collect()
    }
}

impl Ran {
    pub(crate) fn of(output: &Output) -> Ran {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ran { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// Checks the exit code, and that the output contains all `parts`.
    #[track_caller]
    pub(crate) fn says(self, code: i32, parts: &str) -> Ran {
        let all = format!("{}{}", self.out, self.err);
        assert_eq!(self.code, Some(code), "{all}");
        for part in parts.split(" | ") {
            assert!(all.contains(part), "no `{part}` in:\n{all}");
        }
        assert!(!all.contains("secret"), "a password is shown:\n{all}");
        self
    }

    /// Returns the output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {}", self.out))
    }
}

/// Returns an outcome of `merge::p99` in a run shortly after the `n`th commit.
pub(crate) fn outcome(run: &str, n: u64, seconds: f64) -> Outcome {
    Outcome {
        test: "merge::p99".to_owned(),
        budget: "merge".to_owned(),
        metric: "p99".to_owned(),
        verdict: if seconds > 2e-3 { Verdict::Fail } else { Verdict::Pass },
        against: Some(Against {
            bound: Bound::Max,
            limit: 2e-3,
            warn: 1.8e-3,
            tolerance: 0.1,
            unit: Unit::Seconds,
        }),
        estimate: Some(Estimate { value: seconds, low: None, high: None }),
        evidence: Some(Evidence {
            fail: 0.0,
            fail_at: 1.0,
            pass: 2.0,
            pass_at: 1.0,
            detectable: None,
            detectable_longer: None,
            effort_to_settle: None,
            processes: 3,
            values: 300,
            waited: None,
            preempted: None,
        }),
        run: Run {
            id: run.to_owned(),
            began: FIRST + 3600 * n + 60,
            tests: 1,
            budgets: 0,
            profile: "release".to_owned(),
            platform: "linux x86_64".to_owned(),
            processor: "Abacus 9".to_owned(),
            cores: 4,
            version: "0.1.0".to_owned(),
            package: String::new(),
            target: String::new(),
            checkout: String::new(),
            environment: None,
            commit: None,
            branch: None,
            base: None,
        },
        ..Outcome::default()
    }
}
