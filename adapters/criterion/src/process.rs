//! The role of this process: it is one of `cargo bench`, or it measures a single benchmark for a harness.

use std::any::type_name;
use std::fmt::Debug;
use std::hint::black_box;

use criterion::measurement::WallTime;
use perf_budget::internals::served::{self, Work};
use perf_budget::{Failed, Run};

/// The text by which the harness sees, without starting the program, that it serves its benchmarks.
const SERVES: &str = "perf-budget serves benchmarks of criterion 1";

/// How a program gets an allocator that counts.
const ALLOCATOR: &str = "turn on the feature `heap` of perf-budget-criterion, which `default-features = false` turns off, in \
    Cargo.toml\n\
    \x20   criterion = { package = \"perf-budget-criterion\", features = [\"heap\"], … }\n\
    or, if the benchmarks have a `#[global_allocator]` of their own, put it into a `perf_budget::Heap::of(…)`";

/// Whether a harness has started this process to measure one benchmark.
pub(crate) fn is_asked() -> bool {
    black_box(SERVES);
    served::is_asked().unwrap_or_else(|code| end(code))
}

/// Measures the benchmark that Criterion has chosen.
pub(crate) fn measure(benchmark: impl FnOnce(&mut Run) -> Result<(), Failed>) {
    served::measure(ALLOCATOR, benchmark).unwrap_or_else(|code| end(code));
}

/// Reports that there is no such benchmark, unless one was measured. The macro `criterion_main` calls it at the end.
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

/// Returns the bytes, or else the elements, of one iteration. This source is for several versions of Criterion, whose variants
/// differ, so a variant is read by its `Debug`. One that is not understood is refused.
pub(crate) fn work(throughput: &impl Debug) -> Result<Work, Failed> {
    let text = format!("{throughput:?}");
    let number = |text: &str| text.trim().parse::<f64>().ok();
    let plain = text.split_once('(').and_then(|(kind, rest)| {
        let count = number(rest.strip_suffix(')')?)?;
        Some((kind, count))
    });
    let both = text.strip_prefix("ElementsAndBytes { elements: ");
    let both = both.and_then(|rest| number(rest.split_once(',')?.0));
    match (plain, both) {
        (Some(("Bytes" | "BytesDecimal", count)), _) => Ok(Work::Bytes(count)),
        (Some(("Bits", count)), _) => Ok(Work::Bytes(count / 8.0)),
        (Some(("Elements", count)), _) | (_, Some(count)) => Ok(Work::Operations(count)),
        _ => Err(served::refused(format!("the throughput `{text}` is not understood"))),
    }
}

/// Ends the process, because it cannot measure the benchmark that it was started for.
#[expect(clippy::exit, reason = "between `main` and a benchmark there is only Criterion's code")]
fn end(code: u8) -> ! {
    std::process::exit(i32::from(code))
}

#[cfg(test)]
mod tests {
    use criterion::Throughput;

    use super::*;

    #[test]
    fn a_throughput_of_criterion_is_read() {
        let check = |throughput: Throughput, want: Work| {
            assert_eq!(work(&throughput).ok(), Some(want), "{throughput:?}");
        };
        check(Throughput::Bytes(1024), Work::Bytes(1024.0));
        check(Throughput::BytesDecimal(10), Work::Bytes(10.0));
        check(Throughput::Elements(3), Work::Operations(3.0));
        assert_eq!(
            work(&"Bits").err().map(|why| format!("{why:?}").contains("`\"Bits\"`")),
            Some(true)
        );
    }
}
