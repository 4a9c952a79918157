//! The quality of the verdicts on real noise: `cargo bench --bench verdicts`.
//!
//! The real harness, as users run it, is asked questions whose answers are known: the same code as its base,
//! a base that takes some percent less, operations of a known duration. The machine is as it is, or under
//! load that is made on purpose. The answers are written to `docs/verdicts.md`, with intervals.
//!
//! The binary is several programs: the one that runs the trials, and, where the environment says so, the test binary
//! under test, or a load.

mod audit;
mod figures;
mod load;
mod page;
mod plan;
mod trial;
mod workloads;

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use load::{Condition, Load};
use trial::Bench;
use workloads::{Random, seed};

const USAGE: &str = "\
usage: cargo bench --bench verdicts -- [OPTIONS]
  --minutes N  run trials for N minutes (25)
  --resume     continue the trials of an interrupted run
  --quick      run for a minute, which certifies nothing and writes no page
  --audit N    measure N pairs of each workload for the audit (60)
";

/// The variables that make this process the test binary under test, or a process that a measurement started.
const HARNESS: [&str; 3] = [trial::GATE, "PERF_BUDGET_WORKER", "PERF_BUDGET_RELAY"];

/// The arguments of the command line.
struct Arguments {
    minutes: f64,
    resume: bool,
    quick: bool,
    audit: usize,
}

fn main() -> ExitCode {
    if let Some(code) = load::serve() {
        return code;
    }
    if HARNESS.iter().any(|name| std::env::var_os(name).is_some()) {
        let names = std::env::var(trial::GATE).unwrap_or_else(|_| workloads::COMPARED.join(" "));
        return workloads::harness(&names).main();
    }
    let arguments = match arguments(std::env::args().skip(1)) {
        Ok(Some(arguments)) => arguments,
        Ok(None) => return ExitCode::SUCCESS,
        Err(text) => {
            let _ = write!(io::stderr(), "{text}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match certify(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::from(2)
        }
    }
}

/// Parses the arguments; `None` without `--bench`, since running all tests should not take half an hour of trials.
fn arguments(given: impl Iterator<Item = String>) -> Result<Option<Arguments>, String> {
    let mut arguments = Arguments { minutes: 25.0, resume: false, quick: false, audit: 60 };
    let mut bench = false;
    let mut given = given;
    while let Some(word) = given.next() {
        let mut number = || {
            let value = given.next().and_then(|text| text.parse::<f64>().ok());
            value.filter(|value| *value >= 0.0).ok_or_else(|| format!("{word} takes a number"))
        };
        match word.as_str() {
            "--bench" => bench = true,
            "--resume" => arguments.resume = true,
            "--quick" => arguments.quick = true,
            "--minutes" => arguments.minutes = number()?,
            "--audit" => arguments.audit = number()? as usize,
            other => return Err(format!("`{other}` is no option")),
        }
    }
    if arguments.quick {
        arguments.minutes = arguments.minutes.min(1.0);
        arguments.audit = arguments.audit.min(6);
    }
    Ok(bench.then_some(arguments))
}

/// Runs the trials and writes the page. Returns whether nothing that was found contradicts a promise.
fn certify(arguments: &Arguments) -> io::Result<bool> {
    let mut bench = Bench::new()?;
    let mut records = if arguments.resume { bench.resumed()? } else { Vec::new() };
    if !arguments.resume && bench.kept().exists() {
        std::fs::rename(bench.kept(), bench.kept().with_extension("jsonl.before"))?;
    }
    let mut random = Random::new(seed());
    let begun = Instant::now();
    let end = Duration::from_secs_f64(arguments.minutes * 60.0);
    'trials: while begun.elapsed() < end {
        let mut conditions = Condition::ALL;
        random.shuffle(&mut conditions);
        for condition in conditions {
            let load = Load::new(condition)?;
            for question in plan::round(&mut random, arguments.quick) {
                if begun.elapsed() >= end {
                    break 'trials;
                }
                records.push(bench.run(condition, question)?);
                tell(&format!(
                    "{:>5.1} of {} min, {} trials; {}: {question:?}",
                    begun.elapsed().as_secs_f64() / 60.0,
                    arguments.minutes,
                    records.len(),
                    condition.words(),
                ));
            }
            drop(load);
        }
    }
    tell("pairs of the same code, for the audit");
    let audit = audit::run(arguments.audit)?;
    let resumed = if arguments.resume { " --resume" } else { "" };
    let command =
        format!("cargo bench --bench verdicts -- --minutes {}{resumed}", arguments.minutes);
    let page =
        page::Page { records: &records, audit: &audit, command, processor: &bench.processor };
    let (text, held) = page.render();
    if arguments.quick {
        let note = "a minute's run: it shows that this program works, and certifies nothing\n\n";
        io::stdout().write_all(note.as_bytes())?;
        io::stdout().write_all(text.as_bytes())?;
        return Ok(true);
    }
    std::fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/verdicts.md"), &text)?;
    io::stdout().write_all(text.as_bytes())?;
    Ok(held)
}

fn tell(text: &str) {
    // A closed stderr is no reason to stop.
    let _ = writeln!(io::stderr(), "{text}");
}
