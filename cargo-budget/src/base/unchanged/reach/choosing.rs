//! The functions of Criterion that decide by its name whether a benchmark runs.
//!
//! They are compiled into the program once for each benchmark, and call it directly. Such a function is entered for every
//! benchmark, and goes on to its own only if that is the one that is asked for. Its decision depends on the name alone, so
//! one run shows it for all runs, and its direct calls need not count as possible ones.

use rustc_demangle::demangle;

/// The beginnings of the paths of these functions.
const CHOOSING: [&str; 3] =
    ["criterion::Criterion<", "criterion::benchmark_group::BenchmarkGroup<", "criterion::benchmark::"];

/// Whether a function is one of them, by its symbol.
pub(super) fn chooses(symbol: &str) -> bool {
    // A name as the newer compilers write it begins with the bracket of the type.
    let path = format!("{:#}", demangle(symbol));
    let path = path.strip_prefix('<').unwrap_or(&path);
    CHOOSING.iter().any(|start| path.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_chooses_a_benchmark_is_known_and_what_runs_it_is_not() {
        let check = |symbol: &str, want: bool| assert_eq!(chooses(symbol), want, "{symbol}");
        check("_ZN9criterion18Criterion$LT$M$GT$14bench_function17h0123456789abcdefE", true);
        check("_ZN9criterion15benchmark_group23BenchmarkGroup$LT$M$GT$9run_bench17h0123456789abcdefE", true);
        check("_ZN9criterion7bencher16Bencher$LT$M$GT$4iter17h0123456789abcdefE", false);
        check("_ZN5bench4main17h0123456789abcdefE", false);
        check("main", false);
    }
}
