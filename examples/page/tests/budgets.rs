//! The budgets of the page: `cargo test --release -p page --test budgets`, with `cargo budget` in `PATH`.

perf_budget::main!(perf_budget::Harness::new());
