//! Tests of the system calls of operations that make a known number of them.

use std::collections::BTreeMap;
use std::fs::File;
use std::hint::black_box;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use libtest_mimic::Trial;
use perf_budget::internals::process::{Request, measure};
use perf_budget::internals::{Injection, tracing_refused};
use perf_budget_core::metric::Effect;
use perf_budget_core::reading::ProcessRun;

use crate::subjects::Plain;
use crate::{request, row, value};

fn write(mut file: &File) -> bool {
    file.write_all(b"x").is_ok()
}

pub(crate) fn subjects() -> Vec<(&'static str, Plain)> {
    vec![
        ("writes three times", |run| {
            let null = File::create("/dev/null")?;
            run.iter(|| (0..3).all(|_| write(&null)))
        }),
        ("reads in its set-up and writes", |run| {
            let null = File::create("/dev/null")?;
            let set_up = || std::fs::read("/proc/self/stat").map_or(0, |content| content.len());
            run.iter_with(set_up, move |length| black_box(length) > 0 && write(&null))
        }),
        ("writes by a thread and by a program", |run| {
            let null = File::create("/dev/null")?;
            run.iter(|| {
                std::thread::scope(|scope| scope.spawn(|| (0..5).all(|_| write(&null))).join())
                    .is_ok_and(|written| written)
                    && std::process::Command::new("dd")
                        .args(["if=/dev/zero", "of=/dev/null", "bs=1", "count=7", "status=none"])
                        .status()
                        .is_ok_and(|status| status.success())
            })
        }),
        ("writes to a held file", |run| {
            run.hold(|| File::create("/dev/null").is_ok_and(|file| write(&file)))
        }),
        ("writes asynchronously", |run| {
            let null = File::create("/dev/null")?;
            run.iter_async(async || write(&null) && write(&null))
        }),
    ]
}

fn counted(workload: &str, injection: Option<Injection>) -> ProcessRun {
    let request = Request { injection, ..request(workload, &["syscalls"]) };
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR")).join("syscalls");
    measure(&request, &scratch, Duration::from_secs(60)).unwrap_or_else(|why| panic!("{why}"))
}

fn by_name(process: &ProcessRun) -> BTreeMap<&str, f64> {
    process.system_calls.iter().map(|call| (call.name.as_str(), call.now)).collect()
}

pub(crate) fn rows() -> Vec<Trial> {
    // Where no process may trace another, the rows are listed as ignored.
    let is_refused = tracing_refused().is_some();
    let row = |name: &str, check: fn()| {
        row(&format!("syscalls::{name}"), check).with_ignored_flag(is_refused)
    };
    vec![
        row("are_those_of_the_operation_alone", || {
            for (workload, want) in [
                ("empty", 0.0),
                ("writes three times", 3.0),
                ("reads in its set-up and writes", 1.0),
                ("writes asynchronously", 2.0),
            ] {
                let process = counted(workload, None);
                assert_eq!(value(&process, "syscalls"), want, "{process:?}");
                let writes = by_name(&process).get("write").copied().unwrap_or(0.0);
                assert_eq!(writes, want, "{process:?}");
                assert_eq!(process.notes, Vec::<String>::new(), "{workload}");
            }
        }),
        row("of_threads_and_children_are_counted", || {
            let process = counted("writes by a thread and by a program", None);
            let calls = by_name(&process);
            assert_eq!(calls["write"], 12.0, "{calls:?}");
            assert!(
                calls["execve"] >= 1.0
                    && calls["wait4"] + calls.get("waitid").unwrap_or(&0.0) >= 1.0
            );
            assert_eq!(value(&process, "syscalls").round(), calls.values().sum::<f64>().round());
        }),
        row("of_a_held_value_are_those_of_its_building", || {
            let process = counted("writes to a held file", None);
            let calls = by_name(&process);
            // Musl asks for the older of the two.
            let opened = ["openat", "open"].into_iter().find_map(|name| calls.get(name));
            assert_eq!((opened, calls["write"], calls["close"]), (Some(&1.0), 1.0, 1.0));
            // A debug build of the standard library looks once more at a file that it closes.
            assert_eq!(value(&process, "syscalls"), calls.values().sum::<f64>());
        }),
        row("that_are_injected_are_counted", || {
            for amount in [2.0, 0.5, 1000.0] {
                let injected = Injection { effect: Effect::Calls, share: 0.0, amount };
                let process = counted("writes three times", Some(injected));
                assert_eq!(value(&process, "syscalls"), 3.0 + amount, "{process:?}");
            }
        }),
        row("are_counted_within_the_timeout", || {
            let request = request("sleeps long", &["syscalls"]);
            let scratch = Path::new(env!("CARGO_TARGET_TMPDIR")).join("syscalls");
            let why = measure(&request, &scratch, Duration::from_millis(50)).unwrap_err();
            assert!(why.text.contains("did not end within"), "{why}");
        }),
    ]
}
