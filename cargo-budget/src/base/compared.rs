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
use perf_budget_core::handover::{MoreLinks, Unchanged, Watched, holds_if_equal};
use perf_budget_core::suite::{ReadBy, Suite, Test, Versus};

use super::build::{BuildMode, Side, Target};
use super::configuration::Files;
use super::members;
use crate::failure::Failure;
use crate::links::{self, Recording, Refused, Repeated};

/// How the builds are made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BuildOptions {
    /// Whether any limit compares times; otherwise there is nothing to build.
    pub(crate) is_wanted: bool,
    /// Whether any of these limits has to be measured even where both builds are equal.
    pub(crate) is_demanding: bool,
    /// The number of links of each revision that are made before anything is measured.
    pub(crate) links: u32,
    /// The number of units in which a package of the workspace is compiled.
    pub(crate) units: CodegenUnits,
}

impl BuildOptions {
    /// Returns what a project's budgets ask for.
    pub(crate) fn for_budgets(budgets: &Budgets) -> BuildOptions {
        let suite = Suite::of(budgets, true);
        let compares = |group: usize| {
            let group = &suite.groups[group];
            group.versus == Some(Versus::Base) && group.reading == ReadBy::TIME
        };
        let is_of_test = |test: &&Test| !test.is_benchmark() && compares(test.group);
        let mut times = suite.tests.iter().filter(is_of_test).peekable();
        let is_wanted = times.peek().is_some();
        let is_demanding = times.any(|test| !holds_if_equal(&test.limit));
        let settings = &budgets.settings;
        let (links, units) = (settings.layouts, settings.codegen_units);
        BuildOptions { is_wanted, is_demanding, links, units }
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
    /// The binary as cargo linked it; `None` where it is not known.
    pub(super) plain: Option<PathBuf>,
    /// The seed of the first link. Both revisions have the same, so that luck with addresses cancels where they are
    /// nearly equal.
    pub(super) first_seed: u32,
    /// The binary that the links repeat; `None` where there are no links.
    original: Option<PathBuf>,
    /// How further links are made; `None` where there can be none.
    repeated: Option<Repeated>,
}

impl Links {
    /// Returns an empty list of links of this binary, which cannot be repeated here.
    pub(super) fn empty(binary: &Path, first_seed: u32) -> Links {
        let mut links = Links::default();
        (links.first_seed, links.original) = (first_seed, Some(binary.to_owned()));
        links
    }

    /// Returns the only binary of a revision.
    fn only(binary: PathBuf) -> Links {
        let mut links = Links::default();
        (links.binaries, links.plain) = (vec![binary.clone()], Some(binary));
        links
    }

    /// Removes all links but the first ones from the list. If one revision had several links and the other only one, the
    /// influence of addresses would be averaged out on one side alone.
    fn keep_first(&mut self, count: usize) {
        self.binaries.truncate(count);
    }
}

impl Drop for Links {
    fn drop(&mut self) {
        if let Some(binary) = &self.original {
            links::clear(binary);
        }
    }
}

/// The builds of both revisions.
#[derive(Debug, Default)]
pub(super) struct Compared {
    pub(super) head: Links,
    pub(super) base: Links,
    /// How the harness has further links made; `None` where there can be no more.
    pub(super) more: Option<MoreLinks>,
    /// Why there is only one link of the base; `None` where there are several.
    pub(super) reason: Option<String>,
    /// Notes that are shown with each comparison of times.
    pub(super) notes: Vec<String>,
    /// The proof that the builds are equal, so that their times need not be measured.
    pub(super) unchanged: Option<Unchanged>,
    /// The copies of both programs that show what a workload reaches; `None` where nothing is proven by them.
    pub(super) watched: Option<Watched>,
}

/// The source of the base's links.
pub(super) enum LinkSource<'a> {
    /// They have to be built.
    Build(Revision<'a>),
    /// They were built elsewhere. If there is only one link, the text is the reason.
    Taken(Links, Option<String>),
}

impl LinkSource<'_> {
    /// Returns the seed of the first link, and how many links each revision gets where `wanted` are asked for. No further links
    /// can be made of a base that was built elsewhere, so this revision gets as many links as the base has.
    fn first_links(&self, wanted: u32) -> (u32, u32) {
        match self {
            LinkSource::Build(_) => (links::fresh_seed(), wanted),
            LinkSource::Taken(links, _) => {
                let saved = u32::try_from(links.binaries.len()).unwrap_or(links::MOST);
                (links.first_seed, if wanted < 2 { 1 } else { saved })
            }
        }
    }
}

