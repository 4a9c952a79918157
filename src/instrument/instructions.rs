//! The instructions of one operation, after a warm-up, without set-up and harness.
//!
//! The processor counts them, where the system has such a counter and lets a program read it; or callgrind does, a tool of
//! Valgrind, under which the harness has then started this process. Callgrind's counts are exact, and tell functions
//! apart: the part of the allocator depends on all that the heap has seen before, and is reported beside the rest. The
//! processor's differ by a few, and contain the allocator.

use std::path::{Path, PathBuf};
#[cfg(target_os = "linux")]
use std::sync::OnceLock;

use perf_budget_core::callgrind::{ALLOCATOR_RULE, Profile, is_allocator, total};
use perf_budget_core::metric::{Key, Metric};
use perf_budget_core::outcome::{Cause, Counted, RULE, Unmeasured};
use perf_budget_core::reading::ProcessRun;

use crate::instrument::heap;
use crate::instrument::laps::{Instrument, Remaining, Repeat};
#[cfg(target_os = "linux")]
use crate::os::counter::Counter;
use crate::os::valgrind::{Request, request};

/// The note on callgrind's counts in a program that is linked statically: no library can be put into such a program.
const RANDOM: &str = "instructions: this program is linked statically, so the seeds of its hash maps are random, and two processes that \
                      use some differ";

/// The number of operations that are counted after the first two. It is always the same, as for allocations.
const OPERATIONS: usize = 10;

/// The counter of this process; it has to be there before the workload starts threads.
#[cfg(target_os = "linux")]
static COUNTER: OnceLock<Result<Counter, String>> = OnceLock::new();

/// Returns the metric `instructions`, for a profile without a limit.
pub(crate) fn metric() -> Metric {
    Metric::from(Key::Instructions)
}

/// Starts the counter of the processor; called before the workload runs. Under Valgrind there is none to start.
pub(crate) fn begin() {
    #[cfg(target_os = "linux")]
    if request(Request::IsRunning) == 0 {
        COUNTER.get_or_init(|| Counter::of_instructions().map_err(|error| error.to_string()));
    }
}

/// Whether the processor counts instructions for this process, which a harness asks before it starts another one.
pub(crate) fn has_hardware() -> bool {
    #[cfg(target_os = "linux")]
    let found = Counter::of_instructions().is_ok_and(|counter| {
        matches!(counter.read(), Ok(Some(before)) if matches!(counter.read(), Ok(Some(after)) if after > before))
    });
    #[cfg(not(target_os = "linux"))]
    let found = false;
    found
}

/// The instrument that counts the instructions of operations.
pub(crate) struct Instructions {
    remaining: Remaining,
    source: CountSource,
    laps: Vec<Lap>,
    /// The number of operations during which the processor's counter was not available all the time.
    missed: usize,
}

/// The counts of one operation.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Lap {
    /// Its instructions, without the allocator's where these are known.
    own: u64,
    /// The allocator's.
    allocator: Option<u64>,
}

/// What counts the instructions.
enum CountSource {
    #[cfg(target_os = "linux")]
    Hardware {
        counter: &'static Counter,
        before: Option<u64>,
        lap: Option<u64>,
    },
    Callgrind(Dumps),
}

/// The files that callgrind writes, one for each request.
struct Dumps {
    /// The path of the files, without their numbers.
    path: PathBuf,
    /// How many have been written.
    written: usize,
    /// The files of the operations that count.
    kept: Vec<usize>,
    /// The file of an empty operation, which has what the measuring itself adds to each operation, until it is read.
    empty: Option<usize>,
    /// The instructions of that operation; 0 before they are read.
    overhead: u64,
    /// Whether the files are left for the harness, which reads the whole profile.
    is_profile: bool,
    /// The version of callgrind, as it writes it.
    creator: String,
    /// Why the last dump could not be read.
    broken: Option<String>,
}

impl Instructions {
    /// Makes the instrument. `dumps` is the path at which callgrind writes, if the harness has started this process under
    /// it, and whether the harness reads the files.
    ///
    /// # Errors
    /// If nothing here counts instructions.
    pub(crate) fn new(repeat: Repeat, dumps: Option<(&Path, bool)>) -> Result<Self, Unmeasured> {
        let source = match dumps {
            Some((path, is_profile)) => {
                if is_profile {
                    heap::mark();
                }
                CountSource::Callgrind(Dumps::new(path, is_profile)?)
            }
            None => hardware()?,
        };
        let remaining = Remaining::new(repeat, 2, OPERATIONS);
        let laps = Vec::with_capacity(remaining.counted());
        let mut instructions = Instructions { remaining, source, laps, missed: 0 };
        if repeat == Repeat::Once {
            instructions.start_counting();
        }
        Ok(instructions)
    }

