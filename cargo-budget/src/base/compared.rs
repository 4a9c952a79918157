//! The builds that times are compared with: both revisions built once more, alike in what cargo's own build leaves to
//! chance, and linked several times.
//!
//! With the usual 16 codegen units a change in one module moves the code of untouched functions of the same package by 1 to
//! 3 % of their time, and where the linker puts a function moves it by as much again. So the packages of the
//! workspace are compiled in one unit each, and their functions are put in another order for each link. That is not the
//! program that ships: absolute limits, sizes and counts keep cargo's own build.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use cargo_metadata::Metadata;
use perf_budget_core::budget::{Budgets, CodegenUnits};
use perf_budget_core::suite::{Reading, Suite, Versus};

use super::build::{Side, Target, Way};
use super::configuration::Files;
use super::members;
use crate::failure::Failure;
use crate::links::{self, BOUNDARY, Keeping, Refused};

/// How the builds are made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    /// Whether anything compares times; else there is nothing to build.
    pub(crate) is_wanted: bool,
    /// How often each revision is linked.
    pub(crate) links: u32,
    /// In how many units a package of the workspace is compiled.
    pub(crate) units: CodegenUnits,
}

impl Asked {
    /// What a project's budgets ask for.
    pub(crate) fn by(budgets: &Budgets) -> Asked {
        let suite = Suite::of(budgets, true);
        let is_wanted = suite.groups.iter().any(|group| {
            group.versus == Some(Versus::Base) && group.reading == Reading::TIME
        });
        let settings = &budgets.settings;
        Asked { is_wanted, links: settings.layouts, units: settings.codegen_units }
    }

    /// For whoever compares no times.
    pub(crate) const NONE: Asked =
        Asked { is_wanted: false, links: 1, units: CodegenUnits::AsBuilt };
}

/// One revision, as it is to be built.
#[derive(Debug, Clone, Copy)]
pub(super) struct Revision<'a> {
    /// Where its `budgets.toml` is.
    pub(super) root: &'a Path,
    pub(super) side: Side<'a>,
    /// What cargo says of its workspace; `None` where it says nothing.
    pub(super) workspace: Option<&'a Metadata>,
    /// What configures it.
    pub(super) files: &'a Files,
}

/// The links of one revision, or its one binary; what was linked is gone with this.
#[derive(Debug, Default)]
pub(super) struct Links {
    pub(super) binaries: Vec<PathBuf>,
    /// The binary that they are links of, where they are.
    of: Option<PathBuf>,
}

impl Drop for Links {
    fn drop(&mut self) {
        if let Some(binary) = &self.of {
            links::clear(binary);
        }
    }
}

/// The builds of both.
#[derive(Debug, Default)]
pub(super) struct Compared {
    pub(super) head: Links,
    pub(super) base: Links,
    /// What is said of each comparison of times.
    pub(super) notes: Vec<String>,
}

/// Builds and links both; what is kept of their links is in `place`.
pub(super) fn build(
    target: &Target,
    asked: Asked,
    place: &Path,
    [head, base]: [Revision<'_>; 2],
) -> Result<Compared, Failure> {
    let mut notes = Vec::new();
    let has_members = head.workspace.is_some() && base.workspace.is_some();
    let units = if has_members { asked.units } else { CodegenUnits::AsBuilt };
    notes.push(
        match units {
            CodegenUnits::One => "built for comparison: the packages of the workspace in one codegen unit each, on both sides",
            CodegenUnits::AsBuilt if has_members => {
                "compared as built: a change may move the code of what it does not touch"
            }
            CodegenUnits::AsBuilt => {
                "compared as built, as cargo does not name the packages of the workspace: a change may move \
                 the code of what it does not touch"
            }
        }
        .to_owned(),
    );
    let linked = |revision: Revision<'_>, name: &str| {
        let keep = place.join(name);
        let way = Made { target, asked: Asked { units, ..asked }, revision, keep };
        way.build()
    };
    let (mut base, reason) = linked(base, "base")?;
    let (mut head, other) = linked(head, "head")?;
    match reason.or(other) {
        Some(reason) => {
            // Several of the one against one of the other would be luck on one side.
            for side in [&mut base, &mut head] {
                let one = side.of.take().inspect(|binary| links::clear(binary));
                side.binaries = one.into_iter().chain(side.binaries.drain(..)).take(1).collect();
            }
            notes.push(format!("one link of each side: {reason}; its luck with addresses is in the result"));
        }
        None => {
            let count = base.binaries.len().min(head.binaries.len());
            notes.push(format!(
                "{count} links of each side, with their functions in another order each and at multiples of {BOUNDARY} bytes"
            ));
            base.binaries.truncate(count);
            head.binaries.truncate(count);
        }
    }
    Ok(Compared { head, base, notes })
}

