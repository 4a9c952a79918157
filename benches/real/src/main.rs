//! Comparisons of published versions of real crates: `cargo run -- [PAIR...] [--runs N]`.
//!
//! For each pair of versions this program makes a repository of two commits, between which only the version of the crate
//! changes, and runs `cargo budget check --base` on it several times. What is proven equal is measured too. The truth is
//! known from Valgrind's count of instructions. The table is written to `docs/real.md` after each pair.
//!
//! The program needs cargo with access to crates.io, git, and valgrind. `--page FILE` writes the page elsewhere.

mod pairs;
mod project;
mod table;
mod truth;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use pairs::{PAIRS, Pair};
use project::Project;
use table::{Page, Row};

fn main() -> ExitCode {
    match run(std::env::args().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("error: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn run(mut arguments: impl Iterator<Item = String>) -> Result<(), String> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let top = top.canonicalize().map_err(|e| format!("failed to find the repository: {e}"))?;
    let (mut runs, mut names, mut page) = (3, Vec::new(), top.join("docs/real.md"));
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("`{argument}` needs a value"));
        match argument.as_str() {
            "--runs" => {
                let text = value()?;
                let number = text.parse();
                runs = number.map_err(|e| format!("`{text}` is not a number of runs: {e}"))?;
            }
            "--page" => page = PathBuf::from(value()?),
            _ => names.push(argument),
        }
    }
    let pairs = find_pairs(&names)?;
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/pairs");
    let command = project::command(&top)?;
    let mut table = Page::new(runs);
    for pair in pairs {
        eprintln!("{}", pair.name());
        match rows(pair, &top, &place, &command, runs) {
            Ok(rows) => table.rows.extend(rows),
            // The other pairs are still worth comparing, and the page says what is missing.
            Err(reason) => table.failures.push((pair.name(), reason)),
        }
        let written = std::fs::write(&page, table.text());
        written.map_err(|e| format!("failed to write `{}`: {e}", page.display()))?;
    }
    println!("{}", table.text());
    Ok(())
}

/// Returns the pairs of these names; all pairs if there are no names.
fn find_pairs(names: &[String]) -> Result<Vec<&'static Pair>, String> {
    let known =
        |name: &String| PAIRS.iter().any(|pair| pair.name() == *name || pair.krate == *name);
    if let Some(unknown) = names.iter().find(|name| !known(name)) {
        let all: Vec<String> = PAIRS.iter().map(Pair::name).collect();
        return Err(format!("there is no pair `{unknown}`; there are: {}", all.join(", ")));
    }
    let is_wanted = |pair: &&Pair| {
        names.is_empty() || names.contains(&pair.name()) || names.iter().any(|n| n == pair.krate)
    };
    Ok(PAIRS.iter().filter(is_wanted).collect())
}

fn rows(
    pair: &Pair,
    top: &Path,
    place: &Path,
    command: &Path,
    runs: usize,
) -> Result<Vec<Row>, String> {
    let project = Project::make(pair, top, place)?;
    let truth = truth::of(pair, &project)?;
    let mut rows: Vec<Row> = pair
        .works
        .iter()
        .zip(truth)
        .map(|(work, truth)| Row::new(pair, work.name, truth))
        .collect();
    for nth in 1..=runs {
        let load = project::load();
        for outcome in project.check(command)? {
            let row = rows.iter_mut().find(|row| row.work == outcome.budget);
            let row = row.ok_or(format!("an outcome of `{}` was not expected", outcome.test))?;
            eprintln!("  {nth}: {} {}: {}", row.work, outcome.verdict.name(), outcome.reason);
            row.add(&outcome, load);
        }
    }
    match rows.iter().find(|row| row.runs.len() != runs) {
        Some(row) => Err(format!("`{}` has {} outcomes of {runs} runs", row.work, row.runs.len())),
        None => Ok(rows),
    }
}
