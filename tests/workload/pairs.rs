//! Tests of two processes whose operations are interleaved: the rounds of known work, and the message if one of the
//! processes fails.

use std::path::Path;
use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use perf_budget::internals::pair::{Pair, Place, Requirements, Side, Terms, measure};
use perf_budget::internals::process::{Build, Request};
use perf_budget_core::budget::Param;
use perf_budget_core::outcome::Cause;
use perf_budget_core::outcome::Cause::{
    Crashed, ExitedBadly, ExitedEarly, Flooded, Harness, Killed, MeasuredNothing, Panicked,
    TimedOut, WorkloadFailed,
};
use perf_budget_core::outcome::Unmeasured;
use perf_budget_core::reading::Work;

use crate::row;

const MINUTE: Duration = Duration::from_secs(60);

/// The faults of the second of two workloads, each with its cause and a part of its message.
const TABLE: &[(&str, Cause, &str)] = &[
    ("nothing at all", MeasuredNothing, "it called no measuring method"),
    ("fails", WorkloadFailed, "the fixture is gone"),
    ("every one fails", WorkloadFailed, "operation 1 failed: no luck"),
    ("every fourth fails", WorkloadFailed, "operation 4 failed: the fourth"),
    ("returns a Result", WorkloadFailed, "use `try_iter`"),
    ("measures twice", WorkloadFailed, "was called after `iter`"),
    ("panics", Panicked, ": the fixture is gone"),
    ("aborts", Crashed, "workload `aborts`"),
    ("is killed", Killed, "workload `is killed`"),
    ("exits", ExitedEarly, "exited with success before it reported"),
    ("leaves it to a copy", ExitedEarly, "exited with success before it reported"),
    ("exits badly", ExitedBadly, "exited with code 3"),
    ("floods", Flooded, "workload `floods`"),
    ("no such", Harness, "no workload `no such` is registered"),
    ("reads its input", Harness, "does the workload read standard input"),
];

pub(crate) fn rows() -> Vec<Trial> {
    let table = TABLE.iter().map(|&(workload, cause, text)| {
        row(&format!("pair::{workload}").replace([' ', ','], "_"), move || {
            for slots in [["spin", workload], [workload, "spin"]] {
                let why = pair(slots, false, MINUTE).unwrap_err();
                assert_eq!(why.cause, cause, "{why}");
                assert!(why.text.contains(text), "{:?} does not say {text:?}", why.text);
                assert!(why.text.starts_with("the second was not"), "{why}");
            }
        })
    });
    let own = [
        row("pair::never_ends", || {
            let began = Instant::now();
            let why = pair(["spin", "never ends"], false, Duration::from_secs(1)).unwrap_err();
            assert_eq!(why.cause, TimedOut, "{why}");
            // The operation itself would take a thousand seconds.
            assert!(began.elapsed() < Duration::from_secs(500));
        }),
        row("pair::turns_are_of_both_alike", turns_are_of_both_alike),
        #[cfg(target_os = "linux")]
        row("pair::sleep_is_not_on_a_processor", sleep_is_not_on_a_processor),
        row("pair::twice_the_work_is_twice_as_long", twice_the_work_is_twice_as_long),
        row("pair::with_a_worker_of_an_earlier_release", with_a_worker_of_an_earlier_release),
        row("pair::of_asynchronous_operations", || {
            let pair = pair(["async input", "async input"], true, MINUTE).unwrap();
            assert!(pair.rounds.len() >= 3 && pair.rounds.iter().all(|round| round.single));
        }),
        row("pair::of_what_is_done_once", || {
            let pair = pair(["holds", "holds"], true, MINUTE).unwrap();
            assert_eq!(pair.rounds.len(), 1);
        }),
        row("pair::what_an_operation_counts_for", || {
            let pair = pair(["bytes", "ops"], false, MINUTE).unwrap();
            assert_eq!(pair.work, [Work::Bytes(1000.0), Work::Operations(8.0)]);
        }),
        row("pair::threads_are_noticed", || {
            let share = |workload| pair([workload, workload], false, MINUTE).unwrap().others;
            let (alone, threads) = (share("spin").unwrap(), share("two threads").unwrap());
            // A second thread that waits for a processor works less than it could.
            assert!(alone < 0.01 && threads > 0.01, "{alone} {threads}");
            #[cfg(target_os = "linux")]
            assert!(share("asks a server").unwrap() > 0.01);
        }),
        row("pair::nothing_is_left_behind", || {
            let scratch = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pairs-left-behind");
            for workload in ["spin", "panics", "exits"] {
                let _ = pair_in(["spin", workload], false, MINUTE, &scratch);
            }
            assert_eq!(std::fs::read_dir(&scratch).unwrap().count(), 0);
        }),
    ];
    table.chain(own).collect()
}

/// Each side has as many turns as the other, with as many operations, whichever came first.
fn turns_are_of_both_alike() {
    for single in [false, true] {
        let pair = pair(["spin", "spin"], single, MINUTE).unwrap();
        assert!(pair.rounds.len() >= 3, "{} rounds", pair.rounds.len());
        for round in &pair.rounds {
            assert_eq!((round.single, round.first.len(), round.second.len()), (single, 4, 4));
            let lengths = round.first.iter().chain(&round.second).map(Vec::len);
            assert!(lengths.clone().all(|n| Some(n) == lengths.clone().next() && n > 0));
        }
        // An operation of 200 µs is a turn of its own. It spins by the wall clock, so an operation that waited for a
        // processor spun for less, which is why the median is tested.
        assert_eq!(pair.batch, 1);
        let times = pair.rounds.iter().flat_map(|round| &round.first).flatten();
        assert!(middle(times.copied().collect()) >= 190e-6);
    }
}

