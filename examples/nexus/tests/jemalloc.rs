//! The document's other allocator held to `jemalloc.toml`.

use std::alloc::{GlobalAlloc, System};
use std::process::ExitCode;

use nexus::allocation::{burst, sizes};
use perf_budget::{Failed, Harness, Run};
use tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    Harness::new()
        .file("jemalloc.toml")
        .workload("alloc_system", |run| allocate(run, &System))
        .workload("alloc_jemalloc", |run| allocate(run, &Jemalloc))
        .main()
}

fn allocate(run: &mut Run, allocator: &impl GlobalAlloc) -> Result<(), Failed> {
    let sizes = sizes(run.param("blocks")?);
    let mut blocks = Vec::with_capacity(sizes.len());
    run.ops(sizes.len() as u64).iter(|| burst(allocator, &sizes, &mut blocks))
}
