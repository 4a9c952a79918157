//! Pairs of processes of two benchmarks that measure themselves, or of one such benchmark in two revisions. The processes
//! of a pair run one after the other on the same processor, in an order that a coin decides.
//!
//! The operations cannot be interleaved, since the loop is not ours. So the processes are as short as they can be, and
//! what the machine does meanwhile falls on either side by chance.

use std::sync::Arc;
use std::time::Duration;

use perf_budget_core::metric::Metric;
use perf_budget_core::outcome::{Cause, Unmeasured};
use perf_budget_core::reading::{ProcessRun, Work};

use super::process::{Mode, ReadyBenchmark, Run, is_rate};
use super::side::{Side, Terms, notes};
use crate::base::Links;
use crate::exec::Lengths;
use crate::meter::{Coin, Source};
use crate::os::affinity::Pin;

/// The processor time over the time of a process from which several threads count as working.
const ONE_THREAD: f64 = 1.1;

/// The pairs of a subject and its reference.
pub(super) struct ProcessPairs {
    /// The roles of the sides in messages.
    sides: [Side; 2],
    found: [ReadyBenchmark; 2],
    terms: Terms,
    coin: Coin,
    linked: Linked,
    /// The number of pairs so far. The next pair has the links of this number.
    next: usize,
    /// Notes about how both sides were built.
    notes: Vec<String>,
    state: Option<State>,
}

/// How the programs of both sides are linked.
pub(super) struct Linked {
    /// Whether the sides are two programs, so that layout differs between them.
    pub(super) are_apart: bool,
    /// Their links. `None` if there is one of each side.
    pub(super) links: Option<Arc<Links>>,
    /// How long it may take to make further links between two pairs.
    pub(super) timeout: Duration,
}

/// The facts that a first process has shown.
#[derive(Clone, Copy)]
struct State {
    mode: Mode,
    /// The number of the next processor; `None` if the benchmark uses several threads, and so runs on all.
    processor: Option<usize>,
}

impl ProcessPairs {
    pub(super) fn new(
        sides: [Side; 2],
        found: [ReadyBenchmark; 2],
        terms: Terms,
        linked: Linked,
        notes: Vec<String>,
    ) -> ProcessPairs {
        let coin = Coin::random();
        ProcessPairs { sides, found, terms, coin, linked, next: 0, notes, state: None }
    }

    /// Returns both benchmarks in the programs that the next pair runs, with the lengths that both processes have in common,
    /// and the number of their links.
    fn next_programs(&mut self) -> ([ReadyBenchmark; 2], usize) {
        let lengths = Lengths::nth(self.coin.below(Lengths::COUNT));
        let mut found = self.found.clone();
        for found in &mut found {
            found.program.lengths = Some(lengths);
        }
        let Some(links) = &self.linked.links else { return (found, 0) };
        let (builds, link) = links.of_pair(self.next);
        for (found, build) in found.iter_mut().zip(builds) {
            if let Some(build) = build {
                found.program = build.in_place_of(found.program.clone());
            }
        }
        (found, link)
    }

    /// Runs the subject once to see how it is to be run, unless that is known.
    fn state(&mut self) -> Result<State, Unmeasured> {
        if let Some(state) = self.state {
            return Ok(state);
        }
        let (mode, run) = self.terms.choose(&self.found[0])?;
        let mode =
            if self.found.iter().all(|found| found.skills.quick) { mode } else { Mode::Timed };
        let is_one_thread = run.processors.is_some_and(|share| share <= ONE_THREAD);
        let processor = is_one_thread.then(|| self.coin.below(1 << 16));
        Ok(State { mode, processor })
    }
}

impl Source for ProcessPairs {
    fn prepare(&mut self) {
        if let Some(links) = &self.linked.links {
            links.supply(self.next, self.linked.timeout);
        }
    }

    fn pending_preparation(&self) -> Option<String> {
        self.linked.links.as_ref()?.wanted(self.next)
    }

