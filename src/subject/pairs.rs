//! The pairs of two workloads, or of one workload in two revisions: which builds a pair runs, where, and for how long.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use perf_budget_core::outcome::Unmeasured;

use super::request::LONGEST_SLICE;
use crate::base::Links;
use crate::exec::Lengths;
use crate::meter::Coin;
use crate::meter::interleaved::Pairs;
use crate::worker::pair::{self, Pair, Place, Requirements, Side, Terms};
use crate::worker::process::{Build, Request};

/// The shortest measuring time of a pair. Many short pairs give more evidence than a few long ones.
pub(super) const SHORTEST_PAIR: Duration = Duration::from_millis(30);
/// The share of the measured time up to which the processor time of other threads and of children is ignored. If they
/// use more, an operation counts as one of several threads. A smaller share cannot be told from the kernel's own
/// work, because turns are short.
const IGNORED_SHARE: f64 = 0.1;
/// The measuring time of the first pair, which shows whether operations use several threads.
const PILOT: Duration = Duration::from_millis(10);

/// The note where both sides are one and the same program.
pub(super) const SAME_PROGRAM: &str = "both sides are the same program, so layout is the same";

/// One side of an interleaved comparison.
pub(super) struct PairSide {
    pub(super) request: Request,
    /// The name of this side in messages, if it is the reference.
    pub(super) role: Option<String>,
    /// The program of a benchmark, and how it is run. `None` for a workload of a test binary.
    pub(super) program: Option<Build>,
}

impl PairSide {
    /// Returns the side in this build, or in its own program, or in the binary of this process. A link of a program of
    /// benchmarks runs as the program does. The process of the side is padded to these lengths.
    fn in_build(&self, build: Option<Build>, lengths: Lengths) -> Result<Side, Unmeasured> {
        let build = match (build, self.program.clone()) {
            (Some(link), Some(program)) => link.in_place_of(program),
            (Some(build), None) | (None, Some(build)) => build,
            (None, None) => Build::this()?,
        };
        Ok(Side {
            build: build.alike(lengths),
            request: self.request.clone(),
            role: self.role.clone(),
        })
    }
}

/// The pairs of two workloads, or of one workload in two revisions.
pub(super) struct WorkloadPairs {
    /// The subject and its reference.
    pub(super) sides: [PairSide; 2],
    /// The links of both revisions. `None` if both sides are workloads of this binary, which has one link.
    pub(super) links: Option<Arc<Links>>,
    /// The number of pairs so far. The next pair has the links of this number.
    pub(super) next: usize,
    /// How long it may take to make further links between two pairs.
    pub(super) build_timeout: Duration,
    pub(super) wants: Requirements,
    pub(super) scratch: PathBuf,
    pub(super) timeout: Duration,
    /// The processors that the pairs run on. `None` until a first pair has shown whether operations use several
    /// threads.
    pub(super) place: Option<Place>,
    /// The measuring time of the next pair.
    pub(super) slice: Duration,
    /// The notes about how both sides were built.
    pub(super) notes: Vec<String>,
}

impl WorkloadPairs {
    fn measure(
        &self,
        swapped: bool,
        coin: &mut Coin,
        (wants, slice, place): (Requirements, Duration, Place),
    ) -> Result<Pair, Unmeasured> {
        let ([subject, reference], link) = match &self.links {
            Some(links) => {
                let (builds, link) = links.of_pair(self.next);
                (builds, Some(link))
            }
            None => ([None, None], None),
        };
        let lengths = Lengths::nth(coin.below(Lengths::COUNT));
        let subject = self.sides[0].in_build(subject, lengths)?;
        let reference = self.sides[1].in_build(reference, lengths)?;
        let slots = if swapped { [&reference, &subject] } else { [&subject, &reference] };
        let terms = Terms { wants, slice, place, timeout: self.timeout, scratch: &self.scratch };
        let mut pair = pair::measure(slots, &terms, coin.toss())?;
        // Both sides have the link of the same number.
        let linked = self.links.as_ref().filter(|links| !links.are_same());
        pair.links = link.filter(|_| linked.is_some()).map(|link| [link, link]);
        if link.is_some() && linked.is_none() {
            pair.notes.push(SAME_PROGRAM.to_owned());
        }
        pair.notes.extend(self.notes.iter().cloned());
        pair.notes.extend(self.links.as_ref().and_then(|links| links.failure()));
        Ok(pair)
    }
}

impl Pairs for WorkloadPairs {
    fn prepare(&mut self) {
        if let Some(links) = &self.links {
            links.supply(self.next, self.build_timeout);
        }
    }

    fn pending_preparation(&self) -> Option<String> {
        self.links.as_ref()?.wanted(self.next)
    }

    fn measure_pair(&mut self, swapped: bool, coin: &mut Coin) -> Result<Pair, Unmeasured> {
        let place = if let Some(place) = self.place {
            place
        } else {
            // A first pair shows whether one processor is enough for each side. It runs unpinned, because a side that
            // is pinned to one processor may not start threads that it would start otherwise.
            let wants = Requirements { fewest: 0, ..self.wants };
            let pilot = self.measure(swapped, coin, (wants, PILOT, Place::Free))?;
            let uses_one_thread = pilot.others.is_some_and(|others| others <= IGNORED_SHARE);
            if uses_one_thread { Place::Core(coin.below(1 << 16)) } else { Place::Free }
        };
        let pair = self.measure(swapped, coin, (self.wants, self.slice, place))?;
        self.next += 1;
        // Each pair has to be set up again. So it measures for about as long as its set-up takes.
        self.slice = pair.elapsed.saturating_sub(self.slice).clamp(SHORTEST_PAIR, LONGEST_SLICE);
        self.place = Some(match place {
            Place::Core(count) => Place::Core(count + 1),
            Place::Free => Place::Free,
        });
        Ok(pair)
    }
}
