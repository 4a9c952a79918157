//! The functions of Criterion that run one benchmark, and the one that looks for gnuplot.
//!
//! The functions that run a benchmark are compiled into the program once for each benchmark. They call the benchmark
//! directly, so one chain of direct calls leads from `main` to all benchmarks. But Criterion enters these functions only
//! for the benchmark whose name is asked for. Nothing but the name decides this, so one run shows it for all runs, and the
//! callers of these functions need not be watched. Within these functions, every direct call counts as possible.

use rustc_demangle::demangle;

/// The beginnings of the paths of the functions that run one benchmark.
const RUNNING: [&str; 2] = ["criterion::routine::", "criterion::analysis::"];

/// The function that asks the program `gnuplot` for its version, and does nothing else. A program of Criterion calls it
/// whenever it begins. It has no type parameters, so that no code of another crate is compiled into it.
const GNUPLOT: &str = "criterion_plot::version";
/// The beginnings of the paths of the functions by which the standard library starts a process for its caller.
const STARTING: [&str; 3] =
    ["std::process::", "std::sys::process::", "std::sys::pal::unix::process::"];

/// Whether the function of this symbol runs one benchmark.
pub(super) fn runs_benchmark(symbol: &str) -> bool {
    begins(symbol, &RUNNING)
}

/// Whether the function of this symbol is the one that looks for gnuplot.
pub(super) fn looks_for_gnuplot(symbol: &str) -> bool {
    format!("{:#}", demangle(symbol)) == GNUPLOT
}

/// Whether the function of this symbol is one by which the standard library starts a process for its caller.
pub(super) fn starts_for_others(symbol: &str) -> bool {
    begins(symbol, &STARTING)
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
    fn the_functions_that_start_processes_are_known_by_their_symbols() {
        let check = |symbol: &str, want: [bool; 2]| {
            let got = [starts_for_others(symbol), looks_for_gnuplot(symbol)];
            assert_eq!(got, want, "{symbol}: {:#}", demangle(symbol));
        };
        check(
            "_RNvMNtNtNtNtCsjrHSEGnQ3l9_3std3sys7process4unix4unixNtNtB4_6common7Command5spawn",
            [true, false],
        );
        check("_ZN3std7process7Command6status17h0123456789abcdefE", [true, false]);
        check("_ZN14criterion_plot7version17h0123456789abcdefE", [false, true]);
        check("_ZN14criterion_plot13parse_version17h0123456789abcdefE", [false, false]);
        check("_ZN9criterion15gnuplot_version17h0123456789abcdefE", [false, false]);
        check("_ZN3own4main17h0123456789abcdefE", [false, false]);
    }

    #[test]
    fn the_functions_that_run_a_benchmark_are_known_apart_from_those_that_choose_it() {
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