/// An operation that sleeps for 2 ms is hardly on a processor, and one that spins is all the time.
#[cfg(target_os = "linux")]
fn sleep_is_not_on_a_processor() {
    for single in [false, true] {
        let pair = pair(["sleep", "spin"], single, MINUTE).unwrap();
        let share = |side: usize| {
            let shares = pair.rounds.iter().flat_map(|round| {
                let turns = if side == 0 { &round.first } else { &round.second };
                turns.iter().zip(&round.busy[side])
            });
            middle(shares.map(|(turn, busy)| busy / turn.iter().sum::<f64>()).collect())
        };
        let (sleeps, spins) = (share(0), share(1));
        // If the system does not say how long a thread waits for a processor, this share is not known.
        assert!(sleeps < 0.5 || sleeps.is_infinite(), "{sleeps}");
        assert!(spins > 0.8, "{spins}");
    }
}

/// Compares the same operation on twice the data.
fn twice_the_work_is_twice_as_long() {
    let middles: Vec<f64> = (0..5)
        .map(|_| {
            let sides = [side("counts", 200_000, "first"), side("counts", 100_000, "second")];
            let scratch = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pairs");
            let pair = run([&sides[0], &sides[1]], false, MINUTE, &scratch).unwrap();
            let ratio = |round: &perf_budget::internals::pair::Round| {
                let log =
                    |side: &[Vec<f64>]| side.iter().flatten().map(|time| time.ln()).sum::<f64>();
                ((log(&round.first) - log(&round.second)) / 4.0).exp()
            };
            middle(pair.rounds.iter().map(ratio).collect())
        })
        .collect();
    let ratio = middle(middles);
    assert!((1.5..2.6).contains(&ratio), "{ratio}");
}

/// If a change upgrades this library, its base has the release before; the worker of that is in `fixtures/earlier`.
fn with_a_worker_of_an_earlier_release() {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR")).join("earlier");
    std::fs::create_dir_all(&scratch).unwrap();
    let binary = scratch.join("worker");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/earlier/worker.rs");
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let compiled = std::process::Command::new(rustc)
        .args(["--edition", "2024", "-o"])
        .args([&binary, &source])
        .status()
        .unwrap();
    assert!(compiled.success());
    let earlier = |size| {
        let build = Build::new(binary.clone(), Some(scratch.clone()));
        Side { build, ..side("spin", size, "the earlier") }
    };
    for single in [false, true] {
        for (now, before) in [(0, 1), (1, 0)] {
            let (own, other) = (side("spin", 1000, "the present"), earlier(1000));
            let mut sides = [&own, &other];
            sides.swap(0, now);
            let pair = run(sides, single, MINUTE, &scratch).unwrap();
            assert!(pair.rounds.len() >= 3, "{} rounds", pair.rounds.len());
            let turns = |at: usize, round: &perf_budget::internals::pair::Round| {
                if at == 0 { round.first.clone() } else { round.second.clone() }
            };
            for round in &pair.rounds {
                assert!(
                    turns(before, round).iter().flatten().all(|time| (time - 2e-6).abs() < 1e-9)
                );
                assert!(turns(now, round).iter().flatten().all(|time| *time > 1e-5));
            }
        }
    }
    // A worker that is not paired gets its request in a file, and writes its reply to another.
    let side = earlier(1000);
    let request = Request { paired: false, ..side.request };
    let process =
        perf_budget::internals::process::measure_in(&side.build, &request, &scratch, MINUTE);
    let values: Vec<f64> = process.unwrap().values.values().copied().collect();
    assert!(values.contains(&7.0), "{values:?}");
}

fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn pair(workloads: [&str; 2], single: bool, timeout: Duration) -> Result<Pair, Unmeasured> {
    pair_in(workloads, single, timeout, &Path::new(env!("CARGO_TARGET_TMPDIR")).join("pairs"))
}

fn pair_in(
    workloads: [&str; 2],
    single: bool,
    timeout: Duration,
    scratch: &Path,
) -> Result<Pair, Unmeasured> {
    // The workload that is not `spin` is the one that fails.
    let role = |name: &str| if name == "spin" { "the first" } else { "the second" };
    let sides = workloads.map(|name| side(name, 1000, role(name)));
    run([&sides[0], &sides[1]], single, timeout, scratch)
}

fn side(workload: &str, size: i64, role: &str) -> Side {
    let request = Request {
        workload: workload.to_owned(),
        params: vec![("size".to_owned(), Param::Int(size))],
        metrics: Vec::new(),
        load: None,
        slice: Duration::ZERO,
        max_operations: 0,
        paired: true,
        injection: None,
        counting: None,
        sampling: None,
        constraint: perf_budget_core::budget::Constraint::default(),
    };
    Side { build: Build::this().unwrap(), request, role: Some(role.to_owned()) }
}

fn run(
    sides: [&Side; 2],
    single: bool,
    timeout: Duration,
    scratch: &Path,
) -> Result<Pair, Unmeasured> {
    let terms = Terms {
        wants: Requirements { singles: single, batches: !single, fewest: 0 },
        slice: Duration::from_millis(10),
        place: if sides[0].request.workload == "two threads" {
            Place::Free
        } else {
            Place::Core(0)
        },
        timeout,
        scratch,
    };
    measure(sides, &terms, true)
}
