//! perf-budget on itself.
use std::process::ExitCode;

#[global_allocator]
static HEAP: perf_budget::Heap = perf_budget::Heap::system();

fn main() -> ExitCode {
    perf_budget::Harness::new()
        .workload("spin", |run| {
            let n: u64 = run.param("n")?;
            run.iter(move || (0..n).fold(0u64, |a, b| a.wrapping_mul(31).wrapping_add(b ^ a)))
        })
        .workload("hold", |run| {
            let n: usize = run.param("n")?;
            run.hold(move || vec![1u8; n])
        })
        .workload("idle", |run| run.iter(|| 1))
        .workload("quick", |run| run.iter(|| std::hint::black_box(3u64).wrapping_mul(7)))
        .main()
}
