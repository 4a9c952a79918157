//! One run of the gate as a process, on a case of its own: its input and its output.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use perf_budget_core::outcome::Outcome;
use perf_budget_core::record;

/// The variable that makes this binary the harness under test rather than the suite.
pub(crate) const SUBJECT: &str = "PERF_BUDGET_TEST_SUBJECT";

/// A command that does nothing, as `budgets.toml` has it.
pub(crate) const NOTHING: &str =
    if cfg!(windows) { r#"["cmd", "/c", "exit 0"]"# } else { r#"["true"]"# };

/// The longest that a run may take. None takes a tenth of it, so a run that takes longer hangs.
const LONGEST_RUN: Duration = Duration::from_secs(120);

/// Variables that the machine that runs the suite may have set, and that a case must not see.
const HIDDEN_VARIABLES: [&str; 21] = [
    "CI",
    "CI_PROJECT_DIR",
    "GITHUB_ACTIONS",
    "GITHUB_STEP_SUMMARY",
    "GITHUB_WORKSPACE",
    "NEXTEST",
    "NEXTEST_ATTEMPT",
    "NEXTEST_RUN_ID",
    "NEXTEST_STRESS_CURRENT",
    "NO_COLOR",
    "PERF_BUDGET_BASE",
    "PERF_BUDGET_BASE_LINKS",
    "PERF_BUDGET_BASE_DIR",
    "PERF_BUDGET_BASE_DETAILS",
    "PERF_BUDGET_COUNTER",
    "PERF_BUDGET_DIR",
    "PERF_BUDGET_HEAD",
    "PERF_BUDGET_MEASURE",
    "PERF_BUDGET_RUN",
    "PERF_BUDGET_SHARD",
    "PERF_BUDGET_STRICT",
];

/// A directory with a `budgets.toml`, and how the gate is run on it.
pub(crate) struct Case {
    pub(crate) dir: PathBuf,
    args: Vec<String>,
    env: Vec<(String, String)>,
}

/// The result of one run of the gate.
#[derive(Debug)]
pub(crate) struct Run {
    /// The exit code; `None` if a signal ended the gate.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Case {
    /// Makes an empty directory that no other case has.
    pub(crate) fn empty(name: &str) -> Case {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("harness").join(name);
        if dir.exists() {
            fs::remove_dir_all(&dir).unwrap();
        }
        // This directory is a workspace of its own, so that a run leaves its pointers here and not in the workspace of
        // this repository.
        let above = dir.parent().unwrap();
        fs::create_dir_all(above).unwrap();
        fs::write(above.join("Cargo.toml"), "[workspace]\n").unwrap();
        // The lock of the machine is in this directory too, so that cases do not wait for each other.
        fs::create_dir_all(dir.join("tmp")).unwrap();
        Case { dir, args: Vec::new(), env: Vec::new() }
    }

    /// Makes a case with this `budgets.toml`.
    pub(crate) fn new(name: &str, budgets: &str) -> Case {
        let case = Case::empty(name);
        fs::write(case.dir.join("budgets.toml"), budgets).unwrap();
        case
    }

    pub(crate) fn args<const N: usize>(mut self, args: [&str; N]) -> Case {
        self.args = args.map(str::to_owned).into();
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<Path>) -> Case {
        self.env.retain(|(known, _)| known != name);
        self.env.push((name.to_owned(), value.as_ref().to_str().unwrap().to_owned()));
        self
    }

    /// Runs the gate to its end.
    pub(crate) fn run(&self) -> Run {
        self.start("only", &self.args).end()
    }

    /// Starts the gate on one test, as a runner does that has a process for each test.
    pub(crate) fn start_test(&self, test: &str) -> Started {
        let args = ["--exact", test, "--nocapture"].map(str::to_owned);
        self.start(&test.replace(|c: char| !c.is_ascii_alphanumeric(), "-"), &args)
    }

    /// Lists the tests as nextest does.
    pub(crate) fn start_list(&self) -> Started {
        self.start("list", &["--list", "--format", "terse"].map(str::to_owned))
    }

    /// Returns everything on record, over all runs.
    pub(crate) fn outcomes(&self) -> Vec<Outcome> {
        record::read(&self.dir.join("results/outcomes.jsonl")).unwrap().outcomes
    }

    pub(crate) fn start(&self, name: &str, args: &[String]) -> Started {
        let file = |ending| self.dir.join("tmp").join(name).with_extension(ending);
        let files = [file("stdout"), file("stderr")];
        let [stdout, stderr] = files.each_ref().map(|file| File::create(file).unwrap());
        let mut command = Command::new(std::env::current_exe().unwrap());
        for name in HIDDEN_VARIABLES {
            command.env_remove(name);
        }
        command.args(args).current_dir(&self.dir).env(SUBJECT, "1");
        command.env("CARGO_MANIFEST_DIR", &self.dir);
        for name in ["TMPDIR", "TMP", "TEMP"] {
            command.env(name, self.dir.join("tmp"));
        }
        command.env("PERF_BUDGET_DIR", self.dir.join("results"));
        command.env("PERF_BUDGET_CACHE", self.dir.join("tmp").join("cache"));
        command.env("CRITERION_HOME", self.dir.join("criterion"));
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        let child = command.stdin(Stdio::null()).stdout(stdout).stderr(stderr).spawn().unwrap();
        Started { child, files }
    }
}

/// A gate that is running.
pub(crate) struct Started {
    child: Child,
    files: [PathBuf; 2],
}

impl Started {
    /// Ends the gate as a crash would.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn end(mut self) -> Run {
        let deadline = Instant::now() + LONGEST_RUN;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if Instant::now() > deadline {
                self.child.kill().unwrap();
                panic!("the gate hangs; so far: {:#?}", self.files.map(fs::read_to_string));
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        let [stdout, stderr] = self.files.map(|file| fs::read_to_string(file).unwrap());
        Run { code: status.code(), stdout, stderr }
    }
}

impl Run {
    /// Fails with everything that was printed, unless the exit code is this one.
    #[track_caller]
    pub(crate) fn exited(self, code: i32) -> Run {
        assert_eq!(self.code, Some(code), "{self:#}");
        self
    }

    /// Fails unless all of these texts were printed on standard output.
    #[track_caller]
    pub(crate) fn printed<const N: usize>(&self, texts: [&str; N]) {
        for text in texts {
            assert!(self.stdout.contains(text), "{text:?} was not printed\n{self:#}");
        }
    }

    /// Returns the line with the count.
    pub(crate) fn count(&self) -> &str {
        let counts = |line: &&str| {
            let words: Vec<&str> = line.splitn(4, ' ').collect();
            matches!(words[..], [_, "limit" | "limits", "of", _])
        };
        self.stdout.lines().find(counts).unwrap_or("no count")
    }
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Run { code, stdout, stderr } = self;
        write!(f, "exit code {code:?}\n--- stdout\n{stdout}\n--- stderr\n{stderr}")
    }
}
