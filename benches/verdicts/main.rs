//! The quality of the verdicts on real noise: `cargo bench --bench verdicts`.
//!
//! The real harness, as users run it, is asked questions whose answers are known: the same code as its base,
//! a base that takes some percent less, operations of a known duration. The machine is as it is, or under
//! load that is made on purpose. The answers are written to `docs/verdicts.md`, with intervals.
//!
//! The binary is several programs: usually the one that runs the trials, but the test binary under test or a load if
//! the environment says so.

mod audit;
mod effects;
mod figures;
mod hard;
mod load;
mod page;
mod plan;
mod promises;
mod random;
mod simulated;
mod trial;
mod workloads;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use load::{Condition, Load};
use plan::Part;
use random::{Random, seed};
use trial::Bench;

const USAGE: &str = "\
usage: cargo bench --bench verdicts -- [OPTIONS]
  --minutes N  run trials for N minutes (25); with 0 and --resume, only write the page
  --resume     continue the trials of an interrupted run, or add to those of another process
  --only PART  ask only the same code in suites of one limit (same), or only the ordinary crate (crate),
               and write no page
  --as-it-is   put no load on the machine
  --quick      run for a minute, which certifies nothing and writes no page
  --audit N    measure N pairs of each workload for the audit (60)
  --simulate N only print the section that is simulated, from N runs a figure
  --simulated FILE  take that section from what an earlier --simulate printed
";

/// The variables that make this process the test binary under test, or a process that a measurement started.
const HARNESS: [&str; 3] = [trial::GATE, "PERF_BUDGET_WORKER", "PERF_BUDGET_RELAY"];

/// The number of simulated runs behind each figure of the page.
const SIMULATED: u64 = 400;

/// The arguments of the command line.
struct Arguments {
    minutes: f64,
    resume: bool,
    part: Part,
    /// Whether the machine is left as it is.
    as_it_is: bool,
    audit: usize,
    simulate: Option<u64>,
    /// The file with the section that is simulated.
    simulated: Option<PathBuf>,
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
    if let Some(runs) = arguments.simulate {
        let _ = io::stdout().write_all(simulated::section(runs, &tell).as_bytes());
        return ExitCode::SUCCESS;
    }
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
    let mut arguments = Arguments {
        minutes: 25.0,
        resume: false,
        part: Part::All,
        as_it_is: false,
        audit: 60,
        simulate: None,
        simulated: None,
    };
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
            "--quick" => arguments.part = Part::Quick,
            "--simulated" => {
                let file = given.next().ok_or("--simulated takes a file")?;
                arguments.simulated = Some(PathBuf::from(file));
            }
            "--as-it-is" => arguments.as_it_is = true,
            "--only" => {
                arguments.part = match given.next().as_deref() {
                    Some("same") => Part::Same,
                    Some("crate") => Part::Crate,
                    _ => return Err("--only takes `same` or `crate`".to_owned()),
                }
            }
            "--minutes" => arguments.minutes = number()?,
            "--audit" => arguments.audit = number()? as usize,
            "--simulate" => arguments.simulate = Some(number()?.max(2.0) as u64),
            other => return Err(format!("`{other}` is not an option")),
        }
    }
    if arguments.part == Part::Quick {
        arguments.minutes = arguments.minutes.min(1.0);
        arguments.audit = arguments.audit.min(6);
    }
    Ok(bench.then_some(arguments))
}

/// Runs the trials and writes the page. Returns whether no finding contradicts a promise.
fn certify(arguments: &Arguments) -> io::Result<bool> {
    let bench = Bench::new()?;
    let only_read = arguments.minutes <= 0.0;
    let mut records = if arguments.resume { bench.resumed(only_read)? } else { Vec::new() };
    if !arguments.resume && bench.kept().exists() {
        std::fs::rename(bench.kept(), bench.kept().with_extension("jsonl.before"))?;
    }
    let mut random = Random::new(seed());
    let begun = Instant::now();
    let end = Duration::from_secs_f64(arguments.minutes * 60.0);
    'trials: while begun.elapsed() < end {
        let mut conditions = Condition::ALL;
        random.shuffle(&mut conditions);
        let wanted = |condition: &Condition| !arguments.as_it_is || *condition == Condition::Plain;
        for condition in conditions.into_iter().filter(wanted) {
            let load = Load::new(condition)?;
            for question in plan::round(&mut random, arguments.part) {
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
    if matches!(arguments.part, Part::Same | Part::Crate) {
        tell(&format!("{} trials are recorded in `{}`", records.len(), bench.kept().display()));
        return Ok(true);
    }
    tell("pairs of the same code, for the audit");
    let audit = audit::run(arguments.audit, bench.place())?;
    let runs = if arguments.part == Part::Quick { 2 } else { SIMULATED };
    let simulated = match &arguments.simulated {
        Some(file) => std::fs::read_to_string(file)?,
        None => simulated::section(runs, &tell),
    };
    let (text, held) = page::Page { records: &records, audit: &audit, simulated }.render();
    if arguments.part == Part::Quick {
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