    /// Makes callgrind count from now on, and counts an empty operation. The dump of that operation is read after all dumps are
    /// written, since reading it would change the heap that the operations find, by a length that depends on the program's path.
    fn start_counting(&mut self) {
        if !matches!(self.source, CountSource::Callgrind(_)) {
            return;
        }
        request(Request::Begin);
        let seen: &mut dyn Instrument = std::hint::black_box(self);
        seen.start();
        seen.stop();
        match &mut self.source {
            #[cfg(target_os = "linux")]
            CountSource::Hardware { .. } => {}
            CountSource::Callgrind(dumps) => dumps.empty = Some(dumps.written),
        }
    }
}

/// Returns the counter of the processor, which [`begin`] has started.
fn hardware() -> Result<CountSource, Unmeasured> {
    #[cfg(target_os = "linux")]
    let why = match COUNTER.get() {
        Some(Ok(counter)) => return Ok(CountSource::Hardware { counter, before: None, lap: None }),
        Some(Err(error)) => error.as_str(),
        None => "this process runs under Valgrind, which was not started to count",
    };
    #[cfg(not(target_os = "linux"))]
    let why = "this system has none that a program may read";
    let text = format!("failed to read the processor's counter of instructions: {why}");
    Err(Unmeasured::new(Cause::Unsupported, text))
}

impl Dumps {
    fn new(path: &Path, is_profile: bool) -> Result<Dumps, Unmeasured> {
        if request(Request::IsRunning) == 0 {
            let text = "failed to count instructions: the process was started under Valgrind and does not run under it";
            return Err(Unmeasured::new(Cause::Harness, text));
        }
        Ok(Dumps {
            path: path.to_owned(),
            written: 0,
            kept: Vec::with_capacity(OPERATIONS),
            empty: None,
            overhead: 0,
            is_profile,
            creator: String::new(),
            broken: None,
        })
    }

    fn place(&self, number: usize) -> PathBuf {
        let mut path = self.path.clone().into_os_string();
        path.push(format!(".{number}"));
        path.into()
    }

    /// Returns what a dump says of the operation. `None` if it cannot be read, and then `broken` says why.
    fn read(&mut self, number: usize) -> Option<Lap> {
        if self.is_profile {
            return self.parsed(number);
        }
        if let Some(empty) = self.empty.take() {
            self.overhead = self.parsed(empty).map_or(0, |lap| lap.own);
        }
        let lap = self.parsed(number)?;
        Some(Lap { own: lap.own.saturating_sub(self.overhead), ..lap })
    }

    /// Returns what a dump says. `None` if it cannot be read, and then `broken` says why.
    fn parsed(&mut self, number: usize) -> Option<Lap> {
        let place = self.place(number);
        let text = std::fs::read_to_string(&place).map_err(|error| error.to_string());
        let read = text.and_then(|text| {
            if self.is_profile {
                // To read all of it takes long under Valgrind, and the harness does it.
                return Ok(Lap { own: total(&text)?, allocator: None });
            }
            let profile = Profile::parse(&text)?;
            let allocator = profile.inclusive(is_allocator);
            let own = profile.total() - allocator;
            self.creator = profile.creator;
            Ok(Lap { own, allocator: Some(allocator) })
        });
        // The path may be longer than it needs to be.
        let short = || place.components().collect::<PathBuf>();
        read.map_err(|why| self.broken = Some(format!("`{}`: {why}", short().display()))).ok()
    }

    /// Reads the dumps of the operations that count.
    fn finish(&mut self, laps: &mut Vec<Lap>) -> Result<(), Unmeasured> {
        for number in std::mem::take(&mut self.kept) {
            let lap = self.read(number);
            laps.extend(lap);
        }
        self.broken.take().map_or(Ok(()), |why| {
            let text = format!("failed to read what callgrind counted: {why}; is the disk full?");
            Err(Unmeasured::new(Cause::Harness, text))
        })
    }
}

/// Returns the words for a count by callgrind: what the number of instructions depends on besides the code.
pub(crate) fn by_callgrind(creator: &str) -> String {
    #[cfg(target_arch = "x86_64")]
    let level = if std::arch::is_x86_feature_detected!("avx2") {
        "x86-64-v3"
    } else if std::arch::is_x86_feature_detected!("sse4.2") {
        "x86-64-v2"
    } else {
        "x86-64"
    };
    #[cfg(not(target_arch = "x86_64"))]
    let level = std::env::consts::ARCH;
    let creator = creator.replacen('-', " ", 1);
    format!("{creator}, {}, {level}, {RULE}{ALLOCATOR_RULE}", c_library())
}

#[cfg(target_os = "linux")]
use crate::os::kernel::c_library;

#[cfg(not(target_os = "linux"))]
fn c_library() -> &'static str {
    std::env::consts::OS
}

/// Returns the instructions between two readings; `None` if a reading is missing. Every operation has instructions, so 0 is
/// not a count either.
#[cfg(target_os = "linux")]
fn between(before: Option<u64>, after: Option<u64>) -> Option<u64> {
    let counted = after.zip(before).map(|(after, before)| after.saturating_sub(before));
    counted.filter(|&instructions| instructions > 0)
}

