//! This library as its users have it: whatever changes it changes every test binary.

fn main() -> std::process::ExitCode {
    perf_budget::Harness::new()
        .workload("work", |run| run.iter(|| (0..1000_u64).map(|n| n * n).sum::<u64>()))
        .main()
}
