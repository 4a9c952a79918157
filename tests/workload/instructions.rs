//! Tests of the instructions of operations whose work is known: they do not vary from process to process, and work that
//! is added to an operation is added to them.

use std::collections::HashMap;
use std::hint::black_box;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use libtest_mimic::Trial;
use perf_budget::internals::Injection;
use perf_budget::internals::process::{Build, Request, measure, measure_in};
use perf_budget_core::metric::Effect;
use perf_budget_core::outcome::{Cause, Unmeasured};
use perf_budget_core::reading::ProcessRun;

use crate::subjects::Plain;
use crate::{request, row, value};

pub(crate) fn subjects() -> Vec<(&'static str, Plain)> {
    vec![
        ("counts up", |run| {
            let size: u64 = run.param("size")?;
            run.iter(move || (0..size).fold(0, |sum, n| black_box(sum ^ n)))
        }),
        ("fills a map", |run| {
            let size: u64 = run.param("size")?;
            run.iter(move || {
                (0..size).map(|n| (n.wrapping_mul(0x9e37_79b9), n)).collect::<HashMap<_, _>>()
            })
        }),
        ("counts with a slow set-up", |run| {
            let set_up = || (0..100_000_u64).fold(0, |sum, n| black_box(sum ^ n));
            run.iter_with(set_up, |start| (0..1000).fold(start, |sum, n| black_box(sum ^ n)))
        }),
        ("compares and copies text", |run| {
            // How many instructions each of these takes depends on where the text is in memory.
            let text = |n: u64| {
                format!("{}{}", "x".repeat((n % 97) as usize), n.wrapping_mul(0x9e37_79b9))
            };
            run.iter(move || {
                let mut all: Vec<String> = (0..100).map(text).collect();
                all.sort_unstable();
                let joined = black_box(all.concat());
                all.iter().filter(|text| joined.contains(text.as_str())).count()
            })
        }),
        ("holds a map", |run| {
            run.hold(|| (0..1000).map(|n| (n, n)).collect::<HashMap<u32, u32>>())
        }),
        ("counts in an async operation", |run| {
            run.iter_async(async || {
                tokio::task::yield_now().await;
                (0..1000_u64).fold(0, |sum, n| black_box(sum ^ n))
            })
        }),
    ]
}

/// Counts the instructions of a workload of this size, with an injection. Returns `None` if nothing counts instructions
/// here.
fn counted(workload: &str, size: i64, injection: Option<Injection>) -> Option<ProcessRun> {
    let mut request = Request { injection, ..request(workload, &["instructions"]) };
    request.params = vec![("size".to_owned(), perf_budget_core::budget::Param::Int(size))];
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR")).join("instructions");
    read(measure(&request, &scratch, Duration::from_secs(60)))
}

/// Returns what a process counted, or `None` if nothing counts instructions here.
fn read(measured: Result<ProcessRun, Unmeasured>) -> Option<ProcessRun> {
    match measured {
        Ok(process) => Some(process),
        Err(Unmeasured { cause: Cause::Unsupported | Cause::NotFound, text, .. }) => {
            assert!(text.contains("install Valgrind") || text.contains("drop the limit"), "{text}");
            None
        }
        Err(why) => panic!("{why}"),
    }
}

/// Returns the instructions of a workload, and how far a count by another process may be from them. That is 0 if
/// callgrind counts.
fn instructions(workload: &str, size: i64, injection: Option<Injection>) -> Option<(f64, f64)> {
    let process = counted(workload, size, injection)?;
    let value = value(&process, "instructions");
    let exact = process.counted.is_some_and(|counted| counted.by.starts_with("callgrind"));
    Some((value, if exact { 0.0 } else { 0.001 * value + 50.0 }))
}

fn near((value, within): (f64, f64), want: f64) {
    assert!((value - want).abs() <= within, "{value} and not {want}");
}

