//! The scanner as a program.
//!
//! ```text
//! shield corpus                             1000 prompts on standard output, one a line
//! shield scan FILE [--rounds N] [--stay]    scans the lines of FILE, N times over, and says what became of them
//! shield serve [--port N]                   POST /scan a prompt, GET /metrics for Prometheus; on loopback alone
//! ```
//!
//! With `--stay` it is there until its standard input closes, so that its memory can be looked at.

use std::error::Error;
use std::io::{Read, Write};
use std::process::ExitCode;

use shield::{Counts, Scanner, corpus};

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
        _ => Err("usage: shield corpus | scan FILE [--rounds N] [--stay] | serve [--port N]".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "shield: {error}");
            ExitCode::FAILURE
        }
    }
}

fn scan(file: &str, options: &[&str]) -> Result<(), Box<dyn Error>> {
    let (rounds, stay) = match options {
        [] => (1, false),
        ["--rounds", rounds] => (rounds.parse()?, false),
        ["--rounds", rounds, "--stay"] => (rounds.parse()?, true),
        _ => return Err("after FILE come --rounds N and --stay".into()),
    };
    let text = std::fs::read_to_string(file)
        .map_err(|error| format!("failed to read `{file}`: {error}"))?;
    let scanner = Scanner::new();
    let mut counts = Counts::default();
    for _ in 0..rounds {
        text.lines().for_each(|prompt| counts.add(scanner.scan(prompt)));
    }
    print(&format!("{counts}\n"))?;
    if stay {
        std::io::stdin().read_to_end(&mut Vec::new())?;
    }
    Ok(())
}

fn print(text: &str) -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}
