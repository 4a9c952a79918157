//! The instructions of a benchmark of Criterion as it stands. Criterion itself does not count them. So the benchmark's own
//! program runs a single iteration (`--test`) under callgrind, which counts within the functions of Criterion that iterate.
//!
//! So the set-up of the benchmark and the rest of the program are left out. It is the first iteration, so the count
//! contains what is initialised at its first use. It also contains what Criterion itself does around the iteration,
//! except for its clock.

use std::path::Path;
use std::time::{Duration, Instant};

use perf_budget_core::benchmarks::listed;
use perf_budget_core::callgrind::{Profile, is_allocator};
use perf_budget_core::outcome::{Cause, Counted, Unmeasured};
use perf_budget_core::reading::ProcessRun;

use super::process::{ReadyBenchmark, ended};
use super::side::Terms;
use crate::instrument::instructions;
use crate::worker::counting::CountedWithin;
use crate::worker::process::SLOWER;

/// The functions of Criterion that iterate, each by its name in the old and in the new scheme of symbols. None of them calls
/// another one, and all other functions that iterate call one of these.
const ITERATE: [&str; 8] = [
    "*criterion::bencher::Bencher<*>::iter",
    "*criterion::bencher::Bencher<*>::iter::<*",
    "*criterion::bencher::Bencher<*>::iter_custom",
    "*criterion::bencher::Bencher<*>::iter_custom::<*",
    "*criterion::bencher::Bencher<*>::iter_batched",
    "*criterion::bencher::Bencher<*>::iter_batched::<*",
    "*criterion::bencher::Bencher<*>::iter_batched_ref",
    "*criterion::bencher::Bencher<*>::iter_batched_ref::<*",
];

/// Counts one iteration of a benchmark.
///
/// # Errors
/// If there is no Valgrind, or nothing was counted.
pub(super) fn measure(found: &ReadyBenchmark, terms: &Terms) -> Result<ProcessRun, Unmeasured> {
    let began = Instant::now();
    let profile = run(found, false, &terms.scratch, terms.timeout * SLOWER)?;
    let allocator = profile.inclusive(is_allocator);
    let clock = profile.called(iterates, is_clock);
    let own = profile.total().saturating_sub(allocator + clock);
    if own == 0 {
        let text = format!(
            "the benchmark `{}` runs nothing of its own in one iteration, beside the clock and the allocator",
            found.name
        );
        return Err(Unmeasured::new(Cause::MeasuredNothing, text));
    }
    let by = format!("{}, one iteration", instructions::by_callgrind(&profile.creator));
    let mut process = ProcessRun { elapsed: began.elapsed(), ..ProcessRun::default() };
    for metric in &terms.metrics {
        process.values.insert(metric.clone(), own as f64);
    }
    process.counted = Some(Counted { by, allocator: Some(allocator as f64) });
    process.notes = vec![found.note.clone(), note(&profile)];
    Ok(process)
}

/// Runs one iteration under callgrind, and returns what it counted. Nothing is counted of a benchmark that does not run
/// alone, since nothing would tell the iterations of two benchmarks apart.
pub(super) fn run(
    found: &ReadyBenchmark,
    is_profile: bool,
    scratch: &Path,
    timeout: Duration,
) -> Result<Profile, Unmeasured> {
    check_runs_alone(found, scratch, timeout)?;
    let mut args = vec!["--test".to_owned(), "--noplot".to_owned()];
    args.extend(found.choice());
    let mut launch = found.launch(args, scratch)?;
    let counted = CountedWithin::new(&mut launch, &ITERATE, is_profile, scratch)?;
    ended(&launch, &found.name, timeout)?;
    let named = |why: Unmeasured| Unmeasured {
        text: format!("the benchmark `{}`: {}", found.name, why.text),
        ..why
    };
    let profile = counted.read().map_err(named)?;
    if profile.total() == 0 {
        let text = format!(
            "callgrind found no function of Criterion that iterates the benchmark `{}`: the binary may be stripped, or the \
             benchmark does not iterate; keep its symbols (`strip = false` in the profile `bench`). One that is asynchronous \
             (`to_async`) is counted only where its program serves it: write `criterion = {{ package = \
             \"perf-budget-criterion\", … }}` in Cargo.toml",
            found.name
        );
        return Err(Unmeasured::new(Cause::MeasuredNothing, text));
    }
    Ok(profile)
}