/// Makes a test. If nothing counts instructions here, it ends early and prints that it was skipped.
fn where_counted(name: &str, check: fn() -> Option<()>) -> Trial {
    row(&format!("instructions::{name}"), move || {
        if check().is_none() {
            let _ = writeln!(std::io::stderr(), "skipped: nothing counts instructions here");
        }
    })
}

pub(crate) fn rows() -> Vec<Trial> {
    vec![
        where_counted("are_the_same_in_every_process", || {
            for workload in
                ["counts up", "fills a map", "holds a map", "counts in an async operation"]
            {
                // No library with the bytes that are always the same can be put into a program that is linked statically.
                if cfg!(target_feature = "crt-static") && workload.ends_with("a map") {
                    continue;
                }
                let (first, _) = instructions(workload, 1000, None)?;
                assert!(first > 1000.0, "{workload}: {first}");
                near(instructions(workload, 1000, None)?, first);
            }
            Some(())
        }),
        where_counted("are_the_same_wherever_the_files_are", || {
            // Windows shares no program that runs, and has nothing that counts.
            if cfg!(windows) {
                return None;
            }
            let own = std::env::current_exe().unwrap();
            let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("instructions-by-path");
            let counted_in = |folder: &str| {
                let folder = root.join(folder);
                std::fs::create_dir_all(&folder).unwrap();
                let binary = folder.join("workload");
                let _ = std::fs::remove_file(&binary);
                let linked = std::fs::hard_link(&own, &binary);
                linked.or_else(|_| std::fs::copy(&own, &binary).map(drop)).unwrap();
                let request = request("compares and copies text", &["instructions"]);
                let mut build = Build::new(binary, Some(folder.clone()));
                let value = Some(folder.to_string_lossy().repeat(3));
                build.environment.insert("ANY".to_owned(), value);
                let timeout = Duration::from_secs(60);
                let process = measure_in(&build, &request, &folder.join("scratch"), timeout);
                read(process)
            };
            let short = counted_in("a")?;
            for longer in ["a-folder-whose-name-is-16-longer", "b7"] {
                let process = counted_in(longer)?;
                let by = &process.counted.as_ref().unwrap().by;
                if by.starts_with("callgrind") {
                    assert_eq!(
                        value(&process, "instructions"),
                        value(&short, "instructions"),
                        "{longer}"
                    );
                    let allocator =
                        |process: &ProcessRun| process.counted.as_ref().unwrap().allocator;
                    assert_eq!(allocator(&process), allocator(&short), "{longer}");
                }
            }
            let _ = std::fs::remove_dir_all(root);
            Some(())
        }),
        where_counted("are_those_of_the_operation_alone", || {
            let up_to = |size| instructions("counts up", size, None);
            let (none, _) = up_to(0)?;
            assert!(none < 200.0, "{none} for no work");
            let (once, _) = up_to(1000)?;
            near(up_to(3000)?, once + 2.0 * (once - none));
            let (slow, _) = instructions("counts with a slow set-up", 0, None)?;
            assert!(slow < 2.0 * once, "{slow} and not {once}");
            Some(())
        }),
        where_counted("of_the_allocator_are_beside_them", || {
            let process = counted("fills a map", 1000, None)?;
            let counted = process.counted.clone().unwrap();
            if counted.by.starts_with("callgrind") {
                let allocator = counted.allocator.unwrap();
                assert!(
                    allocator > 100.0 && allocator < value(&process, "instructions"),
                    "{allocator}"
                );
            }
            Some(())
        }),
        where_counted("that_are_injected_are_counted", || {
            let effect = Effect::Instructions;
            let (bare, within) = instructions("counts up", 1000, None)?;
            let with = |share, amount| {
                instructions("counts up", 1000, Some(Injection { effect, share, amount }))
            };
            // The loop itself has to be entered.
            let around = within + 150.0;
            near((with(0.0, 500.0)?.0, around), bare + 500.0);
            near((with(0.5, 0.0)?.0, around), bare * 1.5);
            Some(())
        }),
    ]
}