    fn measure_process(&mut self) -> Result<ProcessRun, Unmeasured> {
        if let Some(why) = self.terms.lacking(&self.found) {
            return Err(why);
        }
        let swapped = self.coin.toss();
        let State { mode, processor: count } = self.state()?;
        self.state = Some(State { mode, processor: count.map(|count| count + 1) });
        let (found, link) = self.next_programs();
        self.next += 1;
        // Both processes inherit the pin.
        let pin = count.and_then(Pin::to_nth);
        let order = if swapped { [1, 0] } else { [0, 1] };
        let mut runs = [None, None];
        for side in order {
            let run = self.terms.run(&found[side], mode);
            runs[side] = Some(run.map_err(|why| self.sides[side].with_role(why))?);
        }
        let processor = pin.map(|(cpu, _)| cpu);
        let [Some(subject), Some(reference)] = runs else {
            return Err(Unmeasured::new(Cause::Harness, "a side was not run"));
        };
        same_name(&self.found, [&subject, &reference])?;
        let mut process = ProcessRun {
            elapsed: subject.elapsed + reference.elapsed,
            waited: subject.waited.zip(reference.waited).map(|(x, y)| f64::midpoint(x, y)),
            preempted: subject.preempted.zip(reference.preempted).map(|(x, y)| x + y),
            pinned: processor,
            links: self.linked.are_apart.then_some([link, link]),
            work: subject.work.as_ref().copied().unwrap_or_default(),
            ..ProcessRun::default()
        };
        for metric in &self.terms.metrics {
            if let Some(why) = self.found.iter().find_map(|found| found.why_unmeasurable(metric)) {
                process.unmeasured.insert(metric.clone(), why);
                continue;
            }
            let (x, y) = sides(metric, &subject, &reference)?;
            process.values.insert(metric.clone(), x / y);
            process.sides.insert(metric.clone(), (x, y));
        }
        process.notes = notes(&[&found[0], &found[1]], mode, &subject);
        process.notes.extend(self.notes.iter().cloned());
        process.notes.extend(self.linked.links.as_ref().and_then(|links| links.failure()));
        if !cfg!(unix) {
            let note = "the paths of the two sides may differ in length, which moves what they hold in memory, and so changes their times";
            process.notes.push(note.to_owned());
        }
        process.notes.push(match processor {
            Some(_) => "both run one after the other on one processor".to_owned(),
            None => "both run one after the other, on any processor".to_owned(),
        });
        Ok(process)
    }
}

/// Refuses two different benchmarks whose long names begin alike, since Criterion knows them by their first 100 bytes only.
fn same_name(found: &[ReadyBenchmark; 2], runs: [&Run; 2]) -> Result<(), Unmeasured> {
    let [Some(subject), Some(reference)] = runs.map(|run| run.name.as_ref()) else {
        return Ok(());
    };
    // The names of two benchmarks that a budget compares with each other always differ.
    if found[0].name != found[1].name || subject == reference {
        return Ok(());
    }
    let text = format!(
        "the benchmark `{}` is not the same on both sides: it is `{subject}` here and `{reference}` at the reference, and \
         Criterion lists both by their beginning; give it a name of less than 100 bytes",
        found[0].name
    );
    Err(Unmeasured::new(Cause::Unsuitable, text))
}

/// Returns the values of both sides.
fn sides(metric: &Metric, subject: &Run, reference: &Run) -> Result<(f64, f64), Unmeasured> {
    if is_rate(metric)
        && let (Ok(a), Ok(b)) = (&subject.work, &reference.work)
        && matches!(a, Work::Bytes(_)) != matches!(b, Work::Bytes(_))
    {
        let text = "the throughput of one of the two is in bytes and that of the other in elements: count the same in \
                    both";
        return Err(Unmeasured::new(Cause::Unsuitable, text));
    }
    Ok((subject.compared_value(metric)?, reference.compared_value(metric)?))
}
