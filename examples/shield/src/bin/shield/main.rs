//! The scanner as a program.
//!
//! ```text
//! shield corpus             1000 prompts on standard output, one a line
//! shield scan FILE [--rounds N] [--workers N] [--stay]
//!                           scans the lines of FILE, N times over, and says what became of them
//! shield serve [--port N]   POST /scan a prompt, GET /metrics for Prometheus; on loopback alone
//! ```
//!
//! With `--stay` it is there until its standard input closes, so that its memory can be looked at.

use std::error::Error;
use std::io::{Read, Write};
use std::process::ExitCode;

use print::print;
use shield::{Counts, Scanner, corpus};

mod print;
mod serve;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words[..] {
        ["corpus"] => print(&(corpus::generate(0, corpus::SIZE).join("\n") + "\n")),
        ["scan", file, ref options @ ..] => scan(file, options),
        ["serve"] => serve::serve(0),
        ["serve", "--port", port] => {
            port.parse().map_err(Into::into).and_then(serve::serve)
        }
        _ => Err("usage: shield corpus | scan FILE [--rounds N] [--workers N] [--stay] | serve [--port N]".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "shield: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What comes after `scan FILE`.
struct Options {
    rounds: usize,
    workers: usize,
    stay: bool,
}

impl Options {
    fn read(words: &[&str]) -> Result<Options, Box<dyn Error>> {
        let mut options = Options { rounds: 1, workers: 1, stay: false };
        let mut words = words.iter();
        while let Some(&word) = words.next() {
            let mut number = || words.next().ok_or(format!("{word} needs a number"));
            match word {
                "--rounds" => options.rounds = number()?.parse()?,
                "--workers" => options.workers = number()?.parse()?,
                "--stay" => options.stay = true,
                _ => return Err(format!("there is no option `{word}`").into()),
            }
        }
        Ok(options)
    }
}

fn scan(file: &str, options: &[&str]) -> Result<(), Box<dyn Error>> {
    let Options { rounds, workers, stay } = Options::read(options)?;
    let text = std::fs::read_to_string(file)
        .map_err(|error| format!("failed to read `{file}`: {error}"))?;
    let prompts: Vec<&str> = text.lines().collect();
    let scanner = Scanner::new();
    let scan = |part: &[&str]| {
        let mut counts = Counts::default();
        for _ in 0..rounds {
            for prompt in part {
                counts.add(scanner.scan(prompt));
            }
        }
        counts
    };
    let counts: Counts = match workers {
        1 => scan(&prompts),
        _ => std::thread::scope(|scope| {
            let parts = prompts.chunks(prompts.len().div_ceil(workers).max(1));
            let threads: Vec<_> = parts.map(|part| scope.spawn(|| scan(part))).collect();
            threads.into_iter().map(|thread| thread.join().expect("a scan does not panic")).sum()
        }),
    };
    print(&format!("{counts}\n"))?;
    if stay {
        std::io::stdin().read_to_end(&mut Vec::new())?;
    }
    Ok(())
}
