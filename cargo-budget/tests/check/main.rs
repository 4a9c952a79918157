//! Tests of `cargo budget check` on crates with a history: the base is built and compared with, or the reason why it cannot
//! be is printed.
//!
//! The crates are built without optimisation. What is measured is a count that is a constant in the source, so that
//! nothing depends on how fast the machine is.

mod action;
mod agents;
mod bench;
mod benchmarks;
mod beside;
mod bisect;
mod built;
mod causes;
mod configuration;
mod elsewhere;
mod hooks;
mod kinds;
mod leaks;
mod links;
#[path = "../made/mod.rs"]
mod made;
mod named;
mod nothing;
mod profiled;
mod programs;
mod reach;
mod release;
mod running;
#[path = "../schemas/mod.rs"]
mod schemas;
mod settings;
mod toolchain;
mod unchanged;
mod variables;
mod watch;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use perf_budget_core::outcome::Outcome;
use perf_budget_core::record;
use perf_budget_core::verdict::Verdict;

use crate::made::Made;

const TESTS: &str = r#"
fn main() -> std::process::ExitCode {
    perf_budget::Harness::new()
        .workload("steps", |run| run.record("steps", counted::STEPS))
        .main()
}
"#;

const BUDGETS: &str = r#"
[settings]
base = "10 %"

[budget.steps]
workload = "steps"
max = { steps = [1000, "1.1 x base"] }

[budget.source]
artifact = "src/lib.rs"
max = { size = "1 KB" }
"#;

/// A crate in a repository.
struct Crate(Made);

struct Run {
    code: i32,
    text: String,
    /// The output for programs.
    out: String,
    outcomes: Vec<Outcome>,
}

impl Crate {
    fn new(name: &str) -> Crate {
        let made = Crate(Made::new(name, &TESTS.replace("counted", name), BUDGETS));
        made.0.write(".gitignore", "target\nresults\n");
        made.steps(100);
        made.git(&["init", "-q"]);
        made.commit("one");
        made
    }

    fn steps(&self, steps: u32) {
        self.0.write(
            "src/lib.rs",
            &format!("//! Counts.\n\n/// So many.\npub const STEPS: f64 = {steps:?} as f64;\n"),
        );
    }

    fn git(&self, arguments: &[&str]) -> String {
        git(self.0.root(), arguments)
    }

    fn commit(&self, message: &str) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", message]);
    }

    fn check(&self, arguments: &[&str]) -> Run {
        self.run(&[&["check", "--profile", "dev"], arguments].concat())
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.0.command(env!("CARGO_BIN_EXE_cargo-budget"));
        command.arg("budget").args(arguments);
        share_base(&self.0.path("results"));
        command
    }

    fn run(&self, arguments: &[&str]) -> Run {
        self.run_command(self.command(arguments))
    }

    fn run_command(&self, mut command: Command) -> Run {
        let before = self.outcomes().len();
        let output = command.output().unwrap();
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        let text = [output.stdout, output.stderr].concat();
        Run {
            out,
            code: output.status.code().unwrap(),
            text: String::from_utf8_lossy(&text).into_owned(),
            outcomes: self.outcomes().split_off(before),
        }
    }

    fn outcomes(&self) -> Vec<Outcome> {
        record::read(&self.0.path("results/outcomes.jsonl")).unwrap_or_default().outcomes
    }
}

fn git(directory: &Path, arguments: &[&str]) -> String {
    let mut git = Command::new("git");
    git.args(["-c", "user.name=n", "-c", "user.email=n@n", "-c", "init.defaultBranch=main"]);
    git.args(arguments).current_dir(directory);
    git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
    let output = git.output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Sends a signal to a command.
fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").arg(format!("-{name}")).arg(child.id().to_string()).status();
    assert!(status.unwrap().success());
}

/// Lets all crates share one target directory for their bases, so that dependencies are built once.
fn share_base(results: &Path) {
    let shared = made::shared().join("base");
    fs::create_dir_all(results.join("base")).unwrap();
    fs::create_dir_all(&shared).unwrap();
    if !results.join("base/target").exists() {
        std::os::unix::fs::symlink(shared, results.join("base/target")).unwrap();
    }
}

