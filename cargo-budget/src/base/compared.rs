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
        let is_wanted = suite
            .groups
            .iter()
            .any(|group| group.versus == Some(Versus::Base) && group.reading == Reading::TIME);
        let settings = &budgets.settings;
        Asked { is_wanted, links: settings.layouts, units: settings.codegen_units }
    }

    /// What two builds must have in common to be compared: the way, whatever came of it.
    pub(super) fn way(self) -> &'static str {
        match (self.is_wanted, self.units) {
            (false, _) => "nothing compares times",
            (true, CodegenUnits::One) => "one codegen unit",
            (true, CodegenUnits::AsBuilt) => "as built",
        }
    }
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

impl Links {
    /// None yet, of this binary.
    pub(super) fn of(binary: &Path) -> Links {
        Links { binaries: Vec::new(), of: Some(binary.to_owned()) }
    }

    /// Leaves one of them: several of one side against one of the other would be luck on one side alone.
    fn keep_one(&mut self) {
        self.binaries.truncate(1);
    }
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
    /// Why there is one link of the base; `None` where there are several.
    pub(super) reason: Option<String>,
    /// What is said of each comparison of times.
    pub(super) notes: Vec<String>,
}

/// Where the base's links are from.
pub(super) enum Other<'a> {
    /// They are to be built.
    Build(Revision<'a>),
    /// They were built elsewhere; and why there is only one.
    Taken(Links, Option<String>),
}

/// Builds and links both, or the base alone; what is kept of their links is in `place`.
pub(super) fn build(
    target: &Target,
    asked: Asked,
    place: &Path,
    head: Option<Revision<'_>>,
    other: Other<'_>,
) -> Result<Compared, Failure> {
    let is_known = |revision: &Revision<'_>| revision.workspace.is_some();
    let has_members = head.as_ref().is_none_or(is_known)
        && match &other {
            Other::Build(revision) => is_known(revision),
            Other::Taken(..) => true,
        };
    let units = if has_members { asked.units } else { CodegenUnits::AsBuilt };
    let made = |revision: Revision<'_>, name: &str| {
        let asked = Asked { units, ..asked };
        Made { target, asked, revision, keep: place.join(name) }.build()
    };
    let (mut base, reason) = match other {
        Other::Build(revision) => made(revision, "base")?,
        Other::Taken(links, reason) => (links, reason),
    };
    let mut notes = vec![words(units, has_members).to_owned()];
    let Some(head) = head else {
        return Ok(Compared { base, reason, notes, ..Compared::default() });
    };
    let (mut head, other) = made(head, "head")?;
    let why = reason.as_ref().or(other.as_ref());
    if let Some(why) = why {
        base.keep_one();
        head.keep_one();
        notes
            .push(format!("one link of each side, as {why}: luck with addresses is in the result"));
    } else {
        let count = base.binaries.len().min(head.binaries.len());
        base.binaries.truncate(count);
        head.binaries.truncate(count);
        notes.push(format!(
            "{count} links of each side, each with its functions in another order and at multiples of \
             {BOUNDARY} bytes"
        ));
    }
    Ok(Compared { head, base, reason, notes })
}

/// How both were compiled.
fn words(units: CodegenUnits, has_members: bool) -> &'static str {
    match units {
        CodegenUnits::One => {
            "built to be compared: the packages of the workspace in one codegen unit each, on both sides"
        }
        CodegenUnits::AsBuilt if has_members => {
            "compared as cargo builds it: a change may move the code of what it does not touch"
        }
        CodegenUnits::AsBuilt => {
            "compared as cargo builds it, since cargo does not name the packages of the workspace: a change may \
             move the code of what it does not touch"
        }
    }
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
            return Err("`layouts` asks for no more".to_owned());
        }
        if !cfg!(target_os = "linux") {
            return Err("their functions are put in another order on Linux alone".to_owned());
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
