//! Tests of `cargo budget bisect` on a history whose regressions are known. Between them are commits that go up and
//! down by less than the limit, that do not build, and that only change a document.
//!
//! What is measured is a count that is a constant in the source, so that every answer is certain.

use std::fs;
use std::process::Stdio;

use perf_budget_core::outcome::{Outcome, Run};
use perf_budget_core::verdict::Verdict;
use serde_json::Value;

use crate::made::{self, Made};
use crate::{Crate, schemas, share_base};

const TESTS: &str = r#"
fn main() -> std::process::ExitCode {
    perf_budget::Harness::new()
        .workload("counts", |run| {
            run.record("small", NAME::SMALL)?;
            run.record("medium", NAME::MEDIUM)?;
            run.record("large", NAME::LARGE)
        })
        .main()
}
"#;

/// The limits are those of the work tree. No commit of the history has them.
const BUDGETS: &str = r#"
[budget.counts]
workload = "counts"
max = { small = "1.02 x base", medium = 105, large = "1.1 x base" }
"#;

/// The commits at which a value steps up: small by 3 %, medium by 8 %, large by 20 %.
const SMALL: usize = 5;
const MEDIUM: usize = 15;
const LARGE: usize = 10;
/// The number of commits after the good one.
const COMMITS: usize = 16;

struct History {
    made: Crate,
    commits: Vec<String>,
}

impl History {
    fn new(name: &str) -> History {
        let without = BUDGETS.replace("small = \"1.02 x base\", medium = 105, ", "");
        let made = Crate(Made::new(name, &TESTS.replace("NAME", name), &without));
        made.0.write(".gitignore", "target\nresults\n");
        made.0.write("src/lib.rs", &History::source(0));
        // This completes the lock file with the crate's own packages.
        let described = made.0.command("cargo").args(["metadata", "--format-version=1"]).output();
        assert!(described.unwrap().status.success());
        made.git(&["init", "-q"]);
        let mut commits = Vec::new();
        for nth in 0..=COMMITS {
            made.0.write("src/lib.rs", &History::source(nth));
            let subject = match nth {
                SMALL => "Count a little more\n\nA table is read twice.\n",
                MEDIUM => "Count more",
                LARGE => "Count much more",
                _ if History::is_explained(nth) => {
                    made.0.write("GUIDE.md", &format!("How to use it, {nth}.\n"));
                    "Explain it"
                }
                _ if History::is_broken(nth) => "Does not build",
                _ => "Go up and down",
            };
            made.commit(subject);
            commits.push(made.git(&["rev-parse", "HEAD"]));
        }
        made.0.write("budgets.toml", BUDGETS);
        share_base(&made.0.path("results/bisect/results"));
        let target = made.0.path("results/bisect/target");
        fs::create_dir_all(made::shared().join("head")).unwrap();
        std::os::unix::fs::symlink(made::shared().join("head"), target).unwrap();
        History { made, commits }
    }

    /// Whether a commit changes a document alone. One of them is right after a step.
    fn is_explained(nth: usize) -> bool {
        matches!(nth, 2 | 11)
    }

    /// Whether a commit does not build: one in the middle, and those just before the step of `medium`.
    fn is_broken(nth: usize) -> bool {
        matches!(nth, 8 | 13 | 14)
    }

    fn source(nth: usize) -> String {
        let is_broken = History::is_broken(nth);
        let nth = if History::is_explained(nth) { nth - 1 } else { nth };
        let up = |value: f64, at: usize, to: f64| if nth >= at { to } else { value };
        let flaky = if nth.is_multiple_of(4) { 0.5 } else { 0.0 };
        let [small, medium, large] = [
            up(100.0, SMALL, 103.0),
            up(100.0, MEDIUM, 108.0) + flaky,
            up(100.0, LARGE, 120.0) + flaky,
        ];
        let oops = if is_broken { "const OOPS: f64 = missing;\n" } else { "" };
        format!(
            "//! Counts, {nth}.\n\n/// Some.\npub const SMALL: f64 = {small:?};\n/// Some.\npub const MEDIUM: f64 = {medium:?};\n\
             /// Some.\npub const LARGE: f64 = {large:?};\n{oops}"
        )
    }

