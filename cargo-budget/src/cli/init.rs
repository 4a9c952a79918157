//! `cargo budget init`.

use std::path::{Path, PathBuf};

use super::context::Context;
use super::done::Done;
use super::rendering::Rendering;
use crate::benches;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::file;
use crate::init::{self, PackageContents};
use crate::project::Project;

/// Write the first budgets of a crate: budgets.toml, its tests, and a workflow
///
/// It looks at what the package has, and sets generous limits on what can be measured at once. Existing files are not
/// overwritten: Cargo.toml gets two more entries, and a second run changes nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo budget init && cargo test --release --test budgets
  cargo budget init --limits             # each benchmark may take what it takes now, with a headroom
  cargo budget init --dry-run
  cargo budget init --package server     # in a workspace of several packages")]
pub(super) struct Init {
    /// The package that the tests belong to; the one in this directory by default
    #[arg(long, short, value_name = "NAME")]
    package: Option<String>,
    /// Measure all benchmarks of Criterion, or of Divan with perf-budget-divan, and limit each to what it takes now
    #[arg(long)]
    limits: bool,
    /// Show what would be written, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Depend on the library in this directory [default: the checkout that this command was built from, else the
    /// registry]
    #[arg(long, value_name = "DIR")]
    perf_budget_path: Option<PathBuf>,
    /// The format of the output
    #[arg(long, value_enum, default_value_t)]
    format: Rendering,
}

impl Init {
    pub(super) fn run(self, context: Context) -> Result<Exit, Failure> {
        let package = PackageContents::examine(Path::new("."), self.package.as_deref())?;
        // Cargo would read a relative path from the manifest's directory.
        let named_path = self
            .perf_budget_path
            .map(|path| std::path::absolute(&path).map_err(|e| Failure::io("resolve", &path, &e)));
        let library = named_path.transpose()?.or_else(init::checkout);
        let mut plan = init::plan(&package, library.as_deref())?;
        plan.notes.extend(library.filter(|_| plan.edits_the_manifest()).map(|path| {
            format!(
                "Cargo.toml takes perf-budget from `{}`, which other machines and CI need too; where a registry \
                 has it, write its version instead of the path",
                path.display()
            )
        }));
        let mut done = Done::new("init", self.dry_run, self.format, context);
        if self.limits {
            let measured = benches::Harness::measure(&Project::workspace()?, &|harness| {
                context.tell("measuring every benchmark once");
                if context.quiet {
                    harness.env("PERF_BUDGET_QUIET", "1");
                }
                // The output is for people, and this command prints no results of tests.
                let status = harness.stdout(std::io::stderr()).status();
                // A benchmark that is red has no limit, and a note says why.
                let failed = |e| Failure::unmeasured(format!("failed to start the harness: {e}"));
                status.map(drop).map_err(failed)
            })?;
            let count = plan.add_limits(&package, &measured)?;
            if count == 0 && plan.notes.is_empty() {
                done.remark("every benchmark has a limit already, or there is none");
            }
        }
        for name in &plan.existing {
            done.entry("kept", name, "");
        }
        for write in &plan.writes {
            let before = write.before.as_deref();
            if self.dry_run {
                done.show_change(before, &write.after, &write.name)?;
            } else {
                file::write(&write.path, &write.after)?;
                let word = done.add_change(before, &write.after, &write.name);
                context.tell(&format!("{word:<9} {}", write.name));
            }
        }
        for note in &plan.notes {
            done.note(note);
        }
        if plan.writes.is_empty() {
            done.remark("everything is there already; nothing was changed");
        } else if !self.dry_run {
            done.remark(&format!(
                "next: `cargo test --release{} --test budgets` measures, then `cargo budget tighten` brings the \
                 limits close to what was measured",
                if package.has_siblings { format!(" --package {}", package.name) } else { String::new() }
            ));
        }
        done.end(Exit::Holds)
    }
}
