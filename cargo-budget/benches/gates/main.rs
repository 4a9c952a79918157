//! The time that a gate of many Criterion benchmarks takes against a base, in a crate that this program makes. No
//! benchmark of it has been changed for the gate, and it has no `budgets.toml`.
//!
//! `cargo bench -p cargo-budget --bench gates` takes 66 benchmarks, and `-- COUNT` another count. For each change it prints
//! a row: how many benchmarks were measured, how many were proven equal, which were red, and how long the command took once
//! everything was built. `-- COUNT SHARDS` measures the last change in so many parts, as CI jobs would, one after
//! another, and joins their records. `-- COUNT SHARDS PROGRAMS` puts the benchmarks into so many programs, and measures the
//! second change in parts too. `readme`, `some` or `all` among the arguments measures that change alone.
//!
//! The exit code is 1 if a benchmark was measured that had nothing to do with the change, if one was not compared that had,
//! if the regression that the second change makes was not red, or if a benchmark was in no part or in two.

#![expect(clippy::print_stdout, reason = "a program that prints what it counts")]

mod made;

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::time::Instant;

use perf_budget_core::outcome::Outcome;
use perf_budget_core::verdict::Verdict;

use self::made::{Change, Made};

/// The result of a gate.
#[derive(Default)]
struct Found {
    measured: usize,
    proven: usize,
    red: Vec<String>,
    inconclusive: usize,
    seconds: f64,
}

impl Found {
    fn of(outcomes: &[Outcome], seconds: f64) -> Found {
        let compared: Vec<&Outcome> =
            outcomes.iter().filter(|outcome| outcome.metric != "benchmarks").collect();
        let count = |is: &dyn Fn(&Outcome) -> bool| compared.iter().filter(|o| is(o)).count();
        let red = compared.iter().filter(|outcome| outcome.verdict == Verdict::Fail);
        let mut red: Vec<String> = red.map(|outcome| outcome.case.clone()).collect();
        red.sort_unstable();
        Found {
            measured: count(&|outcome| outcome.evidence.is_some()),
            proven: count(&|outcome| outcome.proven.is_some()),
            red,
            inconclusive: count(&|outcome| outcome.verdict == Verdict::Inconclusive),
            seconds,
        }
    }

    fn show(&self, change: &str) {
        let Found { measured, proven, red, inconclusive, seconds } = self;
        println!(
            "| {change} | {measured} | {proven} | {} | {inconclusive} | {seconds:.1} |",
            red.len()
        );
    }
}

fn main() -> ExitCode {
    let numbers: Vec<usize> = std::env::args().filter_map(|word| word.parse().ok()).collect();
    let words: Vec<String> = std::env::args().skip(1).collect();
    let count = numbers.first().copied().unwrap_or(66);
    let shards = numbers.get(1).copied();
    let programs = numbers.get(2).copied().unwrap_or(1);
    let made = Made::new(count, programs);
    println!(
        "| change | measured | proven equal | red | inconclusive | seconds |\n|---|---|---|---|---|---|"
    );
    let mut wrong = Vec::new();
    let mut some = made.users_of_shared();
    some.sort_unstable();
    let changes = [
        ("readme", Change::Readme, "README.md alone", 0),
        ("some", Change::Shared, "a function that some execute, 40 % slower", some.len()),
        ("all", Change::Every, "what all execute", count),
    ];
    let is_named = |word: &str| words.iter().any(|given| given == word);
    let is_any_named = changes.iter().any(|(word, ..)| is_named(word));
    for (word, change, name, measured) in changes {
        if is_any_named && !is_named(word) {
            continue;
        }
        made.apply(change);
        let is_sharded = change == Change::Every || (change == Change::Shared && programs > 1);
        if let Some(shards) = shards.filter(|_| is_sharded) {
            let red = if change == Change::Shared { some.as_slice() } else { &[] };
            in_parts(&made, name, (shards, count, measured), red, &mut wrong);
            continue;
        }
        // The first run builds both revisions.
        let began = Instant::now();
        made.built(change);
        println!("<!-- built in {:.0} s -->", began.elapsed().as_secs_f64());
        let began = Instant::now();
        let outcomes = made.gate(&[]);
        let found = Found::of(&outcomes, began.elapsed().as_secs_f64());
        found.show(name);
        if (found.measured, found.proven) != (measured, count - measured) {
            wrong.push(format!("{name}: {} measured, {} proven", found.measured, found.proven));
        }
        if change == Change::Shared && found.red != some {
            wrong.push(format!("{name}: red are {:?}, and not {some:?}", found.red));
        }
    }
    for text in &wrong {
        println!("wrong: {text}");
    }
    ExitCode::from(u8::from(!wrong.is_empty()))
}

/// Measures each part by itself, and joins the records. `measured` are to be measured, and those of `red` to be red.
fn in_parts(
    made: &Made,
    name: &str,
    (shards, count, measured): (usize, usize, usize),
    red: &[String],
    wrong: &mut Vec<String>,
) {
    let (mut records, mut found_red, mut names) = (Vec::new(), Vec::new(), BTreeSet::new());
    let (mut tests, mut found_measured) = (0, 0);
    for part in 1..=shards {
        let shard = format!("{part}/{shards}");
        let began = Instant::now();
        let outcomes = made.gate(&["--shard", &shard]);
        let mut found = Found::of(&outcomes, began.elapsed().as_secs_f64());
        found.show(&format!("{name}, part {shard}"));
        tests += found.measured + found.proven;
        found_measured += found.measured;
        found_red.append(&mut found.red);
        names.extend(outcomes.into_iter().map(|outcome| outcome.test));
        records.push(made.record(part));
    }
    // The test of what benchmarks there are is in one part, too.
    if tests != count || names.len() != count + 1 {
        wrong
            .push(format!("{name}: {tests} of {count} benchmarks, {} names in parts", names.len()));
    }
    found_red.sort_unstable();
    if found_measured != measured || found_red != red {
        wrong.push(format!(
            "{name}: {found_measured} of {measured} measured, red are {found_red:?}"
        ));
    }
    let joined = made.merged(&records);
    println!("{}", joined.trim());
}