/// One revision being built.
struct Made<'a> {
    target: &'a Target,
    asked: Asked,
    revision: Revision<'a>,
    keep: PathBuf,
}

impl Made<'_> {
    /// The links; or the one binary, and why there are no links of it.
    fn build(&self) -> Result<(Links, Option<String>), Failure> {
        let keeping = match self.keeping() {
            Ok(keeping) => keeping,
            Err(reason) => {
                let binaries = vec![self.cargo(None)?];
                return Ok((Links { binaries, of: None }, Some(reason)));
            }
        };
        let mut binary = self.cargo(Some(&keeping))?;
        let mut made = links::make(&self.keep, &binary, self.asked.links);
        if made == Err(Refused::Stale) {
            // It was linked when nobody kept anything. Cargo links it again where it is gone.
            std::fs::remove_file(&binary).map_err(|e| Failure::io("remove", &binary, &e))?;
            binary = self.cargo(Some(&keeping))?;
            made = links::make(&self.keep, &binary, self.asked.links);
        }
        self.forget_others(&binary);
        let stale = "what the linker was given could not be kept";
        Ok(match made {
            Ok(binaries) => (Links { binaries, of: Some(binary) }, None),
            Err(Refused::Stale) => (Links { binaries: vec![binary], of: None }, Some(stale.into())),
            Err(Refused::Cannot(why)) => (Links { binaries: vec![binary], of: None }, Some(why)),
        })
    }

    fn cargo(&self, keeping: Option<&Keeping>) -> Result<PathBuf, Failure> {
        let Revision { root, side, workspace, files } = self.revision;
        let one_unit = match (self.asked.units, workspace) {
            (CodegenUnits::One, Some(workspace)) => members::specs(workspace, files),
            (CodegenUnits::One | CodegenUnits::AsBuilt, _) => Vec::new(),
        };
        self.target.build_to_compare(root, side, &Way { one_unit, keeping })
    }

    /// What is to be kept, or why links cannot be had.
    fn keeping(&self) -> Result<Keeping, String> {
        if self.asked.links < 2 {
            return Err("`layouts` is 1".to_owned());
        }
        if !cfg!(target_os = "linux") {
            return Err("functions are put in another order on Linux alone".to_owned());
        }
        let Revision { root, workspace, files, .. } = self.revision;
        let package = workspace.and_then(|workspace| members::own(workspace, root));
        let test = package.and_then(|package| {
            package.targets.iter().find(|t| t.is_test() && t.name == self.target.test)
        });
        let source = test.ok_or("cargo does not say where the test's source is")?;
        Ok(Keeping {
            source: source.src_path.clone().into(),
            keep: self.keep.clone(),
            wrapper: files.wrapper(),
        })
    }

    /// Removes what was kept of other binaries: of other features, or other commits.
    fn forget_others(&self, binary: &Path) {
        let own: Option<OsString> = binary.file_name().map(Into::into);
        let entries = std::fs::read_dir(&self.keep);
        for entry in entries.into_iter().flatten().flatten() {
            let is_kept = entry.path().join("link.json").is_file();
            if is_kept && Some(entry.file_name()) != own {
                let _ = std::fs::remove_dir_all(entry.path());
            }
        }
    }
}
