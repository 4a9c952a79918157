//! Measuring again on each save: limits of the work tree against the base, in a line each.

mod files;
mod message;

use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use perf_budget_core::outcome::Outcome;
use perf_budget_core::suite::Suite;
use perf_budget_core::{budget, record, selftest};

use self::files::Files;
use self::message::Measured;
pub(crate) use self::message::Message;
use crate::base::{self, Target};
use crate::child;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::project::Project;

/// The pause between two looks at the files, if a look takes little time.
const LOOK: Duration = Duration::from_millis(40);
/// The least pause after a look, as a multiple of the time that the look took. So even many files take no more than 5 % of a
/// processor.
const REST: u32 = 19;
/// The time after which the files are listed anew, to find new ones.
const LIST: Duration = Duration::from_secs(2);
/// How long the files must stay the same before a save counts as finished, since editors write several files.
const QUIET: Duration = Duration::from_millis(40);
/// How many lines of a failed build are shown.
const LINES: usize = 12;

/// How many bytes of the output of a measurement are read.
const OUTPUT: u64 = 16 << 20;

/// The request: what is watched, and how it is measured.
#[derive(Debug)]
pub(crate) struct Options<'a> {
    /// A budget or a test.
    pub(crate) name: &'a str,
    /// The revision that is compared with.
    pub(crate) base: &'a str,
    /// The seconds that a limit is measured at most.
    pub(crate) effort: u32,
    /// The number of links of each revision.
    pub(crate) layouts: u32,
    pub(crate) target: &'a Target,
    /// After how many measurements the command ends; `None` for never.
    pub(crate) most: Option<u32>,
}