impl Run {
    #[track_caller]
    fn is(&self, code: i32, texts: &[&str]) -> &Run {
        assert_eq!(self.code, code, "{}", self.text);
        for text in texts {
            assert!(self.text.contains(text), "{text:?} is not in\n{}", self.text);
        }
        self
    }

    /// Returns the document for programs.
    #[track_caller]
    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }

    #[track_caller]
    fn verdict(&self, test: &str, verdict: Verdict) -> &Run {
        let found = self.outcomes.iter().find(|outcome| outcome.test == test);
        assert_eq!(found.map(|outcome| outcome.verdict), Some(verdict), "{test}: {}", self.text);
        self
    }
}

#[test]
fn a_regression_is_found_by_comparing_with_the_base() {
    let counted = Crate::new("regression");
    // Without a base the crate is within its limits.
    counted.check(&[]).is(0, &["3 limits of 2 budgets: 2 pass; 1 skipped"]);

    // Compared with the same code it is green, and every limit has one against the base.
    let same = counted.check(&["--base", "HEAD"]);
    same.is(0, &["comparing with", "4 limits of 2 budgets: 4 pass"]);
    same.verdict("steps::steps::x_base", Verdict::Pass);

    // A branch does a third more: that is within every absolute limit, and red against the base.
    counted.git(&["checkout", "-q", "-b", "slower"]);
    counted.steps(133);
    counted.commit("do more");
    counted.check(&[]).is(0, &[]);
    let slower = counted.check(&["--base", "main"]);
    slower.is(1, &["steps is 1.33 x base, over the limit of 1.1 x base"]);
    slower.verdict("source::size::x_base", Verdict::Pass).verdict("steps::steps", Verdict::Pass);

    // Changes on main since the merge base do not count as changes of this branch.
    counted.git(&["checkout", "-q", "main"]);
    counted.steps(500);
    counted.commit("meanwhile");
    counted.git(&["checkout", "-q", "slower"]);
    counted.check(&["--base", "main"]).is(1, &["steps is 1.33 x base"]);

    // The base is changed and changed back: each comparison uses the base that it names.
    counted.check(&["--base", "HEAD"]).is(0, &["4 limits of 2 budgets: 4 pass"]);
    counted.check(&["--base", "main"]).is(1, &["steps is 1.33 x base"]);

    // A filter and shards select tests.
    let one = counted.check(&["--base", "main", "--", "source"]);
    one.is(0, &["4 limits of 2 budgets"]);
    let parts: usize = ["1/2", "2/2"]
        .iter()
        .map(|part| counted.check(&["--base", "main", "--shard", part]).outcomes.len())
        .sum();
    assert_eq!(parts, 4);

    // A new budget has nothing to be compared with, and a removed one is named.
    let renamed = BUDGETS.replace("[budget.source]", "[budget.text]");
    counted.0.write("budgets.toml", &renamed);
    let renamed = counted.check(&["--base", "main"]);
    renamed.is(1, &["budget `source` of the base is gone", "4 limits of 2 budgets"]);
    renamed.verdict("text::size::x_base", Verdict::Skipped);
    // An environment that the base does not have: its limits replace those of the file, for the command and for the tests.
    let board = "\n[env.board.budget.steps]\nmax.steps = [120, \"1.5 x base\"]\n";
    counted.0.write("budgets.toml", &format!("{BUDGETS}{board}"));
    let named = counted.check(&["--base", "main", "--env", "board"]);
    named.is(1, &["steps is 133, over the limit of 120", "[env.board]"]);
    named.verdict("steps::steps", Verdict::Fail).verdict("steps::steps::x_base", Verdict::Pass);
    let of = |test: &str| named.outcomes.iter().find(|o| o.test == test).unwrap();
    let board = Some("board".to_owned());
    assert!(named.outcomes.iter().all(|outcome| outcome.run.environment == board));
    assert_eq!(of("steps::steps::x_base").environment, board);
    assert_eq!(of("source::size").environment, None);
    let none = counted.check(&["--base", "main", "--env", "none"]);
    none.is(1, &["steps is 1.33 x base, over the limit of 1.1 x base"]);
    none.verdict("steps::steps", Verdict::Pass);
    counted
        .check(&["--env", "bord"])
        .is(2, &["`bord`, which `--env` names", "did you mean `board`?"]);
    counted.git(&["checkout", "-q", "budgets.toml"]);

    // Where the base does not build, or its preparation fails, the other limits are judged, and the exit code is 3.
    counted.git(&["checkout", "-q", "-b", "broken", "main"]);
    counted.0.write("src/lib.rs", "pub const STEPS: f64 = oops;\n");
    counted.commit("break it");
    counted.steps(100);
    counted.commit("fix it");
    let broken = counted.check(&["--base", "HEAD~1"]);
    broken.is(
        3,
        &[
            "cannot find value `oops`",
            "nothing was compared with the base",
            "3 limits of 2 budgets",
        ],
    );
    let unprepared = counted.check(&["--base", "main", "--prepare", "exit 7"]);
    unprepared.is(3, &["`exit 7`, which prepares the base", "3 limits of 2 budgets"]);
    // What builds the base has a time of its own.
    let budgets = fs::read_to_string(counted.0.path("budgets.toml")).unwrap();
    let short = budgets.replacen("[settings]\n", "[settings]\nbuild_timeout = \"1 s\"\n", 1);
    counted.0.write("budgets.toml", &short);
    let endless = counted.check(&["--base", "main", "--prepare", "sleep 1000; true"]);
    endless.is(3, &["did not end within 1s and was killed", "raise `build_timeout`"]);
    counted.0.write("budgets.toml", &budgets);
    let prepared = counted.check(&["--base", "main~1", "--prepare", "echo made > made", "-q"]);
    prepared.is(0, &[]);
    assert!(!counted.0.path("made").exists());

    // A second comparison would overwrite the base of the first, so it waits.
    let lock = fs::File::create(counted.0.path("results/base/lock")).unwrap();
    lock.lock().unwrap();
    let mut second = counted.command(&["check", "--profile", "dev", "--base", "main~1"]);
    let mut second = second.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let said = BufReader::new(second.stderr.take().unwrap()).lines().map(Result::unwrap);
    let mut said = said.skip_while(|line| !line.contains("waiting for another comparison"));
    assert!(said.next().is_some());
    drop(lock);
    assert!(said.any(|line| line.starts_with("comparing with")));
    assert_eq!(second.wait().unwrap().code(), Some(0));

    // A branch without a common ancestor, which does not have the crate.
    counted.git(&["checkout", "-q", "--orphan", "empty"]);
    counted.git(&["rm", "-q", "-rf", "--cached", "."]);
    counted.git(&["commit", "-q", "--allow-empty", "-m", "nothing"]);
    counted.git(&["checkout", "-q", "-f", "slower"]);
    counted.check(&["--base", "empty"]).is(3, &["has no package in `.`"]);

    // At most four checkouts are kept.
    let root = counted.0.root().canonicalize().unwrap();
    let owned = |place: &PathBuf| {
        fs::read_to_string(place.join("project")).is_ok_and(|owner| Path::new(&owner) == root)
    };
    let places = fs::read_dir(made::shared().join("cache")).unwrap();
    let own = places.map(|entry| entry.unwrap().path()).find(owned).unwrap();
    let kept = fs::read_dir(own.join("checkouts/target/package")).unwrap();
    // The links beside them are not checkouts.
    let kept = kept.filter(|entry| entry.as_ref().unwrap().file_type().unwrap().is_dir()).count();
    assert!((1..=4).contains(&kept), "{kept}");
}

