//! The instruments, each of which reads some metrics.

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

/// The instrument by which a workload is measured. A process has only one, because each would disturb the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum WorkerInstrument {
    /// The clocks, and the counters of the scheduler.
    Time,
    /// The counting allocator.
    Heap,
    /// The engine for WebAssembly, which counts fuel.
    Fuel,
    /// The instructions of one operation, as the processor or Valgrind counts them.
    Instructions,
    /// The system calls of one operation, as a tracer counts them.
    Syscalls,
    /// The resident memory of one operation.
    Memory,
    /// The resident memory through many operations.
    Growth,
}
