//! The comparison of two benchmarks, or of one in two revisions. Where the programs of both serve them, their operations
//! are interleaved as those of workloads are; otherwise whole processes alternate.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use perf_budget_core::outcome::{Cause, Unmeasured};
use perf_budget_core::reading::ProcessRun;

use super::pairs::ProcessPairs;
use super::process::Found;
use super::served::{of_benchmark, served};
use super::side::{Side, Terms};
use crate::base::Links;
use crate::exec::Changes;
use crate::meter::interleaved::{self, Interleaved};
use crate::meter::{Coin, Source};
use crate::subject::pairs::{PairSide, SHORTEST_PAIR, WorkloadPairs};
use crate::worker::process::{Build, Request};

/// What a comparison with the base knows about the builds of both revisions.
#[derive(Debug, Clone, Default)]
pub(super) struct Revisions {
    /// The notes about how both sides were built.
    pub(super) notes: Vec<String>,
}

/// The pairs of a subject and its reference.
pub(in crate::subject) struct BenchmarkPairs {
    sides: [Side; 2],
    terms: Terms,
    /// `None` if both sides are of this revision.
    revisions: Option<Revisions>,
    /// How long the links may take that are made between two pairs.
    build_timeout: Duration,
    /// The pairs, once both sides are built.
    pairs: Option<Box<dyn Source>>,
}

impl BenchmarkPairs {
    pub(super) fn new(
        sides: [Side; 2],
        terms: Terms,
        revisions: Option<Revisions>,
        build_timeout: Duration,
    ) -> BenchmarkPairs {
        BenchmarkPairs { sides, terms, revisions, build_timeout, pairs: None }
    }

    /// Builds both sides, and returns their pairs.
    fn make(&self) -> Result<Box<dyn Source>, Unmeasured> {
        let found = [self.sides[0].find()?, self.sides[1].find()?];
        let notes = self.revisions.iter().flat_map(|of| of.notes.iter().cloned());
        let mut notes: Vec<String> = notes.collect();
        // Only there can two processes be interleaved.
        if cfg!(unix) && found.iter().all(|found| found.skills.serves) {
            return Ok(self.interleaved(&found, notes));
        }
        let mut are_linked_apart = self.revisions.is_some();
        if are_linked_apart && are_same_bytes(&found) {
            are_linked_apart = false;
            notes.push("both sides are the same program, so layout is the same".to_owned());
        }
        let (sides, terms) = (self.sides.clone(), self.terms.clone());
        Ok(Box::new(ProcessPairs::new(sides, found, terms, are_linked_apart, notes)))
    }

    fn interleaved(&self, found: &[Found; 2], mut notes: Vec<String>) -> Box<dyn Source> {
        let builds = [0, 1].map(|side| found[side].build(&self.terms.scratch));
        let side = |nth: usize| PairSide {
            // What fails in a pair ends it, so that no failure has to be counted.
            request: Request {
                metrics: Vec::new(),
                paired: true,
                ..self.terms.request_for(&found[nth])
            },
            role: self.sides[nth].role.clone(),
            program: Some(builds[nth].clone()),
        };
        let sides = [side(0), side(1)];
        notes.insert(0, served(found[0].library));
        notes.insert(0, found[0].note.clone());
        let links = self.revisions.as_ref().map(|_| {
            let [head, base] = builds.clone().map(|build| Build::of(build.binary, None));
            let place = (PathBuf::new(), Changes::new());
            Arc::new(Links::new(vec![head], vec![base], place, None))
        });
        let metrics = self.terms.metrics.clone();
        let pairs = WorkloadPairs {
            sides,
            links,
            next: 0,
            build_timeout: self.build_timeout,
            wants: interleaved::wants(&metrics),
            scratch: self.terms.scratch.clone(),
            timeout: self.terms.timeout,
            place: None,
            slice: SHORTEST_PAIR,
            notes,
        };
        Box::new(Interleaved { pairs: Box::new(pairs), metrics, coin: Coin::random() })
    }
}

/// Whether both sides are one and the same program, in which every function lies at the same place.
fn are_same_bytes([subject, reference]: &[Found; 2]) -> bool {
    let content = |found: &Found| std::fs::read(&found.binary).ok();
    subject.binary == reference.binary
        || content(subject).is_some_and(|bytes| Some(bytes) == content(reference))
}

impl Source for BenchmarkPairs {
    fn prepare(&mut self) {
        if self.pairs.is_none() {
            // The first turn tries again, and reports why it cannot be.
            self.pairs = self.make().ok();
        }
        if let Some(pairs) = &mut self.pairs {
            pairs.prepare();
        }
    }

    fn lacks(&self) -> Option<String> {
        self.pairs.as_ref()?.lacks()
    }

    fn measure_process(&mut self) -> Result<ProcessRun, Unmeasured> {
        if self.pairs.is_none() {
            self.pairs = Some(self.make()?);
        }
        let pairs = self.pairs.as_mut();
        let pairs = pairs.ok_or_else(|| Unmeasured::new(Cause::Harness, "no pairs"))?;
        let named = |why, side: &Side| of_benchmark(&side.name, why);
        pairs.measure_process().map_err(|why| self.sides.iter().fold(why, named))
    }

    fn burst(&self) -> Duration {
        self.pairs.as_ref().map_or(Duration::ZERO, |pairs| pairs.burst())
    }
}