/// The proofs about both builds, by which less has to be measured.
#[derive(Clone, Copy)]
pub(super) struct Proofs<'a> {
    /// Proves that two binaries, the base's and this revision's, behave the same. Returns `None` where their machine code
    /// differs, or where the same machine code is not enough.
    pub(super) equal: &'a dyn Fn(&Path, &Path) -> Option<Unchanged>,
    /// Prepares the proof that a workload reaches nothing that differs. Returns `None` where there can be none.
    pub(super) reach: &'a dyn Fn(&Repeated, &Repeated, &Path) -> Option<Watched>,
}

/// Builds and links both revisions, or the base alone. The records of their links are in `place`. Where the proofs
/// find the builds to be equal, the builds are linked only if a limit has to be measured even then.
pub(super) fn build(
    target: &Target,
    options: BuildOptions,
    place: &Path,
    head: Option<Revision<'_>>,
    other: LinkSource<'_>,
    proofs: Proofs<'_>,
) -> Result<Compared, Failure> {
    // The linker, the compiler and the harness run in other directories than this command.
    let place = &std::path::absolute(place).map_err(|e| Failure::io("resolve", place, &e))?;
    let has_members = has_members(head.as_ref(), &other);
    let units = if has_members { options.units } else { CodegenUnits::AsBuilt };
    let (first_seed, count) = other.first_links(options.links);
    let timed = |revision, name: &str| {
        let options = BuildOptions { units, links: count, ..options };
        TimedBuild { target, options, revision, records: place.join(name), first_seed }
    };
    let notes = vec![codegen_note(units, has_members).to_owned()];
    let base = match other {
        LinkSource::Build(revision) => Half::Compiled(timed(revision, "base").compile()?),
        LinkSource::Taken(links, reason) => Half::Linked(links, reason),
    };
    let Some(head) = head else {
        let (base, reason) = base.link()?;
        return Ok(Compared { base, reason, notes, ..Compared::default() });
    };
    let head = timed(head, "head").compile()?;
    let plain = match &base {
        Half::Compiled(base) => Some(&base.binary),
        Half::Linked(links, _) => links.plain.as_ref(),
    };
    let unchanged = plain.and_then(|plain| (proofs.equal)(plain, &head.binary));
    let is_linked = unchanged.is_none() || options.is_demanding;
    let compared = Compared { notes, unchanged, ..Compared::default() };
    if is_linked { link_both(base, head, place, proofs, compared) } else { Ok(compared) }
}

/// Whether cargo lists the packages of each workspace that is to be built.
fn has_members(head: Option<&Revision<'_>>, other: &LinkSource<'_>) -> bool {
    let is_known = |revision: &Revision<'_>| revision.workspace.is_some();
    let other = match other {
        LinkSource::Build(revision) => is_known(revision),
        LinkSource::Taken(..) => true,
    };
    other && head.is_none_or(is_known)
}

/// Links both builds, each as often as the other, and adds the links to `compared`.
fn link_both(
    base: Half<'_>,
    head: Compiled<'_>,
    place: &Path,
    proofs: Proofs<'_>,
    mut compared: Compared,
) -> Result<Compared, Failure> {
    let (mut base, reason) = base.link()?;
    let (mut head, other) = head.link()?;
    let why = reason.as_ref().or(other.as_ref());
    let most = if why.is_some() { 1 } else { base.binaries.len().min(head.binaries.len()) };
    base.keep_first(most);
    head.keep_first(most);
    let note = why.map_or_else(several_links, |why| format!("one link of each side, as {why}"));
    compared.notes.push(note);
    let more = match (&head.repeated, &base.repeated) {
        (Some(head_link), Some(base_link)) if why.is_none() => {
            links::offer(place, head_link, base_link, head.binaries.len())
                .map_err(Failure::unmeasured)?
        }
        _ => None,
    };
    let both = base.repeated.as_ref().zip(head.repeated.as_ref());
    let both = both.filter(|_| compared.unchanged.is_none());
    let watched = both.and_then(|(base, head)| (proofs.reach)(base, head, &place.join("watched")));
    Ok(Compared { head, base, more, reason, watched, ..compared })
}

/// Returns a note on links that differ in the order of functions.
pub(super) fn several_links() -> String {
    "each link of either side has its functions in another order and at other places within cache lines".to_owned()
}