/// A package beside the repository is found from the base's checkout too, and a base from before the project became a
/// workspace is not taken for one of its members.
#[test]
fn the_base_is_built_as_if_it_were_in_the_projects_directory() {
    let counted = Crate::new("standing");
    let sibling = tempfile::Builder::new().prefix("budget-sibling-").tempdir().unwrap();
    fs::create_dir(sibling.path().join("src")).unwrap();
    fs::write(sibling.path().join("src/lib.rs"), "pub const EACH: u32 = 1;\n").unwrap();
    let manifest = "[package]\nname = \"sibling\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
    fs::write(sibling.path().join("Cargo.toml"), manifest).unwrap();
    let name = sibling.path().file_name().unwrap().to_str().unwrap();
    let before = fs::read_to_string(counted.0.path("Cargo.toml")).unwrap();
    let own = format!("[dependencies]\nsibling = {{ path = \"../{name}\" }}\n");
    let alone = before.replace("[workspace]\n", &own);
    counted.0.write("Cargo.toml", &alone);
    counted.commit("alone");
    counted.0.write("Cargo.toml", &format!("{alone}\n[workspace]\nmembers = [\"more\"]\n"));
    counted.0.write("more/Cargo.toml", &manifest.replace("sibling", "more"));
    counted.0.write("more/src/lib.rs", "");
    counted.commit("a workspace");
    let run = counted.check(&["--base", "HEAD~1"]);
    run.is(0, &["4 limits of 2 budgets: 4 pass"]);
}

