//! `cargo budget explain BUDGET`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use perf_budget::budget::Subject;
use perf_budget::meter::artifact;
use perf_budget::quantity::{Quantity, Unit};

use super::print;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::inside::Inside;
use crate::project::Project;
use crate::report::{Report, explain, input, text};

/// Tell everything that the last run knows of a budget
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo budget explain merge           every limit of [budget.merge]
  cargo budget explain merge::p99      one of them
  cargo budget explain module --against /tmp/main.wasm     what an artifact has more than another build of it

Exits with 0 whatever the verdicts are; `cargo budget report` exits as they say.")]
pub(super) struct Explain {
    /// A budget's name, or a test's
    budget: String,
    /// Read these records instead of the project's; of all of them the last run
    #[arg(long, short, value_name = "FILE", num_args = 1..)]
    input: Vec<PathBuf>,
    /// For a budget on an artifact: another build of it, to compare what is inside with
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
}

/// Of so many files of an artifact it is said what is inside.
const FILES: usize = 3;

impl Explain {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        let report = match self.input.as_slice() {
            [] => input::project(Path::new("."))?,
            files => input::record(files)?,
        };
        print(&explain::render(&report, &self.budget)?)?;
        let project = Project::find(Path::new(".")).ok();
        match project {
            Some(project) if self.input.is_empty() => {
                print(&self.inside(&project, &report)?)?;
            }
            _ if self.against.is_some() => {
                let text = "`--against` looks into the project's artifact, and `--input` is of another place";
                return Err(Failure::usage(text));
            }
            _ => {}
        }
        Ok(Exit::Holds)
    }

    /// What is inside the artifact that the budget is on; empty where it is on something else.
    fn inside(&self, project: &Project, report: &Report) -> Result<String, Failure> {
        let budgets = project.budgets()?;
        let named = |name: &str| perf_budget::selftest::names(name, &self.budget);
        let budget = budgets.budgets.iter().find(|budget| named(&budget.name));
        let Some(Subject::Artifact(patterns)) = budget.map(|budget| &budget.subject) else {
            return match &self.against {
                None => Ok(String::new()),
                Some(_) => Err(Failure::usage("`--against` is for budgets on artifacts")),
            };
        };
        let profile = report.outcomes.first().map_or("release", |o| o.run.profile.as_str());
        let results = project.results();
        let built = results.parent().unwrap_or(&project.root).join(profile);
        let bin = |pattern: &String| match pattern.strip_prefix("{bin:") {
            Some(rest) => {
                let name = rest.trim_end_matches('}');
                built.join(name).display().to_string()
            }
            None => pattern.clone(),
        };
        let patterns: Vec<String> = patterns.iter().map(bin).collect();
        let files = artifact::files(&patterns, &project.root)
            .map_err(|why| Failure::unmeasured(why.to_string()))?;
        let before = self.against.as_deref().map(Inside::of).transpose()?.flatten();
        if let (Some(path), None) = (&self.against, &before) {
            let why = "it is neither an ELF file nor a WASM module";
            return Err(Failure::io("look into", path, &why));
        }
        let mut shown = String::new();
        for path in files.iter().take(FILES) {
            let Some(inside) = Inside::of(path)? else { continue };
            let name = path.strip_prefix(&project.root).unwrap_or(path).display().to_string();
            let bytes = Quantity::new(inside.bytes as f64, Unit::Bytes);
            let kind = inside.kind;
            let _ =
                writeln!(shown, "\u{1b}[1m{}\u{1b}[0m  {kind}, {bytes} in all", text::line(&name));
            shown.push_str(&inside.tables(before.as_ref()));
        }
        Ok(shown)
    }
}