/// Asks the program which benchmarks it runs if this one is chosen, and refuses every answer but this one benchmark.
fn check_runs_alone(
    found: &ReadyBenchmark,
    scratch: &Path,
    timeout: Duration,
) -> Result<(), Unmeasured> {
    let args = ["--bench", "--list"].map(str::to_owned);
    let mut launch = found.launch(args.into_iter().chain(found.choice()), scratch)?;
    // All lines are read, so more than the last are kept.
    launch.keep = 32 << 20;
    let done = ended(&launch, &found.name, timeout)?;
    let names = listed(&String::from_utf8_lossy(&done.stdout.tail));
    let name = &found.name;
    let text = match names.len() {
        1 => return Ok(()),
        0 => format!(
            "the program of the benchmark `{name}` has none that it runs by exactly this name: it is the second of two with one name, \
             or the name has a line feed; give each a name of its own, in one line"
        ),
        several => format!(
            "the program runs {several} benchmarks where `{name}` is asked for, and their instructions cannot be told apart; \
             give each a name of its own, which differs in its first 100 bytes"
        ),
    };
    Err(Unmeasured::new(Cause::Unsuitable, text))
}

/// Whether a function is one of Criterion's that iterate.
fn iterates(name: &str) -> bool {
    name.contains("criterion::bencher::Bencher<")
}

/// Whether a function reads the clock, or computes with its readings. The name of a user's function may contain these types
/// too, if it implements a trait for them.
fn is_clock(name: &str) -> bool {
    const BEGINNINGS: [&str; 6] = [
        "std::time::Instant::",
        "std::time::Instant>::",
        "std::time::Instant as core::ops::",
        "criterion::measurement::WallTime as criterion::measurement::Measurement>::",
        "core::time::Duration>::",
        "core::time::Duration as core::ops::",
    ];
    let name = name.strip_prefix('<').unwrap_or(name);
    BEGINNINGS.iter().any(|beginning| name.starts_with(beginning))
}

/// Returns the note on what is part of the count.
fn note(profile: &Profile) -> String {
    let ran = |what: &str| {
        let mut names = profile.functions.iter().filter(|function| function.cost > 0);
        names.any(|function| iterates(&function.name) && function.name.contains(what))
    };
    let also = if ran("::iter_batched") {
        " and the set-up of its batch are part of it"
    } else if ran("::iter_custom") {
        " and all that `iter_custom` is given are part of it"
    } else {
        " is part of it"
    };
    format!(
        "counted in one iteration, the first, so that what is initialised at its first use{also}"
    )
}

#[cfg(test)]
mod tests {
    use perf_budget_core::callgrind::{Call, Function};

    use super::*;

    #[test]
    fn the_clock_of_criterion_is_left_out_and_that_of_the_operation_is_not() {
        let function = |name: &str, cost, calls: &[(usize, u64)]| Function {
            name: name.to_owned(),
            cost,
            calls: calls.iter().map(|&(to, cost)| Call { to, at: 0, count: 1, cost }).collect(),
            ..Function::default()
        };
        let functions = vec![
            function("criterion::bencher::Bencher<M>::iter_batched", 10, &[(1, 30), (2, 130)]),
            function("<std::time::Instant>::now", 60, &[]),
            function("work::merge", 100, &[(1, 30)]),
        ];
        let profile = Profile { functions, ..Profile::default() };
        assert_eq!((profile.total(), profile.called(iterates, is_clock)), (170, 30));
        assert!(note(&profile).contains("the set-up of its batch"));
        for name in [
            "<core::time::Duration as humane::Humanize>::humanize",
            "<wheel::Wheel<std::time::Instant> as wheel::Tick>::tick",
            "wheel::encode::<core::time::Duration>",
        ] {
            assert!(!is_clock(name), "{name}");
        }
        for name in [
            "std::time::Instant::now",
            "<std::time::Instant>::elapsed",
            "<core::time::Duration as core::ops::arith::Add>::add",
            "<criterion::measurement::WallTime as criterion::measurement::Measurement>::end",
        ] {
            assert!(is_clock(name), "{name}");
        }
    }
}