    fn range(&self, from: usize, to: usize) -> String {
        format!("{}..{}", self.commits[from], self.commits[to])
    }

    /// Runs a search and returns its exit code and what it found, with what it printed.
    fn search(&self, arguments: &[&str]) -> (i32, Value, String) {
        let mut command = self.made.command(&[&["bisect", "--profile=dev"], arguments].concat());
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let found = serde_json::from_slice(&output.stdout).unwrap_or_default();
        (output.status.code().unwrap(), found, said + &String::from_utf8_lossy(&output.stdout))
    }

    #[track_caller]
    fn check(&self, test: &str, range: &str, more: &[&str], at: usize) -> (Value, String) {
        let (code, found, said) = self.search(&[&[test, range, "--format=json"], more].concat());
        assert_eq!((code, &found["result"]), (0, &"found".into()), "{said}");
        assert_eq!(found["commit"]["commit"], *self.commits[at], "{said}");
        schemas::holds("bisect", &found);
        self.leaves_nothing();
        (found, said)
    }

    /// Nothing of the user's was touched, and no checkout is left.
    #[track_caller]
    fn leaves_nothing(&self) {
        assert_eq!(self.made.git(&["worktree", "list"]).lines().count(), 1);
        assert_eq!(self.made.git(&["status", "--porcelain"]), "M budgets.toml");
        assert_eq!(self.made.git(&["rev-parse", "HEAD"]), self.commits[COMMITS]);
    }
}

#[test]
fn the_commit_is_found_that_broke_a_limit() {
    let history = History::new("searched");
    // A limit that no commit of the history has.
    let (found, said) =
        history.check("counts::small::x_base", &history.range(0, COMMITS), &[], SMALL);
    assert_eq!(found["commit"]["subject"], "Count a little more");
    assert_eq!(found["commit"]["message"], "Count a little more\n\nA table is read twice.");
    assert_eq!(found["commit"]["author"], "n <n@n>");
    assert_eq!(found["commit"]["files"], serde_json::json!(["src/lib.rs"]));
    for against in ["against_good", "against_before"] {
        let value = found[against]["estimate"]["value"].as_f64().unwrap();
        assert!((value - 1.03).abs() < 1e-9, "{value}");
    }
    assert_eq!(found["chance_of_a_wrong_answer"], 0.0);
    let tried = found["tried"].as_array().unwrap();
    assert!(tried.len() <= 6, "{said}");
    let skipped = tried.iter().find(|tried| tried["name"] == *history.commits[8]).unwrap();
    assert_eq!(skipped["answer"], "skipped", "{said}");
    assert!(skipped["skipped"].as_str().unwrap().contains("it does not build: error"), "{said}");

    // Another limit than the file's, and the text for people.
    let range = history.range(9, 12);
    let (code, _, said) = history.search(&["counts::large", &range, "--by", "15 %"]);
    assert_eq!(code, 0, "{said}");
    let culprit = &history.commits[LARGE];
    for part in [
        &*format!("{culprit} broke `counts::large::x_base` (1.1386 x base, for a step of 15 %)"),
        "commit     Count much more",
        "author     n <n@n>, ",
        "files      src/lib.rs",
        "measured   1.2 x the good commit",
        "changed    src/lib.rs",
        "no answer is left to chance",
    ] {
        assert!(said.contains(part), "{part:?} is not in\n{said}");
    }

    // A commit that differs from a red one by a document alone is not measured.
    let (found, said) = history.check("counts::large", &history.range(9, 11), &[], LARGE);
    assert_eq!(found["tried"][0]["same_as"], *history.commits[11], "{said}");
    assert!(found["against_good"]["estimate"]["value"].as_f64().unwrap() > 1.19, "{said}");

    // A limit that is a value. The commits before the step do not build, so the answer is a range.
    let (code, found, said) =
        history.search(&["counts::medium", &history.range(12, 16), "--format=json"]);
    assert_eq!((code, &found["result"]), (3, &"range".into()), "{said}");
    assert_eq!(found["first"], *history.commits[13], "{said}");
    schemas::holds("bisect", &found);
    assert_eq!(found["last"], *history.commits[MEDIUM], "{said}");
    history.leaves_nothing();

    // Nothing is red, or everything is.
    let (code, _, said) = history.search(&["counts::small::x_base", &history.range(1, 3)]);
    assert!(code == 1 && said.contains("holds at the bad commit: "), "{code}: {said}");
    let (code, _, said) = history.search(&["counts::medium", &history.range(15, 16)]);
    assert!(code == 2 && said.contains("is red at"), "{code}: {said}");
    let (code, _, said) = history.search(&["counts::small::x_base", &history.range(0, 8)]);
    assert!(code == 3 && said.contains("cannot be judged: it does not build"), "{code}: {said}");
    assert!(!said.contains("left to chance"), "there is no answer:\n{said}");
    history.leaves_nothing();
}

