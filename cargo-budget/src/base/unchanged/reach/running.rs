//! The functions of Criterion that run one benchmark, and the one that looks for gnuplot.
//!
//! The functions that run a benchmark are compiled into the program once for each benchmark. They call it directly, so
//! one chain of direct calls leads from `main` to all benchmarks. But Criterion enters these functions only for the
//! benchmark whose name is asked for. Nothing else decides that, so one run shows it for all runs, and the callers of
//! these functions need not be watched. Within them every direct call counts as possible.

use rustc_demangle::demangle;

/// The beginnings of the paths of these functions.
const RUNNING: [&str; 2] = ["criterion::routine::", "criterion::analysis::"];

/// The function that asks the program `gnuplot` for its version, and does nothing else. A program of Criterion calls it
/// whenever it begins. It has no type parameters, so that no code of another crate is compiled into it.
const GNUPLOT: &str = "criterion_plot::version";
/// The beginnings of the paths of the functions by which the standard library starts a process for its caller.
const STARTING: [&str; 3] =
    ["std::process::", "std::sys::process::", "std::sys::pal::unix::process::"];

/// Whether a function is one of them, by its symbol.
pub(super) fn runs_benchmark(symbol: &str) -> bool {
    begins(symbol, &RUNNING)
}

/// Whether a function is the one that looks for gnuplot, by its symbol.
pub(super) fn looks_for_gnuplot(symbol: &str) -> bool {
    format!("{:#}", demangle(symbol)) == GNUPLOT
}

/// Whether a function is one of the standard library that starts processes for others, by its symbol.
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
    fn what_starts_processes_is_known() {
        let check = |symbol: &str, want: [bool; 2]| {
            let is = [starts_for_others(symbol), looks_for_gnuplot(symbol)];
            assert_eq!(is, want, "{symbol}: {:#}", demangle(symbol));
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
