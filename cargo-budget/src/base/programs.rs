//! The programs of benchmarks that are not the same in both revisions. Their links are recorded so that they can be repeated:
//! chance in the addresses of functions must not decide a comparison. Copies of the programs show what a benchmark reaches.
//!
//! Nothing is linked here. The harness has the links of a program made when it measures one of the program's benchmarks.

use std::path::{Path, PathBuf};

use perf_budget_core::benchmarks::Program;
use perf_budget_core::build::Benches;
use perf_budget_core::handover::{DifferentProgram, Watched};

use super::compared::{Links, Revision, several_links, single_link};
use crate::failure::Failure;
use crate::links::{self, Recording, Refused, Repeated};

/// The recording of the last links of one revision's bench targets.
pub(super) struct Recorder {
    /// The directory for the records.
    records: PathBuf,
    /// How the links are recorded, or why there can be no further links.
    recording: Result<Recording, String>,
}

impl Recorder {
    /// Returns the recorder of a revision. `links` is the number of links of it that the budgets ask for.
    pub(super) fn new(
        revision: Revision<'_>,
        records: &Path,
        links: u32,
    ) -> Result<Recorder, Failure> {
        // The linker and the compiler run in other directories than this command.
        let records =
            std::path::absolute(records).map_err(|e| Failure::io("resolve", records, &e))?;
        let recording = || -> Result<Recording, String> {
            if let Some(why) = single_link(links) {
                return Err(why.to_owned());
            }
            let workspace =
                revision.workspace.ok_or("cargo does not name the sources of the benchmarks")?;
            let targets = workspace.workspace_packages().into_iter().flat_map(|own| &own.targets);
            Ok(Recording {
                sources: targets
                    .filter(|t| t.is_bench())
                    .map(|t| t.src_path.clone().into())
                    .collect(),
                records: records.clone(),
                wrapper: revision.files.wrapper(),
            })
        };
        let recording = recording();
        Ok(Recorder { records, recording })
    }

    /// Builds the benchmarks by `build`. Those whose link was not recorded are built once more.
    pub(super) fn build(
        &self,
        build: &dyn Fn(Option<&Recording>) -> Result<Benches, Failure>,
    ) -> Result<Benches, Failure> {
        let Ok(recording) = &self.recording else { return build(None) };
        let built = build(Some(recording))?;
        let binaries = || built.built.iter().map(|bench| bench.binary.as_path());
        let is_stale = |binary: &&Path| self.repeated(binary, 1).check() == Err(Refused::Stale);
        let stale: Vec<&Path> = binaries().filter(is_stale).collect();
        links::forget_others(&self.records, &binaries().collect::<Vec<_>>());
        if stale.is_empty() {
            return Ok(built);
        }
        for binary in stale {
            // Cargo links it again once it is deleted.
            std::fs::remove_file(binary).map_err(|e| Failure::io("remove", binary, &e))?;
        }
        build(Some(recording))
    }

    fn repeated(&self, binary: &Path, first_seed: u32) -> Repeated {
        Repeated { records: self.records.clone(), binary: binary.to_owned(), first_seed }
    }

    /// Returns how the link of a program is repeated, or why it is not.
    fn repeated_link(&self, program: &Program, first_seed: u32) -> Result<Repeated, String> {
        self.recording.as_ref().map_err(Clone::clone)?;
        let repeated = self.repeated(&program.binary, first_seed);
        repeated.check().map_err(Refused::describe)?;
        Ok(repeated)
    }
}

/// The programs of both revisions that differ.
pub(super) struct Differing<'a> {
    /// The recorders of this revision and of the base.
    pub(super) recorders: [&'a Recorder; 2],
    /// The number of links of each side that are made first.
    pub(super) first: u32,
    /// The directory for the copies and for the records of links.
    pub(super) place: &'a Path,
    /// Prepares the proof that a benchmark reaches nothing that differs, from the links of the base and of this revision.
    pub(super) reach: &'a dyn Fn([&Repeated; 2], &Path) -> Option<Watched>,
}

impl Differing<'_> {
    /// Prepares the comparison of a program of this revision with that of the base. The links that the harness has made are
    /// deleted when the second value is dropped.
    pub(super) fn prepare(
        &self,
        head: &Program,
        base: &Program,
    ) -> Result<(DifferentProgram, Vec<Links>), Failure> {
        let seed = links::fresh_seed();
        let [of_head, of_base] = self.recorders;
        let both = of_head
            .repeated_link(head, seed)
            .and_then(|link| Ok([link, of_base.repeated_link(base, seed)?]));
        let program = head.written.clone();
        let alone = |why: &str| DifferentProgram {
            program: program.clone(),
            links: None,
            first: 0,
            notes: vec![format!("one link of each side, as {why}")],
            watched: None,
        };
        let [head, base] = match both {
            Ok(both) => both,
            Err(why) => return Ok((alone(&why), Vec::new())),
        };
        for link in [&head, &base] {
            links::clear(&link.binary);
        }
        let links = [&head, &base].map(|link| Links::empty(&link.binary, seed)).into();
        let name = head.binary.file_name().unwrap_or_default();
        let watched = (self.reach)([&base, &head], &self.place.join("watched").join(name));
        let more = links::offer(self.place, &head, &base, 0).map_err(Failure::unmeasured)?;
        let prepared = match more {
            Some(more) => DifferentProgram {
                first: (self.first as usize).min(more.most as usize),
                links: Some(more),
                notes: vec![several_links()],
                watched,
                program,
            },
            None => DifferentProgram { watched, ..alone("there is room for no other") },
        };
        Ok((prepared, links))
    }
}
