//! What this process is: one of `cargo bench`, or one that measures a single benchmark for a harness.

use std::any::type_name;
use std::hint::black_box;

use criterion::Throughput;
use criterion::measurement::WallTime;
use perf_budget::internals::served;
use perf_budget::{Failed, Run};

/// By this the harness sees, without starting it, that the program serves its benchmarks.
const SERVES: &str = "perf-budget serves benchmarks of criterion 1";

/// Whether a harness has started this process to measure one benchmark.
pub(crate) fn is_asked() -> bool {
    black_box(SERVES);
    served::is_asked().unwrap_or_else(|code| end(code))
}

/// Measures the benchmark that Criterion has chosen.
pub(crate) fn measure(benchmark: impl FnOnce(&mut Run) -> Result<(), Failed>) {
    served::measure(benchmark).unwrap_or_else(|code| end(code));
}

/// Says that there is no such benchmark, unless one was measured. The macro `criterion_main` calls it at the end.
pub fn finish() {
    served::finish().unwrap_or_else(|code| end(code));
}

/// Returns why a benchmark whose measurement is of this type is not measured, if it is not.
pub(crate) fn refusal<M>() -> Option<Failed> {
    let (name, known) = (type_name::<M>(), type_name::<WallTime>());
    (name != known).then(|| {
        served::refused(format!(
            "the benchmark has a measurement of its own, `{name}`, and perf-budget measures none but `WallTime`"
        ))
    })
}

/// Returns the bytes, or else the elements, of one iteration.
pub(crate) fn work(throughput: &Throughput) -> served::Work {
    use served::Work::{Bytes, Operations};
    #[expect(clippy::cast_precision_loss, reason = "no benchmark counts to 2^53")]
    match *throughput {
        Throughput::Bytes(count) | Throughput::BytesDecimal(count) => Bytes(count as f64),
        Throughput::Bits(count) => Bytes(count as f64 / 8.0),
        Throughput::Elements(count) => Operations(count as f64),
        Throughput::ElementsAndBytes { elements, .. } => Operations(elements as f64),
    }
}

/// Ends the process, which cannot do what it was started for.
#[expect(clippy::exit, reason = "between `main` and a benchmark there is only Criterion's code")]
fn end(code: u8) -> ! {
    std::process::exit(i32::from(code))
}
