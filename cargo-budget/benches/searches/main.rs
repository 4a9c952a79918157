//! Searches by `cargo budget bisect` for regressions that are known, in a repository of 200 commits that this program makes.
//!
//! `cargo bench -p cargo-budget --bench searches` makes it in a temporary directory, and prints for each search what was found,
//! how many commits were compared, and how long it took. `made.rs` says what the commits are. The searches are: for each of
//! three regressions by its range, once more for one of them while the command is killed and started again, and by a step of the
//! history. Words such as `index` or `trend` among the arguments choose searches.
//!
//! The exit code is 1 if a search names another commit.

#![expect(clippy::print_stdout, reason = "a program that prints what it finds")]

mod made;

use std::io::{BufRead as _, BufReader};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use serde_json::Value;

use self::made::{LAST, Made, REGRESSIONS, Regression};

/// The number of settled comparisons after which a search is killed.
const KILLED_AFTER: usize = 3;
/// The history has a run of every commit whose number is a multiple of this.
const RECORDED: usize = 10;

fn main() -> ExitCode {
    let words: Vec<String> =
        std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let is_asked = |word: &str| words.is_empty() || words.iter().any(|given| given == word);
    let made = Made::new();
    println!("| search | found | comparisons | seconds |\n|---|---|---|---|");
    let mut wrong = 0;
    for regression in REGRESSIONS {
        if is_asked(regression.name) {
            wrong += usize::from(!by_range(&made, &regression));
        }
    }
    let last = &REGRESSIONS[REGRESSIONS.len() - 1];
    if is_asked("killed") {
        wrong += usize::from(!killed(&made, last));
    }
    if is_asked("trend") {
        record(&made);
        let test = format!("{}::mean", last.name);
        let command = made.command(&["bisect", &test, "--from-trend", "--format=json", "--fresh"]);
        wrong += usize::from(!is_found(&made, "by the history", last, command));
    }
    ExitCode::from(u8::from(wrong > 0))
}

fn by_range(made: &Made, regression: &Regression) -> bool {
    is_found(made, regression.name, regression, search(made, regression, &["--fresh"]))
}

/// Returns the command that searches for a regression, by two thirds of it.
fn search(made: &Made, regression: &Regression, more: &[&str]) -> Command {
    let (test, range) = (format!("{}::mean::x_base", regression.name), made.range(0, LAST));
    let by = format!("{:.1}%", regression.step * 100.0 / 1.5);
    made.command(&[&["bisect", &test, &range, "--by", &by, "--format=json"], more].concat())
}

/// Runs a search, prints its row, and returns whether it has found the commit.
fn is_found(made: &Made, name: &str, regression: &Regression, mut command: Command) -> bool {
    let began = Instant::now();
    let output = command.stderr(Stdio::inherit()).output().expect("the command starts");
    let found: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let commit = found["commit"]["commit"].as_str().unwrap_or_default();
    let is_right = commit == made.commits[regression.at];
    let number = made.commits.iter().position(|known| known == commit);
    let number = number.map_or_else(|| "none".to_owned(), |number| number.to_string());
    println!(
        "| {name}, +{:.0} % by commit {} | {number}, {} x | {} | {:.0} |",
        regression.step * 100.0,
        regression.at,
        found["against_good"]["estimate"]["value"],
        found["tried"].as_array().map_or(0, Vec::len),
        began.elapsed().as_secs_f64()
    );
    is_right
}

/// Kills a search in the middle, and starts it again: what was settled before is not compared again.
fn killed(made: &Made, regression: &Regression) -> bool {
    let mut command = search(made, regression, &["--fresh"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let settled = lines.filter(|line| line.contains(": red, ") || line.contains(": green, "));
    println!("<!-- killed after {} comparisons -->", settled.take(KILLED_AFTER).count());
    child.kill().expect("it is killed");
    child.wait().expect("it has ended");
    is_found(made, "killed and started again", regression, search(made, regression, &[]))
}

/// Records a run of some commits in the history.
fn record(made: &Made) {
    let began = Instant::now();
    let numbers = (0..=LAST).step_by(RECORDED);
    let runs = numbers.filter(|&number| made.measured(number)).count();
    println!(
        "<!-- {runs} commits measured and recorded in {:.0} s -->",
        began.elapsed().as_secs_f64()
    );
}