#[test]
fn a_base_that_cannot_be_compared_with_is_reported_before_anything_is_measured() {
    let counted = Crate::new("incomparable");
    let outside = tempfile::tempdir().unwrap();
    for (base, code, text) in [
        ("nowhere", 3, "there is no commit `nowhere`"),
        ("", 2, "`` is not a revision"),
        ("-x", 2, "unexpected argument"),
    ] {
        let run = counted.check(&["--base", base]);
        run.is(code, &[text]);
        assert!(run.outcomes.is_empty());
    }
    counted.check(&["--layouts", "2"]).is(2, &["--base"]);
    // A shallow clone has only one commit, and the message says how to get another.
    let clone = outside.path().join("clone");
    let from = format!("file://{}", counted.0.root().display());
    counted.steps(101);
    counted.commit("two");
    counted.git(&["clone", "-q", "--depth", "1", &from, clone.to_str().unwrap()]);
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-budget"));
    command.args(["budget", "check", "--profile", "dev", "--base", "HEAD~1"]).current_dir(&clone);
    command.env("CARGO_TARGET_DIR", made::shared().join("head"));
    let output = command.env("PERF_BUDGET_DIR", outside.path().join("results")).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{text}");
    assert!(text.contains("this clone is shallow"), "{text}");
}

#[test]
fn the_content_of_an_artifact_is_compared_with_another_revision() {
    let crates = Crate::new("inside");
    // Writes a module with a single section of this size.
    let module = |bytes: u8| {
        let section = [&[0, bytes + 3, 2, b'o', b'n'][..], &vec![7; usize::from(bytes)]].concat();
        fs::write(crates.0.path("one.wasm"), [&b"\0asm\x01\0\0\0"[..], &section].concat()).unwrap();
    };
    let limits = "[budget.module]\nartifact = \"{size}.wasm\"\nparams = { size = [\"one\"] }\nmax = { size = \"1 KB\" }\n";
    crates.0.write(
        "budgets.toml",
        &BUDGETS.replace("[budget.source]", &format!("{limits}\n[budget.source]")),
    );
    module(40);
    crates.commit("a module");
    crates.check(&[]).is(0, &["4 limits of 3 budgets: 3 pass; 1 skipped"]);
    crates.run(&["accept", "module"]).is(0, &[]);
    module(100);
    crates.commit("more of it");
    crates.check(&[]).is(0, &[]);
    crates.run(&["explain", "module"]).is(0, &["one.wasm", "WASM"]);
    crates.run(&["report", "--format", "html"]).is(0, &["What is inside one.wasm: WASM, 113 B"]);
    for against in [&["--base", "HEAD~1"][..], &["--accepted"], &["--base=HEAD"]] {
        let run = crates.run(&[&["explain", "module"], against].concat());
        run.is(0, &[if against == ["--base=HEAD"] { "same" } else { "+60 B" }]);
    }
    crates.run(&["explain", "steps", "--base", "HEAD"]).is(2, &["is not a budget on an artifact"]);
    crates
        .run(&["explain", "module", "--base", "nowhere"])
        .is(3, &["there is no commit `nowhere`"]);
    crates.run(&["explain", "source", "--accepted"]).is(2, &["has no value of `source`"]);
}
