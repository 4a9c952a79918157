//! Subcommands, one a file: each has its arguments and the few lines that call the module which does
//! the work.

mod accept;
mod check;
mod completions;
mod db;
mod diff;
mod doctor;
mod explain;
mod history;
#[cfg(feature = "import")]
mod import;
#[cfg(not(feature = "import"))]
#[path = "no_import.rs"]
mod import;
mod init;
mod rendering;
mod report;
mod save_base;
mod selftest;
mod suggest;
mod target;
mod tighten;

use std::io::Write;
use std::process::ExitCode;

use clap::{ColorChoice, Parser, Subcommand};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::progress::{Progress, aside};
use crate::text;

/// As cargo calls it: `cargo-budget budget …`.
#[derive(Debug, Parser)]
#[command(name = "cargo", bin_name = "cargo", disable_help_subcommand = true)]
enum Cargo {
    Budget(Budget),
}

/// Performance budgets: compare with the base, edit limits, keep history, render reports.
#[derive(Debug, clap::Args)]
#[command(version, about, after_help = CODES)]
struct Budget {
    #[command(subcommand)]
    command: Command,
    /// When to colour what is printed
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: ColorChoice,
    /// Print nothing but what was asked for, warnings and errors
    #[arg(long, short, global = true)]
    quiet: bool,
}

const CODES: &str = "\
Exit codes:
  0  every budget holds, or what was asked for is done
  1  a budget is broken, or a limit was loosened without a reason
  2  usage or configuration
  3  something could not be measured, read or written
  4  the evidence did not suffice";

#[derive(Debug, Subcommand)]
enum Command {
    Accept(accept::Accept),
    Check(check::Check),
    SaveBase(save_base::SaveBase),
    Report(report::Report),
    Explain(explain::Explain),
    Completions(completions::Completions),
    Diff(diff::Diff),
    Doctor(doctor::Doctor),
    Init(init::Init),
    Selftest(selftest::Selftest),
    Suggest(suggest::Suggest),
    Tighten(tighten::Tighten),
    History(history::History),
    Trend(history::Trend),
}

/// What every subcommand may ask for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context {
    /// Nothing is printed but what was asked for, warnings and errors.
    pub(crate) quiet: bool,
    /// What goes on while something takes long.
    pub(crate) progress: Progress,
}

impl Context {
    /// Tells people what is going on, on standard error, unless they want it quiet.
    pub(crate) fn tell(self, text: &str) {
        if !self.quiet {
            say(text);
        }
    }

    /// Tells what people must know, also where it is to be quiet.
    #[expect(clippy::unused_self, reason = "said in the same place as the rest")]
    pub(crate) fn insist(self, text: &str) {
        say(text);
    }

    /// Warns, also where it is to be quiet.
    pub(crate) fn warn(self, text: &str) {
        self.insist(&format!("\u{1b}[1;33mwarning\u{1b}[0m: {text}"));
    }
}

/// A line for people on standard error; where that is gone there is nobody to tell.
fn say(text: &str) {
    let _ = aside(|| writeln!(anstream::stderr(), "{}", text::shown(text)));
}

/// Prints a text for people, on standard output: see [`text::shown`].
pub(crate) fn show(text: &str) -> Result<(), Failure> {
    print(&text::shown(text))
}

/// Prints what was asked for as it is, on standard output. A reader that has gone away (`| head`) is no failure.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = anstream::stdout().lock();
    match aside(|| out.write_all(text.as_bytes()).and_then(|()| out.flush())) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::unmeasured(format!("failed to write to standard output: {e}")))
        }
        _ => Ok(()),
    }
}

/// Reads the arguments, does what they say, and says how to exit.
pub(crate) fn main() -> ExitCode {
    let Cargo::Budget(budget) = match Cargo::try_parse_from(arguments()) {
        Ok(cargo) => cargo,
        Err(error) => {
            // Help and version are no errors; where they cannot be printed, nothing can.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage.into() } else { Exit::Holds.into() };
        }
    };
    match budget.color {
        ColorChoice::Always => anstream::ColorChoice::Always.write_global(),
        ColorChoice::Never => anstream::ColorChoice::Never.write_global(),
        ColorChoice::Auto => {}
    }
    let context = Context { quiet: budget.quiet, progress: Progress::new(budget.quiet) };
    match run(budget.command, context) {
        Ok(exit) => exit.into(),
        Err(failure) => fail(&failure),
    }
}

/// Says what failed, and how to exit.
pub(crate) fn fail(failure: &Failure) -> ExitCode {
    say(&format!("\u{1b}[1;31merror\u{1b}[0m: {failure}"));
    failure.exit.into()
}

fn run(command: Command, context: Context) -> Result<Exit, Failure> {
    match command {
        Command::Accept(args) => args.run(context),
        Command::Check(args) => args.run(context),
        Command::SaveBase(args) => args.run(context),
        Command::Report(args) => args.run(context),
        Command::Explain(args) => args.run(context),
        Command::Completions(args) => args.run(),
        Command::Diff(args) => args.run(),
        Command::Doctor(args) => args.run(),
        Command::Init(args) => args.run(context),
        Command::Selftest(args) => args.run(context),
        Command::Suggest(args) => args.run(context),
        Command::Tighten(args) => args.run(context),
        Command::History(args) => args.run(context),
        Command::Trend(args) => args.run(context),
    }
}

/// The arguments as cargo gives them; `cargo-budget report` by itself means the same.
fn arguments() -> Vec<std::ffi::OsString> {
    let mut arguments: Vec<_> = std::env::args_os().collect();
    if arguments.get(1).is_none_or(|first| first != "budget") {
        arguments.insert(arguments.len().min(1), "budget".into());
    }
    arguments
}

/// The command's own description, for completions.
pub(crate) fn description() -> clap::Command {
    <Cargo as clap::CommandFactory>::command()
}
