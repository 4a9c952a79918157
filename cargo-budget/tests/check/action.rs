//! Tests of the scripts of `action.yml`, called as a runner of GitHub calls them: only the merge commit of a pull request is
//! checked out, from a remote, and the environment is that of a runner.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::made::isolate;
use super::{BUDGETS, Crate, git, share_base};

/// Returns the repository that contains the action.
fn action() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// A job of a workflow, with its checkout and the files that its steps write.
struct Job {
    root: tempfile::TempDir,
    base: &'static str,
    arguments: &'static str,
}

struct Step {
    code: i32,
    text: String,
}

impl Job {
    /// Checks out `revision` of `from` as `actions/checkout` does by default: one commit, no branches.
    fn new(from: &Crate, revision: &str) -> Job {
        let root = tempfile::Builder::new().prefix("budget-action-").tempdir().unwrap();
        let job = Job { root, base: "origin/main", arguments: "--profile dev" };
        fs::create_dir(job.checkout()).unwrap();
        let commit = from.git(&["rev-parse", revision]);
        git(&job.checkout(), &["init", "-q"]);
        let origin = format!("file://{}", from.0.root().display());
        git(&job.checkout(), &["remote", "add", "origin", &origin]);
        git(&job.checkout(), &["fetch", "-q", "--no-tags", "--depth=1", "origin", &commit]);
        git(&job.checkout(), &["checkout", "-q", "FETCH_HEAD"]);
        job
    }

    fn checkout(&self) -> PathBuf {
        self.root.path().join("checkout")
    }

    fn written(&self, name: &str) -> String {
        fs::read_to_string(self.root.path().join(name)).unwrap_or_default()
    }

    /// Returns the names of the files in the artifact.
    fn results(&self) -> BTreeSet<String> {
        let files = fs::read_dir(self.root.path().join("results")).unwrap();
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect()
    }

    fn step(&self, script: &str) -> Step {
        let mut command = Command::new("bash");
        command.arg(action().join(".github/action").join(script)).current_dir(self.checkout());
        isolate(&mut command, &self.root.path().join("budgets"));
        share_base(&self.root.path().join("budgets"));
        let cargo_budget = Path::new(env!("CARGO_BIN_EXE_cargo-budget")).parent().unwrap();
        let path = std::env::var_os("PATH").unwrap();
        let places = std::iter::once(cargo_budget.to_owned()).chain(std::env::split_paths(&path));
        command.env("PATH", std::env::join_paths(places).unwrap());
        command.env("BASE", self.base).env("ARGUMENTS", self.arguments).env("PULL_REQUEST", "17");
        command.env("RESULTS", self.root.path().join("results"));
        command.env("GITHUB_ACTIONS", "true").env("GITHUB_WORKSPACE", self.checkout());
        for file in ["GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"] {
            command.env(file, self.root.path().join(file));
        }
        let output = command.output().unwrap();
        Step {
            code: output.status.code().unwrap(),
            text: String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned(),
        }
    }
}

impl Step {
    #[track_caller]
    fn is(&self, code: i32, texts: &[&str]) {
        assert_eq!(self.code, code, "{}", self.text);
        holds(&self.text, texts);
    }
}

#[track_caller]
fn holds(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
}