impl History {
    /// Records a run of each of these commits in the history, with the value that it has.
    fn record(&self, measured: &[usize]) {
        let value = |nth: usize| -> f64 {
            let text = History::source(nth);
            let (_, rest) = text.split_once("LARGE: f64 = ").unwrap();
            rest.split(';').next().unwrap().parse().unwrap()
        };
        for &nth in measured {
            let outcome = Outcome {
                test: "counts::large".to_owned(),
                budget: "counts".to_owned(),
                metric: "large".to_owned(),
                subject: "workload counts".to_owned(),
                verdict: Verdict::Pass,
                against: Some(
                    serde_json::from_value(serde_json::json!({
                        "bound": "max", "limit": 1000.0, "warn": 900.0, "tolerance": 0.0, "unit": "number",
                    }))
                    .unwrap(),
                ),
                estimate: Some(
                    serde_json::from_value(serde_json::json!({
                        "value": value(nth), "low": value(nth), "high": value(nth),
                    }))
                    .unwrap(),
                ),
                run: Run {
                    id: format!("run-{nth}"),
                    // After the commit, in whichever second that was made.
                    began: 4_000_000_000 + nth as u64,
                    tests: 1,
                    budgets: 1,
                    ..Run::default()
                },
                ..Outcome::default()
            };
            let line = serde_json::to_string(&outcome).unwrap() + "\n";
            self.made.0.write("results/outcomes.jsonl", &line);
            let (run, commit) = (format!("run-{nth}"), &self.commits[nth]);
            let arguments = ["history", "record", "--run", &run, "--commit", commit];
            self.made.run(&arguments).is(0, &["recorded 1 outcome"]);
        }
    }
}

