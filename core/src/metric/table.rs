//! The table of metrics: one row for each metric or family; and that of the instruments of workloads.
//!
//! To add a metric, add its row here, in the order in which messages name it. Its instrument writes the value under
//! [`Key`]; the columns answer everything else that is asked of a metric. A new instrument has a row too.

use super::column::{
    Better, ExplainedBy, Halved, Inject, InstrumentRow, Judged, MeasuredOn, SampleKind, Starts,
    SubjectKind, Systems, Tolerance, Units, Values,
};
use super::effect::Effect;
use super::row::RowOf;
use super::statistic::Statistic;
use crate::quantity::Unit;

/// A metric, or a family of metrics that differ in their statistic.
pub type Row = RowOf<Key, InstrumentKind>;

impl Key {
    /// Returns its row.
    pub(super) const fn row(self) -> &'static Row {
        &ROWS[self as usize]
    }
}

/// The kind of instrument that reads a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum InstrumentKind {
    /// The files of an artifact are read and compressed.
    Files,
    /// A command is watched from outside, or reports the value itself.
    Process,
    /// A command runs under a tracer, which stops it at each system call.
    Traced,
    /// The program of a benchmark is run, and only its own measurement is known.
    Benchmark,
    /// Nothing is measured: another harness has recorded the value.
    Recorded,
    /// An instrument in the process of the workload.
    Worker(WorkerInstrument),
}

instruments! {
    /// The clocks, and the counters of the scheduler.
    TIME = Time { starts: Plain, explained_by: Functions }
    /// The counting allocator.
    HEAP = Heap { starts: Plain, explained_by: Allocations }
    /// The engine for WebAssembly, which counts fuel.
    FUEL = Fuel { starts: Plain, explained_by: Nothing }
    /// The instructions of one operation, as the processor or Valgrind counts them.
    INSTRUCTIONS = Instructions { starts: Counted, explained_by: Functions }
    /// The system calls of one operation, as a tracer counts them.
    SYSCALLS = Syscalls { starts: InTracer, explained_by: SystemCalls }
    /// The resident memory of one operation.
    MEMORY = Memory { starts: Plain, explained_by: Allocations }
    /// The resident memory through many operations.
    GROWTH = Growth { starts: Plain, explained_by: Allocations }
}

/// The subjects of a metric, with what reads it and its statistics.
pub(crate) type Has = &'static [(SubjectKind, InstrumentKind, &'static [Statistic])];
/// The subjects of a metric of what a process uses: a command, or the process of a workload or benchmark.
const USED: Has =
    &[(Command, Process, &[]), (Workload, TIME, &[]), (Criterion, TIME, &[]), (Divan, TIME, &[])];
/// The resident memory of the same.
const RESIDENT: Has = &[
    (Command, Process, &[]),
    (Workload, MEMORY, &[]),
    (Criterion, MEMORY, &[]),
    (Divan, MEMORY, &[]),
];
const fn on(command: Systems, workload: Systems) -> MeasuredOn {
    MeasuredOn { command, workload }
}
/// The statistics of single operations.
const LATENCIES: &[Statistic] = {
    use Statistic::{Max, Min, P50, P90, P95, P99, P999};
    &[Min, P50, P90, P95, P99, P999, Max]
};

use Better::{Either, Higher, Lower};
use ExplainedBy::{Allocations, Functions, Nothing, SystemCalls};
use Halved::{Suspicious, Welcome};
use InstrumentKind::{Benchmark, Files, Process, Recorded, Traced, Worker};
use Judged::{Agreed, Compared, Statistical, UntilConstant};
use Starts::{Counted, InTracer, Plain};
use SubjectKind::{Artifact, Command, Criterion, Divan, Libtest, Record, Workload};
use Systems::{All, Linux, LinuxAndWindows, Unix};
use Units::{Any, One, Rate};

