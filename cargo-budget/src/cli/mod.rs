//! The subcommands, each in a file of its own with its arguments and the few lines that call the module that does the
//! work.

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

/// The command line as cargo calls it: `cargo-budget budget …`.
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
    /// When to use colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: ColorChoice,
    /// Print only the result, warnings and errors
    #[arg(long, short, global = true)]
    quiet: bool,
}

const CODES: &str = "\
Exit codes:
  0  every budget holds, or what was asked for is done
  1  a budget is broken, or a limit was loosened without a reason
  2  a mistake in the arguments or in the configuration
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

/// The global options, for every subcommand.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context {
    /// Whether only the result, warnings and errors are printed.
    pub(crate) quiet: bool,
    /// The line of progress for work that takes long.
    pub(crate) progress: Progress,
}

impl Context {
    /// Prints a message on standard error, unless `--quiet` is given.
    pub(crate) fn tell(self, text: &str) {
        if !self.quiet {
            say(text);
        }
    }

    /// Prints a message on standard error, even with `--quiet`.
    #[expect(clippy::unused_self, reason = "it is called in the same way as the other two")]
    pub(crate) fn insist(self, text: &str) {
        say(text);
    }

    /// Prints a warning on standard error, even with `--quiet`.
    pub(crate) fn warn(self, text: &str) {
        self.insist(&format!("\u{1b}[1;33mwarning\u{1b}[0m: {text}"));
    }
}

/// Prints a line on standard error. A failure is ignored, since there is no other place to report it.
fn say(text: &str) {
    let _ = aside(|| writeln!(anstream::stderr(), "{}", text::shown(text)));
}

/// Prints a text for people on standard output: see [`text::shown`].
pub(crate) fn show(text: &str) -> Result<(), Failure> {
    print(&text::shown(text))
}

/// Prints a text unchanged on standard output. It is not an error if the reader has gone away (`| head`).
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = anstream::stdout().lock();
    match aside(|| out.write_all(text.as_bytes()).and_then(|()| out.flush())) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::unmeasured(format!("failed to write to standard output: {e}")))
        }
        _ => Ok(()),
    }
}

/// Reads the arguments, runs the subcommand, and returns the exit code.
pub(crate) fn main() -> ExitCode {
    let Cargo::Budget(budget) = match Cargo::try_parse_from(arguments()) {
        Ok(cargo) => cargo,
        Err(error) => {
            // Help and version arrive here too, and are not errors. If they cannot be printed, nothing can.
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

/// Prints a failure and returns its exit code.
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

/// Returns the arguments as cargo gives them. `cargo-budget report` means the same as `cargo budget report`.
fn arguments() -> Vec<std::ffi::OsString> {
    let mut arguments: Vec<_> = std::env::args_os().collect();
    if arguments.get(1).is_none_or(|first| first != "budget") {
        arguments.insert(arguments.len().min(1), "budget".into());
    }
    arguments
}

/// Returns clap's description of the command, for completions.
pub(crate) fn description() -> clap::Command {
    <Cargo as clap::CommandFactory>::command()
}
