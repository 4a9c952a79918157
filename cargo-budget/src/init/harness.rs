//! The text of the first `tests/budgets.rs`.

use super::budgets::{SAMPLE, run};
use super::package::PackageContents;

/// Returns a harness that runs every budget. With `sample` it has a workload that the user is to replace.
pub(super) fn text(package: &PackageContents, sample: bool) -> String {
    let (head, library) = (head(package), package.library.as_deref().unwrap_or("your_crate"));
    if sample {
        return format!(
            "{head}
/// Counts what workloads allocate, for `allocs`, `heap` and the like.
#[global_allocator]
static HEAP: perf_budget::Heap = perf_budget::Heap::system();

perf_budget::main!(
    perf_budget::Harness::new()
        // A sample: replace it by something that `{library}` does.
        .workload(\"{SAMPLE}\", |run| {{
            let n: u64 = run.param(\"n\")?;
            let numbers: Vec<u64> = (0..n).map(|i| i.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
            // Each sort gets its own clone, whose time is not measured.
            run.iter_with(|| numbers.clone(), |mut numbers| numbers.sort_unstable())
        }})
);
"
        );
    }
    format!(
        "{head}
perf_budget::main!(
    perf_budget::Harness::new()
        // A function to limit, which budgets.toml names as `workload = \"parse\"`:
        // .workload(\"parse\", |run| {{
        //     let text = std::fs::read_to_string(\"tests/large.txt\")?;
        //     run.iter(|| {library}::parse(&text))
        // }})
);
"
    )
}

fn head(package: &PackageContents) -> String {
    let mut head = format!(
        "\
//! The limits of budgets.toml as tests: `{}`.
//!
//! Programs and files need nothing here. A workload is a function that is measured in this process. It is registered
//! under the name that budgets.toml gives it.
",
        run(package)
    );
    if !package.criterion.is_empty() {
        head += "//!\n//! The functions that Criterion measures in benches/ can be called here as well, each by its own workload.\n";
    }
    head
}