/// Fails if there is no count because the counter was away in each of the operations.
fn unless_missed(missed: usize) -> Result<(), Unmeasured> {
    if missed == 0 {
        return Ok(());
    }
    let text = format!(
        "failed to count instructions: the processor's counter was away in each of {missed} operations; either others use it, or the \
         processors here are of two kinds, each with a counter of its own; measure with PERF_BUDGET_COUNTER=callgrind, or start \
         the tests on one kind (`taskset`)"
    );
    Err(Unmeasured::new(Cause::Unsupported, text))
}

impl Instrument for Instructions {
    fn next(&mut self) -> Option<usize> {
        self.remaining.next()
    }

    #[inline]
    fn start(&mut self) {
        match &mut self.source {
            #[cfg(target_os = "linux")]
            CountSource::Hardware { counter, before, .. } => {
                *before = counter.read().ok().flatten();
            }
            CountSource::Callgrind(_) => {
                request(Request::Zero);
            }
        }
    }

    #[inline]
    fn stop(&mut self) {
        match &mut self.source {
            #[cfg(target_os = "linux")]
            CountSource::Hardware { counter, before, lap } => {
                let after = counter.read().ok().flatten();
                *lap = between(*before, after);
            }
            CountSource::Callgrind(dumps) => {
                request(Request::Dump);
                dumps.written += 1;
            }
        }
    }

    fn record(&mut self, _operations: usize, failed: usize) {
        let counts = self.remaining.passes();
        match &mut self.source {
            #[cfg(target_os = "linux")]
            CountSource::Hardware { lap, .. } => {
                let own = lap.filter(|_| counts && failed == 0);
                self.missed += usize::from(counts && failed == 0 && own.is_none());
                self.laps.extend(own.map(|own| Lap { own, allocator: None }));
            }
            CountSource::Callgrind(dumps) if counts && failed == 0 => {
                dumps.kept.push(dumps.written);
            }
            CountSource::Callgrind(_) => {}
        }
        if self.remaining.is_last_warm_up() {
            self.start_counting();
        }
    }

    fn counted(&mut self) -> Option<f64> {
        match &mut self.source {
            #[cfg(target_os = "linux")]
            CountSource::Hardware { lap, .. } => {
                lap.filter(|_| self.remaining.is_warm()).map(|lap| lap as f64)
            }
            CountSource::Callgrind(dumps) if self.remaining.is_warm() => {
                dumps.read(dumps.written).map(|lap| lap.own as f64)
            }
            CountSource::Callgrind(_) => None,
        }
    }

    fn finish(&mut self, process: &mut ProcessRun) -> Result<(), Unmeasured> {
        let mut by = format!("the processor's counter, {}", std::env::consts::ARCH);
        #[cfg_attr(
            not(target_os = "linux"),
            expect(irrefutable_let_patterns, reason = "only Linux has another counter")
        )]
        if let CountSource::Callgrind(dumps) = &mut self.source {
            request(Request::Stop);
            dumps.finish(&mut self.laps)?;
            by = by_callgrind(&dumps.creator);
        }
        let Some(first) = self.laps.first() else { return unless_missed(self.missed) };
        let exact = first.allocator.is_some();
        let mut own: Vec<u64> = self.laps.iter().map(|lap| lap.own).collect();
        own.sort_unstable();
        let (least, most) = (own[0], own[own.len() - 1]);
        let mean = |sum: u64| sum as f64 / self.laps.len() as f64;
        // A disturbance can only add to the counter of a processor, and most operations are not disturbed. So the
        // median counts.
        let value = if exact { mean(own.iter().sum()) } else { own[own.len() / 2] as f64 };
        process.values.insert(Key::Instructions, value);
        if least != most {
            process.notes.push(format!(
                "instructions: {} of {} operations that differ ({least} to {most})",
                if exact { "mean" } else { "median" },
                own.len()
            ));
        }
        if cfg!(target_feature = "crt-static") && exact {
            process.notes.push(RANDOM.to_owned());
        }
        let allocator = self.laps.iter().map(|lap| lap.allocator).sum::<Option<u64>>().map(mean);
        process.counted = Some(Counted { by, allocator });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn only_complete_readings_are_counted() {
        assert_eq!(between(Some(100), Some(117)), Some(17));
        // On processors of two kinds the counter stands still, or was away, while the other kind runs the thread.
        for (before, after) in [(Some(100), Some(100)), (None, Some(117)), (Some(100), None)] {
            assert_eq!(between(before, after), None);
        }
    }

    #[test]
    fn a_counter_that_is_always_away_is_a_reason() {
        assert_eq!(unless_missed(0), Ok(()));
        let why = unless_missed(10).unwrap_err();
        assert!(why.text.contains("each of 10") && why.text.contains("callgrind"), "{why}");
    }
}