/// The history has values of some commits only. It shows a step, and the search names the commit in between that made it.
#[test]
fn the_commit_is_found_that_made_a_step_in_the_history() {
    let history = History::new("stepped");
    let limits = "[budget.counts]\nworkload = \"counts\"\nmax.large = 1000\n";
    history.made.0.write("budgets.toml", limits);
    let search = |more: &[&str]| {
        history.search(&[&["counts", "--from-trend", "--format=json"], more].concat())
    };
    let (code, _, said) = search(&[]);
    assert!(code == 3 && said.contains("cargo budget history record"), "{code}: {said}");
    history.record(&[1, 3, 6]);
    let (code, _, said) = search(&[]);
    assert!(
        code == 3 && said.contains("shows no step of `counts` for the worse"),
        "{code}: {said}"
    );
    history.record(&[11]);
    let trend = history.made.run(&["trend", "counts"]);
    trend.is(0, &["counts::large"]);
    let (code, found, said) = search(&[]);
    assert_eq!((code, &found["result"]), (0, &"found".into()), "{said}\n{}", trend.text);
    assert!(said.contains("`counts::large` became 20.0 % worse in "), "{said}");
    assert_eq!(found["commit"]["commit"], *history.commits[LARGE], "{said}");
    assert_eq!(found["commit"]["subject"], "Count much more");
    assert_eq!(
        (&found["good"], &found["bad"]),
        (&history.commits[6].as_str().into(), &history.commits[11].as_str().into())
    );
    schemas::holds("bisect", &found);
    history.leaves_nothing();
    // A step can be named by its first measured commit, and a name that is none says which there are.
    let first = format!("--from-trend={}", &history.commits[11][..10]);
    let (code, named, said) = history.search(&["counts::large", &first, "--format=json"]);
    assert_eq!((code, &named["commit"]), (0, &found["commit"]), "{said}");
    let none = format!("--from-trend={}", history.commits[3]);
    let (code, _, said) = history.search(&["counts::large", &none]);
    assert!(
        code == 2 && said.contains(&format!("steps begin at `{}", &history.commits[11][..7])),
        "{code}: {said}"
    );
    history.made.run(&["bisect", "counts", "a..b", "--from-trend"]).is(2, &["cannot be used with"]);
    history.made.run(&["bisect", "counts"]).is(2, &["<GOOD..BAD>"]);
}

#[test]
fn a_search_that_was_interrupted_goes_on_where_it_was() {
    let history = History::new("interrupted");
    let range = history.range(3, 7);
    let arguments = ["bisect", "--profile=dev", "counts::small::x_base", &range];
    let mut command = history.made.command(&arguments);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let said = std::io::BufReader::new(child.stderr.take().unwrap());
    let mut said = std::io::BufRead::lines(said).map(Result::unwrap);
    // The first commit is settled.
    assert!(said.any(|line| line.contains("Go up and down: red, 1.03 x base")));
    crate::signal(&child, "TERM");
    let rest: Vec<String> = said.collect();
    assert_eq!(child.wait().unwrap().code(), Some(3), "{rest:?}");
    assert!(rest.iter().any(|line| line.contains("the same command goes on")), "{rest:?}");
    history.leaves_nothing();

    let (_, said) = history.check("counts::small::x_base", &range, &[], SMALL);
    assert!(said.contains("red, 1.03 x base (settled before)"), "{said}");
    // It has ended, so the next one begins anew.
    let (_, said) = history.check("counts::small::x_base", &history.range(4, 5), &[], SMALL);
    assert!(!said.contains("settled before"), "{said}");
}

#[test]
fn what_cannot_be_searched_is_said_before_anything_is_built() {
    let history = Crate::new("unsearchable");
    history.steps(101);
    history.commit("two");
    for (arguments, code, text) in [
        (
            &["steps", "HEAD~1..HEAD"][..],
            2,
            "`steps` has several limits; name one of `steps::steps`",
        ),
        (&["stops", "HEAD~1..HEAD"], 2, "there is no budget or test `stops`"),
        (&["steps::steps", "HEAD~1...HEAD"], 2, "with two dots"),
        (&["steps::steps", "HEAD..HEAD~1"], 2, "there is no commit between"),
        (&["steps::steps", "HEAD"], 2, "there is no commit between"),
        (&["steps::steps", "nowhere.."], 3, "there is no commit `nowhere`"),
        (&["steps::steps", "HEAD~1", "--by", "3"], 2, "write a percentage, such as 3%"),
        (&["steps::steps", "HEAD~1", "--chance", "90%"], 2, "write at most 50%"),
    ] {
        let run = history.run(&[&["bisect"], arguments].concat());
        run.is(code, &[text]);
        assert!(!run.text.contains("Compiling"), "{}", run.text);
    }
    assert_eq!(history.git(&["worktree", "list"]).lines().count(), 1);
}
