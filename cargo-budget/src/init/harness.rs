//! The text of the first `tests/budgets.rs`.

use super::budgets::{SAMPLE, run};
use super::look::Found;

/// A harness that runs every budget; `sample`: with a workload that is there to be replaced.
pub(super) fn text(found: &Found, sample: bool) -> String {
    let (head, library) = (head(found), found.library.as_deref().unwrap_or("your_crate"));
    if sample {
        return format!(
            "{head}
use std::process::ExitCode;

/// Counts what workloads allocate, for `allocs`, `heap` and the like.
#[global_allocator]
static HEAP: perf_budget::Heap = perf_budget::Heap::system();

fn main() -> ExitCode {{
    perf_budget::Harness::new()
        // A sample: replace it by something that `{library}` does.
        .workload(\"{SAMPLE}\", |run| {{
            let n: u64 = run.param(\"n\")?;
            let numbers: Vec<u64> = (0..n).map(|i| i.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
            // The clone is made for each sort, and not timed.
            run.iter_with(|| numbers.clone(), |mut numbers| numbers.sort_unstable())
        }})
        .main()
}}
"
        );
    }
    format!(
        "{head}
use std::process::ExitCode;

fn main() -> ExitCode {{
    perf_budget::Harness::new()
        // A function to limit, which budgets.toml names as `workload = \"parse\"`:
        // .workload(\"parse\", |run| {{
        //     let text = std::fs::read_to_string(\"tests/large.txt\")?;
        //     run.iter(|| {library}::parse(&text))
        // }})
        .main()
}}
"
    )
}

fn head(found: &Found) -> String {
    let mut head = format!(
        "\
//! The limits of budgets.toml as tests: `{}`.
//!
//! Programs and files need nothing here. What is measured from inside, a workload, is a function that is
//! registered by the name that budgets.toml calls it.
",
        run(found)
    );
    if !found.criterion.is_empty() {
        head += "//!\n//! The functions that Criterion measures in benches/ can be called here as well, one workload each.\n";
    }
    head
}
