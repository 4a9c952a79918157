//! The builds that times are compared with: both revisions are built once more and linked several times, so that chance
//! in cargo's own build does not decide the comparison.
//!
//! With the usual 16 codegen units, a change in one module changes the time of untouched functions of the same package
//! by 1 to 3 %, and the place where the linker puts a function changes it by as much again. So each package of the
//! workspace is compiled in one unit, and each link has the functions in another order. This is not the program that
//! ships, so absolute limits, sizes and counts are measured on cargo's own build.

use std::path::{Path, PathBuf};

use cargo_metadata::Metadata;
use perf_budget_core::budget::{Budgets, CodegenUnits};
use perf_budget_core::suite::{Reading, Suite, Versus};

use super::build::{Side, Target, Way};
use super::configuration::Files;
use super::members;
use crate::failure::Failure;
use crate::links::{self, BOUNDARY, Recording, Refused};

/// How the builds are made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    /// Whether any limit compares times; otherwise there is nothing to build.
    pub(crate) is_wanted: bool,
    /// The number of links of each revision.
    pub(crate) links: u32,
    /// The number of units in which a package of the workspace is compiled.
    pub(crate) units: CodegenUnits,
}

impl Asked {
    /// Returns what a project's budgets ask for.
    pub(crate) fn by(budgets: &Budgets) -> Asked {
        let suite = Suite::of(budgets, true);
        let is_wanted = suite
            .groups
            .iter()
            .any(|group| group.versus == Some(Versus::Base) && group.reading == Reading::TIME);
        let settings = &budgets.settings;
        Asked { is_wanted, links: settings.layouts, units: settings.codegen_units }
    }

    /// Returns a description of the way of building, which two builds must have in common to be compared.
    pub(super) fn way(self) -> &'static str {
        match (self.is_wanted, self.units) {
            (false, _) => "nothing compares times",
            (true, CodegenUnits::One) => "one codegen unit",
            (true, CodegenUnits::AsBuilt) => "as built",
        }
    }
}

/// One revision that is to be built.
#[derive(Debug, Clone, Copy)]
pub(super) struct Revision<'a> {
    /// The directory of its `budgets.toml`.
    pub(super) root: &'a Path,
    pub(super) side: Side<'a>,
    /// Cargo's description of its workspace; `None` where cargo gives none.
    pub(super) workspace: Option<&'a Metadata>,
    /// Its configuration files.
    pub(super) files: &'a Files,
}

/// The links of one revision, or its only binary. The links are deleted when this value is dropped.
#[derive(Debug, Default)]
pub(super) struct Links {
    pub(super) binaries: Vec<PathBuf>,
    /// The binary that the links repeat; `None` where there are no links.
    of: Option<PathBuf>,
}

impl Links {
    /// Returns an empty list of links of this binary.
    pub(super) fn of(binary: &Path) -> Links {
        Links { binaries: Vec::new(), of: Some(binary.to_owned()) }
    }

    /// Removes all links but one from the list. If one revision had several links and the other only one, the influence
    /// of addresses would be averaged out on one side alone.
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

/// The builds of both revisions.
#[derive(Debug, Default)]
pub(super) struct Compared {
    pub(super) head: Links,
    pub(super) base: Links,
    /// Why there is only one link of the base; `None` where there are several.
    pub(super) reason: Option<String>,
    /// Notes that are shown with each comparison of times.
    pub(super) notes: Vec<String>,
}

/// The source of the base's links.
pub(super) enum Other<'a> {
    /// They have to be built.
    Build(Revision<'a>),
    /// They were built elsewhere. The text is the reason why there is only one, where that is so.
    Taken(Links, Option<String>),
}

/// Builds and links both revisions, or the base alone. The records of their links are in `place`.
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
        TimedBuild { target, asked, revision, records: place.join(name) }.build()
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
        notes.push(format!(
            "one link of each side, as {why}: chance in the addresses of functions affects the result"
        ));
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

/// Returns a note on how both revisions were compiled.
pub(super) fn words(units: CodegenUnits, has_members: bool) -> &'static str {
    match units {
        CodegenUnits::One => {
            "built to compare times: on both sides, each package of the workspace in one codegen unit"
        }
        CodegenUnits::AsBuilt if has_members => {
            "compared as cargo builds it: a change may move code that it does not touch"
        }
        CodegenUnits::AsBuilt => {
            "compared as cargo builds it, since cargo does not list the packages of the workspace: a change may \
             move code that it does not touch"
        }
    }
}

/// The build of one revision to compare times.
struct TimedBuild<'a> {
    target: &'a Target,
    asked: Asked,
    revision: Revision<'a>,
    records: PathBuf,
}

impl TimedBuild<'_> {
    /// Builds the links. Where there can be none, it builds the one binary and returns the reason with it.
    fn build(&self) -> Result<(Links, Option<String>), Failure> {
        let recording = match self.recording() {
            Ok(recording) => recording,
            Err(reason) => {
                let binaries = vec![self.cargo(None)?];
                return Ok((Links { binaries, of: None }, Some(reason)));
            }
        };
        let mut binary = self.cargo(Some(&recording))?;
        let mut made = links::make(&self.records, &binary, self.asked.links);
        if made == Err(Refused::Stale) {
            // The link of this binary was not recorded. Cargo links it again once it is deleted.
            std::fs::remove_file(&binary).map_err(|e| Failure::io("remove", &binary, &e))?;
            binary = self.cargo(Some(&recording))?;
            made = links::make(&self.records, &binary, self.asked.links);
        }
        links::forget_others(&self.records, &binary);
        let stale = "the link could not be recorded";
        Ok(match made {
            Ok(binaries) => (Links { binaries, of: Some(binary) }, None),
            Err(Refused::Stale) => (Links { binaries: vec![binary], of: None }, Some(stale.into())),
            Err(Refused::Cannot(why)) => (Links { binaries: vec![binary], of: None }, Some(why)),
        })
    }

    fn cargo(&self, recording: Option<&Recording>) -> Result<PathBuf, Failure> {
        let Revision { root, side, workspace, files } = self.revision;
        let one_unit = match (self.asked.units, workspace) {
            (CodegenUnits::One, Some(workspace)) => members::specs(workspace, files),
            (CodegenUnits::One | CodegenUnits::AsBuilt, _) => Vec::new(),
        };
        self.target.build_to_compare(root, side, &Way { one_unit, recording })
    }

    /// Returns how the link is to be recorded, or why there can be no further links.
    fn recording(&self) -> Result<Recording, String> {
        if self.asked.links < 2 {
            return Err("`layouts` asks for only one".to_owned());
        }
        if !cfg!(target_os = "linux") {
            return Err("functions can be put in another order only on Linux".to_owned());
        }
        let Revision { root, workspace, files, .. } = self.revision;
        let package = workspace.and_then(|workspace| members::own(workspace, root));
        let test = package.and_then(|package| {
            package.targets.iter().find(|t| t.is_test() && t.name == self.target.test)
        });
        let source = test.ok_or("cargo does not name the source of the test")?;
        Ok(Recording {
            source: source.src_path.clone().into(),
            records: self.records.clone(),
            wrapper: files.wrapper(),
        })
    }
}