/// Measures now, and after each save, until Ctrl-C. Returns the exit of the last measurement; Ctrl-C counts as success.
pub(crate) fn watch(
    project: &Project,
    options: &Options<'_>,
    show: &dyn Fn(&Message<'_>) -> Result<(), Failure>,
) -> Result<Exit, Failure> {
    matching_tests(project, options.name)?;
    let commit = base::commit(project, options.base)?;
    let interrupt = Interrupt::watched();
    show(&Message::Begins { commit: &commit, name: options.name, base: options.base })?;
    let mut remaining = options.most;
    let mut saved = Vec::new();
    loop {
        // A file that is saved during a measurement starts the next one.
        let mut files = Files::list(&project.root)?;
        let measured = measure(project, options, &interrupt);
        if interrupt.is_requested() {
            return Ok(Exit::Holds);
        }
        files.take_locks(&Files::list(&project.root)?);
        let measured = measured.unwrap_or_else(Measured::failed);
        let exit = measured.exit;
        show(&Message::Measured {
            commit: &commit,
            saved: display_names(&saved, &project.root),
            measured,
        })?;
        if let Some(remaining) = &mut remaining {
            *remaining -= 1;
            if *remaining == 0 {
                return Ok(exit);
            }
        }
        match next_save(&files, &project.root, &interrupt)? {
            Some(changed) => saved = changed,
            None => return Ok(Exit::Holds),
        }
    }
}

/// Waits until a file is saved, and returns the saved files; `None` if the command is to end.
fn next_save(
    before: &Files,
    root: &Path,
    interrupt: &Interrupt,
) -> Result<Option<Vec<std::path::PathBuf>>, Failure> {
    let mut listed = Instant::now();
    loop {
        if interrupt.is_requested() {
            return Ok(None);
        }
        let began = Instant::now();
        let has_changed = before.have_changed();
        let took = began.elapsed();
        if has_changed || listed.elapsed() >= LIST {
            listed = Instant::now();
            let mut now = Files::list(root)?;
            if !now.changed_since(before).is_empty() {
                loop {
                    interrupt.sleep(QUIET);
                    if !now.have_changed() || interrupt.is_requested() {
                        break;
                    }
                    now = Files::list(root)?;
                }
                return Ok(Some(now.changed_since(before)));
            }
        }
        interrupt.sleep(LOOK.max(took * REST));
    }
}

/// Returns the tests that a name stands for: those of a budget, or the one of this name.
fn matching_tests(project: &Project, name: &str) -> Result<Vec<String>, Failure> {
    let budgets = budget::load(&project.file())?;
    let suite = Suite::of(&budgets, true);
    let all = suite.tests.iter().map(|test| test.name.clone());
    let tests: Vec<String> = all.filter(|test| selftest::names(name, test)).collect();
    if tests.is_empty() {
        return Err(Failure::usage(format!(
            "there is no budget or test `{name}` in `{}`",
            project.file().display()
        )));
    }
    Ok(tests)
}

/// Measures once, and returns the outcomes, or the reason why there are none.
fn measure(
    project: &Project,
    options: &Options<'_>,
    interrupt: &Interrupt,
) -> Result<Measured, Failure> {
    let tests = matching_tests(project, options.name)?;
    let began = Instant::now();
    let record = project.record();
    let before = record.metadata().map_or(0, |data| data.len());
    let mut output = tempfile::tempfile()
        .map_err(|e| Failure::unmeasured(format!("failed to create a temporary file: {e}")))?;
    let mut command = command(project, options, &tests)?;
    for sink in [Command::stdout, Command::stderr] {
        let own = output.try_clone();
        sink(
            &mut command,
            own.map_err(|e| Failure::unmeasured(format!("failed to copy a file: {e}")))?,
        );
    }
    interrupt.status(&mut command)?;
    let outcomes = outcomes_since(&project.record(), before)?;
    let own: Vec<Outcome> = tests
        .iter()
        .filter_map(|test| outcomes.iter().rev().find(|outcome| outcome.test == *test))
        .cloned()
        .collect();
    let seconds = began.elapsed().as_secs_f64();
    let printed = beginning(&mut output);
    let is_compared = !printed.as_deref().unwrap_or_default().contains(base::NOT_COMPARED);
    let is_measured = !own.is_empty() && is_compared;
    let failed = if is_measured {
        None
    } else {
        let printed =
            printed.map_err(|e| Failure::unmeasured(format!("failed to read the output: {e}")))?;
        Some(first_error(&printed))
    };
    let exit = if is_measured { Exit::from_outcomes(&own) } else { Exit::Unmeasured };
    Ok(Measured { outcomes: own, failed, seconds: Some(seconds), exit })
}

fn command(project: &Project, options: &Options<'_>, tests: &[String]) -> Result<Command, Failure> {
    let mut command = child::self_command()?;
    command.args(["check", "--base", options.base]);
    command
        .args([format!("--effort={}", options.effort), format!("--layouts={}", options.layouts)]);
    command.args([
        format!("--test={}", options.target.test),
        format!("--profile={}", options.target.profile),
    ]);
    command.args(&options.target.options).args(["--", "--exact"]).args(tests);
    command.current_dir(&project.root);
    Ok(command)
}

/// Returns the outcomes that were appended to a record since it had this size. If it is shorter now, it was replaced by a new
/// record, and all of its outcomes are returned.
fn outcomes_since(path: &Path, size: u64) -> Result<Vec<Outcome>, Failure> {
    let failed = |e: std::io::Error| Failure::io("read", path, &e);
    let mut file = match std::fs::File::open(path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        file => file.map_err(failed)?,
    };
    let now = file.metadata().map_err(failed)?.len();
    file.seek(SeekFrom::Start(if now < size { 0 } else { size })).map_err(failed)?;
    let mut part = tempfile::NamedTempFile::new().map_err(failed)?;
    std::io::copy(&mut file, &mut part).map_err(failed)?;
    Ok(record::read(part.path())?.outcomes)
}

/// Returns the beginning of what a measurement printed, which may be more than fits into memory.
fn beginning(output: &mut std::fs::File) -> std::io::Result<String> {
    let length = output.seek(SeekFrom::End(0))?;
    output.seek(SeekFrom::Start(0))?;
    let mut bytes = Vec::new();
    output.take(OUTPUT).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Ok(match length.saturating_sub(OUTPUT) {
        0 => text,
        more => format!("{text}\n[{more} bytes after this were left out]\n"),
    })
}

/// Returns the lines of an output from the first error on, or the last line if there is no error.
fn first_error(printed: &str) -> String {
    let from = printed.lines().skip_while(|line| !line.starts_with("error")).take(LINES);
    let lines: Vec<&str> = from.collect();
    let lines = if lines.is_empty() { printed.lines().rev().take(1).collect() } else { lines };
    lines.iter().fold(String::new(), |text, line| format!("{text}  {line}\n"))
}

/// Returns the paths of saved files relative to the project.
fn display_names(saved: &[std::path::PathBuf], root: &Path) -> Vec<String> {
    let name =
        |path: &std::path::PathBuf| path.strip_prefix(root).unwrap_or(path).display().to_string();
    saved.iter().map(name).collect()
}