#[test]
fn a_pull_request_is_compared_with_the_merge_base() {
    let counted = Crate::new("request");
    counted.git(&["checkout", "-q", "-b", "slower"]);
    counted.steps(133);
    counted.0.write("budgets.toml", &BUDGETS.replace("steps = [1000", "steps = [2000"));
    counted.commit("do more");
    counted.git(&["checkout", "-q", "main"]);
    counted.0.write("README.md", "meanwhile\n");
    counted.commit("meanwhile");
    counted.git(&["checkout", "-q", "-b", "merged"]);
    counted.git(&["merge", "-q", "--no-ff", "-m", "merge", "slower"]);

    let job = Job::new(&counted, "merged");
    job.step("gate.sh").is(
        1,
        &["steps is 1.33 x base, over the limit of 1.1 x base", "::error file=budgets.toml,line="],
    );
    assert_eq!(job.written("GITHUB_OUTPUT"), "exit-code=1\n");
    holds(&job.written("GITHUB_STEP_SUMMARY"), &["steps is 1.33 x base, over the limit"]);

    // The step that renders the report does not fail because of the verdicts.
    job.step("report.sh").is(0, &[]);
    let files = ["budgets.html", "comment.md", "outcomes.jsonl", "pull-request"];
    assert_eq!(job.results(), files.map(String::from).into());
    assert_eq!(job.written("results/pull-request"), "17\n");
    let comment = job.written("results/comment.md");
    assert!(comment.starts_with("<!-- perf-budget -->\n### Performance budgets\n"), "{comment}");
    holds(&comment, &["steps is 1.33 x base, over the limit", "| **loosened** | `steps::steps` |"]);
    let page = job.written("results/budgets.html");
    holds(&page, &["<!DOCTYPE html>", "steps is 1.33 x base, over the limit of 1.1 x base"]);
}

#[test]
fn the_record_of_an_earlier_run_is_not_reported() {
    let counted = Crate::new("nothing");
    let green = Job::new(&counted, "main");
    green.step("gate.sh").is(0, &["4 limits of 2 budgets: 4 pass"]);
    green.step("report.sh").is(0, &[]);
    let comment = green.written("results/comment.md");
    assert!(!comment.contains("budgets.toml promises") && comment.contains("4 pass"), "{comment}");

    // A push has no base. Then the record comes from a cache, and the code does not build.
    let job = Job { base: "", ..Job::new(&counted, "main") };
    job.step("gate.sh").is(0, &["3 limits of 2 budgets: 2 pass; 1 skipped"]);
    fs::remove_dir_all(job.root.path().join("results")).unwrap();
    fs::write(job.checkout().join("src/lib.rs"), "oops").unwrap();
    // Runs are told apart by the second in which they began.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    job.step("gate.sh").is(3, &["could not compile"]);
    holds(&job.written("GITHUB_OUTPUT"), &["exit-code=0\nexit-code=3\n"]);
    job.step("report.sh").is(0, &[]);
    assert_eq!(job.results(), ["comment.md", "pull-request"].map(String::from).into());
    holds(&job.written("results/comment.md"), &["Nothing was measured"]);
}

#[test]
fn the_name_of_a_branch_is_never_executed() {
    let counted = Crate::new("command");
    let job = Job { base: "$(touch made)`touch made`", ..Job::new(&counted, "main") };
    job.step("gate.sh").is(3, &["there is no commit `$(touch made)`touch made``"]);
    job.step("report.sh").is(0, &[]);
    let made = job.checkout().join("made");
    assert!(!made.exists());
    // Arguments are quoted as in a shell.
    let job = Job { arguments: "--profile dev -- 'no such test'", ..job };
    Job { base: "", ..job }
        .step("gate.sh")
        .is(3, &["3 limits of 2 budgets", "left out all 3 tests"]);
}

/// Each script lists the variables that it reads in its head, and the action sets exactly these.
#[test]
fn the_action_sets_the_variables_that_its_scripts_read() {
    let yaml = fs::read_to_string(action().join("action.yml")).unwrap();
    for step in yaml.split("\n    - ").filter(|step| step.contains("/.github/action/")) {
        let (_, call) = step.split_once("/.github/action/").unwrap();
        let script = action().join(".github/action").join(call.split('"').next().unwrap());
        let script = fs::read_to_string(script).unwrap();
        let given: BTreeSet<&str> = step
            .lines()
            .filter_map(|line| line.strip_prefix("        ")?.split_once(": ${{"))
            .map(|(name, _)| name)
            .collect();
        let listed = script.lines().filter_map(|line| line.strip_prefix("#   ")?.split(' ').next());
        // The step itself reads this one, to find its script.
        let listed: BTreeSet<&str> = listed.chain(["ACTION"]).collect();
        assert_eq!(given, listed, "{step}");
        for name in &listed {
            let read = [format!("${name}"), format!("${{{name}:")];
            let is_read = read.iter().any(|read| script.contains(read.as_str()));
            assert!(is_read || *name == "ACTION", "{name}");
        }
    }
}
