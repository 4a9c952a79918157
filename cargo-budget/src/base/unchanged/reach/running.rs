//! The functions of Criterion that run one benchmark.
//!
//! They are compiled into the program once for each benchmark, and call it directly, so that one chain of direct calls
//! leads from `main` to all of them. But Criterion enters those of a benchmark only if its name is the one that is asked for:
//! that depends on nothing else, and one run shows it for all runs. So what calls them from outside need not be watched.
//! Within them every direct call counts as possible.

use rustc_demangle::demangle;

/// The beginnings of the paths of these functions.
const RUNNING: [&str; 2] = ["criterion::routine::", "criterion::analysis::"];

/// The crates of the standard library.
const STANDARD: [&str; 3] = ["std::", "core::", "alloc::"];
/// The crates that measure benchmarks, some of which start processes when they begin.
const MEASURING: [&str; 5] =
    ["criterion::", "criterion_plot::", "perf_budget::", "perf_budget_criterion::", "test::"];

/// Whether a function is one of them, by its symbol.
pub(super) fn runs_benchmark(symbol: &str) -> bool {
    begins(symbol, &RUNNING)
}

/// Whose code a function is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// That of the standard library.
    Standard,
    /// That of what measures benchmarks.
    Measuring,
    /// Any other.
    Other,
}

/// Returns whose code a function is, by its symbol. A function of the standard library that is compiled for a type of
/// another crate may contain that crate's code, and counts as other code. The library's own functions have symbols of the
/// newer kind (`_R`), which name all types.
pub(super) fn origin(symbol: &str) -> Origin {
    if begins(symbol, &STANDARD) {
        let path = format!("{:#}", demangle(symbol));
        let has_types = path.trim_start_matches('<').contains(['<', ' ']);
        if symbol.starts_with("_R") && !has_types { Origin::Standard } else { Origin::Other }
    } else if begins(symbol, &MEASURING) {
        Origin::Measuring
    } else {
        Origin::Other
    }
}

fn begins(symbol: &str, starts: &[&str]) -> bool {
    let path = format!("{:#}", demangle(symbol));
    // A method of a trait begins with the bracket of its type.
    let path = path.strip_prefix('<').unwrap_or(&path);
    starts.iter().any(|start| path.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_of_the_standard_library_may_contain_other_code() {
        let check = |symbol: &str, want: Origin| {
            assert_eq!(origin(symbol), want, "{symbol}: {:#}", demangle(symbol));
        };
        check(
            "_RNvMNtNtNtNtCsjrHSEGnQ3l9_3std3sys7process4unix4unixNtNtB4_6common7Command5spawn",
            Origin::Standard,
        );
        check(
            "_ZN3std3sys9backtrace28__rust_begin_short_backtrace17h0123456789abcdefE",
            Origin::Other,
        );
        check("_ZN14criterion_plot7version17h0123456789abcdefE", Origin::Measuring);
        check("_ZN3own4main17h0123456789abcdefE", Origin::Other);
    }

    #[test]
    fn what_runs_a_benchmark_is_known_and_what_chooses_it_is_not() {
        let check = |symbol: &str, want: bool| {
            assert_eq!(runs_benchmark(symbol), want, "{symbol}: {:#}", demangle(symbol));
        };
        check(
            "_ZN106_$LT$criterion..routine..Function$LT$M$C$F$C$T$GT$$u20$as$u20$criterion..routine..Routine$LT$M$C$T$GT$$GT$5bench17h19aad437cbe39a14E",
            true,
        );
        check("_ZN9criterion7routine7Routine6sample17h0eb59a20338f1f59E", true);
        check("_ZN9criterion8analysis6common17h0eb59a20338f1f59E", true);
        check("_ZN9criterion18Criterion$LT$M$GT$14bench_function17h0123456789abcdefE", false);
        check("_ZN9criterion7bencher16Bencher$LT$M$GT$4iter17h04afa217d6a7db1aE", false);
        check("_ZN5bench4main17h0123456789abcdefE", false);
        check("main", false);
    }
}
