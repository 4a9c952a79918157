//! Tests of the scripts of `/bench` (`.github/bench`), as the jobs of its two workflows call them. In the place of
//! GitHub there is a `gh` that writes down what it is asked.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::made::isolate;
use super::{Crate, share_base};

/// A directory with what the jobs hand to each other.
struct Jobs {
    root: tempfile::TempDir,
}

/// The output of a script, and its exit code.
struct Said {
    code: i32,
    text: String,
}

impl Jobs {
    fn new() -> Jobs {
        Jobs { root: tempfile::Builder::new().prefix("budget-bench-").tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Writes a `gh` that answers by these lines of a shell, `$*` being its arguments.
    fn gh(&self, answers: &str) {
        fs::create_dir_all(self.path("bin")).unwrap();
        let log = self.path("gh.log");
        let text = format!("#!/bin/sh\necho \"$*\" >>'{}'\n{answers}\n", log.display());
        fs::write(self.path("bin/gh"), text).unwrap();
        fs::set_permissions(self.path("bin/gh"), fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn asked(&self) -> String {
        fs::read_to_string(self.path("gh.log")).unwrap_or_default()
    }

    /// Runs a script in a directory, with these variables.
    fn run(&self, script: &str, directory: &Path, variables: &[(&str, &str)]) -> Said {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let mut command = Command::new("bash");
        command.arg(repository.join(".github/bench").join(script)).current_dir(directory);
        isolate(&mut command, &directory.join("results"));
        share_base(&directory.join("results"));
        let built = Path::new(env!("CARGO_BIN_EXE_cargo-budget")).parent().unwrap().to_owned();
        let path = std::env::var_os("PATH").unwrap();
        let places = [self.path("bin"), built].into_iter().chain(std::env::split_paths(&path));
        command.env("PATH", std::env::join_paths(places).unwrap());
        command.env("GITHUB_REPOSITORY", "example/textkit");
        command.env("RECORDS", self.path("records")).env("RESULTS", self.path("answer"));
        command.env("PACK", self.path("pack.tar")).env("ARGUMENTS", "--profile dev");
        let output = command.envs(variables.iter().copied()).output().unwrap();
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        Said { code: output.status.code().unwrap(), text }
    }
}

impl Said {
    #[track_caller]
    fn is(&self, code: i32, part: &str) {
        assert_eq!(self.code, code, "{}", self.text);
        assert!(self.text.contains(part), "{part:?} is not in\n{}", self.text);
    }
}

#[test]
fn what_is_built_once_is_measured_in_parts() {
    let counted = Crate::new("parts");
    counted.git(&["checkout", "-q", "-b", "slower"]);
    counted.steps(133);
    counted.commit("do more");
    let jobs = Jobs::new();
    // Each job has a checkout of the same name in a place of its own.
    let place = |job: &str| jobs.path(job).join("counted");
    fs::create_dir(jobs.path("build")).unwrap();
    let built = place("build");
    counted.git(&["clone", "-q", ".", built.to_str().unwrap()]);
    let base = ("BASE", "origin/main");
    jobs.run("build.sh", &built, &[base]).is(0, "");
    assert!(!built.join("results/outcomes.jsonl").exists(), "building measures nothing");
    fs::create_dir(jobs.path("records")).unwrap();
    let measured = |part: usize| {
        let checkout = place(&format!("job-{part}"));
        fs::create_dir_all(&checkout).unwrap();
        let record = jobs.path(&format!("records/part-{part}.jsonl"));
        let (part, record) = (format!("{part}/2"), record.to_str().unwrap().to_owned());
        let variables = [base, ("PART", part.as_str()), ("RECORD", record.as_str())];
        jobs.run("measure.sh", &checkout, &variables)
    };
    // Only one of the parts has the regression, and neither job is red by itself.
    let first = measured(1);
    first.is(0, "part 1/2 ended with exit code");
    let lost = jobs.run("verdict.sh", &built, &[("NUMBER", "17")]);
    assert_ne!(lost.code, 0, "a part is missing: {}", lost.text);
    measured(2).is(0, "part 2/2 ended with exit code");
    let whole = jobs.run("verdict.sh", &built, &[("NUMBER", "17")]);
    whole.is(1, "4 limits of 2 budgets");
    let comment = fs::read_to_string(jobs.path("answer/comment.md")).unwrap();
    assert!(comment.starts_with("<!-- perf-budget -->") && comment.contains("steps"), "{comment}");
    assert_eq!(fs::read_to_string(jobs.path("answer/pull-request")).unwrap(), "17\n");
}

#[test]
fn nothing_measured_is_red_and_says_so() {
    let jobs = Jobs::new();
    fs::create_dir(jobs.path("records")).unwrap();
    let none = jobs.run("verdict.sh", jobs.root.path(), &[("NUMBER", "17")]);
    assert_eq!(none.code, 3, "{}", none.text);
    let comment = fs::read_to_string(jobs.path("answer/comment.md")).unwrap();
    assert!(comment.contains("Nothing was measured"), "{comment}");
}

/// The answers of GitHub about a pull request that can be run once more.
const ANSWERS: &str = "*/ann/permission*) echo write;; */guest/permission*) echo read;;
    *head.sha*) echo abc;; *workflow_runs*) echo 99;;";

impl Jobs {
    /// Asks for a run as the job of a comment does. `first` are answers of GitHub that come before the usual ones.
    fn ask(&self, first: &str, changed: &[(&str, &str)]) -> Said {
        self.gh(&format!("case \"$*\" in {first}\n{ANSWERS} esac"));
        let usual = [("NUMBER", "17"), ("COMMENT", "5"), ("AUTHOR", "ann"), ("BODY", "/bench")];
        self.run("ask.sh", self.root.path(), &[&usual, changed].concat())
    }
}

#[test]
fn a_comment_runs_the_pull_requests_own_run_once_more() {
    let jobs = Jobs::new();
    jobs.ask("", &[]).is(0, "");
    let asked = jobs.asked();
    assert!(asked.contains("event=pull_request&head_sha=abc"), "{asked}");
    assert!(asked.contains("--method POST repos/example/textkit/actions/runs/99/rerun"), "{asked}");
    assert!(asked.contains("comments/5/reactions") && !asked.contains("body="), "{asked}");
    // Without a run the comment is answered, and nothing is run.
    let jobs = Jobs::new();
    jobs.ask("*workflow_runs*) ;;", &[]).is(3, "");
    assert!(jobs.asked().contains("There is no run") && !jobs.asked().contains("rerun"));
    for hostile in [("NUMBER", "17; touch x"), ("AUTHOR", "ann/../x"), ("AUTHOR", "")] {
        jobs.ask("", &[hostile]).is(2, "must be");
    }
    assert!(!jobs.path("x").exists());
}

#[test]
fn what_github_refuses_is_said_in_a_comment() {
    let refusal = |of: &str| format!("{of}) echo 'gh: not `this` time (HTTP 403)' >&2; exit 1;;");
    for (of, said) in [
        ("*/rerun*", "run the workflow `bench` of abc once more"),
        ("*workflow_runs*", "list the runs of the workflow `bench`"),
        ("*head.sha*", "show this pull request"),
        ("*/permission*", "say what `ann` may do here"),
    ] {
        let jobs = Jobs::new();
        jobs.ask(&refusal(of), &[]).is(3, "HTTP 403");
        let said = format!("body=GitHub refused to {said}: `gh: not 'this' time (HTTP 403) `. ");
        assert!(jobs.asked().contains(&said), "{said}\n{}", jobs.asked());
        assert!(!jobs.asked().contains("reactions"), "{}", jobs.asked());
    }
    // The run is repeated, and only the reaction is refused.
    let jobs = Jobs::new();
    jobs.ask(&refusal("*reactions*"), &[]).is(0, "the comment got no reaction");
}

#[test]
fn only_those_who_can_push_and_say_bench_are_heard() {
    let jobs = Jobs::new();
    jobs.ask("", &[("AUTHOR", "guest")]).is(3, "");
    let asked = jobs.asked();
    assert!(asked.contains("`guest` cannot") && !asked.contains("rerun"), "{asked}");
    for body in ["/benchmark", "/bench-all", "please /bench", ""] {
        let jobs = Jobs::new();
        jobs.ask("", &[("BODY", body)]).is(0, "does not begin with /bench");
        assert_eq!(jobs.asked(), "", "{body}");
    }
    for body in ["/bench please", "/bench\r\nonce more", "/bench\r", "/bench $(touch x)"] {
        let jobs = Jobs::new();
        jobs.ask("", &[("BODY", body)]).is(0, "");
        assert!(jobs.asked().contains("/rerun"), "{body:?}: {}", jobs.asked());
        assert!(!jobs.path("x").exists());
    }
}

#[test]
fn only_the_comment_of_the_commit_that_ran_is_posted() {
    let jobs = Jobs::new();
    let posted = jobs.path("posted");
    jobs.gh(&format!(
        "case \"$*\" in *head.sha*) echo abc;; *) cat >'{}';; esac",
        posted.display()
    ));
    fs::create_dir(jobs.path("answer")).unwrap();
    let leave = |number: &str, comment: &str| {
        fs::write(jobs.path("answer/pull-request"), number).unwrap();
        fs::write(jobs.path("answer/comment.md"), comment).unwrap();
    };
    let answer = |head: &str| jobs.run("answer.sh", jobs.root.path(), &[("HEAD", head)]);
    // The content of the comment is posted and not executed.
    leave("17\n", "$(touch x) `touch x`");
    answer("abc").is(0, "");
    assert_eq!(fs::read_to_string(&posted).unwrap(), "$(touch x) `touch x`");
    assert!(jobs.asked().contains("pr comment 17 --repo example/textkit"), "{}", jobs.asked());
    fs::remove_file(&posted).unwrap();
    answer("other").is(2, "is not at other");
    for number in ["", "17 18", "../17", "1;touch x", "--help"] {
        leave(number, "text");
        answer("abc").is(2, "is no number");
    }
    assert!(!posted.exists() && !jobs.path("x").exists());
    leave("17", &"x".repeat(80_000));
    answer("abc").is(0, "");
    assert_eq!(fs::metadata(&posted).unwrap().len(), 65_000);
}