rows! {
    Size {
        name: "size", meaning: "Bytes on disk",
        has: &[(Artifact, Files, &[])],
        unit: One(Unit::Bytes), values: Values::Size, better: Lower,
        judged: Compared { repeats: 1 }, sample: SampleKind::File,
        halved: Suspicious, inject: Inject::raises(Effect::Bytes), on: on(All, All),
    }
    Gzip {
        name: "gzip", meaning: "Bytes after gzip at level 9",
        has: &[(Artifact, Files, &[])],
        unit: One(Unit::Bytes), values: Values::Size, better: Lower,
        judged: Compared { repeats: 1 }, sample: SampleKind::File,
        halved: Suspicious, inject: Inject::raises(Effect::Bytes), on: on(All, All),
    }
    Brotli {
        name: "brotli", meaning: "Bytes after brotli at quality 11",
        has: &[(Artifact, Files, &[])],
        unit: One(Unit::Bytes), values: Values::Size, better: Lower,
        judged: Compared { repeats: 1 }, sample: SampleKind::File,
        halved: Suspicious, inject: Inject::raises(Effect::Bytes), on: on(All, All),
    }
    Zstd {
        name: "zstd", meaning: "Bytes after zstd at level 19",
        has: &[(Artifact, Files, &[])],
        unit: One(Unit::Bytes), values: Values::Size, better: Lower,
        judged: Compared { repeats: 1 }, sample: SampleKind::File,
        halved: Suspicious, inject: Inject::raises(Effect::Bytes), on: on(All, All),
    }
    Stripped {
        name: "stripped", meaning: "Bytes of an ELF file without symbols and debug information",
        has: &[(Artifact, Files, &[])],
        unit: One(Unit::Bytes), values: Values::Size, better: Lower,
        judged: Compared { repeats: 1 }, sample: SampleKind::File,
        halved: Suspicious, inject: Inject::raises(Effect::Bytes), on: on(All, All),
    }
    Unpacked {
        name: "unpacked", meaning: "Bytes of an image's layers, unpacked",
        has: &[(Artifact, Files, &[])],
        unit: One(Unit::Bytes), values: Values::Amount, better: Lower,
        judged: Compared { repeats: 1 }, sample: SampleKind::File,
        halved: Suspicious, inject: Inject::NONE, on: on(All, All),
    }
    Layers {
        name: "layers", meaning: "Layers of an image",
        has: &[(Artifact, Files, &[])],
        unit: One(Unit::Number), values: Values::Amount, better: Lower,
        judged: Compared { repeats: 1 }, sample: SampleKind::File,
        halved: Suspicious, inject: Inject::NONE, on: on(All, All),
    }
    Latency {
        name: "", meaning: "Time of one operation",
        has: &[(Workload, TIME, LATENCIES), (Criterion, TIME, LATENCIES), (Divan, TIME, LATENCIES)],
        unit: One(Unit::Seconds), values: Values::Time, better: Lower,
        judged: Statistical(Tolerance::Time), sample: SampleKind::Operation,
        halved: Suspicious, inject: Inject::raises(Effect::Work), on: on(All, All),
    }
    // This row is apart from the other statistics of an operation because its values are batches of operations.
    // Criterion times nothing else, and a percentile of batches is not one of operations.
    Mean {
        name: "", meaning: "Time of one operation",
        has: &[
            (Workload, TIME, &[Statistic::Mean]),
            (Criterion, TIME, &[Statistic::Mean]),
            (Divan, TIME, &[Statistic::Mean]),
            (Libtest, Benchmark, &[Statistic::Mean]),
            (Record, Recorded, &[Statistic::Mean]),
        ],
        unit: One(Unit::Seconds), values: Values::Time, better: Lower,
        judged: Statistical(Tolerance::Time), sample: SampleKind::Batch,
        halved: Suspicious, inject: Inject::raises(Effect::Work), on: on(All, All),
    }
    Wall {
        name: "wall_", meaning: "Time from the start of the command to its end",
        has: &[(Command, Process, &Statistic::ALL)],
        unit: One(Unit::Seconds), values: Values::Time, better: Lower,
        judged: Statistical(Tolerance::Time), sample: SampleKind::Run,
        halved: Suspicious, inject: Inject::raises(Effect::Work), on: on(All, All),
    }
    Startup {
        name: "startup_", meaning: "Time from the start of the command until it is ready",
        has: &[(Command, Process, &Statistic::ALL)],
        unit: One(Unit::Seconds), values: Values::Time, better: Lower,
        judged: Statistical(Tolerance::Time), sample: SampleKind::Run,
        halved: Suspicious, inject: Inject::raises(Effect::Work), on: on(All, All),
    }
    Throughput {
        name: "throughput", meaning: "Operations, or bytes, a second",
        has: &[
            (Workload, TIME, &[]),
            (Criterion, TIME, &[]),
            (Divan, TIME, &[]),
            (Libtest, Benchmark, &[]),
            (Record, Recorded, &[]),
        ],
        unit: Rate, values: Values::Amount, better: Higher,
        judged: Statistical(Tolerance::Time), sample: SampleKind::Rate,
        halved: Suspicious, inject: Inject::lowers(Effect::Work), on: on(All, All),
    }
    ErrorRate {
        name: "error_rate", meaning: "Share of the operations that failed",
        has: &[(Workload, TIME, &[])],
        unit: One(Unit::Share), values: Values::Share, better: Lower,
        judged: Statistical(Tolerance::Failures), sample: SampleKind::Failure,
        halved: Welcome, inject: Inject::raises(Effect::Failures), on: on(All, All),
    }
    Cpu {
        name: "cpu", meaning: "Processor time: of one operation, or of the whole command",
        has: USED,
        unit: One(Unit::Seconds), values: Values::Time, better: Lower,
        judged: Statistical(Tolerance::Time), sample: SampleKind::Process,
        halved: Suspicious, inject: Inject::raises(Effect::Work), on: on(All, Unix),
    }
    Utilization {
        name: "utilization", meaning: "Processor time over elapsed time: 100 % is one core",
        has: &[(Workload, TIME, &[]), (Criterion, TIME, &[]), (Divan, TIME, &[])],
        unit: One(Unit::Share), values: Values::Amount, better: Either,
        judged: Statistical(Tolerance::Time), sample: SampleKind::Process,
        halved: Welcome, inject: Inject::both(Effect::Work, Effect::Pause), on: on(All, Unix),
    }
    Rss {
        name: "rss",
        meaning: "Resident memory: what the held value added, or a command's when it is ready",
        has: RESIDENT,
        unit: One(Unit::Bytes), values: Values::Amount, better: Lower,
        judged: Statistical(Tolerance::Memory), sample: SampleKind::Process,
        halved: Suspicious, inject: Inject::raises(Effect::Resident), on: on(All, All),
    }
    PeakRss {
        name: "peak_rss", meaning: "The highest resident memory",
        has: RESIDENT,
        unit: One(Unit::Bytes), values: Values::Amount, better: Lower,
        judged: Statistical(Tolerance::Memory), sample: SampleKind::Process,
        halved: Suspicious, inject: Inject::raises(Effect::ResidentPeak), on: on(All, Linux),
    }
    RssGrowth {
        name: "rss_growth",
        meaning: "Resident memory that each further operation adds, through many of them",
        has: &[(Workload, GROWTH, &[]), (Criterion, GROWTH, &[]), (Divan, GROWTH, &[])],
        unit: One(Unit::Bytes), values: Values::Amount, better: Lower,
        judged: Statistical(Tolerance::Growth), sample: SampleKind::Process,
        halved: Suspicious, inject: Inject::raises(Effect::Growth), on: on(All, All),
    }
    Heap {
        name: "heap", meaning: "Live heap bytes while the value is held",
        has: &[(Workload, HEAP, &[]), (Criterion, HEAP, &[]), (Divan, HEAP, &[])],
        unit: One(Unit::Bytes), values: Values::Amount, better: Lower,
        judged: Compared { repeats: 2 }, sample: SampleKind::Process,
        halved: Suspicious, inject: Inject::raises(Effect::Held), on: on(All, All),
    }
    PeakHeap {
        name: "peak_heap", meaning: "The most live heap bytes at any moment of the operation",
        has: &[(Workload, HEAP, &[]), (Criterion, HEAP, &[]), (Divan, HEAP, &[])],
        unit: One(Unit::Bytes), values: Values::Amount, better: Lower,
        judged: Compared { repeats: 2 }, sample: SampleKind::Process,
        halved: Suspicious, inject: Inject::raises(Effect::Peak), on: on(All, All),
    }
    Allocs {
        name: "allocs", meaning: "Allocations of one operation",
        has: &[(Workload, HEAP, &[]), (Criterion, HEAP, &[]), (Divan, HEAP, &[])],
        unit: One(Unit::Number), values: Values::Amount, better: Lower,
        judged: Compared { repeats: 2 }, sample: SampleKind::Process,
        halved: Suspicious, inject: Inject::raises(Effect::Allocations), on: on(All, All),
    }
    AllocBytes {
        name: "alloc_bytes", meaning: "Bytes allocated by one operation",
        has: &[(Workload, HEAP, &[]), (Criterion, HEAP, &[]), (Divan, HEAP, &[])],
        unit: One(Unit::Bytes), values: Values::Amount, better: Lower,
        judged: Compared { repeats: 2 }, sample: SampleKind::Process,
        halved: Suspicious, inject: Inject::raises(Effect::Allocated), on: on(All, All),
    }
    Leaked {
        name: "leaked", meaning: "Heap bytes still live after the value is dropped",
        has: &[(Workload, HEAP, &[]), (Criterion, HEAP, &[]), (Divan, HEAP, &[])],
        unit: One(Unit::Bytes), values: Values::Amount, better: Lower,
        judged: Compared { repeats: 2 }, sample: SampleKind::Process,
        halved: Welcome, inject: Inject::raises(Effect::Leak), on: on(All, All),
    }
    ContextSwitches {
        name: "context_switches", meaning: "Context switches during one operation",
        has: &[(Workload, TIME, &[]), (Criterion, TIME, &[]), (Divan, TIME, &[])],
        unit: One(Unit::Number), values: Values::Amount, better: Lower,
        judged: Statistical(Tolerance::Time), sample: SampleKind::Process,
        halved: Welcome, inject: Inject::raises(Effect::Switches), on: on(All, Unix),
    }
    PageFaults {
        name: "page_faults", meaning: "Page faults, of one operation or of the whole command",
        has: USED,
        unit: One(Unit::Number), values: Values::Amount, better: Lower,
        judged: UntilConstant(Tolerance::Count), sample: SampleKind::Process,
        halved: Welcome, inject: Inject::raises(Effect::Faults), on: on(All, Unix),
    }
    MajorFaults {
        name: "major_faults", meaning: "Page faults that waited for a disk",
        has: USED,
        unit: One(Unit::Number), values: Values::Amount, better: Lower,
        judged: UntilConstant(Tolerance::Count), sample: SampleKind::Process,
        halved: Welcome, inject: Inject::NONE, on: on(Unix, Unix),
    }
    ReadBytes {
        name: "read_bytes", meaning: "Bytes read by system calls, of one operation or of the whole command",
        has: USED,
        unit: One(Unit::Bytes), values: Values::Amount, better: Lower,
        judged: UntilConstant(Tolerance::Count), sample: SampleKind::Process,
        halved: Welcome, inject: Inject::raises(Effect::Read), on: on(LinuxAndWindows, Linux),
    }
    WrittenBytes {
        name: "written_bytes", meaning: "Bytes written by system calls, of one operation or of the whole command",
        has: USED,
        unit: One(Unit::Bytes), values: Values::Amount, better: Lower,
        judged: UntilConstant(Tolerance::Count), sample: SampleKind::Process,
        halved: Welcome, inject: Inject::raises(Effect::Written), on: on(LinuxAndWindows, Linux),
    }
    Syscalls {
        name: "syscalls", meaning: "System calls, of one operation or of the whole command",
        has: &[(Command, Traced, &[]), (Workload, SYSCALLS, &[]), (Criterion, SYSCALLS, &[]), (Divan, SYSCALLS, &[])],
        unit: One(Unit::Number), values: Values::Amount, better: Lower,
        judged: UntilConstant(Tolerance::Count), sample: SampleKind::Process,
        halved: Suspicious, inject: Inject::raises(Effect::Calls), on: on(Linux, Linux),
    }
    Fuel {
        name: "fuel", meaning: "Fuel of the WebAssembly that one operation runs, as wasmi counts it",
        has: &[(Workload, FUEL, &[])],
        unit: One(Unit::Number), values: Values::Amount, better: Lower,
        judged: Compared { repeats: 2 }, sample: SampleKind::Process,
        halved: Suspicious, inject: Inject::NONE, on: on(All, All),
    }
    Instructions {
        name: "instructions", meaning: "Instructions of one operation, without those of the allocator",
        has: &[(Workload, INSTRUCTIONS, &[]), (Criterion, INSTRUCTIONS, &[]), (Divan, INSTRUCTIONS, &[])],
        unit: One(Unit::Number), values: Values::Amount, better: Lower,
        judged: Agreed { most: 5 }, sample: SampleKind::Process,
        halved: Suspicious, inject: Inject::raises(Effect::Instructions), on: on(All, Linux),
    }
    Exit {
        name: "exit", meaning: "The command's exit code",
        has: &[(Command, Process, &[])],
        unit: One(Unit::Number), values: Values::Code, better: Either,
        judged: Compared { repeats: 1 }, sample: SampleKind::Process,
        halved: Welcome, inject: Inject::both(Effect::Exit, Effect::Exit), on: on(All, All),
    }
    // A command prints these values itself: of a page, for instance, that it has opened.
    Transferred {
        name: "transferred", meaning: "Bytes that came over the network, as the command reports them",
        has: &[(Command, Process, &[])],
        unit: One(Unit::Bytes), values: Values::Amount, better: Lower,
        judged: Compared { repeats: 2 }, sample: SampleKind::Process,
        halved: Suspicious, inject: Inject::raises(Effect::Recorded), on: on(All, All),
    }
    JsHeap {
        name: "js_heap", meaning: "Live heap of JavaScript, as the command reports it",
        has: &[(Command, Process, &[])],
        unit: One(Unit::Bytes), values: Values::Amount, better: Lower,
        judged: Statistical(Tolerance::Memory), sample: SampleKind::Process,
        halved: Suspicious, inject: Inject::raises(Effect::Recorded), on: on(All, All),
    }
    WasmMemory {
        name: "wasm_memory", meaning: "Linear memory of WebAssembly, as the command reports it",
        has: &[(Command, Process, &[])],
        unit: One(Unit::Bytes), values: Values::Amount, better: Lower,
        judged: Compared { repeats: 2 }, sample: SampleKind::Process,
        halved: Suspicious, inject: Inject::raises(Effect::Recorded), on: on(All, All),
    }
    // The other metric says what reads the slope, whether it is compared, and what moves it.
    Slope {
        name: "scaling_", meaning: "Slope of another metric over a parameter, on a log-log scale",
        has: &[],
        unit: One(Unit::Number), values: Values::Slope, better: Lower,
        judged: Statistical(Tolerance::Slope), sample: SampleKind::Sweep,
        halved: Welcome, inject: Inject::NONE, on: on(All, All),
    }
    // The workload chooses the name, and the value comes with whatever instrument the process has.
    Own {
        name: "", meaning: "What the workload records itself",
        has: &[(Workload, TIME, &[])],
        unit: Any, values: Values::Own, better: Either,
        judged: UntilConstant(Tolerance::Memory), sample: SampleKind::Record,
        halved: Suspicious, inject: Inject::both(Effect::Recorded, Effect::Recorded), on: on(All, All),
    }
}
