//! One process of a program with the standard test harness, which runs one function with `#[bench]` and prints what it
//! measured.

use std::path::Path;

use perf_budget_core::outcome::{Cause, Unmeasured};
use perf_budget_core::reading::Work;

use super::process::{self, Patience, ReadyBenchmark, Run};

/// Runs a benchmark in a fresh process.
///
/// # Errors
/// If the process fails, hangs, or does not print the time of this one benchmark.
pub(super) fn run(
    found: &ReadyBenchmark,
    scratch: &Path,
    patience: Patience,
) -> Result<Option<Run>, Unmeasured> {
    let arguments = ["--bench", "--exact", "--color", "never", "--", &found.name];
    let launch = found.launch(arguments.map(Into::into), scratch)?;
    let Some(done) = process::ended_in_time(&launch, &found.name, patience)? else {
        return Ok(None);
    };
    let printed = done.stdout.text().unwrap_or_default();
    let (nanoseconds, rate) = measured(&printed, &found.name).ok_or_else(|| Unmeasured {
        cause: Cause::MeasuredNothing,
        text: format!("the benchmark `{}` ended without a line with its time", found.name),
        output: Some(printed.clone()).filter(|printed| !printed.is_empty()),
    })?;
    if nanoseconds <= 0.0 {
        let text = format!(
            "the benchmark `{}` took {nanoseconds} ns, which is not above zero: was its work optimised away?",
            found.name
        );
        return Err(Unmeasured::new(Cause::InvalidReading, text));
    }
    let seconds = nanoseconds * 1e-9;
    // The rate is printed in whole megabytes a second, of 10^6 bytes.
    let work = match rate {
        Some(rate) => Work::Bytes((rate * 1e6 * seconds).round()),
        None => Work::Operations(1.0),
    };
    Ok(Some(Run::new(&done, (seconds, seconds), Ok(work), done.wall.as_secs_f64())))
}

/// Returns the nanoseconds of one iteration and the megabytes a second, from the line
/// `test NAME ... bench:      1,234.56 ns/iter (+/- 7.89) = 12 MB/s`.
fn measured(printed: &str, name: &str) -> Option<(f64, Option<f64>)> {
    let line = printed.lines().find_map(|line| {
        let rest = line.strip_prefix("test ")?.strip_prefix(name)?;
        rest.trim_start().strip_prefix("... bench:")
    })?;
    let number = |text: &str| text.trim().replace(',', "").parse::<f64>().ok();
    let (time, rest) = line.split_once(" ns/iter")?;
    let rate = rest.split_once('=').and_then(|(_, rate)| rate.trim().strip_suffix("MB/s"));
    Some((number(time)?, rate.and_then(number)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_a_benchmark_is_read() {
        let check = |line: &str, want| {
            assert_eq!(measured(&format!("\nrunning 1 test\n{line}\n"), "a::b"), want, "{line}");
        };
        check("test a::b ... bench:       1,234.56 ns/iter (+/- 7.89)", Some((1234.56, None)));
        check(
            "test a::b ... bench:          12 ns/iter (+/- 0) = 1250 MB/s",
            Some((12.0, Some(1250.0))),
        );
        check("test a::bc ... bench:         12 ns/iter (+/- 0)", None);
        check("test a::b ... ok", None);
    }
}
