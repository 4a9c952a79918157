//! The comparison of two benchmarks, or of one in two revisions. Where the programs of both serve them, their operations
//! are interleaved as those of workloads are; otherwise whole processes alternate.

use std::cell::LazyCell;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use perf_budget_core::outcome::Unmeasured;
use perf_budget_core::reading::ProcessRun;

use super::pairs::{Linked, ProcessPairs};
use super::process::ReadyBenchmark;
use super::served::{of_benchmark, served};
use super::side::{Side, Terms};
use crate::base::Links;
use crate::exec::Changes;
use crate::meter::interleaved::{self, Interleaved};
use crate::meter::{Coin, Source};
use crate::subject::pairs::{PairSide, SAME_PROGRAM, SHORTEST_PAIR, WorkloadPairs};
use crate::worker::process::{Request, is_same_program};

/// How both revisions of a benchmark were built.
#[derive(Clone)]
pub(super) struct Revisions {
    /// The notes for every comparison.
    pub(super) notes: Vec<String>,
    /// The links of both programs. `None` if there is one of each side.
    pub(super) links: Option<Arc<Links>>,
}

/// The pairs of a subject and its reference.
pub(in crate::subject) struct BenchmarkPairs {
    sides: [Side; 2],
    terms: Terms,
    /// How both revisions were built. `None` if both sides are of this revision.
    revisions: Option<Revisions>,
    /// How long it may take to make further links between two pairs.
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
        let Revisions { mut notes, links } =
            self.revisions.clone().unwrap_or(Revisions { notes: Vec::new(), links: None });
        // This reads both programs whole, so it is only done when it is needed.
        let is_same =
            LazyCell::new(|| is_same_program(&found[0].program.binary, &found[1].program.binary));
        // One program on both sides has the same layout on both, so it needs no other links.
        let links = links.filter(|_| !*is_same);
        // Two processes can be interleaved on Unix only.
        if cfg!(unix) && found.iter().all(|found| found.skills.serves) {
            return Ok(self.interleaved(&found, links, notes));
        }
        let are_linked_apart = self.revisions.is_some() && !*is_same;
        if self.revisions.is_some() && !are_linked_apart {
            notes.push(SAME_PROGRAM.to_owned());
        }
        let (sides, terms) = (self.sides.clone(), self.terms.clone());
        let linked = Linked { are_apart: are_linked_apart, links, timeout: self.build_timeout };
        Ok(Box::new(ProcessPairs::new(sides, found, terms, linked, notes)))
    }

    fn interleaved(
        &self,
        found: &[ReadyBenchmark; 2],
        links: Option<Arc<Links>>,
        mut notes: Vec<String>,
    ) -> Box<dyn Source> {
        let builds = [0, 1].map(|side| found[side].build(&self.terms.scratch));
        let side = |nth: usize| PairSide {
            // An operation that fails ends its pair, so that failures need not be counted.
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
        let single = || {
            let [head, base] = builds.clone();
            let place = (PathBuf::new(), Changes::new());
            Arc::new(Links::new(vec![head], vec![base], place, None))
        };
        let links = links.or_else(|| self.revisions.as_ref().map(|_| single()));
        let metrics = self.terms.metrics.clone();
        let pairs = WorkloadPairs {
            sides,
            links,
            next: 0,
            build_timeout: self.build_timeout,
            wants: interleaved::requirements(&metrics),
            scratch: self.terms.scratch.clone(),
            timeout: self.terms.timeout,
            place: None,
            slice: SHORTEST_PAIR,
            notes,
        };
        Box::new(Interleaved { pairs: Box::new(pairs), metrics, coin: Coin::random() })
    }
}

impl Source for BenchmarkPairs {
    fn prepare(&mut self) {
        if self.pairs.is_none() {
            // If this fails, the first turn tries again and reports the reason.
            self.pairs = self.make().ok();
        }
        if let Some(pairs) = &mut self.pairs {
            pairs.prepare();
        }
    }

    fn pending_preparation(&self) -> Option<String> {
        self.pairs.as_ref()?.pending_preparation()
    }

    fn measure_process(&mut self) -> Result<ProcessRun, Unmeasured> {
        let made = self.pairs.take().map_or_else(|| self.make(), Ok)?;
        let pairs = self.pairs.insert(made);
        let named = |why, side: &Side| of_benchmark(&side.name, why);
        pairs.measure_process().map_err(|why| self.sides.iter().fold(why, named))
    }

    fn burst(&self) -> Duration {
        self.pairs.as_ref().map_or(Duration::ZERO, |pairs| pairs.burst())
    }
}