/// Returns why the last link of a revision cannot be repeated, whatever its target is; `None` where it may be.
pub(super) fn single_link(links: u32) -> Option<&'static str> {
    if links < 2 {
        return Some("`layouts` asks for only one");
    }
    (!cfg!(target_os = "linux")).then_some("functions can be put in another order only on Linux")
}

/// Returns a note on how both revisions were compiled.
pub(super) fn codegen_note(units: CodegenUnits, has_members: bool) -> &'static str {
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

/// One side of the comparison, before its further links are made.
enum Half<'a> {
    /// It was compiled here. Its further links are still to be made.
    Compiled(Compiled<'a>),
    /// It was linked elsewhere. If there is only one link, the text is the reason.
    Linked(Links, Option<String>),
}

impl Half<'_> {
    fn link(self) -> Result<(Links, Option<String>), Failure> {
        match self {
            Half::Compiled(compiled) => compiled.link(),
            Half::Linked(links, reason) => Ok((links, reason)),
        }
    }
}

/// The build of one revision to compare times.
struct TimedBuild<'a> {
    target: &'a Target,
    options: BuildOptions,
    revision: Revision<'a>,
    records: PathBuf,
    first_seed: u32,
}

/// A revision that was compiled to compare times.
struct Compiled<'a> {
    build: TimedBuild<'a>,
    /// The binary as cargo linked it.
    binary: PathBuf,
    /// How its link is recorded, or why there can be no further links.
    recording: Result<Recording, String>,
}

impl Compiled<'_> {
    /// Makes the links. If no further links are possible, it returns the one binary and the reason.
    fn link(self) -> Result<(Links, Option<String>), Failure> {
        let Compiled { build, mut binary, recording } = self;
        let recording = match recording {
            Ok(recording) => recording,
            Err(reason) => return Ok((Links::only(binary), Some(reason))),
        };
        let mut made = build.links(&binary);
        if made.as_ref().is_err_and(|refused| *refused == Refused::Stale) {
            // The link of this binary was not recorded. Cargo links it again once it is deleted.
            std::fs::remove_file(&binary).map_err(|e| Failure::io("remove", &binary, &e))?;
            binary = build.cargo(Some(&recording))?;
            made = build.links(&binary);
        }
        links::forget_others(&build.records, &[&binary]);
        Ok(match made {
            Ok(links) => (links, None),
            Err(refused) => (Links::only(binary), Some(refused.describe())),
        })
    }
}

impl<'a> TimedBuild<'a> {
    /// Compiles the revision, and has its link recorded where it can be repeated.
    fn compile(self) -> Result<Compiled<'a>, Failure> {
        let recording = self.recording();
        let binary = self.cargo(recording.as_ref().ok())?;
        Ok(Compiled { build: self, binary, recording })
    }

    /// Makes the first links of a binary. Links that an interrupted run has left are removed before.
    fn links(&self, binary: &Path) -> Result<Links, Refused> {
        links::clear(binary);
        let repeated = Repeated {
            records: self.records.clone(),
            binary: binary.to_owned(),
            first_seed: self.first_seed,
        };
        let mut links = Links::empty(binary, self.first_seed);
        links.plain = Some(binary.to_owned());
        links.binaries = repeated.make(1..=self.options.links.min(repeated.max_links()))?;
        links.repeated = Some(repeated);
        Ok(links)
    }

    fn cargo(&self, recording: Option<&Recording>) -> Result<PathBuf, Failure> {
        let Revision { root, side, workspace, files } = self.revision;
        let one_unit = match (self.options.units, workspace) {
            (CodegenUnits::One, Some(workspace)) => members::specs(workspace, files),
            (CodegenUnits::One | CodegenUnits::AsBuilt, _) => Vec::new(),
        };
        self.target.build_to_compare(root, side, &BuildMode { one_unit, recording })
    }

    /// Returns how the link is to be recorded, or why there can be no further links.
    fn recording(&self) -> Result<Recording, String> {
        if let Some(why) = single_link(self.options.links) {
            return Err(why.to_owned());
        }
        let Revision { root, workspace, files, .. } = self.revision;
        let package = workspace.and_then(|workspace| members::package_at(workspace, root));
        let test = package.and_then(|package| {
            package.targets.iter().find(|t| t.is_test() && t.name == self.target.test)
        });
        let source = test.ok_or("cargo does not name the source of the test")?;
        Ok(Recording {
            sources: vec![source.src_path.clone().into()],
            records: self.records.clone(),
            wrapper: files.wrapper(),
        })
    }
}
